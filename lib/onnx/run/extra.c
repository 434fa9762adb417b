/* extra.c - a plan of its own, with a state, for a backward pass that is not always wanted:
 * layer-wise relevance propagation under one rule, or the gradients at the biases.
 *
 * It belongs to the state of a backend that asked for it, and so does its memory: several states
 * of one network can make theirs at the same time, because of the network they only read. */
#include "run/extra.h"

#include <assert.h>
#include <string.h>

#include "plan/plan.h"

struct kx_extra {
    kldve_ctx *ctx;
    kx_plan *plan;
    kx_state *state;
};

kldve_status kx_extra_new(kldve_ctx *ctx, const kx_graph *g, const kx_plan_options *options,
                          kx_extra **out)
{
    kx_extra *e = kldve_ctx_alloc(ctx, 1, sizeof *e);
    kldve_status st;

    assert(g && options->threads >= 1);
    if (!e)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while planning the network");
    memset(e, 0, sizeof *e);
    e->ctx = ctx;
    if ((st = kx_plan_new(ctx, g, options, &e->plan)) < 0 ||
        (st = kx_state_new(ctx, e->plan, &e->state)) < 0) {
        kx_extra_free(e);
        return st;
    }
    *out = e;
    return KLDVE_OK;
}

void kx_extra_free(kx_extra *e)
{
    if (!e)
        return;
    kx_state_free(e->state);
    kx_plan_free(e->plan);
    kldve_ctx_release(e->ctx, e);
}

kx_state *kx_extra_state(kx_extra *e)
{
    return e->state;
}
