/* normalise.c - scale a map of any range to 0..1.
 *
 *     m' = (m - min m) / (max m - min m);   m' = 0 everywhere if m is constant
 *     signed: m' = 1/2 + m / (2 max |m|);   m' = 1/2 everywhere if m is constant
 *
 * A map is constant if its range is within what float32 rounding makes of a constant: 1e-6 of the
 * largest magnitude.  Stretching that noise to 0..1 would draw structure where none exists. */
#include "normalise.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include <kldve/kldve.h>

static const double rounding = 1e-6;

void kldve_apply_sign(int32_t sign, float *map, size_t count)
{
    assert(sign >= KLDVE_SIGN_DEFAULT && sign <= KLDVE_SIGN_ABSOLUTE);
    for (size_t i = 0; i < count; i++)
        if (map[i] < 0 && sign != KLDVE_SIGN_SIGNED && sign != KLDVE_SIGN_DEFAULT)
            map[i] = sign == KLDVE_SIGN_POSITIVE ? 0 : -map[i];
}

void kldve_add_by_sign(const float *map, size_t count, double *above, double *below)
{
    for (size_t i = 0; i < count; i++)
        if (map[i] > 0)
            *above += (double)map[i];
        else
            *below -= (double)map[i];
}

int32_t kldve_normalise(int32_t sign, float *map, size_t count, double range[2])
{
    bool is_signed = sign == KLDVE_SIGN_SIGNED;
    double low, high, largest;

    assert(sign >= KLDVE_SIGN_DEFAULT && sign <= KLDVE_SIGN_ABSOLUTE);
    range[0] = range[1] = 0;
    if (count == 0)
        return 1;
    low = high = (double)map[0];
    for (size_t i = 1; i < count; i++) {
        double v = (double)map[i];

        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    largest = fmax(fabs(low), fabs(high));
    range[0] = range[1] = low;
    if (high - low <= rounding * largest) {
        for (size_t i = 0; i < count; i++)
            map[i] = is_signed ? 0.5f : 0.0f;
        return 1;
    }
    if (is_signed) {
        low = -largest;
        high = largest;
    }
    range[0] = low;
    range[1] = high;
    for (size_t i = 0; i < count; i++)
        map[i] = (float)(((double)map[i] - low) / (high - low));
    return 0;
}
