/* fuse.c - graph -> units.
 *
 * Walks the needed nodes in order and merges each into the unit that makes its input where the
 * result is the same computation done at once:
 *
 *     Conv, BatchNormalization, Add/Mul by channel   W' = s W, b' = s b + t    (exact algebra)
 *     ... Add of an array                            residual join
 *     ... Relu, Clip, ...                            activation
 *     MatMul, Add by column                          dense layer with bias
 *
 * A value that must exist on its own (the layer, the logits, or read by two nodes) stops a merge.
 */
#include "plan.h"

#include <math.h>
#include <string.h>

#include "ops/params.h"
#include "ops/params_basic.h"

static bool constant_f32(const kx_value *v)
{
    return v && v->raw && v->dtype == KX_F32;
}

static bool varying_f32(const kx_value *v)
{
    return v && !v->raw && v->dtype == KX_F32;
}

static const float *floats(kx_planner *p, const kx_value *v)
{
    return kx_value_data(p->g, v);
}

/* The unit that makes v, if nobody but one node reads v: that node may be merged into it. */
static kx_unit *open_unit(kx_planner *p, const kx_value *v)
{
    const kx_place *at = kx_place_of(p, v);

    if (v->raw || at->producer < 0 || at->uses != 1 || at->keep)
        return NULL;
    return &p->plan->unit[at->producer];
}

/* Node n, whose only output is `out`, becomes the last part of unit u. */
static void absorb(kx_planner *p, kx_unit *u, const kx_node *n)
{
    u->out = n->out[0];
    u->order = n->index;
    kx_place_of(p, u->out)->producer = (int32_t)(u - p->plan->unit);
}

/* ---- activations ---- */

/* Relevance is shared out by what a unit made of its operands: sums and activations that hide that
 * stay units of their own.  A rectifier hides nothing, because where it is closed it has no
 * relevance to share; but the logits are given theirs from outside. */
static bool hidden_from_relevance(kx_planner *p, const kx_node *n, kx_act act)
{
    return kx_rule_is_lrp(p->options.rule) &&
           (act.kind != KX_ACT_RELU || kx_place_of(p, n->out[0])->keep);
}

/* Can the derivative be had from y alone?  What needs x is not hidden behind another computation
 * when a cotangent may flow through it. */
static bool from_output(kx_act act)
{
    return act.kind != KX_ACT_SWISH && act.kind != KX_ACT_HARDSWISH;
}

static kldve_status fuse_act(kx_planner *p, kx_unit *u, const kx_node *n, kx_value *x, kx_act act)
{
    kx_unit *before = open_unit(p, x);

    if (before && before->act.kind == KX_ACT_NONE && !hidden_from_relevance(p, n, act) &&
        (from_output(act) || !(p->options.vjp || p->options.vjp_input)) &&
        (before->kind == KX_UNIT_CONV || before->kind == KX_UNIT_AFFINE ||
         before->kind == KX_UNIT_DENSE ||
         (before->kind == KX_UNIT_BINARY && before->binary == KX_BINARY_ADD))) {
        before->act = act;
        absorb(p, before, n);
        u->dead = true;
        return KLDVE_OK;
    }
    u->kind = KX_UNIT_ACT;
    u->x = x;
    u->act = act;
    return KLDVE_OK;
}

/* ---- by-channel scale and shift ---- */

/* Is v a constant that is one number for each channel of x [N][C]... (or one for all)? */
static bool by_channel(const kx_value *v, const kx_value *x)
{
    int32_t axis;

    if (!constant_f32(v) || x->shape.rank < 3)
        return false;
    if (v->count == 1)
        return v->shape.rank <= x->shape.rank;
    axis = v->shape.rank - (x->shape.rank - 1); /* where the channels would stand */
    return v->shape.rank <= x->shape.rank && axis >= 0 && v->shape.dim[axis] == x->shape.dim[1] &&
           (int64_t)v->count == x->shape.dim[1];
}

