/* prediction_difference.c - prediction difference analysis: L. M. Zintgraf, T. S. Cohen, T. Adel,
 * M. Welling, "Visualizing Deep Neural Network Decisions: Prediction Difference Analysis", ICLR
 * 2017, arXiv:1702.04595, Section 2 and Eq. 1 to 3.
 *
 *     WE_w = log2 odds(p(x)) - log2 odds(1/S sum over s of p(x with patch s in window w))
 *     E_i  = mean of WE_w over windows w that cover pixel i
 *
 * odds(p) = p / (1 - p) of the target, after the Laplace correction p <- (p N + 1) / (N + K), which
 * keeps odds finite; K classes (2, there or not, where each class is by itself), N the number of
 * training pictures, here 10^6, as in ImageNet.  Of a network that gives one number and no class,
 * the number takes the place of the log2 odds.
 *
 * The patches differ from the paper.  The paper draws them conditioned on their surroundings, from
 * a Gaussian fitted to patches of many pictures.  There are no other pictures here, so a patch
 * comes from another place in the same picture, all places being equally likely: the paper's
 * marginal sampling, its simpler variant, with the picture itself as the sample.  The patch keeps
 * its channels and pixels together.  The paper also moves its window of 10 pixels by one pixel;
 * here the window's side is a fourteenth of the input's shorter side, and so is the stride.
 *
 * S is 10 by default, as in the paper.  The standard error is the jackknife's over the S draws (B.
 * Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982).  Draw s of window w uses
 * random stream w S + s.
 *
 * Cost: S forward passes per place, 1960 with the defaults. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "methods.h"
#include "methods/parts/repeat.h"
#include "methods/parts/windows.h"
#include "base/random.h"
#include "stages/target.h"

enum { SAMPLES = 10 };

static const double pictures = 1e6; /* N */

struct difference {
    const kldve_job *job;
    kldve_windows windows;
    int32_t samples;
    double score;     /* log2 odds of the input, or the number */
    double *evidence; /* [places] */
    double *error;    /* [places] */
    double *draws;    /* [samples][classes], beliefs given each draw of one window */
    double *sum;      /* [classes], of them */
    float *corrected; /* [classes], logits that have corrected probabilities */
};

/* How certain the network is of each class, given k [classes]: probabilities, or the number itself,
 * which has none. */
static void beliefs(const struct difference *d, const float *k, double *p)
{
    const kldve_job *job = d->job;

    if (!kldve_target_probabilities(job->shape, k, (double)job->options->temperature, p))
        for (size_t c = 0; c < (size_t)job->shape->classes; c++)
            p[c] = (double)k[c];
}

/* The logit of a class with mean probability p, after the Laplace correction. */
static double corrected(const kldve_job *job, double p)
{
    const kldve_shape *s = job->shape;
    bool independent = s->scores == KLDVE_SCORES_SIGMOID && !s->single;
    double outcomes = independent ? 2 : s->classes;

    p = (p * pictures + 1) / (pictures + outcomes);
    return (double)job->options->temperature * (independent ? log(p / (1 - p)) : log(p));
}

/* The log2 odds of what is explained, or the number, for the means (sum - less) / count; less may
 * be NULL. */
static double log_odds(const struct difference *d, const double *sum, const double *less,
                       double count)
{
    const kldve_job *job = d->job;

    for (size_t c = 0; c < (size_t)job->shape->classes; c++) {
        double mean = (sum[c] - (less ? less[c] : 0)) / count;

        d->corrected[c] =
            (float)(job->shape->scores == KLDVE_SCORES_NUMBER ? mean
                                                              : corrected(job, fmax(mean, 0)));
    }
    return kldve_job_score(job, d->corrected, KLDVE_SCORE_LOG_ODDS);
}

static int32_t draw_below(kldve_random *random, int32_t n)
{
    assert(n > 0);
    return (int32_t)(kldve_random_uniform(random) * n);
}

