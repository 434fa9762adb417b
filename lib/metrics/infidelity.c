/* infidelity.c - does the map say by how much the logit changes with the input?
 *
 *     infidelity = mean over draws of (<I, Phi> - (f(x) - f(x - I)))^2
 *     <I, Phi>   = sum over pixels of Phi times the sum of I over the channels
 *
 * C.-K. Yeh et al., arXiv:1901.09392, as in Captum: 10 draws, I normal with deviation `noise`,
 * 0.003 by default as in Captum's example, in units of the network's input.  f is the logit of the
 * explained class, Phi the map in the unit of its method, not scaled to 0..1 (kldve_record.low,
 * high), the same for all channels of a pixel.  With `normalise` Phi is scaled by
 * E[<I, Phi> df] / E[<I, Phi>^2] first, the best that one factor can do: most maps are not in the
 * unit of a logit over the input.
 *
 * Draw i is stream i of the seed, in the order of the input's values. */
#include "metrics.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "parts/metric_job.h"

/* What is drawn, and what it does. */
struct draws {
    float *attributions;    /* [height][width] */
    float *changed;         /* an input */
    double *product, *fall; /* [samples], <I, Phi> and f(x) - f(x - I) */
};

/* x - I of draw `i`, and <I, Phi>. */
static double draw(const kldve_metric_job *job, const struct draws *d, int32_t i)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    kldve_random random;
    double product = 0;

    kldve_random_seed(&random, job->options->seed, (uint64_t)i);
    for (size_t j = 0; j < count * (size_t)job->shape->in_channels; j++) {
        d->changed[j] =
            (float)((double)job->input[j] - job->options->noise * kldve_random_normal(&random));
        product +=
            ((double)job->input[j] - (double)d->changed[j]) * (double)d->attributions[j % count];
    }
    return product;
}

static double mean_error(const struct draws *d, int32_t samples, double scale)
{
    double sum = 0;

    for (int32_t i = 0; i < samples; i++)
        sum += pow(scale * d->product[i] - d->fall[i], 2);
    return sum / samples;
}

/* E[<I, Phi> df] / E[<I, Phi>^2]; 0 where the map says nothing. */
static double best_scale(const struct draws *d, int32_t samples)
{
    double both = 0, square = 0;

    for (int32_t i = 0; i < samples; i++) {
        both += d->product[i] * d->fall[i];
        square += d->product[i] * d->product[i];
    }
    return square > 0 ? both / square : 0;
}

static kldve_status run(const kldve_metric_job *job, const struct draws *d, double *value)
{
    int32_t samples = job->options->samples;
    double whole, score;
    kldve_status st = kldve_metric_attributions(job, job->map, d->attributions);

    if (st < 0 || (st = kldve_metric_scores(job, KLDVE_SCORE_LOGIT, job->input, 1, &whole)) < 0)
        return st;
    for (int32_t i = 0; i < samples; i++) {
        d->product[i] = draw(job, d, i);
        if ((st = kldve_ctx_progress(job->ctx, job->metric->name, i, samples)) < 0 ||
            (st = kldve_metric_scores(job, KLDVE_SCORE_LOGIT, d->changed, 1, &score)) < 0)
            return st;
        d->fall[i] = whole - score;
    }
    *value = mean_error(d, samples, job->options->normalise ? best_scale(d, samples) : 1);
    return KLDVE_OK;
}

static kldve_status compute(const kldve_metric_job *job, double *value)
{
    size_t count = (size_t)job->height * (size_t)job->width;
    size_t samples = (size_t)job->options->samples;
    struct draws d = {
        .attributions = kldve_ctx_alloc(job->ctx, count, sizeof *d.attributions),
        .changed =
            kldve_ctx_alloc(job->ctx, count, (size_t)job->shape->in_channels * sizeof *d.changed),
        .product = kldve_ctx_alloc(job->ctx, samples, sizeof *d.product),
        .fall = kldve_ctx_alloc(job->ctx, samples, sizeof *d.fall),
    };
    kldve_status st = d.attributions && d.changed && d.product && d.fall
                          ? run(job, &d, value)
                          : kldve_metric_out_of_memory(job);

    kldve_ctx_release(job->ctx, d.fall);
    kldve_ctx_release(job->ctx, d.product);
    kldve_ctx_release(job->ctx, d.changed);
    kldve_ctx_release(job->ctx, d.attributions);
    return st;
}

static const kldve_metric_options defaults = {
    .struct_size = sizeof defaults,
    .samples = 10,
    .noise = 0.003,
};

const kldve_metric kldve_infidelity_metric = {
    .struct_size = sizeof(kldve_metric),
    .name = "infidelity",
    .title = "Infidelity",
    .summary = "mean squared error of the map as a prediction of the logit's change",
    .source = "Yeh et al. 2019, arXiv:1901.09392, as in Captum",
    .low = 0,
    .high = INFINITY,
    .better = KLDVE_BETTER_LOWER,
    .compute = compute,
    .needs = KLDVE_METRIC_NEED_NETWORK,
    .options = KLDVE_METRIC_OPTION_SAMPLES | KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_NOISE |
               KLDVE_METRIC_OPTION_NORMALISE,
    .family = "faithfulness",
    .defaults = &defaults,
};
