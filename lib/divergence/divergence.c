/* divergence.c - the object: options, scores, and the base pass that no class enters. */
#include "divergence.h"

#include <math.h>
#include <string.h>

static kldve_status check_options(kldve_ctx *ctx, const kldve_divergence_options *o)
{
    if (o->struct_size < sizeof *o)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG,
                              "divergence: struct_size of the options is not set");
    if (o->perplexity != 0 && !(o->perplexity > 1 && o->perplexity < INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "divergence: perplexity %g is not above 1",
                               o->perplexity);
    if (o->temperature != 0 && !(o->temperature > 0 && o->temperature < INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "divergence: temperature %g is not above 0",
                               o->temperature);
    if (o->tolerance != 0 && !(o->tolerance > 0 && o->tolerance < 1))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "divergence: tolerance %g is not in (0, 1)",
                               o->tolerance);
    if (o->summation < KLDVE_SUM_AUTO || o->summation > KLDVE_SUM_CHEBYSHEV || o->reserved != 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "divergence: unknown summation %d",
                               (int)o->summation);
    return KLDVE_OK;
}

kldve_status kldve_divergence_new(kldve_ctx *ctx, size_t n, const kldve_divergence_options *options,
                                  kldve_divergence **out)
{
    kldve_divergence_options o = {.struct_size = sizeof o};
    kldve_divergence *d;
    kldve_status st;

    if (!ctx || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "divergence: NULL argument");
    if (options && (st = check_options(ctx, options)) < 0)
        return st;
    if (options)
        o = *options;
    if (n < 3)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "divergence: %zu scores; at least 3 are needed (with 2, P = Q)", n);
    d = kldve_ctx_alloc(ctx, 1, sizeof *d);
    if (!d)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "divergence: out of memory");
    memset(d, 0, sizeof *d);
    d->ctx = ctx;
    d->n = n;
    d->perplexity = o.perplexity != 0 ? o.perplexity : 30;
    d->temperature = o.temperature != 0 ? o.temperature : 1;
    d->tolerance = o.tolerance != 0 ? o.tolerance : 1e-10;
    d->summation = o.summation;
    d->k = kldve_ctx_alloc(ctx, n, sizeof *d->k);
    d->s1 = kldve_ctx_alloc(ctx, n, sizeof *d->s1);
    d->s2 = kldve_ctx_alloc(ctx, n, sizeof *d->s2);
    d->log_sum = kldve_ctx_alloc(ctx, 1, sizeof *d->log_sum);
    if (!d->k || !d->s1 || !d->s2 || !d->log_sum) {
        kldve_divergence_free(d);
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "divergence: out of memory for %zu scores", n);
    }
    *out = d;
    return KLDVE_OK;
}

void kldve_divergence_free(kldve_divergence *d)
{
    if (!d)
        return;
    kldve_ctx_release(d->ctx, d->k);
    kldve_ctx_release(d->ctx, d->s1);
    kldve_ctx_release(d->ctx, d->s2);
    kldve_ctx_release(d->ctx, d->log_sum);
    kldve_ctx_release(d->ctx, d);
}

/* k = scores / T.  Subtracting the middle first keeps a large common offset from costing digits;
 * at T = 1 the scores are taken as they are and lose none. */
