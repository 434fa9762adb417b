/* units.c - see units.h. */
#include "units.h"

#include <string.h>

#include "match.h"
#include "planner.h"

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
        if ((st = kx_match(p, u, n)) < 0)
            return st;
        if (u->dead) /* producer was set to this unit, then to the one that absorbed it */
            continue;
    }
    return sort_units(p);
}
