/* deconvolution.c - M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional
 * Networks", ECCV 2014, arXiv:1311.2901, section 2.1.
 *
 *     ReLU, backwards:  dx = max(dy, 0), whatever x was
 *     E_i = max over channels c of |d_ci|,    d what arrives at the input
 *
 * Maxima hand dy down to where they came from (the paper's switches), convolutions are transposed,
 * and local response normalisation passes dy on unchanged (Mahendran and Vedaldi 2016, DeConvNet).
 * Zeiler and Fergus show one feature map of a layer; here the score of a class is propagated, as in
 * Springenberg et al. 2015 and in Mahendran and Vedaldi 2016.  In a network without maxima, the
 * result depends on the input only through the choice of the class. */
#include "methods.h"
#include "methods/parts/pixels.h"

static kldve_status map(const kldve_job *job, float *e)
{
    return kldve_pixels_gradient(job, job->cotangent, KLDVE_RULE_DECONVOLUTION, e);
}

const kldve_method kldve_method_deconvolution = {
    .struct_size = sizeof(kldve_method),
    .name = "deconvolution",
    .title = "Deconvolution",
    .summary = "runs the network in reverse and passes positive signals only",
    .source = "Zeiler and Fergus 2014, arXiv:1311.2901",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .rule = KLDVE_RULE_DECONVOLUTION,
    .map = map,
};
