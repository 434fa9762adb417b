/* affinity.h - the truth's kernel widths, found row by row; see affinity.c. */
#ifndef KLDVE_LIB_DIVERGENCE_AFFINITY_H
#define KLDVE_LIB_DIVERGENCE_AFFINITY_H

#include "divergence.h"

/* The truth, sorted, with one row of affinities for each entry.  Arrays of entries are padded to a
 * multiple of 8 with harmless values; distances are in units of 2^unit, which makes the range of y
 * about 1. */
typedef struct kldve_affinity {
    kldve_ctx *ctx;
    const kldve_kernels *kernels;
    size_t n, groups;
    int unit;
    double perplexity;
    double *y;         /* [n] */
    double *k, *force; /* [n] for truth.c; scratch here */
    /* row of each entry; equal entries have equal rows */
    double *beta, *nearest; /* [n]; 1e300 stands for an infinite beta */
    double *scale;          /* [n] 1 / (2 n sum over j of exp(-beta e_ij)) */
    uint32_t *order;        /* [n] place here -> place in the caller's arrays */
    uint32_t *first, *last; /* [n] the window of entries that are not negligible */
    /* groups of equal entries */
    double *value, *count; /* [groups] */
    uint32_t *start;       /* [groups + 1] their first entries */
} kldve_affinity;

/* Sort y [n], all finite.  KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kldve_affinity_new(const kldve_divergence *d, const double *y, kldve_affinity **out);
void kldve_affinity_free(kldve_affinity *a);

/* Find every row.  Rows that cannot reach the perplexity take the nearest limit and are flagged.
 * `rows` receives them in the caller's order.  KLDVE_OK, KLDVE_E_CANCELLED. */
kldve_status kldve_affinity_solve(kldve_affinity *a, kldve_rows *rows);

#endif
