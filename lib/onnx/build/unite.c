/* unite.c - see unite.h.
 *
 *     A --view--> [1][a][h][w] --+              +--> [1][a][h][w] --back--> readers of A
 *                                +--> layer ----+
 *     B --view--> [1][b][h][w] --+              +--> [1][b][h][w] --back--> readers of B */
#include "unite.h"

#include <assert.h>
#include <string.h>

#include "surgery.h"

/* Put the nodes that the members are computed by before all others; how many there are. */
static kldve_status sort_before(kx_graph *g, int32_t count, kx_value *const *member, int32_t *out)
{
    bool *before = kx_new(g, (size_t)g->nnode, sizeof *before);
    kx_node *sorted = kx_new(g, (size_t)g->nnode, sizeof *sorted);
    int32_t n = 0;

    if (!before || !sorted)
        return kx_nomem(g);
    for (int32_t i = 0; i < count; i++)
        before[member[i]->producer] = true;
    for (int32_t i = g->nnode - 1; i >= 0; i--)
        for (int32_t k = 0; before[i] && k < g->node[i].nin; k++)
            if (g->node[i].in[k] && g->node[i].in[k]->producer >= 0)
                before[g->node[i].in[k]->producer] = true;
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t i = 0; i < g->nnode; i++)
            if (before[i] == (pass == 0))
                sorted[n++] = g->node[i];
        *out = pass == 0 ? n : *out;
    }
    memcpy(g->node, sorted, (size_t)n * sizeof *sorted);
    kx_graph_number(g);
    return KLDVE_OK;
}

kldve_status kx_unite(kx_graph *g, const char *name, int32_t count, const kx_view *view,
                      kx_value *const *member, kx_value **layer)
{
    kx_value *part[KX_MAX_OUT] = {NULL};
    kx_view_aside aside[KX_MAX_OUT];
    int64_t maps[KX_MAX_OUT];
    kx_surgery s = {.g = g, .name = name};
    kldve_status st;

    assert(count > 1 && count <= KX_MAX_OUT);
    if ((st = sort_before(g, count, member, &s.at)) < 0)
        return st;
    for (int32_t i = 0; i < count; i++) {
        maps[i] = view[i].maps;
        if ((st = kx_view_there(&s, &view[i], member[i], &part[i], &aside[i])) < 0)
            return st;
    }
    if ((st = kx_put_concat(&s, 1, count, part, layer)) < 0 ||
        (st = kx_put_split(&s, 1, count, maps, *layer, part)) < 0)
        return st;
    for (int32_t i = 0; i < count; i++)
        if ((st = kx_view_back(&s, &view[i], &aside[i], part[i], &part[i])) < 0)
            return st;
    for (int32_t i = 0; i < count; i++)
        kx_rewire(g, s.at, member[i], part[i]);
    return KLDVE_OK;
}
