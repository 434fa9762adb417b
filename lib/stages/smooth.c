/* smooth.c - augmentation smoothing: a map should not depend on tiny details of the input.
 *
 *     variant = 3 m + f:   x' = g x, g = (1, 0.9, 1.1)[f], mirrored left to right if m = 1
 *     E = normalise(mean over the variants of E', mirrored back)
 *
 * The six variants are those of the option aug_smooth of the package pytorch-grad-cam.  The factor
 * acts on the network's input, after mean and deviation, so it changes the contrast. */
#include "smooth.h"

#include <assert.h>
#include <string.h>

#include "normalise.h"
#include "base/size.h"

enum { FACTORS = 3 };

static size_t map_cells(const kldve_run *run)
{
    return (size_t)run->map->record.height * (size_t)run->map->record.width;
}

kldve_status kldve_smooth_begin(const kldve_run *run, float **changed, float **sum)
{
    size_t inputs = run->net->inputs, cells = map_cells(run), count;

    if (kldve_size_add(inputs, cells, &count))
        *changed = kldve_ctx_alloc(run->job.ctx, count, sizeof **changed);
    if (!*changed)
        return kldve_ctx_fail(run->job.ctx, KLDVE_E_NOMEM,
                              "out of memory for a variant of the input");
    *sum = *changed + inputs;
    memset(*sum, 0, cells * sizeof **sum);
    return KLDVE_OK;
}

void kldve_smooth_input(const kldve_run *run, const float *input, int32_t variant, float *changed)
{
    static const float factors[FACTORS] = {1, 0.9f, 1.1f};
    float factor = factors[variant % FACTORS];
    size_t width = (size_t)run->job.shape->in_width, rows = run->net->inputs / width;

    assert(variant >= 0 && variant < KLDVE_SMOOTH_VARIANTS && changed != input);
    for (size_t y = 0; y < rows; y++, input += width, changed += width)
        for (size_t x = 0; x < width; x++)
            changed[x] = factor * input[variant < FACTORS ? x : width - 1 - x];
}

void kldve_smooth_add(const kldve_run *run, int32_t variant, float *sum)
{
    size_t width = (size_t)run->map->record.width, height = (size_t)run->map->record.height;
    const float *map = run->map->values;
    float zero = run->options.sign == KLDVE_SIGN_SIGNED ? 0.5f : 0;

    assert(variant >= 0 && variant < KLDVE_SMOOTH_VARIANTS && sum != map);
    for (size_t y = 0; y < height; y++, map += width, sum += width)
        for (size_t x = 0; x < width; x++)
            sum[x] += map[variant < FACTORS ? x : width - 1 - x] - zero;
}

void kldve_smooth_end(kldve_run *run, const float *sum)
{
    double scale;

    memcpy(run->map->values, sum, map_cells(run) * sizeof *sum);
    run->map->record.flat =
        kldve_normalise(run->options.sign, run->map->values, map_cells(run), &scale);
}
