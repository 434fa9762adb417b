/* truth.c - KL and its gradient for any truth vector, in O(n) memory.
 *
 *     c_ij = p(j | i) / 2n,   P_ij = c_ij + c_ji
 *     z_i = 4 sum over j of P_ij w_ij d_ij - 4 S2_i / Z
 *     KL = sum over i != j of P_ij (log P_ij + log(1 + d_ij^2)) + log Z
 *        = 2 sum over i, j of c_ij (log P_ij + log(1 + d_ij^2)) + log Z
 *
 * Each row i pulls the points of its window with c_ij w_ij d_ij and is pulled back as strongly.
 *
 * A value that many entries share makes the windows long.  If the scores are summed by the tree,
 * such a group G can be treated as a whole: every point has one joint probability W_i = P_ij with
 * each j in G, so
 *
 *     i outside:  force += W_i sum over j in G of w_ij d_ij       (charges 1 in G, 0 elsewhere)
 *     j in G:     force  = sum over i of W_i w_ji d_ji             (charges W)
 *
 * which takes two passes of the tree per group.  This is used where it is faster: by rows, a pair
 * takes 2 ns; a pass of the tree takes 15 ns per point and 2.4 us per leaf (see base.c). */
#include "affinity.h"
#include "base/ctx.h"

#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct job {
    const kldve_divergence *d;
    kldve_affinity *a;
    kldve_pull set;
    bool kl;
    double sum; /* of P (log P + log(1 + d^2)) over i != j */
    /* big groups, summed by the tree */
    uint32_t *big; /* [bigs] groups, ascending */
    size_t bigs;
    bool *is_big;                               /* [groups]; NULL: no group is */
    double *charge, *joint, *potential, *other; /* [n] */
} job;

static bool is_big(const job *j, size_t group)
{
    return j->is_big && j->is_big[group];
}

/* ---- rows against their windows, entry by entry ---- */

/* Row i against the entries [first, last) except itself. */
static void meet_entries(job *j, const kldve_row *row, size_t i, size_t first, size_t last)
{
    double part = 0, *joint = j->kl ? &part : NULL;
    const kldve_kernels *kernels = j->d->kernels;

    assert(i < j->a->n && last <= j->a->n);
    if (i > first && i < last) {
        meet_entries(j, row, i, first, i);
        meet_entries(j, row, i, i + 1, last);
        return;
    }
    first += i == first;
    if (first >= last)
        return;
    j->a->force[i] += kernels->pull(&j->set, row, first, last, joint);
    j->sum += 2 * part;
}

