/* binary.c - Add, Sub, Mul, Div, Pow, Mod, PRelu: elementwise of two arrays with broadcasting.
 *
 * Each kernel works on one run of a walk (walk.h), in which an operand either advances with the
 * output or stays.  A VJP is the elementwise derivative, summed over the axes that the operand was
 * broadcast along. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "binary.h"
#include "families.h"

/* ---- values --------------------------------------------------------------------------------- */

KX_BINARY(add_f32, float, float, float, x + y)
KX_BINARY(sub_f32, float, float, float, x - y)
KX_BINARY(mul_f32, float, float, float, (x) * (y))
KX_BINARY(div_f32, float, float, float, x / y)
KX_BINARY(pow_f32, float, float, float, powf(x, y))
KX_BINARY(pow_f32_i64, float, int64_t, float, (float)pow((double)x, (double)y))
KX_BINARY(fmod_f32, float, float, float, fmodf(x, y))
KX_BINARY(prelu_f32, float, float, float, x < 0.0f ? x * y : x)

/* Integers wrap, as everywhere; division by 0 gives 0, since forward() cannot fail. */
static inline int64_t div_int1(int64_t x, int64_t y)
{
    if (y == 0)
        return 0;
    return y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
}

static inline int64_t div_uint1(int64_t x, int64_t y)
{
    return y == 0 ? 0 : (int64_t)((uint64_t)x / (uint64_t)y);
}

