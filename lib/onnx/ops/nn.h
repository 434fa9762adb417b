/* nn.h - what the neural-network operators share: checks, windows, correlation. */
#ifndef KLDVE_ONNX_OPS_NN_H
#define KLDVE_ONNX_OPS_NN_H

#include "params.h"

/** Refuse unless the first `count` inputs, where present, are floating-point arrays. */
kldve_status kx_need_floats(kx_graph *g, kx_node *n, int32_t count);
/** Require input i to have exactly the shape [length]. */
kldve_status kx_need_vector(kx_graph *g, kx_node *n, int32_t i, const char *what, int64_t length);
/** Attribute `name`, one integer in [lo, 2^31) per spatial axis, into the last places of `to`;
 *  all `def` where it is missing. */
kldve_status kx_spatial_attr(kx_graph *g, kx_node *n, const char *name, int32_t spatial, int64_t lo,
                             int64_t def, int64_t *to);
/** The number of spatial axes of x [n][c]..., 1..3; 0 after a refusal with *st set. */
int32_t kx_spatial_rank(kx_graph *g, kx_node *n, const kx_shape *x, kldve_status *st);

/** How auto_pad is spelled. */
typedef enum kx_auto_pad {
    KX_PAD_NOTSET,
    KX_PAD_SAME_UPPER,
    KX_PAD_SAME_LOWER,
    KX_PAD_VALID
} kx_auto_pad;
kldve_status kx_auto_pad_attr(kx_graph *g, kx_node *n, kx_auto_pad *out);

/** Trivial on all axes: sizes, kernel, stride, dilation 1, no padding. */
void kx_window_init(kx_window *w, int32_t spatial);
/** strides, dilations (where `dilated`) and pads; pads are 0 without the attribute. */
kldve_status kx_window_attrs(kx_graph *g, kx_node *n, bool dilated, kx_window *w);
/** Conv, ConvTranspose: group, channels and kernel from the weights (input 1), strides, dilations
 *  and pads from the attributes.  What is left are window.in, window.out and the channels of x. */
kldve_status kx_conv_attrs(kx_graph *g, kx_node *n, kx_conv_params *p);
/** With in, kernel, stride, dilation and pads known: resolve auto_pad and work out w->out.
 *
 *  ceil_mode rounds the number of windows up, but counts none that would start behind the input
 *  (in its right padding): so do PyTorch and, since opset 19 in words, ONNX. */
kldve_status kx_window_fit(kx_graph *g, kx_node *n, bool ceil_mode, kx_window *w);
/** x [n][c]... -> y [n][channels][w->out...]. */
void kx_window_shape(const kx_window *w, const kx_shape *x, int64_t channels, kx_shape *y);

/** The results [lo, hi) whose tap `k` falls into the input; result lo reads element `at`. */
typedef struct kx_reach {
    int64_t lo, hi, at;
} kx_reach;

static inline kx_reach kx_window_reach(const kx_window *w, int axis, int64_t k)
{
    int64_t shift = k * w->dilation[axis] - w->pad_begin[axis], s = w->stride[axis];
    int64_t last = w->in[axis] - 1 - shift; /* room for o * s */
    kx_reach r = {.lo = shift >= 0 ? 0 : (-shift + s - 1) / s};

    r.hi = last < 0 ? 0 : last / s + 1;
    if (r.hi > w->out[axis])
        r.hi = w->out[axis];
    r.at = r.lo * s + shift;
    return r;
}

/** The taps [lo, hi) of result o that fall into the input; tap k reads element at + k * dilation.
 */
static inline kx_reach kx_window_taps_of(const kx_window *w, int axis, int64_t o)
{
    int64_t at = o * w->stride[axis] - w->pad_begin[axis], d = w->dilation[axis];
    int64_t last = w->in[axis] - 1 - at;
    kx_reach r = {.lo = at >= 0 ? 0 : (-at + d - 1) / d, .at = at};

    r.hi = last < 0 ? 0 : last / d + 1;
    if (r.hi > w->kernel[axis])
        r.hi = w->kernel[axis];
    return r;
}

/* The three directions of a convolution, each adding to its last argument (corr.c). */
void kx_corr_forward(const kx_conv_params *p, const float *x, const float *w, float *y,
                     kx_pace *pace);
void kx_corr_data(const kx_conv_params *p, const float *w, const float *y, float *x, kx_pace *pace);
void kx_corr_weights(const kx_conv_params *p, const float *x, const float *y, float *w,
                     kx_pace *pace);

/** Multiplications of each of them. */
double kx_corr_work(const kx_conv_params *p);

/** y [batch][channels][plane] = b[channel]; 0 where b is NULL. */
void kx_bias_fill(float *y, const float *b, int64_t batch, int64_t channels, int64_t plane);
/** db[channel] += sum of dy over batch and plane. */
void kx_bias_vjp(const float *dy, int64_t batch, int64_t channels, int64_t plane, float *db);

/** y [m][n] += factor * a [m][k] b [k][n] with any strides between rows and columns. */
typedef struct kx_matrix {
    const float *data;
    int64_t row, column; /**< strides */
} kx_matrix;
void kx_gemm_add(int64_t m, int64_t n, int64_t k, float factor, kx_matrix a, kx_matrix b, float *y,
                 kx_pace *pace);

#endif
