/* energy_entropy.c - over how many pixels is the map spread?
 *
 *     p_i = v_i / sum v,   value = - sum p_i ln p_i    (nats; 0 ln 0 = 0)
 *
 * 0 for a single pixel, ln(pixels) for a map that is the same everywhere: 10.82 at 224 x 224.
 *
 * U. Bhatt, A. Weller and J. M. F. Moura, "Evaluating and Aggregating Feature-based Model
 * Explanations", IJCAI 2020 (complexity). */
#include "metrics.h"

#include <math.h>

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    double sum = 0, entropy = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)job->values[i];
    if (sum == 0)
        return KLDVE_OK;
    for (size_t i = 0; i < count; i++) {
        double p = (double)job->values[i] / sum;

        if (p > 0)
            entropy -= p * log(p);
    }
    *value = fmax(entropy, 0); /* not -0 */
    return KLDVE_OK;
}

const kldve_metric kldve_entropy_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "entropy",
    .title = "Entropy",
    .summary = "entropy of the map's energy: over how many pixels it is spread",
    .source = "Bhatt et al. 2020, arXiv:2005.00631",
    .unit = "nats",
    .low = 0,
    .high = INFINITY,
    .better = KLDVE_BETTER_LOWER,
    .compute = compute,
    .family = "concentration",
};
