/* salient_deconvolution.c - A. Mahendran and A. Vedaldi, "Salient Deconvolutional Networks", ECCV
 * 2016: DeSaliNet, one of the reversed networks that they compare.
 *
 *     reversed network    ReLU, backwards                          maxima           LRN
 *     SaliNet             dx = dy where x > 0 (the gradient)       to where         its gradient
 *     DeConvNet           dx = dy where dy > 0                     they came        identity
 *     DeSaliNet           dx = dy where x > 0 and dy > 0           from             identity
 *
 * The rule for the ReLU is that of guided back-propagation (Springenberg et al. 2015).  The two
 * methods differ only at local response normalisation, as in AlexNet and GoogLeNet; without it the
 * map is bit for bit that of guided-backprop.  The identity is what the authors' program sets for
 * this network (github.com/aravindhm/deconvnet_analysis, `lrn_nobackprop`).  The paper shows the
 * picture that arrives at the input; the map is its magnitude, as for saliency. */
#include "methods.h"
#include "methods/parts/pixels.h"

static kldve_status map(const kldve_job *job, float *e)
{
    return kldve_pixels_gradient(job, job->cotangent, KLDVE_RULE_SALIENT_DECONVOLUTION, e);
}

const kldve_method kldve_method_salient_deconvolution = {
    .struct_size = sizeof(kldve_method),
    .name = "salient-deconvolution",
    .title = "Salient deconvolution",
    .summary = "is guided back-propagation in a reversed network (DeSaliNet)",
    .source = "Mahendran and Vedaldi 2016, ECCV (DeSaliNet)",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_SALIENT_DECONVOLUTION,
    .map = map,
};
