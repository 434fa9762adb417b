/* score_cam.c - Score-CAM: H. Wang et al., "Score-CAM: Score-Weighted Visual Explanations for
 * Convolutional Neural Networks", CVPR Workshops 2020, arXiv:1910.01279, Algorithm 1.
 *
 *     H_m = s(up(x_m)),   s(v) = (v - min v) / (max v - min v),   up: bilinear to the input's size
 *     S_m = f(X * H_m) - f(X_b)
 *     a   = softmax(S),   E = ReLU(sum over m of a_m x_m)
 *
 * f is the logit of the target, X the input.  The baseline f(X_b) is the same for every map and
 * does not change the softmax, so it is not computed.  A constant map, usually one that is 0
 * everywhere, has no H; its weight is 0 and it costs no pass.
 *
 * Cost: one forward pass per map that is not constant. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "methods.h"
#include "methods/parts/repeat.h"

struct score_cam {
    const kldve_job *job;
    size_t *live;    /* [repeat.total] of [maps]: the maps that are not constant */
    float *mask;     /* [pixels] */
    double *weights; /* [maps] */
};

static void range(const float *x, size_t count, float *low, float *high)
{
    assert(count > 0);
    *low = *high = x[0];
    for (size_t i = 1; i < count; i++) {
        *low = fminf(*low, x[i]);
        *high = fmaxf(*high, x[i]);
    }
}

static void change(void *opaque, int64_t pass, float *input)
{
    const struct score_cam *s = opaque;
    const kldve_shape *shape = s->job->shape;
    size_t pixels = kldve_job_pixels(s->job);
    float low, high, scale;

    assert(s->live[pass] < kldve_job_maps(s->job));
    kldve_job_upsample(s->job, s->job->features + s->live[pass] * kldve_job_cells(s->job), s->mask);
    range(s->mask, pixels, &low, &high);
    scale = high > low ? 1 / (high - low) : 0;
    for (size_t c = 0; c < (size_t)shape->in_channels; c++)
        for (size_t i = 0; i < pixels; i++)
            input[c * pixels + i] *= (s->mask[i] - low) * scale;
}

static void take(void *opaque, int64_t pass, const float *logits)
{
    const struct score_cam *s = opaque;

    s->weights[s->live[pass]] = kldve_job_score(s->job, logits, KLDVE_SCORE_LOGIT);
}

static int64_t find_live(const struct score_cam *s)
{
    size_t cells = kldve_job_cells(s->job);
    int64_t count = 0;

    for (size_t m = 0; m < kldve_job_maps(s->job); m++) {
        float low, high;

        range(s->job->features + m * cells, cells, &low, &high);
        if (high > low)
            s->live[count++] = m;
    }
    return count;
}

/* In place, over the live maps; the others are already 0. */
static void softmax(const struct score_cam *s, int64_t count)
{
    double largest = -INFINITY, sum = 0;

    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, s->weights[s->live[i]]);
    for (int64_t i = 0; i < count; i++) {
        double *w = &s->weights[s->live[i]];

        *w = exp(*w - largest);
        sum += *w;
    }
    for (int64_t i = 0; i < count; i++)
        s->weights[s->live[i]] /= sum;
}

static kldve_status weights(const kldve_job *job, double *a)
{
    size_t maps = kldve_job_maps(job);
    struct score_cam s = {job, kldve_ctx_alloc(job->ctx, maps, sizeof *s.live),
                          kldve_ctx_alloc(job->ctx, kldve_job_pixels(job), sizeof *s.mask), a};
    kldve_repeat repeat = {0, false, &s, change, take};
    kldve_status st;

    memset(a, 0, maps * sizeof *a);
    if (s.live && s.mask) {
        repeat.total = find_live(&s);
        st = kldve_job_repeat(job, &repeat);
    } else {
        st = kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "score-cam: out of memory");
    }
    if (st == KLDVE_OK)
        softmax(&s, repeat.total);
    kldve_ctx_release(job->ctx, s.mask);
    kldve_ctx_release(job->ctx, s.live);
    return st;
}

const kldve_method kldve_method_score_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "score-cam",
    .title = "Score-CAM",
    .summary = "weights each feature map by the score of the input masked with it",
    .source = "Wang et al. 2020, arXiv:1910.01279",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_FORWARDS,
    .weights = weights,
};
