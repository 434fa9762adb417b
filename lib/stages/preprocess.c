/* preprocess.c - a picture becomes the network's input.
 *
 *     resize   shorter side s to S, longer side l to floor(l S / s)      (image/resample.c)
 *     crop     w x h at  x = round((W' - w) / 2),  y = round((H' - h) / 2), halves to even
 *     value    (pixel * scale - mean_c) / std_c,   channels in the order of the specification
 *     grey     ITU-R 601 luma                                          (image/pixel_rows.c)
 *
 * Rounding follows torchvision's Resize and CenterCrop and Pillow's convert("L"), so that a network
 * sees here what it saw in training. */
#include "preprocess.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SIDE_MAX = 65535 };

/* -- the specification ------------------------------------------------------------------------ */

/* Of a network without a specification. */
static int32_t usual_order(int32_t channels)
{
    return channels == 1   ? KLDVE_CHANNELS_GRAY
           : channels == 2 ? KLDVE_CHANNELS_GRAY_ALPHA
           : channels == 4 ? KLDVE_CHANNELS_RGB_ALPHA
                           : KLDVE_CHANNELS_RGB;
}

void kldve_input_spec_default(const kldve_shape *shape, kldve_input_spec *spec)
{
    *spec = (kldve_input_spec){
        .struct_size = sizeof *spec,
        .channels = usual_order(shape->in_channels),
        .scale = 1,
        .std = {1, 1, 1},
        .alpha_std = 1,
    };
}

static bool is_grey(const kldve_input_spec *spec)
{
    return spec->channels == KLDVE_CHANNELS_GRAY || spec->channels == KLDVE_CHANNELS_GRAY_ALPHA;
}

static bool has_alpha(const kldve_input_spec *spec)
{
    return spec->channels >= KLDVE_CHANNELS_GRAY_ALPHA;
}

static int32_t channels_of(const kldve_input_spec *spec)
{
    return (is_grey(spec) ? 1 : 3) + has_alpha(spec);
}

/* Of one frame. */
static int32_t height_of(const kldve_shape *shape)
{
    return shape->in_height / (shape->in_frames > 1 ? shape->in_frames : 1);
}

static int32_t shorter_side(const kldve_shape *shape)
{
    return height_of(shape) < shape->in_width ? height_of(shape) : shape->in_width;
}

static kldve_status check_sizes(kldve_ctx *ctx, const kldve_shape *shape, const kldve_input_spec *s)
{
    int32_t side = s->resize_shorter_side ? s->resize_shorter_side : shorter_side(shape);

    if (s->resize_shorter_side < 0 || s->resize_shorter_side > SIDE_MAX)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "input: resize_shorter_side is %d, it must be 0 to %d",
                               (int)s->resize_shorter_side, SIDE_MAX);
    if (s->center_crop < 0 || s->center_crop > side)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "input: center_crop is %d, it must be 0 to %d, the shorter side",
                               (int)s->center_crop, (int)side);
    return KLDVE_OK;
}

kldve_status kldve_input_spec_load(kldve_ctx *ctx, const kldve_shape *shape,
                                   const kldve_input_spec *src, kldve_input_spec *dst)
{
    kldve_input_spec s;
    kldve_status st = kldve_struct_load(ctx, "kldve_input_spec", src, &s, sizeof s);

    if (st < 0)
        return st;
    if (s.channels < KLDVE_CHANNELS_RGB || s.channels > KLDVE_CHANNELS_BGR_ALPHA)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "input: unknown channel order %d",
                               (int)s.channels);
    if (channels_of(&s) != shape->in_channels && shape->in_channels <= KLDVE_PICTURE_CHANNELS)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "input: %s%s for a network whose input has %d channels",
                               is_grey(&s) ? "grey" : "three colours",
                               has_alpha(&s) ? " and alpha" : "", (int)shape->in_channels);
    if ((st = check_sizes(ctx, shape, &s)) < 0)
        return st;
    s.scale = s.scale == 0 ? 1 : s.scale;
    for (int c = 0; c < 3; c++) {
        s.std[c] = s.std[c] == 0 ? 1 : s.std[c];
        if (!isfinite(s.scale) || !isfinite(s.mean[c]) || !isfinite(s.std[c]))
            return kldve_ctx_fail(ctx, KLDVE_E_ARG, "input: scale, mean and std must be finite");
    }
    s.alpha_std = s.alpha_std == 0 ? 1 : s.alpha_std;
    if (!isfinite(s.alpha_mean) || !isfinite(s.alpha_std))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "input: alpha_mean and alpha_std must be finite");
    *dst = s;
    return KLDVE_OK;
}

/* -- the picture ------------------------------------------------------------------------------ */

