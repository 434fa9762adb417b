/* xgrad_cam.c - XGrad-CAM: R. Fu et al., "Axiom-based Grad-CAM: Towards Accurate Visualization and
 * Explanation of CNNs", BMVC 2020, arXiv:2008.02312.
 *
 *     a_m = sum_i G_mi x_mi / (sum_i x_mi + 1e-7),    E = ReLU(sum over m of a_m x_m) */
#include "methods.h"

static const double epsilon = 1e-7;

static kldve_status weights(const kldve_job *job, double *a)
{
    size_t cells = kldve_job_cells(job);

    for (size_t m = 0; m < kldve_job_maps(job); m++) {
        const float *g = job->gradient + m * cells, *x = job->features + m * cells;
        double product = 0, sum = 0;

        for (size_t i = 0; i < cells; i++) {
            product += (double)g[i] * (double)x[i];
            sum += (double)x[i];
        }
        a[m] = sum + epsilon != 0 ? product / (sum + epsilon) : 0;
    }
    return KLDVE_OK;
}

const kldve_method kldve_method_xgrad_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "xgrad-cam",
    .title = "XGrad-CAM",
    .summary = "weights each feature map by its gradient, averaged over its activation",
    .source = "Fu et al. 2020, arXiv:2008.02312",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .weights = weights,
};
