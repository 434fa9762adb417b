/* preprocess.h - a picture becomes the network's input. */
#ifndef KLDVE_LIB_PREPROCESS_H
#define KLDVE_LIB_PREPROCESS_H

#include <kldve/kldve.h>

#include <stdbool.h>

/** What the network sees, as fractions of the picture's sides; more than the picture where it is
 * padded. */
typedef struct kldve_view {
    float x, y, width, height;
} kldve_view;

/* ---- input_spec.c ------------------------------------------------------------------------- */

/** RGB, or grey for one channel, pixel values 0..255. */
void kldve_input_spec_default(const kldve_shape *shape, kldve_input_spec *spec);

/** Check a caller's specification against the network and fill in every default.  *dst is written
 *  on success only. */
kldve_status kldve_input_spec_load(kldve_ctx *ctx, const kldve_shape *shape,
                                   const kldve_input_spec *src, kldve_input_spec *dst);

/** Channels of the input: the colours, 1 or 3, and with alpha. */
int32_t kldve_input_spec_colours(const kldve_input_spec *spec);
int32_t kldve_input_spec_channels(const kldve_input_spec *spec);
/** Whether a picture of another shape is padded. */
bool kldve_input_spec_pads(const kldve_input_spec *spec);
/** The height of one frame of the input, and the shorter of its sides, pixels. */
int32_t kldve_frame_height(const kldve_shape *shape);
int32_t kldve_shorter_side(const kldve_shape *shape);

/* ---- preprocess.c ------------------------------------------------------------------------- */

/** Which part of a picture of that size the network sees.
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (it is too narrow). */
kldve_status kldve_preprocess_view(kldve_ctx *ctx, int32_t width, int32_t height,
                                   const kldve_input_spec *spec, const kldve_shape *shape,
                                   kldve_view *view);

/** Pictures, one for each of in_frames frames and all of one size, -> input
 *  [in_channels][in_height][in_width]; formulas in preprocess.c. */
kldve_status kldve_preprocess(kldve_ctx *ctx, const kldve_image *const *pictures,
                              const kldve_input_spec *spec, const kldve_shape *shape, float *input,
                              kldve_view *view);

#endif
