/* desc.h - what a unit of the plan computes, in numbers: for the planner, which fills them in, for
 * oneDNN and for kernels of our own. */
#ifndef KLDVE_ONNX_DESC_H
#define KLDVE_ONNX_DESC_H

#include <stdbool.h>
#include <stdint.h>

/** An activation y = f(x), fused behind another computation or on its own. */
typedef enum kx_act_kind {
    KX_ACT_NONE,
    KX_ACT_RELU,    /**< max(x, 0) */
    KX_ACT_LEAKY,   /**< x < 0 ? a x : x */
    KX_ACT_CLIP,    /**< min(max(x, a), b) */
    KX_ACT_SIGMOID, /**< 1 / (1 + exp(-x)) */
    KX_ACT_TANH,
    KX_ACT_ELU,         /**< x < 0 ? a (exp(x) - 1) : x */
    KX_ACT_SWISH,       /**< x sigmoid(a x) */
    KX_ACT_HARDSWISH,   /**< x min(max(x / 6 + 1/2, 0), 1) */
    KX_ACT_HARDSIGMOID, /**< min(max(a x + b, 0), 1) */
    KX_ACT_GELU,        /**< x Phi(x) = x (1 + erf(x / sqrt 2)) / 2 */
    KX_ACT_GELU_TANH,   /**< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 */
    KX_ACT_ERF,
    KX_ACT_EXP,
    KX_ACT_POW,     /**< x^a */
    KX_ACT_ROUND8,  /**< a min(max(round(x / a), b), b + 255): quantised and back */
    KX_ACT_ROUND16, /**< the same up to b + 65535 */
    KX_ACT_LEVEL,   /**< round(x / a) */
    KX_ACT_LINEAR   /**< a x + b */
} kx_act_kind;

typedef struct kx_act {
    kx_act_kind kind;
    float a, b;
} kx_act;

/** Of ROUND8 and ROUND16: the largest level. */
static inline float kx_act_top(kx_act act)
{
    return act.b + (act.kind == KX_ACT_ROUND8 ? UINT8_MAX : UINT16_MAX);
}

/** Can the derivative be had from y alone?  Of the others the VJP reads x. */
static inline bool kx_act_from_output(kx_act act)
{
    switch (act.kind) {
    case KX_ACT_SWISH:
    case KX_ACT_HARDSWISH:
    case KX_ACT_GELU:
    case KX_ACT_GELU_TANH:
    case KX_ACT_ERF:
    case KX_ACT_POW:
    case KX_ACT_ROUND8:
    case KX_ACT_ROUND16:
    case KX_ACT_LEVEL:
        return false;
    default:
        return true;
    }
}

/** A convolution over [N][C][H][W]. */
typedef struct kx_conv_desc {
    int64_t batch, in_channels, out_channels, groups;
    int64_t in[2], out[2], kernel[2], stride[2], dilation[2], pad_begin[2], pad_end[2];
    bool bias;
    kx_act act;
} kx_conv_desc;

/** 3 x 3 convolutions in tiles of 4 x 4 results from 6 x 6 inputs (run/winograd.c): 36 products of
 *  matrices, from polynomials through the points 0, A, -A, B, -B and infinity. */
enum { KX_TILE_OUT = 4, KX_TILE_SIDE = 6, KX_TILE_POINTS = 36, KX_TILE_LANES = 8 };
#define KX_TILE_A 0.75f
#define KX_TILE_B 1.5f

/** Rows [first, first + rows) of tiles over channels [start, start + channels) of an array
 *  [.. / 8][height][width][8]. */
typedef struct kx_tiles {
    int64_t start, channels; /**< multiples of KX_TILE_LANES */
    int64_t height, width;
    int64_t pad[2]; /**< rows and columns of an input that tile 0 starts before the array */
    int64_t first, rows, columns;
} kx_tiles;

typedef enum kx_pool_kind { KX_POOL_MAX, KX_POOL_AVG_INCLUDE, KX_POOL_AVG_EXCLUDE } kx_pool_kind;
typedef struct kx_pool_desc {
    kx_pool_kind kind;
    int64_t batch, channels;
    int64_t in[2], out[2], kernel[2], stride[2], pad_begin[2], pad_end[2];
} kx_pool_desc;

typedef struct kx_lrn_desc {
    int64_t size;
    float alpha, beta, bias;
} kx_lrn_desc;

/** Of two arrays, element by element. */
typedef enum kx_arith {
    KX_BINARY_ADD,
    KX_BINARY_SUB,
    KX_BINARY_MUL,
    KX_BINARY_DIV,
    KX_BINARY_MIN,
    KX_BINARY_MAX
} kx_arith;

typedef enum kx_rows_kind {
    KX_ROWS_MEAN,        /**< one number of each row */
    KX_ROWS_SOFTMAX,     /**< exp(x) / sum of exp(x) */
    KX_ROWS_LOG_SOFTMAX, /**< its logarithm */
    KX_ROWS_NORM         /**< (x - mean) / sqrt(variance + epsilon) * scale + bias */
} kx_rows_kind;

/** Of an array [count][n], row by row. */
typedef struct kx_rows {
    kx_rows_kind kind;
    int64_t count, n;
    /* of NORM */
    float epsilon;
    bool centred;              /**< the mean counts as 0 */
    const float *scale, *bias; /**< [n], or NULL: 1, 0 */
} kx_rows;

/** x [m][k] -> x W + bias [m][n]. */
typedef struct kx_dense {
    int64_t m, k, n;
    bool transposed;      /**< weights are [n][k], else [k][n] */
    const float *weights; /**< in the file's bytes, perhaps unaligned */
    const float *bias;    /**< [n] or NULL */
} kx_dense;

/** A few rows are bound by reading the matrix, for which there are kernels of our own; more are a
 *  matrix product for oneDNN. */
enum { KX_DENSE_ROWS = 4 };

#endif
