/* explainer.c - a network ready to be explained: opened, with its preprocessing and buffers. */
#include "explainer.h"

#include <assert.h>
#include <string.h>

#include "base/budget.h"
#include "base/float_env.h"
#include "stages/preprocess.h"

static void free_room(kldve_explainer *ex)
{
    if (ex->buffers)
        kldve_buffers_free(ex->buffers, ex->room);
    kldve_ctx_release(ex->ctx, ex->buffers);
    kldve_ctx_release(ex->ctx, ex->runs);
    kldve_ctx_release(ex->ctx, ex->input);
}

static kldve_status make_room(kldve_explainer *ex, int32_t count)
{
    size_t n = (size_t)count;
    kldve_buffers *buffers;
    kldve_run *runs;
    float *input;
    kldve_status st;

    buffers = kldve_ctx_alloc(ex->ctx, n, sizeof *buffers);
    runs = count > 1 ? kldve_ctx_alloc(ex->ctx, n, sizeof *runs) : NULL;
    input = kldve_ctx_alloc(ex->ctx, ex->net.inputs, n * sizeof *input);
    if (!buffers || !input || (count > 1 && !runs))
        st = kldve_ctx_failf(ex->ctx, KLDVE_E_NOMEM, "out of memory for an input of %zu values",
                             ex->net.inputs);
    else
        st = kldve_buffers_new(ex->ctx, &ex->net.shape, count, false, buffers);
    if (st < 0) {
        kldve_ctx_release(ex->ctx, buffers);
        kldve_ctx_release(ex->ctx, runs);
        kldve_ctx_release(ex->ctx, input);
        return st;
    }
    free_room(ex);
    ex->room = count;
    ex->buffers = buffers;
    ex->runs = runs;
    ex->input = input;
    return KLDVE_OK;
}

kldve_status kldve_explainer_make_room(kldve_explainer *ex, int32_t count)
{
    assert(count == 1 || count == ex->net.shape.batch);
    if (ex->room >= count)
        return KLDVE_OK;
    kldve_budget_open(ex->ctx, count, ex->taken);
    return kldve_budget_close(ex->ctx, make_room(ex, count));
}

static size_t held_by(const kldve_ctx *ctx)
{
    size_t now = 0;

    return kldve_ctx_memory(ctx, &now, NULL) == KLDVE_OK ? now : 0;
}

/* What was taken since; a callback may have given back more. */
static size_t taken_since(const kldve_ctx *ctx, size_t before)
{
    size_t now = held_by(ctx);

    return now > before ? now - before : 0;
}

static kldve_status new_explainer(kldve_ctx *ctx, const kldve_backend *backend, const void *config,
                                  kldve_explainer **out)
{
    size_t before = held_by(ctx);
    kldve_explainer *ex;
    kldve_status st;

    ex = kldve_ctx_alloc(ctx, 1, sizeof *ex);
    if (!ex)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for an explainer");
    memset(ex, 0, sizeof *ex);
    ex->ctx = ctx;
    if ((st = kldve_network_open(ctx, backend, config, &ex->net)) < 0)
        goto fail;
    ex->taken = taken_since(ctx, before);
    if ((st = kldve_explainer_make_room(ex, 1)) < 0)
        goto fail;
    ex->taken = taken_since(ctx, before);
    kldve_input_spec_default(&ex->net.shape, &ex->spec);
    *out = ex;
    return KLDVE_OK;
fail:
    kldve_explainer_free(ex);
    return st;
}

kldve_status kldve_explainer_new(kldve_ctx *ctx, const kldve_backend *backend, const void *config,
                                 kldve_explainer **out)
{
    kldve_status st;
    double before;

    if (!ctx || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "explainer: NULL argument");
    before = kldve_ctx_enter(ctx, "opening the network", 0);
    if ((st = kldve_ctx_poll(ctx)) == KLDVE_OK)
        st = new_explainer(ctx, backend, config, out);
    return kldve_ctx_leave(ctx, before, st);
}

void kldve_explainer_free(kldve_explainer *ex)
{
    if (!ex)
        return;
    free_room(ex);
    kldve_scratch_free(ex->ctx, &ex->scratch);
    kldve_network_close(&ex->net);
    kldve_ctx_release(ex->ctx, ex);
}

kldve_status kldve_explainer_set_input(kldve_explainer *ex, const kldve_input_spec *spec)
{
    fenv_t host;

    if (!ex)
        return KLDVE_E_ARG;
    if (!spec)
        return kldve_ctx_fail(ex->ctx, KLDVE_E_ARG, "input: the specification is NULL");
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(&host,
                                 kldve_input_spec_load(ex->ctx, &ex->net.shape, spec, &ex->spec));
}

const void *kldve_explainer_state(const kldve_explainer *ex, const kldve_backend *backend)
{
    return ex && backend && ex->net.backend.open == backend->open ? ex->net.state : NULL;
}

kldve_status kldve_explainer_note(const kldve_explainer *ex, int32_t index, const char **note)
{
    const char *found = NULL;

    if (!ex || !note)
        return KLDVE_E_ARG;
    if (index >= 0 && kldve_network_has(&ex->net, note))
        found = ex->net.backend.note(ex->net.state, index);
    if (!found)
        return KLDVE_E_NOT_FOUND;
    *note = found;
    return KLDVE_OK;
}

kldve_status kldve_explainer_shape(const kldve_explainer *ex, kldve_shape *out)
{
    if (!ex)
        return KLDVE_E_ARG;
    return kldve_struct_store(ex->ctx, "kldve_shape", &ex->net.shape, sizeof ex->net.shape, out);
}
