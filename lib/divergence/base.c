/* base.c - the sums over all pairs of scores, which do not depend on the truth, and their errors.
 *
 * The cost model was fitted to `bench-divergence crossover` on one core of a Zen 4 server at
 * 2.6 GHz, not counting what both ways have in common:
 *
 *     direct  0.165 ns n^2
 *     tree    1 us + 3 ns n + 2.4 us for each leaf but the first; leaves: one for each occupied
 *             unit of width, but with at least about 16 points each
 *
 * Divisions dominate both, so other processors and instruction sets scale them alike;
 * docs/divergence.md gives the cost of wrong choices for three of them. */
#include "divergence.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { CELLS = 1024 };
static const double leaf_width = 1.3;

/* Cells of a leaf's width that hold scores; cells CELLS apart count as one. */
static double occupied_cells(const kldve_divergence *d)
{
    uint64_t seen[CELLS / 64] = {0};
    double count = 0;

    for (size_t i = 0; i < d->n; i++) {
        double place = fmin((d->k[i] - d->low) / leaf_width, 0x1p52);
        uint64_t cell = (uint64_t)place % CELLS, bit = (uint64_t)1 << cell % 64;

        count += !(seen[cell / 64] & bit);
        seen[cell / 64] |= bit;
    }
    return count;
}

static double tree_ns(double n, double leaves)
{
    return 1000 + 3 * n + 2400 * (leaves - 1);
}

static bool direct_is_faster(const kldve_divergence *d)
{
    double n = (double)d->n, direct_ns = 0.165 * n * n, most = fmax(1, n / 16);

    return direct_ns < tree_ns(n, most) && direct_ns < tree_ns(n, fmin(most, occupied_cells(d)));
}

/* k = scores / T.  Subtracting the middle first keeps a large common offset from costing precision;
 * at T = 1 the scores are used as they are and lose nothing. */
static kldve_status load_scores(kldve_divergence *d)
{
    double low, high, middle, span;
    double t = d->temperature;

    assert(t > 0);
    if (!d->kernels->extent(d->raw, d->n, &low, &high))
        return kldve_check_finite(d->ctx, "scores", d->raw, d->n);
    span = high / t - low / t;
    if (!(span <= KLDVE_MAX_RANGE))
        return kldve_ctx_failf(
            d->ctx, KLDVE_E_NUMERIC,
            "scores: they span %g temperatures, at most %g are supported: raise the "
            "temperature",
            span, KLDVE_MAX_RANGE);
    middle = t == 1 ? 0 : 0.5 * low + 0.5 * high;
    if (t == 1)
        memcpy(d->k, d->raw, d->n * sizeof *d->k);
    else
        for (size_t i = 0; i < d->n; i++)
            d->k[i] = (d->raw[i] - middle) / t;
    for (size_t i = d->n; i < kldve_padded(d->n); i++)
        d->k[i] = d->k[0];
    d->low = (low - middle) / t;
    d->high = (high - middle) / t;
    return KLDVE_OK;
}

/* Largest |base_i|, and the effect of rounding in S1 and S2 on it. */
static double largest_base(const kldve_divergence *d, double of_s1, double of_s2, double *rounding)
{
    double peaks[3];

    d->kernels->peaks(d->s1, d->s2, d->n, of_s1, of_s2, peaks);
    /* A few operations per term, and sums of n terms whose errors do a random walk. */
    *rounding = (16 + 0.5 * sqrt((double)d->n)) * 0x1p-53 *
                (fabs(of_s1) * peaks[0] + fabs(of_s2) * peaks[1]);
    return peaks[2];
}

/* The estimate: what the last coefficients of the series say about those left out, on the targets'
 * side and on the sources', plus rounding.  With 4 instead of 12, the error of one case in
 * tests/divergence/test_base.c (few distinct scores) was three times the estimate. */
static double estimate_error(const kldve_divergence *d, bool with_tail)
{
    kldve_blocks p = kldve_blocks_solve(d->n, 1, d->perplexity);
    double of_s1, of_s2, largest, rounding, tail = 0;

    assert(!with_tail || (d->tree && d->tree->decay > 1));
    kldve_base_factors(d, p.nn, p.nn_over, &of_s1, &of_s2);
    largest = largest_base(d, of_s1, of_s2, &rounding);
    if (largest == 0)
        return 0;
    if (with_tail)
        tail = 12 * (fabs(of_s1) * d->tree->tail[0] + fabs(of_s2) * d->tree->tail[1]) /
               (d->tree->decay - 1);
    return (tail + rounding) / largest;
}

static void set_pairs(kldve_divergence *d, double sum)
{
    double pairs = (double)d->n * ((double)d->n - 1);

    d->z = d->narrow ? pairs - sum : sum;
    d->deficit = d->narrow ? sum : pairs - sum;
    assert(d->z > 0);
}

