/* pointing_game.c - does the map's maximum lie on the object?
 *
 *     hit(p) = 1 if a pixel of the truth lies within `tolerance` pixels of p (Euclidean), else 0
 *     value  = mean of hit(p) over all pixels p with the largest value
 *
 * Several pixels share the largest value where a bilinear map is level, as at its edges; the mean
 * is what a random choice among them would give.  A flat map has its maximum everywhere and gets
 * what chance gives.
 *
 * J. Zhang, Z. Lin, J. Brandt, X. Shen and S. Sclaroff, "Top-down Neural Attention by Excitation
 * Backprop", ECCV 2016; they and TorchRay (Fong et al. 2019) take 15 pixels of the photograph as
 * the tolerance. */
#include "metrics.h"

#include <math.h>
#include <stdbool.h>

#include "parts/inside.h"

static int32_t clamp(double value, int32_t most)
{
    return value < 0 ? 0 : value < (double)most ? (int32_t)value : most;
}

static bool is_hit(const kldve_metric_job *job, size_t place)
{
    double r = job->options->tolerance;
    int32_t x = (int32_t)(place % (size_t)job->width), y = (int32_t)(place / (size_t)job->width);
    int32_t x0 = clamp(ceil(x - r), job->width - 1), x1 = clamp(x + r, job->width - 1);
    int32_t y0 = clamp(ceil(y - r), job->height - 1), y1 = clamp(y + r, job->height - 1);

    for (int32_t v = y0; v <= y1; v++)
        for (int32_t u = x0; u <= x1; u++) {
            double dx = u - x, dy = v - y;

            if (job->truth[(size_t)v * (size_t)job->width + (size_t)u] &&
                dx * dx + dy * dy <= r * r)
                return true;
        }
    return false;
}

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    size_t count = kldve_inside_count(job), maxima = 0, hits = 0;
    float most = 0;

    if (kldve_inside_truth(job) == 0)
        return KLDVE_OK;
    for (size_t i = 0; i < count; i++)
        most = fmaxf(most, kldve_inside_evidence(job, i));
    for (size_t i = 0; i < count; i++)
        if (kldve_inside_evidence(job, i) == most) {
            maxima++;
            hits += is_hit(job, i);
        }
    *value = (double)hits / (double)maxima;
    return KLDVE_OK;
}

const kldve_metric kldve_pointing_game_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "pointing_game",
    .title = "Pointing game",
    .summary = "whether the map's maximum lies on the object",
    .source = "Zhang et al. 2016, arXiv:1608.00507",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_HIGHER,
    .compute = compute,
    .needs = KLDVE_METRIC_NEED_TRUTH,
    .options = KLDVE_METRIC_OPTION_TOLERANCE,
    .family = "localisation",
};
