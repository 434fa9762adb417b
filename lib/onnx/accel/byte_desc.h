/* byte_desc.h - what steps on integers of 8 bits compute, in numbers: for the planner, which fills
 * them in, and for the kernels in run/.
 *
 * An array of bytes stands for the numbers scale (byte - zero).  Those of int8 tensors are moved by
 * 128, so that all arrays are unsigned.  Arrays of rank 4 lie channels last, others row-major. */
#ifndef KLDVE_ONNX_BYTE_DESC_H
#define KLDVE_ONNX_BYTE_DESC_H

#include <stddef.h>

#include "accel/desc.h"

typedef struct kx_byte_form {
    float scale;
    int32_t zero; /**< 0..255 */
} kx_byte_form;

/** What numbers are rounded to: scale clip(round(x / scale), lo, hi). */
typedef struct kx_byte_out {
    kx_byte_form form;
    float lo, hi; /**< whole; form.zero + lo and form.zero + hi lie in 0..255 */
} kx_byte_out;

enum {
    KX_BYTE_COLUMNS = 16, /**< channels that are computed together */
    KX_BYTE_WORD = 4,     /**< bytes */
    KX_BYTE_ROWS = 6,     /**< cells that are computed together */
    KX_BYTE_TURNED = 32,  /**< cells whose rests are computed together */
    KX_BYTE_TERMS = 32768 /**< products of 255 x 255 that fit a sum of 32 bits */
};

/** Two weights of one channel, or what is left of them, for the terms `at`; the second may be 0. */
typedef struct kx_byte_rest {
    uint16_t at[2];
    int16_t weight[2];
} kx_byte_rest;

/** Convolutions, and dense layers as those of one cell.  Of channel c
 *
 *     y = zero' + clip(round(factor_c (bias_c + offset_c + sum of q w)), out.lo, out.hi)
 *
 * where q are bytes and w the file's weights less their zero point, and offset_c is the bias, if it
 * is whole, less zero times the sum of w; zero' is out.form.zero. */
typedef struct kx_byte_conv {
    kx_conv_desc d;
    kx_byte_out out;
    int64_t per_word; /**< terms of a sum in a word of 32 bits: 2 of 16 bits, or 4 of 8 */
    /** [groups][blocks of 16 channels][words][16], in each word the weights of the next terms, in
     *  the order rows, columns, channels; what fills up the last one is 0.  Depthwise [blocks of 16
     *  channels][words][16], where the last block starts 16 channels before the end. */
    const void *weights;
    /** What `weights` lack where they do not fit bytes: those of place i [groups][blocks][16] are
     *  rest[rest_at[i]] up to rest[rest_at[i + 1]].  rests 0: they lack nothing. */
    const kx_byte_rest *rest;
    const int32_t *rest_at;
    int64_t rests;
    /** [groups][blocks][16]; bias may be NULL: 0. */
    const int32_t *offset;
    const float *bias, *factor;
    const uint8_t
        *blank;    /**< what lies in the padding: a cell of the zero point, and 16 bytes more */
    bool large;    /**< a factor is not below 1/2, or a bias is large */
    int64_t block; /**< cells whose rows of the matrix are made at a time */
} kx_byte_conv;

/** One group a channel? */
static inline bool kx_byte_depthwise(const kx_conv_desc *d)
{
    return d->groups > 1 && d->groups == d->in_channels && d->groups == d->out_channels;
}

/** Words of a sum. */
static inline int64_t kx_byte_words(const kx_byte_conv *c)
{
    int64_t terms = c->d.in_channels / c->d.groups * c->d.kernel[0] * c->d.kernel[1];

    return (terms + c->per_word - 1) / c->per_word;
}

/** Distance of the matrix's rows in bytes: an odd number of lines of the cache, so that the rows of
 * a tile do not all compete for the same places in it. */
static inline int64_t kx_byte_stride(const kx_byte_conv *c)
{
    enum { LINE = 64 };

    return ((KX_BYTE_WORD * kx_byte_words(c) + LINE - 1) / LINE | 1) * LINE;
}

/** Blocks of channels of a group; depthwise: of all. */
static inline int64_t kx_byte_blocks(const kx_conv_desc *d)
{
    int64_t n = kx_byte_depthwise(d) ? d->out_channels : d->out_channels / d->groups;

    return (n + KX_BYTE_COLUMNS - 1) / KX_BYTE_COLUMNS;
}

