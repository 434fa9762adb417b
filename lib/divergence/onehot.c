/* onehot.c - KL and its gradient for one-hot truth, O(n) after the base pass.
 *
 * With a = P_ij and b = P_cj of blocks.c:
 *
 *     z = base + delta(c),     base_i = 4 (a S1_i - S2_i / Z)          (no class in base)
 *     delta_i(c) = 4 (b - a) w_ic d_ic   (i != c),     delta_c(c) = 4 (b - a) S1_c
 *     KL = A log(a Z) + B log(b Z) + a (L - 2 L_c) + 2 b L_c
 *     A = (n - 1)(n - 2) a,  B = 2 (n - 1) b,  L_i = sum over j of log(1 + d_ij^2),  L = sum of L_i
 */
#include "divergence.h"

#include <math.h>

static void onehot_gradient(const kldve_divergence *d, const kldve_blocks *p, size_t target,
                            double *z)
{
    double of_s1, of_s2, center = d->k[target], s1 = 0;

    kldve_base_factors(d, p->nn, p->nn_over, &of_s1, &of_s2);
    for (size_t i = 0; i < d->n; i++) {
        double diff = d->k[i] - center;
        double wd = diff / (1 + diff * diff);

        z[i] = of_s1 * d->s1[i] + of_s2 * d->s2[i] + 4 * p->step * wd;
        s1 -= wd;
    }
    z[target] += 4 * p->step * s1;
}

static double onehot_kl(const kldve_divergence *d, const kldve_blocks *p, size_t target)
{
    double n = (double)d->n, center = d->k[target], across = 0, log_az;

    for (size_t i = 0; i < d->n; i++)
        across += log1p((d->k[i] - center) * (d->k[i] - center));
    /* a Z is near 1 when the scores are: a Z - 1 = a (Z - 1 / a). */
    log_az = d->narrow ? log1p(p->nn * (p->nn_over - d->deficit)) : log(p->nn * d->z);
    return (n - 1) * (n - 2) * p->nn * log_az + 2 * (n - 1) * p->pn * log(p->pn * d->z) +
           p->nn * (kldve_divergence_log_sum(d) - 2 * across) + 2 * p->pn * across;
}

kldve_status kldve_divergence_onehot(const kldve_divergence *d, size_t target, double *z,
                                     double *kl)
{
    kldve_status st = kldve_divergence_ready_for(d, "one-hot divergence", target);
    kldve_blocks p;

    if (st < 0)
        return st;
    p = kldve_blocks_solve(d->n, 1, d->perplexity);
    if (z)
        onehot_gradient(d, &p, target, z);
    if (kl)
        *kl = onehot_kl(d, &p, target);
    return KLDVE_OK;
}
