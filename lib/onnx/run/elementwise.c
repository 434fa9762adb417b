/* elementwise.c - elementwise work of the VJP on arrays in any layout: activations and sums.
 *
 * The arrays are whole buffers, with the padding of blocked layouts, where dy is zero. */
#include "run/elementwise.h"

#include <math.h>

#include "accel/rule.h"
#include "run/fastmath.h"
#include "run/kernel.h"

enum { PIECE = 8192 }; /* elements that one thread takes at a time */

#define GELU_SCALE 0.797884561f /* sqrt(2 / pi) */
#define GELU_CUBE 0.044715f

/* ---- one element ---- */

static inline float gelu(float x)
{
    float density;

    return x * kx_gelu_cdf(x, &density);
}

/* d/dx x Phi(x) = Phi(x) + x phi(x) */
static inline float gelu_slope(float x)
{
    float density, cdf = kx_gelu_cdf(x, &density);

    return cdf + x * 0.398942280f * density;
}

static inline float gelu_tanh(float x)
{
    return 0.5f * x * (1.0f + kx_tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x)));
}

static inline float gelu_tanh_slope(float x)
{
    float t = kx_tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x));
    float du = GELU_SCALE * (1.0f + 3.0f * GELU_CUBE * x * x);

    return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * du;
}

static inline float swish_slope(float x, float a)
{
    float s = kx_sigmoid(a * x);

    return s * (1.0f + a * x * (1.0f - s));
}

static inline float hardswish(float x)
{
    return x <= -3 ? 0 : x >= 3 ? x : x * (x / 6 + 0.5f);
}

static inline float hardswish_slope(float x)
{
    return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f;
}

static inline float hardsigmoid(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* a x^(a - 1); x^0 is constant. */
static inline float pow_slope(float x, float a)
{
    if (a == 2)
        return 2 * x;
    if (a == 0.5f)
        return 0.5f / sqrtf(x);
    return a == 0 ? 0 : a * powf(x, a - 1);
}

/* Halves to even; |x| < 2^22 where it is used. */
static inline float rounded(float x)
{
    const float shift = 0x1.8p23f; /* its last digit is 1 */

    return (x + shift) - shift;
}

static inline float clamped(float x, float lo, float hi)
{
    x = x > lo ? x : lo; /* NaN becomes lo */
    return x < hi ? x : hi;
}

static inline float to_level(kx_act act, float x)
{
    return act.a * rounded(clamped(x / act.a, act.b, kx_act_top(act)));
}

/* 0 where it is clipped. */
static inline float to_level_slope(kx_act act, float x)
{
    float lo = act.b, hi = kx_act_top(act), v = rounded(clamped(x / act.a, lo - 1, hi + 1));

    return v >= lo && v <= hi ? 1 : 0;
}

/* ---- all elements, by kind, so that each loop is one over vectors ---- */

#define VALUE(name, f)                                                                             \
    KX_WIDE static void name##_value(kx_act act, size_t n, const float *x, float *y)               \
    {                                                                                              \
        (void)act;                                                                                 \
        for (size_t i = 0; i < n; i++)                                                             \
            y[i] = f;                                                                              \
    }
#define SLOPE(name, f)                                                                             \
    KX_WIDE static void name##_vjp(kx_act act, size_t n, const float *seen, const float *dy,       \
                                   float *dx)                                                      \
    {                                                                                              \
        (void)act, (void)seen;                                                                     \
        for (size_t i = 0; i < n; i++)                                                             \
            dx[i] = (f)*dy[i];                                                                     \
    }

VALUE(none, x[i])
VALUE(relu, x[i] < 0 ? 0 : x[i])
VALUE(leaky, x[i] < 0 ? act.a * x[i] : x[i])
VALUE(clip, x[i]<act.a ? act.a : x[i]> act.b ? act.b : x[i])
VALUE(sigmoid, kx_sigmoid(x[i]))
VALUE(tanh, kx_tanh(x[i]))
VALUE(elu, x[i] < 0 ? act.a * (kx_exp(x[i]) - 1) : x[i])
VALUE(swish, x[i] * kx_sigmoid(act.a * x[i]))
VALUE(hardswish, hardswish(x[i]))
VALUE(hardsigmoid, hardsigmoid(act.a *x[i] + act.b))
VALUE(gelu, gelu(x[i]))
VALUE(gelu_tanh, gelu_tanh(x[i]))
VALUE(erf, kx_erf(x[i]))
VALUE(exp, kx_exp(x[i]))
VALUE(pow, powf(x[i], act.a))
VALUE(to_level, to_level(act, x[i]))
VALUE(level, rounded(x[i] / act.a))
VALUE(linear, act.a *x[i] + act.b)

