/* match.c - see match.h. */
#include "match.h"

#include <string.h>

#include "accel/rule.h"
#include "fuse.h"
#include "ops/params.h"
#include "ops/params_basic.h"
#include "quantised.h"

/* ---- windows ---- */

static bool one_cell(const kx_conv_desc *d)
{
    bool one = d->groups == 1;

    for (int i = 0; i < 2; i++)
        one = one && d->in[i] == 1 && d->out[i] == 1 && d->kernel[i] == 1;
    return one;
}

/* A convolution of one cell is a dense layer, weights [n][k]: bound by reading them, from the file.
 */
static kldve_status match_cell(kx_planner *p, kx_unit *u, const kx_node *n)
{
    u->kind = KX_UNIT_DENSE;
    if (kx_has(n, 2) && !(u->dense.bias = kx_constant_floats(p, n->in[2])))
        return kx_plan_nomem(p);
    u->dense.m = u->conv.batch;
    u->dense.k = u->conv.in_channels;
    u->dense.n = u->conv.out_channels;
    u->dense.transposed = true;
    u->dense.weights = n->in[1]->raw;
    return KLDVE_OK;
}

/* What networks have.  Beyond that oneDNN may take minutes to make a convolution or run it in its
 * reference code, which hears no cancel; the plain kernel looks at the taps that meet the input
 * only. */
static bool is_usual(const kx_window *w)
{
    enum { TAPS = 1 << 12, DISTANCE = 1 << 12 };
    bool usual = kx_window_taps(w) <= TAPS;

    for (int i = 0; i < KX_SPATIAL; i++)
        usual = usual && w->stride[i] <= DISTANCE && w->pad_begin[i] <= DISTANCE &&
                w->pad_end[i] <= DISTANCE && kx_window_extent(w, i) <= 2 * DISTANCE;
    return usual;
}

static kldve_status match_conv(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_conv_params *q = n->params;
    const kx_window *w = &q->window;
    kx_conv_desc *d = &u->conv;

    (void)p, (void)which;
    if (!kx_constant_f32(n->in[1]) || (n->nin > 2 && n->in[2] && !kx_constant_f32(n->in[2])) ||
        n->in[0]->shape.rank != 4 || !is_usual(w))
        return KLDVE_OK;
    *d = (kx_conv_desc){.batch = q->batch,
                        .in_channels = q->cin * q->group,
                        .out_channels = q->cout * q->group,
                        .groups = q->group,
                        .bias = true};
    for (int i = 0; i < 2; i++) {
        d->in[i] = w->in[KX_H + i];
        d->out[i] = w->out[KX_H + i];
        d->kernel[i] = w->kernel[KX_H + i];
        d->stride[i] = w->stride[KX_H + i];
        d->dilation[i] = w->dilation[KX_H + i];
        d->pad_begin[i] = w->pad_begin[KX_H + i];
        d->pad_end[i] = w->pad_end[KX_H + i];
    }
    u->kind = KX_UNIT_CONV;
    kx_unit_reads_one(u, n->in[0]);
    return one_cell(d) ? match_cell(p, u, n) : KLDVE_OK;
}

static kldve_status match_pool(kx_planner *p, kx_unit *u, const kx_node *n, int kind)
{
    const kx_pool_params *q = n->params;
    const kx_window *w = &q->window;
    kx_pool_desc *d = &u->pool;

    (void)p;
    if (n->in[0]->shape.rank != 4 || (n->nout > 1 && n->out[1]))
        return KLDVE_OK;
    *d = (kx_pool_desc){.kind = (kx_pool_kind)kind,
                        .batch = n->in[0]->shape.dim[0],
                        .channels = n->in[0]->shape.dim[1]};
    for (int i = 0; i < 2; i++) {
        int64_t reach = kx_window_end(w, KX_H + i);

        if (w->dilation[KX_H + i] != 1 || w->pad_begin[KX_H + i] >= w->kernel[KX_H + i] ||
            reach >= w->kernel[KX_H + i])
            return KLDVE_OK;
        /* ONNX does not count what a ceil_mode window touches behind the padding, oneDNN would. */
        if (kind == KX_POOL_AVG_INCLUDE && reach > w->pad_end[KX_H + i])
            return KLDVE_OK;
        d->in[i] = w->in[KX_H + i];
        d->out[i] = w->out[KX_H + i];
        d->kernel[i] = w->kernel[KX_H + i];
        d->stride[i] = w->stride[KX_H + i];
        d->pad_begin[i] = w->pad_begin[KX_H + i];
        d->pad_end[i] = reach > w->pad_end[KX_H + i] ? reach : w->pad_end[KX_H + i];
        if (d->pad_end[i] >= d->kernel[i])
            return KLDVE_OK;
    }
    u->kind = KX_UNIT_POOL;
    kx_unit_reads_one(u, n->in[0]);
    return KLDVE_OK;
}