/* round(difference / 2), halves to the even neighbour. */
static int32_t crop_start(int32_t outer, int32_t inner)
{
    int32_t difference = outer - inner, half = difference / 2;

    assert(difference >= 0);
    return difference % 2 ? half + half % 2 : half;
}

/* The size after resizing: the shorter side as specified, enlarged if a non-square crop would not
 * fit. */
static kldve_status resized(kldve_ctx *ctx, int64_t width, int64_t height, int64_t side,
                            int64_t crop_width, int64_t crop_height, int64_t out[2])
{
    int64_t shorter = width < height ? width : height;

    assert(shorter > 0 && side > 0 && crop_width > 0 && crop_height > 0);
    out[0] = width == shorter ? side : side * width / height;
    out[1] = height == shorter ? side : side * height / width;
    if (out[0] < crop_width) {
        out[0] = crop_width;
        out[1] = crop_width * height / width;
    }
    if (out[1] < crop_height) {
        out[1] = crop_height;
        out[0] = crop_height * width / height;
    }
    if (out[0] > SIDE_MAX || out[1] > SIDE_MAX)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "a picture of %jd x %jd pixels is too narrow: it would be resized "
                               "to %jd x %jd; crop it first",
                               (intmax_t)width, (intmax_t)height, (intmax_t)out[0],
                               (intmax_t)out[1]);
    return KLDVE_OK;
}

/* How a picture that is not of the network's size becomes one that is. */
typedef struct cut {
    int64_t size[2];             /* resized to: width, height */
    int32_t x, y, width, height; /* of which this part is taken */
} cut;

static kldve_status plan_cut(kldve_ctx *ctx, int32_t width, int32_t height,
                             const kldve_input_spec *spec, const kldve_shape *shape, cut *out)
{
    int32_t side = spec->resize_shorter_side ? spec->resize_shorter_side : shorter_side(shape);
    kldve_status st;

    out->width = spec->center_crop ? spec->center_crop : shape->in_width;
    out->height = spec->center_crop ? spec->center_crop : height_of(shape);
    if ((st = resized(ctx, width, height, side, out->width, out->height, out->size)) < 0)
        return st;
    out->x = crop_start((int32_t)out->size[0], out->width);
    out->y = crop_start((int32_t)out->size[1], out->height);
    return KLDVE_OK;
}

static kldve_view view_of(const cut *c)
{
    float width = (float)c->size[0], height = (float)c->size[1];

    return (kldve_view){(float)c->x / width, (float)c->y / height, (float)c->width / width,
                        (float)c->height / height};
}

static bool is_input_size(const kldve_shape *shape, int32_t width, int32_t height)
{
    return width == shape->in_width && height == height_of(shape);
}

kldve_status kldve_preprocess_view(kldve_ctx *ctx, int32_t width, int32_t height,
                                   const kldve_input_spec *spec, const kldve_shape *shape,
                                   kldve_view *view)
{
    cut c;
    kldve_status st;

    if (is_input_size(shape, width, height)) {
        *view = (kldve_view){0, 0, 1, 1};
        return KLDVE_OK;
    }
    if ((st = plan_cut(ctx, width, height, spec, shape, &c)) == KLDVE_OK)
        *view = view_of(&c);
    return st;
}

/* The part of the picture that the network sees, at its size; the caller owns *out. */
static kldve_status fit(kldve_ctx *ctx, const kldve_image *picture, const kldve_input_spec *spec,
                        const kldve_shape *shape, kldve_image **out, kldve_view *view)
{
    kldve_image *whole = NULL, *crop = NULL;
    cut c;
    kldve_status st =
        plan_cut(ctx, kldve_image_width(picture), kldve_image_height(picture), spec, shape, &c);

    if (st < 0)
        return st;
    *view = view_of(&c);
    if ((st = kldve_image_resize(ctx, picture, (int32_t)c.size[0], (int32_t)c.size[1], &whole)) < 0)
        return st;
    st = kldve_image_crop(ctx, whole, c.x, c.y, c.width, c.height, &crop);
    kldve_image_free(whole);
    if (st < 0 || is_input_size(shape, c.width, c.height)) {
        *out = crop;
        return st;
    }
    st = kldve_image_resize(ctx, crop, shape->in_width, height_of(shape), out);
    kldve_image_free(crop);
    return st;
}

/* The input's value for each value of a pixel: of the colours in the order of the network, then of
 * alpha. */
typedef struct values {
    float of[KLDVE_PICTURE_CHANNELS][256];
} values;

