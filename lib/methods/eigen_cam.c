/* eigen_cam.c - Eigen-CAM: M. B. Muhammad and M. Yeasin, "Eigen-CAM: Class Activation Map using
 * Principal Components", IJCNN 2020, arXiv:2008.00299.
 *
 *     E = |u|,  u the first left singular vector of the cells x maps matrix, columns centred
 *
 * The magnitude is used because the sign of a singular vector is arbitrary.  The map does not
 * depend on the class. */
#include "methods.h"

#include <math.h>

#include "methods/parts/component.h"

static kldve_status map(const kldve_job *job, float *e)
{
    size_t cells = kldve_job_cells(job);
    double *u = kldve_ctx_alloc(job->ctx, cells, sizeof *u);
    kldve_status st;

    if (!u)
        return kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "eigen-cam: out of memory");
    st = kldve_component_first(job->ctx, job->features, kldve_job_maps(job), cells, u);
    if (st == KLDVE_OK)
        for (size_t i = 0; i < cells; i++)
            e[i] = (float)fabs(u[i]);
    kldve_ctx_release(job->ctx, u);
    return st;
}

const kldve_method kldve_method_eigen_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "eigen-cam",
    .title = "EigenCAM",
    .summary =
        "shows the first principal component of the feature maps, for no class in particular",
    .source = "Muhammad and Yeasin 2020, arXiv:2008.00299",
    .needs = KLDVE_NEED_FEATURES,
    .map = map,
    .result_flags = kldve_job_class_indifferent,
};
