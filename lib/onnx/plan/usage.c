/* usage.c - see usage.h. */
#include "usage.h"

kldve_status kx_find_needed(kx_planner *p)
{
    kx_graph *g = p->g;

    p->needed = kx_new(g, (size_t)g->nnode, sizeof *p->needed);
    p->place = kx_new(g, (size_t)g->nvalue, sizeof *p->place);
    p->plan->unit = kx_new(g, (size_t)g->nnode, sizeof *p->plan->unit);
    if (!p->needed || !p->place || !p->plan->unit)
        return kx_plan_nomem(p);
    for (int32_t i = 0; i < g->nvalue; i++) {
        p->place[i].producer = -1;
        p->place[i].grad = -1;
    }
    kx_place_of(p, p->options.logits)->keep = true;
    if (p->options.layer)
        kx_place_of(p, p->options.layer)->keep = true;
    for (int32_t i = g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &g->node[i];

        for (int32_t k = 0; k < n->nout; k++)
            if (n->out[k] &&
                (kx_place_of(p, n->out[k])->uses > 0 || kx_place_of(p, n->out[k])->keep))
                p->needed[i] = true;
        for (int32_t k = 0; p->needed[i] && k < n->nin; k++)
            if (n->in[k])
                kx_place_of(p, n->in[k])->uses++;
    }
    return KLDVE_OK;
}

void kx_find_last_uses(kx_planner *p)
{
    for (int32_t i = 0; i < p->plan->nunit; i++) {
        const kx_unit *u = &p->plan->unit[i];

        if (u->kind == KX_UNIT_NODE || u->kind == KX_UNIT_CONCAT) {
            for (int32_t k = 0; k < u->node->nin; k++)
                if (u->node->in[k])
                    kx_place_of(p, u->node->in[k])->last_use = u->order;
            continue;
        }
        if (u->x)
            kx_place_of(p, u->x)->last_use = u->order;
        if (u->y)
            kx_place_of(p, u->y)->last_use = u->order;
    }
}

/* Which units and values depend on the layer. */
void kx_mark_after(kx_planner *p)
{
    if (p->options.layer)
        kx_place_of(p, p->options.layer)->after = true;
    for (int32_t i = 0; i < p->plan->nunit; i++) {
        kx_unit *u = &p->plan->unit[i];
        bool every = u->kind == KX_UNIT_NODE || u->kind == KX_UNIT_CONCAT;

        if (every)
            for (int32_t k = 0; k < u->node->nin; k++)
                u->after = u->after || (u->node->in[k] && kx_place_of(p, u->node->in[k])->after);
        else
            u->after = kx_place_of(p, u->x)->after || (u->y && kx_place_of(p, u->y)->after);
        if (!u->after)
            continue;
        kx_place_of(p, u->out)->after = true;
        for (int32_t k = 0; u->kind == KX_UNIT_NODE && k < u->node->nout; k++)
            if (u->node->out[k])
                kx_place_of(p, u->node->out[k])->after = true;
    }
}

/* A size that no plan should even try: refused before oneDNN is asked for anything. */
kldve_status kx_check_sizes(kx_planner *p)
{
    for (int32_t i = 0; i < p->g->nvalue; i++) {
        const kx_value *v = p->g->value[i];
        const kx_place *at = &p->place[i];

        if ((at->uses || at->keep) && !v->raw && p->options.max_bytes &&
            v->count > p->options.max_bytes / kx_dtype_size(v->dtype))
            return kldve_ctx_failf(p->ctx, KLDVE_E_LIMIT,
                                   "tensor '%.80s' has %zu elements, more than %zu MiB", v->name,
                                   v->count, p->options.max_bytes >> 20);
    }
    return KLDVE_OK;
}

static bool unit_reads_active(kx_planner *p, const kx_unit *u)
{
    if (u->kind == KX_UNIT_NODE || u->kind == KX_UNIT_CONCAT) {
        for (int32_t i = 0; i < u->node->nin; i++)
            if (u->node->in[i] && kx_place_of(p, u->node->in[i])->active)
                return true;
        return false;
    }
    return kx_place_of(p, u->x)->active || (u->y && kx_place_of(p, u->y)->active);
}

kldve_status kx_mark_active(kx_planner *p, const kx_value *to)
{
    for (int32_t i = 0; i < p->g->nvalue; i++)
        p->place[i].active = false;
    kx_place_of(p, to)->active = true;
    for (int32_t i = 0; i < p->plan->nunit; i++) {
        kx_unit *u = &p->plan->unit[i];

        u->active = unit_reads_active(p, u);
        if (!u->active)
            continue;
        if (u->kind != KX_UNIT_NODE) {
            kx_place_of(p, u->out)->active = u->out->dtype == KX_F32;
            continue;
        }
        u->active = false; /* a comparison reads what is active, but passes nothing back */
        for (int32_t k = 0; k < u->node->nout; k++)
            if (u->node->out[k] && u->node->out[k]->dtype == KX_F32) {
                u->active = true;
                if (!u->node->op->vjp)
                    return kx_refuse(p->g, u->node,
                                     "the operator has no derivative, but lies between '%.60s' "
                                     "and the logits",
                                     to->name);
                kx_place_of(p, u->node->out[k])->active = true;
            }
    }
    if (!kx_place_of(p, p->options.logits)->active)
        return kldve_ctx_failf(p->ctx, KLDVE_E_ARG, "the logits '%.60s' do not depend on '%.60s'",
                               p->options.logits->name, to->name);
    return KLDVE_OK;
}
