/* unary.c - elementwise functions of one array, value and derivative side by side.
 *
 * Definitions: ONNX operator specification.  Each line of the tables below holds y = f(x) and
 * dy/dx, the latter in terms of x[i] or y[i]; what it reads is what the operator's entry announces
 * in vjp_needs.  At a kink the derivative is the one of the side that torch takes. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "basic.h"
#include "families.h"

struct kx_unary_kind {
    const char *type;
    void (*value)(const kx_unary_params *p, size_t n, const float *x, float *y);
    void (*vjp)(const kx_unary_params *p, size_t n, const float *x, const float *y, const float *dy,
                float *dx);
    void (*ints)(size_t n, const int64_t *x, int64_t *y); /* NULL: float only */
    const char *alpha, *beta;                             /* attributes, NULL: none */
    float default_alpha, default_beta;
};

#define UNARY(name, f, df)                                                                         \
    static void name##_value(const kx_unary_params *p, size_t n, const float *x, float *y)         \
    {                                                                                              \
        (void)p;                                                                                   \
        for (size_t i = 0; i < n; i++)                                                             \
            y[i] = f;                                                                              \
    }                                                                                              \
    static void name##_vjp(const kx_unary_params *p, size_t n, const float *x, const float *y,     \
                           const float *dy, float *dx)                                             \
    {                                                                                              \
        (void)p, (void)x, (void)y;                                                                 \
        for (size_t i = 0; i < n; i++)                                                             \
            dx[i] += dy[i] * (df);                                                                 \
    }

#define UNARY_INT(name, f)                                                                         \
    static void name##_int(size_t n, const int64_t *x, int64_t *y)                                 \
    {                                                                                              \
        for (size_t i = 0; i < n; i++)                                                             \
            y[i] = f;                                                                              \
    }

#define SQRT_HALF 0.70710678118654752f
#define SQRT_2_OVER_PI 0.79788456080286536f
#define INV_SQRT_2PI 0.39894228040143268f
#define TWO_OVER_SQRT_PI 1.1283791670955126f

/* ---- rectifiers.  x < 0 ? 0 : x keeps NaN --------------------------------------------------- */

UNARY(relu, (x[i] < 0.0f) ? 0.0f : x[i], (y[i] > 0.0f) ? 1.0f : 0.0f)
UNARY(leaky, (x[i] < 0.0f) ? (x[i] * p->alpha) : x[i], (x[i] > 0.0f) ? 1.0f : p->alpha)
UNARY(thresholded, x[i] <= p->alpha ? 0.0f : x[i], x[i] <= p->alpha ? 0.0f : 1.0f)
UNARY(elu, x[i] < 0.0f ? p->alpha * expm1f(x[i]) : x[i], x[i] < 0.0f ? p->alpha * expf(x[i]) : 1.0f)
UNARY(selu, (x[i] < 0.0f ? p->alpha * expm1f(x[i]) : x[i]) * p->beta,
      (x[i] < 0.0f ? p->alpha * expf(x[i]) : 1.0f) * p->beta)
UNARY(celu, x[i] < 0.0f ? p->alpha * expm1f(x[i] / p->alpha) : x[i],
      x[i] < 0.0f ? expf(x[i] / p->alpha) : 1.0f)

/* Towards 0 by beta, and 0 within alpha of it. */
static inline float shrink1(float x, float alpha, float beta)
{
    if (x < -alpha)
        return x + beta;
    return x > alpha ? x - beta : 0.0f;
}

UNARY(shrink, shrink1(x[i], p->alpha, p->beta), fabsf(x[i]) > p->alpha ? 1.0f : 0.0f)

/* ---- sigmoids ------------------------------------------------------------------------------- */

static inline float sigmoid1(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static inline float softplus1(float x)
{
    return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x)));
}

/* d/dx x tanh(s) with s = softplus(x), s' = sigmoid(x) */
static inline float mish_slope(float x)
{
    float t = tanhf(softplus1(x));

    return t + x * (1.0f - t * t) * sigmoid1(x);
}

/* alpha 0: x Phi(x).  alpha 1: 0.5 x (1 + tanh u), u = sqrt(2/pi) (x + 0.044715 x^3). */
static inline float gelu1(float x, float alpha)
{
    if (alpha == 0.0f)
        return 0.5f * x * (1.0f + erff(x * SQRT_HALF));
    return 0.5f * x * (1.0f + tanhf(SQRT_2_OVER_PI * (x + 0.044715f * x * x * x)));
}

static inline float gelu_slope(float x, float alpha)
{
    float t, du;

    if (alpha == 0.0f)
        return 0.5f * (1.0f + erff(x * SQRT_HALF)) + x * INV_SQRT_2PI * expf(-0.5f * x * x);
    t = tanhf(SQRT_2_OVER_PI * (x + 0.044715f * x * x * x));
    du = SQRT_2_OVER_PI * (1.0f + 3.0f * 0.044715f * x * x);
    return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * du;
}

