/* divergence.c - the object: options, scores, temperature, and how the result was computed. */
#include "divergence.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/float_env.h"

static bool between(double value, double low, double high)
{
    return value >= low && value <= high; /* NaN is not */
}

static kldve_status check_options(kldve_ctx *ctx, const kldve_divergence_options *o)
{
    if (o->perplexity != 0 && !(o->perplexity > 1 && o->perplexity < INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "divergence: perplexity is %g, it must be above 1",
                               o->perplexity);
    if (o->neighbour_perplexity != 0 &&
        !(o->neighbour_perplexity > 1 && o->neighbour_perplexity < INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "divergence: neighbour_perplexity is %g, it must be above 1",
                               o->neighbour_perplexity);
    if (o->temperature != 0 && !(o->temperature > 0 && o->temperature < INFINITY))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "divergence: temperature is %g, it must be above 0", o->temperature);
    if (o->tolerance != 0 && !between(o->tolerance, 1e-14, 1e-4))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "divergence: tolerance is %g, it must be 1e-14 to 1e-4",
                               o->tolerance);
    if (o->summation < KLDVE_SUMMATION_AUTO || o->summation > KLDVE_SUMMATION_CHEBYSHEV)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "divergence: unknown summation %d",
                               (int)o->summation);
    if (o->unattainable < KLDVE_UNATTAINABLE_FAIL || o->unattainable > KLDVE_UNATTAINABLE_LIMIT)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "divergence: unknown value %d for unattainable",
                               (int)o->unattainable);
    return KLDVE_OK;
}

static kldve_status check_size(kldve_ctx *ctx, int32_t n)
{
    if (n < 2)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "divergence: %d scores, at least 2 are needed to make a pair",
                               (int)n);
    return KLDVE_OK;
}

/* One block.  The direct sum loads from k, s1 and s2 and stores to two of them at the same index.
 * If these were at nearly the same place in a page, a load would wait for the store before it (a
 * fifth of the time at n = 1000), so they start a third of a page of 512 apart. */
static bool allocate_arrays(kldve_divergence *d)
{
    size_t stride = (d->n + 511) / 512 * 512 + 168;

    assert(stride >= kldve_padded(d->n));
    d->raw = kldve_ctx_alloc(d->ctx, stride, 4 * sizeof *d->raw);
    d->log_sum = kldve_ctx_alloc(d->ctx, 1, sizeof *d->log_sum);
    if (!d->raw || !d->log_sum)
        return false;
    d->k = d->raw + stride;
    d->s1 = d->k + stride;
    d->s2 = d->s1 + stride;
    return true;
}

kldve_status kldve_divergence_new(kldve_ctx *ctx, int32_t n,
                                  const kldve_divergence_options *options, kldve_divergence **out)
{
    kldve_divergence_options o;
    kldve_divergence *d;
    fenv_t host;
    kldve_status st;

    if (!ctx || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "divergence: NULL argument");
    if ((st = kldve_struct_load(ctx, "kldve_divergence_options", options, &o, sizeof o)) < 0)
        return st;
    kldve_float_env_enter(&host); /* a comparison with NaN may trap */
    st = kldve_float_env_leave(&host, check_options(ctx, &o));
    if (st < 0 || (st = check_size(ctx, n)) < 0)
        return st;
    d = kldve_ctx_alloc(ctx, 1, sizeof *d);
    if (!d)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "divergence: out of memory");
    memset(d, 0, sizeof *d);
    d->ctx = ctx;
    d->kernels = kldve_kernels_best();
    d->n = (size_t)n;
    d->perplexity = o.perplexity != 0 ? o.perplexity : 30;
    d->neighbour_perplexity = o.neighbour_perplexity != 0
                                  ? o.neighbour_perplexity
                                  : kldve_divergence_neighbour_perplexity(n);
    d->temperature = o.temperature != 0 ? o.temperature : 1;
    d->tolerance = o.tolerance != 0 ? o.tolerance : 1e-10;
    d->summation = o.summation;
    d->unattainable = o.unattainable;
    if (!allocate_arrays(d)) {
        kldve_divergence_free(d);
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "divergence: out of memory for %d scores",
                               (int)n);
    }
    *out = d;
    return KLDVE_OK;
}