/* seen is y, or x where kx_act_from_output() says so. */
SLOPE(none, 1)
SLOPE(relu, seen[i] > 0 ? 1.0f : 0.0f)
SLOPE(leaky, seen[i] > 0 ? 1 : act.a)
SLOPE(clip, seen[i] > act.a && seen[i] < act.b ? 1.0f : 0.0f)
SLOPE(sigmoid, seen[i] * (1 - seen[i]))
SLOPE(tanh, 1 - seen[i] * seen[i])
SLOPE(elu, seen[i] < 0 ? seen[i] + act.a : 1)
SLOPE(swish, swish_slope(seen[i], act.a))
SLOPE(hardswish, hardswish_slope(seen[i]))
SLOPE(hardsigmoid, seen[i] > 0 && seen[i] < 1 ? act.a : 0)
SLOPE(gelu, gelu_slope(seen[i]))
SLOPE(gelu_tanh, gelu_tanh_slope(seen[i]))
SLOPE(erf, 1.12837917f * kx_exp(-seen[i] * seen[i]))
SLOPE(exp, seen[i])
SLOPE(pow, pow_slope(seen[i], act.a))
SLOPE(to_level, to_level_slope(act, seen[i]))
SLOPE(level, 1 / act.a)
SLOPE(linear, act.a)

#define KERNELS(name)                                                                              \
    {                                                                                              \
        name##_value, name##_vjp                                                                   \
    }
static const struct {
    void (*value)(kx_act act, size_t n, const float *x, float *y);
    void (*vjp)(kx_act act, size_t n, const float *seen, const float *dy, float *dx);
} kernels[] = {
    [KX_ACT_NONE] = KERNELS(none),
    [KX_ACT_RELU] = KERNELS(relu),
    [KX_ACT_LEAKY] = KERNELS(leaky),
    [KX_ACT_CLIP] = KERNELS(clip),
    [KX_ACT_SIGMOID] = KERNELS(sigmoid),
    [KX_ACT_TANH] = KERNELS(tanh),
    [KX_ACT_ELU] = KERNELS(elu),
    [KX_ACT_SWISH] = KERNELS(swish),
    [KX_ACT_HARDSWISH] = KERNELS(hardswish),
    [KX_ACT_GELU] = KERNELS(gelu),
    [KX_ACT_GELU_TANH] = KERNELS(gelu_tanh),
    [KX_ACT_ERF] = KERNELS(erf),
    [KX_ACT_EXP] = KERNELS(exp),
    [KX_ACT_POW] = KERNELS(pow),
    [KX_ACT_ROUND8] = KERNELS(to_level),
    [KX_ACT_ROUND16] = KERNELS(to_level),
    [KX_ACT_LEVEL] = KERNELS(level),
    [KX_ACT_LINEAR] = KERNELS(linear),
    [KX_ACT_HARDSIGMOID] = KERNELS(hardsigmoid),
};

static inline size_t length_of(size_t at, size_t n)
{
    return n - at < PIECE ? n - at : PIECE;
}

void kx_act_forward(kx_act act, size_t n, const float *x, float *y)
{
    KX_SHARED(n >= KX_PARALLEL_FROM, for (size_t i = 0; i < n; i += PIECE) kernels[act.kind].value(
                                         act, length_of(i, n), x + i, y + i););
}

/* What rules of reversed networks do at rectifiers: only what is positive flows on; `open` ones let
 * everything pass. */
static void rectify(size_t n, const float *d, float *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = d[i] > 0 ? d[i] : 0;
}

void kx_act_vjp(kx_act act, int32_t rule, size_t n, const float *seen, const float *dy, float *dx)
{
    bool rectifier = act.kind == KX_ACT_RELU || act.kind == KX_ACT_CLIP;
    bool positive = rectifier && (rule == KLDVE_RULE_GUIDED || kx_rule_is_reversed(rule));
    bool open = rectifier && rule == KLDVE_RULE_DECONVOLUTION;

    KX_SHARED(
        n >= KX_PARALLEL_FROM, for (size_t i = 0; i < n; i += PIECE) {
            size_t length = length_of(i, n);

            kernels[open ? KX_ACT_NONE : act.kind].vjp(act, length, seen + i, dy + i, dx + i);
            if (positive)
                rectify(length, dx + i, dx + i);
        });
}

void kx_add(size_t n, const float *a, const float *b, float *out)
{
    KX_SHARED(n >= KX_PARALLEL_FROM, for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];);
}
