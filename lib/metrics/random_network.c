/* random_network.c - does the map depend on what the network has learned?
 *
 *     s(Phi(x), Phi'(x)),   Phi the map, Phi' that of the network with random parameters
 *
 * for the same input, method and class: the model parameter randomisation test of J. Adebayo et
 * al., arXiv:1810.03292.  s is Spearman's correlation of the values, that of their magnitudes, or
 * SSIM, as there.  They differ from each other only for maps with signs: of others all values are
 * magnitudes.  A map that stays the same scores 1 and fails.
 *
 * Where one of the two maps is flat, they have nothing in common: 0, as in
 * kldve_record.class_sensitivity; where the map itself is, there is no number. */
#include "metrics.h"

#include <math.h>
#include <stdbool.h>

#include "parts/metric_job.h"
#include "stages/ranks.h"
#include "stages/similarity.h"

typedef struct maps {
    const float *own;   /* [height * width] */
    const float *other; /* the same, of the network with random parameters */
} maps;

static size_t pixels(const kldve_metric_job *job)
{
    return (size_t)job->height * (size_t)job->width;
}

static bool is_flat(const float *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] != values[0])
            return false;
    return true;
}

static kldve_status rank_correlation(const kldve_metric_job *job, maps m, double *value)
{
    kldve_ranked *work = kldve_ctx_alloc(job->ctx, pixels(job), 2 * sizeof *work);
    float *ranks = kldve_ctx_alloc(job->ctx, pixels(job), 2 * sizeof *ranks);
    kldve_status st = KLDVE_OK;

    if (work && ranks)
        *value = kldve_spearman(m.own, m.other, pixels(job), work, ranks);
    else
        st = kldve_metric_out_of_memory(job);
    kldve_ctx_release(job->ctx, work);
    kldve_ctx_release(job->ctx, ranks);
    return st;
}

static kldve_status similarity(const kldve_metric_job *job, maps m, double *value)
{
    size_t width = (size_t)job->width;
    double *work = kldve_ctx_alloc(job->ctx, width, KLDVE_SSIM_SUMS * sizeof *work);

    if (!work)
        return kldve_metric_out_of_memory(job);
    *value = kldve_ssim(m.own, m.other, (size_t)job->height, width, 1, work);
    kldve_ctx_release(job->ctx, work);
    return KLDVE_OK;
}

/* The map of the network with random parameters, as `evidence`. */
static kldve_status explain(const kldve_metric_job *job, float *other)
{
    kldve_metric_job random = *job;

    random.explainer = job->randomised;
    return kldve_metric_evidence(&random, job->input, other);
}

static kldve_status compare(const kldve_metric_job *job, const float *own, bool magnitudes,
                            kldve_status (*s)(const kldve_metric_job *, maps, double *),
                            double *value)
{
    float *other = kldve_ctx_alloc(job->ctx, pixels(job), sizeof *other);
    kldve_status st = other ? explain(job, other) : kldve_metric_out_of_memory(job);

    for (size_t i = 0; st == KLDVE_OK && magnitudes && i < pixels(job); i++)
        other[i] = fabsf(other[i]);
    if (st == KLDVE_OK && is_flat(own, pixels(job)))
        *value = (double)NAN;
    else if (st == KLDVE_OK && is_flat(other, pixels(job)))
        *value = 0;
    else if (st == KLDVE_OK)
        st = s(job, (maps){own, other}, value);
    kldve_ctx_release(job->ctx, other);
    return st;
}

static kldve_status compute_spearman(const kldve_metric_job *job, double *value)
{
    return compare(job, job->evidence, false, rank_correlation, value);
}

static kldve_status compute_magnitudes(const kldve_metric_job *job, double *value)
{
    return compare(job, job->values, true, rank_correlation, value);
}

static kldve_status compute_ssim(const kldve_metric_job *job, double *value)
{
    return compare(job, job->evidence, false, similarity, value);
}

#define AGAINST_RANDOM(function)                                                                   \
    .source = "Adebayo et al. 2018, arXiv:1810.03292", .low = -1, .high = 1,                       \
    .better = KLDVE_BETTER_LOWER, .compute = function,                                             \
    .needs = KLDVE_METRIC_NEED_EXPLANATIONS | KLDVE_METRIC_NEED_RANDOMISED, .family = "sanity"

const kldve_metric kldve_random_spearman_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "random_spearman",
    .title = "Random network, Spearman",
    .summary = "rank correlation with the map of the network with random parameters",
    AGAINST_RANDOM(compute_spearman),
};

const kldve_metric kldve_random_spearman_abs_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "random_spearman_abs",
    .title = "Random network, Spearman of magnitudes",
    .summary = "the same of the magnitudes, for maps with signs",
    AGAINST_RANDOM(compute_magnitudes),
};

const kldve_metric kldve_random_ssim_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "random_ssim",
    .title = "Random network, SSIM",
    .summary = "structural similarity with the map of the network with random parameters",
    AGAINST_RANDOM(compute_ssim),
};