/* out[c] = a[c] * u's scale, b: shift; either may be NULL.  Composes onto what u has. */
static kldve_status compose(kx_planner *p, kx_unit *u, const float *s, size_t ns, const float *t,
                            size_t nt, int64_t channels)
{
    float *scale = kx_new(p->g, (size_t)channels, sizeof *scale);
    float *shift = kx_new(p->g, (size_t)channels, sizeof *shift);

    if (!scale || !shift)
        return kx_plan_nomem(p);
    for (int64_t c = 0; c < channels; c++) {
        float sc = s ? s[ns == 1 ? 0 : c] : 1, tc = t ? t[nt == 1 ? 0 : c] : 0;

        scale[c] = sc * (u->scale ? u->scale[c] : 1);
        shift[c] = sc * (u->shift ? u->shift[c] : 0) + tc;
    }
    u->scale = scale;
    u->shift = shift;
    return KLDVE_OK;
}

/* x * s + t by channel: into the convolution that makes x, else a unit of its own. */
static kldve_status fuse_affine(kx_planner *p, kx_unit *u, const kx_node *n, kx_value *x,
                                const float *s, size_t ns, const float *t, size_t nt)
{
    kx_unit *before = open_unit(p, x);

    if (before && (before->kind == KX_UNIT_CONV || before->kind == KX_UNIT_AFFINE) && !before->y &&
        before->act.kind == KX_ACT_NONE) {
        absorb(p, before, n);
        u->dead = true;
        return compose(p, before, s, ns, t, nt, x->shape.dim[1]);
    }
    u->kind = KX_UNIT_AFFINE;
    u->x = x;
    return compose(p, u, s, ns, t, nt, x->shape.dim[1]);
}

static kldve_status match_batchnorm(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_batchnorm_params *q = n->params;
    const float *in[5] = {NULL};
    float *s, *t;

    (void)which;
    for (int i = 1; i < 5; i++)
        if (!constant_f32(n->in[i]))
            return KLDVE_OK;
    if (n->in[0]->shape.rank < 3)
        return KLDVE_OK;
    for (int i = 1; i < 5; i++)
        if (!(in[i] = floats(p, n->in[i])))
            return kx_plan_nomem(p);
    s = kx_new(p->g, (size_t)q->channels, sizeof *s);
    t = kx_new(p->g, (size_t)q->channels, sizeof *t);
    if (!s || !t)
        return kx_plan_nomem(p);
    for (int64_t c = 0; c < q->channels; c++) {
        double k = (double)in[1][c] / sqrt((double)in[4][c] + (double)q->epsilon);

        s[c] = (float)k;
        t[c] = (float)((double)in[2][c] - (double)in[3][c] * k);
    }
    return fuse_affine(p, u, n, n->in[0], s, (size_t)q->channels, t, (size_t)q->channels);
}

/* ---- binary operators ---- */

static bool same_shape(const kx_value *a, const kx_value *b)
{
    return a->shape.rank == b->shape.rank &&
           memcmp(a->shape.dim, b->shape.dim, (size_t)a->shape.rank * sizeof a->shape.dim[0]) == 0;
}

/* x op c with one constant number. */
static bool linear_act(kx_arith kind, bool constant_first, float c, kx_act *act)
{
    switch (kind) {
    case KX_BINARY_ADD:
        *act = (kx_act){KX_ACT_LINEAR, 1, c};
        return true;
    case KX_BINARY_SUB:
        *act = constant_first ? (kx_act){KX_ACT_LINEAR, -1, c} : (kx_act){KX_ACT_LINEAR, 1, -c};
        return true;
    case KX_BINARY_MUL:
        *act = (kx_act){KX_ACT_LINEAR, c, 0};
        return true;
    case KX_BINARY_DIV:
        *act = (kx_act){KX_ACT_LINEAR, 1 / c, 0};
        return !constant_first && c != 0;
    default:
        return false;
    }
}

