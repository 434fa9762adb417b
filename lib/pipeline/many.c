/* many.c - several inputs with the same options: a batch of them at a time where the network can
 * run them together, what is left over one after the other.
 *
 * Batches take the steps of explain.c in its order, each for all inputs before the next, so that
 * one forward pass and one VJP (with KLDVE_FLAG_CHECK two) serve the whole batch. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "explainer.h"

enum { MESSAGE_SIZE = 512 };

/* One call. */
struct many {
    kldve_explainer *ex;
    const kldve_options *options;
    const float *inputs;                /* [count][in_channels][in_height][in_width]; NULL: */
    const kldve_image *const *pictures; /* [count] */
    int32_t first;                      /* of the batch at hand */
    kldve_heatmap *last;                /* the maps so far, each knows the one before it */
};

/* -- messages --------------------------------------------------------------------------------- */

/* "input 3: reason" or, if there is more than one, "inputs 3 to 6: reason". */
static kldve_status failed(const struct many *m, kldve_status st, int32_t first, int32_t count)
{
    char reason[MESSAGE_SIZE];

    snprintf(reason, sizeof reason, "%s", kldve_ctx_message(m->ex->ctx));
    if (count == 1)
        return kldve_ctx_failf(m->ex->ctx, st, "input %d: %s", (int)first, reason);
    return kldve_ctx_failf(m->ex->ctx, st, "inputs %d to %d: %s", (int)first,
                           (int)(first + count - 1), reason);
}

/* A call for the whole batch; `refused` is the input whose numbers it did not take, or -1. */
static kldve_status failed_batch(const struct many *m, kldve_status st, int32_t refused)
{
    if (refused >= 0)
        return failed(m, st, m->first + refused, 1);
    return failed(m, st, m->first, m->ex->net.shape.batch);
}

/* -- a batch ---------------------------------------------------------------------------------- */

/* The inputs of the batch, one behind the other. */
static const float *inputs_of(const struct many *m)
{
    return m->inputs ? m->inputs + (size_t)m->first * m->ex->net.inputs : m->ex->input;
}

typedef kldve_status step(struct many *m, int32_t i);

/* One step for every input i of the batch. */
static kldve_status each(struct many *m, step *take)
{
    kldve_status st;

    for (int32_t i = 0; i < m->ex->net.shape.batch; i++) {
        m->ex->runs[i].away = true;
        if ((st = take(m, i)) < 0)
            return failed(m, st, m->first + i, 1);
    }
    return KLDVE_OK;
}

static kldve_status begin(struct many *m, int32_t i)
{
    kldve_explainer *ex = m->ex;
    kldve_run *run = ex->runs + i;
    kldve_status st;

    if ((st = kldve_run_prepare(run, ex->ctx, &ex->net.shape, m->options, ex->buffers + i)) < 0 ||
        (st = kldve_run_admit(run, &ex->net, NULL)) < 0 || (st = kldve_run_begin(run)) < 0)
        return st;
    return m->inputs ? KLDVE_OK
                     : kldve_run_picture(run, m->pictures[m->first + i], &ex->spec,
                                         ex->input + (size_t)i * ex->net.inputs);
}

/* The pass, without what follows from it. */
static kldve_status run_forward(struct many *m)
{
    kldve_explainer *ex = m->ex;
    int32_t refused = -1;
    kldve_status st = kldve_ctx_progress(ex->ctx, "forward", 0, 1);

    if (st == KLDVE_OK)
        st = kldve_network_forward_many(&ex->net, inputs_of(m), ex->buffers->logits,
                                        ex->buffers->features, &refused);
    return st < 0 ? failed_batch(m, st, refused) : KLDVE_OK;
}

static kldve_status forward(struct many *m)
{
    kldve_explainer *ex = m->ex;
    double start = kldve_clock_ms(), share;
    kldve_status st = run_forward(m);

    if (st < 0)
        return st;
    share = (kldve_clock_ms() - start) / ex->net.shape.batch;
    for (int32_t i = 0; i < ex->net.shape.batch; i++)
        kldve_run_take_forward(ex->runs + i, inputs_of(m) + (size_t)i * ex->net.inputs, share);
    return KLDVE_OK;
}

