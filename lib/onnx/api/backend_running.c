/* backend_running.c - what runs the network of an open backend: made for one network, and freed
 * when another one takes its place. */
#include "backend_parts.h"

void kx_backend_stop(kx_backend_state *s)
{
    for (int i = 0; i < KX_EXTRAS; i++)
        kx_extra_free(s->extra[i]);
    kx_picked_free(s->picked);
    kx_extra_free(s->finder);
    kldve_ctx_release(s->ctx, s->found);
    kx_many_free(s->many);
    kx_state_free(s->run);
    kldve_ctx_release(s->ctx, s->input);
    kldve_ctx_release(s->ctx, s->rounded);
}

kldve_status kx_backend_start(kx_backend_state *s)
{
    kldve_status st;

    if ((st = kx_state_new(s->ctx, s->net->plan, &s->run)) < 0 ||
        (s->net->selects &&
         (st = kx_picked_new(s->ctx, &s->net->selection, s->net->batch, &s->picked)) < 0))
        return st;
    if (!s->net->options.vjp_input && !s->net->detector.found)
        return KLDVE_OK;
    s->input = kldve_ctx_alloc(s->ctx, kx_taken_count(s->net), sizeof *s->input);
    return s->input
               ? KLDVE_OK
               : kldve_ctx_fail(s->ctx, KLDVE_E_NOMEM, "out of memory while opening the network");
}
