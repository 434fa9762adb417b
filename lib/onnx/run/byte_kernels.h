/* byte_kernels.h - sums of products of bytes: in plain C, and for processors with AVX2.
 *
 * Bytes are widened to 16 bits and multiplied by weights of 16 bits, two terms at a time: sums are
 * exact, whatever the weights are.  (Instructions that multiply bytes at once add pairs of products
 * in 16 bits, where 255 x 127 + 255 x 127 does not fit.) */
#ifndef KLDVE_ONNX_BYTE_KERNELS_H
#define KLDVE_ONNX_BYTE_KERNELS_H

#include "accel/byte_desc.h"

/** What becomes of the sums of 16 channels, kx_byte_conv. */
typedef struct kx_byte_finish {
    const int32_t *offset;      /**< [16] */
    const float *bias, *factor; /**< [16]; bias may be NULL */
    float lo, hi;
    int32_t zero;
    bool large; /**< levels may be outside of what fits 32 bits */
    int64_t stride;
} kx_byte_finish;

typedef struct kx_byte_rows {
    const int16_t *at;
    size_t stride, pairs;
} kx_byte_rows;

typedef struct kx_byte_line {
    int64_t at, step, count;
} kx_byte_line;

typedef struct kx_byte_kernels {
    /** to = from */
    void (*widen)(size_t n, const uint8_t *from, int16_t *to);
    /** Rows [KX_BYTE_ROWS] of [pairs][2], `stride` apart, times weights [pairs][16][2], and `sums`
     *  [KX_BYTE_ROWS][16] added unless they are NULL; results of 16 bytes, finish->stride apart. */
    void (*tile)(const kx_byte_rows *rows, const int16_t *weights, const int32_t *sums,
                 const kx_byte_finish *finish, uint8_t *to);
    /** The same without an end: sums, or NULL, to sums. */
    void (*sum)(const kx_byte_rows *rows, const int16_t *weights, const int32_t *sums, int32_t *to);
    /** 16 channels of `count` cells in a line: tap[2 pairs] are addresses of bytes, from which
     * those of the first cell are `from.at` away, those of the next one `from.step` further;
     * weights are [pairs][16][2]; results as above. */
    void (*depth)(const uint8_t *const *tap, kx_byte_line from, size_t pairs,
                  const int16_t *weights, const kx_byte_finish *finish, uint8_t *to);
} kx_byte_kernels;

extern const kx_byte_kernels kx_byte_kernels_plain;
/** NULL: none for this processor. */
const kx_byte_kernels *kx_byte_kernels_avx2(void);
/** The fastest ones. */
const kx_byte_kernels *kx_byte_kernels_best(void);

#endif
