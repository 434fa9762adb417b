/* tree.c - sums over all pairs of n points on a line in O(n), to a tolerance.
 *
 * The kernels w d, w^2 d, w^2 d^3 and log(1 + d^2) are analytic in d except at d = +-i.  Seen from
 * a real point, sources in an interval of half-width h can therefore be replaced by p charges at
 * its Chebyshev nodes, with an error that falls like rho^-p (Trefethen, Approximation Theory and
 * Approximation Practice, theorem 8.2):
 *
 *     any distance      the pole is at i:            rho = 1/h + sqrt(1 + 1/h^2)     4.2 at h = 1/2
 *     gap of 2h or more the pole is at 3h on the line:  rho > 3 + sqrt(8) = 5.83
 *
 * and the same holds for interpolating the result at the targets.  So there is no near field: an
 * interval no wider than `width` may be used from anywhere, including itself.  The charges of the
 * nodes come from the Chebyshev moments sum_j q_j T_c(t_j), and
 *
 *     charge of node m = 1/p sum over c of (2 - [c = 0]) T_c(t_m) moment_c
 *
 * whose transpose gives the series from the values at the nodes.  A cluster of few points is summed
 * exactly and may be used from anywhere.  Wider clusters are halved, and used as a whole only
 * across a gap as wide as they are (Fong and Darve, The black-box fast multipole method, JCP
 * 2009; the tree here adapts to the points and needs no lists).  O(n p) + O(p^2) for each of at
 * most min(4 n / p, 2 range / width) clusters. */
#include "tree.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Weights of all slots, from the points' (NULL: 1) up to the root. */
static void pass_up(kldve_tree *t, const double *q, bool second)
{
    size_t p = t->order;

    assert(t->count > 0);
    for (size_t i = t->count; i-- > 0;) {
        const kldve_cluster *c = &t->clusters[i];
        kldve_slot s = kldve_tree_slot(t, c);
        double *weights = second ? s.log : s.q, m[KLDVE_MOST_NODES] = {0};

        if (c->points) {
            for (size_t l = 0; l < 8 * s.packs; l++)
                weights[l] = l >= c->count ? 0 : q ? q[c->first + l] : 1;
            continue;
        }
        if (c->left) {
            assert(c->left > i && c->right > i); /* the children are done */
            for (int side = 0; side < 2; side++) {
                const kldve_cluster *child = &t->clusters[side ? c->right : c->left];
                kldve_slot from = kldve_tree_slot(t, child);

                t->kernels->moments(from.x, second ? from.log : from.q, 8 * from.packs,
                                    c->center - child->center, c->scale, p, m);
            }
        } else {
            t->kernels->moments(t->x + c->first, q ? q + c->first : NULL, c->count, c->center,
                                c->scale, p, m);
        }
        t->kernels->combine(t->to_nodes, p, m, weights);
    }
}

static bool anywhere(const kldve_cluster *c)
{
    return c->points || !c->left;
}

enum { BETWEEN_POLLS = 1024 /* pairs of clusters or clusters, some microseconds each */ };

/* Keeps what it found for kldve_tree_sum(). */
static kldve_status poll(kldve_tree *t)
{
    if (t->stopped == KLDVE_OK && ++t->work % BETWEEN_POLLS == 0)
        t->stopped = kldve_ctx_poll(t->ctx);
    return t->stopped;
}

/* Evaluates pairs of clusters, both orders, and returns their sum; each pair of points is covered
 * by exactly one pair of clusters. */
static double pass_across(kldve_tree *t, uint32_t ia, uint32_t ib, bool logs)
{
    const kldve_cluster *a = &t->clusters[ia], *b = &t->clusters[ib];
    double wide_a = a->high - a->low, wide_b = b->high - b->low, gap;
    kldve_slot sa, sb;
    bool fit_a, fit_b;

    assert(wide_a >= 0 && wide_b >= 0);
    if (poll(t) < 0)
        return 0;
    if (ia == ib) {
        if (!anywhere(a))
            return pass_across(t, a->left, a->left, logs) +
                   pass_across(t, a->right, a->right, logs) +
                   pass_across(t, a->left, a->right, logs);
        sa = kldve_tree_slot(t, a);
        if (logs)
            return 0.5 * t->kernels->meet_log(&sa, &sa, 0);
        return t->kernels->meet_self(&sa, a->points, t->narrow) -
               (a->points || t->narrow ? 0 : (double)a->count);
    }
    gap = fmax(a->low - b->high, b->low - a->high);
    fit_a = anywhere(a) || gap >= wide_a;
    fit_b = anywhere(b) || gap >= wide_b;
    if (!fit_a && (fit_b || wide_a >= wide_b))
        return pass_across(t, a->left, ib, logs) + pass_across(t, a->right, ib, logs);
    if (!fit_b)
        return pass_across(t, ia, b->left, logs) + pass_across(t, ia, b->right, logs);
    /* Nodes are relative to their center, points are absolute: shift the points to that center. */
    if (!a->points && b->points) {
        const kldve_cluster *swap = a;

        a = b;
        b = swap;
    }
    sa = kldve_tree_slot(t, a);
    sb = kldve_tree_slot(t, b);
    return (logs ? 1 : 2) *
           (logs ? t->kernels->meet_log : t->kernels->meet)(&sa, &sb, a->center - b->center);
}

