/* contrib.c - what ONNX Runtime's optimiser makes of ordinary operators (domain com.microsoft),
 * taken apart again: fused convolutions and matrix products, Gelu with its bias, normalisations
 * with their skip. What each means: ContribOperators.md of ONNX Runtime.  Attention is in
 * contrib_attention.c, quantised operators are elsewhere. */
#include <assert.h>
#include <string.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

static const char ours[] = "com.microsoft";

static kx_value *plus(kx_expander *e, kx_value *a, kx_value *b)
{
    return b ? kx_emit2(e, "Add", a, b) : a;
}

/* ---- activations of fused operators ---------------------------------------------------------- */

/* Which of the numbers behind an activation are attributes of which name. */
static const struct activation {
    const char *type, *alpha, *beta;
} activations[] = {
    {"Relu", NULL, NULL},         {"Sigmoid", NULL, NULL},          {"Tanh", NULL, NULL},
    {"LeakyRelu", "alpha", NULL}, {"HardSigmoid", "alpha", "beta"}, {"Elu", "alpha", NULL},
    {"Softplus", NULL, NULL},     {"Softsign", NULL, NULL},         {"Clip", "min", "max"},
    {"HardSwish", NULL, NULL},
};

static kldve_status find_activation(kx_expander *e, const struct activation **out)
{
    const char *name = kx_attr_string(e->n, "activation", "");

    *out = NULL;
    for (size_t i = 0; i < sizeof activations / sizeof *activations && !*out; i++)
        if (strcmp(name, activations[i].type) == 0)
            *out = &activations[i];
    return *out || !*name ? KLDVE_OK
                          : kx_refuse(e->g, e->n, "activation '%.40s' is not supported", name);
}

static kx_value *activate(kx_expander *e, kx_value *x, const struct activation *a,
                          const float *number, size_t numbers)
{
    kx_attr attr[2];
    int32_t count = 0;

    if (!a)
        return x;
    if (strcmp(a->type, "Clip") == 0 && numbers == 2)
        return kx_emit(e, "Clip",
                       (kx_value *[]){x, kx_emit_float(e, number[0]), kx_emit_float(e, number[1])},
                       3, NULL, 0);
    if (a->alpha && numbers > 0)
        attr[count++] = kx_attr_of_float(a->alpha, number[0]);
    if (a->beta && numbers > 1)
        attr[count++] = kx_attr_of_float(a->beta, number[1]);
    return kx_emit(e, a->type, &x, 1, attr, count);
}

/* ---- Conv with a sum and an activation ------------------------------------------------------- */

static kldve_status expand_fused_conv(kx_expander *e)
{
    static const char *const own[] = {"activation", "activation_params"};
    const struct activation *a;
    const float *number;
    kx_value *y;
    size_t numbers;
    kldve_status st = kx_expect(e->g, e->n, 2, 4, 1);

    if (st < 0 || (st = find_activation(e, &a)) < 0)
        return st;
    number = kx_attr_floats(e->n, "activation_params", &numbers);
    y = kx_emit_passing(e, "Conv", (kx_value *[]){e->n->in[0], e->n->in[1], kx_input(e, 2)},
                        kx_input(e, 2) ? 3 : 2, own, 2);
    e->out[0] = activate(e, plus(e, y, kx_input(e, 3)), a, number, numbers);
    return e->status;
}

/* ---- matrix products ------------------------------------------------------------------------- */

static kldve_status expand_fused_gemm(kx_expander *e)
{
    static const char *const own[] = {"activation", "activation_alpha", "activation_beta",
                                      "activation_gamma"};
    const struct activation *a;
    float number[2];
    kx_value *in[3];
    kldve_status st = kx_expect(e->g, e->n, 2, 3, 1);

    if (st < 0 || (st = find_activation(e, &a)) < 0)
        return st;
    number[0] =
        kx_attr_float(e->n, "activation_alpha", a && strcmp(a->type, "LeakyRelu") == 0 ? 0.01f : 1);
    number[1] = kx_attr_float(e->n, "activation_beta", 0);
    kx_attr_ignore(e->n, "activation_gamma");
    for (int32_t i = 0; i < 3; i++)
        in[i] = kx_input(e, i);
    e->out[0] = activate(e, kx_emit_passing(e, "Gemm", in, in[2] ? 3 : 2, own, 4), a, number, 2);
    return e->status;
}

