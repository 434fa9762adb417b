/* call.c - running primitives.  See call.h. */
#include "accel/call.h"

#include <assert.h>
#include <string.h>

#include "accel/onednn.h"

struct kx_call {
    const kldve_ctx *ctx;
    const kx_prim *p;
    dnnl_stream_t stream;
    int n;
    dnnl_exec_arg_t arg[];
};

kldve_status kx_call_new(const kldve_ctx *ctx, const kx_prim *p, void *const memory[KX_SLOTS],
                         kx_call **out)
{
    dnnl_engine_t engine = NULL;
    kx_call *c;
    int n = 0;

    for (int s = 0; s < KX_SLOTS; s++)
        n += p->slot[s] != NULL;
    c = kldve_ctx_alloc(ctx, 1, sizeof *c + (size_t)n * sizeof c->arg[0]);
    if (!c)
        return KLDVE_E_NOMEM;
    memset(c, 0, sizeof *c);
    c->ctx = ctx;
    c->p = p;
    if (dnnl_primitive_desc_query(p->pd, dnnl_query_engine, 0, &engine) != dnnl_success ||
        kx_dnnl.stream_create(&c->stream, engine, dnnl_stream_default_flags) != dnnl_success)
        goto fail;
    for (int s = 0; s < KX_SLOTS; s++) {
        if (!p->slot[s])
            continue;
        assert(memory[s]);
        c->arg[c->n].arg = kx_slot_arg(s);
        if (kx_dnnl.memory_create(&c->arg[c->n].memory, p->slot[s]->md, engine, memory[s]) !=
            dnnl_success)
            goto fail;
        c->n++;
    }
    assert(c->n == n);
    *out = c;
    return KLDVE_OK;
fail:
    kx_call_free(c);
    return KLDVE_E_NOMEM;
}

kldve_status kx_call_run(kx_call *c)
{
    dnnl_status_t st = dnnl_out_of_memory;

    if (kx_has_room(c->p->room))
        st = kx_dnnl.primitive_execute(c->p->prim, c->stream, c->n, c->arg);
    if (st == dnnl_success)
        st = kx_dnnl.stream_wait(c->stream);
    return st == dnnl_success         ? KLDVE_OK
           : st == dnnl_out_of_memory ? KLDVE_E_NOMEM
                                      : KLDVE_E_BACKEND;
}

void kx_call_free(kx_call *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n; i++)
        dnnl_memory_destroy(c->arg[i].memory);
    dnnl_stream_destroy(c->stream);
    kldve_ctx_release(c->ctx, c);
}