static void change(void *opaque, int64_t pass, float *input)
{
    const struct difference *d = opaque;
    const kldve_windows *w = &d->windows;
    size_t pixels = kldve_job_pixels(d->job), width = (size_t)w->in_width;
    int32_t top, left, from_top, from_left;
    kldve_random random;

    kldve_random_seed(&random, d->job->options->seed, (uint64_t)pass);
    kldve_windows_place(w, pass / d->samples, &top, &left);
    from_top = draw_below(&random, w->in_height - w->height + 1) +
               top / w->in_height * w->in_height; /* of the same frame */
    from_left = draw_below(&random, w->in_width - w->width + 1);
    for (size_t c = 0; c < (size_t)d->job->shape->in_channels; c++)
        for (size_t y = 0; y < (size_t)w->height; y++)
            memcpy(input + c * pixels + ((size_t)top + y) * width + (size_t)left,
                   d->job->input + c * pixels + ((size_t)from_top + y) * width + (size_t)from_left,
                   (size_t)w->width * sizeof *input);
}

/* All draws of a window are done. */
static void finish_window(struct difference *d, int64_t window)
{
    size_t n = (size_t)d->job->shape->classes;
    double samples = d->samples, mean = 0, squares = 0;

    assert(d->samples >= 2 && window < kldve_windows_count(&d->windows));
    memset(d->sum, 0, n * sizeof *d->sum);
    for (size_t s = 0; s < (size_t)d->samples; s++)
        for (size_t c = 0; c < n; c++)
            d->sum[c] += d->draws[s * n + c];
    d->evidence[window] = d->score - log_odds(d, d->sum, NULL, samples);
    for (size_t s = 0; s < (size_t)d->samples; s++) {
        double without = log_odds(d, d->sum, d->draws + s * n, samples - 1), delta = without - mean;

        mean += delta / (double)(s + 1); /* Welford's update of mean and squares */
        squares += delta * (without - mean);
    }
    d->error[window] = sqrt((samples - 1) / samples * squares);
}

static void take(void *opaque, int64_t pass, const float *logits)
{
    struct difference *d = opaque;
    int64_t draw = pass % d->samples;

    beliefs(d, logits, d->draws + (size_t)draw * (size_t)d->job->shape->classes);
    if (draw == d->samples - 1)
        finish_window(d, pass / d->samples);
}

static kldve_status map(const kldve_job *job, float *e)
{
    const kldve_shape *s = job->shape;
    int32_t side = kldve_job_shorter_side(job);
    size_t classes = (size_t)s->classes;
    struct difference d = {.job = job,
                           .windows = kldve_windows_over(job, (side - 1) / 14 + 1, 1),
                           .samples = kldve_job_samples(job, SAMPLES)};
    int64_t places = kldve_windows_count(&d.windows);
    kldve_repeat repeat = {places * d.samples, false, &d, change, take};
    kldve_status st;

    d.evidence = kldve_ctx_alloc(job->ctx, (size_t)places, 2 * sizeof *d.evidence);
    d.draws = kldve_ctx_alloc(job->ctx, (size_t)d.samples + 1, classes * sizeof *d.draws);
    d.corrected = kldve_ctx_alloc(job->ctx, classes, sizeof *d.corrected);
    if (d.evidence && d.draws && d.corrected) {
        d.error = d.evidence + places;
        d.sum = d.draws + (size_t)d.samples * classes;
        beliefs(&d, job->logits, d.draws);
        d.score = log_odds(&d, d.draws, NULL, 1);
        st = kldve_job_repeat(job, &repeat);
    } else {
        st = kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "prediction-difference: out of memory");
    }
    if (st == KLDVE_OK) {
        kldve_windows_mean(&d.windows, d.evidence, e);
        if (job->error)
            kldve_windows_error(&d.windows, d.error, job->error);
    }
    kldve_ctx_release(job->ctx, d.corrected);
    kldve_ctx_release(job->ctx, d.draws);
    kldve_ctx_release(job->ctx, d.evidence);
    return st;
}

const kldve_method kldve_method_prediction_difference = {
    .struct_size = sizeof(kldve_method),
    .name = "prediction-difference",
    .title = "Prediction difference",
    .summary =
        "replaces a window of the input by other patches and measures the change in log odds",
    .source = "Zintgraf et al. 2017, arXiv:1702.04595",
    .needs = KLDVE_NEED_FORWARDS,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .sign = KLDVE_SIGN_SIGNED,
    .random = 1,
    .options = KLDVE_OPTION_SAMPLES | KLDVE_OPTION_WINDOW | KLDVE_OPTION_STRIDE |
               KLDVE_OPTION_SEED | KLDVE_OPTION_TEMPERATURE,
};
