/* explain.c - the pipeline: what happens in which order.  No arithmetic here; every step is a file.
 *
 *     picture --preprocess.c--> input --backend--> logits k, feature maps x
 *     k --target.c--> class c;  k, c --divergence/--> z, KL;  z --> alpha (Eq. 2)
 *     alpha --methods/--> cotangent --backend (VJP)--> gradient G at the layer
 *     G, x --weights.c--> one weight for each map --reduce.c--> map E (Eq. 3)
 *     E --normalise.c--> 0..1
 *
 * H. K. Bashier Babiker and R. Goebel, "Using KL-divergence to focus Deep Visual Explanation",
 * arXiv:1711.06431. */
#include "explain.h"

#include "explainer.h"
#include "stages/smooth.h"

static kldve_status explain_class(kldve_run *run)
{
    kldve_status st;

    if ((st = kldve_run_divergence(run)) < 0 || /* k, c -> z, KL, alpha [classes]      */
        (st = kldve_run_cotangent(run)) < 0 ||  /* alpha -> t [classes]                */
        (st = kldve_run_vjp(run)) < 0 ||        /* t -> G [maps][height][width]        */
        (st = kldve_run_weights(run)) < 0 ||    /* G, x -> a [maps]                    */
        (st = kldve_run_map(run)) < 0)          /* a, x -> E in 0..1 [height][width]   */
        return st;
    return KLDVE_OK;
}

/* The map of the best other class. */
static kldve_status explain_other(kldve_run *run)
{
    kldve_status st;

    if ((st = kldve_run_check_begin(run)) < 0 || (st = explain_class(run)) < 0)
        return st;
    kldve_run_check_end(run);
    return KLDVE_OK;
}

/* The mean map of changed inputs, for the class found on the input itself, which comes last: the
 * record is about it. */
static kldve_status explain_smooth(kldve_run *run)
{
    const float *input = run->job.input;
    float *sum = NULL, *changed = NULL;
    kldve_status st = kldve_smooth_begin(run, &changed, &sum);

    for (int32_t variant = KLDVE_SMOOTH_VARIANTS - 1; st == KLDVE_OK && variant >= 0; variant--) {
        kldve_smooth_input(run, input, variant, changed);
        if ((st = kldve_run_forward(run, changed)) < 0 || (st = kldve_run_scores(run)) < 0 ||
            (st = explain_class(run)) < 0)
            break;
        kldve_smooth_add(run, variant, sum);
    }
    if (st == KLDVE_OK)
        kldve_smooth_end(run, sum);
    run->job.input = input;
    kldve_ctx_release(run->job.ctx, changed);
    return st;
}

kldve_status kldve_explain_run(kldve_run *run)
{
    bool check = run->options.flags & KLDVE_FLAG_CHECK;
    kldve_status st;

    kldve_run_target(run);                  /* k, options -> class c */
    if ((st = kldve_run_scores(run)) < 0 || /* k -> its divergence, any class */
        (check && (st = explain_other(run)) < 0) || (st = explain_class(run)) < 0)
        return st;
    if (check)
        kldve_run_compare(run);
    return run->options.smooth ? explain_smooth(run) : KLDVE_OK;
}

/* Picture, if there is one -> input -> heat map in *out. */
static kldve_status explain(kldve_explainer *ex, const kldve_image *picture, const float *input,
                            const kldve_options *options, kldve_heatmap **out)
{
    kldve_run run;
    kldve_status st;

    if ((st = kldve_run_prepare(&run, ex->ctx, &ex->net.shape, options, ex->buffers)) < 0 ||
        (st = kldve_run_admit(&run, &ex->net, NULL)) < 0 || (st = kldve_run_begin(&run)) < 0)
        return st;
    if ((picture && (st = kldve_run_picture(&run, picture, &ex->spec, ex->input)) < 0) ||
        (st = kldve_run_forward(&run, input)) < 0 || (st = kldve_explain_run(&run)) < 0) {
        kldve_heatmap_free(run.map);
        return st;
    }
    *out = run.map;
    return KLDVE_OK;
}

kldve_status kldve_explain_input(kldve_explainer *ex, const float *input,
                                 const kldve_options *options, kldve_heatmap **out)
{
    if (!ex)
        return KLDVE_E_ARG;
    if (!input || !out)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "explain: %s is NULL",
                               input ? "the result" : "the input");
    return explain(ex, NULL, input, options, out);
}

kldve_status kldve_explain(kldve_explainer *ex, const kldve_image *picture,
                           const kldve_options *options, kldve_heatmap **out)
{
    if (!ex)
        return KLDVE_E_ARG;
    if (!picture || !out)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG, "explain: %s is NULL",
                               picture ? "the result" : "the picture");
    return explain(ex, picture, ex->input, options, out);
}
