/* full_grad.c - FullGrad: S. Srinivas and F. Fleuret, "Full-Gradient Representation for Neural
 * Network Visualization", NeurIPS 2019, arXiv:1905.00780.
 *
 *     E = sum over c of psi(g * x)_c + sum over units b, c of up(psi(b * G_b)_c)
 *     psi(v) = (|v| - min |v|) / (max |v| - min |v| + 1e-6), over all maps of v
 *
 * g: gradient of the target's score at the input x; G_b: at the output of the unit with bias b;
 * up: bilinear to the size of the input, the corner cells over the corner pixels.  This follows the
 * authors' code, which also leaves out dense layers, because they have no place in the picture.  If
 * a unit merges a bias with a normalisation after it, psi sees the two biases as one. */
#include "methods.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static const float MARGIN = 1e-6f;

typedef struct sums {
    const kldve_job *job;
    float *e;
} sums;

/* m[i] = sum over maps of psi(v)_i, where v = factor * g; factor [maps][factor_cells], with 1 cell
 * (a bias) or as many as g [maps][cells]. */
static void psi_sum(const float *factor, size_t factor_cells, const float *g, size_t maps,
                    size_t cells, float *m)
{
    float least = INFINITY, most = 0, scale;

    assert(factor_cells == 1 || factor_cells == cells);
    memset(m, 0, cells * sizeof *m);
    for (size_t c = 0; c < maps; c++)
        for (size_t i = 0; i < cells; i++) {
            size_t at = factor_cells == 1 ? c : c * cells + i;
            float v = fabsf(factor[at] * g[c * cells + i]);

            m[i] += v;
            least = fminf(least, v);
            most = fmaxf(most, v);
        }
    scale = 1 / (most - least + MARGIN);
    for (size_t i = 0; i < cells; i++)
        m[i] = (m[i] - (float)maps * least) * scale;
}

/* Where pixel i of n falls between the first and the last of `cells` cells. */
static size_t locate(int32_t i, int32_t n, int32_t cells, float *fraction)
{
    double s = n > 1 ? (double)i * (double)(cells - 1) / (double)(n - 1) : 0;
    size_t first = (size_t)s;

    assert(i >= 0 && i < n && first < (size_t)cells);
    *fraction = (float)(s - (double)first);
    return first;
}

/* e += part * m [height][width] at the size of one frame of the input. */
static void add_upsampled(const kldve_job *job, float part, const float *m, int32_t height,
                          int32_t width, float *e)
{
    const kldve_shape *shape = job->shape;
    int32_t rows = kldve_job_frame_height(job);

    for (int32_t y = 0; y < rows; y++) {
        float down, right, *row = e + (size_t)y * (size_t)shape->in_width;
        size_t y0 = locate(y, rows, height, &down);
        const float *top = m + y0 * (size_t)width;
        const float *bottom = y0 + 1 < (size_t)height ? top + width : top;

        for (int32_t x = 0; x < shape->in_width; x++) {
            size_t x0 = locate(x, shape->in_width, width, &right);
            size_t x1 = x0 + (x0 + 1 < (size_t)width);

            row[x] += part * ((1 - down) * ((1 - right) * top[x0] + right * top[x1]) +
                              down * ((1 - right) * bottom[x0] + right * bottom[x1]));
        }
    }
}

/* The same for all frames of a film. */
static void add_film(const sums *s, const float *m, int32_t frames, int32_t height, int32_t width)
{
    int32_t in_frames = kldve_job_frames(s->job);
    size_t pixels = kldve_job_pixels(s->job) / (size_t)in_frames;
    size_t cells = (size_t)height * (size_t)width;

    for (int32_t t = 0; t < in_frames; t++) {
        float later, *e = s->e + (size_t)t * pixels;
        size_t first = locate(t, in_frames, frames, &later);

        add_upsampled(s->job, 1 - later, m + first * cells, height, width, e);
        if (later > 0)
            add_upsampled(s->job, later, m + (first + 1) * cells, height, width, e);
    }
}

static kldve_status add_unit(void *opaque, const kldve_bias_gradient *unit)
{
    const sums *s = opaque;
    size_t cells = (size_t)unit->height * (size_t)unit->width;
    int32_t frames = unit->frames > 1 ? unit->frames : 1;
    float *m;

    if (unit->dense)
        return KLDVE_OK;
    m = kldve_ctx_alloc(s->job->ctx, cells, sizeof *m);
    if (!m)
        return kldve_ctx_fail(s->job->ctx, KLDVE_E_NOMEM, "full-grad: out of memory");
    psi_sum(unit->bias, 1, unit->gradient, (size_t)unit->maps, cells, m);
    add_film(s, m, frames, unit->height / frames, unit->width);
    kldve_ctx_release(s->job->ctx, m);
    return KLDVE_OK;
}

static kldve_status map(const kldve_job *job, float *e)
{
    size_t channels = (size_t)job->shape->in_channels, pixels = kldve_job_pixels(job);
    float *at_input = kldve_ctx_alloc(job->ctx, (channels + 1) * pixels, sizeof *at_input);
    sums s = {job, e};
    kldve_status st;
    float *m;

    if (!at_input)
        return kldve_ctx_fail(job->ctx, KLDVE_E_NOMEM, "full-grad: out of memory");
    memset(e, 0, pixels * sizeof *e);
    st = kldve_job_vjp_biases(job, job->cotangent, at_input, add_unit, &s);
    if (st == KLDVE_OK) {
        m = at_input + channels * pixels;
        psi_sum(job->input, pixels, at_input, channels, pixels, m);
        for (size_t i = 0; i < pixels; i++)
            e[i] += m[i];
    }
    kldve_ctx_release(job->ctx, at_input);
    return st;
}

const kldve_method kldve_method_full_grad = {
    .struct_size = sizeof(kldve_method),
    .name = "full-grad",
    .title = "Full-Grad",
    .summary = "adds up gradient times input and gradient times bias over all layers",
    .source = "Srinivas and Fleuret 2019, NeurIPS, arXiv:1905.00780",
    .needs = KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_BIAS_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = map,
};