static kldve_status match_average(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_pool_params *q = n->params;

    (void)which;
    return match_pool(p, u, n, q->count_include_pad ? KX_POOL_AVG_INCLUDE : KX_POOL_AVG_EXCLUDE);
}

static kldve_status match_row_mean(kx_planner *p, kx_unit *u, const kx_node *n);

/* ReduceMean over the two spatial axes of [N][C][H][W] is a pool over everything. */
static kldve_status match_mean(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_reduce_params *q = n->params;
    const kx_shape *s = &n->in[0]->shape;

    (void)which;
    if (s->rank != 4 || q->reduced[0] || q->reduced[1] || !q->reduced[2] || !q->reduced[3])
        return match_row_mean(p, u, n);
    u->kind = KX_UNIT_POOL;
    kx_unit_reads_one(u, n->in[0]);
    u->pool = (kx_pool_desc){.kind = KX_POOL_AVG_EXCLUDE,
                             .batch = s->dim[0],
                             .channels = s->dim[1],
                             .in = {s->dim[2], s->dim[3]},
                             .out = {1, 1},
                             .kernel = {s->dim[2], s->dim[3]},
                             .stride = {1, 1}};
    return KLDVE_OK;
}

/* Sizes 3 and 5 are what networks have.  oneDNN 2.6 on AVX-512 processors crashes when it makes a
 * backward pass of size 1, and from size 7 on its gradients are wrong where channels do not fill
 * blocks of 16; it has no even sizes. */
static kldve_status match_lrn(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_lrn_params *q = n->params;

    (void)p, (void)which;
    if (n->in[0]->shape.rank != 4 || (q->size != 3 && q->size != 5) || q->size > q->channels)
        return KLDVE_OK;
    u->kind = KX_UNIT_LRN;
    kx_unit_reads_one(u, n->in[0]);
    u->lrn = (kx_lrn_desc){q->size, q->alpha, q->beta, q->bias};
    return KLDVE_OK;
}

/* ---- rows ---- */

static kldve_status rows_of(kx_planner *p, kx_unit *u, const kx_node *n, kx_rows rows)
{
    if (kx_rule_is_lrp(p->options.rule) || rows.n < 1 || rows.count < 1 ||
        !kx_varying_f32(n->in[0]))
        return KLDVE_OK;
    u->kind = KX_UNIT_ROWS;
    kx_unit_reads_one(u, n->in[0]);
    u->rows = rows;
    return KLDVE_OK;
}

static kldve_status match_softmax(kx_planner *p, kx_unit *u, const kx_node *n, int kind)
{
    const kx_axis_params *q = n->params;

    if (q->inner != 1)
        return KLDVE_OK;
    return rows_of(p, u, n, (kx_rows){.kind = (kx_rows_kind)kind, .count = q->outer, .n = q->n});
}

/* Means over the last axes. */
static kldve_status match_row_mean(kx_planner *p, kx_unit *u, const kx_node *n)
{
    const kx_reduce_params *q = n->params;
    int32_t rank = n->in[0]->shape.rank, kept = rank;

    while (kept > 0 && q->reduced[kept - 1])
        kept--;
    for (int32_t i = 0; i < kept; i++)
        if (q->reduced[i])
            return KLDVE_OK;
    return rows_of(p, u, n,
                   (kx_rows){.kind = KX_ROWS_MEAN,
                             .count = kx_span(&n->in[0]->shape, 0, kept),
                             .n = q->length});
}

/* Normalisations of rows whose scale and bias are constant. */
static kldve_status match_norm(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_norm_params *q = n->params;
    kx_rows rows = {.kind = KX_ROWS_NORM,
                    .count = q->rows,
                    .n = q->inner,
                    .epsilon = q->epsilon,
                    .centred = q->centred};

    (void)which;
    if (q->plane != 1 || q->channels != q->inner || !kx_constant_f32(n->in[1]) ||
        (kx_has(n, 2) && !kx_constant_f32(n->in[2])))
        return KLDVE_OK;
    for (int32_t i = 1; i < n->nout; i++)
        if (n->out[i])
            return KLDVE_OK;
    if (!(rows.scale = kx_constant_floats(p, n->in[1])) ||
        (kx_has(n, 2) && !(rows.bias = kx_constant_floats(p, n->in[2]))))
        return kx_plan_nomem(p);
    return rows_of(p, u, n, rows);
}

