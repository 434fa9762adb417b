/* coalitions.c - the network's output for inputs that keep only some of their superpixels. */
#include "coalitions.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "job.h"
#include "repeat.h"
#include "superpixels.h"

enum { PLAYERS = 50, MOST_PLAYERS = 1024 };

/* How many cells of about `side` fit side by side. */
static int32_t cells_along(int32_t size, double side)
{
    double cells = floor((double)size / side + 0.5);

    assert(size >= 1 && side >= 1);
    return cells < 1 ? 1 : (int32_t)cells;
}

static kldve_status no_memory(const kldve_job *job)
{
    return kldve_ctx_failf(job->ctx, KLDVE_E_NOMEM, "%s: out of memory", job->method->name);
}

/* The superpixels of one frame, numbered from c->players on. */
static kldve_status add_frame(kldve_coalitions *c, kldve_superpixel_grid *grid, int32_t frame,
                              float *copy)
{
    const kldve_job *job = c->job;
    size_t all = kldve_job_pixels(job), pixels = (size_t)grid->height * (size_t)grid->width;
    int32_t *label = c->label + (size_t)frame * pixels, count;
    kldve_status st;

    for (size_t channel = 0; channel < (size_t)grid->channels; channel++)
        memcpy(copy + channel * pixels, job->input + channel * all + (size_t)frame * pixels,
               pixels * sizeof *copy);
    grid->input = copy;
    st = kldve_superpixels(job->ctx, grid, label, &count);
    for (size_t i = 0; st == KLDVE_OK && i < pixels; i++)
        label[i] += c->players;
    c->players += st == KLDVE_OK ? count : 0;
    return st;
}

static kldve_status add_frames(kldve_coalitions *c, double side)
{
    const kldve_job *job = c->job;
    const kldve_shape *s = job->shape;
    int32_t frames = kldve_job_frames(job);
    kldve_superpixel_grid grid = {.channels = s->in_channels,
                                  .height = kldve_job_frame_height(job),
                                  .width = s->in_width,
                                  .rows = cells_along(kldve_job_frame_height(job), side),
                                  .columns = cells_along(s->in_width, side)};
    float *copy;
    kldve_status st = KLDVE_OK;

    if ((int64_t)grid.rows * grid.columns * frames > MOST_PLAYERS)
        return KLDVE_OK;
    copy = kldve_ctx_alloc(job->ctx, kldve_job_inputs(job) / (size_t)frames, sizeof *copy);
    if (!copy)
        return no_memory(job);
    for (int32_t t = 0; t < frames && st == KLDVE_OK; t++)
        st = add_frame(c, &grid, t, copy);
    kldve_ctx_release(job->ctx, copy);
    return st;
}

kldve_status kldve_coalitions_begin(const kldve_job *job, kldve_coalitions *c)
{
    size_t pixels = kldve_job_pixels(job);
    double side =
        job->options->window > 0 ? job->options->window : fmax(1, sqrt((double)pixels / PLAYERS));
    kldve_status st;

    memset(c, 0, sizeof *c);
    c->job = job;
    c->label = kldve_ctx_alloc(job->ctx, pixels, sizeof *c->label);
    if (!c->label)
        return no_memory(job);
    st = add_frames(c, side);
    if (st == KLDVE_OK && (c->players < 1 || c->players > MOST_PLAYERS))
        st = kldve_ctx_failf(job->ctx, KLDVE_E_ARG,
                             "%s: more than %d superpixels; choose a larger window",
                             job->method->name, MOST_PLAYERS);
    if (st < 0)
        kldve_coalitions_end(c);
    return st;
}

kldve_status kldve_coalitions_alloc(kldve_coalitions *c, size_t count)
{
    kldve_ctx *ctx = c->job->ctx;
    size_t players = (size_t)c->players;

    assert(c->players > 0 && count > 0 && !c->present);
    c->count = count;
    c->present = kldve_ctx_alloc(ctx, count, players * sizeof *c->present);
    c->value = kldve_ctx_alloc(ctx, count, 2 * sizeof *c->value);
    c->b = kldve_ctx_alloc(ctx, players, 2 * sizeof *c->b);
    if (!c->present || !c->value || !c->b)
        return no_memory(c->job);
    c->weight = c->value + count;
    c->error = c->b + players;
    return KLDVE_OK;
}

static void change(void *opaque, int64_t pass, float *input)
{
    const kldve_coalitions *c = opaque;
    const uint8_t *present = c->present + (size_t)pass * (size_t)c->players;
    size_t pixels = kldve_job_pixels(c->job);

    for (size_t channel = 0; channel < (size_t)c->job->shape->in_channels; channel++)
        for (size_t i = 0; i < pixels; i++)
            if (!present[c->label[i]])
                input[channel * pixels + i] = 0;
}

static void take(void *opaque, int64_t pass, const float *logits)
{
    const kldve_coalitions *c = opaque;

    c->value[pass] = kldve_job_score(c->job, logits, KLDVE_SCORE_PROBABILITY);
}

kldve_status kldve_coalitions_run(kldve_coalitions *c)
{
    kldve_repeat repeat = {(int64_t)c->count, false, c, change, take};

    assert(c->present && c->value);
    return kldve_job_repeat(c->job, &repeat);
}

void kldve_coalitions_paint(const kldve_coalitions *c, float *map)
{
    for (size_t i = 0; i < kldve_job_pixels(c->job); i++) {
        assert(c->label[i] >= 0 && c->label[i] < c->players);
        map[i] = (float)c->b[c->label[i]];
        if (c->job->error)
            c->job->error[i] = (float)c->error[c->label[i]];
    }
}

void kldve_coalitions_end(kldve_coalitions *c)
{
    kldve_ctx *ctx = c->job->ctx;

    kldve_ctx_release(ctx, c->b);
    kldve_ctx_release(ctx, c->value);
    kldve_ctx_release(ctx, c->present);
    kldve_ctx_release(ctx, c->label);
}
