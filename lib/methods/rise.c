/* rise.c - RISE: V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized Input Sampling for Explanation of
 * Black-box Models", BMVC 2018, arXiv:1806.07421, Eq. 6.
 *
 *     E_i = 1/(N p) sum over k of f(x * M_k) M_ki,   k = 1 .. N
 *
 * f is the probability of the target, as in the paper; M_k is a grid of 7 x 7 cells, each 1 with
 * probability p = 1/2 and otherwise 0, upsampled bilinearly to 8/7 of the input's size (whole
 * pixels per cell) and cropped at a random offset within one cell.  Draw k uses random stream k.
 * Each frame of a film has a mask of its own.
 * Every pixel of M has the mean p.  Masked pixels become 0, the mean colour.
 *
 * The standard error is that of the mean of f(x * M_k) M_ki / p over k.
 *
 * N is 1000 by default; the paper uses 4000 with VGG-16 and 8000 with ResNet-50, too many for a
 * CPU.  Cost: N forward passes. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "image/upsample.h"
#include "methods.h"
#include "methods/parts/repeat.h"
#include "base/random.h"

enum { GRID = 7, SAMPLES = 1000 };

static const double kept = 0.5; /* p */

struct rise {
    const kldve_job *job;
    int32_t cell_height, cell_width;
    int32_t at_once;       /* passes whose masks are held */
    float *large;          /* [GRID + 1 cells high][GRID + 1 cells wide] */
    float *mask;           /* [at_once][pixels] */
    double *sum, *squares; /* [pixels], of f M / p */
};

/* The mask of one frame. */
static void draw(const struct rise *r, kldve_random *random, float *mask)
{
    size_t rows = (size_t)kldve_job_frame_height(r->job);
    size_t columns = (size_t)r->job->shape->in_width;
    int32_t height = (GRID + 1) * r->cell_height, width = (GRID + 1) * r->cell_width;
    size_t down, right;
    float grid[GRID * GRID];

    for (int i = 0; i < GRID * GRID; i++)
        grid[i] = kldve_random_uniform(random) < kept;
    down = (size_t)(kldve_random_uniform(random) * r->cell_height);
    right = (size_t)(kldve_random_uniform(random) * r->cell_width);
    assert(down + rows <= (size_t)height && right + columns <= (size_t)width);
    kldve_upsample(grid, GRID, GRID, r->large, height, width);
    for (size_t y = 0; y < rows; y++)
        memcpy(mask + y * columns, r->large + (y + down) * (size_t)width + right,
               columns * sizeof *mask);
}

static void change(void *opaque, int64_t pass, float *input)
{
    const struct rise *r = opaque;
    size_t pixels = kldve_job_pixels(r->job);
    float *mask = r->mask + (size_t)(pass % r->at_once) * pixels;
    size_t frames = (size_t)kldve_job_frames(r->job);
    kldve_random random;

    kldve_random_seed(&random, r->job->options->seed, (uint64_t)pass);
    for (size_t t = 0; t < frames; t++)
        draw(r, &random, mask + t * (pixels / frames));
    for (size_t c = 0; c < (size_t)r->job->shape->in_channels; c++)
        for (size_t i = 0; i < pixels; i++)
            input[c * pixels + i] *= mask[i];
}

static void take(void *opaque, int64_t pass, const float *logits)
{
    const struct rise *r = opaque;
    size_t pixels = kldve_job_pixels(r->job);
    const float *mask = r->mask + (size_t)(pass % r->at_once) * pixels;
    double f = kldve_job_score(r->job, logits, KLDVE_SCORE_PROBABILITY);

    for (size_t i = 0; i < pixels; i++) {
        double value = f * (double)mask[i] / kept;

        r->sum[i] += value;
        r->squares[i] += value * value;
    }
}

static void finish(const struct rise *r, double n, float *e)
{
    size_t pixels = kldve_job_pixels(r->job);

    assert(n >= 2);
    for (size_t i = 0; i < pixels; i++) {
        double mean = r->sum[i] / n;
        double variance = fmax(r->squares[i] / n - mean * mean, 0) * n / (n - 1);

        e[i] = (float)mean;
        if (r->job->error)
            r->job->error[i] = (float)sqrt(variance / n);
    }
}

static kldve_status map(const kldve_job *job, float *e)
{
    const kldve_shape *s = job->shape;
    struct rise r = {.job = job};
    kldve_repeat repeat = {kldve_job_samples(job, SAMPLES), false, &r, change, take};
    size_t pixels = kldve_job_pixels(job);
    kldve_status st;

    r.at_once = kldve_repeat_at_once(job, repeat.total);
    r.cell_height = (kldve_job_frame_height(job) - 1) / GRID + 1;
    r.cell_width = (s->in_width - 1) / GRID + 1;
    r.large = kldve_ctx_alloc(job->ctx, (size_t)r.cell_height * (size_t)r.cell_width,
                              (GRID + 1) * (GRID + 1) * sizeof *r.large);
    r.mask = kldve_ctx_alloc(job->ctx, pixels, (size_t)r.at_once * sizeof *r.mask);
    r.sum = kldve_ctx_alloc(job->ctx, pixels, 2 * sizeof *r.sum);
    if (r.large && r.mask && r.sum) {
        r.squares = r.sum + pixels;
        memset(r.sum, 0, 2 * pixels * sizeof *r.sum);
        st = kldve_job_repeat(job, &repeat);
    } else {
        st = kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "rise: out of memory");
    }
    if (st == KLDVE_OK)
        finish(&r, (double)repeat.total, e);
    kldve_ctx_release(job->ctx, r.sum);
    kldve_ctx_release(job->ctx, r.mask);
    kldve_ctx_release(job->ctx, r.large);
    return st;
}

const kldve_method kldve_method_rise = {
    .struct_size = sizeof(kldve_method),
    .name = "rise",
    .title = "RISE",
    .summary = "averages random masks, weighted by the probability of the masked input",
    .source = "Petsiuk et al. 2018, arXiv:1806.07421",
    .needs = KLDVE_NEED_FORWARDS,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .random = 1,
    .options = KLDVE_OPTION_SAMPLES | KLDVE_OPTION_SEED | KLDVE_OPTION_TEMPERATURE,
};
