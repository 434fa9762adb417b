/* best_iou.c - how well can one threshold cut the object out of the map?
 *
 *     value = max over t of |{v >= t} and truth| / |{v >= t} or truth|
 *
 * over all thresholds t among the map's values.  The lowest takes all pixels, so that every map,
 * also a flat one, has at least the object's share of the picture.  The best threshold is found
 * with the truth at hand: what it would be for one threshold of a whole data set is less.
 *
 * The intersection over union of a thresholded class activation map: B. Zhou et al., "Learning Deep
 * Features for Discriminative Localization", CVPR 2016; thresholds swept instead of fixed: J. Choe
 * et al., "Evaluating Weakly Supervised Object Localization Methods Right", CVPR 2020. */
#include "metrics.h"

#include <math.h>

#include "base/ctx.h"
#include "parts/inside.h"

static double best_of(const kldve_metric_job *job, const kldve_ranked *sorted, size_t truth)
{
    size_t count = kldve_inside_count(job), inside = 0;
    double best = 0;

    for (size_t first = 0; first < count;) {
        size_t end = kldve_ranked_tie(sorted, count, first);

        for (; first < end; first++)
            inside += job->truth[sorted[first].place] != 0;
        best = fmax(best, (double)inside / (double)(truth + end - inside));
    }
    return best;
}

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    size_t truth = kldve_inside_truth(job);
    kldve_ranked *sorted;
    kldve_status st;

    if (truth == 0)
        return KLDVE_OK;
    if ((st = kldve_inside_rank(job, &sorted)) != KLDVE_OK)
        return st;
    *value = best_of(job, sorted, truth);
    kldve_ctx_release(job->ctx, sorted);
    return KLDVE_OK;
}

const kldve_metric kldve_best_iou_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "best_iou",
    .title = "Best IoU",
    .summary = "intersection over union of the object and the map at its best threshold",
    .source = "Zhou et al. 2016, arXiv:1512.04150; Choe et al. 2020, arXiv:2001.07437",
    .low = 0,
    .high = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = compute,
    .needs = KLDVE_METRIC_NEED_TRUTH,
    .family = "localisation",
};
