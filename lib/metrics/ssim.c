/* ssim.c - structural similarity of two maps: do they look alike, place by place?
 *
 * Formula in stages/similarity.c.  The range L is 1 where all values lie in 0..1, as those of heat
 * maps do; for other arrays it is the distance from the smallest to the largest value of both. */
#include "metrics.h"

#include <math.h>

#include "base/ctx.h"
#include "parts/agreement.h"
#include "stages/similarity.h"

static double range_of(const kldve_pair *p)
{
    double low = 0, high = 1;

    for (size_t i = 0; i < p->height * p->width; i++) {
        low = fmin(low, fmin((double)p->a[i], (double)p->b[i]));
        high = fmax(high, fmax((double)p->a[i], (double)p->b[i]));
    }
    return high - low;
}

static kldve_status measure(const kldve_pair *p, double *value)
{
    double *work = kldve_ctx_alloc(p->ctx, p->width, KLDVE_SSIM_SUMS * sizeof *work);

    if (!work)
        return kldve_ctx_fail(p->ctx, KLDVE_E_NOMEM, "metric ssim: out of memory");
    *value = kldve_ssim(p->a, p->b, p->height, p->width, range_of(p), work);
    kldve_ctx_release(p->ctx, work);
    return KLDVE_OK;
}

static const kldve_agreement_kind kind = {measure};

const kldve_metric kldve_ssim_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "ssim",
    .title = "SSIM",
    .summary = "structural similarity of two maps under a Gaussian window of 11 x 11",
    .source = "Wang et al. 2004, doi:10.1109/TIP.2003.819861",
    .low = -1,
    .high = 1,
    .better = KLDVE_BETTER_HIGHER,
    .opaque = &kind,
    .compute = kldve_agreement_compute,
    .needs = KLDVE_METRIC_NEED_OTHER,
    .family = "agreement",
};
