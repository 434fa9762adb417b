/* preprocess.c - a picture becomes the network's input.
 *
 *     resize   shorter side s to S, longer side l to floor(l S / s)      (image/resize.c)
 *     crop     w x h at  x = round((W' - w) / 2),  y = round((H' - h) / 2), halves to even
 *     value    (pixel * scale - mean_c) / std_c,   channels in the order of the specification
 *     grey     (19595 R + 38470 G + 7471 B + 2^15) / 2^16, rounded down: ITU-R 601 luma in 16 bits
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

static uint8_t grey_of(const uint8_t *rgb)
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >> 16);
}

static void fill_table(float scale, float mean, float std, float value[256])
{
    for (int v = 0; v < 256; v++)
        value[v] = ((float)v * scale - mean) / std;
}

/* The alpha of `picture`; opaque where it has none. */
static void alpha_to_input(const kldve_image *picture, size_t count, const kldve_input_spec *spec,
                           float *input)
{
    const kldve_image *alpha = kldve_image_alpha(picture);
    float value[256];

    fill_table(spec->scale, spec->alpha_mean, spec->alpha_std, value);
    for (size_t i = 0; i < count; i++)
        input[i] = value[alpha ? kldve_image_pixels(alpha)[3 * i] : 255];
}

/* Pixels -> input [channels][count], channels `plane` values apart, through a table of the 256
 * values. */
static void to_input(const kldve_image *picture, size_t count, const kldve_input_spec *spec,
                     size_t plane, float *input)
{
    const uint8_t *rgb = kldve_image_pixels(picture);
    bool reversed =
        spec->channels == KLDVE_CHANNELS_BGR || spec->channels == KLDVE_CHANNELS_BGR_ALPHA;
    int32_t colours = is_grey(spec) ? 1 : 3;
    float value[256];

    for (int32_t c = 0; c < colours; c++) {
        const uint8_t *at = rgb + (reversed ? 2 - c : c);

        fill_table(spec->scale, spec->mean[c], spec->std[c], value);
        if (colours == 1)
            for (size_t i = 0; i < count; i++)
                input[i] = value[grey_of(rgb + 3 * i)];
        else
            for (size_t i = 0; i < count; i++)
                input[(size_t)c * plane + i] = value[at[3 * i]];
    }
    if (has_alpha(spec))
        alpha_to_input(picture, count, spec, input + (size_t)colours * plane);
}

/* One frame; `plane`: values of all frames of a channel. */
static kldve_status preprocess_one(kldve_ctx *ctx, const kldve_image *picture,
                                   const kldve_input_spec *spec, const kldve_shape *shape,
                                   float *input, kldve_view *view)
{
    size_t plane = (size_t)shape->in_width * (size_t)shape->in_height;
    size_t count = (size_t)shape->in_width * (size_t)height_of(shape);
    kldve_image *fitted = NULL;
    kldve_status st;

    if (is_input_size(shape, kldve_image_width(picture), kldve_image_height(picture))) {
        *view = (kldve_view){0, 0, 1, 1};
        to_input(picture, count, spec, plane, input);
        return KLDVE_OK;
    }
    if ((st = fit(ctx, picture, spec, shape, &fitted, view)) < 0)
        return st;
    to_input(fitted, count, spec, plane, input);
    kldve_image_free(fitted);
    return KLDVE_OK;
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
