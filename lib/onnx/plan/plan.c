/* plan.c - graph -> plan: what is planned in which order. */
#include "plan.h"

#include <string.h>

#include <omp.h>

#include "accel/rule.h"
#include "accel/team.h"
#include "attention.h"
#include "backward.h"
#include "byte_units.h"
#include "effort.h"
#include "entry.h"
#include "forward.h"
#include "memory.h"
#include "packed.h"
#include "units.h"
#include "usage.h"

static kldve_status plan_vjp(kx_planner *p, kx_target target, const kx_value *to)
{
    kx_plan *plan = p->plan;
    kldve_status st;

    plan->vjp[target].from = plan->nstep;
    st = kx_plan_backward(p, to, &plan->cotangent[target], &plan->gradient[target]);
    plan->vjp[target].to = plan->nstep;
    return st;
}

static kldve_status build(kx_planner *p)
{
    kx_plan *plan = p->plan;
    const kx_value *deepest;
    int32_t outputs;
    kldve_status st;

    if ((st = kx_find_needed(p)) < 0 || (st = kx_check_sizes(p)) < 0 ||
        (p->options.attentions && (st = kx_attentions_find(p)) < 0))
        return st;
    deepest = p->options.vjp_input ? p->options.input : p->options.layer;
    if (p->options.vjp || p->options.vjp_input)
        kx_mark_flow(p, deepest);
    if ((st = kx_units_make(p)) < 0 || (st = kx_check_effort(p)) < 0)
        return st;
    kx_find_last_uses(p);
    kx_mark_after(p);
    if ((p->options.vjp || p->options.vjp_input) && (st = kx_mark_active(p, deepest)) < 0)
        return st;
    if ((st = kx_byte_units(p)) < 0 || (st = kx_forward_given(p)) < 0)
        return st;
    for (int32_t i = 0; i < p->nunit; i++)
        if (!p->unit[i].dead && ((st = kldve_ctx_progress(p->ctx, "planning", i, p->nunit)) < 0 ||
                                 (st = kx_forward_unit(p, &p->unit[i])) < 0))
            return st;
    outputs = plan->nstep;
    if (p->options.layer && (st = kx_forward_output(p, p->options.layer, &plan->features)) < 0)
        return st;
    if (p->options.layer != p->options.logits) /* else what hands out one hands out both */
        outputs = plan->nstep;
    if ((st = kx_forward_output(p, p->options.logits, &plan->logits)) < 0)
        return st;
    plan->forward.to = plan->nstep;
    kx_touch(p, plan->logits.buffer);
    kx_touch(p, plan->features.buffer);
    if ((p->options.vjp && (st = plan_vjp(p, KX_TO_LAYER, p->options.layer)) < 0) ||
        (p->options.vjp_input && (st = plan_vjp(p, KX_TO_INPUT, p->options.input)) < 0))
        return st;
    plan->enter.from = plan->nstep;
    if (p->options.layer && !p->options.attentions && (st = kx_plan_entry(p, outputs)) < 0)
        return st;
    plan->enter.to = plan->nstep;
    return kx_plan_memory(p);
}

/* For kx_lead(). */
struct building {
    kx_planner *p;
    kldve_status status;
};

static void build_plan(void *building)
{
    struct building *b = building;
    kx_planner *p = b->p;
    int threads = omp_get_max_threads();
    /* Relevance divides by sums that may be near 0, which Winograd's rounding would change. */
    bool direct = p->options.direct || kx_rule_is_lrp(p->options.rule);

    omp_set_num_threads(p->options.threads); /* oneDNN plans for the threads it will find */
    b->status = kx_accel_new(p->ctx, direct, p->options.measure, &p->plan->accel);
    if (b->status == KLDVE_OK)
        b->status = build(p);
    omp_set_num_threads(threads);
}

kldve_status kx_plan_new(kldve_ctx *ctx, const kx_graph *g, const kx_plan_options *options,
                         kx_plan **out)
{
    const kx_home home = kx_home_here();
    kx_planner p = {.ctx = ctx, .g = g, .options = *options};
    struct building b = {.p = &p};
    kldve_status st;

    p.plan = kldve_ctx_alloc(ctx, 1, sizeof *p.plan);
    if (!p.plan)
        return kx_plan_nomem(&p);
    memset(p.plan, 0, sizeof *p.plan);
    p.plan->ctx = ctx;
    kx_arena_init(&p.plan->arena, ctx);
    kx_arena_init(&p.scratch, ctx);
    p.plan->graph = g;
    p.plan->threads = options->threads;
    p.plan->logits.buffer = p.plan->features.buffer = -1;
    p.plan->entry.buffer = -1;
    for (int i = 0; i < KX_TARGETS; i++)
        p.plan->gradient[i].buffer = p.plan->cotangent[i].buffer = -1;
    st = kx_lead(ctx, kx_team_lost(&home, options->threads), options->threads, build_plan, &b);
    if (st == KLDVE_OK)
        st = b.status;
    p.plan->passing_bytes += p.scratch.bytes;
    kx_arena_free(&p.scratch);
    if (st == KLDVE_E_NOMEM && !*kldve_ctx_message(ctx)) /* a layout says nothing itself */
        kx_plan_nomem(&p);
    if (st < 0) {
        kx_plan_free(p.plan);
        return st;
    }
    *out = p.plan;
    return KLDVE_OK;
}

void kx_plan_free(kx_plan *plan)
{
    if (!plan)
        return;
    kx_packed_free(plan);
    kldve_ctx_release(plan->ctx, plan->step);
    kldve_ctx_release(plan->ctx, plan->buffer);
    kx_accel_free(plan->accel);
    kx_arena_free(&plan->arena);
    kldve_ctx_release(plan->ctx, plan);
}
