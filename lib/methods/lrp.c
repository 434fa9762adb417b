/* lrp.c - layer-wise relevance propagation: S. Bach et al., "On Pixel-Wise Explanations for
 * Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", PLoS ONE 10(7), 2015, and
 * G. Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019.
 *
 *     R_logits = k_t at the target t, 0 elsewhere (for a set the mean; for a rival -k_r)
 *     R        = relevance of the input, layer by layer
 *     E_i      = sum over channels c of R_ci
 *
 * Propagation starts from the score itself, as in Bach et al., so that evidence for the class stays
 * positive where its score is negative.  The rules are the backend's (kldve_rule,
 * <kldve/backend.h>). */
#include "methods.h"

#include <string.h>

static void sum_channels(const float *relevance, size_t channels, size_t pixels, float *e)
{
    memcpy(e, relevance, pixels * sizeof *e);
    for (size_t c = 1; c < channels; c++)
        for (size_t i = 0; i < pixels; i++)
            e[i] += relevance[c * pixels + i];
}

static kldve_status map(const kldve_job *job, float *e)
{
    size_t classes = (size_t)job->shape->classes, channels = (size_t)job->shape->in_channels;
    size_t pixels = kldve_job_pixels(job);
    float *start = kldve_ctx_alloc(job->ctx, classes + channels * pixels, sizeof *start);
    float *relevance;
    kldve_status st;

    if (!start)
        return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "%s: out of memory", job->method->name);
    relevance = start + classes;
    for (size_t i = 0; i < classes; i++)
        start[i] = job->cotangent[i] * job->logits[i];
    st = kldve_job_vjp_input(job, start, job->method->rule, relevance);
    if (st == KLDVE_OK)
        sum_channels(relevance, channels, pixels, e);
    kldve_ctx_release(job->ctx, start);
    return st;
}

const kldve_method kldve_method_lrp_epsilon = {
    .struct_size = sizeof(kldve_method),
    .name = "lrp-epsilon",
    .title = "LRP ε",
    .summary = "shares the score out layer by layer, by each contribution to a stabilised sum",
    .source = "Bach et al. 2015, PLoS ONE 10(7), epsilon rule",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_LRP_EPSILON,
    .map = map,
    .sign = KLDVE_SIGN_SIGNED,
};

const kldve_method kldve_method_lrp_zplus = {
    .struct_size = sizeof(kldve_method),
    .name = "lrp-zplus",
    .title = "LRP z⁺",
    .summary = "shares the score out layer by layer, among positive contributions only",
    .source = "Montavon et al. 2017, Pattern Recognition 65, z+ rule",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_LRP_ZPLUS,
    .map = map,
};

const kldve_method kldve_method_lrp_alphabeta = {
    .struct_size = sizeof(kldve_method),
    .name = "lrp-alphabeta",
    .title = "LRP αβ",
    .summary =
        "shares the score out layer by layer, positive contributions twice against negative ones",
    .source = "Bach et al. 2015, PLoS ONE 10(7), alpha 2, beta 1",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_LRP_ALPHABETA,
    .map = map,
    .sign = KLDVE_SIGN_SIGNED,
};

const kldve_method kldve_method_lrp_composite = {
    .struct_size = sizeof(kldve_method),
    .name = "lrp-composite",
    .title = "LRP composite",
    .summary = "shares the score out with a rule for each kind of layer",
    .source = "Anders et al. 2021, arXiv:2106.13200, EpsilonPlusFlat",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_LRP_COMPOSITE,
    .map = map,
    .sign = KLDVE_SIGN_SIGNED,
};
