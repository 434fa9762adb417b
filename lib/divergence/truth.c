/* truth.c - KL and its gradient for any truth vector.
 *
 *     p(j | i) = exp(-beta_i (y_i - y_j)^2) / sum over l != i,    P_ij = (p(j | i) + p(i | j)) / 2n
 *     z_i = 4 sum over j of P_ij w_ij d_ij - 4 S2_i / Z
 *     KL = sum over i != j of P_ij (log P_ij + log(1 + d_ij^2)) + log Z
 *
 * beta_i gives row i the wanted perplexity exp(H_i), H_i the entropy of p(. | i) in nats (van der
 * Maaten and Hinton 2008).  The smallest distance of a row is subtracted before exp, which changes
 * no p(j | i) and underflows nowhere.  Row i reaches the perplexities from the number of its
 * nearest neighbours (tied ones count) to n - 1. */
#include "divergence.h"

#include <math.h>
#include <string.h>

typedef struct row {
    double nearest; /* smallest |y_i - y_j| */
    double beta, sum;
} row;

/* (y_i - y_j)^2 - nearest^2 */
static double excess(const double *y, size_t i, size_t j, double nearest)
{
    double dist = fabs(y[i] - y[j]);

    return (dist - nearest) * (dist + nearest);
}

static double nearest_distance(const double *y, size_t n, size_t i, size_t *ties)
{
    double best = INFINITY;

    *ties = 0;
    for (size_t j = 0; j < n; j++) {
        double dist = fabs(y[i] - y[j]);

        if (j == i || dist > best)
            continue;
        *ties = dist < best ? 1 : *ties + 1;
        best = dist;
    }
    return best;
}

/* Entropy at beta, less the target; its derivative by log(beta); the normaliser. */
static double entropy_gap(const double *y, size_t n, size_t i, double beta, double nearest,
                          double target, double *slope, double *sum)
{
    double m0 = 0, m1 = 0, m2 = 0;

    for (size_t j = 0; j < n; j++) {
        double e = j == i ? 0 : excess(y, i, j, nearest), t = j == i ? 0 : exp(-beta * e);

        m0 += t;
        m1 += t * e;
        m2 += t * e * e;
    }
    m1 /= m0;
    m2 = m2 / m0 - m1 * m1;
    *slope = -beta * beta * m2;
    *sum = m0;
    return log(m0) + beta * m1 - target;
}

static bool solve_row(const double *y, size_t n, size_t i, double perplexity, row *r)
{
    double target = log(perplexity), low = -700, high = 700, at = 0, gap = INFINITY, slope;
    size_t ties;

    r->nearest = nearest_distance(y, n, i, &ties);
    if (perplexity < (double)ties || perplexity > (double)n - 1)
        return false;
    for (int step = 0; step < 200 && high - low > 1e-15; step++) {
        r->beta = exp(at);
        gap = entropy_gap(y, n, i, r->beta, r->nearest, target, &slope, &r->sum);
        if (fabs(gap) < 1e-13)
            return true;
        if (gap > 0)
            low = at;
        else
            high = at;
        at -= gap / slope;
        if (!(at > low && at < high))
            at = 0.5 * (low + high);
    }
    return fabs(gap) < 1e-10;
}

static kldve_status solve_rows(kldve_divergence *d, const double *y, row *rows)
{
    for (size_t i = 0; i < d->n; i++)
        if (!isfinite(y[i]))
            return kldve_ctx_failf(d->ctx, KLDVE_E_NUMERIC, "truth: entry %zu is %s", i,
                                   isnan(y[i]) ? "not a number" : "infinite");
    for (size_t i = 0; i < d->n; i++)
        if (!solve_row(y, d->n, i, d->perplexity, &rows[i]))
            return kldve_ctx_failf(d->ctx, KLDVE_E_UNATTAINABLE,
                                   "truth: no kernel width gives row %zu the perplexity %g", i,
                                   d->perplexity);
    return KLDVE_OK;
}

static double joint(const double *y, const row *rows, size_t n, size_t i, size_t j)
{
    double ij = exp(-rows[i].beta * excess(y, i, j, rows[i].nearest)) / rows[i].sum;
    double ji = exp(-rows[j].beta * excess(y, i, j, rows[j].nearest)) / rows[j].sum;

    return (ij + ji) / (2 * (double)n);
}

kldve_status kldve_divergence_truth(kldve_divergence *d, const double *truth, double *z, double *kl)
{
    kldve_status st = kldve_divergence_ready(d, "truth");
    double total = 0;
    row *rows;

    if (st < 0)
        return st;
    if (!truth)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG, "truth: the vector is NULL");
    rows = kldve_ctx_alloc(d->ctx, d->n, sizeof *rows);
    if (!rows)
        return kldve_ctx_failf(d->ctx, KLDVE_E_NOMEM, "truth: out of memory for %zu rows", d->n);
    if ((st = solve_rows(d, truth, rows)) < 0)
        goto done;
    for (size_t i = 0; i < d->n; i++) {
        double pull = 0, part = 0;

        for (size_t j = 0; j < d->n; j++) {
            double p = j == i ? 0 : joint(truth, rows, d->n, i, j), diff = d->k[i] - d->k[j];

            pull += p * diff / (1 + diff * diff);
            part += p > 0 ? p * (log(p) + log1p(diff * diff)) : 0;
        }
        if (z)
            z[i] = 4 * (pull - (d->narrow ? d->s1[i] - d->s2[i] : d->s2[i]) / d->z);
        total += part;
    }
    if (kl)
        *kl = total + log(d->z);
done:
    kldve_ctx_release(d->ctx, rows);
    return st;
}
