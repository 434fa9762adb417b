/* params.h - what infer() of the neural-network operators leaves in kx_node.params.
 *
 * Everything here is resolved: auto_pad is turned into numbers, defaults are filled in, negative
 * axes are wrapped, sizes are multiplied out and known to fit.  The kernels of this folder read it,
 * and so does the plan when it hands a node to oneDNN.  All floats are the file's own. */
#ifndef KLDVE_ONNX_OPS_PARAMS_H
#define KLDVE_ONNX_OPS_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "graph/graph.h"

/* ---- sliding windows ------------------------------------------------------------------------ */

/** Spatial axes in the order of memory.  A window of 2 dimensions uses KX_H and KX_W, one of 1
 *  dimension KX_W; the axes before are trivial: size, kernel, stride and dilation 1, no padding.
 *  Kernels can therefore always loop over three. */
enum { KX_D = 0, KX_H = 1, KX_W = 2, KX_SPATIAL = 3 };

/** A window of kernel[] taps that moves over in[] and gives out[] results:
 *  result o, tap k reads element  o * stride + k * dilation - pad_begin, or padding outside [0,
 *  in).
 *
 *  pad_end is what the file says (or auto_pad gives).  Where a stride does not divide evenly the
 *  last window ends before in + pad_end, and with ceil_mode it may end behind it; how far the
 *  windows reach is kx_window_end(). */
typedef struct kx_window {
    int32_t spatial; /**< 1..3 axes in use, the last ones */
    int64_t in[KX_SPATIAL], out[KX_SPATIAL];
    int64_t kernel[KX_SPATIAL], stride[KX_SPATIAL], dilation[KX_SPATIAL]; /**< 1..2^31-1 */
    int64_t pad_begin[KX_SPATIAL], pad_end[KX_SPATIAL];
} kx_window;

