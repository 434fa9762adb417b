/* neighbours.c - the cotangent of the reading `neighbours` of docs/method.md (our extension to
 * arXiv:1711.06431): the target against its nearest rivals, as many as a perplexity says.
 *
 *     d_i = |k_i - k_c|,   m = smallest d_i,   U = largest d_i - m,   e_i = (d_i - m) / U
 *     p_i ~ exp(-beta e_i),  sum p_i = 1,  entropy of p = log(perplexity)          (i != c)
 *     t_i = -p_i,   t_c = 1
 *
 * divided by the population standard deviation, sqrt((1 + sum p^2) / n).  e runs from 0 to 1, so
 * that no unit of the scores, however large or small, changes p.  p can have the perplexities from
 * q, the number of rivals tied at the smallest distance (beta infinite, p = 1 / q), to n - 1 (beta
 * 0); one that is out of reach takes the nearer end. */
#include "divergence.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/float_env.h"
#include "entropy.h"

/* The rivals' kernel. */
typedef struct kernel {
    const kldve_kernels *kernels;
    const double *e; /* [n] */
    size_t n;
    double perplexity;
    double beta, sums[3];
} kernel;

double kldve_divergence_neighbour_perplexity(int32_t n)
{
    fenv_t host;
    double tenth;

    kldve_float_env_enter(&host);
    tenth = ((double)n - 1) / 10;
    fesetenv(&host);
    return tenth < 3 ? 3 : tenth > 100 ? 100 : tenth;
}

/* e of the rivals; false if all are as far from the target. */
static bool distances(const kldve_divergence *d, double center, double *e, size_t n)
{
    double low, high;

    for (size_t i = 0; i < n; i++)
        e[i] = fabs(e[i] - center);
    d->kernels->extent(e, n, &low, &high);
    for (size_t i = 0; i < n && low < high; i++)
        e[i] = (e[i] - low) / (high - low);
    return low < high;
}

static double entropy_gap(void *of, double log_beta, double *slope)
{
    kernel *k = of;

    k->beta = exp(log_beta);
    k->kernels->decay(k->e, k->n, k->beta, k->sums);
    return kldve_entropy_gap(k->sums, k->perplexity, slope);
}

static double ties(const double *e, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += e[i] == 0;
    return (double)count;
}

/* -p in the place of the scores of the n rivals; the sum of p^2. */
static double rivals(const kldve_divergence *d, double center, double perplexity, double *t,
                     size_t n)
{
    kernel k = {d->kernels, t, n, perplexity, 0, {(double)n}};
    double gap;

    if (!distances(d, center, t, n) || perplexity >= (double)n) {
        for (size_t i = 0; i < n; i++)
            t[i] = -1 / (double)n;
        return 1 / (double)n;
    }
    k.sums[0] = ties(t, n);
    if (perplexity <= k.sums[0])
        k.beta = INFINITY;
    else
        kldve_entropy_root(entropy_gap, &k, 2, 1e-13, &gap);
    return d->kernels->shares(t, n, k.beta, -1 / k.sums[0]);
}

static kldve_status neighbours(const kldve_divergence *d, int32_t target, double perplexity,
                               double *t)
{
    double squares, deviation;
    size_t last, c = (size_t)target;

    if (perplexity != 0 && !(perplexity > 1 && perplexity < INFINITY))
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG,
                               "neighbours: perplexity is %g, it must be above 1", perplexity);
    /* The last class takes the target's place meanwhile, so that the rivals lie side by side. */
    last = d->n - 1;
    memcpy(t, d->k, d->n * sizeof *t);
    t[c] = t[last];
    squares = rivals(d, d->k[c], perplexity != 0 ? perplexity : d->neighbour_perplexity, t, last);
    deviation = sqrt((1 + squares) / (double)d->n);
    t[last] = t[c];
    t[c] = 1;
    for (size_t i = 0; i < d->n; i++)
        t[i] /= deviation;
    return KLDVE_OK;
}

kldve_status kldve_divergence_neighbours(const kldve_divergence *d, int32_t target,
                                         double perplexity, double *t)
{
    kldve_status st = kldve_divergence_ready_for(d, "neighbours", target);
    fenv_t host;

    if (st < 0)
        return st;
    if (!t)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG, "neighbours: the result is NULL");
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(&host, neighbours(d, target, perplexity, t));
}
