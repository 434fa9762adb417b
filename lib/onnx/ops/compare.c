/* compare.c - Equal, Less, Greater, LessOrEqual, GreaterOrEqual, And, Or, Xor, Not, IsNaN, IsInf,
 * Where.  Results are bool (uint8_t 0 or 1); only Where has a derivative:
 *
 *     y = c ? a : b,   da = sum of dy where c,   db = sum of dy where not c */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "binary.h"
#include "families.h"

KX_BINARY(equal_f32, float, float, uint8_t, x == y)
KX_BINARY(equal_i64, int64_t, int64_t, uint8_t, x == y)
KX_BINARY(equal_bool, uint8_t, uint8_t, uint8_t, x == y)
KX_BINARY(less_f32, float, float, uint8_t, x < y)
KX_BINARY(less_i64, int64_t, int64_t, uint8_t, x < y)
KX_BINARY(less_u64, uint64_t, uint64_t, uint8_t, x < y)
KX_BINARY(greater_f32, float, float, uint8_t, x > y)
KX_BINARY(greater_i64, int64_t, int64_t, uint8_t, x > y)
KX_BINARY(greater_u64, uint64_t, uint64_t, uint8_t, x > y)
KX_BINARY(less_equal_f32, float, float, uint8_t, x <= y)
KX_BINARY(less_equal_i64, int64_t, int64_t, uint8_t, x <= y)
KX_BINARY(less_equal_u64, uint64_t, uint64_t, uint8_t, x <= y)
KX_BINARY(greater_equal_f32, float, float, uint8_t, x >= y)
KX_BINARY(greater_equal_i64, int64_t, int64_t, uint8_t, x >= y)
KX_BINARY(greater_equal_u64, uint64_t, uint64_t, uint8_t, x >= y)
KX_BINARY(and_bool, uint8_t, uint8_t, uint8_t, (x) && (y))
KX_BINARY(or_bool, uint8_t, uint8_t, uint8_t, x || y)
KX_BINARY(xor_bool, uint8_t, uint8_t, uint8_t, !x != !y)

static const struct {
    const char *type;
    kx_binary_kernel *f32, *i64, *u64, *boolean; /* NULL: not for that type */
} kinds[] = {
    {"Equal", equal_f32, equal_i64, equal_i64, equal_bool},
    {"Less", less_f32, less_i64, less_u64, NULL},
    {"Greater", greater_f32, greater_i64, greater_u64, NULL},
    {"LessOrEqual", less_equal_f32, less_equal_i64, less_equal_u64, NULL},
    {"GreaterOrEqual", greater_equal_f32, greater_equal_i64, greater_equal_u64, NULL},
    {"And", NULL, NULL, NULL, and_bool},
    {"Or", NULL, NULL, NULL, or_bool},
    {"Xor", NULL, NULL, NULL, xor_bool},
};

static kx_binary_kernel *find_kernel(const char *type, const kx_value *v)
{
    size_t i = 0;

    while (strcmp(kinds[i].type, type) != 0) {
        i++;
        assert(i < sizeof kinds / sizeof kinds[0]); /* every entry below has its kind */
    }
    if (kx_is_float(v))
        return kinds[i].f32;
    if (v->dtype == KX_BOOL)
        return kinds[i].boolean;
    return v->onnx_type == KX_ONNX_UINT64 ? kinds[i].u64 : kinds[i].i64;
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 2, 2, 1);
    kx_binary_params *p;
    kx_shape out;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if ((st = kx_binary_same_type(g, n)) < 0 || (st = kx_binary_walk(g, n, p, &out)) < 0)
        return st;
    p->kernel = find_kernel(n->op->type, n->in[0]);
    if (!p->kernel)
        return kx_refuse(g, n, "the element type of the operands is not supported");
    return kx_out_as(g, n, 0, KX_BOOL, &out, KX_ONNX_BOOL);
}

/* ---- Not, IsNaN, IsInf ---------------------------------------------------------------------- */

static kldve_status infer_not(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);

    if (st < 0)
        return st;
    if (n->in[0]->dtype != KX_BOOL)
        return kx_invalid(g, n, "the input must be of type bool");
    return kx_out_as(g, n, 0, KX_BOOL, &n->in[0]->shape, KX_ONNX_BOOL);
}

static void forward_not(const kx_op_call *call)
{
    const uint8_t *x = call->in[0].data;
    uint8_t *y = call->out[0].data;

    for (size_t i = 0; i < call->in[0].count; i++)
        y[i] = !x[i];
}

/* Which infinities IsInf looks for. */
typedef struct isinf_params {
    bool negative, positive;
} isinf_params;

static kldve_status infer_is(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, 1, 1);
    isinf_params *p;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (!kx_is_float(n->in[0]))
        return kx_refuse(g, n, "the input must be of a float type");
    if (strcmp(n->op->type, "IsInf") == 0) {
        p->negative = kx_attr_int(n, "detect_negative", 1) != 0;
        p->positive = kx_attr_int(n, "detect_positive", 1) != 0;
    }
    return kx_out_as(g, n, 0, KX_BOOL, &n->in[0]->shape, KX_ONNX_BOOL);
}

