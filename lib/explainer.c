/* explainer.c - a network ready to be explained: opened, with its preprocessing and buffers. */
#include "explainer.h"

#include <string.h>

#include "preprocess.h"
#include "struct.h"

kldve_status kldve_explainer_new(kldve_ctx *ctx, const kldve_backend *backend, const void *config,
                                 kldve_explainer **out)
{
    kldve_explainer *ex;
    kldve_status st;

    if (!ctx || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "explainer: NULL argument");
    ex = kldve_ctx_alloc(ctx, 1, sizeof *ex);
    if (!ex)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for an explainer");
    memset(ex, 0, sizeof *ex);
    ex->ctx = ctx;
    if ((st = kldve_network_open(ctx, backend, config, &ex->net)) < 0 ||
        (st = kldve_buffers_new(ctx, &ex->net.shape, false, &ex->buffers)) < 0)
        goto fail;
    ex->input = kldve_ctx_alloc(ctx, ex->net.inputs, sizeof *ex->input);
    if (!ex->input) {
        st = kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for an input of %zu values",
                             ex->net.inputs);
        goto fail;
    }
    kldve_input_spec_default(&ex->net.shape, &ex->spec);
    *out = ex;
    return KLDVE_OK;
fail:
    kldve_explainer_free(ex);
    return st;
}

void kldve_explainer_free(kldve_explainer *ex)
{
    if (!ex)
        return;
    kldve_ctx_release(ex->ctx, ex->input);
    kldve_buffers_free(&ex->buffers);
    kldve_network_close(&ex->net);
    kldve_ctx_release(ex->ctx, ex);
}

kldve_status kldve_explainer_set_input(kldve_explainer *ex, const kldve_input_spec *spec)
{
    if (!ex)
        return KLDVE_E_ARG;
    if (!spec)
        return kldve_ctx_fail(ex->ctx, KLDVE_E_ARG, "input: the specification is NULL");
    return kldve_input_spec_load(ex->ctx, &ex->net.shape, spec, &ex->spec);
}

void kldve_explainer_shape(const kldve_explainer *ex, kldve_shape *out)
{
    kldve_struct_store(&ex->net.shape, sizeof ex->net.shape, out);
}
