/* corr.c - the plain loops of convolution, for Conv, ConvTranspose and their derivatives.
 *
 *     y[n][g,m][o] += sum over c, k of  w[g,m][c][k] * x[n][g,c][o * stride + k * dilation - pad]
 *
 * is bilinear in x and w; the derivative with respect to each is the same sum over the same triples
 * with another of the three arrays on the left.  All directions therefore share one nest of loops
 * over pairs of planes and taps of the kernel, and differ in what they do with one row. */
#include "nn.h"

#include <assert.h>

/* n elements of a row: x with a step, y without, one weight. */
typedef void row_fn(float *x, float *y, float *w, int64_t n, int64_t step);

static void row_forward(float *restrict x, float *restrict y, float *w, int64_t n, int64_t step)
{
    const float f = *w;

    if (step == 1) {
        for (int64_t i = 0; i < n; i++)
            y[i] += f * x[i];
    } else {
        for (int64_t i = 0; i < n; i++)
            y[i] += f * x[i * step];
    }
}

static void row_data(float *restrict x, float *restrict y, float *w, int64_t n, int64_t step)
{
    const float f = *w;

    if (step == 1) {
        for (int64_t i = 0; i < n; i++)
            x[i] += f * y[i];
    } else {
        for (int64_t i = 0; i < n; i++)
            x[i * step] += f * y[i];
    }
}

static void row_weights(float *restrict x, float *restrict y, float *w, int64_t n, int64_t step)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)x[i * step] * (double)y[i];
    *w += (float)sum;
}

/* One plane of x with one of y, all taps of one kernel. */
static inline void planes(const kx_window *q, float *x, float *y, float *w, row_fn *row,
                          kx_pace *pace)
{
    for (int64_t kd = 0; kd < q->kernel[KX_D]; kd++) {
        kx_reach d = kx_window_reach(q, KX_D, kd);

        for (int64_t kh = 0; kh < q->kernel[KX_H]; kh++) {
            kx_reach h = kx_window_reach(q, KX_H, kh);

            for (int64_t kw = 0; kw < q->kernel[KX_W]; kw++, w++) {
                kx_reach v = kx_window_reach(q, KX_W, kw);

                if (v.lo >= v.hi)
                    continue;
                if (kx_stops(pace, (double)((d.hi - d.lo) * (h.hi - h.lo) * (v.hi - v.lo))))
                    return;
                for (int64_t od = d.lo, id = d.at; od < d.hi; od++, id += q->stride[KX_D])
                    for (int64_t oh = h.lo, ih = h.at; oh < h.hi; oh++, ih += q->stride[KX_H])
                        row(x + (id * q->in[KX_H] + ih) * q->in[KX_W] + v.at,
                            y + (od * q->out[KX_H] + oh) * q->out[KX_W] + v.lo, w, v.hi - v.lo,
                            q->stride[KX_W]);
            }
        }
    }
}

/* Kernels of one tap on every element: a plane is one long row. */
static kx_window flatten(const kx_window *q)
{
    kx_window flat = *q;

    for (int i = 0; i < KX_SPATIAL; i++)
        if (q->kernel[i] != 1 || q->stride[i] != 1 || q->pad_begin[i] != 0 || q->in[i] != q->out[i])
            return flat;
    assert(kx_window_in(q) == kx_window_out(q));
    flat.in[KX_D] = flat.in[KX_H] = flat.out[KX_D] = flat.out[KX_H] = 1;
    flat.in[KX_W] = flat.out[KX_W] = kx_window_in(q);
    return flat;
}

static inline void correlate(const kx_conv_params *p, float *x, float *y, float *w, row_fn *row,
                             kx_pace *pace)
{
    const kx_window q = flatten(&p->window);
    int64_t in = kx_window_in(&q), out = kx_window_out(&q), taps = kx_window_taps(&q);

    assert(p->group > 0 && p->cin > 0 && p->cout > 0 && taps > 0);
    for (int64_t i = 0; i < p->batch * p->group; i++) {
        float *wi = w + i % p->group * p->cout * p->cin * taps;

        for (int64_t m = 0; m < p->cout; m++)
            for (int64_t c = 0; c < p->cin && !kx_stops(pace, (double)taps); c++)
                planes(&q, x + (i * p->cin + c) * in, y + (i * p->cout + m) * out,
                       wi + (m * p->cin + c) * taps, row, pace);
    }
}

/* Each row function writes through one of its pointers only; const is given up for the others. */
#define READ(p) ((float *)(uintptr_t)(p))

void kx_corr_forward(const kx_conv_params *p, const float *x, const float *w, float *y,
                     kx_pace *pace)
{
    correlate(p, READ(x), y, READ(w), row_forward, pace);
}

void kx_corr_data(const kx_conv_params *p, const float *w, const float *y, float *x, kx_pace *pace)
{
    correlate(p, x, READ(y), READ(w), row_data, pace);
}

void kx_corr_weights(const kx_conv_params *p, const float *x, const float *y, float *w,
                     kx_pace *pace)
{
    correlate(p, READ(x), READ(y), w, row_weights, pace);
}

void kx_bias_fill(float *y, const float *b, int64_t batch, int64_t channels, int64_t plane)
{
    for (int64_t i = 0; i < batch * channels; i++, y += plane) {
        float value = b ? b[i % channels] : 0.0f;

        for (int64_t j = 0; j < plane; j++)
            y[j] = value;
    }
}

void kx_bias_vjp(const float *dy, int64_t batch, int64_t channels, int64_t plane, float *db)
{
    for (int64_t i = 0; i < batch * channels; i++, dy += plane) {
        double sum = 0;

        for (int64_t j = 0; j < plane; j++)
            sum += (double)dy[j];
        db[i % channels] += (float)sum;
    }
}

double kx_corr_work(const kx_conv_params *p)
{
    const kx_window *w = &p->window;

    return (double)p->batch * (double)p->group * (double)p->cout * (double)p->cin *
           (double)kx_window_out(w) * (double)kx_window_taps(w);
}