/* ---- dense layers ---- */

static kldve_status match_gemm(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_gemm_params *q = n->params;

    (void)which;
    if (q->trans_a || q->alpha != 1 || !kx_constant_f32(n->in[1]))
        return KLDVE_OK;
    if (kx_has(n, 2)) {
        bool a_vector = q->c_row == 0 && (q->c_column == 1 || q->n == 1); /* over the columns */

        if (q->beta != 1 || !kx_constant_f32(n->in[2]) || !a_vector)
            return KLDVE_OK;
        if (!(u->dense.bias = kx_constant_floats(p, n->in[2])))
            return kx_plan_nomem(p);
    }
    u->kind = KX_UNIT_DENSE;
    kx_unit_reads_one(u, n->in[0]);
    u->dense.m = q->m;
    u->dense.k = q->k;
    u->dense.n = q->n;
    u->dense.transposed = q->trans_b;
    u->dense.weights = n->in[1]->raw;
    return KLDVE_OK;
}

/* Matrices that both vary, as many of one kind as of the other. */
static kldve_status match_product(kx_planner *p, kx_unit *u, const kx_node *n)
{
    const kx_shape *a = &n->in[0]->shape, *b = &n->in[1]->shape;

    if (kx_rule_is_lrp(p->options.rule) || a->rank < 2 || a->rank != b->rank)
        return KLDVE_OK;
    for (int32_t i = 0; i < a->rank - 2; i++)
        if (a->dim[i] != b->dim[i])
            return KLDVE_OK;
    u->kind = KX_UNIT_PRODUCT;
    return KLDVE_OK;
}

static kldve_status match_matmul(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_shape *a = &n->in[0]->shape, *b = &n->in[1]->shape;

    (void)which;
    if (!kx_constant_f32(n->in[1]) || !kx_varying_f32(n->in[0]) || b->rank != 2 || a->rank < 2)
        return match_product(p, u, n);
    u->kind = KX_UNIT_DENSE;
    kx_unit_reads_one(u, n->in[0]);
    u->dense.k = b->dim[0];
    u->dense.n = b->dim[1];
    u->dense.m = kx_span(a, 0, a->rank - 1);
    u->dense.weights = n->in[1]->raw;
    return KLDVE_OK;
}

static kldve_status match_concat(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_concat_params *q = n->params;

    (void)p, (void)which;
    for (int32_t i = 0; i < n->nin; i++)
        if (!kx_varying_f32(n->in[i]) || n->in[i]->count == 0)
            return KLDVE_OK;
    u->kind = KX_UNIT_CONCAT;
    u->axis = q->axis;
    return KLDVE_OK;
}

/* ---- activations of their own ---- */

static kldve_status match_act(kx_planner *p, kx_unit *u, const kx_node *n, kx_act act)
{
    return kx_varying_f32(n->in[0]) ? kx_fuse_act(p, u, n, n->in[0], act) : KLDVE_OK;
}

static kldve_status match_simple(kx_planner *p, kx_unit *u, const kx_node *n, int kind)
{
    return match_act(p, u, n, (kx_act){(kx_act_kind)kind, 0, 0});
}

static kldve_status match_slope(kx_planner *p, kx_unit *u, const kx_node *n, int kind)
{
    const kx_unary_params *q = n->params;

    if (!(q->alpha > 0)) /* the sign of y would not tell that of x */
        return KLDVE_OK;
    return match_act(p, u, n, (kx_act){(kx_act_kind)kind, q->alpha, 0});
}

static kldve_status match_clip(kx_planner *p, kx_unit *u, const kx_node *n, int kind)
{
    const kx_clip_params *q = n->params;

    return q->fixed ? match_act(p, u, n, (kx_act){(kx_act_kind)kind, q->lo, q->hi}) : KLDVE_OK;
}

static kldve_status match_hard_sigmoid(kx_planner *p, kx_unit *u, const kx_node *n, int kind)
{
    const kx_unary_params *q = n->params;

    if (!(q->alpha > 0)) /* the sign of y - 1/2 would not tell that of x */
        return KLDVE_OK;
    return match_act(p, u, n, (kx_act){(kx_act_kind)kind, q->alpha, q->beta});
}

static kldve_status match_gelu(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_unary_params *q = n->params;

    (void)which;
    return match_act(p, u, n, (kx_act){q->alpha != 0 ? KX_ACT_GELU_TANH : KX_ACT_GELU, 0, 0});
}

