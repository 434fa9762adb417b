/* tree_log.c - the sum of log(1 + d^2) over all pairs from S1, which is half its derivative.
 *
 *     psi(x) = sum over j of log(1 + (x - k_j)^2),   psi'(x) = 2 S1(x)
 *
 * A cluster of half-width h knows S1 as a Chebyshev series in t = (x - center) / h, so its points'
 * psi is psi(center) + 2h times the integral of that series (Mason and Handscomb, Chebyshev
 * Polynomials, 2.4.4), and only psi(center) is a sum over all points.  That takes n operations per
 * cluster, and the logarithm of a product costs one multiplication per factor: with few clusters
 * this is cheaper than logarithms between all nodes. */
#include "tree.h"

#include <assert.h>
#include <math.h>

static const double row_ns = 0.12,
                    meet_ns = 5000; /* a point of a row; a cluster against its peers */

bool kldve_tree_log_is_short(const kldve_tree *t)
{
    double rows = 0, leaves = 0;

    for (size_t i = 0; i < t->count; i++) {
        const kldve_cluster *c = &t->clusters[i];

        leaves += c->points || !c->left;
        rows += c->points ? c->count : !c->left;
    }
    return t->fresh && rows * (double)t->n * row_ns < leaves * meet_ns;
}

/* 2h times the sum over the cluster's points of the integral of S1 from 0 to t. */
static double integral_of(const kldve_tree *t, const kldve_cluster *c)
{
    kldve_slot s = kldve_tree_slot(t, c);
    size_t p = t->order;
    double series[KLDVE_MOST_NODES + 2] = {0}, charge[KLDVE_MOST_NODES], sum = 0;

    assert(!c->points && !c->left && p <= KLDVE_MOST_NODES);
    t->kernels->combine(t->to_nodes + p * p, p, s.s1, series);
    /* p / 2 charge[i] = sum over the nodes of q T_i, the moments again */
    t->kernels->combine(t->to_nodes + p * p, p, s.q, charge);
    for (size_t i = 1; i < p; i++) {
        double before = i == 1 ? 2 * series[0] : series[i - 1];
        double factor = (before - series[i + 1]) / (2 * (double)i);
        double at_center = i % 2 ? 0 : i % 4 ? -1 : 1; /* T_i(0) */

        sum += factor * (0.5 * (double)p * charge[i] - (double)c->count * at_center);
    }
    /* The term of T_p vanishes at every node; its value at the center does not. */
    sum -= series[p - 1] / (2 * (double)p) * (double)c->count * (p % 4 ? -1 : 1);
    return (c->high - c->low) * sum;
}

double kldve_tree_log_short(const kldve_tree *t, double range)
{
    double sum = 0;

    assert(t->fresh && range >= 0);
    for (size_t i = 0; i < t->count; i++) {
        const kldve_cluster *c = &t->clusters[i];

        for (size_t j = 0; c->points && j < c->count; j++)
            sum += t->kernels->row_log(t->x, t->n, t->x[c->first + j], range);
        if (!c->points && !c->left)
            sum += (double)c->count * t->kernels->row_log(t->x, t->n, c->center, range) +
                   integral_of(t, c);
    }
    return sum;
}
