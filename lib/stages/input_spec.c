/* input_spec.c - how a picture becomes the network's input, checked and completed. */
#include "preprocess.h"

#include <math.h>

enum { SIDE_MAX = 65535 };

static const char *const fit_names[] = {"crop", "squash", "pad", "pad-end"};

const char *kldve_fit_name(int32_t fit)
{
    return fit >= 0 && fit <= KLDVE_FIT_PAD_END ? fit_names[fit] : NULL;
}

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

int32_t kldve_input_spec_colours(const kldve_input_spec *spec)
{
    return spec->channels == KLDVE_CHANNELS_GRAY || spec->channels == KLDVE_CHANNELS_GRAY_ALPHA ? 1
                                                                                                : 3;
}

static bool has_alpha(const kldve_input_spec *spec)
{
    return spec->channels >= KLDVE_CHANNELS_GRAY_ALPHA;
}

int32_t kldve_input_spec_channels(const kldve_input_spec *spec)
{
    return kldve_input_spec_colours(spec) + has_alpha(spec);
}

bool kldve_input_spec_pads(const kldve_input_spec *spec)
{
    return spec->fit == KLDVE_FIT_PAD || spec->fit == KLDVE_FIT_PAD_END;
}

int32_t kldve_frame_height(const kldve_shape *shape)
{
    return shape->in_height / (shape->in_frames > 1 ? shape->in_frames : 1);
}

int32_t kldve_shorter_side(const kldve_shape *shape)
{
    int32_t height = kldve_frame_height(shape);

    return height < shape->in_width ? height : shape->in_width;
}

static kldve_status check_sizes(kldve_ctx *ctx, const kldve_shape *shape, const kldve_input_spec *s)
{
    int32_t side = s->resize_shorter_side ? s->resize_shorter_side : kldve_shorter_side(shape);

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

/* How the picture is fitted in. */
static kldve_status check_fit(kldve_ctx *ctx, const kldve_input_spec *s)
{
    if (!kldve_fit_name(s->fit))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "input: unknown fit %d", (int)s->fit);
    if (!kldve_interpolation_name(s->interpolation))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "input: unknown interpolation %d",
                               (int)s->interpolation);
    if (kldve_input_spec_pads(s) && (s->resize_shorter_side > 0 || s->center_crop > 0))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "input: the fit %s shows the whole picture: resize_shorter_side and "
                               "center_crop do not go with it",
                               kldve_fit_name(s->fit));
    if (s->pad_by_colour && !kldve_input_spec_pads(s))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "input: a colour of the padding changes nothing with the fit %s",
                               kldve_fit_name(s->fit));
    if (!isfinite(s->pad[0]) || !isfinite(s->pad[1]) || !isfinite(s->pad[2]) ||
        !isfinite(s->alpha_pad))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "input: pad must be finite");
    return KLDVE_OK;
}

/* scale, mean and std: 0 as what it stands for. */
static kldve_status load_values(kldve_ctx *ctx, kldve_input_spec *s)
{
    s->scale = s->scale == 0 ? 1 : s->scale;
    for (int c = 0; c < 3; c++) {
        s->std[c] = s->std[c] == 0 ? 1 : s->std[c];
        if (!isfinite(s->scale) || !isfinite(s->mean[c]) || !isfinite(s->std[c]))
            return kldve_ctx_fail(ctx, KLDVE_E_ARG, "input: scale, mean and std must be finite");
    }
    s->alpha_std = s->alpha_std == 0 ? 1 : s->alpha_std;
    if (!isfinite(s->alpha_mean) || !isfinite(s->alpha_std))
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "input: alpha_mean and alpha_std must be finite");
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
    if (kldve_input_spec_channels(&s) != shape->in_channels &&
        shape->in_channels <= KLDVE_PICTURE_CHANNELS)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "input: %s%s for a network whose input has %d channels",
                               kldve_input_spec_colours(&s) == 1 ? "grey" : "three colours",
                               has_alpha(&s) ? " and alpha" : "", (int)shape->in_channels);
    if ((st = check_sizes(ctx, shape, &s)) < 0 || (st = check_fit(ctx, &s)) < 0 ||
        (st = load_values(ctx, &s)) < 0)
        return st;
    *dst = s;
    return KLDVE_OK;
}
