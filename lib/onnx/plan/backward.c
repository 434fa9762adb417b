/* backward.c - see backward.h. */
#include "backward.h"

#include "accel/rule.h"
#include "attention.h"
#include "flow.h"
#include "gradient.h"
#include "relevance.h"
#include "relevance_traits.h"
#include "usage.h"

/* Forget what an earlier backward pass left: copies of forward values that only it makes, grads. */
static void forget(kx_planner *p)
{
    for (int32_t i = 0; i < p->g->nvalue; i++) {
        kx_place *at = &p->place[i];
        int n = 0;

        for (int k = 0; k < at->ncopy; k++) {
            const kx_buffer *b = &p->plan->buffer[at->copy[k].buffer];

            if (b->fixed || b->first < p->plan->forward.to)
                at->copy[n++] = at->copy[k];
        }
        at->ncopy = n;
        at->grad = -1;
        at->grad_shared = false;
    }
}

/* One unit: its attention, if it makes one, is complete, because all that read it came before. */
static kldve_status backward_unit(kx_planner *p, kx_unit *u, bool lrp)
{
    kldve_status st = p->options.attentions ? kx_visit_attentions(p, u) : KLDVE_OK;

    if (st < 0 || !u->active)
        return st;
    st = lrp ? kx_relevance_unit(p, u) : kx_gradient_unit(p, u);
    return st == KLDVE_E_UNSUPPORTED && !*kldve_ctx_message(p->ctx)
               ? kx_refuse_in(p->ctx, u->node, "oneDNN has no backward pass for it")
               : st;
}

kldve_status kx_plan_backward(kx_planner *p, const kx_value *to, kx_port *from, kx_port *port)
{
    kx_plan *plan = p->plan;
    const kx_value *logits = p->options.logits;
    const kx_layout *plain = kx_layout_plain(plan->accel, &logits->shape);
    bool lrp = kx_rule_is_lrp(p->options.rule);
    kldve_status st = kx_mark_active(p, to);
    kx_grad g;

    if (st < 0)
        return st;
    if (!plain)
        return kx_plan_nomem(p);
    forget(p);
    if (lrp)
        kx_relevance_mark(p);
    from->count = logits->count;
    if ((st = kx_buffer_new(p, logits->count * sizeof(float), &from->buffer)) < 0 ||
        (st = kx_give(p, NULL, logits, (kx_grad){from->buffer, plain, false})) < 0)
        return st;
    for (int32_t i = p->nunit - 1; i >= 0; i--)
        if ((st = backward_unit(p, &p->unit[i], lrp)) < 0)
            return st;
    g = kx_grad_of(p, to);
    if (g.buffer < 0) {
        return kldve_ctx_failf(p->ctx, KLDVE_E_ARG, "the logits '%.60s' do not depend on '%.60s'",
                               logits->name, to->name);
    }
    if ((st = kx_grad_in(p, NULL, to, NULL, &g)) < 0)
        return st;
    port->buffer = g.buffer;
    port->count = to->count;
    plan->buffer[g.buffer].last = plan->nstep;
    return KLDVE_OK;
}
