/* ways.c - see ways.h.
 *
 * Nodes are in topological order.  A tensor lies on every way exactly if no edge jumps over it: at
 * the moment after its node has run, it is the only tensor on a way that is still to be read.  For
 * an edge that jumps over it begins at a tensor that is computed without it, and ends in a node
 * that runs after it: there is a way along that edge which avoids it. */
#include "ways.h"

#include <string.h>

bool kx_carries(const kx_node *n, int32_t k)
{
    if (!n->op->vjp || !n->in[k] || n->in[k]->raw || n->in[k]->dtype != KX_F32)
        return false;
    for (int32_t o = 0; o < n->nout; o++)
        if (n->out[o] && n->out[o]->dtype == KX_F32)
            return true;
    return false;
}

static bool counts(const kx_node *n, int32_t k, bool any)
{
    return n->in[k] && (any || kx_carries(n, k));
}

/* An output that a way may pass. */
static bool passes(const kx_node *n, int32_t o, bool any)
{
    return n->out[o] && (any || n->out[o]->dtype == KX_F32);
}

/* Mark in seen what is computed from the values that are marked already. */
static void mark_after(const kx_graph *g, bool any, bool *seen)
{
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i];
        bool reads = false;

        for (int32_t k = 0; k < n->nin; k++)
            reads = reads || (counts(n, k, any) && seen[n->in[k]->id]);
        for (int32_t o = 0; reads && o < n->nout; o++)
            if (passes(n, o, any))
                seen[n->out[o]->id] = true;
    }
}

/* Mark in seen what the values that are marked already are computed from. */
static void mark_before(const kx_graph *g, bool any, bool *seen)
{
    for (int32_t i = g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &g->node[i];
        bool wanted = false;

        for (int32_t o = 0; o < n->nout; o++)
            wanted = wanted || (passes(n, o, any) && seen[n->out[o]->id]);
        for (int32_t k = 0; wanted && k < n->nin; k++)
            if (counts(n, k, any))
                seen[n->in[k]->id] = true;
    }
}

static void mark_ways(const kx_graph *g, const kx_value *input, const kx_value *logits, bool any,
                      bool *after, bool *on)
{
    size_t size = (size_t)g->nvalue * sizeof *on;

    memset(after, 0, size);
    memset(on, 0, size);
    after[input->id] = true;
    mark_after(g, any, after);
    on[logits->id] = true;
    mark_before(g, any, on);
    for (int32_t i = 0; i < g->nvalue; i++)
        on[i] = on[i] && after[i];
}

/* The last node that reads each tensor on a way, by value id; those of the logits are of no
 * interest. */
static void find_last_reads(const kx_graph *g, const kx_value *logits, const kx_ways *w,
                            int32_t *last)
{
    for (int32_t i = 0; i < g->nvalue; i++)
        last[i] = -1;
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i];
        bool way = false;

        for (int32_t o = 0; o < n->nout; o++)
            way = way || (n->out[o] && w->on[n->out[o]->id]);
        for (int32_t k = 0; way && k < n->nin; k++)
            if (counts(n, k, w->any) && w->on[n->in[k]->id])
                last[n->in[k]->id] = i;
    }
    last[logits->id] = g->nnode;
}

static kldve_status mark_dominators(const kx_graph *g, kx_arena *arena, const kx_value *logits,
                                    const kx_ways *w, bool *all)
{
    int32_t *last = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *last);
    int32_t *ends = kx_arena_alloc(arena, (size_t)g->nnode + 1, sizeof *ends);
    int32_t open = 0; /* tensors on a way that are still to be read */

    if (!last || !ends)
        return kx_nomem(g);
    find_last_reads(g, logits, w, last);
    for (int32_t i = 0; i < g->nvalue; i++) {
        if (w->on[i] && last[i] >= 0)
            ends[last[i]]++;
        if (w->on[i] && g->value[i]->producer < 0)
            all[i] = ++open == 1; /* the input */
    }
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i];
        const kx_value *made = NULL;

        open -= ends[i];
        for (int32_t o = 0; o < n->nout; o++)
            if (n->out[o] && w->on[n->out[o]->id] && last[n->out[o]->id] >= 0) {
                made = n->out[o];
                open++;
            }
        if (made && open == 1)
            all[made->id] = true;
    }
    return KLDVE_OK;
}

kldve_status kx_find_ways(const kx_graph *g, kx_arena *arena, const kx_value *input,
                          const kx_value *logits, kx_ways *out)
{
    size_t n = (size_t)g->nvalue;
    bool *on = kx_arena_alloc(arena, n, sizeof *on), *all = kx_arena_alloc(arena, n, sizeof *all);
    bool *after = kx_arena_alloc(arena, n, sizeof *after);

    if (!on || !all || !after)
        return kx_nomem(g);
    *out = (kx_ways){.input = input, .logits = logits, .on = on, .all = all};
    mark_ways(g, input, logits, false, after, on);
    if (!on[input->id]) {
        out->any = true;
        mark_ways(g, input, logits, true, after, on);
    }
    return on[input->id] ? mark_dominators(g, arena, logits, out, all) : KLDVE_OK;
}