static inline float clamp01(float x)
{
    return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
}

UNARY(sigmoid, sigmoid1(x[i]), y[i] * (1.0f - y[i]))
UNARY(hard_sigmoid, clamp01(p->alpha *x[i] + p->beta), y[i] > 0.0f && y[i] < 1.0f ? p->alpha : 0.0f)
UNARY(hard_swish, x[i] * clamp01(x[i] / 6.0f + 0.5f),
      x[i] <= -3.0f  ? 0.0f
      : x[i] >= 3.0f ? 1.0f
                     : x[i] / 3.0f + 0.5f)
UNARY(softplus, softplus1(x[i]), sigmoid1(x[i]))
UNARY(softsign, x[i] / (1.0f + fabsf(x[i])), 1.0f / ((1.0f + fabsf(x[i])) * (1.0f + fabsf(x[i]))))
UNARY(mish, x[i] * tanhf(softplus1(x[i])), mish_slope(x[i]))
UNARY(gelu, gelu1(x[i], p->alpha), gelu_slope(x[i], p->alpha))
UNARY(erf, erff(x[i]), TWO_OVER_SQRT_PI *expf(-x[i] * x[i]))

/* ---- the rest of a pocket calculator -------------------------------------------------------- */

static inline float sign1(float x)
{
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
}

UNARY(exp, expf(x[i]), y[i])
UNARY(log, logf(x[i]), 1.0f / x[i])
UNARY(sqrt, sqrtf(x[i]), 0.5f / y[i])
UNARY(abs, fabsf(x[i]), sign1(x[i]))
UNARY(neg, -x[i], -1.0f)
UNARY(reciprocal, 1.0f / x[i], -y[i] * y[i])
UNARY(sign, sign1(x[i]), 0.0f)
UNARY(floor, floorf(x[i]), 0.0f)
UNARY(ceil, ceilf(x[i]), 0.0f)
UNARY(round, nearbyintf(x[i]), 0.0f) /* halves to even */
UNARY(sin, sinf(x[i]), cosf(x[i]))
UNARY(cos, cosf(x[i]), -sinf(x[i]))
UNARY(tan, tanf(x[i]), 1.0f + y[i] * y[i])
UNARY(asin, asinf(x[i]), 1.0f / sqrtf(1.0f - x[i] * x[i]))
UNARY(acos, acosf(x[i]), -1.0f / sqrtf(1.0f - x[i] * x[i]))
UNARY(atan, atanf(x[i]), 1.0f / (1.0f + x[i] * x[i]))
UNARY(sinh, sinhf(x[i]), coshf(x[i]))
UNARY(cosh, coshf(x[i]), sinhf(x[i]))
UNARY(tanh, tanhf(x[i]), 1.0f - y[i] * y[i])
UNARY(asinh, asinhf(x[i]), 1.0f / sqrtf(1.0f + x[i] * x[i]))
UNARY(acosh, acoshf(x[i]), 1.0f / sqrtf(x[i] * x[i] - 1.0f))
UNARY(atanh, atanhf(x[i]), 1.0f / (1.0f - x[i] * x[i]))

/* The smallest integer has no opposite: it stays, as in two's complement. */
UNARY_INT(relu, x[i] < 0 ? 0 : x[i])
UNARY_INT(abs, x[i] < 0 ? (int64_t)(0 - (uint64_t)x[i]) : x[i])
UNARY_INT(neg, (int64_t)(0 - (uint64_t)x[i]))
UNARY_INT(sign, (x[i] > 0) - (x[i] < 0))