void kldve_divergence_free(kldve_divergence *d)
{
    if (!d)
        return;
    kldve_tree_free(d->tree);
    kldve_ctx_release(d->ctx, d->raw);
    kldve_ctx_release(d->ctx, d->log_sum);
    kldve_ctx_release(d->ctx, d->rows.beta);
    kldve_ctx_release(d->ctx, d->rows.perplexity);
    kldve_ctx_release(d->ctx, d->rows.unattainable);
    kldve_ctx_release(d->ctx, d);
}

static kldve_status load_and_sum(kldve_divergence *d, const double *scores)
{
    d->ready = d->loaded = false;
    if (!scores)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG, "divergence: the scores are NULL");
    memcpy(d->raw, scores, d->n * sizeof *scores);
    d->loaded = true;
    return kldve_base_compute(d);
}

kldve_status kldve_divergence_set_scores(kldve_divergence *d, const double *scores)
{
    double before;

    if (!d)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(d->ctx, "divergence", 0);
    return kldve_ctx_leave(d->ctx, before, load_and_sum(d, scores));
}

static kldve_status rescale(kldve_divergence *d, double temperature)
{
    if (!(temperature > 0 && temperature < INFINITY))
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG,
                               "divergence: temperature is %g, it must be above 0", temperature);
    d->temperature = temperature;
    return d->loaded ? kldve_base_compute(d) : KLDVE_OK;
}

kldve_status kldve_divergence_set_temperature(kldve_divergence *d, double temperature)
{
    double before;

    if (!d)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(d->ctx, "divergence", 0);
    return kldve_ctx_leave(d->ctx, before, rescale(d, temperature));
}

/* One temperature after another; stops at the first failure. */
static kldve_status sweep(kldve_divergence *d, int32_t target, const double *temperatures,
                          int32_t count, double *z, double *kl)
{
    kldve_status st = KLDVE_OK;

    for (int32_t i = 0; i < count && st == KLDVE_OK; i++) {
        st = kldve_ctx_progress(d->ctx, "temperatures", i, count);
        if (st == KLDVE_OK)
            st = kldve_divergence_set_temperature(d, temperatures[i]);
        if (st == KLDVE_OK)
            st = kldve_divergence_onehot(d, target, z ? z + (size_t)i * d->n : NULL,
                                         kl ? kl + i : NULL);
    }
    return st;
}

static kldve_status sweep_and_return(kldve_divergence *d, int32_t target,
                                     const double *temperatures, int32_t count, double *z,
                                     double *kl)
{
    kldve_status st = kldve_divergence_ready_for(d, "temperature sweep", target), back;
    double own;

    if (st < 0)
        return st;
    if (count < 0 || (!temperatures && count > 0))
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG,
                              count < 0 ? "temperature sweep: the count is negative"
                                        : "temperature sweep: NULL argument");
    own = d->temperature;
    st = sweep(d, target, temperatures, count, z, kl);
    d->temperature = own;
    back = kldve_base_compute(d);
    return st < 0 ? st : back;
}

kldve_status kldve_divergence_sweep(kldve_divergence *d, int32_t target, const double *temperatures,
                                    int32_t count, double *z, double *kl)
{
    double before;

    if (!d)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(d->ctx, "divergence", 0);
    return kldve_ctx_leave(d->ctx, before, sweep_and_return(d, target, temperatures, count, z, kl));
}

/* Apart, so that all of it is computed in one environment. */
static kldve_status describe(const kldve_divergence *d, kldve_divergence_info *out)
{
    kldve_divergence_info info = {.struct_size = sizeof info};

    assert(d->direct || d->tree);
    info.kernels = d->kernels->name;
    info.range = d->high - d->low;
    info.pairs = d->z;
    info.error = d->error;
    info.temperature = d->temperature;
    info.clusters = d->direct ? 0 : (int64_t)d->tree->count;
    info.nodes = d->direct ? 0 : (int32_t)d->tree->order;
    info.summation = d->direct ? KLDVE_SUMMATION_DIRECT : KLDVE_SUMMATION_CHEBYSHEV;
    return kldve_struct_store(d->ctx, "kldve_divergence_info", &info, sizeof info, out);
}

kldve_status kldve_divergence_get_info(const kldve_divergence *d, kldve_divergence_info *out)
{
    fenv_t host;
    kldve_status st = kldve_divergence_ready(d, "divergence info");

    if (st < 0)
        return st;
    kldve_float_env_enter(&host);
    return kldve_float_env_leave(&host, describe(d, out));
}
