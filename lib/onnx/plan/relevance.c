/* lrp.c - units -> the steps of layer-wise relevance propagation, from the last unit to the first.
 *
 * A unit shares the relevance R of its output out among its operands.  A linear one, z = W x + b,
 * does so in proportion to what they contributed (S. Bach et al., "On Pixel-Wise Explanations for
 * Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", PLoS ONE 10(7), 2015),
 * which can be written as a VJP between two elementwise steps (G. Montavon et al., "Layer-Wise
 * Relevance Propagation: An Overview", 2019).  With <z> = z + 1e-6 sign z, x+ = max(x, 0), x- =
 * min(x, 0):
 *
 *     epsilon       R_in = x W^T (R / <z>)                                     Bach, Eq. (58)
 *     z+            R_in = x+ W+^T s + x- W-^T s,   s = R / <W+ x+ + W- x- + b+>
 *     alpha-beta    R_in = 2 (z+) - 1 (x+ W-^T t + x- W+^T t),  t = R / <W- x+ + W+ x- + b->
 *                                                                              Bach, Eq. (60)
 *     flat          R_in = 1^T (R / <1 x 1>): evenly over what the unit saw    (Lapuschkin et al.,
 *                   Nature Communications 10, 1096, 2019)
 *     composite     flat in the layers that see the picture, z+ in other convolutions, epsilon in
 *                   dense layers: EpsilonPlusFlat of zennit (C. Anders et al., arXiv:2106.13200),
 *                   whose definitions and stabiliser these are
 *
 * Normalisation is part of the convolution that it was merged into, and else a convolution of each
 * channel by itself; in front of the first layer of a composite it passes everything on.  Under
 * every rule: sums and averages share out by contribution (epsilon); the winner of a maximum takes
 * all; activations and local response normalisation pass all on, and so do products, to the signal:
 * the gate that scales it counts as constant.  Operators without any of these are refused.
 *
 * Where x is known to be positive - behind a rectifier - terms of x- are left out. */
#include "plan.h"

#include <string.h>

#include "ops/params.h"

static const kx_range positive = {0, INFINITY}, negative = {-INFINITY, 0}, ones = {1, 1};

/* ---- what has to be known of values
 * ------------------------------------------------------------------------------- */

enum {
    NONNEGATIVE = 1, /* no element is below 0 */
    DEEP = 2,        /* a convolution or dense layer lies between the input and it */
    BOUNDED = 4,     /* 0 to some constant: a clipped signal, or a gate */
    GATE = 8         /* surely a gate: a sigmoid, or a clipped and scaled signal */
};

static uint8_t traits_of_act(kx_act act, uint8_t x)
{
    switch (act.kind) {
    case KX_ACT_NONE:
        return x;
    case KX_ACT_RELU:
        return NONNEGATIVE;
    case KX_ACT_CLIP:
        return act.a < 0 || !isfinite(act.b) ? act.a < 0 ? 0 : NONNEGATIVE
               : act.b <= 1                  ? NONNEGATIVE | BOUNDED | GATE
                                             : NONNEGATIVE | BOUNDED;
    case KX_ACT_SIGMOID:
        return NONNEGATIVE | BOUNDED | GATE;
    case KX_ACT_LINEAR:
        return x & BOUNDED ? BOUNDED | GATE : 0;
    case KX_ACT_LEAKY:
    case KX_ACT_TANH:
    case KX_ACT_ELU:
    case KX_ACT_SWISH:
    case KX_ACT_HARDSWISH:
        break;
    }
    return 0;
}

static uint8_t traits_of_node(const kx_node *n)
{
    return n->op->traits.unit_interval ? NONNEGATIVE | BOUNDED | GATE : 0;
}