/* batch: axis 0 moves behind axes 1 .. rank - 2; swap: the last two axes change places. */
static kx_value *turned(kx_expander *e, kx_value *x, bool batch, bool swap)
{
    int64_t perm[KX_MAX_RANK];
    int32_t rank = x->shape.rank;

    if (rank < 2 || (!batch && !swap))
        return x;
    for (int32_t i = 0; i < rank; i++)
        perm[i] = batch && i < rank - 1 ? (i == rank - 2 ? 0 : i + 1) : i;
    if (swap) {
        int64_t last = perm[rank - 1];

        perm[rank - 1] = perm[rank - 2];
        perm[rank - 2] = last;
    }
    return kx_emit_transpose(e, x, perm, (size_t)rank);
}

static kldve_status expand_fused_matmul(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 2, 2, 1);
    float alpha;
    kx_value *a, *b, *y;

    if (st < 0)
        return st;
    alpha = kx_attr_float(e->n, "alpha", 1);
    a = turned(e, e->n->in[0], kx_attr_int(e->n, "transBatchA", 0) != 0,
               kx_attr_int(e->n, "transA", 0) != 0);
    b = turned(e, e->n->in[1], kx_attr_int(e->n, "transBatchB", 0) != 0,
               kx_attr_int(e->n, "transB", 0) != 0);
    y = kx_emit2(e, "MatMul", a, b);
    e->out[0] = alpha == 1.0f ? y : kx_emit2(e, "Mul", y, kx_emit_float(e, alpha));
    return e->status;
}

/* ---- Gelu ------------------------------------------------------------------------------------ */

static kx_value *gelu(kx_expander *e, kx_value *x, const char *approximate)
{
    kx_attr attr = kx_attr_of_string("approximate", approximate);

    return kx_emit(e, "Gelu", &x, 1, &attr, 1);
}

static kldve_status expand_gelu(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 2, 1);

    if (st == KLDVE_OK)
        e->out[0] = gelu(e, plus(e, e->n->in[0], kx_input(e, 1)), "none");
    return st < 0 ? st : e->status;
}

static kldve_status expand_fast_gelu(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 2, 1);

    if (st == KLDVE_OK)
        e->out[0] = gelu(e, plus(e, e->n->in[0], kx_input(e, 1)), "tanh");
    return st < 0 ? st : e->status;
}

/* x sigmoid(alpha x) */
static kldve_status expand_quick_gelu(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 1, 1, 1);

    if (st == KLDVE_OK)
        e->out[0] = kx_emit_swish(e, e->n->in[0], kx_attr_float(e->n, "alpha", 1.702f));
    return st < 0 ? st : e->status;
}

static kldve_status expand_bias_add(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 3, 3, 1);

    if (st == KLDVE_OK)
        e->out[0] = plus(e, plus(e, e->n->in[0], e->n->in[1]), e->n->in[2]);
    return st < 0 ? st : e->status;
}

/* (left half of x + b) gelu(right half) */
static kldve_status expand_bias_split_gelu(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 2, 2, 1);
    int32_t axis;
    int64_t half;
    kx_value *sum;

    if (st < 0)
        return st;
    axis = e->n->in[0]->shape.rank - 1;
    if (axis < 0 || e->n->in[0]->shape.dim[axis] % 2 != 0)
        return kx_invalid(e->g, e->n, "the last axis cannot be halved");
    half = e->n->in[0]->shape.dim[axis] / 2;
    sum = plus(e, e->n->in[0], e->n->in[1]);
    e->out[0] = kx_emit2(e, "Mul", kx_emit_slice(e, sum, axis, 0, half),
                         gelu(e, kx_emit_slice(e, sum, axis, half, 2 * half), "none"));
    return e->status;
}

