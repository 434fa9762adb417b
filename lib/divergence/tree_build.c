/* tree_build.c - the clusters of points that tree.c sums over, for a tolerance. */
#include "tree.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "divergence.h"
#include "sort.h"

enum { CELLS = 16 /* of the sorting grid, in one width */, ARRAYS = 4 /* x, q, s1, s2 */ };

static const double separated_decay = 5.82; /* 3 + sqrt(8), see tree.c */

/* ---- memory ---- */

kldve_status kldve_tree_new(kldve_ctx *ctx, const kldve_kernels *kernels, size_t n,
                            kldve_tree **out)
{
    kldve_tree *t = kldve_ctx_alloc(ctx, 1, sizeof *t);

    assert(n > 0 && n <= UINT32_MAX);
    if (!t)
        return KLDVE_E_NOMEM;
    memset(t, 0, sizeof *t);
    t->ctx = ctx;
    t->kernels = kernels;
    t->n = n;
    t->index = kldve_ctx_alloc(ctx, n, sizeof *t->index);
    t->x = kldve_ctx_alloc(ctx, n, sizeof *t->x);
    t->s1 = kldve_ctx_alloc(ctx, n, sizeof *t->s1);
    t->s2 = kldve_ctx_alloc(ctx, n, sizeof *t->s2);
    t->to_nodes = kldve_ctx_alloc(ctx, 2 * KLDVE_MOST_NODES * KLDVE_MOST_NODES, sizeof(double));
    t->nodes = kldve_ctx_alloc(ctx, KLDVE_MOST_NODES, sizeof(double));
    if (!t->index || !t->x || !t->s1 || !t->s2 || !t->to_nodes || !t->nodes) {
        kldve_tree_free(t);
        return KLDVE_E_NOMEM;
    }
    *out = t;
    return KLDVE_OK;
}

void kldve_tree_free(kldve_tree *t)
{
    if (!t)
        return;
    kldve_ctx_release(t->ctx, t->index);
    kldve_ctx_release(t->ctx, t->x);
    kldve_ctx_release(t->ctx, t->q);
    kldve_ctx_release(t->ctx, t->s1);
    kldve_ctx_release(t->ctx, t->s2);
    kldve_ctx_release(t->ctx, t->clusters);
    kldve_ctx_release(t->ctx, t->slots);
    kldve_ctx_release(t->ctx, t->to_nodes);
    kldve_ctx_release(t->ctx, t->nodes);
    kldve_ctx_release(t->ctx, t);
}

static bool grow_clusters(kldve_tree *t)
{
    size_t room = t->room ? 2 * t->room : 64;
    kldve_cluster *more = kldve_ctx_alloc(t->ctx, room, sizeof *more);

    if (!more)
        return false;
    if (t->count)
        memcpy(more, t->clusters, t->count * sizeof *more);
    kldve_ctx_release(t->ctx, t->clusters);
    t->clusters = more;
    t->room = room;
    return true;
}

/* ---- order and width for a tolerance ---- */

static size_t order_for(double tolerance)
{
    return tolerance >= 3e-12 ? 16 : 24;
}

/* The decay that reaches the tolerance, and the width that has it: h = 2 rho / (rho^2 - 1). */
static double width_for(double tolerance, size_t order, double *decay)
{
    double rho = pow(tolerance, -1 / (double)order);

    *decay = rho < separated_decay ? rho : separated_decay;
    assert(*decay > 1);
    return 4 * *decay / (*decay * *decay - 1);
}

static void set_order(kldve_tree *t, double tolerance)
{
    size_t p = order_for(tolerance);
    double *to_series = t->to_nodes + p * p;

    assert(p % 8 == 0 && p <= KLDVE_MOST_NODES && tolerance > 0 && tolerance < 1);
    t->width = width_for(tolerance, p, &t->decay);
    if (t->order == p)
        return;
    t->order = p;
    for (size_t m = 0; m < p; m++) {
        double angle = 3.14159265358979324 * ((double)m + 0.5) / (double)p;

        t->nodes[m] = cos(angle);
        for (size_t c = 0; c < p; c++) {
            double value = (c ? 2 : 1) / (double)p * cos((double)c * angle);

            t->to_nodes[c * p + m] = value;
            to_series[m * p + c] = value;
        }
    }
}

/* ---- sorting the points into cells ---- */

/* Place on the sorting grid: a whole number of cells or, if the range has too many, the exact
 * distance from the lowest point. */
typedef struct grid {
    double low, per_unit;
    bool exact;
} grid;

static double cell_of(const grid *g, double x)
{
    return g->exact ? x - g->low : floor((x - g->low) * g->per_unit);
}