static void fill_values(const kldve_input_spec *spec, values *v)
{
    int32_t colours = is_grey(spec) ? 1 : 3;

    for (int32_t c = 0; c <= colours; c++) {
        float mean = c < colours ? spec->mean[c] : spec->alpha_mean;
        float std = c < colours ? spec->std[c] : spec->alpha_std;

        for (int p = 0; p < 256; p++)
            v->of[c][p] = ((float)p * spec->scale - mean) / std;
    }
}

/* Pixels, alpha behind the colours -> the channels, which lie `plane` values apart. */
static void strip_to_input(const uint8_t *pixels, size_t count, const kldve_input_spec *spec,
                           const values *v, size_t plane, float *input)
{
    bool reversed =
        spec->channels == KLDVE_CHANNELS_BGR || spec->channels == KLDVE_CHANNELS_BGR_ALPHA;
    int32_t colours = is_grey(spec) ? 1 : 3, step = colours + 1;

    for (int32_t c = 0; c < channels_of(spec); c++) {
        const uint8_t *at = pixels + (reversed && c < colours ? 2 - c : c);

        for (size_t i = 0; i < count; i++, at += step)
            input[(size_t)c * plane + i] = v->of[c][*at];
    }
}

/* A picture of the network's size, some rows at a time, whatever format it lies in. */
static kldve_status to_input(kldve_ctx *ctx, const kldve_image *picture,
                             const kldve_input_spec *spec, size_t plane, float *input)
{
    enum { STRIP = 16 };
    int32_t width = kldve_image_width(picture), height = kldve_image_height(picture);
    int32_t format = is_grey(spec) ? KLDVE_PIXEL_GREY_ALPHA : KLDVE_PIXEL_RGBA;
    uint8_t *room = kldve_ctx_alloc(ctx, (size_t)width, KLDVE_PICTURE_CHANNELS * STRIP);
    kldve_status st = KLDVE_OK;
    values v;

    if (!room)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for rows of pixels");
    fill_values(spec, &v);
    for (int32_t y = 0; st == KLDVE_OK && y < height; y += STRIP) {
        int32_t rows = height - y < STRIP ? height - y : STRIP;
        kldve_pixels strip = kldve_pixels_of(format, width, rows, room, 0);

        st = kldve_image_read(ctx, picture, y, &strip);
        if (st == KLDVE_OK)
            strip_to_input(room, (size_t)width * (size_t)rows, spec, &v, plane,
                           input + (size_t)y * (size_t)width);
    }
    kldve_ctx_release(ctx, room);
    return st;
}

/* One frame; `plane`: values of all frames of a channel. */
static kldve_status preprocess_one(kldve_ctx *ctx, const kldve_image *picture,
                                   const kldve_input_spec *spec, const kldve_shape *shape,
                                   float *input, kldve_view *view)
{
    size_t plane = (size_t)shape->in_width * (size_t)shape->in_height;
    kldve_image *fitted = NULL;
    kldve_status st;

    if (is_input_size(shape, kldve_image_width(picture), kldve_image_height(picture))) {
        *view = (kldve_view){0, 0, 1, 1};
        return to_input(ctx, picture, spec, plane, input);
    }
    if ((st = fit(ctx, picture, spec, shape, &fitted, view)) < 0)
        return st;
    st = to_input(ctx, fitted, spec, plane, input);
    kldve_image_free(fitted);
    return st;
}

kldve_status kldve_preprocess(kldve_ctx *ctx, const kldve_image *const *pictures,
                              const kldve_input_spec *spec, const kldve_shape *shape, float *input,
                              kldve_view *view)
{
    int32_t frames = shape->in_frames > 1 ? shape->in_frames : 1;
    size_t count = (size_t)shape->in_width * (size_t)height_of(shape);
    kldve_status st = KLDVE_OK;

    if (shape->in_channels != channels_of(spec))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "the network's input has %d channels, a picture has 1 to 4: give an "
                               "array (.npy, kldve_explain_input())",
                               (int)shape->in_channels);
    for (int32_t t = 0; st == KLDVE_OK && t < frames; t++) {
        if (kldve_image_width(pictures[t]) != kldve_image_width(pictures[0]) ||
            kldve_image_height(pictures[t]) != kldve_image_height(pictures[0]))
            return kldve_ctx_failf(
                ctx, KLDVE_E_ARG,
                "frame %d has %d x %d pixels, frame 0 has %d x %d: all frames of "
                "a film must be of one size",
                (int)t, (int)kldve_image_width(pictures[t]), (int)kldve_image_height(pictures[t]),
                (int)kldve_image_width(pictures[0]), (int)kldve_image_height(pictures[0]));
        st = preprocess_one(ctx, pictures[t], spec, shape, input + (size_t)t * count, view);
    }
    return st;
}
