/* choose_input.c - which input of a graph is the picture. */
#include "choose_parts.h"

kldve_status kx_choose_input(const kx_graph *g, kx_arena *arena, kx_choice *c)
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
    return kx_follow_picture(g, arena, c->input, &c->followed, &c->channels_last);
}
