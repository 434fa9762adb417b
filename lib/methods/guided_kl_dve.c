/* guided_kl_dve.c - guided back-propagation times the map of KL-DVE, as Guided Grad-CAM does
 * with Grad-CAM's.  The paper (arXiv:1711.06431) puts the two side by side; their product is ours.
 *
 *     E_i = |d_i| up(ReLU(L))_i,    L the map of kl-dve, d that of guided-backprop (pixels.h)
 *
 * L uses the reading of the options, as kl-dve does, and supports everything that kl-dve
 * does: sets, a rival, a truth.  d belongs to the target's logit, as in guided-backprop and
 * guided-grad-cam, so that the three differ only in L. */
#include "methods.h"
#include "methods/parts/pixels.h"
#include "stages/target.h"

static uint64_t needs_with(const kldve_options *options)
{
    return kldve_method_kl_dve.needs_with(options) | KLDVE_NEED_INPUT_GRADIENT;
}

/* For the reading `paper`, only the guided part is propagated back. */
static kldve_status cotangent(const kldve_job *job, double *t)
{
    if (job->options->reading != KLDVE_READING_PAPER)
        return kldve_method_kl_dve.cotangent(job, t);
    kldve_target_weights(job->options, job->shape, job->target, t);
    return KLDVE_OK;
}

static kldve_status weights(const kldve_job *job, double *a)
{
    return kldve_method_kl_dve.weights(job, a);
}

static kldve_status map(const kldve_job *job, float *e)
{
    size_t n = (size_t)job->shape->classes;
    double *target = kldve_ctx_alloc(job->ctx, n, sizeof *target);
    float *t = kldve_ctx_alloc(job->ctx, n, sizeof *t);
    kldve_status st;

    if (target && t) {
        kldve_target_weights(job->options, job->shape, job->target, target);
        for (size_t i = 0; i < n; i++)
            t[i] = (float)target[i];
        st = kldve_pixels_guided(job, t, kldve_method_kl_dve.map, e);
    } else {
        st = kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "guided-kl-dve: out of memory");
    }
    kldve_ctx_release(job->ctx, t);
    kldve_ctx_release(job->ctx, target);
    return st;
}

static const char *remark(const kldve_job *job)
{
    return kldve_method_kl_dve.remark(job);
}

const kldve_method kldve_method_guided_kl_dve = {
    .struct_size = sizeof(kldve_method),
    .name = "guided-kl-dve",
    .title = "Guided KL-DVE",
    .summary = "multiplies guided back-propagation by the map of KL-DVE",
    .source = "Springenberg et al. 2015 times Bashier Babiker and Goebel 2017; this library",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT | KLDVE_NEED_INPUT_GRADIENT,
    .readings = KLDVE_READINGS,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_GUIDED,
    .needs_with = needs_with,
    .cotangent = cotangent,
    .weights = weights,
    .map = map,
    .remark = remark,
    .options = KLDVE_OPTION_TEMPERATURE | KLDVE_OPTION_PERPLEXITY | KLDVE_OPTION_TRUTH |
               KLDVE_OPTION_NEIGHBOUR_PERPLEXITY,
};
