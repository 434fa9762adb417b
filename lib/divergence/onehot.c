/* onehot.c - KL and its gradient for labels: one-hot truth and several equal positives, O(n) after
 * the base pass.
 *
 * With a = P_ij among the negatives, b = P_cj across and e among the positives, of blocks.c, and
 * A_i = sum over the positives c of w_ic d_ic:
 *
 *     negative i:  z_i = 4 (a S1_i - S2_i / Z) + 4 (b - a) A_i
 *     positive i:  z_i = 4 (a S1_i - S2_i / Z) + 4 (b - a) S1_i + 4 (e - b) A_i
 *
 * so that z = base + delta(c) for one-hot truth, with no class in base.  With L_c = sum over j of
 * log(1 + d_cj^2), L the sum of all L_i, and L_pp that of pairs of positives (both orders):
 *
 *     KL = sum over the blocks of  (pairs in it) p log(p Z)
 *        + a (L - 2 sum L_c + L_pp) + 2 b (sum L_c - L_pp) + e L_pp */
#include "divergence.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/float_env.h"

/* p log(p Z), 0 for p = 0. */
static double plogp(double p, double z)
{
    assert(p >= 0 && z > 0);
    return p > 0 ? p * log(p * z) : 0;
}

static double labels_kl(const kldve_divergence *d, const kldve_blocks *p, size_t count,
                        double across, double among)
{
    double n = (double)d->n, pos = (double)count, neg = n - pos;
    /* a Z is near 1 when the scores are near each other: a Z - 1 = a (Z - 1 / a). */
    double log_az = d->narrow ? log1p(p->nn * (p->nn_over - d->deficit)) : log(p->nn * d->z);

    assert(count >= 1 && count < d->n);
    if (kldve_is_pair(d))
        return 0;
    return neg * (neg - 1) * p->nn * log_az + 2 * pos * neg * plogp(p->pn, d->z) +
           pos * (pos - 1) * plogp(p->pp, d->z) +
           p->nn * (kldve_base_log_sum(d) - 2 * across + among) + 2 * p->pn * (across - among) +
           p->pp * among;
}

static double onehot_kl(const kldve_divergence *d, const kldve_blocks *p, int32_t target)
{
    double row = d->kernels->row_log(d->k, d->n, d->k[target], d->high - d->low);

    return labels_kl(d, p, 1, row, 0);
}

/* base (if wanted) + delta.  The target's own w d is 0, so its entry is the base until S1 is added.
 */
static void onehot_gradient(const kldve_divergence *d, const kldve_blocks *p, int32_t target,
                            bool with_base, double *z)
{
    double of_s1, of_s2, pull;

    assert(target >= 0 && (size_t)target < d->n);
    kldve_base_factors(d, p->nn, p->nn_over, &of_s1, &of_s2);
    pull = d->kernels->gradient(d->k, d->n, d->k[target], with_base ? d->s1 : NULL,
                                with_base ? d->s2 : NULL, of_s1, of_s2, 4 * p->step, z);
    z[target] -= 4 * p->step * pull;
}

kldve_status kldve_divergence_onehot(const kldve_divergence *d, int32_t target, double *z,
                                     double *kl)
{
    kldve_status st = kldve_divergence_ready_for(d, "one-hot divergence", target);
    kldve_blocks p;
    fenv_t host;

    if (st < 0)
        return st;
    kldve_float_env_enter(&host);
    p = kldve_blocks_solve(d->n, 1, d->perplexity);
    if (z)
        onehot_gradient(d, &p, target, true, z);
    if (kl)
        *kl = onehot_kl(d, &p, target);
    return kldve_float_env_leave(&host, KLDVE_OK);
}

kldve_status kldve_divergence_base(const kldve_divergence *d, double *base)
{
    kldve_status st = kldve_divergence_ready(d, "base");
    double of_s1, of_s2;
    kldve_blocks p;
    fenv_t host;

    if (st < 0)
        return st;
    if (!base)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG, "base: the result is NULL");
    kldve_float_env_enter(&host);
    p = kldve_blocks_solve(d->n, 1, d->perplexity);
    kldve_base_factors(d, p.nn, p.nn_over, &of_s1, &of_s2);
    d->kernels->gradient(d->k, d->n, d->k[0], d->s1, d->s2, of_s1, of_s2, 0, base);
    return kldve_float_env_leave(&host, KLDVE_OK);
}

kldve_status kldve_divergence_delta(const kldve_divergence *d, int32_t target, double *delta)
{
    kldve_status st = kldve_divergence_ready_for(d, "delta", target);
    kldve_blocks p;
    fenv_t host;

    if (st < 0)
        return st;
    if (!delta)
        return kldve_ctx_fail(d->ctx, KLDVE_E_ARG, "delta: the result is NULL");
    kldve_float_env_enter(&host);
    p = kldve_blocks_solve(d->n, 1, d->perplexity);
    onehot_gradient(d, &p, target, false, delta);
    return kldve_float_env_leave(&host, KLDVE_OK);
}

