/* choose_warped.c - whether the layer lies behind a resampling at computed places (a spatial
 * transformer, boxes of a detector): its cells are then elsewhere in the picture. */
#include "choose_parts.h"

/* Not the sampling inside an operator, which looks beside each cell (DeformConv). */
static bool moves_cells(const kx_node *n)
{
    return n->op->traits.warps && n->out[0] && !n->out[0]->inside;
}

/* Mark what is computed from the results of such a node; the last one that `layer` depends on. */
static const kx_node *find_warp(const kx_graph *g, const kx_value *layer, const kx_node **behind)
{
    for (int32_t i = 0; i < g->nnode; i++) {
        const kx_node *n = &g->node[i], *warp = moves_cells(n) ? n : NULL;

        for (int32_t k = 0; k < n->nin && !warp; k++)
            warp = n->in[k] ? behind[n->in[k]->id] : NULL;
        for (int32_t o = 0; o < n->nout; o++)
            if (n->out[o])
                behind[n->out[o]->id] = warp;
    }
    return behind[layer->id];
}

kldve_status kx_choose_warped(const kx_graph *g, kx_choice *c)
{
    const kx_node **behind, *warp;

    if (!c->layer)
        return KLDVE_OK;
    if (!(behind = kx_arena_alloc(c->notes.arena, (size_t)g->nvalue, sizeof *behind)))
        return kx_nomem(g);
    warp = find_warp(g, c->layer, behind);
    if (warp && kx_say(&c->notes,
                       "layer '%.80s' lies behind node '%.80s' (%.40s), which reads its input at "
                       "computed places: the cells of the map are not where they are in the "
                       "picture, as those of '%.80s' are",
                       c->layer->name, warp->name, warp->type, warp->in[0]->name) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}