void kx_lrp_mark(kx_planner *p)
{
    for (int32_t i = 0; i < p->g->nvalue; i++)
        p->place[i].traits = 0;
    for (int32_t i = 0; i < p->plan->nunit; i++) {
        const kx_unit *u = &p->plan->unit[i];
        uint8_t traits = u->x ? kx_place_of(p, u->x)->traits : 0, all = NONNEGATIVE, deep = 0;

        if (u->kind == KX_UNIT_NODE || u->kind == KX_UNIT_CONCAT)
            for (int32_t k = 0; k < u->node->nin; k++)
                if (u->node->in[k]) {
                    all &= kx_place_of(p, u->node->in[k])->traits;
                    deep |= kx_place_of(p, u->node->in[k])->traits & DEEP;
                }
        switch (u->kind) {
        case KX_UNIT_CONV:
        case KX_UNIT_DENSE:
        case KX_UNIT_AFFINE:
            deep = u->kind == KX_UNIT_AFFINE ? traits & DEEP : DEEP;
            traits = deep | traits_of_act(u->act, 0);
            break;
        case KX_UNIT_ACT:
            traits = (traits & DEEP) | traits_of_act(u->act, traits);
            break;
        case KX_UNIT_BINARY:
            all = traits & kx_place_of(p, u->y)->traits & NONNEGATIVE;
            if (u->binary != KX_BINARY_ADD && u->binary != KX_BINARY_MUL)
                all = 0;
            deep = (traits | kx_place_of(p, u->y)->traits) & DEEP;
            traits = deep | traits_of_act(u->act, all);
            break;
        case KX_UNIT_CONCAT:
            traits = deep | all;
            break;
        case KX_UNIT_NODE:
            traits = deep | traits_of_node(u->node);
            if (u->node->op->traits.mixing != KX_MIXING_NONE)
                traits |= DEEP;
            break;
        case KX_UNIT_POOL:
        case KX_UNIT_LRN:
        case KX_UNIT_VIEW:
            break;
        }
        kx_place_of(p, u->out)->traits = traits;
        for (int32_t k = 0; u->kind == KX_UNIT_NODE && k < u->node->nout; k++)
            if (u->node->out[k])
                kx_place_of(p, u->node->out[k])->traits = traits;
    }
}

/* ---- elementwise steps
 * --------------------------------------------------------------------------------------- */

/* range of a buffer, in a new one unless the range changes nothing. */
static kldve_status clamp(kx_planner *p, const kx_unit *u, int32_t x, const kx_layout *layout,
                          kx_range range, int32_t *out)
{
    kx_step *s;
    kldve_status st;

    *out = x;
    if (range.lo == -INFINITY && range.hi == INFINITY)
        return KLDVE_OK;
    if ((st = kx_step_new(p, KX_STEP_CLAMP, u, &s)) < 0)
        return st;
    s->range = range;
    s->count = kx_layout_bytes(layout) / sizeof(float);
    s->buf[KX_SRC] = x;
    if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s->buf[KX_DST])) < 0)
        return st;
    *out = s->buf[KX_DST];
    kx_step_done(p, s);
    return KLDVE_OK;
}

/* factor r / <z + z1>, all in r's layout; z1 -1: none. */
static kldve_status share(kx_planner *p, const kx_unit *u, const int32_t z[2], float factor,
                          kx_grad r, kx_grad *out)
{
    kx_step *s;
    kldve_status st = kx_step_new(p, KX_STEP_SHARE, u, &s);

    if (st < 0)
        return st;
    s->factor = factor;
    s->off = u->act.kind == KX_ACT_RELU;
    s->count = kx_layout_bytes(r.layout) / sizeof(float);
    s->buf[KX_SRC] = z[0];
    s->buf[KX_SRC1] = z[1];
    s->buf[KX_DIFF_DST] = s->buf[KX_DST] = r.buffer;
    if (r.shared && (st = kx_buffer_new(p, kx_layout_bytes(r.layout), &s->buf[KX_DST])) < 0)
        return st;
    *out = (kx_grad){s->buf[KX_DST], r.layout, false};
    kx_step_done(p, s);
    return KLDVE_OK;
}

