/* edges.c - a control, not an explanation: the edges of the picture.  J. Adebayo et al., "Sanity
 * Checks for Saliency Maps", NeurIPS 2018, arXiv:1810.03292, found maps of some methods to be
 * hardly more; S. Hooker et al. 2019, arXiv:1806.10758, use Sobel's filter as a control, as here.
 *
 *     E = sqrt((S * l)^2 + (S^T * l)^2),   S = [-1 0 1; -2 0 2; -1 0 1] (I. Sobel, 1968)
 *
 * l is the mean over the channels of the input as the network sees it, because a method does not
 * know which of them are which colour.  Beyond the border l goes on as at the border; each frame of
 * a film is a picture of its own. */
#include <math.h>

#include "methods.h"

static void mean_of_channels(const kldve_job *job, float *l)
{
    size_t pixels = kldve_job_pixels(job);
    int32_t channels = job->shape->in_channels;

    for (size_t i = 0; i < pixels; i++) {
        double sum = 0;

        for (int32_t c = 0; c < channels; c++)
            sum += (double)job->input[(size_t)c * pixels + i];
        l[i] = (float)(sum / channels);
    }
}

static size_t within(size_t at, int step, size_t size)
{
    if ((step < 0 && at == 0) || (step > 0 && at == size - 1))
        return at;
    return step < 0 ? at - 1 : at + (size_t)step;
}

static float sobel(const float *l, size_t height, size_t width, size_t y, size_t x)
{
    const size_t rows[3] = {within(y, -1, height), y, within(y, 1, height)};
    const size_t columns[3] = {within(x, -1, width), x, within(x, 1, width)};
    double across = 0, down = 0;

    for (int i = 0; i < 3; i++) {
        int weight = i == 1 ? 2 : 1;
        const float *row = l + rows[i] * width;

        across += weight * ((double)row[columns[2]] - (double)row[columns[0]]);
        down += weight *
                ((double)l[rows[2] * width + columns[i]] - (double)l[rows[0] * width + columns[i]]);
    }
    return (float)sqrt(across * across + down * down);
}

static kldve_status map(const kldve_job *job, float *e)
{
    size_t height = (size_t)kldve_job_frame_height(job), width = (size_t)job->shape->in_width;
    size_t frames = (size_t)kldve_job_frames(job);
    float *l = kldve_ctx_alloc(job->ctx, kldve_job_pixels(job), sizeof *l);

    if (!l)
        return kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "edges: out of memory");
    mean_of_channels(job, l);
    for (size_t t = 0; t < frames; t++)
        for (size_t i = 0; i < height * width; i++)
            e[t * height * width + i] =
                sobel(l + t * height * width, height, width, i / width, i % width);
    kldve_ctx_release(job->ctx, l);
    return KLDVE_OK;
}

static const char *note(const kldve_options *options)
{
    (void)options;
    return "this map is a control that explains nothing: the edges of the picture, whatever the "
           "network";
}

const kldve_method kldve_method_edges = {
    .struct_size = sizeof(kldve_method),
    .name = "edges",
    .title = "Edges",
    .summary = "shows the edges of the picture by Sobel's filter, a control",
    .source = "Adebayo et al. 2018, arXiv:1810.03292 (control)",
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
    .note = note,
    .flags = KLDVE_METHOD_CONTROL,
    .result_flags = kldve_job_class_indifferent,
};
