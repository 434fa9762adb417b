/* guided_grad_cam.c - Guided Grad-CAM: R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from
 * Deep Networks via Gradient-based Localization", ICCV 2017, arXiv:1610.02391.
 *
 *     E_i = |d_i| up(L)_i,    L the map of grad-cam, d that of guided-backprop (pixels.h)
 *
 * L is upsampled bilinearly to the size of the input. */
#include "methods.h"
#include "methods/parts/mean_gradient.h"
#include "methods/parts/pixels.h"

static kldve_status coarse(const kldve_job *job, float *l)
{
    kldve_job_weighted_sum(job, job->weights, l);
    return KLDVE_OK;
}

static kldve_status map(const kldve_job *job, float *e)
{
    return kldve_pixels_guided(job, job->cotangent, coarse, e);
}

const kldve_method kldve_method_guided_grad_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "guided-grad-cam",
    .title = "Guided Grad-CAM",
    .summary = "multiplies guided back-propagation by the map of Grad-CAM",
    .source = "Selvaraju et al. 2017, arXiv:1610.02391",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT | KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_GUIDED,
    .weights = kldve_weights_mean_gradient,
    .map = map,
};