/* Mul(x, Sigmoid(x)) is swish(x). */
static bool is_swish(kx_planner *p, kx_value *x, kx_value *s, kx_unit **sigmoid)
{
    kx_unit *u = open_unit(p, s);

    *sigmoid = u;
    return u && u->kind == KX_UNIT_ACT && u->act.kind == KX_ACT_SIGMOID && u->x == x;
}

static kldve_status fuse_join(kx_planner *p, kx_unit *u, const kx_node *n, bool *done)
{
    kx_unit *a = open_unit(p, n->in[0]), *b = open_unit(p, n->in[1]);
    kx_unit *use = NULL;

    *done = false;
    if (a && (a->kind != KX_UNIT_CONV || a->y || a->act.kind != KX_ACT_NONE))
        a = NULL;
    if (b && (b->kind != KX_UNIT_CONV || b->y || b->act.kind != KX_ACT_NONE))
        b = NULL;
    use = !a ? b : !b ? a : a->order > b->order ? a : b; /* the later one: the other is then done */
    if (!use || n->in[0] == n->in[1])
        return KLDVE_OK;
    use->y = use == a ? n->in[1] : n->in[0];
    absorb(p, use, n);
    u->dead = true;
    *done = true;
    return KLDVE_OK;
}

/* A dense layer's bias: a constant vector over the last axis. */
static kldve_status fuse_dense_bias(kx_planner *p, kx_unit *u, const kx_node *n, kx_value *x,
                                    kx_value *c, bool *done)
{
    kx_unit *before = open_unit(p, x);

    *done = false;
    if (!before || before->kind != KX_UNIT_DENSE || before->dense.bias ||
        before->act.kind != KX_ACT_NONE || !constant_f32(c) ||
        (int64_t)c->count != before->dense.n || c->shape.rank < 1 ||
        c->shape.dim[c->shape.rank - 1] != before->dense.n || !same_shape(n->out[0], x))
        return KLDVE_OK;
    if (!(before->dense.bias = floats(p, c)))
        return kx_plan_nomem(p);
    absorb(p, before, n);
    u->dead = true;
    *done = true;
    return KLDVE_OK;
}

static kldve_status match_binary(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    kx_value *x = n->in[0], *y = n->in[1];
    kx_arith kind = (kx_arith)which;
    bool constant_first = x->raw != NULL;
    kldve_status st;
    kx_unit *sigmoid;
    bool done = false;
    kx_act act;

    if (x->dtype != KX_F32 || n->nin != 2)
        return KLDVE_OK;
    if (constant_first) {
        x = n->in[1];
        y = n->in[0];
    }
    if (constant_f32(y) && same_shape(n->out[0], x)) {
        const float *c = floats(p, y);

        if (!c)
            return kx_plan_nomem(p);
        if (kind == KX_BINARY_ADD && ((st = fuse_dense_bias(p, u, n, x, y, &done)) < 0 || done))
            return st;
        if (by_channel(y, x) && (kind == KX_BINARY_ADD || kind == KX_BINARY_MUL) && y->count > 1)
            return kind == KX_BINARY_ADD ? fuse_affine(p, u, n, x, NULL, 0, c, y->count)
                                         : fuse_affine(p, u, n, x, c, y->count, NULL, 0);
        if (y->count == 1 && linear_act(kind, constant_first, c[0], &act)) {
            u->kind = KX_UNIT_ACT;
            u->x = x;
            u->act = act;
        }
        return KLDVE_OK;
    }
    if (!varying_f32(x) || !varying_f32(y))
        return KLDVE_OK;
    if (kind == KX_BINARY_MUL &&
        (is_swish(p, x, y, &sigmoid) || (is_swish(p, y, x, &sigmoid) && (x = y, true)))) {
        sigmoid->dead = true;
        kx_place_of(p, x)->uses--; /* the two reads have become one */
        return fuse_act(p, u, n, x, (kx_act){KX_ACT_SWISH, 0, 0});
    }
    if (kind == KX_BINARY_ADD && same_shape(x, y) && !kx_rule_is_lrp(p->options.rule) &&
        ((st = fuse_join(p, u, n, &done)) < 0 || done))
        return st;
    if (!same_shape(x, n->out[0])) { /* src must have the shape of dst */
        if ((kind != KX_BINARY_ADD && kind != KX_BINARY_MUL) || !same_shape(y, n->out[0]))
            return KLDVE_OK;
        x = n->in[1];
        y = n->in[0];
    }
    if (x->shape.rank != y->shape.rank)
        return KLDVE_OK;
    u->kind = KX_UNIT_BINARY;
    u->binary = kind;
    u->x = x;
    u->y = y;
    return KLDVE_OK;
}

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
    if (kx_has(n, 2) && !(u->dense.bias = floats(p, n->in[2])))
        return kx_plan_nomem(p);
    u->dense.m = u->conv.batch;
    u->dense.k = u->conv.in_channels;
    u->dense.n = u->conv.out_channels;
    u->dense.transposed = true;
    u->dense.weights = n->in[1]->raw;
    return KLDVE_OK;
}

