/* gradient_x_input.c - gradient times input: A. Shrikumar et al., "Not Just a Black Box: Learning
 * Important Features Through Propagating Activation Differences", 2016, arXiv:1605.01713.
 *
 *     E_i = sum over channels c of g_ci x_ci,    g = d logit_t / d x
 *
 * x is the input as the network sees it, after normalisation: a pixel of the mean colour is 0 and
 * receives nothing.  E is shown with its sign; in a network without biases its sum is the score. */
#include "methods.h"
#include "methods/parts/product.h"

static kldve_status map(const kldve_job *job, float *e)
{
    size_t channels = (size_t)job->shape->in_channels, pixels = kldve_job_pixels(job);
    float *gradient = kldve_ctx_alloc(job->ctx, kldve_job_inputs(job), sizeof *gradient);
    kldve_status st;

    if (!gradient)
        return kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "gradient-x-input: out of memory");
    st = kldve_job_vjp_input(job, job->cotangent, KLDVE_RULE_GRADIENT, gradient);
    if (st == KLDVE_OK)
        kldve_product_sum(gradient, job->input, channels, pixels, false, e);
    kldve_ctx_release(job->ctx, gradient);
    return st;
}

const kldve_method kldve_method_gradient_x_input = {
    .struct_size = sizeof(kldve_method),
    .name = "gradient-x-input",
    .title = "Gradient × input",
    .summary = "sums gradient times input over the channels of a pixel",
    .source = "Shrikumar et al. 2016, arXiv:1605.01713",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .sign = KLDVE_SIGN_SIGNED,
};
