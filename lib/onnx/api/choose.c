/* choose.c - which tensors of a graph are the input, the logits and the layer. */
#include "choose_parts.h"

#include <assert.h>
#include <string.h>

/* What depends on the input and what the logits depend on. */
static kldve_status find_ways(const kx_graph *g, kx_arena *arena, const kx_selection *selection,
                              kx_choice *c)
{
    kldve_status st = kx_find_ways(g, arena, c->input, c->logits, &c->ways);

    if (st < 0 || (st = kx_find_read_cells(g, arena, &c->followed, c->logits, &c->cells)) < 0 ||
        (st = kx_find_read_pictures(g, arena, &c->followed, c->logits, selection, &c->pictures)) <
            0 ||
        c->ways.on[c->input->id])
        return st;
    return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                           "the logits '%.80s' do not depend on the picture", c->logits->name);
}

static kldve_status list_tensors(const kx_graph *g, kx_arena *arena, kx_choice *c)
{
    c->tensor = kx_arena_alloc(arena, (size_t)g->nvalue + 1, sizeof *c->tensor);
    if (!c->tensor)
        return kx_nomem(g);
    c->tensor[c->ntensor++] = c->input;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t o = 0; o < g->node[i].nout; o++)
            if (g->node[i].out[o] && c->ways.on[g->node[i].out[o]->id])
                c->tensor[c->ntensor++] = g->node[i].out[o];
    return KLDVE_OK;
}

kldve_status kx_choose(kx_graph *g, kx_arena *arena, const char *layer, const char *logits,
                       const kx_selection *selection, kx_choice *out)
{
    kx_choice c = {.listing = out->listing,
                   .notes = out->notes,
                   .letters = out->letters,
                   .grid_height = out->grid_height,
                   .grid_width = out->grid_width};
    kldve_status st;

    c.notes.arena = arena;
    if ((st = kx_choose_input(g, &c)) < 0 ||
        (st = kx_choose_logits(g, logits, selection, &c)) < 0 ||
        (st = kx_follow_input(g, arena, &c)) < 0 || (st = find_ways(g, arena, selection, &c)) < 0)
        return st;
    c.file_input = c.input;
    st = kx_choose_layer(g, layer, &c);
    if (st < 0 || (st = kx_choose_quantised(g, &c)) < 0 || (st = kx_choose_warped(g, &c)) < 0 ||
        (st = list_tensors(g, arena, &c)) < 0)
        return st;
    c.file_layer = c.layer;
    *out = c;
    return KLDVE_OK;
}

kldve_status kx_choice_shape(kx_graph *g, kx_choice *c)
{
    kldve_status st = KLDVE_OK;

    if (c->members > 1)
        st = kx_unite(g, c->joined_name, c->members, c->member_view, c->member, &c->layer);
    else if (c->layer)
        st = kx_view_insert(g, &c->view, &c->layer);

    return st == KLDVE_OK && c->channels_last ? kx_input_first(g, &c->input) : st;
}
