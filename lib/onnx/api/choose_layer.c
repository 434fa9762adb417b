/* choose_layer.c - which tensor of a graph is the layer.
 *
 * A layer explains the score only if every way from the picture to the score passes it: what goes
 * around it has no heat.  The default is the last such tensor with cells, where the maps say most
 * about classes.  A handful of maps is no layer of features, though: the score convolution of
 * attention pooling, the colours of the picture. */
#include "choose_parts.h"

#include <assert.h>

enum { HANDFUL = 5 }; /* maps */

bool kx_explainable(const kx_choice *c, const kx_value *v)
{
    return v != c->file_input && c->ways.on[v->id] && v->dtype == KX_F32 && v->shape.rank == 4 &&
           v->shape.dim[0] == 1 && v->count > 0 && c->axis[v->id] != KX_CHANNELS_NOWHERE;
}

static int64_t maps_of(const kx_choice *c, const kx_value *v)
{
    assert(kx_explainable(c, v));
    return v->shape.dim[c->axis[v->id]];
}

static bool has_cells(const kx_choice *c, const kx_value *v)
{
    return v->count > (size_t)maps_of(c, v);
}

/* Whether node n only prepares the picture: arithmetic with constants, moves of pixels. */
static bool prepares(const kx_node *n, const bool *prepared)
{
    const kx_traits *t = &n->op->traits;
    bool linear = t->effect == KX_EFFECT_ADDS || t->effect == KX_EFFECT_MULTIPLIES ||
                  t->effect == KX_EFFECT_DIVIDES || t->effect == KX_EFFECT_MOVES ||
                  t->effect == KX_EFFECT_WEIGHS;

    if ((!linear && !t->copies) || t->mixing != KX_MIXING_NONE)
        return false;
    if (t->axes == KX_AXES_CHANNELS_FIRST && t->effect != KX_EFFECT_WEIGHS)
        return false; /* windows */
    for (int32_t k = 0; k < n->nin; k++)
        if (n->in[k] && !n->in[k]->raw && !prepared[n->in[k]->id])
            return false;
    return true;
}

/* The input, and what it is prepared to, by value id. */
static kldve_status find_prepared(const kx_graph *g, const kx_choice *c, bool **out)
{
    bool *prepared = kx_arena_alloc(c->notes.arena, (size_t)g->nvalue, sizeof *prepared);

    if (!prepared)
        return kx_nomem(g);
    prepared[c->file_input->id] = true;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o])
                prepared[g->node[i].out[o]->id] = prepares(&g->node[i], prepared);
    *out = prepared;
    return KLDVE_OK;
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
    c->how = KLDVE_ONNX_LAYER_GIVEN;
    return KLDVE_OK;
}

/* Whether `v` is a better default than `best`, which comes later in the network. */
static bool is_better(const kx_choice *c, const kx_value *v, const kx_value *best)
{
    return !best || (maps_of(c, best) <= HANDFUL && maps_of(c, v) > maps_of(c, best));
}

/* The last one with cells and more than a handful of maps; without such a one, that with the most
 * maps. */
static kx_value *last_of(const kx_graph *g, const kx_choice *c, const bool *prepared, bool all)
{
    kx_value *best = NULL;

    for (int32_t i = g->nnode - 1; i >= 0; i--)
        for (int32_t o = 0; o < g->node[i].nout; o++) {
            kx_value *v = g->node[i].out[o];

            if (v && v != c->logits && kx_explainable(c, v) && has_cells(c, v) &&
                !prepared[v->id] && (!all || c->ways.all[v->id]) && is_better(c, v, best))
                best = v;
        }
    return best;
}

static kldve_status choose_default(const kx_graph *g, kx_choice *c)
{
    bool *prepared = NULL;
    kldve_status st = find_prepared(g, c, &prepared);

    if (st < 0)
        return st;
    c->how = KLDVE_ONNX_LAYER_LAST;
    c->layer = last_of(g, c, prepared, true);
    if (!c->layer) {
        c->how = KLDVE_ONNX_LAYER_BEST;
        c->layer = last_of(g, c, prepared, false);
    }
    return c->layer ? KLDVE_OK
                    : kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                                     "the network has no layer with more than one spatial cell");
}

kldve_status kx_choose_layer(const kx_graph *g, const char *name, kx_choice *c)
{
    kldve_status st = name ? choose_named(g, name, c) : choose_default(g, c);

    if (st < 0)
        return st;
    c->all_paths = c->ways.all[c->layer->id] ? 1 : -1;
    if (c->all_paths < 0 &&
        (st = kx_say(&c->notes,
                     "layer '%.80s' does not carry the whole score: some ways from the picture to "
                     "the score go around it, and the map does not show them",
                     c->layer->name)) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}
