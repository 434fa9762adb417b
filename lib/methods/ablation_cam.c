/* ablation_cam.c - Ablation-CAM: S. Desai and H. G. Ramaswamy, "Ablation-CAM: Visual Explanations
 * for Deep Convolutional Network via Gradient-free Localization", WACV 2020, Eq. 5 and 6.
 *
 *     a_m = (y - y_m) / |y|,   E = ReLU(sum over m of a_m x_m)
 *
 * y is the logit of the target, y_m the same with every cell of map m set to 0.  The paper divides
 * by y itself, which flips the map's sign where y is negative; here a feature map in favour of the
 * target stays positive.  |y| is a factor that the normalisation removes, so it is left out.  A map
 * that is 0 everywhere has weight 0 and costs no pass.
 *
 * Cost: for each other map, one pass of the network from the layer on. */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "methods.h"
#include "methods/parts/repeat.h"

struct ablation_cam {
    const kldve_job *job;
    size_t *live;    /* [repeat.total] of [maps]: the maps that are not 0 everywhere */
    double *weights; /* [maps] */
    double score;    /* y */
};

static void change(void *opaque, int64_t pass, float *features)
{
    const struct ablation_cam *s = opaque;
    size_t cells = kldve_job_cells(s->job);

    assert(s->live[pass] < kldve_job_maps(s->job));
    memset(features + s->live[pass] * cells, 0, cells * sizeof *features);
}

static void take(void *opaque, int64_t pass, const float *logits)
{
    const struct ablation_cam *s = opaque;

    s->weights[s->live[pass]] = s->score - kldve_job_score(s->job, logits, KLDVE_SCORE_LOGIT);
}

static int64_t find_live(const struct ablation_cam *s)
{
    size_t cells = kldve_job_cells(s->job);
    int64_t count = 0;

    for (size_t m = 0; m < kldve_job_maps(s->job); m++) {
        const float *x = s->job->features + m * cells;
        bool on = false;

        for (size_t i = 0; i < cells; i++)
            on |= x[i] < 0 || x[i] > 0;
        if (on)
            s->live[count++] = m;
    }
    return count;
}

static kldve_status weights(const kldve_job *job, double *a)
{
    size_t maps = kldve_job_maps(job);
    struct ablation_cam s = {job, kldve_ctx_alloc(job->ctx, maps, sizeof *s.live), a,
                             kldve_job_score(job, job->logits, KLDVE_SCORE_LOGIT)};
    kldve_repeat repeat = {0, true, &s, change, take};
    kldve_status st;

    if (!s.live)
        return kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "ablation-cam: out of memory");
    memset(a, 0, maps * sizeof *a);
    repeat.total = find_live(&s);
    st = kldve_job_repeat(job, &repeat);
    kldve_ctx_release(job->ctx, s.live);
    return st;
}

const kldve_method kldve_method_ablation_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "ablation-cam",
    .title = "Ablation-CAM",
    .summary = "weights each feature map by how far the score falls without it",
    .source = "Desai and Ramaswamy 2020, WACV",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_FEATURE_FORWARDS,
    .weights = weights,
};