static kldve_status match_conv(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_conv_params *q = n->params;
    const kx_window *w = &q->window;
    kx_conv_desc *d = &u->conv;

    (void)p, (void)which;
    if (!constant_f32(n->in[1]) || (n->nin > 2 && n->in[2] && !constant_f32(n->in[2])) ||
        n->in[0]->shape.rank != 4)
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
    u->x = n->in[0];
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
    u->x = n->in[0];
    return KLDVE_OK;
}

static kldve_status match_average(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_pool_params *q = n->params;

    (void)which;
    return match_pool(p, u, n, q->count_include_pad ? KX_POOL_AVG_INCLUDE : KX_POOL_AVG_EXCLUDE);
}

/* ReduceMean over the two spatial axes of [N][C][H][W] is a pool over everything. */
static kldve_status match_mean(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_reduce_params *q = n->params;
    const kx_shape *s = &n->in[0]->shape;

    (void)p, (void)which;
    if (s->rank != 4 || q->reduced[0] || q->reduced[1] || !q->reduced[2] || !q->reduced[3])
        return KLDVE_OK;
    u->kind = KX_UNIT_POOL;
    u->x = n->in[0];
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
    u->x = n->in[0];
    u->lrn = (kx_lrn_desc){q->size, q->alpha, q->beta, q->bias};
    return KLDVE_OK;
}

/* ---- dense layers ---- */

static kldve_status match_gemm(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_gemm_params *q = n->params;

    (void)which;
    if (q->trans_a || q->alpha != 1 || !constant_f32(n->in[1]))
        return KLDVE_OK;
    if (kx_has(n, 2)) {
        if (q->beta != 1 || !constant_f32(n->in[2]) || q->c_row != 0 || q->c_column != 1)
            return KLDVE_OK;
        if (!(u->dense.bias = floats(p, n->in[2])))
            return kx_plan_nomem(p);
    }
    u->kind = KX_UNIT_DENSE;
    u->x = n->in[0];
    u->dense.m = q->m;
    u->dense.k = q->k;
    u->dense.n = q->n;
    u->dense.transposed = q->trans_b;
    u->dense.weights = n->in[1]->raw;
    return KLDVE_OK;
}

static kldve_status match_matmul(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_shape *a = &n->in[0]->shape, *b = &n->in[1]->shape;

    (void)p, (void)which;
    if (!constant_f32(n->in[1]) || !varying_f32(n->in[0]) || b->rank != 2 || a->rank < 2)
        return KLDVE_OK;
    u->kind = KX_UNIT_DENSE;
    u->x = n->in[0];
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
        if (!varying_f32(n->in[i]) || n->in[i]->count == 0)
            return KLDVE_OK;
    u->kind = KX_UNIT_CONCAT;
    u->axis = q->axis;
    return KLDVE_OK;
}

/* ---- activations of their own ---- */

