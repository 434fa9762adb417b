/* relevance_rank.c - of as many pixels as the object has, how many of the highest lie on it?
 *
 *     value = |top K of the map, and truth| / K,   K = |truth|
 *
 * Where equal values compete for the last of the K places, the mean over all ways to choose: a
 * sparse map has fewer than K values above 0, and a flat map gets what chance gives.
 *
 * L. Arras, A. Osman and W. Samek, "CLEVR-XAI: A benchmark dataset for the ground truth evaluation
 * of neural network explanations", Information Fusion 81, 2022 (relevance rank accuracy). */
#include "metrics.h"

#include "parts/inside.h"

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    size_t k = kldve_inside_truth(job);

    return k > 0 ? kldve_inside_top(job, k, value) : KLDVE_OK;
}

const kldve_metric kldve_relevance_rank_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "relevance_rank",
    .title = "Rank accuracy",
    .summary = "of as many highest pixels as the object has, the share that lies on it",
    .source = "Arras et al. 2022, arXiv:2003.07258",
    .unit = "of the pixels",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = compute,
    .needs = KLDVE_METRIC_NEED_TRUTH,
    .family = "localisation",
};