static void forward_isnan(const kx_op_call *call)
{
    const float *x = call->in[0].data;
    uint8_t *y = call->out[0].data;

    for (size_t i = 0; i < call->in[0].count; i++)
        y[i] = (uint8_t)(isnan(x[i]) ? 1 : 0);
}

static void forward_isinf(const kx_op_call *call)
{
    const isinf_params *p = call->node->params;
    const float *x = call->in[0].data;
    uint8_t *y = call->out[0].data;

    for (size_t i = 0; i < call->in[0].count; i++)
        y[i] = isinf(x[i]) && (x[i] < 0 ? p->negative : p->positive);
}

/* ---- Where ---------------------------------------------------------------------------------- */

static kldve_status infer_where(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 3, 3, 1);
    kx_walk_params *p;
    kx_shape out;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)))
        return kx_nomem(g);
    if (n->in[0]->dtype != KX_BOOL)
        return kx_invalid(g, n, "the condition must be of type bool");
    if (n->in[1]->dtype != n->in[2]->dtype)
        return kx_invalid(g, n, "the operands have different types");
    if (!kx_broadcast(&n->in[0]->shape, &n->in[1]->shape, &out) ||
        !kx_broadcast(&out, &n->in[2]->shape, &out))
        return kx_invalid(g, n, "the shapes of the operands do not fit each other");
    kx_walk_init(&p->walk, &out);
    for (int32_t i = 0; i < 3; i++)
        kx_walk_broadcast(&p->walk, &n->in[i]->shape);
    kx_walk_pack(&p->walk);
    return kx_out_like(g, n, 0, n->in[1], &out);
}

#define WHERE_RUN(type)                                                                            \
    do {                                                                                           \
        const type *x = (const type *)call->in[1].data + r.at[1];                                  \
        const type *y = (const type *)call->in[2].data + r.at[2];                                  \
        type *to = (type *)call->out[0].data + r.out;                                              \
        for (int64_t i = 0; i < r.n; i++)                                                          \
            to[i] = c[i * r.step[0]] ? x[i * r.step[1]] : y[i * r.step[2]];                        \
    } while (0)

static void forward_where(const kx_op_call *call)
{
    const kx_walk_params *p = call->node->params;

    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r)) {
        const uint8_t *c = (const uint8_t *)call->in[0].data + r.at[0];

        if (call->out[0].dtype == KX_F32)
            WHERE_RUN(float);
        else if (call->out[0].dtype == KX_I64)
            WHERE_RUN(int64_t);
        else
            WHERE_RUN(uint8_t);
    }
}

static void vjp_where(const kx_op_call *call)
{
    const kx_walk_params *p = call->node->params;
    const uint8_t *c = call->in[0].data;
    const float *dy = call->dout[0].data;
    float *d = call->din->data;

    if (!dy || call->which == 0)
        return;
    for (kx_run r = kx_run_first(&p->walk); r.more; kx_run_next(&p->walk, &r))
        for (int64_t i = 0; i < r.n; i++)
            if ((c[r.at[0] + i * r.step[0]] != 0) == (call->which == 1))
                d[r.at[call->which] + i * r.step[call->which]] += dy[r.out + i];
}

#define COMPARE_AS(name, first, what)                                                              \
    {                                                                                              \
        .type = name, .since = first, .infer = infer, .forward = kx_binary_forward, .traits = {    \
            .bias = KX_BIAS_NONE,                                                                  \
            .local = KX_LOCAL_PLACE,                                                               \
            .formula = what,                                                                       \
            .alike = true                                                                          \
        }                                                                                          \
    }
#define COMPARE(name, first) COMPARE_AS(name, first, KX_FORMULA_OTHER)
const kx_op kx_compare_ops[] = {
    COMPARE_AS("Equal", 1, KX_FORMULA_EQUAL),
    COMPARE("Less", 1),
    COMPARE_AS("Greater", 1, KX_FORMULA_ABOVE),
    COMPARE("LessOrEqual", 12),
    COMPARE_AS("GreaterOrEqual", 12, KX_FORMULA_AT_LEAST),
    COMPARE("And", 1),
    COMPARE("Or", 1),
    COMPARE("Xor", 1),
    {.type = "Not",
     .since = 1,
     .infer = infer_not,
     .forward = forward_not,
     .traits = {.bias = KX_BIAS_NONE, .local = KX_LOCAL_PLACE}},
    {.type = "IsNaN",
     .since = 9,
     .infer = infer_is,
     .forward = forward_isnan,
     .traits = {.bias = KX_BIAS_NONE, .local = KX_LOCAL_PLACE}},
    {.type = "IsInf",
     .since = 10,
     .infer = infer_is,
     .forward = forward_isinf,
     .traits = {.bias = KX_BIAS_NONE, .local = KX_LOCAL_PLACE}},
    {.type = "Where",
     .since = 9,
     .infer = infer_where,
     .forward = forward_where,
     .vjp = vjp_where,
     .vjp_needs = KX_NEEDS_IN(0),
     .traits = {.bias = KX_BIAS_NONE,
                .local = KX_LOCAL_PLACE,
                .formula = KX_FORMULA_CHOICE,
                .alike = true}},
    {0},
};
