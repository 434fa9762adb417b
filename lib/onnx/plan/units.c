/* units.c - see units.h. */
#include "units.h"

#include <string.h>

#include "fuse.h"
#include "ops/params.h"
#include "ops/params_basic.h"
#include "planner.h"

static bool is(const kx_node *n, const char *type)
{
    return strcmp(n->type, type) == 0;
}

/* ---- activations --------------------------------------------------------------------------------
 */

static bool activation(kx_planner *p, const kx_node *n, kx_act *act)
{
    static const struct {
        const char *type;
        kx_act_kind kind;
    } simple[] = {{"Relu", KX_ACT_RELU},
                  {"Sigmoid", KX_ACT_SIGMOID},
                  {"Tanh", KX_ACT_TANH},
                  {"HardSwish", KX_ACT_HARDSWISH}};

    (void)p;
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++)
        if (is(n, simple[i].type)) {
            *act = (kx_act){simple[i].kind, 0, 0};
            return true;
        }
    if (is(n, "LeakyRelu") || is(n, "Elu")) {
        const kx_unary_params *q = n->params;

        *act = (kx_act){is(n, "Elu") ? KX_ACT_ELU : KX_ACT_LEAKY, q->alpha, 0};
        return q->alpha > 0; /* else the sign of y does not tell that of x */
    }
    if (is(n, "Clip")) {
        const kx_clip_params *q = n->params;

        if (!q->fixed)
            return false;
        *act = (kx_act){KX_ACT_CLIP, q->lo, q->hi};
        return true;
    }
    return false;
}

/* ---- windows --------------------------------------------------------------------------------- */

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

static kldve_status match_conv(kx_planner *p, kx_unit *u, const kx_node *n)
{
    const kx_conv_params *q = n->params;
    const kx_window *w = &q->window;
    kx_conv_desc *d = &u->conv;

    (void)p;
    if (!kx_constant_f32(n->in[1]) || (n->nin > 2 && n->in[2] && !kx_constant_f32(n->in[2])) ||
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

static kldve_status match_pool(kx_planner *p, kx_unit *u, const kx_node *n, kx_pool_kind kind)
{
    const kx_pool_params *q = n->params;
    const kx_window *w = &q->window;
    kx_pool_desc *d = &u->pool;

    (void)p;
    if (n->in[0]->shape.rank != 4 || (n->nout > 1 && n->out[1]))
        return KLDVE_OK;
    *d = (kx_pool_desc){
        .kind = kind, .batch = n->in[0]->shape.dim[0], .channels = n->in[0]->shape.dim[1]};
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

/* ReduceMean over the two spatial axes of [N][C][H][W] is a pool over everything. */
static kldve_status match_mean(kx_planner *p, kx_unit *u, const kx_node *n)
{
    const kx_reduce_params *q = n->params;
    const kx_shape *s = &n->in[0]->shape;

    (void)p;
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
static kldve_status match_lrn(kx_planner *p, kx_unit *u, const kx_node *n)
{
    const kx_lrn_params *q = n->params;

    (void)p;
    if (n->in[0]->shape.rank != 4 || (q->size != 3 && q->size != 5) || q->size > q->channels)
        return KLDVE_OK;
    u->kind = KX_UNIT_LRN;
    u->x = n->in[0];
    u->lrn = (kx_lrn_desc){q->size, q->alpha, q->beta, q->bias};
    return KLDVE_OK;
}

/* ---- dense layers ---------------------------------------------------------------------------- */

static kldve_status match_gemm(kx_planner *p, kx_unit *u, const kx_node *n)
{
    const kx_gemm_params *q = n->params;

    if (q->trans_a || q->alpha != 1 || !kx_constant_f32(n->in[1]))
        return KLDVE_OK;
    if (kx_has(n, 2)) {
        if (q->beta != 1 || !kx_constant_f32(n->in[2]) || q->c_row != 0 || q->c_column != 1)
            return KLDVE_OK;
        if (!(u->dense.bias = kx_constant_floats(p, n->in[2])))
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

static kldve_status match_matmul(kx_planner *p, kx_unit *u, const kx_node *n)
{
    const kx_shape *a = &n->in[0]->shape, *b = &n->in[1]->shape;

    (void)p;
    if (!kx_constant_f32(n->in[1]) || !kx_varying_f32(n->in[0]) || b->rank != 2 || a->rank < 2)
        return KLDVE_OK;
    u->kind = KX_UNIT_DENSE;
    u->x = n->in[0];
    u->dense.k = b->dim[0];
    u->dense.n = b->dim[1];
    u->dense.m = kx_span(a, 0, a->rank - 1);
    u->dense.weights = n->in[1]->raw;
    return KLDVE_OK;
}

static kldve_status match_concat(kx_planner *p, kx_unit *u, const kx_node *n)
{
    const kx_concat_params *q = n->params;

    (void)p;
    for (int32_t i = 0; i < n->nin; i++)
        if (!kx_varying_f32(n->in[i]) || n->in[i]->count == 0)
            return KLDVE_OK;
    u->kind = KX_UNIT_CONCAT;
    u->axis = q->axis;
    return KLDVE_OK;
}

/* ---- the walk -------------------------------------------------------------------------------- */

static kldve_status match(kx_planner *p, kx_unit *u, const kx_node *n)
{
    kx_act act;

    if (kx_op_copies(n) && (n->nout == 1 || !n->out[1])) {
        u->kind = KX_UNIT_VIEW;
        u->x = n->in[0];
        return KLDVE_OK;
    }
    if (p->options.plain || !kx_varying_f32(n->out[0]) || n->out[0]->count == 0)
        return KLDVE_OK;
    if (activation(p, n, &act))
        return kx_varying_f32(n->in[0]) ? kx_fuse_act(p, u, n, n->in[0], act) : KLDVE_OK;
    if (is(n, "Conv"))
        return match_conv(p, u, n);
    if (is(n, "BatchNormalization"))
        return kx_fuse_batchnorm(p, u, n);
    if (is(n, "Add"))
        return kx_fuse_binary(p, u, n, KX_BINARY_ADD);
    if (is(n, "Sub"))
        return kx_fuse_binary(p, u, n, KX_BINARY_SUB);
    if (is(n, "Mul"))
        return kx_fuse_binary(p, u, n, KX_BINARY_MUL);
    if (is(n, "Div"))
        return kx_fuse_binary(p, u, n, KX_BINARY_DIV);
    if (is(n, "MaxPool") || is(n, "GlobalMaxPool"))
        return match_pool(p, u, n, KX_POOL_MAX);
    if (is(n, "GlobalAveragePool"))
        return match_pool(p, u, n, KX_POOL_AVG_EXCLUDE);
    if (is(n, "AveragePool"))
        return match_pool(p, u, n,
                          ((const kx_pool_params *)n->params)->count_include_pad
                              ? KX_POOL_AVG_INCLUDE
                              : KX_POOL_AVG_EXCLUDE);
    if (is(n, "ReduceMean"))
        return match_mean(p, u, n);
    if (is(n, "LRN"))
        return match_lrn(p, u, n);
    if (is(n, "Gemm"))
        return match_gemm(p, u, n);
    if (is(n, "MatMul"))
        return match_matmul(p, u, n);
    if (is(n, "Concat"))
        return match_concat(p, u, n);
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

kldve_status kx_units_make(kx_planner *p)
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