/* range of v times g, added to what *total holds (buffer -1: nothing yet). */
static kldve_status take(kx_planner *p, const kx_unit *u, const kx_value *v, kx_range range,
                         kx_grad g, kx_grad *total)
{
    kx_step *s;
    int32_t x;
    kldve_status st;

    if (total->buffer >= 0 && (st = kx_grad_in(p, u, v, g.layout, total)) < 0)
        return st;
    if ((st = kx_value_in(p, u, v, g.layout, &x)) < 0 ||
        (st = kx_step_new(p, KX_STEP_TAKE, u, &s)) < 0)
        return st;
    s->range = range;
    s->count = kx_layout_bytes(g.layout) / sizeof(float);
    s->buf[KX_SRC] = x;
    s->buf[KX_DIFF_SRC] = g.buffer;
    s->buf[KX_ADDEND] = total->buffer;
    s->buf[KX_DST] = g.buffer;
    if (g.shared && (st = kx_buffer_new(p, kx_layout_bytes(g.layout), &s->buf[KX_DST])) < 0)
        return st;
    *total = (kx_grad){s->buf[KX_DST], g.layout, false};
    kx_step_done(p, s);
    return KLDVE_OK;
}

/* ---- linear units
 * ------------------------------------------------------------------------------------------- */

/* One product of clamped weights and clamped input. */
typedef struct term {
    kx_range x, w;
    bool bias;
} term;

/* Relevance times `factor` is shared out in proportion to the sum of the terms. */
typedef struct group {
    float factor;
    int32_t terms;
    term term[2];
} group;

enum { MAX_GROUPS = 2 };

typedef enum unit_rule { PASS, EPSILON, ZPLUS, ALPHABETA, FLAT } unit_rule;

static int32_t groups_of(unit_rule rule, bool nonnegative, group g[MAX_GROUPS])
{
    kx_range up = nonnegative ? kx_whole() : positive; /* the positive part of x */
    int32_t terms = nonnegative ? 1 : 2;

    if (rule == EPSILON || rule == FLAT) {
        kx_range all = rule == FLAT ? ones : kx_whole();

        g[0] = (group){1, 1, {{all, all, rule == EPSILON}}};
        return 1;
    }
    g[0] =
        (group){rule == ZPLUS ? 1 : 2, terms, {{up, positive, true}, {negative, negative, false}}};
    g[1] = (group){-1, terms, {{up, negative, true}, {negative, positive, false}}};
    return rule == ZPLUS ? 1 : 2;
}

static unit_rule rule_of(kx_planner *p, const kx_unit *u)
{
    bool first = !(kx_place_of(p, u->x)->traits & DEEP);
    /* A convolution of one cell is still one. */
    bool dense = u->kind == KX_UNIT_DENSE && u->node->op->traits.mixing == KX_MIXING_DENSE;

    switch (p->options.rule) {
    case KLDVE_RULE_LRP_EPSILON:
        return EPSILON;
    case KLDVE_RULE_LRP_ZPLUS:
        return ZPLUS;
    case KLDVE_RULE_LRP_ALPHABETA:
        return ALPHABETA;
    default:
        return first   ? u->kind == KX_UNIT_AFFINE ? PASS : FLAT
               : dense ? EPSILON
                       : ZPLUS;
    }
}

static void unbound(int32_t bind[KX_SLOTS])
{
    for (int i = 0; i < KX_SLOTS; i++)
        bind[i] = -1;
}

