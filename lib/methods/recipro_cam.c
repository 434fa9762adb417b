/* recipro_cam.c - Recipro-CAM: S.-Y. Byun and W. Lee, "Recipro-CAM: Fast gradient-free visual
 * explanations for convolutional neural networks", 2022, arXiv:2209.14074, Section 3, with its
 * Gaussian mask.
 *
 *     E_i = f(x * M_i),   M_i = 1/16 [1 2 1; 2 4 2; 1 2 1] around cell i, 0 elsewhere
 *
 * f is the probability of the target given these feature maps, as in the authors' code; the mask
 * is cut at the border.
 *
 * Cost: for each cell, one pass of the network from the layer on. */
#include <assert.h>
#include <stdlib.h>

#include "methods.h"
#include "methods/parts/repeat.h"

struct recipro_cam {
    const kldve_job *job;
    float *e; /* [cells] */
};

static float mask(int32_t dy, int32_t dx)
{
    static const float weight[2][2] = {{4 / 16.0f, 2 / 16.0f}, {2 / 16.0f, 1 / 16.0f}};

    return abs(dy) > 1 || abs(dx) > 1 ? 0 : weight[abs(dy)][abs(dx)];
}

static void change(void *opaque, int64_t pass, float *features)
{
    const struct recipro_cam *s = opaque;
    int32_t height = s->job->shape->height, width = s->job->shape->width;
    int32_t frame = height / (s->job->shape->frames > 1 ? s->job->shape->frames : 1);
    int32_t row = (int32_t)(pass / width), column = (int32_t)(pass % width);

    assert(pass >= 0 && row < height);
    for (size_t m = 0; m < kldve_job_maps(s->job); m++)
        for (int32_t y = 0; y < height; y++)
            for (int32_t x = 0; x < width; x++)
                *features++ *= y / frame == row / frame ? mask(y - row, x - column) : 0;
}

static void take(void *opaque, int64_t pass, const float *logits)
{
    const struct recipro_cam *s = opaque;

    s->e[pass] = (float)kldve_job_score(s->job, logits, KLDVE_SCORE_PROBABILITY);
}

static kldve_status map(const kldve_job *job, float *e)
{
    struct recipro_cam s = {job, e};
    kldve_repeat repeat = {(int64_t)kldve_job_cells(job), true, &s, change, take};

    return kldve_job_repeat(job, &repeat);
}

const kldve_method kldve_method_recipro_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "recipro-cam",
    .title = "Recipro-CAM",
    .summary =
        "keeps one neighbourhood of the layer at a time and shows the probability that is left",
    .source = "Byun and Lee 2022, arXiv:2209.14074",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_FEATURE_FORWARDS,
    .map = map,
    .options = KLDVE_OPTION_TEMPERATURE,
};