/* Within a cell the points keep the caller's order. */
static void sort_points(kldve_tree *t, const double *k, const grid *g, double high)
{
    uint64_t *keys = (uint64_t *)(void *)t->s1, *spare_keys = (uint64_t *)(void *)t->s2;
    uint32_t *spare_order = (uint32_t *)(void *)t->x;
    int bits = g->exact ? 64 : 1 + ilogb(cell_of(g, high) + 1);

    assert(bits >= 1 && bits <= 64);
    for (size_t i = 0; i < t->n; i++) {
        keys[i] = g->exact ? kldve_sort_key(k[i]) : (uint64_t)cell_of(g, k[i]);
        t->index[i] = (uint32_t)i;
    }
    kldve_sort(keys, t->index, t->n, bits, spare_keys, spare_order);
    for (size_t i = 0; i < t->n; i++)
        t->x[i] = k[t->index[i]];
}

/* ---- building the clusters ---- */

/* An upper bound on the width of the points first .. last, and where to halve them: at a whole
 * number of widths from the first, to create as few clusters as possible. */
static double width_of(const kldve_tree *t, const grid *g, size_t first, size_t last,
                       double *middle)
{
    double from = cell_of(g, t->x[first]), to = cell_of(g, t->x[last]);

    assert(first <= last && last < t->n);
    if (g->exact) {
        *middle = 0.5 * (from + to);
        return to - from;
    }
    *middle = from + CELLS * floor(0.5 * ceil((to + 1 - from) / CELLS));
    return (to + 1 - from) / g->per_unit;
}

/* The first point at or after `middle`, but neither side gets fewer than half a cluster's nodes:
 * that bounds the number of clusters by 4 n / p. */
static size_t split_at(const kldve_tree *t, const grid *g, size_t first, size_t count,
                       double middle)
{
    size_t low = first, high = first + count, least = t->order / 2;

    assert(count > t->order);
    while (low < high) {
        size_t at = low + (high - low) / 2;

        if (cell_of(g, t->x[at]) < middle)
            low = at + 1;
        else
            high = at;
    }
    if (low < first + least)
        return first + least;
    return low > first + count - least ? first + count - least : low;
}

static bool build(kldve_tree *t, const grid *g, size_t first, size_t count, uint32_t *out)
{
    kldve_cluster c = {.first = (uint32_t)first, .count = (uint32_t)count};
    uint32_t at = (uint32_t)t->count;
    double middle;

    assert(count > 0 && first + count <= t->n);
    if (t->count == t->room && !grow_clusters(t))
        return false;
    t->count++;
    c.points = count <= t->order;
    if (!c.points && width_of(t, g, first, first + count - 1, &middle) > t->width) {
        size_t split = split_at(t, g, first, count, middle);

        assert(split > first && split < first + count);
        if (!build(t, g, first, split - first, &c.left) ||
            !build(t, g, split, first + count - split, &c.right))
            return false;
        c.low = fmin(t->clusters[c.left].low, t->clusters[c.right].low);
        c.high = fmax(t->clusters[c.left].high, t->clusters[c.right].high);
    } else {
        t->kernels->extent(t->x + first, count, &c.low, &c.high);
    }
    assert(c.low <= c.high);
    c.scale = 1;
    if (!c.points) {
        double half = 0.5 * (c.high - c.low);

        c.center = 0.5 * c.low + 0.5 * c.high;
        c.scale = half > 0 ? 1 / half : 0;
    }
    c.slot = (size_t)at * ARRAYS * t->order;
    t->clusters[at] = c;
    *out = at;
    return true;
}

/* Positions: the points themselves, or the nodes relative to the center, which keeps them precise
 * far from 0. */
static void place_slots(kldve_tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const kldve_cluster *c = &t->clusters[i];
        kldve_slot s = kldve_tree_slot(t, c);

        if (c->points) {
            for (size_t l = 0; l < 8 * s.packs; l++)
                s.x[l] = t->x[c->first + (l < c->count ? l : 0)];
        } else {
            for (size_t m = 0; m < t->order; m++)
                s.x[m] = (0.5 * (c->high - c->low)) * t->nodes[m];
        }
    }
}

kldve_status kldve_tree_build(kldve_tree *t, const double *k, double low, double high,
                              double tolerance)
{
    grid g = {.low = low};
    uint32_t root;
    size_t slots;

    assert(low <= high);
    set_order(t, tolerance);
    t->narrow = high - low <= KLDVE_NARROW;
    t->count = 0;
    t->fresh = false;
    g.per_unit = CELLS / t->width;
    g.exact = (high - low) * g.per_unit > 0x1p33;
    if (high - low <= 0.5 * t->width || t->n <= t->order) {
        for (size_t i = 0; i < t->n; i++)
            t->index[i] = (uint32_t)i;
        memcpy(t->x, k, t->n * sizeof *k);
    } else {
        sort_points(t, k, &g, high);
    }
    if (!build(t, &g, 0, t->n, &root))
        return KLDVE_E_NOMEM;
    assert(root == 0 && t->count <= t->room);
    slots = t->count * ARRAYS * t->order;
    if (slots > t->slot_room) {
        kldve_ctx_release(t->ctx, t->slots);
        t->slot_room = 0;
        t->slots = kldve_ctx_alloc(t->ctx, slots + slots / 4, sizeof *t->slots);
        if (!t->slots)
            return KLDVE_E_NOMEM;
        t->slot_room = slots + slots / 4;
    }
    place_slots(t);
    return KLDVE_OK;
}
