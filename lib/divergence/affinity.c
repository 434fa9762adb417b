/* affinity.c - Gaussian kernels of a given perplexity for the entries of a truth vector.
 *
 *     p(j | i) = exp(-beta_i e_ij) / sum over l != i of exp(-beta_i e_il)
 *     e_ij = (y_i - y_j)^2 - nearest_i^2 >= 0,   nearest_i = smallest |y_i - y_j|
 *     H_i = log(sum) + beta_i mean(e) = log(perplexity)
 *
 * (van der Maaten and Hinton 2008; subtracting nearest^2 changes no p(j | i) and prevents
 * underflow.)  With y sorted, the terms of a row that matter form a window around i: those with
 * beta e <= log n + 35, which leaves out less than 1e-15 of the sum.  Equal entries form one group
 * with a count and share a row.  There is no n x n matrix.
 *
 * The root is found in log beta, where H is close to a straight line of slope -1/2 (the entropy of
 * a Gaussian); see entropy.c.  The search starts from the distance that encloses as many neighbours
 * as the perplexity.  A row can reach the perplexities from the number of neighbours tied at the
 * smallest distance (beta infinite) to n - 1 (beta 0). */
#include "affinity.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "entropy.h"
#include "sort.h"

static const double infinite_beta =
    1e300; /* exp() takes its product with any e > 1e-300 for infinite */

void kldve_affinity_free(kldve_affinity *a)
{
    if (!a)
        return;
    kldve_ctx_release(a->ctx, a->y);
    kldve_ctx_release(a->ctx, a->order);
    kldve_ctx_release(a->ctx, a);
}

/* One block for all arrays of doubles, one for all of integers. */
static bool allocate(kldve_affinity *a)
{
    size_t padded = kldve_padded(a->n);

    a->y = kldve_ctx_alloc(a->ctx, 8 * padded, sizeof *a->y);
    a->order = kldve_ctx_alloc(a->ctx, 4 * padded + 8, sizeof *a->order);
    if (!a->y || !a->order)
        return false;
    memset(a->y, 0, 8 * padded * sizeof *a->y);
    a->k = a->y + padded;
    a->force = a->k + padded;
    a->beta = a->force + padded;
    a->nearest = a->beta + padded;
    a->scale = a->nearest + padded;
    a->value = a->scale + padded;
    a->count = a->value + padded;
    a->first = a->order + padded;
    a->last = a->first + padded;
    a->start = a->last + padded;
    return true;
}

/* The exponent that makes the range of y about 1, so that squared distances neither overflow
 * nor underflow; powers of two cost no precision. */
static int unit_of(double low, double high)
{
    int exponent;

    assert(low <= high);
    if (low == high)
        return 0;
    frexp(0.25 * high - 0.25 * low, &exponent);
    return exponent + 2;
}

static void sort_truth(kldve_affinity *a, const double *y)
{
    uint64_t *keys = (uint64_t *)(void *)a->k, *spare = (uint64_t *)(void *)a->force;

    for (size_t i = 0; i < a->n; i++) {
        keys[i] = kldve_sort_key(y[i]);
        a->order[i] = (uint32_t)i;
    }
    kldve_sort(keys, a->order, a->n, 64, spare, a->first);
    a->unit = unit_of(y[a->order[0]], y[a->order[a->n - 1]]);
    for (size_t i = 0; i < kldve_padded(a->n); i++)
        a->y[i] = ldexp(y[a->order[i < a->n ? i : a->n - 1]], -a->unit);
    memset(a->k, 0, 2 * kldve_padded(a->n) * sizeof *a->k); /* including force, which follows it */
}

static void group_equals(kldve_affinity *a)
{
    a->groups = 0;
    for (size_t i = 0; i < a->n; i++) {
        assert(i == 0 || a->y[i - 1] <= a->y[i]);
        if (i == 0 || a->y[i] != a->y[i - 1]) {
            a->value[a->groups] = a->y[i];
            a->start[a->groups++] = (uint32_t)i;
        }
    }
    a->start[a->groups] = (uint32_t)a->n;
    for (size_t g = 0; g < a->groups; g++)
        a->count[g] = a->start[g + 1] - a->start[g];
}

kldve_status kldve_affinity_new(const kldve_divergence *d, const double *y, kldve_affinity **out)
{
    kldve_affinity *a = kldve_ctx_alloc(d->ctx, 1, sizeof *a);

    if (!a)
        return KLDVE_E_NOMEM;
    memset(a, 0, sizeof *a);
    a->ctx = d->ctx;
    a->kernels = d->kernels;
    a->n = d->n;
    a->perplexity = d->perplexity;
    if (!allocate(a)) {
        kldve_affinity_free(a);
        return KLDVE_E_NOMEM;
    }
    sort_truth(a, y);
    group_equals(a);
    *out = a;
    return KLDVE_OK;
}

/* ---- one row ---- */

/* The state of the search for one group's row. */
typedef struct search {
    const kldve_affinity *of;
    size_t group;
    kldve_row row;
    double ties;        /* neighbours at the smallest distance */
    double sums[3];     /* of exp(-x), x exp(-x), x^2 exp(-x), x = beta e */
    size_t first, last; /* window, in groups */
} search;

/* Smallest distance from an entry of the group to another entry, and how many are that close. */
static void find_nearest(const kldve_affinity *a, search *s)
{
    size_t g = s->group;
    double left = g > 0 ? a->value[g] - a->value[g - 1] : INFINITY;
    double right = g + 1 < a->groups ? a->value[g + 1] - a->value[g] : INFINITY;

    if (a->count[g] > 1) {
        s->row.nearest = 0;
        s->ties = a->count[g] - 1;
        return;
    }
    s->row.nearest = fmin(left, right);
    assert(s->row.nearest > 0 && s->row.nearest < INFINITY);
    s->ties = (left == s->row.nearest ? a->count[g - 1] : 0) +
              (right == s->row.nearest ? a->count[g + 1] : 0);
}

