/* choose_layer.c - which tensor of a graph is the layer. */
#include "choose_parts.h"

#include <assert.h>

bool kx_explainable(const kx_choice *c, const kx_value *v)
{
    return v != c->file_input && c->on_path[v->id] && v->dtype == KX_F32 && v->shape.rank == 4 &&
           v->shape.dim[0] == 1 && v->count > 0 && c->axis[v->id] != KX_CHANNELS_NOWHERE;
}

static bool has_cells(const kx_choice *c, const kx_value *v)
{
    assert(kx_explainable(c, v));
    return v->count > (size_t)v->shape.dim[c->axis[v->id]];
}

static kldve_status choose_named(const kx_graph *g, const char *name, kx_choice *c)
{
    kldve_status st = kx_choose_named(g, "layer", name, &c->layer);

    if (st < 0)
        return st;
    if (!kx_explainable(c, c->layer))
        return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                               "'%.80s' cannot be the layer: it is not [1][maps][height]"
                               "[width] or [1][height][width][maps] between input and logits",
                               name);
    return KLDVE_OK;
}

/* The last one that still has cells, the logits apart. */
static kldve_status choose_last(const kx_graph *g, kx_choice *c)
{
    for (int32_t i = g->nnode - 1; i >= 0 && !c->layer; i--)
        for (int32_t o = 0; o < g->node[i].nout; o++) {
            kx_value *v = g->node[i].out[o];

            if (v && v != c->logits && kx_explainable(c, v) && has_cells(c, v))
                c->layer = v;
        }
    if (!c->layer)
        return kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                              "the network has no layer with more than one spatial cell");
    return KLDVE_OK;
}

kldve_status kx_choose_layer(const kx_graph *g, const char *name, kx_choice *c)
{
    return name ? choose_named(g, name, c) : choose_last(g, c);
}