static kldve_status load_scores(kldve_divergence *d, const double *scores)
{
    double low = scores[0], high = scores[0], middle, invalid = 0;

    for (size_t i = 0; i < d->n; i++) {
        low = scores[i] < low ? scores[i] : low;
        high = scores[i] > high ? scores[i] : high;
        invalid += scores[i] * 0; /* NaN or infinity: NaN */
    }
    if (invalid != 0) {
        for (size_t i = 0; i < d->n; i++)
            if (!isfinite(scores[i]))
                return kldve_ctx_failf(d->ctx, KLDVE_E_NUMERIC, "divergence: score %zu is %s", i,
                                       isnan(scores[i]) ? "not a number" : "infinite");
    }
    d->range = (high / d->temperature - low / d->temperature);
    if (!(d->range <= KLDVE_MAX_RANGE))
        return kldve_ctx_failf(d->ctx, KLDVE_E_NUMERIC,
                               "divergence: the scores span %g; more than %g is not handled",
                               d->range, KLDVE_MAX_RANGE);
    middle = d->temperature == 1 ? 0 : 0.5 * low + 0.5 * high;
    for (size_t i = 0; i < d->n; i++)
        d->k[i] = (scores[i] - middle) / d->temperature;
    return KLDVE_OK;
}

static void sum_direct(kldve_divergence *d)
{
    size_t n = d->n;
    double total = 0;

    memset(d->s1, 0, n * sizeof *d->s1);
    memset(d->s2, 0, n * sizeof *d->s2);
    for (size_t i = 0; i < n; i++) {
        double ki = d->k[i], s1 = 0, s2 = 0, row = 0;

        for (size_t j = 0; j < i; j++) {
            double diff = ki - d->k[j];
            double w = 1 / (1 + diff * diff);
            double wd = w * diff, v = d->narrow ? wd * diff : w;

            s1 += wd;
            s2 += wd * v;
            row += v;
            d->s1[j] -= wd;
            d->s2[j] -= wd * v;
        }
        d->s1[i] += s1;
        d->s2[i] += s2;
        total += row;
    }
    if (d->narrow)
        d->deficit = 2 * total;
    else
        d->z = 2 * total;
}

kldve_status kldve_divergence_set_scores(kldve_divergence *d, const double *scores)
{
    kldve_status st;
    double pairs;

    if (!d)
        return KLDVE_E_ARG;
    d->ready = false;
    if (!scores)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG, "divergence: scores are NULL");
    if ((st = load_scores(d, scores)) < 0)
        return st;
    d->narrow = d->range <= 1;
    sum_direct(d);
    pairs = (double)d->n * ((double)d->n - 1);
    if (d->narrow)
        d->z = pairs - d->deficit;
    else
        d->deficit = pairs - d->z;
    *d->log_sum = NAN;
    d->ready = true;
    return KLDVE_OK;
}

kldve_status kldve_divergence_ready(const kldve_divergence *d, const char *what)
{
    if (!d)
        return KLDVE_E_ARG;
    if (!d->ready)
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "%s: no scores are set", what);
    return KLDVE_OK;
}

kldve_status kldve_divergence_ready_for(const kldve_divergence *d, const char *what, size_t target)
{
    kldve_status st = kldve_divergence_ready(d, what);

    if (st == KLDVE_OK && target >= d->n)
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "%s: target %zu is not among the %zu classes",
                               what, target, d->n);
    return st;
}

/* Wide: a S1 - S2 / Z.  Narrow: (a - 1 / Z) S1 + S3 / Z, where a - 1 / Z = (Z - 1 / a) a / Z and
 * Z - 1 / a = (n (n - 1) - 1 / a) - D. */
void kldve_base_factors(const kldve_divergence *d, double a, double a_over, double *of_s1,
                        double *of_s2)
{
    if (d->narrow) {
        *of_s1 = 4 * (a_over - d->deficit) * a / d->z;
        *of_s2 = 4 / d->z;
    } else {
        *of_s1 = 4 * a;
        *of_s2 = -4 / d->z;
    }
}

double kldve_divergence_log_sum(const kldve_divergence *d)
{
    if (isnan(*d->log_sum)) {
        double total = 0;

        for (size_t i = 0; i < d->n; i++) {
            double row = 0;

            for (size_t j = 0; j < i; j++)
                row += log1p((d->k[i] - d->k[j]) * (d->k[i] - d->k[j]));
            total += row;
        }
        *d->log_sum = 2 * total;
    }
    return *d->log_sum;
}
