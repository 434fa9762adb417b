/* choose_input.c - which input of a graph is the picture. */
#include "choose_parts.h"

/* What a film below each other becomes for the network, [1][channels][frames][height][width]; NULL:
 * the input is no film. */
static const kx_value *film_of(const kx_graph *g, const kx_value *input)
{
    const kx_node *n = g->nnode > 0 ? &g->node[0] : NULL;

    return n && n->op->traits.axes == KX_AXES_REGROUPED && n->in[0] == input && n->out[0] &&
                   n->out[0]->shape.rank == 5
               ? n->out[0]
               : NULL;
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
    const kx_value *film;

    if ((film = film_of(g, c->input)))
        return kx_follow(g, arena, film, "NCTHW", &c->followed);
    return kx_follow_picture(g, arena, c->input, &c->followed, &c->channels_last);
}
