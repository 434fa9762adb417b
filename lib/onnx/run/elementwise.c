/* elementwise.c - elementwise work of the VJP on arrays in any layout: activations and sums.
 *
 * The arrays are whole buffers, with the padding of blocked layouts, where dy is zero. */
#include "run/elementwise.h"

#include <math.h>

#include "accel/rule.h"
#include "run/kernel.h"

static inline float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

static float act_one(kx_act act, float x)
{
    switch (act.kind) {
    case KX_ACT_RELU:
        return x > 0 ? x : 0;
    case KX_ACT_LEAKY:
        return x < 0 ? act.a * x : x;
    case KX_ACT_CLIP:
        return x < act.a ? act.a : x > act.b ? act.b : x;
    case KX_ACT_SIGMOID:
        return sigmoid(x);
    case KX_ACT_TANH:
        return tanhf(x);
    case KX_ACT_ELU:
        return x < 0 ? act.a * (expf(x) - 1) : x;
    case KX_ACT_SWISH:
        return x * sigmoid(x);
    case KX_ACT_HARDSWISH:
        return x <= -3 ? 0 : x >= 3 ? x : x * (x / 6 + 0.5f);
    case KX_ACT_LINEAR:
        return act.a * x + act.b;
    case KX_ACT_NONE:
        break;
    }
    return x;
}

void kx_act_forward(kx_act act, size_t n, const float *x, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = act_one(act, x[i]);
}

/* df/dx, from y = f(x) except for SWISH and HARDSWISH, which get x. */
static float slope(kx_act act, float seen)
{
    float s;

    switch (act.kind) {
    case KX_ACT_RELU:
        return seen > 0 ? 1 : 0;
    case KX_ACT_LEAKY:
        return seen > 0 ? 1 : act.a;
    case KX_ACT_CLIP:
        return seen > act.a && seen < act.b ? 1 : 0;
    case KX_ACT_SIGMOID:
        return seen * (1 - seen);
    case KX_ACT_TANH:
        return 1 - seen * seen;
    case KX_ACT_ELU:
        return seen < 0 ? seen + act.a : 1;
    case KX_ACT_SWISH:
        s = sigmoid(seen);
        return s * (1 + seen * (1 - s));
    case KX_ACT_HARDSWISH:
        return seen <= -3 ? 0 : seen >= 3 ? 1 : seen / 3 + 0.5f;
    case KX_ACT_LINEAR:
        return act.a;
    case KX_ACT_NONE:
        break;
    }
    return 1;
}

/* The common case by itself, so that it is vectorised. */
static void relu_vjp(size_t n, const float *y, const float *dy, float *dx)
{
#pragma omp parallel for schedule(static) if (n >= KX_PARALLEL_FROM)
    for (size_t i = 0; i < n; i++)
        dx[i] = y[i] > 0 ? dy[i] : 0;
}

void kx_act_vjp(kx_act act, int32_t rule, size_t n, const float *seen, const float *dy, float *dx)
{
    bool rectifier = act.kind == KX_ACT_RELU || act.kind == KX_ACT_CLIP;
    bool positive = rectifier && (rule == KLDVE_RULE_GUIDED || kx_rule_is_reversed(rule));
    bool open = rectifier && rule == KLDVE_RULE_DECONVOLUTION;

    if (act.kind == KX_ACT_RELU && !positive) {
        relu_vjp(n, seen, dy, dx);
        return;
    }
#pragma omp parallel for schedule(static) if (n >= KX_PARALLEL_FROM)
    for (size_t i = 0; i < n; i++) {
        float d = (open ? 1 : slope(act, seen[i])) * dy[i];

        dx[i] = positive && !(d > 0) ? 0 : d;
    }
}

void kx_add(size_t n, const float *a, const float *b, float *out)
{
#pragma omp parallel for schedule(static) if (n >= KX_PARALLEL_FROM)
    for (size_t i = 0; i < n; i++)
        out[i] = a[i] + b[i];
}
