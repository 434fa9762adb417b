/* energy_inside.c - how much of the map's energy lies on the object?
 *
 *     value = sum of v over the truth / sum of v over all pixels,   v >= 0
 *
 * One number with several names: the energy-based pointing game (H. Wang et al., Score-CAM, CVPR
 * workshops 2020, where the truth is a box), relevance mass accuracy (L. Arras, A. Osman and W.
 * Samek, CLEVR-XAI, Information Fusion 81, 2022, where it is a mask) and attribution localisation
 * (M. Kohlbrenner et al. 2020).  They differ for maps with signs only; here v is what speaks for
 * the target. */
#include "metrics.h"

#include <math.h>

#include "parts/inside.h"

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    size_t count = kldve_inside_count(job);
    double inside = 0, outside = 0;

    if (kldve_inside_truth(job) == 0)
        return KLDVE_OK;
    for (size_t i = 0; i < count; i++)
        *(job->truth[i] ? &inside : &outside) += (double)kldve_inside_evidence(job, i);
    if (inside + outside > 0)
        *value = inside / (inside + outside);
    return KLDVE_OK;
}

const kldve_metric kldve_energy_inside_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "energy_inside",
    .title = "Energy inside",
    .summary = "share of the map's energy that lies on the object",
    .source = "Wang et al. 2020, arXiv:1910.01279; Arras et al. 2022, arXiv:2003.07258",
    .unit = "of the energy",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = compute,
    .needs = KLDVE_METRIC_NEED_TRUTH,
    .family = "localisation",
};
