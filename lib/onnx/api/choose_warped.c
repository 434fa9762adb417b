/* choose_warped.c - whether the cells of the layer are elsewhere in the picture: behind a
 * resampling at computed places (a spatial transformer, boxes of a detector), or where pieces of
 * the picture were put together. */
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

/* Whether rows or columns of a layer are in an order that is not followed. */
static bool is_disordered(const kx_choice *c)
{
    if (c->members > 1) {
        for (int32_t i = 0; i < c->members; i++)
            if (c->member_view[i].sense[0] == KX_MIXED || c->member_view[i].sense[1] == KX_MIXED)
                return true;
        return false;
    }
    return c->view.sense[0] == KX_MIXED || c->view.sense[1] == KX_MIXED;
}

static kldve_status say_disordered(kx_choice *c)
{
    if (!is_disordered(c))
        return KLDVE_OK;
    return kx_say(&c->notes,
                  "in layer '%.80s' the network has put pieces of the picture, or the picture and "
                  "its mirror image, together: the cells of the map are not all where they are in "
                  "the picture",
                  c->layer->name);
}

kldve_status kx_choose_warped(const kx_graph *g, kx_choice *c)
{
    const kx_node **behind, *warp;

    if (!c->layer)
        return KLDVE_OK;
    if (say_disordered(c) < 0)
        return kx_nomem(g);
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
