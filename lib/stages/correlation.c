/* correlation.c - how far two maps are the same up to a scale and an offset.
 *
 *     r = sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)^2 sum (b - mean b)^2)
 *
 * In float64.  The squares of float32 numbers, summed and multiplied, stay far inside its range,
 * and the mean of equal float32 numbers is exactly that number, so that a constant map has the sum
 * 0. */
#include "correlation.h"

#include <assert.h>
#include <math.h>

static double mean_of(const float *value, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)value[i];
    return sum / (double)count;
}

double kldve_pearson(const float *a, const float *b, size_t count)
{
    double mean_a = mean_of(a, count), mean_b = mean_of(b, count);
    double ab = 0, aa = 0, bb = 0;

    assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        double da = (double)a[i] - mean_a, db = (double)b[i] - mean_b;

        ab += da * db;
        aa += da * da;
        bb += db * db;
    }
    if (aa == 0 || bb == 0)
        return (double)NAN;
    return fmax(-1, fmin(ab / sqrt(aa * bb), 1)); /* rounding may pass 1 */
}
