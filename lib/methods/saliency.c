/* saliency.c - K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks:
 * Visualising Image Classification Models and Saliency Maps", 2014, arXiv:1312.6034, section 3.1.
 *
 *     E_i = max over channels c of |g_ci|,    g = d logit_t / d input */
#include "methods.h"
#include "methods/parts/pixels.h"

static kldve_status map(const kldve_job *job, float *e)
{
    return kldve_pixels_gradient(job, job->cotangent, KLDVE_RULE_GRADIENT, e);
}

const kldve_method kldve_method_saliency = {
    .struct_size = sizeof(kldve_method),
    .name = "saliency",
    .title = "Saliency",
    .summary = "shows the largest magnitude of the gradient over the channels of a pixel",
    .source = "Simonyan et al. 2014, arXiv:1312.6034",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
};
