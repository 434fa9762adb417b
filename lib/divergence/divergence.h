/* divergence.h - what the files of this folder share; the public header is kldve/divergence.h.
 *
 *     k       scores / temperature [n]           d_ij   k_i - k_j          w_ij   1 / (1 + d_ij^2)
 *     S1_i    sum over j of w_ij d_ij            S2_i   sum over j of w_ij^2 d_ij
 *     Z       sum over i != j of w_ij            D      n (n - 1) - Z
 *                                                    = sum over i != j of w_ij d_ij^2
 *
 * When all scores lie within KLDVE_NARROW of each other ("narrow"), w is nearly constant and
 * S1 / n (n - 1) and S2 / Z nearly cancel in z.  Then S3_i = S1_i - S2_i = sum over j of
 * w_ij^2 d_ij^3 is summed instead of S2 and D instead of Z, and no precision is lost. */
#ifndef KLDVE_LIB_DIVERGENCE_H
#define KLDVE_LIB_DIVERGENCE_H

#include <stdbool.h>

#include <kldve/backend.h>
#include <kldve/divergence.h>

#include "kernels.h"
#include "tree.h"

/* Scores that span more than this make w^2 underflow. */
#define KLDVE_MAX_RANGE 1e75
/* Scores that span no more than this are "narrow". */
#define KLDVE_NARROW 0.65

/* What the search for the truth's kernel widths found, in the caller's order. */
typedef struct kldve_rows {
    double *beta, *perplexity;
    int32_t *unattainable;
    bool ready;
} kldve_rows;

struct kldve_divergence {
    kldve_ctx *ctx;
    const kldve_kernels *kernels;
    size_t n;
    double perplexity, neighbour_perplexity, temperature, tolerance;
    int32_t summation, unattainable;
    bool ready;       /* scores are set */
    bool loaded;      /* raw holds scores */
    bool narrow;      /* s2 holds S3 */
    bool direct;      /* S1 and S2 were summed directly */
    double low, high; /* of k */
    double z;         /* Z */
    double deficit;   /* D */
    double error;     /* estimate, relative to max |base| */
    double *raw;      /* [n] the scores as given; the block of the next three */
    double *k;        /* [n] padded to a multiple of 8, as are s1 and s2 */
    double *s1, *s2;
    double *log_sum;  /* one number: sum over i != j of log(1 + d_ij^2); NaN until it is needed */
    kldve_tree *tree; /* NULL until it is needed */
    kldve_rows rows;
};

/* Two scores make one pair, which has all the probability of P and of Q: P = Q, z = 0, KL = 0. */
static inline bool kldve_is_pair(const kldve_divergence *d)
{
    return d->n == 2;
}

/* n rounded up to whole packs. */
static inline size_t kldve_padded(size_t n)
{
    return (n + 7) / 8 * 8;
}

/* ---- checks.c ---- */

/* KLDVE_OK when scores are set (and target < n); else KLDVE_E_ARG with its message. */
kldve_status kldve_divergence_ready(const kldve_divergence *d, const char *what);
kldve_status kldve_divergence_ready_for(const kldve_divergence *d, const char *what,
                                        int32_t target);

/* KLDVE_OK, or KLDVE_E_NUMERIC and a message that names the first NaN or infinity in x[n]. */
kldve_status kldve_check_finite(kldve_ctx *ctx, const char *what, const double *x, size_t n);

/* ---- base.c: the sums over all pairs of scores ---- */

/* From raw: k, S1, S2, Z, D and the error.  KLDVE_OK, KLDVE_E_NUMERIC, KLDVE_E_NOMEM. */
kldve_status kldve_base_compute(kldve_divergence *d);

/* base_i = 4 (a S1_i - S2_i / Z) = of_s1 * s1[i] + of_s2 * s2[i], for P_ij = a; a_over is
 * n (n - 1) - 1 / a. */
void kldve_base_factors(const kldve_divergence *d, double a, double a_over, double *of_s1,
                        double *of_s2);

/* sum over i != j of log(1 + d_ij^2), computed at the first call after the scores were set. */
double kldve_base_log_sum(const kldve_divergence *d);

/* ---- blocks.c: the truth's affinities in closed form ---- */

/* Joint affinities of a truth with m equal "positive" entries among n: one value within the n - m
 * negatives, one within the positives, one across. */
typedef struct kldve_blocks {
    double nn, pp, pn;
    double step;    /* pn - nn, without cancellation for m = 1 */
    double nn_over; /* n (n - 1) - 1 / nn */
} kldve_blocks;

kldve_blocks kldve_blocks_solve(size_t n, size_t m, double perplexity);

#endif
