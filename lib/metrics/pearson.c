/* pearson.c - Pearson's correlation of two maps: the same up to a scale and an offset?
 *
 * Formula in stages/correlation.c. */
#include "metrics.h"

#include "parts/agreement.h"
#include "stages/correlation.h"

static kldve_status measure(const kldve_pair *p, double *value)
{
    *value = kldve_pearson(p->a, p->b, p->height * p->width);
    return KLDVE_OK;
}

static const kldve_agreement_kind kind = {measure};

const kldve_metric kldve_pearson_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "pearson",
    .title = "Pearson",
    .summary = "correlation of two maps: the same up to a scale and an offset",
    .source = "Pearson 1895",
    .low = -1,
    .high = 1,
    .better = KLDVE_BETTER_HIGHER,
    .opaque = &kind,
    .compute = kldve_agreement_compute,
    .needs = KLDVE_METRIC_NEED_OTHER,
    .family = "agreement",
};