/* x^(half / 2). */
static kldve_status match_root(kx_planner *p, kx_unit *u, const kx_node *n, int half)
{
    return match_act(p, u, n, (kx_act){KX_ACT_POW, (float)half / 2, 0});
}

/* Powers with one constant number. */
static kldve_status match_pow(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const float *exponent;

    (void)which;
    if (!kx_constant_f32(n->in[1]) || n->in[1]->count != 1 ||
        n->in[1]->shape.rank > n->in[0]->shape.rank)
        return KLDVE_OK;
    if (!(exponent = kx_constant_floats(p, n->in[1])))
        return kx_plan_nomem(p);
    return match_act(p, u, n, (kx_act){KX_ACT_POW, exponent[0], 0});
}

static kldve_status match_transpose(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_transpose_params *q = n->params;

    (void)which;
    if (kx_rule_is_lrp(p->options.rule) || !kx_varying_f32(n->in[0]) || n->in[0]->shape.rank < 2)
        return KLDVE_OK;
    u->kind = KX_UNIT_PERMUTED;
    kx_unit_reads_one(u, n->in[0]);
    u->perm = q->perm;
    return KLDVE_OK;
}

/* ---- the table of patterns ---- */

/* What nodes of each operator may become; those that fit no pattern stay as they are.  This is the
 * one place outside ops/ that knows operators by name: each line needs that operator's params. */
static const struct pattern {
    const char *type;
    kldve_status (*match)(kx_planner *p, kx_unit *u, const kx_node *n, int which);
    int which; /* kx_act_kind, kx_arith or kx_pool_kind */
} patterns[] = {
    {"Relu", match_simple, KX_ACT_RELU},
    {"Sigmoid", match_simple, KX_ACT_SIGMOID},
    {"Tanh", match_simple, KX_ACT_TANH},
    {"HardSwish", match_simple, KX_ACT_HARDSWISH},
    {"HardSigmoid", match_hard_sigmoid, KX_ACT_HARDSIGMOID},
    {"Gelu", match_gelu, 0},
    {"Erf", match_simple, KX_ACT_ERF},
    {"Exp", match_simple, KX_ACT_EXP},
    {"Sqrt", match_root, 1},
    {"Reciprocal", match_root, -2},
    {"Pow", match_pow, 0},
    {"LeakyRelu", match_slope, KX_ACT_LEAKY},
    {"Elu", match_slope, KX_ACT_ELU},
    {"Clip", match_clip, KX_ACT_CLIP},
    {"DequantizeLinear", kx_fuse_dequantiser, 0},
    {"Conv", match_conv, 0},
    {"BatchNormalization", kx_fuse_batchnorm, 0},
    {"Add", kx_fuse_binary, KX_BINARY_ADD},
    {"Sub", kx_fuse_binary, KX_BINARY_SUB},
    {"Mul", kx_fuse_binary, KX_BINARY_MUL},
    {"Div", kx_fuse_binary, KX_BINARY_DIV},
    {"MaxPool", match_pool, KX_POOL_MAX},
    {"GlobalMaxPool", match_pool, KX_POOL_MAX},
    {"GlobalAveragePool", match_pool, KX_POOL_AVG_EXCLUDE},
    {"AveragePool", match_average, 0},
    {"ReduceMean", match_mean, 0},
    {"LRN", match_lrn, 0},
    {"Softmax", match_softmax, KX_ROWS_SOFTMAX},
    {"LogSoftmax", match_softmax, KX_ROWS_LOG_SOFTMAX},
    {"LayerNormalization", match_norm, 0},
    {"RMSNormalization", match_norm, 0},
    {"Transpose", match_transpose, 0},
    {"Gemm", match_gemm, 0},
    {"MatMul", match_matmul, 0},
    {"Concat", match_concat, 0},
};

/* ---- the walk ---- */

kldve_status kx_match(kx_planner *p, kx_unit *u, const kx_node *n)
{
    if (kx_op_copies(n) && (n->nout == 1 || !n->out[1])) {
        u->kind = KX_UNIT_VIEW;
        kx_unit_reads_one(u, n->in[0]);
        return KLDVE_OK;
    }
    if (p->options.plain || !kx_varying_f32(n->out[0]) || n->out[0]->count == 0)
        return KLDVE_OK;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (strcmp(n->type, patterns[i].type) == 0)
            return patterns[i].match(p, u, n, patterns[i].which);
    return KLDVE_OK;
}
