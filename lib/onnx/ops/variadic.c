/* variadic.c - Sum, Mean, Min, Max of any number of arrays, with broadcasting.
 *
 * The output starts as the first input, the others are folded into it one by one.  Where several
 * inputs share the extreme value of an element they share its cotangent evenly, as torch does. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "binary.h"
#include "families.h"

typedef struct kx_variadic_kind {
    const char *type;
    kx_binary_kernel *f32, *i64, *u64; /* out = f(out, in); NULL: not for that type */
} kx_variadic_kind;

/* The first NaN wins, as in numpy. */
KX_BINARY(sum_f32, float, float, float, x + y)
KX_BINARY(min_f32, float, float, float, y < x || (isnan(y) && !isnan(x)) ? y : x)
KX_BINARY(max_f32, float, float, float, y > x || (isnan(y) && !isnan(x)) ? y : x)
KX_BINARY(min_i64, int64_t, int64_t, int64_t, y < x ? y : x)
KX_BINARY(max_i64, int64_t, int64_t, int64_t, y > x ? y : x)
KX_BINARY(min_u64, uint64_t, uint64_t, uint64_t, y < x ? y : x)
KX_BINARY(max_u64, uint64_t, uint64_t, uint64_t, y > x ? y : x)

static const kx_variadic_kind sum = {"Sum", sum_f32, NULL, NULL};
static const kx_variadic_kind mean = {"Mean", sum_f32, NULL, NULL};
static const kx_variadic_kind min = {"Min", min_f32, min_i64, min_u64};
static const kx_variadic_kind max = {"Max", max_f32, max_i64, max_u64};

static kx_binary_kernel *kernel_for(const kx_variadic_kind *k, const kx_value *v)
{
    if (kx_is_float(v))
        return k->f32;
    if (v->dtype == KX_I64)
        return v->onnx_type == KX_ONNX_UINT64 ? k->u64 : k->i64;
    return NULL;
}

static const kx_variadic_kind *find_kind(const char *type)
{
    const kx_variadic_kind *kinds[] = {&sum, &mean, &min, &max};
    size_t i = 0;

    while (strcmp(kinds[i]->type, type) != 0) {
        i++;
        assert(i < sizeof kinds / sizeof kinds[0]); /* every entry below has its kind */
    }
    return kinds[i];
}

static kldve_status infer(kx_graph *g, kx_node *n)
{
    kldve_status st = kx_expect(g, n, 1, KX_MAX_IN, 1);
    kx_variadic_params *p;
    kx_shape out;

    if (st < 0)
        return st;
    if (!(p = n->params = kx_new(g, 1, sizeof *p)) ||
        !(p->walk = kx_new(g, (size_t)n->nin, sizeof *p->walk)))
        return kx_nomem(g);
    p->kind = find_kind(n->op->type);
    p->kernel = kernel_for(p->kind, n->in[0]);
    if (!p->kernel)
        return kx_refuse(g, n, "the element type of the operands is not supported");
    out = n->in[0]->shape;
    for (int32_t i = 0; i < n->nin; i++) {
        if (!n->in[i])
            return kx_invalid(g, n, "input %d is missing", i);
        if (n->in[i]->dtype != n->in[0]->dtype)
            return kx_invalid(g, n, "the operands have different types");
        if (!kx_broadcast(&out, &n->in[i]->shape, &out))
            return kx_invalid(g, n, "the shape of input %d does not fit the others", i);
    }
    for (int32_t i = 0; i < n->nin; i++) {
        kx_walk_init(&p->walk[i], &out);
        kx_walk_broadcast(&p->walk[i], &n->in[i]->shape);
        kx_walk_pack(&p->walk[i]);
    }
    return kx_out_like(g, n, 0, n->in[0], &out);
}