static void note_tail(kldve_tree *t, int which, const double *series)
{
    double last = fabs(series[t->order - 1]), before = fabs(series[t->order - 2]) / t->decay;

    assert((which == 0 || which == 1) && t->decay > 1);
    t->tail[which] = fmax(t->tail[which], fmax(last, before));
}

/* Results at the points, from the root down. */
static void pass_down(kldve_tree *t)
{
    size_t p = t->order;
    const double *to_series = t->to_nodes + p * p;
    double c1[KLDVE_MOST_NODES], c2[KLDVE_MOST_NODES];

    t->tail[0] = t->tail[1] = 0;
    for (size_t i = 0; i < t->count; i++) {
        const kldve_cluster *c = &t->clusters[i];
        kldve_slot s = kldve_tree_slot(t, c);

        if (poll(t) < 0)
            return;
        if (c->points) {
            memcpy(t->s1 + c->first, s.s1, c->count * sizeof *s.s1);
            memcpy(t->s2 + c->first, s.s2, c->count * sizeof *s.s2);
            continue;
        }
        t->kernels->combine(to_series, p, s.s1, c1);
        t->kernels->combine(to_series, p, s.s2, c2);
        note_tail(t, 0, c1);
        note_tail(t, 1, c2);
        if (c->left) {
            for (int side = 0; side < 2; side++) {
                const kldve_cluster *child = &t->clusters[side ? c->right : c->left];
                kldve_slot to = kldve_tree_slot(t, child);

                t->kernels->evaluate(to.x, 8 * to.packs, c->center - child->center, c->scale, p, c1,
                                     c2, to.s1, to.s2);
            }
        } else {
            memset(t->s1 + c->first, 0, c->count * sizeof *t->s1);
            memset(t->s2 + c->first, 0, c->count * sizeof *t->s2);
            t->kernels->evaluate(t->x + c->first, c->count, c->center, c->scale, p, c1, c2,
                                 t->s1 + c->first, t->s2 + c->first);
        }
    }
}

/* The caller's charges in the order of the tree; NULL for NULL. */
static kldve_status order_charges(kldve_tree *t, const double *charges, const double **out)
{
    *out = NULL;
    if (!charges)
        return KLDVE_OK;
    if (!t->q)
        t->q = kldve_ctx_alloc(t->ctx, t->n, sizeof *t->q);
    if (!t->q)
        return KLDVE_E_NOMEM;
    for (size_t i = 0; i < t->n; i++)
        t->q[i] = charges[t->index[i]];
    *out = t->q;
    return KLDVE_OK;
}

kldve_status kldve_tree_sum(kldve_tree *t, const double *charges, double *s1, double *s2,
                            double *pairs)
{
    const double *q;
    double sum;
    kldve_status st = order_charges(t, charges, &q);

    if (st < 0)
        return st;
    assert(t->count > 0 && t->clusters[0].count == t->n && (!pairs || !charges));
    t->fresh = !charges;
    pass_up(t, q, false);
    for (size_t i = 0; i < t->count; i++) {
        kldve_slot s = kldve_tree_slot(t, &t->clusters[i]);

        assert(s.s2 == s.s1 + t->order);
        memset(s.s1, 0, 2 * t->order * sizeof *s.s1);
    }
    t->stopped = kldve_ctx_poll(t->ctx);
    sum = pass_across(t, 0, 0, false);
    pass_down(t);
    if (t->stopped < 0)
        return t->stopped;
    for (size_t i = 0; i < t->n; i++)
        s1[t->index[i]] = t->s1[i];
    for (size_t i = 0; s2 && i < t->n; i++)
        s2[t->index[i]] = t->s2[i];
    if (pairs)
        *pairs = sum;
    return KLDVE_OK;
}

kldve_status kldve_tree_log(kldve_tree *t, const double *a, const double *b, double *sum)
{
    const double *q;
    kldve_status st;

    assert(t->count > 0 && t->clusters[0].count == t->n);
    if (!a && !b && kldve_tree_log_is_short(t)) {
        *sum = kldve_tree_log_short(t, t->clusters[0].high - t->clusters[0].low);
        return KLDVE_OK;
    }
    t->fresh = false;
    if ((st = order_charges(t, a, &q)) < 0)
        return st;
    pass_up(t, q, false);
    if ((st = order_charges(t, b, &q)) < 0)
        return st;
    pass_up(t, q, true);
    t->stopped = KLDVE_OK;
    *sum = pass_across(t, 0, 0, true);
    if (t->stopped < 0)
        return t->stopped;
    return KLDVE_OK;
}
