/* smooth.c - augmentation smoothing: what a map shows should not depend on the exact input.
 *
 *     variant = 3 m + f:   x' = g x, g = (1, 0.9, 1.1)[f], mirrored left to right if m = 1
 *     E = normalise(mean over the variants of E', mirrored back)
 *
 * The six forms are those of the option aug_smooth of the package pytorch-grad-cam.  The factor
 * acts on the network's input, after mean and deviation, so it changes the contrast. */
#include "smooth.h"

#include <assert.h>

#include <kldve/kldve.h>

enum { FACTORS = 3 };

void kldve_smooth_change(const float *input, size_t rows, size_t width, int32_t variant,
                         float *changed)
{
    static const float factors[FACTORS] = {1, 0.9f, 1.1f};
    float factor;

    assert(variant >= 0 && variant < KLDVE_SMOOTH_VARIANTS && changed != input);
    factor = factors[variant % FACTORS];
    for (size_t y = 0; y < rows; y++, input += width, changed += width)
        for (size_t x = 0; x < width; x++)
            changed[x] = factor * input[variant < FACTORS ? x : width - 1 - x];
}

void kldve_smooth_add(int32_t sign, const float *map, size_t height, size_t width, int32_t variant,
                      float *sum)
{
    float zero = sign == KLDVE_SIGN_SIGNED ? 0.5f : 0;

    assert(variant >= 0 && variant < KLDVE_SMOOTH_VARIANTS && sum != map);
    for (size_t y = 0; y < height; y++, map += width, sum += width)
        for (size_t x = 0; x < width; x++)
            sum[x] += map[variant < FACTORS ? x : width - 1 - x] - zero;
}
