/* hires_cam.c - HiResCAM: R. L. Draelos and L. Carin, "Use HiResCAM instead of Grad-CAM for
 * faithful explanations of convolutional neural networks", 2020, arXiv:2011.08891.
 *
 *     E_i = ReLU(sum over m of G_mi x_mi) */
#include "methods.h"
#include "methods/parts/product.h"

static kldve_status map(const kldve_job *job, float *e)
{
    kldve_product_sum(job->gradient, job->features, kldve_job_maps(job), kldve_job_cells(job),
                      false, e);
    kldve_job_rectify(job, e, kldve_job_cells(job));
    return KLDVE_OK;
}

const kldve_method kldve_method_hires_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "hires-cam",
    .title = "HiResCAM",
    .summary = "sums gradient times feature in every cell",
    .source = "Draelos and Carin 2020, arXiv:2011.08891",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .map = map,
};