static kldve_status conv_term(kx_planner *p, kx_unit *u, const term *t, kx_grad *z)
{
    kx_conv_desc bare = u->conv;
    int32_t bind[KX_SLOTS];
    const kx_layout *src;
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    bare.act.kind = KX_ACT_NONE;
    bare.bias = t->bias;
    if ((st = kx_accel_conv(p->plan->accel, &bare, KX_JOIN_NONE, NULL, &prim)) < 0)
        return st;
    unbound(bind);
    src = kx_prim_layout(prim, KX_SRC);
    if ((st = kx_value_in(p, u, u->x, src, &bind[KX_SRC])) < 0 ||
        (st = clamp(p, u, bind[KX_SRC], src, t->x, &bind[KX_SRC])) < 0 ||
        (st = kx_pack(p, u, t->w, kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) < 0 ||
        (t->bias && (st = kx_pack_bias(p, u, t->w, &bind[KX_BIAS])) < 0) ||
        (st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    *z = (kx_grad){s->buf[KX_DST], kx_prim_layout(prim, KX_DST), false};
    return KLDVE_OK;
}

static kldve_status conv_term_vjp(kx_planner *p, kx_unit *u, const term *t, kx_grad s, kx_grad *out)
{
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *step;
    kldve_status st;

    unbound(bind);
    if ((st = kx_accel_conv_vjp(p->plan->accel, &u->conv, &prim)) < 0 ||
        (st = kx_grad_in(p, u, u->out, kx_prim_layout(prim, KX_DIFF_DST), &s)) < 0 ||
        (st = kx_pack(p, u, t->w, kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) < 0)
        return st;
    bind[KX_DIFF_DST] = s.buffer;
    if ((st = kx_step_prim(p, u, prim, bind, &step)) < 0)
        return st;
    *out = (kx_grad){step->buf[KX_DIFF_SRC], kx_prim_layout(prim, KX_DIFF_SRC), false};
    return KLDVE_OK;
}

/* from [m][k] -> z [m][n], or with KX_STEP_DENSE_PART_VJP from [m][n] -> dx [m][k]. */
static kldve_status dense_step(kx_planner *p, kx_unit *u, kx_step_kind kind, const term *t,
                               int32_t from, kx_grad *out)
{
    bool forward = kind == KX_STEP_DENSE_PART;
    const kx_layout *layout =
        kx_layout_plain(p->plan->accel, forward ? &u->out->shape : &u->x->shape);
    kx_step *s;
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    if ((st = kx_step_new(p, kind, u, &s)) < 0)
        return st;
    s->range = t->w;
    s->buf[forward ? KX_SRC : KX_DIFF_DST] = from;
    if (forward && t->bias && u->dense.bias &&
        (st = kx_buffer_fixed(p, u->dense.bias, &s->buf[KX_BIAS])) < 0)
        return st;
    if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s->buf[forward ? KX_DST : KX_DIFF_SRC])) <
        0)
        return st;
    *out = (kx_grad){s->buf[forward ? KX_DST : KX_DIFF_SRC], layout, false};
    kx_step_done(p, s);
    return KLDVE_OK;
}

static kldve_status dense_term(kx_planner *p, kx_unit *u, const term *t, kx_grad *z)
{
    const kx_layout *plain = kx_layout_plain(p->plan->accel, &u->x->shape);
    int32_t x;
    kldve_status st;

    if (!plain)
        return kx_plan_nomem(p);
    if ((st = kx_value_in(p, u, u->x, plain, &x)) < 0 || (st = clamp(p, u, x, plain, t->x, &x)) < 0)
        return st;
    return dense_step(p, u, KX_STEP_DENSE_PART, t, x, z);
}

static kldve_status dense_term_vjp(kx_planner *p, kx_unit *u, const term *t, kx_grad s,
                                   kx_grad *out)
{
    kldve_status st = kx_grad_in(p, u, u->out, NULL, &s);

    return st < 0 ? st : dense_step(p, u, KX_STEP_DENSE_PART_VJP, t, s.buffer, out);
}

/* One group: relevance r of the output -> *total at x. */
static kldve_status through_group(kx_planner *p, kx_unit *u, const group *g, bool made, kx_grad r,
                                  kx_grad *total)
{
    bool dense = u->kind == KX_UNIT_DENSE;
    int32_t z[2] = {kx_place_of(p, u->out)->copy[0].buffer, -1};
    kldve_status st;

    for (int32_t i = 0; !made && i < g->terms; i++) {
        kx_grad part;

        if ((st = dense ? dense_term(p, u, &g->term[i], &part)
                        : conv_term(p, u, &g->term[i], &part)) < 0 ||
            (st = i == 0 ? kx_grad_in(p, u, u->out, part.layout, &r)
                         : kx_grad_in(p, u, u->out, r.layout, &part)) < 0)
            return st;
        z[i] = part.buffer;
    }
    if ((st = share(p, u, z, g->factor, r, &r)) < 0)
        return st;
    for (int32_t i = 0; i < g->terms; i++) {
        kx_grad part;

        if ((st = dense ? dense_term_vjp(p, u, &g->term[i], r, &part)
                        : conv_term_vjp(p, u, &g->term[i], r, &part)) < 0 ||
            (st = take(p, u, u->x, g->term[i].x, part, total)) < 0)
            return st;
    }
    return KLDVE_OK;
}

static kldve_status through_linear(kx_planner *p, kx_unit *u, kx_grad r)
{
    bool nonnegative = kx_place_of(p, u->x)->traits & NONNEGATIVE;
    unit_rule rule = rule_of(p, u);
    group g[MAX_GROUPS];
    kx_grad total = {-1, NULL, false};
    int32_t groups;
    kldve_status st;

    if (rule == PASS)
        return kx_give(p, u, u->x, r);
    groups = groups_of(rule, nonnegative, g);
    for (int32_t i = 0; i < groups; i++) {
        kx_grad mine = r;

        mine.shared = r.shared || i + 1 < groups; /* the other group reads it, too */
        if ((st = through_group(p, u, &g[i], rule == EPSILON, mine, &total)) < 0)
            return st;
    }
    return kx_give(p, u, u->x, total);
}

/* A scale and shift by channel as a convolution of each channel by itself. */
static kldve_status through_affine(kx_planner *p, kx_unit *u, kx_grad r)
{
    const kx_shape *s = &u->x->shape;

    if (s->rank != 4)
        return kx_refuse(p->g, u->node, "relevance propagation needs [N][C][H][W] here");
    u->conv = (kx_conv_desc){.batch = s->dim[0],
                             .in_channels = s->dim[1],
                             .out_channels = s->dim[1],
                             .groups = s->dim[1],
                             .in = {s->dim[2], s->dim[3]},
                             .out = {s->dim[2], s->dim[3]},
                             .kernel = {1, 1},
                             .stride = {1, 1},
                             .dilation = {1, 1},
                             .bias = true};
    return through_linear(p, u, r);
}

/* ---- other units
 * ------------------------------------------------------------------------------------------- */

static kldve_status through_window(kx_planner *p, kx_unit *u, kx_grad r)
{
    const int32_t z[2] = {kx_place_of(p, u->out)->copy[0].buffer, -1};
    kx_grad total = {-1, NULL, false};
    kldve_status st;

    if (u->pool.kind == KX_POOL_MAX)
        return (st = kx_window_vjp(p, u, r, &total)) < 0 ? st : kx_give(p, u, u->x, total);
    if ((st = share(p, u, z, 1, r, &r)) < 0 || (st = kx_window_vjp(p, u, r, &r)) < 0)
        return st;
    return (st = take(p, u, u->x, kx_whole(), r, &total)) < 0 ? st : kx_give(p, u, u->x, total);
}

/* A linear operator by its own VJP: every operand takes x VJP(R / <z>). */
static kldve_status through_sum(kx_planner *p, kx_unit *u, kx_grad r)
{
    const kx_node *n = u->node;
    const kx_layout *plain = kx_layout_plain(p->plan->accel, &u->out->shape);
    int32_t z[2] = {-1, -1}, dout[KX_MAX_OUT];
    kldve_status st;

    if (!plain)
        return kx_plan_nomem(p);
    if ((st = kx_grad_in(p, u, u->out, plain, &r)) < 0 ||
        (st = kx_value_in(p, u, u->out, plain, &z[0])) < 0 || (st = share(p, u, z, 1, r, &r)) < 0)
        return st;
    for (int32_t i = 0; i < n->nout; i++)
        dout[i] = i == 0 ? r.buffer : -1;
    for (int32_t i = 0; i < n->nin; i++) {
        kx_grad d, total = {-1, NULL, false};

        if (!n->in[i] || n->in[i]->raw || !kx_place_of(p, n->in[i])->active)
            continue;
        if ((st = kx_node_vjp(p, u, dout, i, &d)) < 0 ||
            (st = take(p, u, n->in[i], kx_whole(), d, &total)) < 0 ||
            (st = kx_give(p, u, n->in[i], total)) < 0)
            return st;
    }
    return KLDVE_OK;
}

/* A sum of two arrays of one shape. */
static kldve_status through_add(kx_planner *p, kx_unit *u, kx_grad r)
{
    const int32_t z[2] = {kx_place_of(p, u->out)->copy[0].buffer, -1};
    kx_grad s, x = {-1, NULL, false}, y = {-1, NULL, false};
    kldve_status st = share(p, u, z, 1, r, &s);

    s.shared = true; /* the other operand's turn comes yet */
    if (st < 0 || (st = take(p, u, u->x, kx_whole(), s, &x)) < 0 ||
        (st = kx_give(p, u, u->x, x)) < 0)
        return st;
    s.shared = false;
    return (st = take(p, u, u->y, kx_whole(), s, &y)) < 0 ? st : kx_give(p, u, u->y, y);
}

static int certainty(uint8_t traits)
{
    return traits & GATE ? 2 : traits & BOUNDED ? 1 : 0;
}

/* A product: all to the signal.  The gate is a sigmoid or its like, else the smaller operand. */
static kldve_status through_product(kx_planner *p, kx_unit *u, kx_grad r)
{
    const kx_value *a = u->node->in[0], *b = u->node->in[1], *signal;
    int of_a = a->raw ? 3 : certainty(kx_place_of(p, a)->traits);
    int of_b = b->raw ? 3 : certainty(kx_place_of(p, b)->traits);

    if (of_a == of_b && a->count == b->count)
        return kx_refuse(p->g, u->node,
                         "relevance propagation cannot tell which operand is the gate");
    signal = of_a != of_b ? of_a < of_b ? a : b : a->count < b->count ? b : a;
    if (signal->count != u->out->count)
        return kx_refuse(p->g, u->node,
                         "relevance propagation needs a signal of the result's size");
    return kx_give(p, u, signal, r);
}

static kldve_status through_quotient(kx_planner *p, kx_unit *u, kx_grad r)
{
    const kx_value *signal = u->node->in[0];

    if (signal->raw || signal->count != u->out->count)
        return kx_refuse(p->g, u->node,
                         "relevance propagation needs a numerator of the result's "
                         "size that is not constant");
    return kx_give(p, u, signal, r);
}

static kldve_status through_binary(kx_planner *p, kx_unit *u, kx_grad r)
{
    if (u->binary == KX_BINARY_MUL)
        return through_product(p, u, r);
    if (u->binary == KX_BINARY_DIV)
        return through_quotient(p, u, r);
    return u->binary == KX_BINARY_ADD && u->x->count == u->y->count ? through_add(p, u, r)
                                                                    : through_sum(p, u, r);
}

/* ---- operators that run as themselves
 * ------------------------------------------------------------------------- */

static int32_t varying_operands(const kx_node *n)
{
    int32_t count = 0;

    for (int32_t i = 0; i < n->nin; i++)
        count += n->in[i] && !n->in[i]->raw;
    return count;
}

static bool by_contribution(kx_planner *p, const kx_node *n)
{
    bool dense = n->op->traits.mixing == KX_MIXING_DENSE;

    return varying_operands(n) == 1 &&
           (p->options.rule == KLDVE_RULE_LRP_EPSILON ||
            (dense && p->options.rule == KLDVE_RULE_LRP_COMPOSITE &&
             kx_place_of(p, n->in[0]->raw ? n->in[1] : n->in[0])->traits & DEEP));
}

static kldve_status through_move(kx_planner *p, kx_unit *u)
{
    const kx_node *n = u->node;
    int32_t dout[KX_MAX_OUT];
    kldve_status st;

    for (int32_t i = 0; i < n->nout; i++) {
        kx_grad r;

        dout[i] = -1;
        if (!n->out[i] || kx_place_of(p, n->out[i])->grad < 0)
            continue;
        r = kx_grad_of(p, n->out[i]);
        if ((st = kx_grad_in(p, u, n->out[i], NULL, &r)) < 0)
            return st;
        dout[i] = r.buffer;
    }
    for (int32_t i = 0; i < n->nin; i++) {
        kx_grad d;

        if (!n->in[i] || n->in[i]->raw || !kx_place_of(p, n->in[i])->active)
            continue;
        if ((st = kx_node_vjp(p, u, dout, i, &d)) < 0 || (st = kx_give(p, u, n->in[i], d)) < 0)
            return st;
    }
    return KLDVE_OK;
}

static kldve_status through_node(kx_planner *p, kx_unit *u)
{
    const kx_node *n = u->node;
    kx_effect how = n->op->traits.effect;
    bool any = false;

    for (int32_t i = 0; i < n->nout; i++)
        any = any || (n->out[i] && kx_place_of(p, n->out[i])->grad >= 0);
    if (!any) /* a gate: no relevance goes there */
        return KLDVE_OK;
    if (how == KX_EFFECT_MOVES)
        return through_move(p, u);
    if (how == KX_EFFECT_MULTIPLIES)
        return through_product(p, u, kx_grad_of(p, u->out));
    if (how == KX_EFFECT_DIVIDES)
        return through_quotient(p, u, kx_grad_of(p, u->out));
    if (how == KX_EFFECT_ACTIVATES)
        return kx_give(p, u, n->in[0], kx_grad_of(p, u->out));
    if (how == KX_EFFECT_ADDS || (how == KX_EFFECT_WEIGHS && by_contribution(p, n)))
        return through_sum(p, u, kx_grad_of(p, u->out));
    return kx_refuse(p->g, n, "relevance propagation has no rule for it%s",
                     how == KX_EFFECT_WEIGHS ? " but epsilon, with constant weights" : "");
}

kldve_status kx_lrp_unit(kx_planner *p, kx_unit *u)
{
    kx_grad r;

    if (u->kind == KX_UNIT_NODE)
        return through_node(p, u);
    r = kx_grad_of(p, u->out);
    if (r.buffer < 0)
        return KLDVE_OK;
    switch (u->kind) {
    case KX_UNIT_CONV:
    case KX_UNIT_DENSE:
        return through_linear(p, u, r);
    case KX_UNIT_AFFINE:
        return through_affine(p, u, r);
    case KX_UNIT_POOL:
        return through_window(p, u, r);
    case KX_UNIT_LRN:
    case KX_UNIT_ACT:
        return kx_give(p, u, u->x, r);
    case KX_UNIT_BINARY:
        return through_binary(p, u, r);
    case KX_UNIT_CONCAT:
        return kx_concat_vjp(p, u, r);
    case KX_UNIT_VIEW:
        return kx_view_vjp(p, u, r);
    case KX_UNIT_NODE:
        break;
    }
    return KLDVE_OK;
}
