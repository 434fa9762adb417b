/* hosted.c - see hosted.h. */
#include "hosted.h"

#include <math.h>
#include <string.h>

kldve_status explain(fixture *f, const char *method, uint64_t flags, kldve_heatmap **map)
{
    kldve_options o = {.struct_size = sizeof o, .method = method, .flags = flags};

    return kldve_explain_input(f->ex, f->input, &o, map);
}

static kldve_status first_map(const kldve_job *job, double *weights)
{
    assert_non_null(job->features);
    assert_null(job->gradient);
    weights[0] = *(const double *)job->method->opaque;
    for (int32_t m = 1; m < job->shape->maps; m++)
        weights[m] = 0;
    return KLDVE_OK;
}

static const double one = 1;

const kldve_method map_0 = {
    .struct_size = sizeof(kldve_method),
    .name = "map-0",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES,
    .opaque = &one,
    .weights = first_map,
};

/* Occlusion: how much the target's logit drops when the pixels under a cell are 0. */
kldve_status occlude(const kldve_job *job, float *map)
{
    float input[CHANNELS * PIXELS], logits[CLASSES];
    kldve_status st;

    for (int32_t cell = 0; cell < CELLS; cell++) {
        memcpy(input, job->input, sizeof input);
        for (int32_t c = 0; c < CHANNELS; c++)
            for (int32_t y = 0; y < TINY_PATCH; y++)
                memset(input + c * PIXELS + (cell / W * TINY_PATCH + y) * IN_W +
                           cell % W * TINY_PATCH,
                       0, TINY_PATCH * sizeof *input);
        if ((st = kldve_ctx_progress(job->ctx, "occlusion", cell, CELLS)) < 0 ||
            (st = kldve_job_forward(job, input, logits)) < 0)
            return st;
        map[cell] = job->logits[job->target] - logits[job->target];
    }
    return KLDVE_OK;
}

const kldve_method occlusion = {
    .struct_size = sizeof(kldve_method),
    .name = "cell-occlusion",
    .source = "this test",
    .needs = KLDVE_NEED_FORWARDS | KLDVE_NEED_GRADIENT, /* the gradient to see it come back */
    .map = occlude,
};

/* The largest magnitude over the channels. */
static kldve_status saliency_map(const kldve_job *job, float *map)
{
    float t[CLASSES] = {0}, g[CHANNELS * PIXELS];
    kldve_status st;

    t[job->target] = 1;
    if ((st = kldve_job_vjp_input(job, t, KLDVE_RULE_GRADIENT, g)) < 0)
        return st;
    for (int32_t i = 0; i < PIXELS; i++) {
        map[i] = 0;
        for (int32_t c = 0; c < CHANNELS; c++)
            map[i] = fmaxf(map[i], fabsf(g[c * PIXELS + i]));
    }
    return KLDVE_OK;
}

const kldve_method saliency = {
    .struct_size = sizeof(kldve_method),
    .name = "pixel-saliency",
    .source = "this test",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = saliency_map,
};

/* Ablation-CAM's weight: how much the logit drops without the map. */
static kldve_status ablate(const kldve_job *job, double *weights)
{
    float x[MAPS * CELLS], logits[CLASSES];
    kldve_status st;

    for (int32_t m = 0; m < MAPS; m++) {
        memcpy(x, job->features, sizeof x);
        memset(x + m * CELLS, 0, CELLS * sizeof *x);
        if ((st = kldve_job_forward_features(job, x, logits)) < 0)
            return st;
        weights[m] = (double)(job->logits[job->target] - logits[job->target]);
    }
    return KLDVE_OK;
}

const kldve_method ablation = {
    .struct_size = sizeof(kldve_method),
    .name = "map-ablation",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_FEATURE_FORWARDS,
    .weights = ablate,
};

void check_pixel_map(const char *method)
{
    fixture f;
    kldve_record r = {.struct_size = sizeof r};
    kldve_heatmap *map = NULL;

    fixture_open(&f, &tiny_backend);
    assert_int_equal(explain(&f, method, KLDVE_FLAG_CHECK, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_string_equal(r.method, method);
    assert_int_equal(r.height, IN_H);
    assert_int_equal(r.width, IN_W);
    assert_false(r.flags & KLDVE_RESULT_FLAT);
    assert_true(r.class_sensitivity > 0);
    kldve_heatmap_free(map);
    fixture_close(&f);
}
