/* problems.c - see problems.h. */
#include "problems.h"

#include <math.h>
#include <stdlib.h>

#include "oracle.h"

kldve_divergence *new_divergence(kldve_ctx *ctx, size_t n, double perplexity, int32_t summation,
                                 int32_t unattainable)
{
    kldve_divergence_options o = {.struct_size = sizeof o,
                                  .perplexity = perplexity,
                                  .summation = summation,
                                  .unattainable = unattainable,
                                  .tolerance = 1e-13};
    kldve_divergence *d = NULL;

    assert_int_equal(kldve_divergence_new(ctx, (int32_t)n, &o, &d), KLDVE_OK);
    return d;
}

bool standardise(double *z, size_t n)
{
    int32_t flat = -1;

    assert_int_equal(kldve_divergence_standardise(z, (int32_t)n, z, &flat), KLDVE_OK);
    assert_true(flat == 0 || flat == 1);
    return flat == 1;
}

fixture *start(size_t n, double perplexity)
{
    fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->ctx = test_ctx(&f->heap);
    f->d = new_divergence(f->ctx, n, perplexity, KLDVE_SUMMATION_AUTO, KLDVE_UNATTAINABLE_LIMIT);
    oracle_scores(ORACLE_NORMAL, 0.5, n, 21, f->k);
    assert_int_equal(kldve_divergence_set_scores(f->d, f->k), KLDVE_OK);
    return f;
}

void finish(fixture *f)
{
    kldve_divergence_free(f->d);
    kldve_ctx_free(f->ctx);
    assert_int_equal(f->heap.live, 0);
    free(f);
}

void check_near(const char *what, double value, const double *got, const double *expected, size_t n,
                double tolerance)
{
    double off = oracle_distance(got, expected, n);

    if (!(off <= tolerance))
        fail_msg("%s at %.17g: off by %g", what, value, off);
}

const char *const truth_names[] = {"continuous", "softmax", "few values", "half zero", "uneven",
                                   "two heaps",  "tiny",    "huge",       "offset"};

void make_truth(truth_kind kind, size_t n, double *y)
{
    uint64_t seed = 99;
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double g = test_normal(&seed);

        y[i] = kind == SOFTMAX      ? exp(3 * g)
               : kind == FEW_VALUES ? floor(3 * g)
               : kind == HALF_ZERO  ? (i % 2 ? 0 : g)
               : kind == UNEVEN     ? (i % 4 ? floor(fabs(g) * 4) / 4 : g)
               : kind == TWO_HEAPS  ? g + 1e4 * (double)(i % 3 == 0)
               : kind == TINY       ? g * 1e-200
               : kind == HUGE       ? g * 1e300
               : kind == OFFSET     ? g + 1e6
                                    : g;
        sum += y[i];
    }
    for (size_t i = 0; kind == SOFTMAX && i < n; i++)
        y[i] /= sum;
}