static kldve_status match_act(kx_planner *p, kx_unit *u, const kx_node *n, kx_act act)
{
    return varying_f32(n->in[0]) ? fuse_act(p, u, n, n->in[0], act) : KLDVE_OK;
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
    {"LeakyRelu", match_slope, KX_ACT_LEAKY},
    {"Elu", match_slope, KX_ACT_ELU},
    {"Clip", match_clip, KX_ACT_CLIP},
    {"Conv", match_conv, 0},
    {"BatchNormalization", match_batchnorm, 0},
    {"Add", match_binary, KX_BINARY_ADD},
    {"Sub", match_binary, KX_BINARY_SUB},
    {"Mul", match_binary, KX_BINARY_MUL},
    {"Div", match_binary, KX_BINARY_DIV},
    {"MaxPool", match_pool, KX_POOL_MAX},
    {"GlobalMaxPool", match_pool, KX_POOL_MAX},
    {"GlobalAveragePool", match_pool, KX_POOL_AVG_EXCLUDE},
    {"AveragePool", match_average, 0},
    {"ReduceMean", match_mean, 0},
    {"LRN", match_lrn, 0},
    {"Gemm", match_gemm, 0},
    {"MatMul", match_matmul, 0},
    {"Concat", match_concat, 0},
};

/* ---- the walk ---- */

static kldve_status match(kx_planner *p, kx_unit *u, const kx_node *n)
{
    if (kx_op_copies(n) && (n->nout == 1 || !n->out[1])) {
        u->kind = KX_UNIT_VIEW;
        u->x = n->in[0];
        return KLDVE_OK;
    }
    if (p->options.plain || !varying_f32(n->out[0]) || n->out[0]->count == 0)
        return KLDVE_OK;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (strcmp(n->type, patterns[i].type) == 0)
            return patterns[i].match(p, u, n, patterns[i].which);
    return KLDVE_OK;
}

/* Units in the order in which they can run: that of their last nodes. */
static kldve_status sort_units(kx_planner *p)
{
    kx_plan *plan = p->plan;
    int32_t n = 0, nodes = p->g->nnode;
    int32_t *at = kx_new(p->g, (size_t)nodes, sizeof *at);
    kx_unit *sorted = kx_new(p->g, (size_t)nodes, sizeof *sorted);

    if (!at || !sorted)
        return kx_plan_nomem(p);
    for (int32_t i = 0; i < nodes; i++)
        at[i] = -1;
    for (int32_t i = 0; i < plan->nunit; i++)
        if (!plan->unit[i].dead)
            at[plan->unit[i].order] = i;
    for (int32_t i = 0; i < nodes; i++) {
        kx_unit *u;

        if (at[i] < 0)
            continue;
        sorted[n] = plan->unit[at[i]];
        u = &sorted[n];
        if (u->kind == KX_UNIT_NODE) {
            for (int32_t k = 0; k < u->node->nout; k++)
                if (u->node->out[k])
                    kx_place_of(p, u->node->out[k])->producer = n;
        } else {
            kx_place_of(p, u->out)->producer = n;
        }
        n++;
    }
    plan->unit = sorted;
    plan->nunit = n;
    return KLDVE_OK;
}

kldve_status kx_fuse(kx_planner *p)
{
    kx_plan *plan = p->plan;
    kldve_status st;

    for (int32_t i = 0; i < p->g->nnode; i++) {
        const kx_node *n = &p->g->node[i];
        kx_unit *u;

        if (!p->needed[i])
            continue;
        u = &plan->unit[plan->nunit++];
        memset(u, 0, sizeof *u);
        u->node = n;
        u->order = i;
        u->out = n->out[0];
        u->workspace = -1;
        for (int32_t k = 0; k < n->nout; k++)
            if (n->out[k])
                kx_place_of(p, n->out[k])->producer = (int32_t)(u - plan->unit);
        if ((st = match(p, u, n)) < 0)
            return st;
        if (u->dead) /* producer was set to this unit, then to the one that absorbed it */
            continue;
    }
    return sort_units(p);
}
