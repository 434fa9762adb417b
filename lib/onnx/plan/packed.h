/* packed.h - weights and biases in the layouts of oneDNN, packed once for all states. */
#ifndef KLDVE_ONNX_PACKED_H
#define KLDVE_ONNX_PACKED_H

#include "planner.h"

/** What was done to weights. */
typedef enum kx_form {
    KX_FORM_GIVEN,
    KX_FORM_BACK, /**< of a dense layer, transposed for its VJP */
    KX_FORM_TILES /**< of a 3 x 3 convolution, G g G^T (run/winograd.c) */
} kx_form;

/** Weights or bias of a unit, clamped and in a layout of oneDNN's: the same for every state, and
 * for the plans of one file that find them here. */
struct kx_packed {
    const char *first, *last; /**< names of what the unit's first and last node make, as the file's
                                   own memory */
    kx_range range;
    kx_form form;
    const kx_layout *layout; /**< NULL: a bias */
    void *memory;
};

/** Pack the weights, clamped to a range, of a convolution (or of an AFFINE unit as one) for a
 *  layout. */
kldve_status kx_pack(kx_planner *p, const kx_unit *u, kx_range range, const kx_layout *layout,
                     int32_t *out);
/** Pack the integers of quantised weights, as floats.
 *  @param scale  What dequantised them: one, or one for each channel, as the value tells. */
kldve_status kx_pack_whole(kx_planner *p, const kx_unit *u, const float *scale,
                           const kx_layout *layout, int32_t *out);
/** Memory for the bytes of a unit, whatever they are; *there: it is filled in already. */
kldve_status kx_pack_bytes(kx_planner *p, const kx_unit *u, size_t bytes, void **memory,
                           bool *there);
/** Pack the weights of a dense layer.
 *  @param d     The unit's, or what its VJP computes from them,
 *  @param back  and whether it is that. */
kldve_status kx_pack_dense(kx_planner *p, const kx_unit *u, const kx_dense *d, bool back,
                           const kx_layout *layout, int32_t *out);
/** Transform the weights of a 3 x 3 convolution for tiles, and pack them for products by d,
 *  KX_TILE_POINTS of them for each group. */
kldve_status kx_pack_tiles(kx_planner *p, const kx_unit *u, const kx_dense *d,
                           const kx_layout *layout, void **out);
/** A convolution's bias, clamped to a range, with everything that was merged into it. */
kldve_status kx_pack_bias(kx_planner *p, const kx_unit *u, kx_range range, int32_t *out);
/** Release what the plan has packed. */
void kx_packed_free(kx_plan *plan);

#endif
