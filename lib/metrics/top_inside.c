/* top_inside.c - how many of the highest pixels lie on the object?
 *
 *     value = |top k of the map, and truth| / k,   k = part * pixels, rounded, 1 at least
 *
 * An object smaller than k pixels cannot reach 1.  Where equal values compete for the last places,
 * the mean over all ways to choose.
 *
 * J. Theiner, E. Mueller-Budack and R. Ewerth, "Interpretable Semantic Photo Geolocation", WACV
 * 2022 (top-k intersection); Quantus takes 1000 pixels, about the default part at 224 x 224. */
#include "metrics.h"

#include "parts/inside.h"

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    if (kldve_inside_truth(job) == 0)
        return KLDVE_OK;
    return kldve_inside_top(job, kldve_top_count(job->options->part, kldve_inside_count(job)),
                            value);
}

static const kldve_metric_options defaults = {.struct_size = sizeof defaults, .part = 0.02};

const kldve_metric kldve_top_inside_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "top_inside",
    .title = "Top inside",
    .summary = "share of the highest pixels that lies on the object",
    .source = "Theiner et al. 2022, arXiv:2104.14995",
    .unit = "of the pixels",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = compute,
    .needs = KLDVE_METRIC_NEED_TRUTH,
    .options = KLDVE_METRIC_OPTION_PART,
    .family = "localisation",
    .defaults = &defaults,
};
