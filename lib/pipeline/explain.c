/* explain.c - the pipeline: what happens in which order.  No arithmetic here; every step is a file.
 *
 *     picture --preprocess.c--> input --backend--> logits k, feature maps x
 *     k of all places --pick.c, backend--> k of the one that is asked for
 *     k --target.c--> class c;  k, c --divergence/--> z, KL;  z --> alpha (Eq. 2)
 *     alpha --methods/--> cotangent --backend (VJP)--> gradient G at the layer
 *     G, x --weights.c--> one weight for each map --reduce.c--> map E (Eq. 3)
 *     E --normalise.c--> 0..1
 *
 * Several inputs take each step together before the next one, so that one forward pass and one VJP
 * serve all of them; a single input is a batch of 1.
 *
 * H. K. Bashier Babiker and R. Goebel, "Using KL-divergence to focus Deep Visual Explanation",
 * arXiv:1711.06431. */
#include "explain.h"

#include <assert.h>
#include <string.h>

#include "admission.h"
#include "base/budget.h"
#include "base/finite.h"
#include "explainer.h"
#include "faithful.h"
#include "options.h"
#include "pick.h"
#include "stages/smooth.h"
#include "steps.h"

/* One step for every input. */
static kldve_status each(kldve_batch *b, kldve_status (*step)(kldve_run *run))
{
    kldve_status st = KLDVE_OK;

    for (b->failed = 0; b->failed < b->count; b->failed++)
        if ((st = kldve_ctx_poll(b->runs->job.ctx)) < 0 || (st = step(b->runs + b->failed)) < 0)
            break;
    return st;
}

/* The same of a step that is about a class. */
static kldve_status each_about(kldve_batch *b, kldve_subject subject,
                               kldve_status (*step)(kldve_run *run, kldve_subject subject))
{
    kldve_status st = KLDVE_OK;

    for (b->failed = 0; b->failed < b->count; b->failed++)
        if ((st = kldve_ctx_poll(b->runs->job.ctx)) < 0 ||
            (st = step(b->runs + b->failed, subject)) < 0)
            break;
    return st;
}

static kldve_status explain_class(kldve_batch *b, kldve_subject subject)
{
    kldve_status st;

    if ((st = each_about(b, subject, kldve_run_divergence)) < 0 || /* k, c -> z, KL, alpha [n] */
        (st = each_about(b, subject, kldve_run_cotangent)) < 0 ||  /* alpha -> t [n]           */
        (st = kldve_batch_vjp(b, subject)) < 0 ||                  /* t -> G [maps][h][w]      */
        (st = each_about(b, subject, kldve_run_weights)) < 0 ||    /* G, x -> a [maps]         */
        (st = each_about(b, subject, kldve_run_map)) < 0)          /* a, x -> E in 0..1 [h][w] */
        return st;
    return KLDVE_OK;
}

/* The mean map of changed forms of one input, for the class found on the input itself.  It comes
 * last, so that the record is about it. */
static kldve_status explain_smooth(kldve_batch *b)
{
    kldve_run *run = b->runs;
    const float *input = b->inputs;
    float *sum = NULL, *changed = NULL;
    kldve_status st = kldve_run_smooth_begin(run, &changed, &sum);

    assert(b->count == 1);
    b->inputs = changed;
    for (int32_t variant = KLDVE_SMOOTH_VARIANTS - 1; st == KLDVE_OK && variant >= 0; variant--) {
        kldve_run_smooth_input(run, input, variant, changed);
        if ((st = kldve_batch_forward(b)) < 0 || (st = each(b, kldve_run_scores)) < 0 ||
            (st = explain_class(b, KLDVE_SUBJECT_TARGET)) < 0)
            break;
        kldve_run_smooth_add(run, variant, sum);
    }
    if (st == KLDVE_OK)
        kldve_run_smooth_end(run, sum);
    b->inputs = run->explained = run->job.input = input;
    kldve_ctx_release(run->job.ctx, changed);
    return st;
}

kldve_status kldve_explain_passed(kldve_batch *b)
{
    bool check = b->runs->options.flags & KLDVE_FLAG_CHECK;
    kldve_status st;

    assert(b->count >= 1 && b->runs->job.logits && b->runs->job.features);
    if ((st = each(b, kldve_run_target)) < 0 || /* k, options -> class c      */
        (st = each(b, kldve_run_scores)) < 0 || /* k -> divergence, any class */
        (check && (st = explain_class(b, KLDVE_SUBJECT_OTHER)) < 0) ||
        (st = explain_class(b, KLDVE_SUBJECT_TARGET)) < 0 ||
        (check && (st = each(b, kldve_run_compare)) < 0))
        return st;
    if (b->runs->options.smooth && (st = explain_smooth(b)) < 0)
        return st;
    return check ? each(b, kldve_run_faithfulness) : KLDVE_OK;
}

