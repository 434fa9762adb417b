/* cam.c - CAM: B. Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016,
 * arXiv:1512.04150, Eq. 2.
 *
 *     E = sum over m of W[c][m] x_m
 *
 * for networks that end in global average pooling and one linear layer W.  There the gradient of
 * logit c at map m is W[c][m] / (h w) in every cell: its sum over space is the weight, and if it is
 * not the same in every cell, the network has another head. */
#include "methods.h"
#include "methods/parts/mean_gradient.h"

#include <math.h>

static const double rounding = 1e-5;

/* Is the gradient the same in every cell of each map, up to rounding? */
static int constant_over_space(const float *gradient, size_t maps, size_t cells)
{
    double largest = 0, variation = 0;

    for (size_t m = 0; m < maps; m++) {
        const float *g = gradient + m * cells;

        for (size_t i = 0; i < cells; i++) {
            largest = fmax(largest, fabs((double)g[i]));
            variation = fmax(variation, fabs((double)g[i] - (double)g[0]));
        }
    }
    return variation <= rounding * largest;
}

static kldve_status weights(const kldve_job *job, double *w)
{
    size_t maps = kldve_job_maps(job), cells = kldve_job_cells(job);

    if (!constant_over_space(job->gradient, maps, cells))
        return kldve_ctx_fail(
            job->ctx, KLDVE_E_UNSUPPORTED,
            "cam: more than global average pooling and a linear layer follows this "
            "layer; choose the last layer, or grad-cam");
    kldve_weights_mean_gradient(job, w);
    for (size_t m = 0; m < maps; m++)
        w[m] *= (double)cells;
    return KLDVE_OK;
}

static kldve_status map(const kldve_job *job, float *e)
{
    kldve_job_weighted_sum(job, job->weights, e);
    return KLDVE_OK;
}

const kldve_method kldve_method_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "cam",
    .title = "CAM",
    .summary = "weights feature maps by the last linear layer, behind global average pooling",
    .source = "Zhou et al. 2016, arXiv:1512.04150",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .weights = weights,
    .map = map,
};