static kldve_status scores(struct many *m, int32_t i)
{
    kldve_run_target(m->ex->runs + i);
    return kldve_run_scores(m->ex->runs + i);
}

static kldve_status cotangent(struct many *m, int32_t i)
{
    kldve_status st = kldve_run_divergence(m->ex->runs + i);

    return st < 0 ? st : kldve_run_cotangent(m->ex->runs + i);
}

/* A method that ran the network by itself left it elsewhere: run the batch again first. */
static kldve_status run_vjp(struct many *m)
{
    kldve_explainer *ex = m->ex;
    int32_t refused = -1;
    kldve_status st;

    if (!ex->net.together && (st = run_forward(m)) < 0)
        return st;
    if ((st = kldve_ctx_progress(ex->ctx, "backward", 0, 1)) == KLDVE_OK)
        st = kldve_network_vjp_many(&ex->net, ex->buffers->seed, ex->buffers->gradient, &refused);
    return st < 0 ? failed_batch(m, st, refused) : KLDVE_OK;
}

static kldve_status vjp(struct many *m)
{
    kldve_explainer *ex = m->ex;
    double start = kldve_clock_ms(), share;
    kldve_status st;

    if (!(ex->runs->needs & KLDVE_NEED_GRADIENT))
        return KLDVE_OK;
    if ((st = run_vjp(m)) < 0)
        return st;
    share = (kldve_clock_ms() - start) / ex->net.shape.batch;
    for (int32_t i = 0; i < ex->net.shape.batch; i++)
        kldve_run_take_vjp(ex->runs + i, share);
    return KLDVE_OK;
}

static kldve_status map(struct many *m, int32_t i)
{
    kldve_status st = kldve_run_weights(m->ex->runs + i);

    return st < 0 ? st : kldve_run_map(m->ex->runs + i);
}

static kldve_status explain_class(struct many *m)
{
    kldve_status st;

    if ((st = each(m, cotangent)) < 0 || /* k, c -> t  [batch][classes] */
        (st = vjp(m)) < 0 ||             /* t -> G     [batch][maps][height][width] */
        (st = each(m, map)) < 0)         /* G, x -> E  in 0..1 [batch][height][width] */
        return st;
    return KLDVE_OK;
}

static kldve_status check_begin(struct many *m, int32_t i)
{
    return kldve_run_check_begin(m->ex->runs + i);
}

static kldve_status check_end(struct many *m, int32_t i)
{
    kldve_run_check_end(m->ex->runs + i);
    return KLDVE_OK;
}

static kldve_status compare(struct many *m, int32_t i)
{
    kldve_run_compare(m->ex->runs + i);
    return KLDVE_OK;
}

static kldve_status explain_checked(struct many *m)
{
    kldve_status st;

    if ((st = each(m, check_begin)) < 0 || (st = explain_class(m)) < 0 ||
        (st = each(m, check_end)) < 0 || (st = explain_class(m)) < 0)
        return st;
    return each(m, compare);
}

static void keep(struct many *m, kldve_heatmap *map)
{
    map->before = m->last;
    m->last = map;
}

static kldve_status explain_batch(struct many *m)
{
    kldve_run *runs = m->ex->runs;
    int32_t batch = m->ex->net.shape.batch;
    kldve_status st;

    memset(runs, 0, (size_t)batch * sizeof *runs);
    if ((st = each(m, begin)) < 0 ||  /* pictures -> inputs */
        (st = forward(m)) < 0 ||      /* inputs -> logits k, feature maps x */
        (st = each(m, scores)) < 0 || /* k -> class c, divergence */
        (st = runs->options.flags & KLDVE_FLAG_CHECK ? explain_checked(m) : explain_class(m)) < 0) {
        for (int32_t i = 0; i < batch; i++)
            kldve_heatmap_free(runs[i].map);
        return st;
    }
    for (int32_t i = 0; i < batch; i++)
        keep(m, runs[i].map);
    return KLDVE_OK;
}

