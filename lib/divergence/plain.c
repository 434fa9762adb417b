/* plain.c - the divergences of two probability vectors, y and s = softmax(k), and their gradients
 * with respect to k.  With any function f of s, df/dk_i = s_i (f_i - sum over j of s_j f_j),
 * f_i = df/ds_i.
 *
 *     KL(y || s)   sum y log(y / s)                       s_i - y_i
 *     KL(s || y)   sum s log(s / y)                       s_i (log(s_i / y_i) - KL)
 *     JS           (KL(y || m) + KL(s || m)) / 2,         s_i (r_i - sum over j of s_j r_j),
 *                  m = (y + s) / 2                        r_i = log(s_i / m_i) / 2
 *
 * Kullback and Leibler 1951; Lin, Divergence measures based on the Shannon entropy, 1991. */
#include "divergence.h"

#include <assert.h>
#include <math.h>

#include "base/float_env.h"

typedef struct softmax {
    double highest, log_sum; /* log s_i = k_i - highest - log_sum */
} softmax;

static softmax softmax_of(const kldve_divergence *d)
{
    softmax s = {d->high, 0};
    double sum = 0;

    for (size_t i = 0; i < d->n; i++)
        sum += exp(d->k[i] - s.highest);
    assert(sum >= 1); /* the highest adds 1 */
    s.log_sum = log(sum);
    return s;
}

/* y log(y / x), given log x; 0 for y = 0. */
static double term(double y, double log_x)
{
    assert(y >= 0);
    return y > 0 ? y * (log(y) - log_x) : 0;
}

/* log(s / m), m = (y + s) / 2, given log s; finite also where s underflows. */
static double log_over_mean(double y, double s, double log_s)
{
    return y > 0 ? log_s - log(0.5 * (y + s)) : log(2);
}

static double forward_kl(const kldve_divergence *d, const double *y, double sum, double *z)
{
    softmax soft = softmax_of(d);
    double value = 0;

    for (size_t i = 0; i < d->n; i++) {
        double log_s = d->k[i] - soft.highest - soft.log_sum, yi = y[i] / sum;

        value += term(yi, log_s);
        if (z)
            z[i] = exp(log_s) - yi;
    }
    return value;
}

/* Reverse KL and Jensen-Shannon: f_i as above; the value of JS needs y's part, too. */
static double softmax_divergence(const kldve_divergence *d, const double *y, double sum,
                                 bool shannon, double *z)
{
    softmax soft = softmax_of(d);
    double mean = 0, other = 0;

    assert(fabs(sum - 1) <= 1e-6);
    for (size_t i = 0; i < d->n; i++) {
        double log_s = d->k[i] - soft.highest - soft.log_sum, s = exp(log_s), yi = y[i] / sum;
        double f = shannon ? 0.5 * log_over_mean(yi, s, log_s) : log_s - log(yi);

        mean += s > 0 ? s * f : 0;
        other += shannon ? 0.5 * term(yi, log(0.5 * (yi + s))) : 0;
        if (z)
            z[i] = s > 0 ? f : 0;
    }
    for (size_t i = 0; z && i < d->n; i++)
        z[i] = exp(d->k[i] - soft.highest - soft.log_sum) * (z[i] - mean);
    return mean + other;
}

static kldve_status check_probabilities(const kldve_divergence *d, int32_t kind, const double *y,
                                        double *sum)
{
    kldve_status st = kldve_check_finite(d->ctx, "truth", y, d->n);

    if (st < 0)
        return st;
    *sum = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (y[i] < 0)
            return kldve_ctx_failf(d->ctx, KLDVE_E_ARG,
                                   "truth: entry %zu is %g, a probability must not be negative", i,
                                   y[i]);
        if (y[i] == 0 && kind == KLDVE_PLAIN_REVERSE_KL)
            return kldve_ctx_failf(
                d->ctx, KLDVE_E_NUMERIC,
                "truth: entry %zu is 0, the reverse KL needs probabilities above 0", i);
        *sum += y[i];
    }
    if (!(fabs(*sum - 1) <= 1e-6))
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG,
                               "truth: the probabilities sum to %.9g, they must sum to 1", *sum);
    return KLDVE_OK;
}

kldve_status kldve_divergence_plain(const kldve_divergence *d, int32_t kind, const double *y,
                                    double *z, double *value)
{
    kldve_status st = kldve_divergence_ready(d, "plain divergence");
    double sum, result;
    fenv_t host;

    if (st < 0)
        return st;
    if (!y)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG, "plain divergence: the truth is NULL");
    if (kind < KLDVE_PLAIN_KL || kind > KLDVE_PLAIN_JENSEN_SHANNON)
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "plain divergence: unknown kind %d", (int)kind);
    kldve_float_env_enter(&host);
    if ((st = check_probabilities(d, kind, y, &sum)) < 0)
        return kldve_float_env_leave(&host, st);
    result = kind == KLDVE_PLAIN_KL
                 ? forward_kl(d, y, sum, z)
                 : softmax_divergence(d, y, sum, kind == KLDVE_PLAIN_JENSEN_SHANNON, z);
    if (value)
        *value = result;
    return kldve_float_env_leave(&host, KLDVE_OK);
}