/* The first big group that ends after entry `at`. */
static size_t first_big(const job *j, size_t at)
{
    size_t low = 0, high = j->bigs;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (j->a->start[j->big[middle] + 1] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The window of row i, but for the big groups in it. */
static void meet_window(job *j, size_t i)
{
    const kldve_affinity *a = j->a;
    kldve_row row = {a->y[i], a->k[i], a->nearest[i], a->beta[i], a->scale[i]};
    size_t at = a->first[i], last = a->last[i];

    for (size_t b = first_big(j, at); b < j->bigs && a->start[j->big[b]] < last; b++) {
        meet_entries(j, &row, i, at, a->start[j->big[b]]);
        at = a->start[j->big[b] + 1];
    }
    meet_entries(j, &row, i, at, last);
}

static kldve_status meet_rows(job *j)
{
    kldve_status st = KLDVE_OK;
    size_t done = 0;

    for (size_t g = 0; g < j->a->groups && st == KLDVE_OK; g++) {
        if (is_big(j, g))
            continue;
        for (size_t i = j->a->start[g]; i < j->a->start[g + 1]; i++)
            meet_window(j, i);
        if (++done % 4096 == 0)
            st = kldve_ctx_progress(j->d->ctx, "truth", (int64_t)g, (int64_t)j->a->groups);
    }
    return st;
}

/* ---- groups that are treated as a whole ---- */

/* The group's own part of KL: sum over i of m_i W_i (members but i) log W_i, and the charges m_i
 * W_i for the logarithms.  Pairs of big groups come twice, once with either: m = 1; others: m = 2.
 */
static void weigh(job *j, size_t group)
{
    const kldve_affinity *a = j->a;

    for (size_t g = 0; g < a->groups; g++) {
        double times = is_big(j, g) ? 1 : 2, partners = a->count[group] - (g == group ? 1 : 0);

        for (size_t i = a->start[g]; i < a->start[g + 1]; i++) {
            double weight = times * j->joint[i];

            if (weight > 0)
                j->sum += weight * partners * log(j->joint[i]);
            j->other[a->order[i]] = weight;
        }
    }
}

static kldve_status meet_group(job *j, size_t group)
{
    const kldve_affinity *a = j->a;
    size_t from = a->start[group], to = a->start[group + 1];
    kldve_row row = {a->y[from], 0, a->nearest[from], a->beta[from], a->scale[from]};
    kldve_status st;
    double logs;

    assert(group < a->groups && j->d->tree);
    /* At the group's own members W is 2 c, which is what `joint` gives, because their distance is
     * 0. */
    j->d->kernels->joint(&j->set, &row, a->n, j->joint);
    for (size_t i = 0; i < a->n; i++)
        j->charge[a->order[i]] = j->joint[i];
    if ((st = kldve_tree_sum(j->d->tree, j->charge, j->potential, NULL, NULL)) < 0)
        return st;
    for (size_t i = from; i < to; i++)
        a->force[i] += j->potential[a->order[i]];

    for (size_t i = 0; i < a->n; i++)
        j->charge[a->order[i]] = i >= from && i < to;
    if ((st = kldve_tree_sum(j->d->tree, j->charge, j->potential, NULL, NULL)) < 0)
        return st;
    for (size_t g = 0; g < a->groups; g++)
        for (size_t i = a->start[g]; !is_big(j, g) && i < a->start[g + 1]; i++)
            a->force[i] += j->joint[i] * j->potential[a->order[i]];
    if (!j->kl)
        return KLDVE_OK;
    weigh(j, group);
    if ((st = kldve_tree_log(j->d->tree, j->other, j->charge, &logs)) == KLDVE_OK)
        j->sum += logs;
    return st;
}

/* reach[i], i < n: how many rows have entry i in their windows; [n + 1]. */
static void count_reach(const kldve_affinity *a, double *reach)
{
    memset(reach, 0, (a->n + 1) * sizeof *reach);
    for (size_t i = 0; i < a->n; i++) {
        reach[a->first[i]]++;
        reach[a->last[i]]--;
    }
    for (size_t i = 0; i < a->n; i++)
        reach[i + 1] += reach[i];
    assert(reach[a->n] == 0);
}

/* The pairs that group g costs by rows: in its own windows, and as the partner of other entries. */
static bool tree_is_faster(const job *j, const double *reach, size_t g)
{
    const kldve_affinity *a = j->a;
    size_t i = a->start[g];
    double pairs = a->count[g] * ((double)(a->last[i] - a->first[i]) + reach[i] - a->count[g]);
    double leaves = 0.5 * ((double)j->d->tree->count + 1);

    assert(pairs >= 0);
    return 2 * pairs > 2 * (15 * (double)a->n + 2400 * leaves);
}

static kldve_status find_big_groups(job *j)
{
    size_t n = j->a->n, groups = j->a->groups;
    double *reach;

    if (j->d->direct)
        return KLDVE_OK;
    j->is_big = kldve_ctx_alloc(j->d->ctx, groups, sizeof *j->is_big);
    j->big = kldve_ctx_alloc(j->d->ctx, groups, sizeof *j->big);
    /* The first of them doubles as reach. */
    j->charge = kldve_ctx_alloc(j->d->ctx, n + 1, 4 * sizeof *j->charge);
    if (!j->is_big || !j->big || !j->charge)
        return KLDVE_E_NOMEM;
    reach = j->charge;
    count_reach(j->a, reach);
    for (size_t g = 0; g < groups; g++) {
        j->is_big[g] = tree_is_faster(j, reach, g);
        if (j->is_big[g])
            j->big[j->bigs++] = (uint32_t)g;
    }
    j->joint = j->charge + n;
    j->potential = j->joint + n;
    j->other = j->potential + n;
    return KLDVE_OK;
}

static kldve_status meet_big_groups(job *j)
{
    kldve_status st = KLDVE_OK;

    for (size_t b = 0; b < j->bigs && st == KLDVE_OK; b++) {
        st = kldve_ctx_progress(j->d->ctx, "tied values", (int64_t)b, (int64_t)j->bigs);
        if (st == KLDVE_OK)
            st = meet_group(j, j->big[b]);
    }
    return st;
}

/* ---- the whole ---- */

/* P = Q: what was summed is rounding. */
static void settle_pair(double *z, double *kl)
{
    if (z)
        z[0] = z[1] = 0;
    if (kl)
        *kl = 0;
}

static kldve_status attract(const kldve_divergence *d, kldve_affinity *a, double *z, double *kl)
{
    job j = {.d = d, .a = a, .kl = kl != NULL};
    kldve_status st;

    assert(d->ready && d->rows.ready && d->z > 0);
    for (size_t i = 0; i < kldve_padded(a->n); i++)
        a->k[i] = d->k[i < a->n ? a->order[i] : 0];
    memset(a->force, 0, kldve_padded(a->n) * sizeof *a->force);
    j.set = (kldve_pull){a->y, a->k, a->force, a->beta, a->nearest, a->scale};
    if ((st = find_big_groups(&j)) < 0 || (st = meet_rows(&j)) < 0 ||
        (st = meet_big_groups(&j)) < 0)
        goto done;
    for (size_t i = 0; z && i < a->n; i++) {
        size_t at = a->order[i];
        double s2 = d->narrow ? d->s1[at] - d->s2[at] : d->s2[at];

        z[at] = 4 * (a->force[i] - s2 / d->z);
    }
    if (kl)
        *kl = j.sum + log(d->z);
    if (kldve_is_pair(d))
        settle_pair(z, kl);
done:
    kldve_ctx_release(d->ctx, j.is_big);
    kldve_ctx_release(d->ctx, j.big);
    kldve_ctx_release(d->ctx, j.charge);
    return st;
}

static kldve_status allocate_rows(kldve_divergence *d)
{
    kldve_rows *r = &d->rows;

    r->ready = false;
    if (!r->beta)
        r->beta = kldve_ctx_alloc(d->ctx, d->n, sizeof *r->beta);
    if (!r->perplexity)
        r->perplexity = kldve_ctx_alloc(d->ctx, d->n, sizeof *r->perplexity);
    if (!r->unattainable)
        r->unattainable = kldve_ctx_alloc(d->ctx, d->n, sizeof *r->unattainable);
    return r->beta && r->perplexity && r->unattainable ? KLDVE_OK : KLDVE_E_NOMEM;
}

static kldve_status check_rows(const kldve_divergence *d)
{
    size_t first = d->n, count = 0;

    for (size_t i = 0; i < d->n; i++)
        if (d->rows.unattainable[i]) {
            first = count++ ? first : i;
        }
    if (count == 0 || d->unattainable == KLDVE_UNATTAINABLE_LIMIT)
        return KLDVE_OK;
    return kldve_ctx_failf(d->ctx, KLDVE_E_UNATTAINABLE,
                           "truth: %zu of %zu rows cannot reach the perplexity %g: entry %zu "
                           "reaches at %s %g; choose another or allow the limit",
                           count, d->n, d->perplexity, first,
                           d->rows.perplexity[first] > d->perplexity ? "least" : "most",
                           d->rows.perplexity[first]);
}

static kldve_status compute(kldve_divergence *d, const double *truth, double *z, double *kl)
{
    kldve_status st = kldve_divergence_ready(d, "truth");
    kldve_affinity *a = NULL;

    if (st < 0)
        return st;
    if (!truth)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG, "truth: the vector is NULL");
    if ((st = kldve_check_finite(d->ctx, "truth", truth, d->n)) < 0)
        return st;
    if ((st = allocate_rows(d)) < 0 || (st = kldve_affinity_new(d, truth, &a)) < 0)
        goto done;
    if ((st = kldve_affinity_solve(a, &d->rows)) < 0)
        goto done;
    d->rows.ready = true;
    if ((st = check_rows(d)) == KLDVE_OK && (z || kl))
        st = attract(d, a, z, kl);
done:
    kldve_affinity_free(a);
    if (st == KLDVE_E_NOMEM)
        kldve_ctx_failf(d->ctx, st, "truth: out of memory for %zu entries", d->n);
    return st;
}

kldve_status kldve_divergence_truth(kldve_divergence *d, const double *truth, double *z, double *kl)
{
    double before;

    if (!d)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(d->ctx, "divergence", 0);
    return kldve_ctx_leave(d->ctx, before, compute(d, truth, z, kl));
}

kldve_status kldve_divergence_rows(const kldve_divergence *d, double *beta, double *perplexity,
                                   int32_t *unattainable)
{
    if (!d)
        return KLDVE_E_ARG;
    kldve_ctx_clear(d->ctx);
    if (!d->rows.ready)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG,
                              "rows: there is no truth yet, call kldve_divergence_truth() first");
    if (beta)
        memcpy(beta, d->rows.beta, d->n * sizeof *beta);
    if (perplexity)
        memcpy(perplexity, d->rows.perplexity, d->n * sizeof *perplexity);
    if (unattainable)
        memcpy(unattainable, d->rows.unattainable, d->n * sizeof *unattainable);
    return KLDVE_OK;
}