#define KIND(t, name) .type = t, .value = name##_value, .vjp = name##_vjp
static const struct kx_unary_kind kinds[] = {
    {KIND("Relu", relu), .ints = relu_int},
    {KIND("LeakyRelu", leaky), .alpha = "alpha", .default_alpha = 0.01f},
    {KIND("ThresholdedRelu", thresholded), .alpha = "alpha", .default_alpha = 1},
    {KIND("Elu", elu), .alpha = "alpha", .default_alpha = 1},
    {KIND("Selu", selu), .alpha = "alpha", .default_alpha = 1.67326319217681884765625f,
     .beta = "gamma", .default_beta = 1.05070102214813232421875f},
    {KIND("Celu", celu), .alpha = "alpha", .default_alpha = 1},
    {KIND("Shrink", shrink), .alpha = "lambd", .default_alpha = 0.5f, .beta = "bias"},
    {KIND("Sigmoid", sigmoid)},
    {KIND("HardSigmoid", hard_sigmoid), .alpha = "alpha", .default_alpha = 0.2f, .beta = "beta",
     .default_beta = 0.5f},
    {KIND("HardSwish", hard_swish)},
    {KIND("Softplus", softplus)},
    {KIND("Softsign", softsign)},
    {KIND("Mish", mish)},
    {KIND("Gelu", gelu)},
    {KIND("Erf", erf)},
    {KIND("Exp", exp)},
    {KIND("Log", log)},
    {KIND("Sqrt", sqrt)},
    {KIND("Abs", abs), .ints = abs_int},
    {KIND("Neg", neg), .ints = neg_int},
    {KIND("Reciprocal", reciprocal)},
    {KIND("Sign", sign), .ints = sign_int},
    {KIND("Floor", floor)},
    {KIND("Ceil", ceil)},
    {KIND("Round", round)},
    {KIND("Sin", sin)},
    {KIND("Cos", cos)},
    {KIND("Tan", tan)},
    {KIND("Asin", asin)},
    {KIND("Acos", acos)},
    {KIND("Atan", atan)},
    {KIND("Sinh", sinh)},
    {KIND("Cosh", cosh)},
    {KIND("Tanh", tanh)},
    {KIND("Asinh", asinh)},
    {KIND("Acosh", acosh)},
    {KIND("Atanh", atanh)},
};

/* ---- the operator --------------------------------------------------------------------------- */

static const struct kx_unary_kind *find_kind(const char *type)
{
    size_t i = 0;

    while (strcmp(kinds[i].type, type) != 0) {
        i++;
        assert(i < sizeof kinds / sizeof kinds[0]); /* every entry below has its kind */
    }
    return &kinds[i];
}

/* Before opset 6 Selu's alpha was given with fewer digits, and so were the defaults. */
static void defaults(const kx_graph *g, const struct kx_unary_kind *k, kx_unary_params *p)
{
    p->alpha = k->default_alpha;
    p->beta = k->default_beta;
    if (g->opset < 6 && k->value == selu_value) {
        p->alpha = 1.6732f;
        p->beta = 1.0507f;
    }
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    kx_unary_params *p;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    p->kind = find_kind(n->op->type);
    if (!kx_is_float(n->in[0]) && !(p->kind->ints && n->in[0]->dtype == KX_I64))
        return kx_refuse(g, n, "the input must be of a float type");
    defaults(g, p->kind, p);
    if (p->kind->alpha)
        p->alpha = kx_attr_float(n, p->kind->alpha, p->alpha);
    if (p->kind->beta)
        p->beta = kx_attr_float(n, p->kind->beta, p->beta);
    if (p->kind->value == celu_value && !(p->alpha > 0.0f))
        return kx_refuse(g, n, "alpha must be above 0");
    return kx_out_like(g, n, 0, n->in[0], &n->in[0]->shape);
}

static kldve_status infer_gelu(kx_graph *g, kx_node *n)
{
    const char *approximate = kx_attr_string(n, "approximate", "none");
    kldve_status st = infer(g, n);

    if (st < 0)
        return st;
    if (strcmp(approximate, "none") != 0 && strcmp(approximate, "tanh") != 0)
        return kx_invalid(g, n, "approximate '%.40s' is neither none nor tanh", approximate);
    ((kx_unary_params *)n->params)->alpha = strcmp(approximate, "tanh") == 0;
    return KLDVE_OK;
}

enum { PIECE = 1 << 16 /* elements between two looks at the pace */ };

static size_t piece(size_t at, size_t count)
{
    return count - at < PIECE ? count - at : PIECE;
}

static void forward(const kx_op_call *call)
{
    const kx_unary_params *p = call->node->params;
    size_t count = call->in[0].count;

    if (call->in[0].dtype == KX_F32) {
        for (size_t at = 0; at < count && !kx_stops(call->pace, PIECE); at += PIECE)
            p->kind->value(p, piece(at, count), (const float *)call->in[0].data + at,
                           (float *)call->out[0].data + at);
        return;
    }
    p->kind->ints(call->in[0].count, call->in[0].data, call->out[0].data);
    kx_wrap_all(call->node->in[0]->onnx_type, call->out[0].data, call->out[0].count);
}

static void vjp(const kx_op_call *call)
{
    const kx_unary_params *p = call->node->params;
    const float *x = call->in[0].data, *y = call->out[0].data, *dy = call->dout[0].data;
    size_t count = dy ? call->din->count : 0;

    for (size_t at = 0; at < count && !kx_stops(call->pace, PIECE); at += PIECE)
        p->kind->vjp(p, piece(at, count), x ? x + at : NULL, y ? y + at : NULL, dy + at,
                     (float *)call->din->data + at);
}

