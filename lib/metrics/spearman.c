/* spearman.c - Spearman's correlation of two maps: is the order of their pixels the same?
 *
 * Pearson's correlation of the ranks, of which equal values share the mean (stages/ranks.c). */
#include "metrics.h"

#include "base/ctx.h"
#include "parts/agreement.h"
#include "stages/ranks.h"

static kldve_status measure(const kldve_pair *p, double *value)
{
    size_t count = p->height * p->width;
    kldve_ranked *work = kldve_ctx_alloc(p->ctx, count, 2 * sizeof *work);
    float *ranks = kldve_ctx_alloc(p->ctx, count, 2 * sizeof *ranks);
    kldve_status st = KLDVE_OK;

    if (work && ranks)
        *value = kldve_spearman(p->a, p->b, count, work, ranks);
    else
        st = kldve_ctx_fail(p->ctx, KLDVE_E_NOMEM, "metric spearman: out of memory");
    kldve_ctx_release(p->ctx, work);
    kldve_ctx_release(p->ctx, ranks);
    return st;
}

static const kldve_agreement_kind kind = {measure};

const kldve_metric kldve_spearman_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "spearman",
    .title = "Spearman",
    .summary = "correlation of the ranks of two maps: the same order of pixels",
    .source = "Spearman 1904",
    .low = -1,
    .high = 1,
    .better = KLDVE_BETTER_HIGHER,
    .opaque = &kind,
    .compute = kldve_agreement_compute,
    .needs = KLDVE_METRIC_NEED_OTHER,
    .family = "agreement",
};