static kldve_status sum_tree(kldve_divergence *d)
{
    /* A first guess that nearly always holds; otherwise the estimate says how much more is needed.
     * Clusters wider than for 2e-9 save no time; below 1e-16 everything is rounding. */
    double aim = fmax(1e-16, fmin(2e-9, d->tolerance / 400)), sum;
    kldve_status st;

    if (!d->tree && (st = kldve_tree_new(d->ctx, d->kernels, d->n, &d->tree)) < 0)
        return st;
    for (int attempt = 0; attempt < 3; attempt++) {
        if ((st = kldve_tree_build(d->tree, d->k, d->low, d->high, aim)) < 0 ||
            (st = kldve_ctx_poll(d->ctx)) < 0 ||
            (st = kldve_tree_sum(d->tree, NULL, d->s1, d->s2, &sum)) < 0)
            return st;
        set_pairs(d, sum);
        d->error = estimate_error(d, true);
        if (d->error <= d->tolerance || aim <= 1e-16)
            break;
        aim = fmax(1e-16, aim * 0.1 * d->tolerance / d->error);
    }
    return KLDVE_OK;
}

kldve_status kldve_base_compute(kldve_divergence *d)
{
    kldve_status st;

    d->ready = false;
    if ((st = load_scores(d)) < 0 || (st = kldve_ctx_poll(d->ctx)) < 0)
        return st;
    assert(d->low <= d->high);
    d->narrow = d->high - d->low <= KLDVE_NARROW;
    d->direct = d->summation == KLDVE_SUMMATION_DIRECT ||
                (d->summation == KLDVE_SUMMATION_AUTO && direct_is_faster(d));
    if (d->direct) {
        set_pairs(d, d->kernels->pairs(d->k, d->n, d->narrow, d->s1, d->s2));
        d->error = estimate_error(d, false);
    } else if ((st = sum_tree(d)) < 0) {
        return st == KLDVE_E_NOMEM
                   ? kldve_ctx_failf(d->ctx, st, "divergence: out of memory for %zu scores", d->n)
                   : st;
    }
    *d->log_sum = NAN;
    d->ready = true;
    return KLDVE_OK;
}

/* Wide: a S1 - S2 / Z.  Narrow: (a - 1 / Z) S1 + S3 / Z, where a - 1 / Z = (Z - 1 / a) a / Z and
 * Z - 1 / a = (n (n - 1) - 1 / a) - D.  Of two scores a S1 = S2 / Z: what would remain is rounding.
 */
void kldve_base_factors(const kldve_divergence *d, double a, double a_over, double *of_s1,
                        double *of_s2)
{
    assert(d->z > 0 && a > 0);
    if (kldve_is_pair(d)) {
        *of_s1 = *of_s2 = 0;
    } else if (d->narrow) {
        *of_s1 = 4 * (a_over - d->deficit) * a / d->z;
        *of_s2 = 4 / d->z;
    } else {
        *of_s1 = 4 * a;
        *of_s2 = -4 / d->z;
    }
}

double kldve_base_log_sum(const kldve_divergence *d)
{
    assert(d->ready && (d->direct || d->tree));
    if (!isnan(*d->log_sum))
        return *d->log_sum;
    /* Without charges nothing is allocated, so this cannot fail. */
    if (d->direct || kldve_tree_log(d->tree, NULL, NULL, d->log_sum) < 0)
        *d->log_sum = d->kernels->pairs_log(d->k, d->n, d->high - d->low);
    return *d->log_sum;
}

/* base at one score by a direct sum in long double. */
static double base_at(const kldve_divergence *d, size_t i, double of_s1, double of_s2)
{
    long double s1 = 0, s2 = 0;

    for (size_t j = 0; j < d->n; j++) {
        double diff = d->k[i] - d->k[j], wd = diff / (1 + diff * diff);

        s1 += wd;
        s2 += d->narrow ? wd * wd * diff : wd / (1 + diff * diff);
    }
    return (double)(of_s1 * s1 + of_s2 * s2);
}

static kldve_status measure(const kldve_divergence *d, int32_t count, double *error)
{
    kldve_status st = kldve_divergence_ready(d, "measure");
    double of_s1, of_s2, largest, rounding, worst = 0;
    size_t per = (size_t)count;
    kldve_blocks p;

    if (st < 0)
        return st;
    if (!error || count < 1)
        return kldve_ctx_fail(
            d->ctx, KLDVE_E_ARG,
            "measure: nothing to measure: the result is NULL or the count below 1");
    p = kldve_blocks_solve(d->n, 1, d->perplexity);
    kldve_base_factors(d, p.nn, p.nn_over, &of_s1, &of_s2);
    largest = largest_base(d, of_s1, of_s2, &rounding);
    for (size_t i = 0; i < d->n; i++) {
        bool sampled = (i * per) / d->n != ((i + 1) * per) / d->n;

        if (sampled && (st = kldve_ctx_poll(d->ctx)) < 0)
            return st;
        if (sampled || d->k[i] == d->low || d->k[i] == d->high)
            worst = fmax(worst,
                         fabs(base_at(d, i, of_s1, of_s2) - (of_s1 * d->s1[i] + of_s2 * d->s2[i])));
    }
    *error = largest > 0 ? worst / largest : 0;
    return KLDVE_OK;
}

kldve_status kldve_divergence_measure(const kldve_divergence *d, int32_t count, double *error)
{
    double before;

    if (!d)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(d->ctx, "divergence", 0);
    return kldve_ctx_leave(d->ctx, before, measure(d, count, error));
}
