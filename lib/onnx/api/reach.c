/* reach.c - from how much of a tensor's cells one position of the scores is computed. */
#include "reach.h"

#include "build/window_share.h"

/* Whether the product of matrices mixes rows: both operands are computed. */
static bool mixes_rows(const kx_node *n)
{
    return n->op->traits.axes == KX_AXES_MATRIX && !n->in[0]->raw && !n->in[1]->raw;
}

static float passed(const kx_choice *c, const kx_node *n, float share)
{
    kx_view view;

    if (n->op->traits.windows)
        share += kx_window_share(n);
    else if (mixes_rows(n) || !n->out[0] || !kx_explainable(c, n->out[0], &view))
        share = 1;
    return share < 1 ? share : 1;
}

kldve_status kx_find_reach(const kx_graph *g, kx_arena *arena, const kx_choice *c,
                           const float **out)
{
    float *share = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *share);
    kx_view view = {.height = 1, .width = 1};

    if (!share)
        return kx_nomem(g);
    if (!kx_explainable(c, c->logits, &view))
        view.height = view.width = 1;
    share[c->logits->id] = 1 / (float)(view.height > view.width ? view.height : view.width);
    for (int32_t i = g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &g->node[i];
        float of_results = 0, at;

        for (int32_t o = 0; o < n->nout; o++)
            if (n->out[o] && share[n->out[o]->id] > of_results)
                of_results = share[n->out[o]->id];
        if (of_results == 0)
            continue;
        at = passed(c, n, of_results);
        for (int32_t k = 0; k < n->nin; k++)
            if (n->in[k] && share[n->in[k]->id] < at)
                share[n->in[k]->id] = at;
    }
    *out = share;
    return KLDVE_OK;
}
