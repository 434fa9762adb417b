/* guided_backprop.c - J. T. Springenberg et al., "Striving for Simplicity: The All Convolutional
 * Net", ICLR 2015 (workshop), arXiv:1412.6806, section 3.4.
 *
 *     ReLU, backwards:  dx = dy where x > 0 and dy > 0, otherwise 0
 *     E_i = max over channels c of |d_ci|,    d what arrives at the input
 *
 * The paper shows d itself as a colour picture; the map is its magnitude, as for saliency. */
#include "methods.h"
#include "methods/parts/pixels.h"

static kldve_status map(const kldve_job *job, float *e)
{
    return kldve_pixels_gradient(job, job->cotangent, KLDVE_RULE_GUIDED, e);
}

const kldve_method kldve_method_guided_backprop = {
    .struct_size = sizeof(kldve_method),
    .name = "guided-backprop",
    .title = "Guided back-propagation",
    .summary = "passes a gradient back only where it and the activation are positive",
    .source = "Springenberg et al. 2015, arXiv:1412.6806",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_GUIDED,
    .map = map,
};