/** In how many parts sums are computed, so that weights of 16 channels for one part lie in the
 * first cache. */
static inline int64_t kx_byte_passes(const kx_byte_conv *c)
{
    enum { WORDS = 320 };

    return (kx_byte_words(c) + WORDS - 1) / WORDS;
}

/** Distance of the columns of the turned matrix, and how many there are: terms in multiples of 16.
 */
static inline int64_t kx_byte_turned_stride(const kx_byte_conv *c)
{
    return (c->block + KX_BYTE_TURNED - 1) / KX_BYTE_TURNED * KX_BYTE_TURNED;
}

static inline int64_t kx_byte_turned_terms(const kx_byte_conv *c)
{
    enum { TILE = 16 };

    return (KX_BYTE_WORD * kx_byte_words(c) + TILE - 1) / TILE * TILE;
}

/** Where block i of n channels starts that are computed depthwise. */
static inline int64_t kx_byte_start(int64_t n, int64_t i)
{
    int64_t start = i * KX_BYTE_COLUMNS;

    return n > KX_BYTE_COLUMNS && start > n - KX_BYTE_COLUMNS ? n - KX_BYTE_COLUMNS : start;
}

/** Blocks of channels of which there are sums between parts: what was summed up so far, or rests.
 */
static inline int64_t kx_byte_sums(const kx_byte_conv *c)
{
    return kx_byte_passes(c) > 1 ? kx_byte_blocks(&c->d) : c->rests > 0;
}

/** Bytes of scratch memory that a thread needs: rows of the matrix, sums, and the matrix turned; or
 * addresses of the cells that one cell sees, and room for them where there are fewer than 16
 * channels. */
static inline size_t kx_byte_conv_scratch(const kx_byte_conv *c)
{
    size_t taps = 2 * (size_t)kx_byte_words(c);
    size_t sums = (size_t)kx_byte_sums(c) * KX_BYTE_COLUMNS * sizeof(int32_t);
    size_t turned =
        c->rests ? (size_t)kx_byte_turned_stride(c) * (size_t)kx_byte_turned_terms(c) : 0;

    if (kx_byte_depthwise(&c->d))
        return taps * (sizeof(void *) + KX_BYTE_COLUMNS);
    return (size_t)c->block * ((size_t)kx_byte_stride(c) + sums) + turned;
}

/** x op y, rounded; y has the shape of x or one number for each channel of [1][C][1][1]. */
typedef struct kx_byte_binary {
    kx_arith op; /**< ADD, SUB or MUL */
    int64_t cells, channels;
    bool by_channel; /**< y */
    kx_byte_form x, y;
    kx_byte_out out;
} kx_byte_binary;

enum { KX_BYTE_ACTS = 3 };

/** A function of each number, and rounded: as a table of 256. */
typedef struct kx_byte_table {
    kx_byte_form in;
    kx_byte_out out;
    kx_act act[KX_BYTE_ACTS]; /**< [nact], one behind another */
    int32_t nact;
    int64_t cells, channels;
    int64_t at,
        stride; /**< the result is part of cells of `stride` channels, from channel `at` on */
} kx_byte_table;

/** To and from float32, element by element. */
typedef struct kx_byte_cast {
    kx_byte_out form;
    size_t count;
} kx_byte_cast;

/** Pooling; means are float32. */
typedef struct kx_byte_pool {
    kx_pool_desc d;
    kx_byte_form in;
} kx_byte_pool;

typedef enum kx_bytes_kind {
    KX_BYTES_RENAMED, /**< no step: the same bytes in another form, or under another shape */
    KX_BYTES_FROM_FLOAT,
    KX_BYTES_TO_FLOAT,
    KX_BYTES_CONV,
    KX_BYTES_BINARY,
    KX_BYTES_TABLE,
    KX_BYTES_MAX,
    KX_BYTES_MEAN
} kx_bytes_kind;

typedef struct kx_bytes {
    kx_bytes_kind kind;
    union {
        kx_byte_cast cast;
        kx_byte_conv conv;
        kx_byte_binary binary;
        kx_byte_table table;
        kx_byte_pool pool;
    } as;
} kx_bytes;

#endif
