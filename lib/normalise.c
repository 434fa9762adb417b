/* normalise.c - a map of any range to 0..1.
 *
 *     m' = (m - min m) / (max m - min m);   m' = 0 everywhere if m is constant
 *
 * Constant means that the range is no larger than what rounding in float32 makes of a constant map:
 * 1e-6 of the largest magnitude.  Stretching that noise to 0..1 would draw structure where there is
 * none. */
#include "normalise.h"

#include <math.h>
#include <string.h>

static const double rounding = 1e-6;

int32_t kldve_normalise(float *map, size_t count)
{
    double low, high, range;

    if (count == 0)
        return 1;
    low = high = (double)map[0];
    for (size_t i = 1; i < count; i++) {
        double v = (double)map[i];

        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    range = high - low;
    if (range <= rounding * fmax(fabs(low), fabs(high))) {
        memset(map, 0, count * sizeof *map);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        map[i] = (float)(((double)map[i] - low) / range);
    return 0;
}
