/* eigengrad_cam.c - EigenGrad-CAM: Eigen-CAM (arXiv:2008.00299) of gradient times feature, as
 * in pytorch-grad-cam (J. Gildenblat et al., github.com/jacobgil/pytorch-grad-cam).
 *
 *     E = ReLU(s u),  u the first left singular vector of the cells x maps matrix G_mi x_mi,
 *     columns centred;  s = sign of sum_i u_i r_i,  r_i = sum over m of G_mi x_mi
 *
 * The sign of a singular vector is arbitrary.  We choose it so that the component agrees with the
 * class's evidence r; pytorch-grad-cam leaves it arbitrary. */
#include "methods.h"

#include <math.h>

#include "methods/parts/component.h"
#include "methods/parts/product.h"

/* e holds r on entry. */
static void orient(const kldve_job *job, const double *u, size_t cells, float *e)
{
    double along = 0;

    for (size_t i = 0; i < cells; i++)
        along += u[i] * (double)e[i];
    for (size_t i = 0; i < cells; i++)
        e[i] = (float)(along < 0 ? -u[i] : u[i]);
    kldve_job_rectify(job, e, cells);
}

static kldve_status map(const kldve_job *job, float *e)
{
    size_t maps = kldve_job_maps(job), cells = kldve_job_cells(job);
    double *u = kldve_ctx_alloc(job->ctx, cells, sizeof *u);
    float *product = kldve_ctx_alloc(job->ctx, maps * cells, sizeof *product);
    kldve_status st = KLDVE_E_NOMEM;

    if (!u || !product) {
        kldve_ctx_fail(job->ctx, st, "eigengrad-cam: out of memory");
        goto done;
    }
    for (size_t i = 0; i < maps * cells; i++)
        product[i] = job->gradient[i] * job->features[i];
    if ((st = kldve_component_first(job->ctx, product, maps, cells, u)) < 0)
        goto done;
    kldve_product_sum(job->gradient, job->features, maps, cells, false, e);
    orient(job, u, cells, e);
done:
    kldve_ctx_release(job->ctx, u);
    kldve_ctx_release(job->ctx, product);
    return st;
}

const kldve_method kldve_method_eigengrad_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "eigengrad-cam",
    .title = "EigenGrad-CAM",
    .summary = "shows the first principal component of gradient times feature",
    .source = "pytorch-grad-cam, github.com/jacobgil/pytorch-grad-cam, after arXiv:2008.00299",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .map = map,
};
