/* centre.c - a control, not an explanation: a blob in the middle, where photographers put what they
 * photograph.  After the baseline "Center" of J. Zhang et al., "Top-down Neural Attention by
 * Excitation Backprop", ECCV 2016, arXiv:1608.00507, which points at the middle of every picture.
 *
 *     E_yx = exp(-((y - (h - 1)/2) / (h/4))^2 / 2 - ((x - (w - 1)/2) / (w/4))^2 / 2)
 *
 * The deviation is a quarter of each side, at the size of the input; each frame of a film has a
 * blob. */
#include <math.h>

#include "methods.h"

/* One factor of the Gaussian: at place `at` of `size`. */
static float fall(int32_t at, int32_t size)
{
    double z = (at - (size - 1) / 2.0) / (size / 4.0);

    return (float)exp(-z * z / 2);
}

static kldve_status map(const kldve_job *job, float *e)
{
    int32_t height = kldve_job_frame_height(job), width = job->shape->in_width;

    for (int32_t x = 0; x < width; x++)
        e[x] = fall(x, width);
    for (int32_t y = job->shape->in_height - 1; y >= 0; y--) { /* the first row comes last */
        float row = fall(y % height, height);

        for (int32_t x = 0; x < width; x++)
            e[(size_t)y * (size_t)width + (size_t)x] = row * e[x];
    }
    return KLDVE_OK;
}

static const char *note(const kldve_options *options)
{
    (void)options;
    return "this map is a control that explains nothing: the same blob in the middle of every "
           "picture";
}

const kldve_method kldve_method_centre = {
    .struct_size = sizeof(kldve_method),
    .name = "centre",
    .title = "Centre",
    .summary = "draws a blob in the middle of the picture, a control",
    .source = "after Zhang et al. 2016, arXiv:1608.00507 (control)",
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .note = note,
    .flags = KLDVE_METHOD_CONTROL,
    .result_flags = kldve_job_class_indifferent,
};
