/* sensitivity.c - does the map depend on the class?
 *
 *     s = 1 - r,   r = sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)^2 sum (b - mean b)^2)
 *
 * for the maps a of the target and b of the best other class: 0 if the map ignores the class, 1 if
 * the two are unrelated, 2 if one is the negative of the other.  Equal maps have r = 1 exactly,
 * even if both are constant; a constant map and one that varies have r = 0.
 *
 * The idea of comparing the maps of two classes is Random Logit's (Sixt et al. 2020,
 * arXiv:1912.09818), which uses another similarity and a random class. */
#include "sensitivity.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static double mean_of(const float *value, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)value[i];
    return sum / (double)count;
}

double kldve_sensitivity(const float *a, const float *b, size_t count)
{
    double mean_a = mean_of(a, count), mean_b = mean_of(b, count);
    double ab = 0, aa = 0, bb = 0;

    assert(count > 0);
    if (memcmp(a, b, count * sizeof *a) == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        double da = (double)a[i] - mean_a, db = (double)b[i] - mean_b;

        ab += da * db;
        aa += da * da;
        bb += db * db;
    }
    if (aa == 0 || bb == 0)
        return aa == bb ? 0 : 1;
    return 1 - ab / sqrt(aa * bb);
}
