/* insertion_deletion.c - how fast does the score fall when the most important pixels go, and how
 * fast does it rise when they come?
 *
 *     s_k     the explained score after k of n steps (probability; kldve_score), s_0 before the
 * first area  = (s_0/2 + s_1 + ... + s_{n-1} + s_n/2) / n
 *
 * Deletion begins with the input and gives its pixels the values of a baseline, the most important
 * ones first; insertion begins with a baseline and brings the pixels of the input.  A step changes
 * ceil(pixels / steps) pixels in all channels.
 *
 * As in RISE (V. Petsiuk, A. Das, K. Saenko, arXiv:1806.07421, and its code): 224 steps, which are
 * 224 pixels each of a picture of 224 x 224; deletion to zeros of the input, which are the mean
 * colour after the usual normalisation; insertion from a blurred input, baseline.h.  Where the
 * order of pixels with equal values is left to a sorting routine there, it is random here, and the
 * same for every map (curve.h).  Score-CAM (H. Wang et al., arXiv:1910.01279) takes steps of 1 %
 * and black: steps 100, KLDVE_BASELINE_BLACK. */
#include "metrics.h"

#include <math.h>
#include <stdbool.h>

#include "parts/trail.h"

static kldve_status area(const kldve_metric_job *job, bool insertion, double *value)
{
    kldve_trail trail = {0};
    kldve_status st = kldve_trail_open(job, &trail);

    if (st == KLDVE_OK)
        st = insertion ? kldve_trail_area(job, &trail, trail.baseline, job->input, value)
                       : kldve_trail_area(job, &trail, job->input, trail.baseline, value);
    kldve_trail_close(job, &trail);
    return st;
}

static kldve_status deletion(const kldve_metric_job *job, double *value)
{
    return area(job, false, value);
}

static kldve_status insertion(const kldve_metric_job *job, double *value)
{
    return area(job, true, value);
}

enum {
    OPTIONS = KLDVE_METRIC_OPTION_STEPS | KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_BASELINE
};

static const kldve_metric_options deletion_defaults = {
    .struct_size = sizeof deletion_defaults,
    .steps = 224,
    .baseline = KLDVE_BASELINE_ZERO,
};

/* The range is that of a network's number, which knows none; of probabilities it is 0..1. */
const kldve_metric kldve_deletion_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "deletion",
    .title = "Deletion",
    .summary = "area under the score while the most important pixels go first",
    .source = "Petsiuk et al. 2018, arXiv:1806.07421",
    .low = -INFINITY,
    .high = INFINITY,
    .better = KLDVE_BETTER_LOWER,
    .compute = deletion,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = OPTIONS,
    .family = "faithfulness",
    .defaults = &deletion_defaults,
};

static const kldve_metric_options insertion_defaults = {
    .struct_size = sizeof insertion_defaults,
    .steps = 224,
    .baseline = KLDVE_BASELINE_BLUR,
};

const kldve_metric kldve_insertion_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "insertion",
    .title = "Insertion",
    .summary = "area under the score while the most important pixels come first",
    .source = "Petsiuk et al. 2018, arXiv:1806.07421",
    .low = -INFINITY,
    .high = INFINITY,
    .better = KLDVE_BETTER_HIGHER,
    .compute = insertion,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = OPTIONS,
    .family = "faithfulness",
    .defaults = &insertion_defaults,
};
