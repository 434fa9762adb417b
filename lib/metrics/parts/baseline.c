/* baseline.c - inputs without the picture.
 *
 * The blur is RISE's (V. Petsiuk, A. Das, K. Saenko, arXiv:1806.07421, gkern(11, 5) of its code):
 * in each direction the 11 weights are those of a Gaussian of deviation 5, cut at 20, that SciPy's
 * gaussian_filter() leaves of a one in the middle of 11 places, where it mirrors what leaves them:
 *
 *     g_i = exp(-i^2 / 50), i = -20..20, sum 1;   w_j = sum of all g_i whose place 5 + i, mirrored
 *     at -1/2 and 10 + 1/2 until it lies in 0..10, is j;   sum of w 1
 *
 * Beyond the edge of the input (of each frame of a film) there are zeros. */
#include "baseline.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "metric_job.h"
#include "pipeline/passes.h"

enum { TAPS = 11, MIDDLE = TAPS / 2, REACH = 20 };

static void blur_weights(double w[TAPS])
{
    double sum = 0;

    memset(w, 0, TAPS * sizeof *w);
    for (int i = -REACH; i <= REACH; i++) {
        int place = (MIDDLE + i + 4 * TAPS) % (2 * TAPS);
        double g = exp(-i * i / 50.0);

        w[place < TAPS ? place : 2 * TAPS - 1 - place] += g;
        sum += g;
    }
    for (int j = 0; j < TAPS; j++)
        w[j] /= sum;
}

/* `count` values, `step` apart, of one row or column. */
static void blur_line(const double w[TAPS], const float *in, int32_t count, int32_t step,
                      float *out)
{
    for (int32_t i = 0; i < count; i++) {
        double sum = 0;

        for (int32_t j = 0; j < TAPS; j++) {
            int32_t at = i + j - MIDDLE;

            if (at >= 0 && at < count)
                sum += w[j] * (double)in[(size_t)at * (size_t)step];
        }
        out[(size_t)i * (size_t)step] = (float)sum;
    }
}

static kldve_status blur(const kldve_metric_job *job, float *out)
{
    const kldve_shape *s = job->shape;
    int32_t frames = s->in_frames > 1 ? s->in_frames : 1, height = s->in_height / frames;
    size_t plane = (size_t)height * (size_t)s->in_width;
    float *rows = kldve_ctx_alloc(job->ctx, plane, sizeof *rows);
    double w[TAPS];

    if (!rows)
        return kldve_metric_out_of_memory(job);
    blur_weights(w);
    for (size_t p = 0; p < (size_t)s->in_channels * (size_t)frames; p++) {
        const float *in = job->input + p * plane;

        for (int32_t y = 0; y < height; y++)
            blur_line(w, in + (size_t)y * (size_t)s->in_width, s->in_width, 1,
                      rows + (size_t)y * (size_t)s->in_width);
        for (int32_t x = 0; x < s->in_width; x++)
            blur_line(w, rows + x, height, s->in_width, out + p * plane + x);
    }
    kldve_ctx_release(job->ctx, rows);
    return KLDVE_OK;
}

static double mean_of(const float *values, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    return sum / (double)count;
}

/* What a channel of a picture whose pixels all are `level` becomes. */
static double prepared(const kldve_input_spec *spec, int32_t channels, int32_t channel,
                       double level)
{
    bool alpha = channel == channels - 1 && (channels == 2 || channels == 4);
    double mean = (double)(alpha ? spec->alpha_mean : channel < 3 ? spec->mean[channel] : 0);
    double std = (double)(alpha ? spec->alpha_std : channel < 3 ? spec->std[channel] : 1);

    return ((alpha ? 255 : level) * (double)spec->scale - mean) / std;
}

static double level_of(const kldve_metric_job *job, int32_t channel, const float *values,
                       size_t count)
{
    const kldve_input_spec *spec = kldve_explainer_spec_of(job->explainer);

    switch ((kldve_baseline)job->options->baseline) {
    case KLDVE_BASELINE_MEAN:
        return mean_of(values, count);
    case KLDVE_BASELINE_BLACK:
        return prepared(spec, job->shape->in_channels, channel, 0);
    case KLDVE_BASELINE_WHITE:
        return prepared(spec, job->shape->in_channels, channel, 255);
    case KLDVE_BASELINE_DEFAULT:
    case KLDVE_BASELINE_ZERO:
    case KLDVE_BASELINE_BLUR:
        break;
    }
    return 0;
}

kldve_status kldve_metric_baseline(const kldve_metric_job *job, float *out)
{
    size_t count = (size_t)job->height * (size_t)job->width;

    assert(job->options->baseline != KLDVE_BASELINE_DEFAULT);
    if (job->options->baseline == KLDVE_BASELINE_BLUR)
        return blur(job, out);
    for (int32_t c = 0; c < job->shape->in_channels; c++) {
        float level = (float)level_of(job, c, job->input + (size_t)c * count, count);

        for (size_t i = 0; i < count; i++)
            out[(size_t)c * count + i] = level;
    }
    return KLDVE_OK;
}