/* The sign of the divisor, as in Python. */
static inline int64_t mod_int1(int64_t x, int64_t y)
{
    int64_t r;

    if (y == 0 || y == -1)
        return 0;
    r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

/* The sign of the dividend, as in C. */
static inline int64_t fmod_int1(int64_t x, int64_t y)
{
    return y == 0 || y == -1 ? 0 : x % y;
}

static inline int64_t mod_uint1(int64_t x, int64_t y)
{
    return y == 0 ? 0 : (int64_t)((uint64_t)x % (uint64_t)y);
}

/* By squaring, modulo 2^64; negative exponents leave 0 except of 1 and -1. */
static inline int64_t pow_int1(int64_t x, int64_t y)
{
    uint64_t base = (uint64_t)x, result = 1;

    if (y < 0)
        return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
    for (; y > 0; y >>= 1, base *= base)
        if (y & 1)
            result *= base;
    return (int64_t)result;
}

KX_BINARY(add_i64, int64_t, int64_t, int64_t, (int64_t)((uint64_t)x + (uint64_t)y))
KX_BINARY(sub_i64, int64_t, int64_t, int64_t, (int64_t)((uint64_t)x - (uint64_t)y))
KX_BINARY(mul_i64, int64_t, int64_t, int64_t, (int64_t)((uint64_t)x *(uint64_t)y))
KX_BINARY(div_i64, int64_t, int64_t, int64_t, div_int1(x, y))
KX_BINARY(div_u64, int64_t, int64_t, int64_t, div_uint1(x, y))
KX_BINARY(mod_i64, int64_t, int64_t, int64_t, mod_int1(x, y))
KX_BINARY(mod_u64, int64_t, int64_t, int64_t, mod_uint1(x, y))
KX_BINARY(fmod_i64, int64_t, int64_t, int64_t, fmod_int1(x, y))
KX_BINARY(pow_i64, int64_t, int64_t, int64_t, pow_int1(x, y))
KX_BINARY(pow_i64_f32, int64_t, float, int64_t, kx_float_to_int(pow((double)x, (double)y)))

/* ---- derivatives: d[i] += dy * partial; a is x[i], b is y[i], NULL where not announced ------- */

#define VJP(name, partial)                                                                         \
    static void name(int64_t n, const float *a, int64_t sa, const float *b, int64_t sb,            \
                     const float *dy, float *d, int64_t sd)                                        \
    {                                                                                              \
        double sum = 0;                                                                            \
                                                                                                   \
        (void)a, (void)sa, (void)b, (void)sb;                                                      \
        if (sd == 0) {                                                                             \
            for (int64_t i = 0; i < n; i++)                                                        \
                sum += dy[i] * (partial);                                                          \
            *d += (float)sum;                                                                      \
            return;                                                                                \
        }                                                                                          \
        for (int64_t i = 0; i < n; i++)                                                            \
            d[i] += dy[i] * (partial);                                                             \
    }
#define X a[i * sa]
#define Y b[i * sb]

/* x^y at x = 0: the slope in y is 0 (as torch has it), not 0 * log 0. */
static inline float pow_dx(float x, float y)
{
    return y == 0.0f ? 0.0f : y * powf(x, y - 1.0f);
}

static inline float pow_dy(float x, float y)
{
    return x == 0.0f && y >= 0.0f ? 0.0f : powf(x, y) * logf(x);
}

VJP(one, 1.0f)
VJP(minus_one, -1.0f)
VJP(is_x, X)
VJP(is_y, Y)
VJP(div_x, 1.0f / Y)
VJP(div_y, -X / (Y * Y))
VJP(pow_x, pow_dx(X, Y))
VJP(pow_y, pow_dy(X, Y))
VJP(fmod_y, -truncf(X / Y))
VJP(prelu_x, X > 0.0f ? 1.0f : Y)
VJP(prelu_y, X > 0.0f ? 0.0f : X)

typedef void partial_sum(int64_t n, const float *a, int64_t sa, const float *b, int64_t sb,
                         const float *dy, float *d, int64_t sd);

struct kx_binary_kind {
    const char *type;
    kx_binary_kernel *f32, *i64, *u64; /* NULL: not for that type */
    partial_sum *dx, *dy;
    bool divides;
};

static const struct kx_binary_kind kinds[] = {
    {"Add", add_f32, add_i64, add_i64, one, one, false},
    {"Sub", sub_f32, sub_i64, sub_i64, one, minus_one, false},
    {"Mul", mul_f32, mul_i64, mul_i64, is_y, is_x, false},
    {"Div", div_f32, div_i64, div_u64, div_x, div_y, true},
    {"Pow", pow_f32, pow_i64, NULL, pow_x, pow_y, false},
    {"Mod", fmod_f32, mod_i64, mod_u64, one, fmod_y, true},
    {"PRelu", prelu_f32, NULL, NULL, prelu_x, prelu_y, false},
};

/* ---- the operators --------------------------------------------------------------------------- */

static const struct kx_binary_kind *find_kind(const char *type)
{
    size_t i = 0;

    while (strcmp(kinds[i].type, type) != 0) {
        i++;
        assert(i < sizeof kinds / sizeof kinds[0]); /* every entry below has its kind */
    }
    return &kinds[i];
}

kldve_status kx_binary_same_type(kx_graph *g, kx_node *n)
{
    if (n->in[0]->dtype != n->in[1]->dtype)
        return kx_invalid(g, n, "the operands have different types");
    return KLDVE_OK;
}

/* Before opset 7 an operand with fewer axes was aligned where `axis` says, or at the end, and only
 * if `broadcast` allowed it. */
static kldve_status align_old(kx_graph *g, kx_node *n, kx_shape *b)
{
    const kx_shape *x = &n->in[0]->shape, *y = &n->in[1]->shape;
    int64_t broadcast = kx_attr_int(n, "broadcast", 0);
    int64_t axis = kx_attr_int(n, "axis", x->rank - y->rank);

    if (axis < 0)
        axis += x->rank;
    if (axis < 0 || axis > x->rank - y->rank)
        return kx_invalid(g, n, "axis %lld does not place rank %d within rank %d", (long long)axis,
                          y->rank, x->rank);
    if (!broadcast && x->rank != y->rank)
        return kx_invalid(g, n, "the operands have rank %d and %d, but attribute 'broadcast' is 0",
                          x->rank, y->rank);
    b->rank = x->rank - (int32_t)axis;
    for (int32_t i = 0; i < b->rank; i++)
        b->dim[i] = i < y->rank ? y->dim[i] : 1;
    return KLDVE_OK;
}

static void set_walk(kx_binary_params *p, const kx_shape *a, const kx_shape *out)
{
    kx_walk_init(&p->walk, out);
    kx_walk_broadcast(&p->walk, a);
    kx_walk_broadcast(&p->walk, &p->b);
    kx_walk_pack(&p->walk);
}

kldve_status kx_binary_walk(kx_graph *g, kx_node *n, kx_binary_params *p, kx_shape *out)
{
    kldve_status st;

    p->b = n->in[1]->shape;
    if (g->opset < 7 && (st = align_old(g, n, &p->b)) < 0)
        return st;
    if (!kx_broadcast(&n->in[0]->shape, &p->b, out))
        return kx_invalid(g, n, "the shapes of the operands do not fit each other");
    set_walk(p, &n->in[0]->shape, out);
    return KLDVE_OK;
}

static bool has_zero(kx_graph *g, const kx_value *v)
{
    const int64_t *x = kx_value_ints(g, v);

    for (size_t i = 0; x && i < v->count; i++)
        if (x[i] == 0)
            return true;
    return false;
}

/* Two operands; the parameters with their kind, nothing else yet. */
static kldve_status start(kx_graph *g, kx_node *n, kx_binary_params **out)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    kx_binary_params *p;

    if (st < 0)
        return st;
    if (!(p = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    p->kind = find_kind(n->op->type);
    n->params = *out = p;
    return KLDVE_OK;
}

static kx_binary_kernel *kernel_for(const struct kx_binary_kind *k, const kx_value *v)
{
    if (kx_is_float(v))
        return k->f32;
    if (v->dtype == KX_I64)
        return v->onnx_type == KX_ONNX_UINT64 ? k->u64 : k->i64;
    return NULL;
}

static kldve_status finish(kx_graph *g, kx_node *n, kx_binary_params *p)
{
    kldve_status st;
    kx_shape out;

    if (!p->kernel)
        return kx_refuse(g, n, "the element type of the operands is not supported");
    if ((st = kx_binary_walk(g, n, p, &out)) < 0)
        return st;
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kx_binary_params *p = NULL;
    kldve_status st = start(g, n, &p);

    if (st < 0 || (st = kx_binary_same_type(g, n)) < 0)
        return st;
    p->kernel = kernel_for(p->kind, n->in[0]);
    if (p->kind->divides && n->in[1]->raw && has_zero(g, n->in[1]))
        return kx_invalid(g, n, "division of integers by a constant 0");
    return finish(g, n, p);
}

static kldve_status infer_mod(kx_graph *g, kx_node *n)
{
    int64_t fmod = kx_attr_int(n, "fmod", 0);
    kldve_status st = infer(g, n);
    kx_binary_params *p = n->params;

    if (st < 0)
        return st;
    if (!fmod && kx_is_float(n->in[0]))
        return g->opset < 28 ? kx_invalid(g, n, "operands of a float type need fmod=1")
                             : kx_refuse(g, n, "fmod=0 is supported for integers only");
    if (fmod && p->kernel == mod_i64)
        p->kernel = fmod_i64;
    return KLDVE_OK;
}

/* The one operator whose operands may have different types; the result has that of the first. */
static kldve_status infer_pow(kx_graph *g, kx_node *n)
{
    kx_binary_params *p = NULL;
    kldve_status st = start(g, n, &p);

    if (st < 0)
        return st;
    p->kernel = kernel_for(p->kind, n->in[0]);
    if (n->in[1]->dtype == KX_BOOL)
        p->kernel = NULL;
    else if (n->in[0]->dtype != n->in[1]->dtype)
        p->kernel = kx_is_float(n->in[0]) ? pow_f32_i64 : pow_i64_f32;
    return finish(g, n, p);
}

/* The slope is broadcast to the input, never the other way; before opset 7 it has one element, or
 * one per channel. */
static kldve_status infer_prelu(kx_graph *g, kx_node *n)
{
    kx_binary_params *p = NULL;
    kldve_status st = start(g, n, &p);
    const kx_shape *x;
    kx_shape fits;

    if (st < 0 || (st = kx_binary_same_type(g, n)) < 0)
        return st;
    x = &n->in[0]->shape;
    p->b = n->in[1]->shape;
    if (g->opset < 7 && p->b.rank == 1 && x->rank > 1) {
        p->b.rank = x->rank - 1;
        for (int32_t i = 1; i < p->b.rank; i++)
            p->b.dim[i] = 1;
    }
    p->kernel = kernel_for(p->kind, n->in[0]);
    if (!p->kernel)
        return kx_refuse(g, n, "the element type of the operands is not supported");
    if (!kx_broadcast(x, &p->b, &fits) || !kx_same_shape(&fits, x))
        return kx_invalid(g, n, "the slope does not fit the input's shape");
    set_walk(p, x, x);
    return kx_out_like(g, n, 0, n->in[0], x);
}

void kx_binary_forward(const kx_op_call *call)
{
    const kx_binary_params *p = call->node->params;
    size_t a = kx_dtype_size(call->in[0].dtype), b = kx_dtype_size(call->in[1].dtype);
    size_t item = kx_dtype_size(call->out[0].dtype);

    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        p->kernel(r.n, (const char *)call->in[0].data + (size_t)r.at[0] * a, r.step[0],
                  (const char *)call->in[1].data + (size_t)r.at[1] * b, r.step[1],
                  (char *)call->out[0].data + (size_t)r.out * item);
    if (call->out[0].dtype == KX_I64)
        kx_wrap_all(call->node->in[0]->onnx_type, call->out[0].data, call->out[0].count);
}

static void vjp(const kx_op_call *call)
{
    const kx_binary_params *p = call->node->params;
    partial_sum *partial = call->which == 0 ? p->kind->dx : p->kind->dy;
    const float *dy = call->dout[0].data;
    float *d = call->din->data;

    if (!dy)
        return;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        partial(r.n, kx_at(&call->in[0], r.at[0]), r.step[0], kx_at(&call->in[1], r.at[1]),
                r.step[1], dy + r.out, d + r.at[call->which], r.step[call->which]);
}

/* An integer exponent has no derivative, but its base has. */
static void vjp_pow(const kx_op_call *call)
{
    const kx_binary_params *p = call->node->params;
    const float *x = call->in[0].data, *dy = call->dout[0].data;
    const int64_t *y = call->in[1].data;
    float *d = call->din->data;

    if (p->kernel != pow_f32_i64) {
        vjp(call);
        return;
    }
    if (!dy || call->which != 0)
        return;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++)
            d[r.at[0] + i * r.step[0]] += dy[r.out + i] * pow_dx(x[r.at[0] + i * r.step[0]],
                                                                 (float)y[r.at[1] + i * r.step[1]]);
}

#define BOTH (KX_NEEDS_IN(0) | KX_NEEDS_IN(1))
/* Further traits follow. */
#define ELEMENTWISE(name, from, shapes, backward, needs, ...)                                      \
    {                                                                                              \
        .type = name, .since = from, .infer = shapes, .forward = kx_binary_forward,                \
        .vjp = backward, .vjp_needs = needs, .traits = {                                           \
            .local = KX_LOCAL_PLACE,                                                               \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

const kx_op kx_binary_ops[] = {
    ELEMENTWISE("Add", 1, infer, vjp, 0, .effect = KX_EFFECT_ADDS, .bias = KX_BIAS_OPERAND,
                .formula = KX_FORMULA_SUM, .alike = true),
    ELEMENTWISE("Sub", 1, infer, vjp, 0, .effect = KX_EFFECT_ADDS, .bias = KX_BIAS_OPERAND,
                .formula = KX_FORMULA_DIFFERENCE, .alike = true),
    ELEMENTWISE("Mul", 1, infer, vjp, BOTH, .effect = KX_EFFECT_MULTIPLIES, .bias = KX_BIAS_NONE,
                .formula = KX_FORMULA_PRODUCT, .alike = true),
    ELEMENTWISE("Div", 1, infer, vjp, BOTH, .effect = KX_EFFECT_DIVIDES, .bias = KX_BIAS_NONE,
                .formula = KX_FORMULA_QUOTIENT),
    ELEMENTWISE("Pow", 1, infer_pow, vjp_pow, BOTH, .bias = KX_BIAS_NONE),
    ELEMENTWISE("Mod", 10, infer_mod, vjp, BOTH, .bias = KX_BIAS_NONE),
    ELEMENTWISE("PRelu", 1, infer_prelu, vjp, BOTH, .effect = KX_EFFECT_ACTIVATES,
                .bias = KX_BIAS_NONE),
    {0},
};
