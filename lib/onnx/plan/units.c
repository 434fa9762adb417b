/* units.c - see units.h. */
#include "units.h"

#include <string.h>

#include "match.h"

/* Units in the order in which they can run: that of their last nodes. */
static kldve_status sort_units(kx_planner *p)
{
    int32_t n = 0, nodes = p->g->nnode;
    int32_t *at = kx_scratch(p, (size_t)nodes, sizeof *at);
    kx_unit *sorted = kx_scratch(p, (size_t)nodes, sizeof *sorted);

    if (!at || !sorted)
        return kx_plan_nomem(p);
    for (int32_t i = 0; i < nodes; i++)
        at[i] = -1;
    for (int32_t i = 0; i < p->nunit; i++)
        if (!p->unit[i].dead)
            at[p->unit[i].order] = i;
    for (int32_t i = 0; i < nodes; i++) {
        kx_unit *u;

        if (at[i] < 0)
            continue;
        sorted[n] = p->unit[at[i]];
        u = &sorted[n];
        for (int32_t k = 0; k < u->nout; k++)
            kx_place_of(p, u->out[k])->producer = n;
        n++;
    }
    p->unit = sorted;
    p->nunit = n;
    return KLDVE_OK;
}

/* The arrays that are there. */
static int32_t gather(kx_value *const *from, int32_t n, const kx_value **to)
{
    int32_t count = 0;

    for (int32_t i = 0; i < n; i++)
        if (from[i])
            to[count++] = from[i];
    return count;
}

/* A unit of its own for a node. */
static kldve_status add_unit(kx_planner *p, const kx_node *n, kx_unit **out)
{
    kx_unit *u = &p->unit[p->nunit];

    *u = (kx_unit){.kind = KX_UNIT_NODE, .node = n, .order = n->index, .workspace = -1};
    u->in = kx_scratch(p, (size_t)n->nin + 1, sizeof *u->in); /* a sum may be merged into it */
    u->out = kx_scratch(p, (size_t)n->nout, sizeof *u->out);
    if (!u->in || !u->out)
        return kx_plan_nomem(p);
    u->nin = gather(n->in, n->nin, u->in);
    u->nout = gather(n->out, n->nout, u->out);
    for (int32_t k = 0; k < u->nout; k++)
        kx_place_of(p, u->out[k])->producer = p->nunit;
    p->nunit++;
    *out = u;
    return KLDVE_OK;
}

kldve_status kx_units_make(kx_planner *p)
{
    kx_unit *u = NULL;
    kldve_status st;

    for (int32_t i = 0; i < p->g->nnode; i++)
        if (p->needed[i] &&
            ((st = add_unit(p, &p->g->node[i], &u)) < 0 || (st = kx_match(p, u, u->node)) < 0))
            return st;
    return sort_units(p);
}
