/* gini.c - how unequal are the map's values?
 *
 *     value = sum over i of (2 i - n - 1) v_i / (n sum v),   v_1 <= ... <= v_n
 *
 * 0 where all values are equal, 1 - 1/n for a single pixel.
 *
 * P. Chalasani, J. Chen, A. R. Chowdhury, S. Jha and X. Wu, "Concise Explanations of Neural
 * Networks using Adversarial Training", ICML 2020 (sparseness); the index is C. Gini's of 1912. */
#include "metrics.h"

#include <math.h>

#include "parts/metric_job.h"
#include "stages/ranks.h"

/* `sorted` falls, so that its place from the end is i. */
static double gini_of(const kldve_ranked *sorted, size_t count)
{
    double n = (double)count, sum = 0, weighed = 0;

    for (size_t j = 0; j < count; j++) {
        sum += (double)sorted[j].value;
        weighed += (n - 1 - 2 * (double)j) * (double)sorted[j].value;
    }
    return sum > 0 ? fmax(weighed / (n * sum), 0) : (double)NAN; /* rounding may pass 0 */
}

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    const kldve_ranked *sorted;
    kldve_status st = kldve_metric_sorted(job, false, &sorted);

    if (st == KLDVE_OK)
        *value = gini_of(sorted, (size_t)job->height * (size_t)job->width);
    return st;
}

const kldve_metric kldve_gini_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "gini",
    .title = "Gini",
    .summary = "how unequal the map's values are",
    .source = "Chalasani et al. 2020, arXiv:1810.06583",
    .low = 0,
    .high = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = compute,
    .family = "concentration",
};
