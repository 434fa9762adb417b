/* top_overlap.c - do two maps have their largest values in the same places?
 *
 *     value = |top k of a, and top k of b| / k,   k = part * pixels, rounded, 1 at least
 *
 * Where equal values compete for the last places, each is in with the share of them that has a
 * place, and what two such pixels have in common is the smaller of their shares: equal maps have 1.
 *
 * A. Ghorbani, A. Abid and J. Zou, "Interpretation of Neural Networks is Fragile", AAAI 2019 (top-k
 * intersection), with 1000 pixels of 224 x 224, which is the default part. */
#include "metrics.h"

#include "base/ctx.h"
#include "parts/agreement.h"
#include "stages/ranks.h"

static kldve_status measure(const kldve_pair *p, double *value)
{
    size_t count = p->height * p->width;
    kldve_ranked *work = kldve_ctx_alloc(p->ctx, count, 2 * sizeof *work);

    if (!work)
        return kldve_ctx_fail(p->ctx, KLDVE_E_NOMEM, "metric top_overlap: out of memory");
    *value = kldve_top_overlap(p->a, p->b, count, kldve_top_count(p->part, count), work);
    kldve_ctx_release(p->ctx, work);
    return KLDVE_OK;
}

static const kldve_agreement_kind kind = {measure};
static const kldve_metric_options defaults = {.struct_size = sizeof defaults, .part = 0.02};

const kldve_metric kldve_top_overlap_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "top_overlap",
    .title = "Top overlap",
    .summary = "share of the largest values that two maps have in the same places",
    .source = "Ghorbani et al. 2019, arXiv:1710.10547",
    .unit = "of the pixels",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_HIGHER,
    .opaque = &kind,
    .compute = kldve_agreement_compute,
    .needs = KLDVE_METRIC_NEED_OTHER,
    .options = KLDVE_METRIC_OPTION_PART,
    .family = "agreement",
    .defaults = &defaults,
};
