/* average_drop.c - what is left of the probability when the network sees only what the map shows?
 *
 *     x' = b + m (x - b)     m in 0..1 the map, b the baseline: 0 of the input, the mean colour
 *     Y = p(x), O = p(x')    the probability of the explained class
 *     drop = max(0, Y - O) / Y          increase = 1 where O > Y, else 0
 *
 * Their means over pictures are "average drop" and "increase in confidence" of Grad-CAM++ (A.
 * Chattopadhay et al., arXiv:1710.11063), which multiplies the picture by the map: that is
 * KLDVE_BASELINE_BLACK.  A map that is almost the same everywhere has almost no drop (S. Poppi et
 * al., arXiv:2104.10252): see adcc.c. */
#include "metrics.h"

#include <math.h>

#include "parts/masked.h"

static kldve_status drop(const kldve_metric_job *job, double *value)
{
    kldve_masked masked = {0};
    kldve_status st = kldve_masked_open(job, &masked);

    if (st == KLDVE_OK)
        *value = kldve_masked_drop(job, &masked);
    kldve_masked_close(job, &masked);
    return st;
}

static kldve_status increase(const kldve_metric_job *job, double *value)
{
    kldve_masked masked = {0};
    kldve_status st = kldve_masked_open(job, &masked);

    if (st == KLDVE_OK)
        *value = masked.after > masked.before;
    kldve_masked_close(job, &masked);
    return st;
}

static const kldve_metric_options defaults = {
    .struct_size = sizeof defaults,
    .baseline = KLDVE_BASELINE_ZERO,
};

const kldve_metric kldve_average_drop_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "average_drop",
    .title = "Average drop",
    .summary = "share of the probability that is lost through the map",
    .source = "Chattopadhay et al. 2018, arXiv:1710.11063",
    .unit = "of the probability",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_LOWER,
    .compute = drop,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_BASELINE,
    .family = "faithfulness",
    .defaults = &defaults,
};

const kldve_metric kldve_increase_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "increase",
    .title = "Increase",
    .summary = "1 where the probability is higher through the map, else 0",
    .source = "Chattopadhay et al. 2018, arXiv:1710.11063",
    .unit = "of the pictures",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = increase,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_BASELINE,
    .family = "faithfulness",
    .defaults = &defaults,
};