/* Options, method, heat map and, of a picture, the input. */
static kldve_status begin_run(kldve_batch *b, const kldve_call *call, int32_t first, int32_t i)
{
    kldve_explainer *ex = call->ex;
    kldve_run *run = b->runs + i;
    const kldve_shape *shape = &ex->net.shape;
    kldve_status st;

    if ((st = kldve_run_prepare(run, ex->ctx, shape, call->options, ex->buffers + i)) < 0 ||
        (st = kldve_run_admit_network(run, &ex->net)) < 0 || (st = kldve_run_begin(run)) < 0)
        return st;
    if (call->frame)
        kldve_run_frame(run, call->frame);
    if (!call->pictures) /* rectifiers may turn NaN into 0, so nobody would notice later */
        return kldve_finite_check(ex->ctx, "explain", "number of the input",
                                  b->inputs + (size_t)i * ex->net.inputs, ex->net.inputs);
    if ((st = kldve_scratch_open(ex->ctx, &ex->scratch)) < 0)
        return st;
    st = kldve_run_picture(run, call->pictures + (first + i) * shape->in_frames, &ex->spec,
                           ex->input + (size_t)i * ex->net.inputs);
    kldve_scratch_close(ex->ctx);
    return st;
}

static kldve_status begin(kldve_batch *b, const kldve_call *call, int32_t first)
{
    kldve_status st = KLDVE_OK;

    for (b->failed = 0; b->failed < b->count; b->failed++)
        if ((st = kldve_ctx_poll(call->ex->ctx)) < 0 ||
            (st = begin_run(b, call, first, b->failed)) < 0)
            break;
    return st;
}

/* See that the caller's scores are those of the network, where it gives any. */
static kldve_status check_logits(kldve_batch *b, const float *logits)
{
    b->failed = 0;
    assert(!logits || b->count == 1);
    return logits ? kldve_run_same_scores(b->runs, logits) : KLDVE_OK;
}

/* The maps go to the chain or, after a failure, nowhere. */
static void hand_over(kldve_batch *b, kldve_status st, kldve_heatmap **last)
{
    for (int32_t i = 0; i < b->count; i++) {
        kldve_heatmap *map = b->runs[i].map;

        assert(map || st < 0);
        if (st < 0) {
            kldve_heatmap_free(map);
            continue;
        }
        map->before = *last;
        *last = map;
    }
}

kldve_status kldve_explain_together(const kldve_call *call, int32_t first, int32_t count,
                                    kldve_heatmap **last, int32_t *failed)
{
    kldve_explainer *ex = call->ex;
    kldve_run alone;
    kldve_batch b = {
        .runs = count > 1 ? ex->runs : &alone,
        .count = count,
        .inputs = call->pictures ? ex->input : call->inputs + (size_t)first * ex->net.inputs,
    };
    kldve_status st;

    if (!call->frame && ex->net.shape.head) {
        *failed = -1;
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                               "%s: only the part behind the layer is open: it takes features, "
                               "kldve_explain_features()",
                               ex->net.backend.name);
    }
    assert(count == 1 || (count == ex->net.shape.batch && count <= ex->room));
    memset(b.runs, 0, (size_t)count * sizeof *b.runs);
    kldve_budget_open(ex->ctx, count, ex->taken);
    if ((st = begin(&b, call, first)) == KLDVE_OK &&       /* pictures -> inputs             */
        (st = kldve_batch_forward(&b)) == KLDVE_OK &&      /* inputs -> logits k, features x */
        (st = each(&b, kldve_run_pick)) == KLDVE_OK &&     /* k of one place or row, if asked */
        (st = check_logits(&b, call->logits)) == KLDVE_OK) /* are they those of the caller? */
        st = kldve_explain_passed(&b);                     /* k, x -> maps E                 */
    st = kldve_budget_close(ex->ctx, st);
    hand_over(&b, st, last);
    *failed = b.failed;
    return st;
}

/* -- one input -------------------------------------------------------------------------------- */

static kldve_status explain_one(const kldve_call *call, kldve_heatmap **out)
{
    kldve_ctx *ctx = call->ex->ctx;
    kldve_heatmap *map = NULL;
    int32_t failed;
    double before = kldve_ctx_enter(ctx, "explain", kldve_options_deadline(call->options));
    kldve_status st = kldve_explain_together(call, 0, 1, &map, &failed);

    if (st == KLDVE_OK)
        *out = map;
    return kldve_ctx_leave(ctx, before, st);
}

kldve_status kldve_explain_input(kldve_explainer *ex, const float *input,
                                 const kldve_options *options, kldve_heatmap **out)
{
    const kldve_call call = {.ex = ex, .options = options, .inputs = input};

    if (!ex)
        return KLDVE_E_ARG;
    if (!input || !out)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "explain: %s is NULL",
                               input ? "the result" : "the input");
    return explain_one(&call, out);
}

kldve_status kldve_explain_film(kldve_explainer *ex, const kldve_image *const *pictures,
                                int32_t count, const kldve_options *options, kldve_heatmap **out)
{
    const kldve_call call = {.ex = ex, .options = options, .pictures = pictures};

    if (!ex)
        return KLDVE_E_ARG;
    if (!pictures || !out)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "explain: %s is NULL",
                               pictures ? "the result" : "the picture");
    if (count != ex->net.shape.in_frames)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                               "explain: %d pictures for a network that takes %d, one for each "
                               "frame of a film",
                               (int)count, (int)ex->net.shape.in_frames);
    for (int32_t i = 0; i < count; i++)
        if (!pictures[i])
            return kldve_ctx_fail(ex->ctx, KLDVE_E_ARG, "explain: the picture is NULL");
    return explain_one(&call, out);
}

kldve_status kldve_explain(kldve_explainer *ex, const kldve_image *picture,
                           const kldve_options *options, kldve_heatmap **out)
{
    return kldve_explain_film(ex, &picture, 1, options, out);
}