/* ---- several positives ---- */

enum { MANY_LABELS = 192 /* at or above this, one pass of the tree beats a row per label */ };

typedef struct labels {
    double *is_one; /* [n] 1 for positives, 0 for the others */
    double *pull;   /* [n] A_i */
    double across;  /* sum of L_c over the positives */
    double among;   /* L_pp */
} labels;

static kldve_status mark_labels(const kldve_divergence *d, const int32_t *targets, int32_t count,
                                double *is_one)
{
    memset(is_one, 0, d->n * sizeof *is_one);
    for (int32_t i = 0; i < count; i++) {
        kldve_status st = kldve_divergence_ready_for(d, "positives", targets[i]);

        if (st < 0)
            return st;
        if (is_one[targets[i]] != 0)
            return kldve_ctx_failf(d->ctx, KLDVE_E_ARG, "positives: target %d is given twice",
                                   (int)targets[i]);
        is_one[targets[i]] = 1;
    }
    return KLDVE_OK;
}

/* One row per label; A_i = -(sum over c of the force on c). */
static void pull_by_rows(const kldve_divergence *d, const int32_t *targets, int32_t count, bool kl,
                         labels *l)
{
    double range = d->high - d->low;

    memset(l->pull, 0, d->n * sizeof *l->pull);
    for (int32_t i = 0; i < count; i++) {
        double center = d->k[targets[i]];

        for (size_t j = 0; j < d->n; j++) {
            double diff = d->k[j] - center;

            l->pull[j] += diff / (1 + diff * diff);
        }
        if (!kl)
            continue;
        l->across += d->kernels->row_log(d->k, d->n, center, range);
        for (int32_t j = 0; j < i; j++) {
            double diff = d->k[targets[j]] - center;

            l->among += 2 * log1p(diff * diff);
        }
    }
}

static kldve_status pull_by_tree(kldve_divergence *d, bool kl, labels *l)
{
    kldve_status st;

    assert(!d->direct && d->tree);
    st = kldve_tree_sum(d->tree, l->is_one, l->pull, NULL, NULL);
    if (st == KLDVE_OK && kl)
        st = kldve_tree_log(d->tree, l->is_one, NULL, &l->across);
    if (st == KLDVE_OK && kl)
        st = kldve_tree_log(d->tree, l->is_one, l->is_one, &l->among);
    return st;
}

static void labels_gradient(const kldve_divergence *d, const kldve_blocks *p, const labels *l,
                            double *z)
{
    double of_s1, of_s2;

    kldve_base_factors(d, p->nn, p->nn_over, &of_s1, &of_s2);
    for (size_t i = 0; i < d->n; i++) {
        double base = of_s1 * d->s1[i] + of_s2 * d->s2[i];

        z[i] = l->is_one[i] != 0 ? base + 4 * p->step * d->s1[i] + 4 * (p->pp - p->pn) * l->pull[i]
                                 : base + 4 * p->step * l->pull[i];
    }
}

static kldve_status compute_positives(kldve_divergence *d, const int32_t *targets, int32_t count,
                                      double *z, double *kl)
{
    kldve_status st = kldve_divergence_ready(d, "positives");
    labels l = {0};
    kldve_blocks p;

    if (st < 0)
        return st;
    if (!targets || count < 1 || (size_t)count >= d->n)
        return kldve_ctx_failf(d->ctx, KLDVE_E_ARG,
                               "positives: %d of %zu classes: give at least one, but not all",
                               (int)count, d->n);
    l.is_one = kldve_ctx_alloc(d->ctx, d->n, sizeof *l.is_one);
    l.pull = kldve_ctx_alloc(d->ctx, d->n, sizeof *l.pull);
    if (!l.is_one || !l.pull) {
        st = kldve_ctx_fail(d->ctx, KLDVE_E_NOMEM, "positives: out of memory");
        goto done;
    }
    if ((st = mark_labels(d, targets, count, l.is_one)) < 0)
        goto done;
    if (count < MANY_LABELS || d->direct)
        pull_by_rows(d, targets, count, kl != NULL, &l);
    else if ((st = pull_by_tree(d, kl != NULL, &l)) < 0) {
        if (st == KLDVE_E_NOMEM)
            kldve_ctx_fail(d->ctx, st, "positives: out of memory");
        goto done;
    }
    p = kldve_blocks_solve(d->n, (size_t)count, d->perplexity);
    if (z)
        labels_gradient(d, &p, &l, z);
    if (kl)
        *kl = labels_kl(d, &p, (size_t)count, l.across, l.among);
done:
    kldve_ctx_release(d->ctx, l.is_one);
    kldve_ctx_release(d->ctx, l.pull);
    return st;
}

kldve_status kldve_divergence_positives(kldve_divergence *d, const int32_t *targets, int32_t count,
                                        double *z, double *kl)
{
    double before;

    if (!d)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(d->ctx, "divergence", 0);
    return kldve_ctx_leave(d->ctx, before, compute_positives(d, targets, count, z, kl));
}
