/* occlusion.c - occlusion: M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional
 * Networks", ECCV 2014, arXiv:1311.2901, Section 4.2.
 *
 *     E_i = mean over windows w that cover pixel i of p(x) - p(x without w)
 *
 * p is the probability of the target, as in the paper; x without w is the input with zeros in the
 * window, which after normalisation is the mean colour.  (The paper's square is grey.)  By default
 * the window's side is a seventh of the input's shorter side, and the stride half the window.
 *
 * Cost: one forward pass per place, 169 with the defaults. */
#include <assert.h>
#include <string.h>

#include "methods.h"
#include "methods/parts/repeat.h"
#include "methods/parts/windows.h"

struct occlusion {
    const kldve_job *job;
    kldve_windows windows;
    double score; /* p(x) */
    double *drop; /* [places] */
};

static void change(void *opaque, int64_t pass, float *input)
{
    const struct occlusion *o = opaque;
    const kldve_windows *w = &o->windows;
    size_t pixels = kldve_job_pixels(o->job), width = (size_t)w->width;
    int32_t top, left;

    kldve_windows_place(w, pass, &top, &left);
    assert(top + w->height <= w->frames * w->in_height && left + w->width <= w->in_width);
    for (int32_t c = 0; c < o->job->shape->in_channels; c++)
        for (int32_t y = top; y < top + w->height; y++)
            memset(input + (size_t)c * pixels + (size_t)y * (size_t)w->in_width + (size_t)left, 0,
                   width * sizeof *input);
}

static void take(void *opaque, int64_t pass, const float *logits)
{
    const struct occlusion *o = opaque;

    o->drop[pass] = o->score - kldve_job_score(o->job, logits, KLDVE_SCORE_PROBABILITY);
}

static kldve_status map(const kldve_job *job, float *e)
{
    int32_t side = kldve_job_shorter_side(job);
    struct occlusion o = {job, kldve_windows_over(job, (side - 1) / 7 + 1, 2),
                          kldve_job_score(job, job->logits, KLDVE_SCORE_PROBABILITY), NULL};
    kldve_repeat repeat = {kldve_windows_count(&o.windows), false, &o, change, take};
    kldve_status st;

    o.drop = kldve_ctx_alloc(job->ctx, (size_t)repeat.total, sizeof *o.drop);
    if (!o.drop)
        return kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "occlusion: out of memory");
    st = kldve_job_repeat(job, &repeat);
    if (st == KLDVE_OK)
        kldve_windows_mean(&o.windows, o.drop, e);
    kldve_ctx_release(job->ctx, o.drop);
    return st;
}

const kldve_method kldve_method_occlusion = {
    .struct_size = sizeof(kldve_method),
    .name = "occlusion",
    .title = "Occlusion",
    .summary = "hides a window of the input and measures how far the probability falls",
    .source = "Zeiler and Fergus 2014, arXiv:1311.2901",
    .needs = KLDVE_NEED_FORWARDS,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .options = KLDVE_OPTION_WINDOW | KLDVE_OPTION_STRIDE | KLDVE_OPTION_TEMPERATURE,
};
