/* layer_cam.c - LayerCAM: P.-T. Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation
 * Maps for Localization", IEEE Transactions on Image Processing 30, 2021.
 *
 *     E_i = ReLU(sum over m of ReLU(G_mi) x_mi) */
#include "methods.h"
#include "methods/parts/product.h"

static kldve_status map(const kldve_job *job, float *e)
{
    kldve_product_sum(job->gradient, job->features, kldve_job_maps(job), kldve_job_cells(job), true,
                      e);
    kldve_job_rectify(job, e, kldve_job_cells(job));
    return KLDVE_OK;
}

const kldve_method kldve_method_layer_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "layer-cam",
    .title = "LayerCAM",
    .summary = "sums positive gradient times feature in every cell",
    .source = "Jiang et al. 2021, IEEE Transactions on Image Processing 30",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .map = map,
};
