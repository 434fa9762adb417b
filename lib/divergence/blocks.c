/* blocks.c - the affinities P of a truth vector with two values, in closed form.
 *
 * m entries ("positives") have one value, n - m the other, at distance 1 (the scale of y is
 * absorbed by the search for beta).  With u = exp(-beta), a row has s neighbours at distance 0 and
 * o at distance 1, s + o = n - 1:
 *
 *     p(same | i) = 1 / (s + o u),   p(other | i) = u / (s + o u)
 *     H(u) = log(s + o u) - o u log(u) / (s + o u) = log(perplexity)
 *
 * H runs from log(s) at u = 0 to log(n - 1) at u = 1; a perplexity outside takes the nearer end.  A
 * row without neighbours at distance 0 (s = 0: the positive of one-hot truth) has all its
 * neighbours at the same distance and is uniform for every u.  The joint values are P <- (P + P^T)
 * / 2n.
 *
 * For m = 1 (one-hot), u that of the negatives' rows:
 *     P_ij = 1 / (n (n - 2 + u)),   P_cj = (u / (n - 2 + u) + 1 / (n - 1)) / 2n
 *     P_cj - P_ij = -(1 - u) / (2 (n - 1) (n - 2 + u))
 *
 * Semantics of the perplexity: van der Maaten and Hinton, JMLR 9 (2008), section 2. */
#include "divergence.h"

#include <assert.h>
#include <math.h>

/* H(beta) - log(perplexity) and its derivative -beta Var[distance]. */
static double entropy_gap(double s, double o, double beta, double target, double *slope)
{
    double other = o * exp(-beta);
    double sum = s + other;
    double share = other / sum;

    *slope = -beta * share * (1 - share);
    return log(sum) + beta * share - target;
}

/* The root beta > 0 of H(beta) = log(perplexity): Newton's iteration, with bisection to keep it
 * inside a bracket. */
static double solve_beta(double s, double o, double perplexity)
{
    double target = log(perplexity);
    double low = 0, high = 1, beta, gap, slope;

    assert(s < perplexity && perplexity < s + o);
    while (entropy_gap(s, o, high, target, &slope) > 0 && high < 1e4)
        high *= 2;
    beta = 0.5 * high;
    for (int i = 0; i < 200 && high - low > 1e-16 * high; i++) {
        gap = entropy_gap(s, o, beta, target, &slope);
        if (gap == 0)
            break;
        if (gap > 0)
            low = beta;
        else
            high = beta;
        beta -= gap / slope; /* slope is 0 or wild at the ends; bisection then takes over */
        if (!(beta > low && beta < high))
            beta = 0.5 * (low + high);
    }
    return beta;
}

/* u of rows with s neighbours at distance 0 and o at distance 1; *one_minus_u loses no precision.
 */
static double row_u(double s, double o, double perplexity, double *one_minus_u)
{
    double beta;

    if (o == 0 || s == 0 || perplexity >= s + o) {
        *one_minus_u = 0;
        return 1;
    }
    if (perplexity <= s) {
        *one_minus_u = 1;
        return 0;
    }
    beta = solve_beta(s, o, perplexity);
    assert(beta > 0);
    *one_minus_u = -expm1(-beta);
    return exp(-beta);
}

kldve_blocks kldve_blocks_solve(size_t n, size_t m, double perplexity)
{
    kldve_blocks b;
    double count = (double)n, pos = (double)m, neg = count - pos;
    double flat_n, flat_p; /* 1 - u of either kind of row */
    double u_n = row_u(neg - 1, pos, perplexity, &flat_n);
    double u_p = row_u(pos - 1, neg, perplexity, &flat_p);
    double sum_n = neg - 1 + pos * u_n, sum_p = pos - 1 + neg * u_p;

    assert(n >= 2 && m >= 1 && m < n);
    b.nn = 1 / (count * sum_n);
    b.pp = 1 / (count * sum_p);
    b.pn = (u_n / sum_n + u_p / sum_p) / (2 * count);
    b.step = m == 1 ? -flat_n / (2 * (count - 1) * sum_n) : b.pn - b.nn;
    b.nn_over = count * pos * flat_n;
    assert(fabs(neg * (neg - 1) * b.nn + 2 * pos * neg * b.pn + pos * (pos - 1) * b.pp - 1) < 1e-9);
    return b;
}
