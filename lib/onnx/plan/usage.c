/* usage.c - see usage.h. */
#include "usage.h"

#include "read/limit.h"

kldve_status kx_find_needed(kx_planner *p)
{
    const kx_graph *g = p->g;

    p->needed = kx_scratch(p, (size_t)g->nnode, sizeof *p->needed);
    p->place = kx_scratch(p, (size_t)g->nvalue, sizeof *p->place);
    p->unit = kx_scratch(p, (size_t)g->nnode, sizeof *p->unit);
    if (!p->needed || !p->place || !p->unit)
        return kx_plan_nomem(p);
    for (int32_t i = 0; i < g->nvalue; i++) {
        p->place[i].producer = -1;
        p->place[i].grad = -1;
        p->place[i].bytes = -1;
    }
    kx_place_of(p, p->options.logits)->keep = true;
    if (p->options.layer)
        kx_place_of(p, p->options.layer)->keep = true;
    for (int32_t i = 0; i < p->options.ngiven; i++)
        kx_place_of(p, p->options.given[i])->given = kx_place_of(p, p->options.given[i])->keep =
            true;
    for (int32_t i = g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &g->node[i];

        for (int32_t k = 0; k < n->nout; k++) {
            const kx_place *at = n->out[k] ? kx_place_of(p, n->out[k]) : NULL;

            if (at && !at->given && (at->uses > 0 || at->keep))
                p->needed[i] = true;
        }
        for (int32_t k = 0; p->needed[i] && k < n->nin; k++)
            if (n->in[k])
                kx_place_of(p, n->in[k])->uses++;
    }
    return KLDVE_OK;
}

void kx_mark_flow(kx_planner *p, const kx_value *to)
{
    kx_place_of(p, to)->flows = true;
    for (int32_t i = 0; i < p->g->nnode; i++) {
        const kx_node *n = &p->g->node[i];
        bool flows = false;

        for (int32_t k = 0; k < n->nin; k++)
            flows = flows || (n->in[k] && kx_place_of(p, n->in[k])->flows);
        for (int32_t k = 0; flows && k < n->nout; k++)
            if (n->out[k] && n->out[k]->dtype == KX_F32)
                kx_place_of(p, n->out[k])->flows = true;
    }
}

void kx_find_last_uses(kx_planner *p)
{
    for (int32_t i = 0; i < p->nunit; i++) {
        const kx_unit *u = &p->unit[i];

        for (int32_t k = 0; k < u->nin; k++)
            kx_place_of(p, u->in[k])->last_use = u->order;
    }
}

/* Which units and values depend on the layer. */
void kx_mark_after(kx_planner *p)
{
    if (p->options.layer)
        kx_place_of(p, p->options.layer)->after = true;
    for (int32_t i = 0; i < p->nunit; i++) {
        kx_unit *u = &p->unit[i];

        for (int32_t k = 0; k < u->nin; k++)
            u->after = u->after || kx_place_of(p, u->in[k])->after;
        for (int32_t k = 0; u->after && k < u->nout; k++)
            kx_place_of(p, u->out[k])->after = true;
    }
}

/* A size that no plan should even try: refused before oneDNN is asked for anything. */
kldve_status kx_check_sizes(kx_planner *p)
{
    size_t most = kx_limit(p->ctx, KLDVE_LIMIT_WORKING_MEMORY);

    for (int32_t i = 0; i < p->g->nvalue; i++) {
        const kx_value *v = p->g->value[i];
        const kx_place *at = &p->place[i];

        if ((at->uses || at->keep) && !v->raw && v->count > most / kx_dtype_size(v->dtype))
            return kldve_ctx_fail_limit(p->ctx, KLDVE_LIMIT_WORKING_MEMORY,
                                        "tensor '%.80s' has %zu elements", v->name, v->count);
    }
    return KLDVE_OK;
}

static bool reads_active(kx_planner *p, const kx_unit *u)
{
    for (int32_t i = 0; i < u->nin; i++)
        if (kx_place_of(p, u->in[i])->active)
            return true;
    return false;
}

/* `stop`: the last unit whose results are whole numbers or truth values; NULL: there is none. */
static kldve_status no_gradient(kx_planner *p, const kx_unit *stop, const kx_value *to)
{
    const kx_value *logits = p->options.logits;

    if (!stop)
        return kldve_ctx_failf(p->ctx, KLDVE_E_ARG, "the logits '%.60s' do not depend on '%.60s'",
                               logits->name, to->name);
    return kldve_ctx_failf(p->ctx, KLDVE_E_ARG,
                           "no gradient of the logits '%.60s' reaches '%.60s': node '%.60s' (%s) "
                           "makes whole numbers or truth values of it; --logits NAME takes scores "
                           "in front of that node",
                           logits->name, to->name, stop->node->name, stop->node->type);
}

kldve_status kx_mark_active(kx_planner *p, const kx_value *to)
{
    const kx_unit *stop = NULL;

    for (int32_t i = 0; i < p->g->nvalue; i++)
        p->place[i].active = false;
    kx_place_of(p, to)->active = true;
    for (int32_t i = 0; i < p->nunit; i++) {
        kx_unit *u = &p->unit[i];
        bool reads = reads_active(p, u);

        u->active = false; /* a comparison reads what is active, but passes nothing back */
        for (int32_t k = 0; reads && k < u->nout; k++) {
            if (u->out[k]->dtype != KX_F32) {
                stop = u;
                continue;
            }
            if (u->kind == KX_UNIT_NODE && !u->node->op->vjp)
                return kx_refuse_in(p->ctx, u->node,
                                    "the operator has no derivative, but lies between '%.60s' "
                                    "and the logits",
                                    to->name);
            u->active = true;
            kx_place_of(p, u->out[k])->active = true;
        }
    }
    if (!kx_place_of(p, p->options.logits)->active)
        return no_gradient(p, stop, to);
    return KLDVE_OK;
}
