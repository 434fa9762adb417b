/* preprocess.c - a picture becomes the network's input.
 *
 *     crop     shorter side s to S, longer side l to floor(l S / s)
 *     squash   each side to its own size
 *     pad      both sides times r = min(W / w, H / h), rounded, at least 1
 *                                                              resized by image/resample.c
 *     window   w x h at  x = round((W' - w) / 2),  y = round((H' - h) / 2), halves to even;
 *              of a padded picture it is the input and begins above and left of the picture, by
 *              floor((W - W') / 2) and floor((H - H') / 2), or with it (pad-end)
 *     value    (pixel * scale - mean_c) / std_c,   channels in the order of the specification
 *     padding  0, or the value of the pixel `pad`
 *     grey     ITU-R 601 luma                                          (image/pixel_rows.c)
 *
 * Rounding follows torchvision's Resize and CenterCrop, Pillow's convert("L") and, for pad, the
 * letterbox of YOLO, so that a network sees here what it saw in training. */
#include "preprocess.h"

#include "image/resample.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SIDE_MAX = 65535 };

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
                               "to %jd x %jd; crop it first, or pad or squash it",
                               (intmax_t)width, (intmax_t)height, (intmax_t)out[0],
                               (intmax_t)out[1]);
    return KLDVE_OK;
}

/* How a picture that is not of the network's size becomes one that is. */
typedef struct cut {
    int64_t size[2];             /* resized to: width, height */
    int32_t x, y, width, height; /* of which this window is taken; with padding it reaches beyond */
} cut;

static kldve_status plan_crop(kldve_ctx *ctx, int32_t width, int32_t height,
                              const kldve_input_spec *spec, const kldve_shape *shape, cut *out)
{
    int32_t side =
        spec->resize_shorter_side ? spec->resize_shorter_side : kldve_shorter_side(shape);

    out->width = spec->center_crop ? spec->center_crop : shape->in_width;
    out->height = spec->center_crop ? spec->center_crop : kldve_frame_height(shape);
    if (spec->fit == KLDVE_FIT_SQUASH) {
        out->size[0] = (int64_t)side * shape->in_width / kldve_shorter_side(shape);
        out->size[1] = (int64_t)side * kldve_frame_height(shape) / kldve_shorter_side(shape);
    } else {
        kldve_status st = resized(ctx, width, height, side, out->width, out->height, out->size);

        if (st < 0)
            return st;
    }
    /* A side of a squashed picture that the window does not fit in. */
    out->size[0] = out->size[0] < out->width ? out->width : out->size[0];
    out->size[1] = out->size[1] < out->height ? out->height : out->size[1];
    out->x = crop_start((int32_t)out->size[0], out->width);
    out->y = crop_start((int32_t)out->size[1], out->height);
    return KLDVE_OK;
}

static void plan_pad(int32_t width, int32_t height, const kldve_input_spec *spec,
                     const kldve_shape *shape, cut *out)
{
    double across = (double)shape->in_width / width;
    double down = (double)kldve_frame_height(shape) / height, ratio = fmin(across, down);

    out->width = shape->in_width;
    out->height = kldve_frame_height(shape);
    out->size[0] = (int64_t)fmax(round(width * ratio), 1);
    out->size[1] = (int64_t)fmax(round(height * ratio), 1);
    out->x = spec->fit == KLDVE_FIT_PAD_END ? 0 : -((out->width - (int32_t)out->size[0]) / 2);
    out->y = spec->fit == KLDVE_FIT_PAD_END ? 0 : -((out->height - (int32_t)out->size[1]) / 2);
}