/* Groups whose value is in [at - reach, at + reach], by doubling steps from the group itself. */
static void find_window(const kldve_affinity *a, search *s, double reach)
{
    double low = s->row.y - reach, high = s->row.y + reach;
    size_t step, at = s->group;

    for (step = 1; at >= step && a->value[at - step] >= low; step *= 2)
        at -= step;
    for (; step > 0; step /= 2)
        if (at >= step && a->value[at - step] >= low)
            at -= step;
    s->first = at;
    at = s->group;
    for (step = 1; at + step < a->groups && a->value[at + step] <= high; step *= 2)
        at += step;
    for (; step > 0; step /= 2)
        if (at + step < a->groups && a->value[at + step] <= high)
            at += step;
    s->last = at + 1;
    assert(s->first <= s->group && s->group < s->last && s->last <= a->groups);
}

/* H - log(perplexity) of the row; *slope = dH / d log beta. */
static double entropy_gap(void *of, double log_beta, double *slope)
{
    search *s = of;
    const kldve_affinity *a = s->of;
    double cut = log((double)a->n) + 35, nearest = s->row.nearest, reach;

    s->row.beta = exp(log_beta);
    /* The last factor keeps ties at the smallest distance inside despite rounding. */
    reach = sqrt(nearest * nearest + cut / s->row.beta) * (1 + 1e-14) + 1e-300;
    find_window(a, s, reach);
    s->sums[0] = a->count[s->group] - 1;
    s->sums[1] = s->sums[2] = 0;
    a->kernels->gauss(a->value, a->count, s->first, s->group, &s->row, s->sums);
    a->kernels->gauss(a->value, a->count, s->group + 1, s->last, &s->row, s->sums);
    assert(s->sums[0] > 0);
    return kldve_entropy_gap(s->sums, a->perplexity, slope);
}

/* If e is at the distance that encloses about as many neighbours as the perplexity, beta is near
 * 2.1 / e: half of a Gaussian's entropy-equivalent width 4.13 sigma is 2.07 sigma. */
static double first_log_beta(const kldve_affinity *a, const search *s)
{
    size_t from = a->start[s->group], to = a->start[s->group + 1] - 1;
    size_t half = (size_t)(0.5 * fmin(a->perplexity, (double)a->n)) + 1;
    double left = a->y[from] - a->y[from > half ? from - half : 0];
    double right = a->y[to + half < a->n ? to + half : a->n - 1] - a->y[to];
    double reach = fmax(0.5 * (left + right), s->row.nearest * 1.0001);
    double e = (reach - s->row.nearest) * (reach + s->row.nearest);

    return e > 0 ? fmin(690, log(2.1 / e)) : 0;
}

/* The row with beta at one of its limits. */
static void take_limit(const kldve_affinity *a, search *s, bool infinite)
{
    s->row.beta = infinite ? infinite_beta : 0;
    s->sums[0] = infinite ? s->ties : (double)a->n - 1;
    if (infinite) {
        find_window(a, s, s->row.nearest * (1 + 1e-14));
    } else {
        s->first = 0;
        s->last = a->groups;
    }
}

/* The row of a group: the perplexity that it reaches; false if that is not the one wanted. */
static bool find_row(const kldve_affinity *a, search *s, double *reached)
{
    double others = (double)a->n - 1, gap;

    assert(s->group < a->groups && a->perplexity > 0);
    find_nearest(a, s);
    if (a->perplexity <= s->ties) {
        take_limit(a, s, true);
        *reached = s->ties;
        return a->perplexity == s->ties;
    }
    if (a->perplexity >= others) {
        take_limit(a, s, false);
        *reached = others;
        return a->perplexity == others;
    }
    kldve_entropy_root(entropy_gap, s, first_log_beta(a, s), 1e-13, &gap);
    *reached = exp(gap + log(a->perplexity));
    return fabs(gap) <= 1e-10;
}

static void store_row(kldve_affinity *a, const search *s, double reached, bool found,
                      kldve_rows *rows)
{
    double beta = s->row.beta == infinite_beta ? INFINITY : ldexp(s->row.beta, -2 * a->unit);

    assert(s->sums[0] > 0 && s->first < s->last && s->last <= a->groups);
    for (size_t i = a->start[s->group]; i < a->start[s->group + 1]; i++) {
        a->beta[i] = s->row.beta;
        a->nearest[i] = s->row.nearest;
        a->scale[i] = 1 / (2 * (double)a->n * s->sums[0]);
        a->first[i] = a->start[s->first];
        a->last[i] = a->start[s->last];
        rows->beta[a->order[i]] = beta;
        rows->perplexity[a->order[i]] = reached;
        rows->unattainable[a->order[i]] = !found;
    }
}

kldve_status kldve_affinity_solve(kldve_affinity *a, kldve_rows *rows)
{
    kldve_status st = KLDVE_OK;

    for (size_t g = 0; g < a->groups && st == KLDVE_OK; g++) {
        search s = {.of = a, .group = g, .row = {.y = a->value[g]}};
        double reached;
        bool found = find_row(a, &s, &reached);

        store_row(a, &s, reached, found, rows);
        if (g % 4096 == 0)
            st = kldve_ctx_progress(a->ctx, "kernel widths", (int64_t)g, (int64_t)a->groups);
    }
    return st;
}
