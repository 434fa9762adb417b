/* smooth_grad.c - SmoothGrad: D. Smilkov et al., "SmoothGrad: removing noise by adding noise",
 * 2017, arXiv:1706.03825.
 *
 *     G_ci = mean over k of g_ci(x + noise_k),    E_i = max over channels c of |G_ci|
 *
 * The noise is normal with deviation options.noise (max x - min x), 0.15 by default, 25 draws.  The
 * standard error is that of G at the channel shown: deviation of g / sqrt(N).
 * Cost: N forward and N backward passes. */
#include <assert.h>
#include <math.h>

#include "methods.h"
#include "methods/parts/moments.h"
#include "methods/parts/pixels.h"

static void show(const kldve_job *job, const kldve_moments *m, float *mean, float *e)
{
    size_t channels = (size_t)job->shape->in_channels, pixels = kldve_job_pixels(job);
    double n = m->count;

    assert(m->count >= 2);
    for (size_t i = 0; i < kldve_job_inputs(job); i++)
        mean[i] = (float)m->mean[i];
    kldve_pixels_show(job, mean, e);
    for (size_t i = 0; job->error && i < pixels; i++) {
        size_t c = kldve_pixels_strongest(mean, channels, pixels, i);

        job->error[i] = (float)sqrt(m->m2[c * pixels + i] / (n - 1) / n);
    }
}

static kldve_status map(const kldve_job *job, float *e)
{
    float *mean = kldve_ctx_alloc(job->ctx, kldve_job_inputs(job), sizeof *mean);
    kldve_moments moments;
    kldve_status st;

    if (!mean)
        return kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "smooth-grad: out of memory");
    st = kldve_moments_of_gradient(job, &moments);
    if (st == KLDVE_OK) {
        show(job, &moments, mean, e);
        kldve_moments_free(job, &moments);
    }
    kldve_ctx_release(job->ctx, mean);
    return st;
}

const kldve_method kldve_method_smooth_grad = {
    .struct_size = sizeof(kldve_method),
    .name = "smooth-grad",
    .title = "SmoothGrad",
    .summary = "averages the gradients of noisy inputs",
    .source = "Smilkov et al. 2017, arXiv:1706.03825",
    .needs = KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_FORWARDS,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .random = 1,
    .options = KLDVE_OPTION_SAMPLES | KLDVE_OPTION_NOISE | KLDVE_OPTION_SEED,
};
