/* problems.h - divergences with scores, and truth vectors of several kinds. */
#ifndef KLDVE_TESTS_DIVERGENCE_PROBLEMS_H
#define KLDVE_TESTS_DIVERGENCE_PROBLEMS_H

#include <kldve/divergence.h>

#include "support.h"

/** With the tolerance 1e-13. */
kldve_divergence *new_divergence(kldve_ctx *ctx, size_t n, double perplexity, int32_t summation,
                                 int32_t unattainable);

enum { FEW = 60, MANY = 700 };

typedef struct fixture {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_divergence *d;
    double k[MANY], z[MANY], other[MANY], third[MANY];
} fixture;

/** n scores at a perplexity whose limit is allowed. */
fixture *start(size_t n, double perplexity);
void finish(fixture *f);

/** Fails with `what` and `value` where got [n] is further from expected than the tolerance. */
void check_near(const char *what, double value, const double *got, const double *expected, size_t n,
                double tolerance);

typedef enum truth_kind {
    CONTINUOUS,
    SOFTMAX,    /* probabilities: one near 1, many near 0 */
    FEW_VALUES, /* rounded: ties */
    HALF_ZERO,  /* one large group among distinct values */
    UNEVEN,     /* groups of all sizes between distinct values */
    TWO_HEAPS,  /* far from each other */
    TINY,       /* as CONTINUOUS, times 1e-200 */
    HUGE,       /* times 1e300 */
    OFFSET      /* plus 1e6 */
} truth_kind;

extern const char *const truth_names[];

/** kldve_divergence_standardise() in place; whether z is flat. */
bool standardise(double *z, size_t n);

void make_truth(truth_kind kind, size_t n, double *y);

#endif
