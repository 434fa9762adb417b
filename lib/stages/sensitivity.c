/* sensitivity.c - does the map depend on the class?
 *
 *     s = 1 - r,   r: Pearson's correlation, correlation.c
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
#include <stdbool.h>
#include <string.h>

#include "stages/correlation.h"

static bool is_constant(const float *value, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (value[i] != value[0])
            return false;
    return true;
}

double kldve_sensitivity(const float *a, const float *b, size_t count)
{
    double r;

    assert(count > 0);
    if (memcmp(a, b, count * sizeof *a) == 0)
        return 0;
    r = kldve_pearson(a, b, count);
    if (isnan(r))
        r = is_constant(a, count) && is_constant(b, count) ? 1 : 0;
    return 1 - r;
}
