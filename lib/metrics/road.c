/* road.c - does the score fall when the most important pixels cannot be told from their
 * surroundings any more, and stay when the least important ones cannot?
 *
 *     MoRF      mean over q = 10, 20, ..., 90 % of p(x without the q most important pixels)
 *     LeRF      the same of the least important ones
 *     ROAD      (LeRF - MoRF) / 2
 *
 * A removed pixel is guessed from its neighbours (impute.h) and gets normal noise of deviation
 * `noise`, 0.01 by default, in units of the network's input: what is left of it does not give away
 * the form of what was removed, and no training is needed.  Y. Rong, T. Leemann, V. Borisov, G.
 * Kasneci, E. Kasneci, arXiv:2202.00449, who take the accuracy over pictures in place of the
 * probability.
 *
 * Noise for q = 10 i % comes from stream i of the seed, for the removed pixels of one channel after
 * the other, row by row. */
#include "metrics.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "parts/impute.h"
#include "parts/metric_job.h"
#include "stages/curve.h"

enum { TENTHS = 9 };

typedef enum direction { MOST_FIRST, LEAST_FIRST } direction;

/* Working memory. */
struct road {
    uint32_t *order;  /* [pixels], and as many for sorting */
    uint8_t *removed; /* [height][width] */
    float *input;
};

/* Mark the first or the last `count` pixels of the order. */
static void mark(const struct road *r, size_t pixels, size_t count, direction way)
{
    memset(r->removed, 0, pixels);
    for (size_t i = 0; i < count; i++)
        r->removed[r->order[way == MOST_FIRST ? i : pixels - 1 - i]] = 1;
}

static void add_noise(const kldve_metric_job *job, const struct road *r, int32_t tenth)
{
    size_t pixels = (size_t)job->height * (size_t)job->width;
    kldve_random random;

    kldve_random_seed(&random, job->options->seed, (uint64_t)tenth);
    for (size_t i = 0; i < pixels * (size_t)job->shape->in_channels; i++)
        if (r->removed[i % pixels])
            r->input[i] += (float)(job->options->noise * kldve_random_normal(&random));
}

/* The mean score of one direction. */
static kldve_status mean_score(const kldve_metric_job *job, const struct road *r, direction way,
                               double *mean)
{
    size_t pixels = (size_t)job->height * (size_t)job->width;
    size_t bytes = pixels * (size_t)job->shape->in_channels * sizeof *r->input;
    double score, sum = 0;
    kldve_status st;

    for (int32_t tenth = 1; tenth <= TENTHS; tenth++) {
        mark(r, pixels, pixels * (size_t)tenth / 10, way);
        memcpy(r->input, job->input, bytes);
        if ((st = kldve_ctx_progress(job->ctx, job->metric->name, tenth - 1, TENTHS)) < 0 ||
            (st = kldve_impute(job, r->removed, r->input)) < 0)
            return st;
        add_noise(job, r, tenth);
        if ((st = kldve_metric_scores(job, KLDVE_SCORE_PROBABILITY, r->input, 1, &score)) < 0)
            return st;
        sum += score;
    }
    *mean = sum / TENTHS;
    return KLDVE_OK;
}

/* The mean scores of the directions that are wanted; NULL: not wanted. */
static kldve_status run(const kldve_metric_job *job, struct road *r, double *morf, double *lerf)
{
    size_t pixels = (size_t)job->height * (size_t)job->width;
    kldve_status st = KLDVE_OK;

    if (!r->order || !r->removed || !r->input)
        return kldve_metric_out_of_memory(job);
    kldve_curve_order(job->evidence, pixels, job->options->seed, r->order, r->order + pixels);
    if (morf)
        st = mean_score(job, r, MOST_FIRST, morf);
    if (st == KLDVE_OK && lerf)
        st = mean_score(job, r, LEAST_FIRST, lerf);
    return st;
}

static kldve_status measure(const kldve_metric_job *job, double *morf, double *lerf)
{
    size_t pixels = (size_t)job->height * (size_t)job->width;
    struct road r;
    kldve_status st = kldve_impute_can(job);

    if (st < 0)
        return st;
    if (job->shape->in_frames > 1)
        return kldve_ctx_failf(job->ctx, KLDVE_E_UNSUPPORTED,
                               "metric %s: pixels are guessed in pictures, not in films",
                               job->metric->name);
    r.order = kldve_ctx_alloc(job->ctx, pixels, 2 * sizeof *r.order);
    r.removed = kldve_ctx_alloc(job->ctx, pixels, sizeof *r.removed);
    r.input = kldve_ctx_alloc(job->ctx, pixels, (size_t)job->shape->in_channels * sizeof *r.input);
    st = run(job, &r, morf, lerf);
    kldve_ctx_release(job->ctx, r.input);
    kldve_ctx_release(job->ctx, r.removed);
    kldve_ctx_release(job->ctx, r.order);
    return st;
}

static kldve_status most_first(const kldve_metric_job *job, double *value)
{
    return measure(job, value, NULL);
}

static kldve_status least_first(const kldve_metric_job *job, double *value)
{
    return measure(job, NULL, value);
}

static kldve_status combined(const kldve_metric_job *job, double *value)
{
    double morf, lerf;
    kldve_status st = measure(job, &morf, &lerf);

    if (st == KLDVE_OK)
        *value = (lerf - morf) / 2;
    return st;
}

static const kldve_metric_options defaults = {
    .struct_size = sizeof defaults,
    .noise = 0.01,
};

const kldve_metric kldve_road_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "road",
    .title = "ROAD",
    .summary = "half of how much more the most important pixels matter than the least",
    .source = "Rong et al. 2022, arXiv:2202.00449",
    .low = -INFINITY,
    .high = INFINITY,
    .better = KLDVE_BETTER_HIGHER,
    .compute = combined,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_NOISE,
    .family = "faithfulness",
    .defaults = &defaults,
};

const kldve_metric kldve_road_morf_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "road_morf",
    .title = "ROAD, most first",
    .summary = "mean score while the most important pixels are guessed",
    .source = "Rong et al. 2022, arXiv:2202.00449",
    .low = -INFINITY,
    .high = INFINITY,
    .better = KLDVE_BETTER_LOWER,
    .compute = most_first,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_NOISE,
    .family = "faithfulness",
    .defaults = &defaults,
};

const kldve_metric kldve_road_lerf_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "road_lerf",
    .title = "ROAD, least first",
    .summary = "mean score while the least important pixels are guessed",
    .source = "Rong et al. 2022, arXiv:2202.00449",
    .low = -INFINITY,
    .high = INFINITY,
    .better = KLDVE_BETTER_HIGHER,
    .compute = least_first,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_NOISE,
    .family = "faithfulness",
    .defaults = &defaults,
};
