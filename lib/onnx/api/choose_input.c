/* choose_input.c - which input of a graph is the picture. */
#include "choose_parts.h"

#include <string.h>

#include "build/input_parts.h"

/* The file's input, which has the name of the graph's: nodes may lead to it. */
static const kx_value *file_input(const kx_graph *g, const kx_value *input)
{
    for (int32_t i = 0; i < g->nnode && i < KX_LEAD_NODES; i++)
        if (g->node[i].out[0] && strcmp(g->node[i].out[0]->name, input->name) == 0)
            return g->node[i].out[0];
    return input;
}

kldve_status kx_choose_input(const kx_graph *g, kx_choice *c)
{
    if (g->ninput != 1)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "the network has %d inputs, exactly one is supported", g->ninput);
    c->input = g->input[0];
    if (c->input->shape.rank != 4 || c->input->dtype != KX_F32 || c->input->count == 0 ||
        c->input->shape.dim[0] != 1)
        return kldve_ctx_failf(g->ctx, KLDVE_E_UNSUPPORTED,
                               "input '%.80s' is not float32 [1][channels][height][width] or "
                               "[1][height][width][channels]",
                               c->input->name);
    return KLDVE_OK;
}

kldve_status kx_follow_input(const kx_graph *g, kx_arena *arena, kx_choice *c)
{
    if (c->letters && *c->letters)
        return kx_follow(g, arena, file_input(g, c->input), c->letters, &c->followed);
    return kx_follow_picture(g, arena, c->input, &c->followed, &c->channels_last);
}
