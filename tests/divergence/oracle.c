/* oracle.c - see oracle.h. */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>

#include "support.h"

/* Entropy of row i at beta, with the conditional probabilities left in row[n]. */
static long double row_entropy(const double *y, size_t n, size_t i, long double beta,
                               long double *row)
{
    long double nearest = INFINITY, sum = 0, entropy = 0;

    for (size_t j = 0; j < n; j++)
        if (j != i)
            nearest = fminl(nearest, fabsl((long double)y[i] - y[j]));
    for (size_t j = 0; j < n; j++) {
        long double d = fabsl((long double)y[i] - y[j]), e = (d - nearest) * (d + nearest);

        row[j] = j == i ? 0 : expl(-(e > 0 ? beta * e : 0));
        sum += row[j];
    }
    for (size_t j = 0; j < n; j++) {
        row[j] /= sum;
        entropy -= row[j] > 0 ? row[j] * logl(row[j]) : 0;
    }
    return entropy;
}

static void solve_row(const double *y, size_t n, size_t i, double perplexity, long double *row,
                      double *beta)
{
    long double low = -9000, high = 9000, target = logl((long double)perplexity); /* of log beta */

    *beta = 0;
    if (row_entropy(y, n, i, 0, row) <= target || perplexity >= (double)n - 1)
        return;
    *beta = INFINITY;
    if (row_entropy(y, n, i, expl(high), row) >= target)
        return;
    for (int step = 0; step < 130; step++) {
        long double middle = 0.5L * (low + high);

        if (row_entropy(y, n, i, expl(middle), row) > target)
            low = middle;
        else
            high = middle;
    }
    row_entropy(y, n, i, expl(high), row);
    *beta = (double)expl(high);
}

void oracle_affinities(const double *y, size_t n, double perplexity, long double *p, double *beta)
{
    long double *rows = malloc(n * n * sizeof *rows);

    assert_non_null(rows);
    for (size_t i = 0; i < n; i++) {
        double found;

        solve_row(y, n, i, perplexity, rows + i * n, &found);
        if (beta)
            beta[i] = found;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            p[i * n + j] = (rows[i * n + j] + rows[j * n + i]) / (2 * (long double)n);
    free(rows);
}

static long double pair_weight(const double *k, size_t i, size_t j)
{
    long double d = (long double)k[i] - k[j];

    return 1 / (1 + d * d);
}

static long double weight_sum(const double *k, size_t n)
{
    long double sum = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            sum += 2 * pair_weight(k, i, j);
    return sum;
}

void oracle_gradient(const double *k, const long double *p, size_t n, double *z, double *kl)
{
    long double total = weight_sum(k, n), value = 0;

    for (size_t i = 0; i < n; i++) {
        long double pull = 0;

        for (size_t j = 0; j < n; j++) {
            long double w = pair_weight(k, i, j), q = w / total, pij = p[i * n + j];

            if (j == i)
                continue;
            pull += (pij - q) * w * ((long double)k[i] - k[j]);
            value += pij > 0 ? pij * logl(pij / q) : 0;
        }
        z[i] = (double)(4 * pull);
    }
    *kl = (double)value;
}

/* exp(-beta) of rows with `same` neighbours at distance 0 and `other` at distance 1. */
static long double label_u(long double same, long double other, double perplexity)
{
    long double low = 0, high = 1;

    if (same == 0 || other == 0 || perplexity >= same + other)
        return 1;
    if (perplexity <= same)
        return 0;
    for (int step = 0; step < 130; step++) {
        long double u = 0.5L * (low + high), sum = same + other * u;

        if (logl(sum) - other * u * logl(u) / sum < logl((long double)perplexity))
            low = u;
        else
            high = u;
    }
    return high;
}

void oracle_labels(const double *k, const bool *positive, size_t n, double perplexity, double *z,
                   double *kl)
{
    long double pos = 0, neg, u[2], sum[2], p[3], total = weight_sum(k, n), value = 0;

    for (size_t i = 0; i < n; i++)
        pos += positive[i];
    neg = (long double)n - pos;
    u[0] = label_u(neg - 1, pos, perplexity);
    u[1] = label_u(pos - 1, neg, perplexity);
    sum[0] = neg - 1 + pos * u[0];
    sum[1] = pos - 1 + neg * u[1];
    p[0] = 1 / (n * sum[0]);
    p[1] = (u[0] / sum[0] + u[1] / sum[1]) / (2 * (long double)n);
    p[2] = 1 / (n * sum[1]);
    for (size_t i = 0; i < n; i++) {
        long double pull = 0;

        for (size_t j = 0; j < n; j++) {
            long double w = pair_weight(k, i, j), q = w / total, pij = p[positive[i] + positive[j]];

            if (j == i)
                continue;
            pull += (pij - q) * w * ((long double)k[i] - k[j]);
            value += pij > 0 && kl ? pij * logl(pij / q) : 0;
        }
        z[i] = (double)(4 * pull);
    }
    if (kl)
        *kl = (double)value;
}

double oracle_distance(const double *a, const double *b, size_t n)
{
    double worst = 0, scale = 0;

    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]) || isnan(b[i]))
            return INFINITY;
        worst = fmax(worst, fabs(a[i] - b[i]));
        scale = fmax(scale, fabs(b[i]));
    }
    return worst == 0 ? 0 : worst / scale;
}

void oracle_scores(oracle_kind kind, double scale, size_t n, uint64_t seed, double *k)
{
    double place = 0, gap = 1e-3, factor = pow(1e9, 1 / (double)n);

    for (size_t i = 0; i < n; i++) {
        switch (kind) {
        case ORACLE_NORMAL:
            k[i] = i ? 2.5 * test_normal(&seed) : 20;
            break;
        case ORACLE_UNIFORM:
            k[i] = 30 * test_random(&seed);
            break;
        case ORACLE_CLUSTERS:
            k[i] = 40 * (double)(i % 5) + 0.01 * test_normal(&seed);
            break;
        case ORACLE_TIES:
            k[i] = floor(8 * test_normal(&seed)) / 4;
            break;
        case ORACLE_OUTLIER:
            k[i] = i + 1 < n ? test_random(&seed) : 500;
            break;
        case ORACLE_GEOMETRIC:
            k[i] = place += gap *= factor;
            break;
        }
        k[i] *= scale;
    }
}
