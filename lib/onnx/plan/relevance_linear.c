/* relevance_linear.c - see relevance_linear.h. */
#include "relevance_linear.h"

#include "packed.h"
#include "relevance_traits.h"
#include "relevance_steps.h"

static const kx_range positive = {0, INFINITY}, negative = {-INFINITY, 0}, ones = {1, 1};

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
    bool first = !(kx_place_of(p, u->in[0])->traits & KX_DEEP);
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
        return first ? u->kind == KX_UNIT_AFFINE ? PASS : FLAT : dense ? EPSILON : ZPLUS;
    }
}

static kldve_status conv_term(kx_planner *p, kx_unit *u, const term *t, kx_grad *z)
{
    kx_conv_desc bare = u->conv;
    int32_t bind[KX_SLOTS];
    const kx_layout *src;
    kx_prim *prim;
    kldve_status st;

    bare.act.kind = KX_ACT_NONE;
    bare.bias = t->bias;
    if ((st = kx_accel_conv(p->plan->accel, &bare, KX_JOIN_NONE, NULL, &prim)) < 0)
        return st;
    kx_unbound(bind);
    src = kx_prim_layout(prim, KX_SRC);
    if ((st = kx_value_in(p, u, u->in[0], src, &bind[KX_SRC])) < 0 ||
        (st = kx_add_clamp(p, u, bind[KX_SRC], src, t->x, &bind[KX_SRC])) < 0 ||
        (st = kx_pack(p, u, t->w, kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) < 0 ||
        (t->bias && (st = kx_pack_bias(p, u, t->w, &bind[KX_BIAS])) < 0) ||
        (st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    *z = (kx_grad){bind[KX_DST], kx_prim_layout(prim, KX_DST), false};
    return KLDVE_OK;
}

static kldve_status conv_term_vjp(kx_planner *p, kx_unit *u, const term *t, kx_grad s, kx_grad *out)
{
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st;

    kx_unbound(bind);
    if ((st = kx_accel_conv_vjp(p->plan->accel, &u->conv, &prim)) < 0 ||
        (st = kx_grad_in(p, u, u->out[0], kx_prim_layout(prim, KX_DIFF_DST), &s)) < 0 ||
        (st = kx_pack(p, u, t->w, kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) < 0)
        return st;
    bind[KX_DIFF_DST] = s.buffer;
    if ((st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    *out = (kx_grad){bind[KX_DIFF_SRC], kx_prim_layout(prim, KX_DIFF_SRC), false};
    return KLDVE_OK;
}

/* from [m][k] -> z [m][n], or with KX_STEP_DENSE_PART_VJP from [m][n] -> dx [m][k]. */
static kldve_status dense_step(kx_planner *p, kx_unit *u, kx_step_kind kind, const term *t,
                               int32_t from, kx_grad *out)
{
    bool forward = kind == KX_STEP_DENSE_PART;
    const kx_layout *layout =
        kx_layout_plain(p->plan->accel, forward ? &u->out[0]->shape : &u->in[0]->shape);
    kx_dense_step s = {u->dense, u->act, t->w, from, -1, -1};
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    if (forward && t->bias && u->dense.bias &&
        (st = kx_buffer_fixed(p, u->dense.bias, &s.bias)) < 0)
        return st;
    if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s.to)) < 0)
        return st;
    *out = (kx_grad){s.to, layout, false};
    return kx_step_add(p, u, (kx_step){.kind = kind, .as.dense = s});
}

static kldve_status dense_term(kx_planner *p, kx_unit *u, const term *t, kx_grad *z)
{
    const kx_layout *plain = kx_layout_plain(p->plan->accel, &u->in[0]->shape);
    int32_t x;
    kldve_status st;

    if (!plain)
        return kx_plan_nomem(p);
    if ((st = kx_value_in(p, u, u->in[0], plain, &x)) < 0 ||
        (st = kx_add_clamp(p, u, x, plain, t->x, &x)) < 0)
        return st;
    return dense_step(p, u, KX_STEP_DENSE_PART, t, x, z);
}

static kldve_status dense_term_vjp(kx_planner *p, kx_unit *u, const term *t, kx_grad s,
                                   kx_grad *out)
{
    kldve_status st = kx_grad_in(p, u, u->out[0], NULL, &s);

    return st < 0 ? st : dense_step(p, u, KX_STEP_DENSE_PART_VJP, t, s.buffer, out);
}

/* One group: relevance r of the output -> *total at x. */
static kldve_status through_group(kx_planner *p, kx_unit *u, const group *g, bool made, kx_grad r,
                                  kx_grad *total)
{
    bool dense = u->kind == KX_UNIT_DENSE;
    int32_t z[2] = {kx_place_of(p, u->out[0])->copy[0].buffer, -1};
    kldve_status st;

    for (int32_t i = 0; !made && i < g->terms; i++) {
        kx_grad part;

        if ((st = dense ? dense_term(p, u, &g->term[i], &part)
                        : conv_term(p, u, &g->term[i], &part)) < 0 ||
            (st = i == 0 ? kx_grad_in(p, u, u->out[0], part.layout, &r)
                         : kx_grad_in(p, u, u->out[0], r.layout, &part)) < 0)
            return st;
        z[i] = part.buffer;
    }
    if ((st = kx_add_share(p, u, z, g->factor, r, &r)) < 0)
        return st;
    for (int32_t i = 0; i < g->terms; i++) {
        kx_grad part;

        if ((st = dense ? dense_term_vjp(p, u, &g->term[i], r, &part)
                        : conv_term_vjp(p, u, &g->term[i], r, &part)) < 0 ||
            (st = kx_add_take(p, u, u->in[0], g->term[i].x, part, total)) < 0)
            return st;
    }
    return KLDVE_OK;
}

kldve_status kx_relevance_linear(kx_planner *p, kx_unit *u, kx_grad r)
{
    bool nonnegative = kx_place_of(p, u->in[0])->traits & KX_NONNEGATIVE;
    unit_rule rule = rule_of(p, u);
    group g[MAX_GROUPS];
    kx_grad total = {-1, NULL, false};
    int32_t groups;
    kldve_status st;

    if (rule == PASS)
        return kx_give(p, u, u->in[0], r);
    groups = groups_of(rule, nonnegative, g);
    for (int32_t i = 0; i < groups; i++) {
        kx_grad mine = r;

        mine.shared = r.shared || i + 1 < groups; /* the other group reads it, too */
        if ((st = through_group(p, u, &g[i], rule == EPSILON, mine, &total)) < 0)
            return st;
    }
    return kx_give(p, u, u->in[0], total);
}

/* A scale and shift by channel as a convolution of each channel by itself. */
kldve_status kx_relevance_affine(kx_planner *p, kx_unit *u, kx_grad r)
{
    const kx_shape *s = &u->in[0]->shape;

    if (s->rank != 4)
        return kx_refuse_in(p->ctx, u->node,
                            "relevance propagation needs an array [N][C][H][W] here");
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
    return kx_relevance_linear(p, u, r);
}
