/* kernels.h - the inner loops, compiled once for each instruction set and chosen at run time. */
#ifndef KLDVE_LIB_DIVERGENCE_KERNELS_H
#define KLDVE_LIB_DIVERGENCE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

enum { KLDVE_MOST_NODES = 32 }; /* of a Chebyshev interpolant; a multiple of 8 */

/* A weighted set of points, in packs of eight; the lanes after its rows have weight 0. */
typedef struct kldve_slot {
    size_t packs, rows; /* rows <= 8 packs of them count */
    double *x;          /* positions */
    double *q;          /* weights; 1 for actual points */
    double *s1;         /* out: sum of q_j w d */
    double *s2;         /* out: sum of q_j w^2 d, or of q_j w^2 d^3 where "narrow" */
    double *log;        /* second weights, for a pair of different weights */
} kldve_slot;

/* Row i of the truth's affinities: p_j = scale exp(-beta e_j), e_j = |y - y_j|^2 - nearest^2. */
typedef struct kldve_row {
    double y, k; /* of point i */
    double nearest, beta, scale;
} kldve_row;

/* All points in the order of the truth, padded to a multiple of 8. */
typedef struct kldve_pull {
    const double *y, *k;
    double *force; /* the reaction is subtracted here */
    /* every point's own row; read only when the joint probability is asked for */
    const double *beta, *nearest, *scale;
} kldve_pull;

/* d, w, S1, S2, S3 as in divergence.h.  Arrays called k, s1, s2 are padded to a multiple of 8; the
 * others need no alignment and no padding.  w^2 must not underflow (KLDVE_MAX_RANGE). */
typedef struct kldve_kernels {
    const char *name;

    /* Smallest and largest of n >= 1 values; false if one is NaN or infinite. */
    bool (*extent)(const double *x, size_t n, double *low, double *high);

    /* S1 and S2 of all pairs; the sum over i != j of w.  Narrow: S3 for S2, w d^2 for w. */
    double (*pairs)(const double *k, size_t n, bool narrow, double *s1, double *s2);
    /* sum over i != j of log(1 + d^2); the values span at most `range`. */
    double (*pairs_log)(const double *k, size_t n, double range);

    /* sum over j of log(1 + (x_j - at)^2); at is no farther than `range` from any x. */
    double (*row_log)(const double *x, size_t n, double at, double range);
    /* The pairs of two sets: each receives the other's forces; a's x are shifted.  sum of q_a q_b
     * w. */
    double (*meet)(const kldve_slot *a, const kldve_slot *b, double shift);
    /* The pairs within a set; `apart` leaves out each point's own term.  sum over pairs, both
     * orders.
     */
    double (*meet_self)(const kldve_slot *a, bool apart, bool narrow);
    /* sum of (q_a log_b + log_a q_b) log(1 + d^2), `log` being the second weights. */
    double (*meet_log)(const kldve_slot *a, const kldve_slot *b, double shift);

    /* m[c] += sum over j of q_j T_c(t_j), t = (x - center) * scale in [-1, 1], c < order; q may be
     * NULL: all ones. */
    void (*moments)(const double *x, const double *q, size_t n, double center, double scale,
                    size_t order, double *m);
    /* out[c] = sum over r < order of in[r] matrix[r][c], c < order. */
    void (*combine)(const double *matrix, size_t order, const double *in, double *out);
    /* s1_i += sum over c of c1[c] T_c(t_i), the same for s2. */
    void (*evaluate)(const double *x, size_t n, double center, double scale, size_t order,
                     const double *c1, const double *c2, double *s1, double *s2);

    /* Row sums over g in [first, last): x = beta e_g, t = count_g exp(-x); sums[0..2] += t, t x,
     * t x^2. */
    void (*gauss)(const double *y, const double *count, size_t first, size_t last,
                  const kldve_row *row, double sums[3]);
    /* The sums over j < n of t, t x, t x^2: x = min(beta e_j, 700), t = exp(-x); e, beta >= 0. */
    void (*decay)(const double *e, size_t n, double beta, double sums[3]);
    /* e_j = scale exp(-beta e_j), beta may be infinite; the sum of their squares. */
    double (*shares)(double *e, size_t n, double beta, double scale);
    /* out[j] = p_j + p_ji for all n points j. */
    void (*joint)(const kldve_pull *set, const kldve_row *row, size_t n, double *out);
    /* The sum of p w d over j in [first, last), which does not hold i itself; p w d is subtracted
     * from force[j].  Where joint is not NULL: *joint += sum of p (log(p + p_ji) + log(1 + d^2)),
     * p_ji that of row j for i. */
    double (*pull)(const kldve_pull *set, const kldve_row *row, size_t first, size_t last,
                   double *joint);

    /* Largest |s1|, |s2| and |of_s1 s1 + of_s2 s2|. */
    void (*peaks)(const double *s1, const double *s2, size_t n, double of_s1, double of_s2,
                  double out[3]);
    /* z_i = of_s1 s1_i + of_s2 s2_i + step w d (d to `center`); s1 and s2 may be NULL with factors
     * 0.  The sum of w d. */
    double (*gradient)(const double *k, size_t n, double center, const double *s1, const double *s2,
                       double of_s1, double of_s2, double step, double *z);
    /* t_i = -w |d|, squared: -w^2 |d|; sums[0] of t, sums[1] of t^2. */
    void (*forces)(const double *k, size_t n, double center, bool squared, double *t,
                   double sums[2]);
} kldve_kernels;

/* The best set for this processor. */
const kldve_kernels *kldve_kernels_best(void);
/* Each set that this processor can run, for tests and benchmarks: index 0, 1, ... until NULL. */
const kldve_kernels *kldve_kernels_at(size_t index);

#endif
