/* random.c - normal numbers.  See random.h. */
#include "random.h"

#include <math.h>

double kldve_random_normal(kldve_random *random)
{
    static const double two_pi = 6.283185307179586;
    double radius = sqrt(-2 * log(1 - kldve_random_uniform(random)));

    return radius * cos(two_pi * kldve_random_uniform(random));
}