/** Elements from the first tap to the last one, both included. */
static inline int64_t kx_window_extent(const kx_window *w, int axis)
{
    return (w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

/** Padding that the last window touches behind the end of the input; negative: elements at the end
 *  that no window reaches.  With it, (in + pad_begin + this - extent) / stride + 1 == out exactly:
 *  the right padding to give to oneDNN. */
static inline int64_t kx_window_end(const kx_window *w, int axis)
{
    return (w->out[axis] - 1) * w->stride[axis] + kx_window_extent(w, axis) - w->in[axis] -
           w->pad_begin[axis];
}

static inline int64_t kx_window_in(const kx_window *w)
{
    return w->in[KX_D] * w->in[KX_H] * w->in[KX_W];
}

static inline int64_t kx_window_out(const kx_window *w)
{
    return w->out[KX_D] * w->out[KX_H] * w->out[KX_W];
}

static inline int64_t kx_window_taps(const kx_window *w)
{
    return w->kernel[KX_D] * w->kernel[KX_H] * w->kernel[KX_W];
}

/** Conv: x [batch][group * cin][in], weights [group * cout][cin][kernel], bias [group * cout] or
 *  none -> y [batch][group * cout][out].
 *
 *  ConvTranspose is the transpose of such a convolution and keeps the parameters of that one:
 *  window.in are the sizes of the node's OUTPUT, window.out those of its INPUT, cin counts its
 *  output channels, cout its input channels, and the weights lie in memory exactly as above.
 *  output_padding and output_shape are contained in window.in. */
typedef struct kx_conv_params {
    kx_window window;
    int64_t batch, group;
    int64_t cin, cout; /**< channels of ONE group */
} kx_conv_params;

/** MaxPool, AveragePool, LpPool and the Global ones (kernel = in, no padding):
 *  x [planes][in] -> y [planes][out]. */
typedef struct kx_pool_params {
    kx_window window;
    int64_t planes;         /**< batch * channels */
    bool ceil_mode;         /**< as in the file; window.out already follows from it */
    bool count_include_pad; /**< AveragePool: divide by the taps in [-pad_begin, in + pad_end) */
    bool column_major;      /**< MaxPool: order in which output 1 (Indices) counts */
    int64_t p;              /**< LpPool, >= 1 */
} kx_pool_params;

/* ---- normalisations ------------------------------------------------------------------------- */

/** y = x / (bias + alpha / size * sum of x^2 over channels [c - before, c + after])^beta,
 *  size = before + after + 1 unless cut to the number of channels. */
typedef struct kx_lrn_params {
    float alpha, beta, bias;
    int64_t size;
    int64_t before, after; /**< at most channels - 1 each */
    int64_t batch, channels, plane;
} kx_lrn_params;

/** y = scale * (x - mean) / sqrt(var + epsilon) + b, inputs x, scale, b, mean, var. */
typedef struct kx_batchnorm_params {
    float epsilon;
    int64_t batch, channels, plane;
} kx_batchnorm_params;

/** InstanceNormalization, GroupNormalization, LayerNormalization, RMSNormalization: rows of `inner`
 * elements are brought to mean 0 and deviation 1, then element e of the whole array (e = row *
 * inner + i) is multiplied with scale[e / plane % channels] and bias[...] is added.  plane divides
 * inner. */
typedef struct kx_norm_params {
    float epsilon;
    bool centred; /**< RMSNormalization: the mean counts as 0 */
    int64_t rows, inner;
    int64_t plane, channels;
} kx_norm_params;

/** Softmax, LogSoftmax, LpNormalization: x [outer][n][inner], along n.  inner is 1 for a Softmax
 *  of opset < 13, which flattens. */
typedef struct kx_axis_params {
    int64_t outer, n, inner;
    int64_t p; /**< LpNormalization: 1 or 2 */
} kx_axis_params;

/** Of an operator whose trait `shares` is set: do the shares lie along the last axis? */
bool kx_shares_last(const kx_node *n);

/** Of any operator: is it a TopK of the smallest elements? */
bool kx_picks_smallest(const kx_node *n);

/* ---- matrices ------------------------------------------------------------------------------- */

/** y [m][n] = alpha * A' B' + beta * C, where A' [m][k] and B' [k][n] are the inputs, transposed
 *  where the flag says so.  Element (i, j) of C is c[i * c_row + j * c_column]. */
typedef struct kx_gemm_params {
    float alpha, beta;
    bool trans_a, trans_b;
    int64_t m, n, k;
    int64_t c_row, c_column; /**< strides, 0 where C is broadcast */
} kx_gemm_params;

/** y [batch...][m][n] = a [...][m][k] b [...][k][n]; an input of rank 1 counts as a row (a) or a
 *  column (b).  Matrix number i of y is made from those at a_step and b_step, see matmul.c. */
typedef struct kx_matmul_params {
    int64_t m, n, k;
    int32_t rank;                /**< batch axes of y */
    int64_t dim[KX_MAX_RANK];    /**< their sizes */
    int64_t a_step[KX_MAX_RANK]; /**< in matrices; 0 where a is broadcast */
    int64_t b_step[KX_MAX_RANK];
} kx_matmul_params;

/** Of an operator whose trait `axes` is KX_AXES_MATRIX: the axis of input 0 that the rows of the
 *  result come from; -1: an input is a vector. */
int32_t kx_matrix_rows(const kx_node *n);

/* ---- geometry ------------------------------------------------------------------------------- */

typedef enum kx_pad_mode {
    KX_PAD_CONSTANT,
    KX_PAD_REFLECT, /**< around the centre of the outermost element */
    KX_PAD_EDGE,
    KX_PAD_WRAP
} kx_pad_mode;

/** Pad: output index o of an axis is input index o - begin[axis], where that lies outside the mode
 *  decides.  Negative padding cuts; then, and for axes that only cut, nothing is outside. */
typedef struct kx_pad_params {
    kx_pad_mode mode;
    float value; /**< constant: what stands outside, without an input 2 */
    int64_t begin[KX_MAX_RANK];
    int64_t end[KX_MAX_RANK]; /**< output size = begin + input size + end */
} kx_pad_params;

/** One axis of Resize or Upsample: output o is the sum of weight[o * taps + t] * input
 *  index[o * taps + t] over t; all indices are valid. */
typedef struct kx_resize_axis {
    int64_t in, out;
    int32_t taps;         /**< nearest 1, linear 2, cubic 4; more where antialiased */
    const int32_t *index; /**< NULL: the axis stays as it is */
    const float *weight;
    const uint8_t *outside; /**< [out], 1: the extrapolation value stands here; or NULL */
} kx_resize_axis;

/** Resize, Upsample: the same along all axes, one after the other. */
typedef struct kx_resize_params {
    float extrapolation;
    bool whole; /**< of integers: results are cut to them, as ONNX Runtime does */
    int32_t rank;
    kx_resize_axis axis[KX_MAX_RANK];
} kx_resize_params;

#endif
