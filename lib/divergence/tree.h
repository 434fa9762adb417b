/* tree.h - fast sums over all pairs of n points on a line, to a tolerance; see tree.c. */
#ifndef KLDVE_LIB_DIVERGENCE_TREE_H
#define KLDVE_LIB_DIVERGENCE_TREE_H

#include <assert.h>
#include <stdint.h>

#include <kldve/backend.h>

#include "kernels.h"

/* Part of the points, in the order of the tree. */
typedef struct kldve_cluster {
    uint32_t first, count;
    uint32_t left, right; /* children, 0: none */
    double low, high;     /* of its points */
    double center, scale; /* t = (x - center) * scale is in [-1, 1]; "points" have 0 and 1 */
    bool points;          /* the slot holds its few points, not Chebyshev nodes */
    size_t slot;          /* where its part of the slots starts */
} kldve_cluster;

typedef struct kldve_tree {
    kldve_ctx *ctx;
    const kldve_kernels *kernels;
    size_t n;
    size_t order;         /* Chebyshev nodes of a cluster, a multiple of 8 */
    double width;         /* a cluster no wider than this is used at any distance */
    double decay;         /* the error of an interpolant falls by this factor per node */
    bool narrow;          /* one cluster, no wider than `width`: S3 for S2 */
    bool fresh;           /* the slots hold the sums of charges of 1 */
    int64_t work;         /* since the tree was made, between two polls */
    kldve_status stopped; /* what the last poll of a sum said */
    double tail[2];       /* size of what S1 and S2 leave out, from their last coefficients */
    /* points */
    uint32_t *index; /* [n] place in the tree -> place in the caller's arrays */
    double *x;       /* [n] */
    double *q;       /* [n] charges, allocated when any are given */
    double *s1, *s2; /* [n] results; scratch while sorting */
    /* clusters: parents precede their children, 0 is the root */
    kldve_cluster *clusters;
    size_t count, room;
    double *slots; /* x, q, s1, s2 of each cluster, one after another */
    size_t slot_room;
    double *to_nodes; /* [order][order] moments -> charges of the nodes; then its transpose */
    double *nodes;    /* [order] Chebyshev nodes in (-1, 1) */
} kldve_tree;

/* Working memory for n points; that for clusters grows when a tree is built.
 * @return KLDVE_OK, KLDVE_E_NOMEM */
kldve_status kldve_tree_new(kldve_ctx *ctx, const kldve_kernels *kernels, size_t n,
                            kldve_tree **out);
void kldve_tree_free(kldve_tree *tree);

/* Build the tree of k [n], which lie in [low, high], for relative errors near `tolerance`.
 * @return KLDVE_OK, KLDVE_E_NOMEM (then there is no tree) */
kldve_status kldve_tree_build(kldve_tree *tree, const double *k, double low, double high,
                              double tolerance);

/* s1[i] = sum over j of q_j w d, s2[i] that of q_j w^2 d (narrow: q_j w^2 d^3), in the order of k;
 * *pairs = sum over i != j of w (narrow: w d^2), for charges of 1 only.
 * @param charges  [n], NULL: all 1.
 * @param s2, pairs  may be NULL.
 * @return KLDVE_OK, KLDVE_E_NOMEM */
kldve_status kldve_tree_sum(kldve_tree *tree, const double *charges, double *s1, double *s2,
                            double *pairs);

/* tree_log.c: sum over i, j of log(1 + d_ij^2) from the sums in the slots; true if that is possible
 * and faster than kldve_tree_log(). */
double kldve_tree_log_short(const kldve_tree *tree, double range);
bool kldve_tree_log_is_short(const kldve_tree *tree);

/* The slot of one cluster. */
static inline kldve_slot kldve_tree_slot(const kldve_tree *t, const kldve_cluster *c)
{
    double *base = t->slots + c->slot;
    size_t p = t->order;

    assert(p % 8 == 0 && p <= KLDVE_MOST_NODES && c->slot + 4 * p <= t->slot_room);
    assert(!c->points || c->count <= p);
    return (kldve_slot){.packs = c->points ? (c->count + 7) / 8 : p / 8,
                        .rows = c->points ? c->count : p,
                        .x = base,
                        .q = base + p,
                        .s1 = base + 2 * p,
                        .s2 = base + 3 * p,
                        .log = base + 2 * p};
}

/* sum over i, j of a_i b_j log(1 + d_ij^2); NULL: all 1.  @return KLDVE_OK, KLDVE_E_NOMEM */
kldve_status kldve_tree_log(kldve_tree *tree, const double *a, const double *b, double *sum);

#endif
