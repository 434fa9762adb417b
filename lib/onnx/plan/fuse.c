/* fuse.c - see fuse.h. */
#include "fuse.h"

#include <math.h>
#include <string.h>

#include "accel/rule.h"
#include "ops/params.h"
#include "spelled.h"

bool kx_constant_f32(const kx_value *v)
{
    return v && v->raw && v->dtype == KX_F32;
}

bool kx_varying_f32(const kx_value *v)
{
    return v && !v->raw && v->dtype == KX_F32;
}

const float *kx_constant_floats(kx_planner *p, const kx_value *v)
{
    return kx_value_read(v, &p->plan->arena);
}

/* The unit that makes v, if nobody but one node reads v: that node may be merged into it. */
static kx_unit *open_unit(kx_planner *p, const kx_value *v)
{
    const kx_place *at = kx_place_of(p, v);

    if (v->raw || at->producer < 0 || at->uses != 1 || at->keep)
        return NULL;
    return &p->unit[at->producer];
}

/* Node n, whose only output is `out`, becomes the last part of unit u. */
static void absorb(kx_planner *p, kx_unit *u, const kx_node *n)
{
    u->out[0] = n->out[0];
    u->nout = 1;
    u->order = n->index;
    kx_place_of(p, u->out[0])->producer = (int32_t)(u - p->unit);
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

/* A derivative that needs x is not hidden behind another computation when a cotangent may flow
 * through it. */
static bool may_hide_x(kx_planner *p, const kx_value *x, kx_act act)
{
    return kx_act_from_output(act) || !kx_place_of(p, x)->flows;
}

kldve_status kx_fuse_act(kx_planner *p, kx_unit *u, const kx_node *n, const kx_value *x, kx_act act)
{
    kx_unit *before = open_unit(p, x);

    if (before && before->act.kind == KX_ACT_NONE && !hidden_from_relevance(p, n, act) &&
        may_hide_x(p, x, act) && kx_accel_has_act(act) &&
        (before->kind == KX_UNIT_CONV || before->kind == KX_UNIT_AFFINE ||
         before->kind == KX_UNIT_DENSE ||
         (before->kind == KX_UNIT_BINARY && before->binary == KX_BINARY_ADD))) {
        before->act = act;
        absorb(p, before, n);
        u->dead = true;
        return KLDVE_OK;
    }
    u->kind = KX_UNIT_ACT;
    kx_unit_reads_one(u, x);
    u->act = act;
    return KLDVE_OK;
}

/* ---- by-channel scale and shift ---- */

/* Is v a constant that is one number for each channel of x [N][C]... (or one for all)? */
static bool by_channel(const kx_value *v, const kx_value *x)
{
    int32_t axis;

    if (!kx_constant_f32(v) || x->shape.rank < 3)
        return false;
    if (v->count == 1)
        return v->shape.rank <= x->shape.rank;
    axis = v->shape.rank - (x->shape.rank - 1); /* where the channels would stand */
    return v->shape.rank <= x->shape.rank && axis >= 0 && v->shape.dim[axis] == x->shape.dim[1] &&
           (int64_t)v->count == x->shape.dim[1];
}

/* Puts s x + t behind the scale and shift that u has; s, t [channels], NULL: 1, 0. */
static kldve_status compose(kx_planner *p, kx_unit *u, const float *s, const float *t,
                            int64_t channels)
{
    float *scale = kx_plan_alloc(p, (size_t)channels, sizeof *scale);
    float *shift = kx_plan_alloc(p, (size_t)channels, sizeof *shift);

    if (!scale || !shift)
        return kx_plan_nomem(p);
    for (int64_t c = 0; c < channels; c++) {
        float sc = s ? s[c] : 1, tc = t ? t[c] : 0;

        scale[c] = sc * (u->scale ? u->scale[c] : 1);
        shift[c] = sc * (u->shift ? u->shift[c] : 0) + tc;
    }
    u->scale = scale;
    u->shift = shift;
    return KLDVE_OK;
}

/* s x + t by channel, s, t [channels] or NULL: merged into the convolution that makes x, else a
 * unit by itself. */
static kldve_status fuse_affine(kx_planner *p, kx_unit *u, const kx_node *n, const kx_value *x,
                                const float *s, const float *t)
{
    kx_unit *before = open_unit(p, x);

    if (before && (before->kind == KX_UNIT_CONV || before->kind == KX_UNIT_AFFINE) &&
        before->nin == 1 && before->act.kind == KX_ACT_NONE) {
        absorb(p, before, n);
        u->dead = true;
        return compose(p, before, s, t, x->shape.dim[1]);
    }
    u->kind = KX_UNIT_AFFINE;
    kx_unit_reads_one(u, x);
    return compose(p, u, s, t, x->shape.dim[1]);
}

kldve_status kx_fuse_batchnorm(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_batchnorm_params *q = n->params;
    const float *in[5] = {NULL};
    float *s, *t;

    (void)which;
    for (int i = 1; i < 5; i++)
        if (!kx_constant_f32(n->in[i]))
            return KLDVE_OK;
    if (n->in[0]->shape.rank < 3)
        return KLDVE_OK;
    for (int i = 1; i < 5; i++)
        if (!(in[i] = kx_constant_floats(p, n->in[i])))
            return kx_plan_nomem(p);
    s = kx_plan_alloc(p, (size_t)q->channels, sizeof *s);
    t = kx_plan_alloc(p, (size_t)q->channels, sizeof *t);
    if (!s || !t)
        return kx_plan_nomem(p);
    for (int64_t c = 0; c < q->channels; c++) {
        double k = (double)in[1][c] / sqrt((double)in[4][c] + (double)q->epsilon);

        s[c] = (float)k;
        t[c] = (float)((double)in[2][c] - (double)in[3][c] * k);
    }
    return fuse_affine(p, u, n, n->in[0], s, t);
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

static kldve_status fuse_join(kx_planner *p, kx_unit *u, const kx_node *n, bool *done)
{
    kx_unit *a = open_unit(p, n->in[0]), *b = open_unit(p, n->in[1]);
    kx_unit *use = NULL;

    *done = false;
    if (a && (a->kind != KX_UNIT_CONV || a->nin > 1 || a->act.kind != KX_ACT_NONE))
        a = NULL;
    if (b && (b->kind != KX_UNIT_CONV || b->nin > 1 || b->act.kind != KX_ACT_NONE))
        b = NULL;
    use = !a ? b : !b ? a : a->order > b->order ? a : b; /* the later one: the other is then done */
    if (!use || n->in[0] == n->in[1])
        return KLDVE_OK;
    use->in[use->nin++] = use == a ? n->in[1] : n->in[0];
    absorb(p, use, n);
    u->dead = true;
    *done = true;
    return KLDVE_OK;
}

/* A dense layer's bias: a constant vector over the last axis. */
static kldve_status fuse_dense_bias(kx_planner *p, kx_unit *u, const kx_node *n, const kx_value *x,
                                    const kx_value *c, bool *done)
{
    kx_unit *before = open_unit(p, x);

    *done = false;
    if (!before || before->kind != KX_UNIT_DENSE || before->dense.bias ||
        before->act.kind != KX_ACT_NONE || !kx_constant_f32(c) ||
        (int64_t)c->count != before->dense.n || c->shape.rank < 1 ||
        c->shape.dim[c->shape.rank - 1] != before->dense.n || !same_shape(n->out[0], x))
        return KLDVE_OK;
    if (!(before->dense.bias = kx_constant_floats(p, c)))
        return kx_plan_nomem(p);
    absorb(p, before, n);
    u->dead = true;
    *done = true;
    return KLDVE_OK;
}

/* Scale and bias of a normalisation of rows: constants over the normalised axes, the last ones. */
static kldve_status fuse_row_affine(kx_planner *p, kx_unit *u, const kx_node *n, const kx_value *x,
                                    const kx_value *c, bool multiply)
{
    kx_unit *before = open_unit(p, x);
    const float *vector = kx_constant_floats(p, c);

    if (!vector)
        return kx_plan_nomem(p);
    if (multiply)
        before->rows.scale = vector;
    else
        before->rows.bias = vector;
    absorb(p, before, n);
    u->dead = true;
    return KLDVE_OK;
}

static bool is_row_affine(kx_planner *p, const kx_node *n, const kx_value *x, const kx_value *c,
                          kx_arith kind)
{
    const kx_unit *before = open_unit(p, x);
    int64_t covered = 1;

    if (!before || before->kind != KX_UNIT_ROWS || before->rows.kind != KX_ROWS_NORM ||
        before->rows.bias || (kind != KX_BINARY_ADD && kind != KX_BINARY_MUL) ||
        (kind == KX_BINARY_MUL && before->rows.scale) || (int64_t)c->count != before->rows.n ||
        !same_shape(n->out[0], x))
        return false;
    for (int32_t i = 1; i <= c->shape.rank && covered < before->rows.n; i++) {
        if (c->shape.dim[c->shape.rank - i] != x->shape.dim[x->shape.rank - i])
            return false;
        covered *= c->shape.dim[c->shape.rank - i];
    }
    return covered == before->rows.n;
}

/* x op one constant number. */
static kldve_status fuse_number(kx_planner *p, kx_unit *u, const kx_node *n, const kx_value *x,
                                kx_act act)
{
    kx_act spelled;
    const kx_value *of;

    if (act.b == 0 && kx_spelled_act(p, &x, 1, act.a, &of, &spelled))
        return kx_fuse_act(p, u, n, of, spelled);
    u->kind = KX_UNIT_ACT;
    kx_unit_reads_one(u, x);
    u->act = act;
    return KLDVE_OK;
}

/* Two arrays that vary: is it part of a function that is spelled out? */
static kldve_status fuse_spelled(kx_planner *p, kx_unit *u, const kx_node *n, kx_arith kind,
                                 bool *done)
{
    const kx_value *factor[2] = {n->in[0], n->in[1]}, *x;
    kx_act act;

    *done = true;
    if (kind == KX_BINARY_MUL && kx_spelled_act(p, factor, 2, 1, &x, &act))
        return kx_fuse_act(p, u, n, x, act);
    *done = !kx_rule_is_lrp(p->options.rule) &&
            ((kind == KX_BINARY_DIV && kx_spelled_norm(p, u, factor[0], factor[1], false)) ||
             (kind == KX_BINARY_MUL && (kx_spelled_norm(p, u, factor[0], factor[1], true) ||
                                        kx_spelled_norm(p, u, factor[1], factor[0], true))));
    return KLDVE_OK;
}

kldve_status kx_fuse_binary(kx_planner *p, kx_unit *u, const kx_node *n, int which)
{
    const kx_value *x = n->in[0], *y = n->in[1];
    kx_arith kind = (kx_arith)which;
    bool constant_first = x->raw != NULL;
    kldve_status st;
    bool done = false;
    kx_act act;

    if (x->dtype != KX_F32 || n->nin != 2)
        return KLDVE_OK;
    if (constant_first) {
        x = n->in[1];
        y = n->in[0];
    }
    if (kx_constant_f32(y) && same_shape(n->out[0], x)) {
        const float *c = kx_constant_floats(p, y);

        if (!c)
            return kx_plan_nomem(p);
        if (kind == KX_BINARY_ADD && ((st = fuse_dense_bias(p, u, n, x, y, &done)) < 0 || done))
            return st;
        if (is_row_affine(p, n, x, y, kind))
            return fuse_row_affine(p, u, n, x, y, kind == KX_BINARY_MUL);
        if (by_channel(y, x) && (kind == KX_BINARY_ADD || kind == KX_BINARY_MUL) && y->count > 1)
            return kind == KX_BINARY_ADD ? fuse_affine(p, u, n, x, NULL, c)
                                         : fuse_affine(p, u, n, x, c, NULL);
        if (y->count == 1 && linear_act(kind, constant_first, c[0], &act))
            return fuse_number(p, u, n, x, act);
        return KLDVE_OK;
    }
    if (!kx_varying_f32(x) || !kx_varying_f32(y))
        return KLDVE_OK;
    if ((st = fuse_spelled(p, u, n, kind, &done)) < 0 || done)
        return st;
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
    u->in[0] = x;
    u->in[1] = y;
    u->nin = 2;
    return KLDVE_OK;
}
