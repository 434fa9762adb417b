/* byte_kernels.h - sums of products of bytes: in plain C, for processors with AVX2, and for those
 * that multiply and add four bytes in one instruction.
 *
 * AVX2's instruction that multiplies bytes adds pairs of products in 16 bits, where 255 x 127 + 255
 * x 127 does not fit.  Only weights that cannot overflow there are multiplied as bytes, four terms
 * in a word of 32 bits; others as numbers of 16 bits, two in a word.  Where few weights are too
 * large, what they are too large by is multiplied by itself, a channel at a time, for many cells at
 * once; that needs the bytes of the cells term by term.  All sums are exact. */
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
    const uint8_t *at;
    size_t stride, words; /**< of rows: bytes from one to the next, and of 32 bits in each */
} kx_byte_rows;

typedef struct kx_byte_line {
    int64_t at, step, count;
} kx_byte_line;

/** KX_BYTE_ROWS rows times weights [words][16]: sums [KX_BYTE_ROWS][16], to which `sums` are added
 *  unless they are NULL. */
typedef void kx_byte_sum(const kx_byte_rows *rows, const void *weights, const int32_t *sums,
                         int32_t *to);
/** The same, finished: 16 bytes for each row, finish->stride apart. */
typedef void kx_byte_tile(const kx_byte_rows *rows, const void *weights, const int32_t *sums,
                          const kx_byte_finish *finish, uint8_t *to);

/** Bytes term by term: those of cell c are at[term * stride + c]. */
typedef struct kx_byte_turned {
    const uint8_t *at;
    size_t stride;
} kx_byte_turned;

typedef struct kx_byte_kernels {
    /** Bytes to numbers of 16 bits, which may lie at odd addresses. */
    void (*widen)(size_t n, const uint8_t *from, uint8_t *to);
    kx_byte_sum *sum16, *sum8; /**< of 2 terms a word, of 4 */
    kx_byte_tile *tile16, *tile8;
    /** A block of 16 cells and 16 terms: to[term * to_stride + cell]. */
    void (*turn)(const uint8_t *from, size_t stride, uint8_t *to, size_t to_stride);
    /** Sums [KX_BYTE_TURNED][16] of rests; those of channel c are rest[at[c]] to rest[at[c + 1]].
     */
    void (*rest)(kx_byte_turned cells, const kx_byte_rest *rest, const int32_t *at, int32_t *to);
    /** 16 channels of `count` cells in a line: tap[2 words] are addresses of bytes, from which
     * those of the first cell are `from.at` away, those of the next one `from.step` further;
     * weights of 2 terms a word; results as those of a tile. */
    void (*depth)(const uint8_t *const *tap, const kx_byte_line *from, size_t words,
                  const void *weights, const kx_byte_finish *finish, uint8_t *to);
    /** Sums of the first elements of two arrays, as many as fill registers; returns their number.
     *  NULL: of none. */
    size_t (*add)(const kx_byte_binary *b, size_t n, const uint8_t *x, const uint8_t *y,
                  uint8_t *to);
} kx_byte_kernels;

/** For any weights. */
extern const kx_byte_kernels kx_byte_kernels_plain;
/** NULL: none for this processor.  Of sum8 and tile8, no two weights of the same half of a word may
 * be above 128 together. */
const kx_byte_kernels *kx_byte_kernels_avx2(void);
/** NULL: none for this processor.  For any weights. */
const kx_byte_kernels *kx_byte_kernels_vnni(void);
/** The fastest ones; for any weights where kx_accel_has_dot_products(). */
const kx_byte_kernels *kx_byte_kernels_best(void);

#endif
