/* many.c - several inputs with the same options: a batch of them at a time where the network can
 * run them together, the rest one by one.  All maps come back, or none. */
#include <assert.h>
#include <stdio.h>

#include "admission.h"
#include "explain.h"
#include "explainer.h"
#include "options.h"

enum { MESSAGE_SIZE = 512 };

/* Puts "input 3: " or, of more than one, "inputs 3 to 6: " before the reason. */
static kldve_status name_inputs(kldve_ctx *ctx, kldve_status st, int32_t first, int32_t count)
{
    char reason[MESSAGE_SIZE];

    snprintf(reason, sizeof reason, "%s", kldve_ctx_message(ctx));
    if (count == 1)
        return kldve_ctx_failf(ctx, st, "input %d: %s", (int)first, reason);
    return kldve_ctx_failf(ctx, st, "inputs %d to %d: %s", (int)first, (int)(first + count - 1),
                           reason);
}

static kldve_status explain_some(const kldve_call *call, int32_t first, int32_t count,
                                 kldve_heatmap **last)
{
    int32_t failed;
    kldve_status st = kldve_explain_together(call, first, count, last, &failed);

    if (st == KLDVE_OK)
        return st;
    return failed < 0 ? name_inputs(call->ex->ctx, st, first, count)
                      : name_inputs(call->ex->ctx, st, first + failed, 1);
}

/* How many inputs to explain at once: the batch, or 1 if the backend or the method cannot.  Options
 * that are wrong are found here, because they are not the fault of one input. */
static kldve_status plan(const kldve_call *call, int32_t *at_once)
{
    const uint64_t of_batch = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT;
    kldve_explainer *ex = call->ex;
    kldve_run run;
    kldve_status st;

    if ((st = kldve_run_prepare(&run, ex->ctx, &ex->net.shape, call->options, ex->buffers)) < 0 ||
        (st = kldve_run_admit_network(&run, &ex->net)) < 0)
        return st;
    *at_once = ex->net.shape.batch;
    if (run.needs & ~of_batch || run.options.smooth || run.options.pick ||
        (run.needs & KLDVE_NEED_GRADIENT && !kldve_network_has(&ex->net, vjp_many)))
        *at_once = 1;
    return KLDVE_OK;
}

static kldve_status explain_all(const kldve_call *call, int32_t count, kldve_heatmap **last)
{
    int32_t at_once = 1, next = 0;
    kldve_status st = plan(call, &at_once);

    if (st == KLDVE_OK && at_once > 1 && count >= at_once)
        st = kldve_explainer_make_room(call->ex, at_once);
    while (st == KLDVE_OK && next < count) {
        int32_t some = count - next >= at_once ? at_once : 1;

        if ((st = kldve_ctx_progress(call->ex->ctx, "inputs", next, count)) < 0)
            break;
        st = explain_some(call, next, some, last);
        next += some;
    }
    return st;
}

/* `out` is written when every map is there. */
static kldve_status explain_many(const kldve_call *call, int32_t count, kldve_heatmap **out)
{
    kldve_ctx *ctx = call->ex->ctx;
    kldve_heatmap *last = NULL;
    double before = kldve_ctx_enter(ctx, "explain", kldve_options_deadline(call->options));
    kldve_status st = explain_all(call, count, &last);

    for (int32_t i = count; last;) {
        kldve_heatmap *map = last;

        last = map->before;
        map->before = NULL;
        assert(i > 0);
        if (st < 0)
            kldve_heatmap_free(map);
        else
            out[--i] = map;
    }
    return kldve_ctx_leave(ctx, before, st);
}

static kldve_status check_arguments(kldve_ctx *ctx, int32_t count, const void *in, const char *name,
                                    kldve_heatmap **out)
{
    if (!in || !out)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "explain: the %s are NULL", in ? "results" : name);
    if (count < 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "explain: the number of %s is %d, it must be at least 1", name,
                               (int)count);
    return KLDVE_OK;
}

kldve_status kldve_explain_inputs(kldve_explainer *ex, const float *inputs, int32_t count,
                                  const kldve_options *options, kldve_heatmap **out)
{
    const kldve_call call = {.ex = ex, .options = options, .inputs = inputs};
    kldve_status st;

    if (!ex)
        return KLDVE_E_ARG;
    st = check_arguments(ex->ctx, count, inputs, "inputs", out);
    return st < 0 ? st : explain_many(&call, count, out);
}

kldve_status kldve_explain_many(kldve_explainer *ex, const kldve_image *const *pictures,
                                int32_t count, const kldve_options *options, kldve_heatmap **out)
{
    const kldve_call call = {.ex = ex, .options = options, .pictures = pictures};
    kldve_status st;

    if (!ex)
        return KLDVE_E_ARG;
    if ((st = check_arguments(ex->ctx, count, pictures, "pictures", out)) < 0)
        return st;
    if (ex->net.shape.in_frames > 1)
        return kldve_ctx_fail(ex->ctx, KLDVE_E_ARG,
                              "explain: the network takes films: use kldve_explain_film()");
    for (int32_t i = 0; i < count; i++)
        if (!pictures[i])
            return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "input %d: the picture is NULL", (int)i);
    return explain_many(&call, count, out);
}
