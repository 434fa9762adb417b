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

#include "entropy.h"

typedef struct row {
    double s, o, perplexity;
} row;

static double entropy_gap(void *of, double log_beta, double *slope)
{
    const row *r = of;
    double beta = exp(log_beta), other = r->o * exp(-beta);
    double sums[3] = {r->s + other, beta * other, beta * beta * other};

    return kldve_entropy_gap(sums, r->perplexity, slope);
}

/* u of rows with s neighbours at distance 0 and o at distance 1; *one_minus_u loses no precision.
 */
static double row_u(double s, double o, double perplexity, double *one_minus_u)
{
    row r = {s, o, perplexity};
    double beta, gap;

    if (o == 0 || s == 0 || perplexity >= s + o) {
        *one_minus_u = 0;
        return 1;
    }
    if (perplexity <= s) {
        *one_minus_u = 1;
        return 0;
    }
    beta = exp(kldve_entropy_root(entropy_gap, &r, 0, 0, &gap));
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
