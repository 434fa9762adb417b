/* stretch.c - one side of a map at another size.
 *
 *     c = (i + 1/2) in/out,   s = max(1, in/out),   w(x) = k((x + 1/2 - c) / s)
 *     out[i] = sum_x w(x) in[x] / sum_x w(x)
 *
 * over the x of the map that lie within the support of the kernel k, as Pillow does it: at the
 * edges the rest of the weights stands for all, and a smaller output averages. */
#include "stretch.h"

#include <assert.h>
#include <math.h>

#include "base/ctx.h"
#include "base/size.h"

/* The weights of output i, of which there are `most` at most. */
static void fill(const kldve_kernel *kernel, int32_t i, kldve_taps *t)
{
    double ratio = (double)t->in / (double)t->out, stretch = fmax(ratio, 1), sum = 0;
    double centre = ((double)i + 0.5) * ratio, reach = kernel->support * stretch;
    int32_t first = (int32_t)fmax(centre - reach + 0.5, 0);
    int32_t end = (int32_t)fmin(centre + reach + 0.5, (double)t->in);
    float *weight = t->weight + (size_t)i * t->most;

    assert(first < end && (size_t)(end - first) <= t->most);
    for (int32_t x = first; x < end; x++)
        sum += kernel->weight(((double)x + 0.5 - centre) / stretch);
    for (int32_t x = first; x < end; x++)
        weight[x - first] = (float)(kernel->weight(((double)x + 0.5 - centre) / stretch) / sum);
    t->first[i] = first;
    t->count[i] = end - first;
}

kldve_status kldve_taps_new(kldve_ctx *ctx, const kldve_kernel *kernel, int32_t in, int32_t out,
                            kldve_taps *taps)
{
    double stretch = fmax((double)in / (double)out, 1);
    size_t weights = 0;

    assert(in > 0 && out > 0);
    *taps = (kldve_taps){.in = in, .out = out};
    taps->most = 2 * (size_t)ceil(kernel->support * stretch) + 1;
    if (kldve_size_mul((size_t)out, taps->most, &weights)) {
        taps->weight = kldve_ctx_alloc(ctx, weights, sizeof *taps->weight);
        taps->first = kldve_ctx_alloc(ctx, (size_t)out, 2 * sizeof *taps->first);
    }
    if (!taps->weight || !taps->first)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for upsampling");
    taps->count = taps->first + out;
    for (int32_t i = 0; i < out; i++)
        fill(kernel, i, taps);
    return KLDVE_OK;
}

void kldve_taps_free(kldve_ctx *ctx, kldve_taps *taps)
{
    kldve_ctx_release(ctx, taps->weight);
    kldve_ctx_release(ctx, taps->first);
    *taps = (kldve_taps){0};
}

void kldve_taps_along(const kldve_taps *taps, const float *in, int32_t begin, int32_t count,
                      float *out)
{
    assert(begin >= 0 && count >= 0 && begin + count <= taps->out);
    for (int32_t i = 0; i < count; i++) {
        const float *weight = taps->weight + (size_t)(begin + i) * taps->most;
        const float *at = in + taps->first[begin + i];
        float sum = 0;

        for (int32_t t = 0; t < taps->count[begin + i]; t++)
            sum += weight[t] * at[t];
        out[i] = sum;
    }
}

void kldve_taps_across(const kldve_taps *taps, int32_t i, const float *in, int32_t width,
                       float share, float *out)
{
    const float *weight = taps->weight + (size_t)i * taps->most;
    const float *row = in + (size_t)taps->first[i] * (size_t)width;

    assert(i >= 0 && i < taps->out);
    for (int32_t t = 0; t < taps->count[i]; t++, row += width)
        for (int32_t x = 0; x < width; x++)
            out[x] += share * weight[t] * row[x];
}