static kldve_status plan_cut(kldve_ctx *ctx, int32_t width, int32_t height,
                             const kldve_input_spec *spec, const kldve_shape *shape, cut *out)
{
    if (!kldve_input_spec_pads(spec))
        return plan_crop(ctx, width, height, spec, shape, out);
    plan_pad(width, height, spec, shape, out);
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
    return width == shape->in_width && height == kldve_frame_height(shape);
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

/* The part of the picture that the network sees, at its size without the padding; the caller owns
 * *out. */
static kldve_status fit(kldve_ctx *ctx, const kldve_image *picture, const kldve_input_spec *spec,
                        const kldve_shape *shape, const cut *c, kldve_image **out)
{
    bool pads = kldve_input_spec_pads(spec);
    int32_t width = (int32_t)c->size[0], height = (int32_t)c->size[1];
    const kldve_resized window = {.width = width,
                                  .height = height,
                                  .x = pads ? 0 : c->x,
                                  .y = pads ? 0 : c->y,
                                  .window_width = pads ? width : c->width,
                                  .window_height = pads ? height : c->height};
    kldve_image *crop = NULL;
    kldve_status st = kldve_image_resize_window(ctx, picture, spec->interpolation, &window, &crop);

    if (st < 0 || pads || is_input_size(shape, c->width, c->height)) {
        *out = crop;
        return st;
    }
    st = kldve_image_resize_by(ctx, crop, spec->interpolation, shape->in_width,
                               kldve_frame_height(shape), out);
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
    int32_t colours = kldve_input_spec_colours(spec);

    for (int32_t c = 0; c <= colours; c++) {
        float mean = c < colours ? spec->mean[c] : spec->alpha_mean;
        float std = c < colours ? spec->std[c] : spec->alpha_std;

        for (int p = 0; p < 256; p++)
            v->of[c][p] = ((float)p * spec->scale - mean) / std;
    }
}

/* One frame of an input, or a part of it.  Channels lie `plane` values apart, rows `stride`. */
typedef struct target {
    float *at;
    size_t plane, stride;
} target;

/* A row of pixels, alpha behind the colours -> the channels at `to`. */
static void row_to_input(const uint8_t *pixels, size_t count, const kldve_input_spec *spec,
                         const values *v, size_t plane, float *to)
{
    bool reversed =
        spec->channels == KLDVE_CHANNELS_BGR || spec->channels == KLDVE_CHANNELS_BGR_ALPHA;
    int32_t colours = kldve_input_spec_colours(spec), step = colours + 1;

    for (int32_t c = 0; c < kldve_input_spec_channels(spec); c++) {
        const uint8_t *at = pixels + (reversed && c < colours ? 2 - c : c);

        for (size_t i = 0; i < count; i++, at += step)
            to[(size_t)c * plane + i] = v->of[c][*at];
    }
}

/* All of a picture, some rows at a time, whatever format it lies in. */
static kldve_status to_input(kldve_ctx *ctx, const kldve_image *picture,
                             const kldve_input_spec *spec, const target *to)
{
    enum { STRIP = 16 };
    int32_t width = kldve_image_width(picture), height = kldve_image_height(picture);
    int32_t colours = kldve_input_spec_colours(spec);
    int32_t format = colours == 1 ? KLDVE_PIXEL_GREY_ALPHA : KLDVE_PIXEL_RGBA;
    size_t row = (size_t)width * (size_t)(colours + 1);
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
        for (int32_t i = 0; st == KLDVE_OK && i < rows; i++)
            row_to_input(room + (size_t)i * row, (size_t)width, spec, &v, to->plane,
                         to->at + (size_t)(y + i) * to->stride);
    }
    kldve_ctx_release(ctx, room);
    return st;
}

/* All of a frame becomes padding, [channels][count]. */
static void pad(const kldve_input_spec *spec, const target *frame, size_t count)
{
    int32_t colours = kldve_input_spec_colours(spec);

    for (int32_t c = 0; c < kldve_input_spec_channels(spec); c++) {
        float level = c < colours ? spec->pad[c] : spec->alpha_pad;
        float mean = c < colours ? spec->mean[c] : spec->alpha_mean;
        float std = c < colours ? spec->std[c] : spec->alpha_std;
        float value = spec->pad_by_colour ? (level * spec->scale - mean) / std : 0;

        for (size_t i = 0; i < count; i++)
            frame->at[(size_t)c * frame->plane + i] = value;
    }
}

static kldve_status preprocess_one(kldve_ctx *ctx, const kldve_image *picture,
                                   const kldve_input_spec *spec, const kldve_shape *shape,
                                   const target *frame, kldve_view *view)
{
    target to = *frame;
    kldve_image *fitted = NULL;
    kldve_status st;
    cut c;

    if (is_input_size(shape, kldve_image_width(picture), kldve_image_height(picture))) {
        *view = (kldve_view){0, 0, 1, 1};
        return to_input(ctx, picture, spec, frame);
    }
    if ((st = plan_cut(ctx, kldve_image_width(picture), kldve_image_height(picture), spec, shape,
                       &c)) < 0)
        return st;
    *view = view_of(&c);
    if ((st = fit(ctx, picture, spec, shape, &c, &fitted)) < 0)
        return st;
    if (kldve_input_spec_pads(spec)) {
        pad(spec, frame, frame->stride * (size_t)kldve_frame_height(shape));
        to.at += (size_t)-c.y * frame->stride + (size_t)-c.x;
    }
    st = to_input(ctx, fitted, spec, &to);
    kldve_image_free(fitted);
    return st;
}

kldve_status kldve_preprocess(kldve_ctx *ctx, const kldve_image *const *pictures,
                              const kldve_input_spec *spec, const kldve_shape *shape, float *input,
                              kldve_view *view)
{
    int32_t frames = shape->in_frames > 1 ? shape->in_frames : 1;
    size_t count = (size_t)shape->in_width * (size_t)kldve_frame_height(shape);
    target to = {input, count * (size_t)frames, (size_t)shape->in_width};
    kldve_status st = KLDVE_OK;

    if (shape->in_channels != kldve_input_spec_channels(spec))
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
        to.at = input + (size_t)t * count;
        st = preprocess_one(ctx, pictures[t], spec, shape, &to, view);
    }
    return st;
}