/* ---- normalisations -------------------------------------------------------------------------- */

static kx_value *norm(kx_expander *e, const char *type, kx_value *x, kx_value *scale,
                      kx_value *bias, float epsilon)
{
    kx_attr attr[2] = {kx_attr_of_int("axis", -1), kx_attr_of_float("epsilon", epsilon)};

    return kx_emit(e, type, (kx_value *[]){x, scale, bias}, bias ? 3 : 2, attr, 2);
}

/* input, skip, gamma, beta, bias.  Outputs 1 and 2, mean and deviation, are for training. */
static kldve_status expand_skip_layer(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 3, 5, 4);
    kx_value *sum;

    if (st < 0)
        return st;
    sum = plus(e, plus(e, e->n->in[0], e->n->in[1]), kx_input(e, 4));
    e->out[0] = norm(e, "LayerNormalization", sum, e->n->in[2], kx_input(e, 3),
                     kx_attr_float(e->n, "epsilon", 1e-12f));
    e->out[3] = sum;
    return e->status;
}

/* input, skip, gamma, bias */
static kldve_status expand_skip_rms(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 3, 4, 4);
    kx_value *sum;

    if (st < 0)
        return st;
    sum = plus(e, plus(e, e->n->in[0], e->n->in[1]), kx_input(e, 3));
    e->out[0] =
        norm(e, "RMSNormalization", sum, e->n->in[2], NULL, kx_attr_float(e->n, "epsilon", 1e-12f));
    e->out[3] = sum;
    return e->status;
}

static kldve_status expand_rms(kx_expander *e)
{
    kx_attr attr[2];
    kldve_status st = kx_expect(e->g, e->n, 2, 2, 1);

    if (st < 0)
        return st;
    kx_attr_ignore(e->n, "stash_type");
    attr[0] = kx_attr_of_int("axis", kx_attr_int(e->n, "axis", -1));
    attr[1] = kx_attr_of_float("epsilon", kx_attr_float(e->n, "epsilon", 1e-5f));
    e->out[0] = kx_emit(e, "RMSNormalization", e->n->in, 2, attr, 2);
    return e->status;
}

const kx_op kx_contrib_ops[] = {
    {.type = "FusedConv", .domain = ours, .since = 1, .expand = expand_fused_conv},
    {.type = "FusedGemm", .domain = ours, .since = 1, .expand = expand_fused_gemm},
    {.type = "FusedMatMul", .domain = ours, .since = 1, .expand = expand_fused_matmul},
    {.type = "Gelu", .domain = ours, .since = 1, .expand = expand_gelu},
    {.type = "BiasGelu", .domain = ours, .since = 1, .expand = expand_gelu},
    {.type = "FastGelu", .domain = ours, .since = 1, .expand = expand_fast_gelu},
    {.type = "QuickGelu", .domain = ours, .since = 1, .expand = expand_quick_gelu},
    {.type = "BiasAdd", .domain = ours, .since = 1, .expand = expand_bias_add},
    {.type = "BiasSplitGelu", .domain = ours, .since = 1, .expand = expand_bias_split_gelu},
    {.type = "SkipLayerNormalization", .domain = ours, .since = 1, .expand = expand_skip_layer},
    {.type = "SkipSimplifiedLayerNormalization",
     .domain = ours,
     .since = 1,
     .expand = expand_skip_rms},
    {.type = "SimplifiedLayerNormalization", .domain = ours, .since = 1, .expand = expand_rms},
    {.type = "SimplifiedLayerNormalization",
     .since = 1,
     .expand = expand_rms}, /* in ONNX's own domain */
    {0},
};
