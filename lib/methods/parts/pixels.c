/* pixels.c - from gradients at the pixels to a map: see pixels.h. */
#include "pixels.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "job.h"
#include "stages/reduce.h"

size_t kldve_pixels_strongest(const float *v, size_t channels, size_t pixels, size_t i)
{
    size_t best = 0;

    assert(channels > 0 && i < pixels);
    for (size_t c = 1; c < channels; c++)
        if (fabsf(v[c * pixels + i]) > fabsf(v[best * pixels + i]))
            best = c;
    return best;
}

void kldve_pixels_show(const kldve_job *job, const float *v, float *map)
{
    size_t channels = (size_t)job->shape->in_channels, pixels = kldve_job_pixels(job);
    int32_t sign = job->options->sign;
    bool with_sign = sign == KLDVE_SIGN_SIGNED || sign == KLDVE_SIGN_POSITIVE;

    for (size_t i = 0; i < pixels; i++) {
        float value = v[kldve_pixels_strongest(v, channels, pixels, i) * pixels + i];

        map[i] = with_sign ? value : fabsf(value);
    }
}

kldve_status kldve_pixels_gradient(const kldve_job *job, const float *cotangent, int32_t rule,
                                   float *map)
{
    float *gradient = kldve_ctx_alloc(job->ctx, kldve_job_inputs(job), sizeof *gradient);
    kldve_status st;

    if (!gradient)
        return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "%s: out of memory", job->method->name);
    st = kldve_job_vjp_input(job, cotangent, rule, gradient);
    if (st == KLDVE_OK)
        kldve_pixels_show(job, gradient, map);
    kldve_ctx_release(job->ctx, gradient);
    return st;
}

kldve_status kldve_pixels_guided(const kldve_job *job, const float *cotangent,
                                 kldve_status (*coarse)(const kldve_job *job, float *map),
                                 float *map)
{
    size_t cells = kldve_job_cells(job), pixels = kldve_job_pixels(job);
    float *small = kldve_ctx_alloc(job->ctx, cells, sizeof *small);
    float *large = kldve_ctx_alloc(job->ctx, pixels, sizeof *large);
    kldve_status st;

    if (!small || !large) {
        st = kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "%s: out of memory", job->method->name);
        goto done;
    }
    if ((st = coarse(job, small)) < 0 ||
        (st = kldve_pixels_gradient(job, cotangent, KLDVE_RULE_GUIDED, map)) < 0)
        goto done;
    kldve_reduce_relu(small, cells);
    kldve_job_upsample(job, small, large);
    for (size_t i = 0; i < pixels; i++)
        map[i] *= large[i];
done:
    kldve_ctx_release(job->ctx, large);
    kldve_ctx_release(job->ctx, small);
    return st;
}
