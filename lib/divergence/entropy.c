/* entropy.c - the search for the width of a kernel that gives a wanted perplexity.
 *
 *     p_j ~ exp(-beta e_j),  x = beta e:   H = log(sum of exp(-x)) + mean(x),   perplexity = exp(H)
 *     dH / d log beta = -Var(x) <= 0
 *
 * so that H falls with beta and has one root.  Newton's iteration in log beta finds it; bisection
 * keeps it inside a bracket, so it always ends. */
#include "entropy.h"

#include <math.h>

double kldve_entropy_gap(const double sums[3], double perplexity, double *slope)
{
    double mean = sums[1] / sums[0];

    *slope = mean * mean - sums[2] / sums[0];
    return log(sums[0]) + mean - log(perplexity);
}

double kldve_entropy_root(kldve_entropy_fn gap_at, void *of, double log_beta, double tolerance,
                          double *gap)
{
    double low = -700, high = 700, at = log_beta, asked = log_beta, slope;

    *gap = INFINITY;
    for (int i = 0; i < 200 && high - low > 1e-15 * fabs(at); i++) {
        asked = at;
        *gap = gap_at(of, at, &slope);
        if (fabs(*gap) <= tolerance)
            break;
        if (*gap > 0)
            low = at;
        else
            high = at;
        at -= *gap / slope; /* a slope of 0 leaves the bracket; bisection then takes over */
        if (!(at > low && at < high))
            at = 0.5 * (low + high);
    }
    return asked;
}
