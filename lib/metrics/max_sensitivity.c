/* max_sensitivity.c - how far does the map change with a small change of the input?
 *
 *     max over draws of || Phi(x + e) - Phi(x) || / || Phi(x) ||,   e uniform in -r..r
 *
 * C.-K. Yeh et al., arXiv:1901.09392, as in Captum: 10 draws, r = `noise`, 0.02 by default, in
 * units of the network's input; Frobenius norms; where Phi(x) is zero it is divided by 1.  Phi is
 * the map in the unit of its method, for the class that the map is about.
 *
 * Draw i is stream i of the seed, in the order of the input's values. */
#include "metrics.h"

#include <math.h>

#include "base/random.h"
#include "heatmap/heatmap.h"
#include "parts/metric_job.h"

static void draw(const kldve_metric_job *job, int32_t i, float *changed)
{
    size_t count = (size_t)job->height * (size_t)job->width * (size_t)job->shape->in_channels;
    kldve_random random;

    kldve_random_seed(&random, job->options->seed, (uint64_t)i);
    for (size_t j = 0; j < count; j++)
        changed[j] = (float)((double)job->input[j] +
                             job->options->noise * (2 * kldve_random_uniform(&random) - 1));
}

static double norm(const float *a, const float *b, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += pow((double)a[i] - (b ? (double)b[i] : 0), 2);
    return sqrt(sum);
}

/* The map of draw `i`, `values`. */
static kldve_status explain(const kldve_metric_job *job, int32_t i, float *changed, float *values)
{
    kldve_heatmap *map = NULL;
    kldve_status st = kldve_ctx_progress(job->ctx, job->metric->name, i, job->options->samples);

    draw(job, i, changed);
    if (st < 0 || (st = kldve_metric_map(job, changed, NULL, &map)) < 0)
        return st;
    st = kldve_metric_attributions(job, map, values);
    kldve_heatmap_free(map);
    return st;
}

static kldve_status largest(const kldve_metric_job *job, float *own, float *other, float *changed,
                            double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    double most = 0, length;
    kldve_status st = kldve_metric_attributions(job, job->map, own);

    if (st < 0)
        return st;
    length = norm(own, NULL, count);
    for (int32_t i = 0; i < job->options->samples; i++) {
        if ((st = explain(job, i, changed, other)) < 0)
            return st;
        most = fmax(most, norm(other, own, count));
    }
    *value = most / (length > 0 ? length : 1);
    return KLDVE_OK;
}

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    float *own = kldve_ctx_alloc(job->ctx, count, sizeof *own);
    float *other = kldve_ctx_alloc(job->ctx, count, sizeof *other);
    float *changed =
        kldve_ctx_alloc(job->ctx, count, (size_t)job->shape->in_channels * sizeof *changed);
    kldve_status st = own && other && changed ? largest(job, own, other, changed, value)
                                              : kldve_metric_out_of_memory(job);

    kldve_ctx_release(job->ctx, changed);
    kldve_ctx_release(job->ctx, other);
    kldve_ctx_release(job->ctx, own);
    return st;
}

static const kldve_metric_options defaults = {
    .struct_size = sizeof defaults,
    .samples = 10,
    .noise = 0.02,
};

const kldve_metric kldve_max_sensitivity_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "max_sensitivity",
    .title = "Max-sensitivity",
    .summary = "largest relative change of the map under small noise",
    .source = "Yeh et al. 2019, arXiv:1901.09392, as in Captum",
    .low = 0,
    .high = INFINITY,
    .better = KLDVE_BETTER_LOWER,
    .compute = compute,
    .needs = KLDVE_METRIC_NEED_EXPLANATIONS,
    .options = KLDVE_METRIC_OPTION_SAMPLES | KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_NOISE,
    .family = "faithfulness",
    .defaults = &defaults,
};
