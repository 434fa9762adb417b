/* oracle.h - the divergence from its definition, in long double, with a dense matrix of affinities.
 * Slow, and written from the equations alone. */
#ifndef KLDVE_TESTS_ORACLE_H
#define KLDVE_TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Joint affinities of y [n] at a perplexity, p [n][n]; rows out of reach take their limit.  beta
 * [n] may be NULL. */
void oracle_affinities(const double *y, size_t n, double perplexity, long double *p, double *beta);

/* KL(P || Q of k) and its gradient. */
void oracle_gradient(const double *k, const long double *p, size_t n, double *z, double *kl);

/* The same for a truth that is 1 at the marked entries and 0 elsewhere, without a matrix. */
void oracle_labels(const double *k, const bool *positive, size_t n, double perplexity, double *z,
                   double *kl);

/* Largest |a - b| relative to the largest |b|; infinite if a has a NaN; 0 for two zero vectors. */
double oracle_distance(const double *a, const double *b, size_t n);

/* Scores of a named kind, times a scale. */
typedef enum oracle_kind {
    ORACLE_NORMAL,   /* N(0, 2.5^2), the first one 20: like logits */
    ORACLE_UNIFORM,  /* even over 30 */
    ORACLE_CLUSTERS, /* five tight heaps far from each other */
    ORACLE_TIES,     /* rounded to quarters */
    ORACLE_OUTLIER,  /* within 1, but the last is 500 away */
    ORACLE_GEOMETRIC /* gaps that grow from 1e-3 by a constant factor to 1e6 */
} oracle_kind;
void oracle_scores(oracle_kind kind, double scale, size_t n, uint64_t seed, double *k);

#endif
