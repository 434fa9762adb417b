/* var_grad.c - VarGrad: J. Adebayo et al., "Local Explanation Methods for Deep Neural Networks Lack
 * Sensitivity to Parameter Values", 2018, arXiv:1810.03307.
 *
 *     V_ci = variance over k of g_ci(x + noise_k),    E_i = max over channels c of V_ci
 *
 * with the noise of smooth_grad.c.  V is the unbiased variance s^2 = M2 / (N - 1) of N draws; its
 * standard error is sqrt((M4/N - s^4 (N - 3)/(N - 1)) / N), of any distribution (with the sample's
 * own fourth moment for the true one).
 *
 * Cost: N forward and N backward passes. */
#include <assert.h>
#include <math.h>

#include "methods.h"
#include "methods/parts/moments.h"

static kldve_status map(const kldve_job *job, float *e)
{
    size_t inputs = kldve_job_inputs(job), pixels = kldve_job_pixels(job);
    kldve_moments m;
    kldve_status st = kldve_moments_of_gradient(job, &m);
    double n;

    if (st < 0)
        return st;
    assert(m.count >= 2);
    n = m.count;
    for (size_t i = 0; i < pixels; i++) {
        size_t best = i;
        double v;

        for (size_t j = i + pixels; j < inputs; j += pixels)
            if (m.m2[j] > m.m2[best])
                best = j;
        v = m.m2[best] / (n - 1);
        e[i] = (float)v;
        if (job->error)
            job->error[i] = (float)sqrt(fmax(m.m4[best] / n - v * v * (n - 3) / (n - 1), 0) / n);
    }
    kldve_moments_free(job, &m);
    return KLDVE_OK;
}

const kldve_method kldve_method_var_grad = {
    .struct_size = sizeof(kldve_method),
    .name = "var-grad",
    .title = "VarGrad",
    .summary = "shows the variance of the gradients of noisy inputs",
    .source = "Adebayo et al. 2018, arXiv:1810.03307",
    .needs = KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_FORWARDS,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .random = 1,
    .options = KLDVE_OPTION_SAMPLES | KLDVE_OPTION_NOISE | KLDVE_OPTION_SEED,
};
