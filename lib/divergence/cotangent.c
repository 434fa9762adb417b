/* cotangent.c - the class terms of the gradient, oriented towards the target: the readings
 * `contrast` and `rivals` of docs/method.md (our extensions to arXiv:1711.06431); and Eq. 2.
 *
 *     d_i = k_i - k_c,  w_i = 1 / (1 + d_i^2)
 *     contrast  t_i = -w_i |d_i|,     rivals  t_i = -w_i^2 |d_i|     (i != c),     t_c = -sum t_i
 *
 * divided by the population standard deviation, sqrt(sum t^2 / n): the mean is already 0.  Of two
 * scores that leaves t_c = 1 and t_i = -1 however far apart they are, so that is their t also where
 * they are equal. */
#include "divergence.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/float_env.h"

/* sum of (t_i / unit)^2, where the squares of t itself would underflow. */
static double squares_in_units(const double *t, size_t n, double unit)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (t[i] / unit) * (t[i] / unit);
    return sum;
}

static void oriented_forces(const kldve_divergence *d, int32_t target, bool squared, double *t)
{
    double sums[2], own, deviation;

    assert(target >= 0 && (size_t)target < d->n);
    if (kldve_is_pair(d)) {
        t[target] = 1;
        t[1 - target] = -1;
        return;
    }
    d->kernels->forces(d->k, d->n, d->k[target], squared, t, sums);
    own = -sums[0];
    assert(own >= 0);
    if (own == 0) { /* all scores are equal */
        memset(t, 0, d->n * sizeof *t);
        return;
    }
    t[target] = own;
    if (own > 1e-100)
        deviation = sqrt((sums[1] + own * own) / (double)d->n);
    else
        deviation = own * sqrt(squares_in_units(t, d->n, own) / (double)d->n);
    for (size_t i = 0; i < d->n; i++)
        t[i] /= deviation;
}

static kldve_status cotangent(const kldve_divergence *d, const char *name, int32_t target,
                              bool squared, double *t)
{
    kldve_status st = kldve_divergence_ready_for(d, name, target);
    fenv_t host;

    if (st < 0)
        return st;
    if (!t)
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "%s: the result is NULL", name);
    kldve_float_env_enter(&host);
    oriented_forces(d, target, squared, t);
    return kldve_float_env_leave(&host, KLDVE_OK);
}

kldve_status kldve_divergence_contrast(const kldve_divergence *d, int32_t target, double *t)
{
    return cotangent(d, "contrast", target, false, t);
}

kldve_status kldve_divergence_rivals(const kldve_divergence *d, int32_t target, double *t)
{
    return cotangent(d, "rivals", target, true, t);
}

/* Whether all values are equal.  They may differ from their rounded mean, so that the deviation
 * does not tell. */
static bool standardise(const double *z, int32_t n, double *alpha)
{
    double low = z[0], high = z[0], half, mean = 0, squares = 0, deviation;

    for (int32_t i = 0; i < n; i++) {
        low = z[i] < low ? z[i] : low;
        high = z[i] > high ? z[i] : high;
    }
    if (low == high) {
        memset(alpha, 0, (size_t)n * sizeof *alpha);
        return true;
    }
    /* Everything is relative to the span, so that no square overflows or underflows. */
    half = high * 0.5 - low * 0.5;
    for (int32_t i = 0; i < n; i++) {
        alpha[i] = z[i] / half;
        mean += alpha[i] / (double)n;
    }
    for (int32_t i = 0; i < n; i++) {
        alpha[i] -= mean;
        squares += alpha[i] * alpha[i];
    }
    deviation = sqrt(squares / (double)n);
    for (int32_t i = 0; i < n; i++)
        alpha[i] /= deviation;
    return false;
}

kldve_status kldve_divergence_standardise(const double *z, int32_t n, double *alpha, int32_t *flat)
{
    fenv_t host;
    bool equal;

    if (!z || !alpha || n < 1)
        return KLDVE_E_ARG;
    kldve_float_env_enter(&host);
    equal = standardise(z, n, alpha);
    if (flat)
        *flat = equal;
    return kldve_float_env_leave(&host, KLDVE_OK);
}
