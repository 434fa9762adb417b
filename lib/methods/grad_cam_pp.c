/* grad_cam_pp.c - Grad-CAM++: A. Chattopadhay et al., "Grad-CAM++: Improved Visual Explanations for
 * Deep Convolutional Networks", WACV 2018, arXiv:1710.11063, Eq. 5 and 19.
 *
 *     alpha_mi = G_mi^2 / (2 G_mi^2 + S_m G_mi^3 + 1e-6),   0 where G_mi = 0,   S_m = sum_i x_mi
 *     a_m = sum over i of alpha_mi ReLU(G_mi),              E = ReLU(sum over m of a_m x_m)
 *
 * G is the gradient of the logit; the paper's exp(logit) in front of it is a common factor.  The
 * 1e-6, which the paper does not have, is that of its best-known implementation (pytorch-grad-cam).
 */
#include "methods.h"

static const double epsilon = 1e-6;

static double weight(const float *g, const float *x, size_t cells)
{
    double sum = 0, a = 0;

    for (size_t i = 0; i < cells; i++)
        sum += (double)x[i];
    for (size_t i = 0; i < cells; i++) {
        double d = (double)g[i];

        if (d > 0)
            a += d * (d * d) / (2 * d * d + sum * d * d * d + epsilon);
    }
    return a;
}

static kldve_status weights(const kldve_job *job, double *a)
{
    size_t cells = kldve_job_cells(job);

    for (size_t m = 0; m < kldve_job_maps(job); m++)
        a[m] = weight(job->gradient + m * cells, job->features + m * cells, cells);
    return KLDVE_OK;
}

const kldve_method kldve_method_grad_cam_pp = {
    .struct_size = sizeof(kldve_method),
    .name = "grad-cam++",
    .title = "Grad-CAM++",
    .summary = "weights each feature map by its positive gradients, with a factor for each cell",
    .source = "Chattopadhay et al. 2018, arXiv:1710.11063",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .weights = weights,
};
