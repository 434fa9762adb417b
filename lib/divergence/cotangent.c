/* cotangent.c - the class terms of the gradient, oriented towards the target: the readings
 * `contrast` and `rivals` of docs/method.md (extensions of ours to arXiv:1711.06431).
 *
 *     d_i = k_i - k_c,  w_i = 1 / (1 + d_i^2)
 *     contrast  t_i = -w_i |d_i|,     rivals  t_i = -w_i^2 |d_i|     (i != c),     t_c = -sum t_i
 *
 * divided by the population standard deviation sqrt(sum t^2 / n) (the mean is 0 by construction).
 */
#include "divergence.h"

#include <math.h>
#include <string.h>

static void oriented_forces(const double *k, size_t n, size_t target, bool squared, double *t)
{
    double center = k[target], sum = 0, squares = 0, scale;

    for (size_t i = 0; i < n; i++) {
        double diff = fabs(k[i] - center);
        double w = 1 / (1 + diff * diff);

        t[i] = squared ? -(w * w) * diff : -w * diff;
        sum += t[i];
    }
    t[target] = -sum;
    /* The target's is the largest: measured against it no square over- or underflows. */
    if (sum == 0) {
        memset(t, 0, n * sizeof *t);
        return;
    }
    for (size_t i = 0; i < n; i++)
        squares += (t[i] / sum) * (t[i] / sum);
    scale = 1 / (-sum * sqrt(squares / (double)n));
    for (size_t i = 0; i < n; i++)
        t[i] *= scale;
}

static kldve_status cotangent(const kldve_divergence *d, const char *name, size_t target,
                              bool squared, double *t)
{
    kldve_status st = kldve_divergence_ready_for(d, name, target);

    if (st < 0)
        return st;
    if (!t)
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "%s: the result is NULL", name);
    oriented_forces(d->k, d->n, target, squared, t);
    return KLDVE_OK;
}

kldve_status kldve_divergence_contrast(const kldve_divergence *d, size_t target, double *t)
{
    return cotangent(d, "contrast", target, false, t);
}

kldve_status kldve_divergence_rivals(const kldve_divergence *d, size_t target, double *t)
{
    return cotangent(d, "rivals", target, true, t);
}

int32_t kldve_standardise(const double *z, size_t n, double *alpha)
{
    double low, high, mean = 0, squares = 0, scale;

    if (n == 0)
        return 1;
    low = high = z[0];
    for (size_t i = 0; i < n; i++) {
        low = z[i] < low ? z[i] : low;
        high = z[i] > high ? z[i] : high;
    }
    /* Equal values need not equal their own rounded mean: look at them, not at the deviation. */
    if (low == high) {
        memset(alpha, 0, n * sizeof *alpha);
        return 1;
    }
    /* Everything relative to the span, so that no square over- or underflows. */
    scale = high * 0.5 - low * 0.5;
    for (size_t i = 0; i < n; i++)
        mean += z[i] / scale / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (z[i] / scale - mean) * (z[i] / scale - mean);
    squares = sqrt(squares / (double)n);
    for (size_t i = 0; i < n; i++)
        alpha[i] = (z[i] / scale - mean) / squares;
    return 0;
}
