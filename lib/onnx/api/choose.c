/* choose.c - which tensors of a graph are the input, the logits and the layer. */
#include "choose_parts.h"

#include <assert.h>
#include <string.h>

/* Mark in seen [values] what is computed from the values that are marked already. */
static void mark_after(const kx_graph *g, bool *seen)
{
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t k = 0; k < g->node[i].nin; k++)
            if (g->node[i].in[k] && seen[g->node[i].in[k]->id])
                for (int32_t o = 0; o < g->node[i].nout; o++)
                    if (g->node[i].out[o])
                        seen[g->node[i].out[o]->id] = true;
}

/* Mark in seen [values] what the values that are marked already are computed from. */
static void mark_before(const kx_graph *g, bool *seen)
{
    for (int32_t i = g->nnode - 1; i >= 0; i--)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o] && seen[g->node[i].out[o]->id])
                for (int32_t k = 0; k < g->node[i].nin; k++)
                    if (g->node[i].in[k])
                        seen[g->node[i].in[k]->id] = true;
}

/* Mark what depends on the input and what the logits depend on. */
static kldve_status find_path(const kx_graph *g, kx_arena *arena, kx_choice *c)
{
    bool *after = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *after);
    bool *before = kx_arena_alloc(arena, (size_t)g->nvalue, sizeof *before);

    if (!after || !before)
        return kx_nomem(g);
    after[c->input->id] = true;
    mark_after(g, after);
    before[c->logits->id] = true;
    mark_before(g, before);
    for (int32_t i = 0; i < g->nvalue; i++)
        before[i] = before[i] && after[i];
    c->on_path = before;
    if (!before[c->input->id])
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "the logits '%.80s' do not depend on the picture", c->logits->name);
    return KLDVE_OK;
}

static kldve_status list_tensors(const kx_graph *g, kx_arena *arena, kx_choice *c)
{
    c->tensor = kx_arena_alloc(arena, (size_t)g->nvalue + 1, sizeof *c->tensor);
    if (!c->tensor)
        return kx_nomem(g);
    c->tensor[c->ntensor++] = c->input;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o] && c->on_path[g->node[i].out[o]->id])
                c->tensor[c->ntensor++] = g->node[i].out[o];
    return KLDVE_OK;
}

kldve_status kx_choose(const kx_graph *g, kx_arena *arena, const char *layer, const char *logits,
                       const kx_selection *selection, kx_choice *out)
{
    kx_choice c = {.notes = {.arena = arena}};
    kldve_status st;

    if ((st = kx_choose_input(g, arena, &c)) < 0 || (st = kx_choose_logits(g, logits, selection, &c)) < 0 ||
        (st = find_path(g, arena, &c)) < 0)
        return st;
    c.file_input = c.input;
    st = kx_choose_layer(g, layer, &c);
    if (st < 0 || (st = list_tensors(g, arena, &c)) < 0)
        return st;
    c.file_layer = c.layer;
    *out = c;
    return KLDVE_OK;
}