static void forward(const kx_op_call *call)
{
    const kx_variadic_params *p = call->node->params;
    size_t item = kx_dtype_size(call->out[0].dtype);
    char *y = call->out[0].data;

    kx_walk_copy(&p->walk[0], item, call->in[0].data, y);
    for (int32_t i = 1; i < call->node->nin; i++)
        for (kx_run r = kx_run_first(&p->walk[i]); r.more; kx_run_next(&p->walk[i], &r))
            p->kernel(r.n, y + (size_t)r.out * item, 1,
                      (const char *)call->in[i].data + (size_t)r.at[0] * item, r.step[0],
                      y + (size_t)r.out * item);
    if (p->kind == &mean)
        for (size_t i = 0; i < call->out[0].count; i++)
            ((float *)y)[i] /= (float)call->node->nin;
}

static void vjp_sum(const kx_op_call *call)
{
    const kx_variadic_params *p = call->node->params;
    float scale = p->kind == &mean ? 1.0f / (float)call->node->nin : 1.0f;

    if (call->dout[0].data)
        kx_walk_add(&p->walk[call->which], 0, scale, call->dout[0].data, call->din->data);
}

/* How many inputs have the extreme value, per element of the output. */
static void count_ties(const kx_node *n, const kx_tensor *in, const kx_tensor *out, float *ties)
{
    const kx_variadic_params *p = n->params;
    const float *y = out[0].data;

    memset(ties, 0, out[0].count * sizeof *ties);
    for (int32_t i = 0; i < n->nin; i++) {
        const float *x = in[i].data;

        for (kx_run r = kx_run_first(&p->walk[i]); r.more; kx_run_next(&p->walk[i], &r))
            for (int64_t k = 0; k < r.n; k++)
                ties[r.out + k] += x[r.at[0] + k * r.step[0]] == y[r.out + k] ? 1.0f : 0.0f;
    }
}

static void vjp_extreme(const kx_op_call *call)
{
    const kx_variadic_params *p = call->node->params;
    const kx_walk *w = &p->walk[call->which];
    const float *x = call->in[call->which].data, *y = call->out[0].data, *dy = call->dout[0].data;
    float *dx = call->din->data, *ties = call->scratch;

    if (!dy || !call->scratch)
        return;
    count_ties(call->node, call->in, call->out, ties);
    for (kx_run r = kx_run_first(w); r.more; kx_run_next(w, &r))
        for (int64_t k = 0; k < r.n; k++) {
            int64_t at = r.at[0] + k * r.step[0];

            if (x[at] == y[r.out + k])
                dx[at] += dy[r.out + k] / ties[r.out + k];
        }
}

static size_t scratch_extreme(const kx_node *n)
{
    return n->out[0] && kx_is_float(n->out[0]) ? n->out[0]->count * sizeof(float) : 0;
}

const kx_op kx_variadic_ops[] = {
    {.type = "Sum",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp_sum,
     .traits = {.effect = KX_EFFECT_ADDS,
                .bias = KX_BIAS_OPERAND,
                .local = KX_LOCAL_PLACE,
                .formula = KX_FORMULA_SUM}},
    {.type = "Mean",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp_sum,
     .traits = {.effect = KX_EFFECT_ADDS,
                .bias = KX_BIAS_OPERAND,
                .local = KX_LOCAL_PLACE,
                .formula = KX_FORMULA_MEAN}},
    {.type = "Min",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp_extreme,
     .vjp_needs = KX_NEEDS_ALL_IN | KX_NEEDS_OUT,
     .scratch_size = scratch_extreme,
     .traits = {.bias = KX_BIAS_NONE,
                .local = KX_LOCAL_PLACE,
                .formula = KX_FORMULA_SMALLER,
                .alike = true}},
    {.type = "Max",
     .since = 1,
     .infer = infer,
     .forward = forward,
     .vjp = vjp_extreme,
     .vjp_needs = KX_NEEDS_ALL_IN | KX_NEEDS_OUT,
     .scratch_size = scratch_extreme,
     .traits = {.effect = KX_EFFECT_MOVES,
                .bias = KX_BIAS_NONE,
                .local = KX_LOCAL_PLACE,
                .formula = KX_FORMULA_LARGER,
                .alike = true}},
    {0},
};