/* -- all -------------------------------------------------------------------------------------- */

static kldve_status explain_one(struct many *m)
{
    kldve_heatmap *map = NULL;
    kldve_status st;

    if (m->inputs)
        st = kldve_explain_input(m->ex, inputs_of(m), m->options, &map);
    else
        st = kldve_explain(m->ex, m->pictures[m->first], m->options, &map);
    if (st < 0)
        return failed(m, st, m->first, 1);
    keep(m, map);
    return KLDVE_OK;
}

/* How many inputs to explain at once: the batch, or 1 if the backend or the method cannot.  What is
 * wrong with the options is wrong with no input in particular, and found here. */
static kldve_status plan(const struct many *m, int32_t *at_once)
{
    const uint32_t of_batch = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT;
    kldve_explainer *ex = m->ex;
    kldve_run run;
    kldve_status st;

    if ((st = kldve_run_prepare(&run, ex->ctx, &ex->net.shape, m->options, ex->buffers)) < 0 ||
        (st = kldve_run_admit(&run, &ex->net, NULL)) < 0)
        return st;
    *at_once = ex->net.shape.batch;
    if (run.needs & ~of_batch || run.options.smooth ||
        (run.needs & KLDVE_NEED_GRADIENT && !kldve_network_has_vjp_many(&ex->net)))
        *at_once = 1;
    return KLDVE_OK;
}

static kldve_status explain_all(struct many *m, int32_t count)
{
    int32_t at_once = 1, next = 0;
    kldve_status st = plan(m, &at_once);

    if (st == KLDVE_OK && at_once > 1 && count >= at_once)
        st = kldve_explainer_make_room(m->ex, at_once);
    while (st == KLDVE_OK && next < count) {
        bool batch = at_once > 1 && count - next >= at_once;

        m->first = next;
        if ((st = kldve_ctx_progress(m->ex->ctx, "inputs", next, count)) < 0)
            break;
        st = batch ? explain_batch(m) : explain_one(m);
        next += batch ? at_once : 1;
    }
    return st;
}

/* All maps, or none: only then is `out` written. */
static kldve_status explain_many(struct many *m, int32_t count, kldve_heatmap **out)
{
    kldve_status st = explain_all(m, count);

    for (int32_t i = count; m->last;) {
        kldve_heatmap *map = m->last;

        m->last = map->before;
        map->before = NULL;
        if (st < 0)
            kldve_heatmap_free(map);
        else
            out[--i] = map;
    }
    return st;
}

static kldve_status check_arguments(kldve_ctx *ctx, int32_t count, const void *in, const char *name,
                                    kldve_heatmap **out)
{
    if (!in || !out)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "explain: the %s are NULL", in ? "results" : name);
    if (count < 1)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "explain: %d %s", (int)count, name);
    return KLDVE_OK;
}

kldve_status kldve_explain_inputs(kldve_explainer *ex, int32_t count, const float *inputs,
                                  const kldve_options *options, kldve_heatmap **out)
{
    struct many m = {.ex = ex, .options = options, .inputs = inputs};
    kldve_status st;

    if (!ex)
        return KLDVE_E_ARG;
    st = check_arguments(ex->ctx, count, inputs, "inputs", out);
    return st < 0 ? st : explain_many(&m, count, out);
}

kldve_status kldve_explain_many(kldve_explainer *ex, int32_t count,
                                const kldve_image *const *pictures, const kldve_options *options,
                                kldve_heatmap **out)
{
    struct many m = {.ex = ex, .options = options, .pictures = pictures};
    kldve_status st;

    if (!ex)
        return KLDVE_E_ARG;
    if ((st = check_arguments(ex->ctx, count, pictures, "pictures", out)) < 0)
        return st;
    for (int32_t i = 0; i < count; i++)
        if (!pictures[i])
            return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "input %d: the picture is NULL", (int)i);
    return explain_many(&m, count, out);
}