#define ENTRY(name, first, needs, how, what)                                                       \
    {                                                                                              \
        .type = name, .since = first, .infer = infer, .forward = forward, .vjp = vjp,              \
        .vjp_needs = needs, .traits = {                                                            \
            .effect = how,                                                                         \
            .bias = KX_BIAS_NONE,                                                                  \
            .local = KX_LOCAL_PLACE,                                                               \
            .formula = what                                                                        \
        }                                                                                          \
    }
#define FUNCTION(name, first, needs) FORMULA(name, first, needs, KX_FORMULA_OTHER)
#define FORMULA(name, first, needs, what) ENTRY(name, first, needs, KX_EFFECT_OTHER, what)
#define ACTIVATION(name, first, needs)                                                             \
    ENTRY(name, first, needs, KX_EFFECT_ACTIVATES, KX_FORMULA_OTHER)

const kx_op kx_unary_ops[] = {
    ACTIVATION("Relu", 1, KX_NEEDS_OUT),
    ACTIVATION("LeakyRelu", 1, KX_NEEDS_IN(0)),
    ACTIVATION("ThresholdedRelu", 10, KX_NEEDS_IN(0)),
    ACTIVATION("Elu", 1, KX_NEEDS_IN(0)),
    ACTIVATION("Selu", 1, KX_NEEDS_IN(0)),
    ACTIVATION("Celu", 12, KX_NEEDS_IN(0)),
    FUNCTION("Shrink", 9, KX_NEEDS_IN(0)),
    {.type = "Sigmoid",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = KX_NEEDS_OUT,
     .traits = {.effect = KX_EFFECT_ACTIVATES,
                .bias = KX_BIAS_NONE,
                .local = KX_LOCAL_PLACE,
                .formula = KX_FORMULA_LOGISTIC,
                .unit_interval = true}},
    {.type = "HardSigmoid",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = KX_NEEDS_OUT,
     .traits = {.effect = KX_EFFECT_ACTIVATES,
                .bias = KX_BIAS_NONE,
                .local = KX_LOCAL_PLACE,
                .unit_interval = true}},
    ACTIVATION("HardSwish", 14, KX_NEEDS_IN(0)),
    ENTRY("Softplus", 1, KX_NEEDS_IN(0), KX_EFFECT_ACTIVATES, KX_FORMULA_SOFTPLUS),
    ACTIVATION("Softsign", 1, KX_NEEDS_IN(0)),
    ACTIVATION("Mish", 18, KX_NEEDS_IN(0)),
    {.type = "Gelu",
     .since = 20,
     .infer = infer_gelu,
     .forward = forward,
     .vjp = vjp,
     .vjp_needs = KX_NEEDS_IN(0),
     .traits = {.effect = KX_EFFECT_ACTIVATES, .bias = KX_BIAS_NONE, .local = KX_LOCAL_PLACE}},
    FUNCTION("Erf", 9, KX_NEEDS_IN(0)),
    FORMULA("Exp", 1, KX_NEEDS_OUT, KX_FORMULA_EXP),
    FORMULA("Log", 1, KX_NEEDS_IN(0), KX_FORMULA_LOG),
    FUNCTION("Sqrt", 1, KX_NEEDS_OUT),
    FUNCTION("Abs", 1, KX_NEEDS_IN(0)),
    FORMULA("Neg", 1, 0, KX_FORMULA_NEGATIVE),
    FORMULA("Reciprocal", 1, KX_NEEDS_OUT, KX_FORMULA_RECIPROCAL),
    FUNCTION("Sign", 9, 0),
    FUNCTION("Floor", 1, 0),
    FUNCTION("Ceil", 1, 0),
    FUNCTION("Round", 11, 0),
    FUNCTION("Sin", 7, KX_NEEDS_IN(0)),
    FUNCTION("Cos", 7, KX_NEEDS_IN(0)),
    FUNCTION("Tan", 7, KX_NEEDS_OUT),
    FUNCTION("Asin", 7, KX_NEEDS_IN(0)),
    FUNCTION("Acos", 7, KX_NEEDS_IN(0)),
    FUNCTION("Atan", 7, KX_NEEDS_IN(0)),
    FUNCTION("Sinh", 9, KX_NEEDS_IN(0)),
    FUNCTION("Cosh", 9, KX_NEEDS_IN(0)),
    ENTRY("Tanh", 1, KX_NEEDS_OUT, KX_EFFECT_ACTIVATES, KX_FORMULA_TANH),
    FUNCTION("Asinh", 9, KX_NEEDS_IN(0)),
    FUNCTION("Acosh", 9, KX_NEEDS_IN(0)),
    FUNCTION("Atanh", 9, KX_NEEDS_IN(0)),
    {0},
};
