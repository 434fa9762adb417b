/* card_input.c - how pictures become the input.  See card_parts.h. */
#include "card_parts.h"

#include <string.h>

/* input.shape is [batch, channels, height, width], of a film with frames behind the channels;
 * *channels is 0 if the card does not say. */
static kldve_status read_shape(const kx_card_reader *r, const kx_json *input, kldve_card *card,
                               int32_t *channels)
{
    const kx_json *shape = kx_card_get(input, "input.shape");
    int32_t dim[5];
    size_t count;

    *channels = 0;
    if (!shape)
        return KLDVE_OK;
    if (shape->kind != KX_JSON_LIST)
        return kx_card_wrong_type(r, "input.shape", "a list", shape);
    count = shape->count;
    if (count != 4 && count != 5)
        return kldve_ctx_failf(
            r->ctx, KLDVE_E_FORMAT,
            "%sinput.shape: must be [batch, channels, height, width], or [batch, "
            "channels, frames, height, width]",
            r->where);
    shape = shape->first;
    for (size_t i = 0; i < count; i++, shape = shape->next) {
        kldve_status status = kx_card_to_size(r, "input.shape", shape, &dim[i]);

        if (status != KLDVE_OK)
            return status;
    }
    *channels = dim[1];
    card->frames = count == 5 ? dim[2] : 0;
    card->height = dim[count - 2];
    card->width = dim[count - 1];
    return KLDVE_OK;
}

/* In the order of kldve_channels. */
static const struct {
    const char *name;
    int32_t channels;
} orders[] = {{"RGB", 3}, {"BGR", 3}, {"GRAY", 1}, {"GRAYA", 2}, {"RGBA", 4}, {"BGRA", 4}};

enum { ORDERS = sizeof orders / sizeof *orders };

/* The usual order of so many channels. */
static int32_t order_of(int32_t channels)
{
    return channels == 1   ? KLDVE_CHANNELS_GRAY
           : channels == 2 ? KLDVE_CHANNELS_GRAY_ALPHA
           : channels == 4 ? KLDVE_CHANNELS_RGB_ALPHA
                           : KLDVE_CHANNELS_RGB;
}

/* `shape_channels` is what input.shape says, 0 for nothing. */
static kldve_status read_channels(const kx_card_reader *r, const kx_json *input,
                                  int32_t shape_channels, int32_t *out)
{
    const char *name;
    kldve_status status = kx_card_get_string(r, input, "input.channels", &name);
    int32_t found = -1;

    if (status != KLDVE_OK)
        return status;
    if (!name)
        name = orders[order_of(shape_channels)].name;
    for (int32_t i = 0; i < ORDERS; i++)
        if (strcmp(name, orders[i].name) == 0)
            found = i;
    if (found < 0)
        return kldve_ctx_failf(
            r->ctx, KLDVE_E_FORMAT,
            "%sinput.channels: '%.40s' is not RGB, BGR, GRAY, GRAYA, RGBA or BGRA", r->where, name);
    if (shape_channels != 0 && shape_channels <= KLDVE_PICTURE_CHANNELS &&
        shape_channels != orders[found].channels)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.channels: %s does not fit the %d channels of input.shape",
                               r->where, name, (int)shape_channels);
    *out = found;
    return KLDVE_OK;
}

/* The number of a name, where name(0), name(1) ... are all of them; -1: there is no such name. */
static int32_t number_of(const char *text, const char *(*name)(int32_t))
{
    for (int32_t i = 0; name(i); i++)
        if (strcmp(name(i), text) == 0)
            return i;
    return -1;
}

/* input.pad: a colour, one number for each channel or one for all. */
static kldve_status read_pad(const kx_card_reader *r, const kx_json *input, int32_t channels,
                             kldve_input_spec *spec)
{
    float pad[KLDVE_PICTURE_CHANNELS] = {0};
    int32_t colours = channels % 2 == 0 ? channels - 1 : channels;
    kldve_status status;

    if (!kx_card_get(input, "input.pad"))
        return KLDVE_OK;
    if (spec->fit != KLDVE_FIT_PAD && spec->fit != KLDVE_FIT_PAD_END)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.pad: a colour, which goes with \"resize\": \"pad\" or "
                               "\"pad-end\" only",
                               r->where);
    if ((status = kx_card_get_channels(r, input, "input.pad", channels, pad)) != KLDVE_OK)
        return status;
    spec->pad_by_colour = 1;
    memcpy(spec->pad, pad, (size_t)colours * sizeof *pad);
    spec->alpha_pad = colours < channels ? pad[colours] : 0;
    return KLDVE_OK;
}

/* The keys "resize", "interpolation" and "pad". */
static kldve_status read_fit(const kx_card_reader *r, const kx_json *input, int32_t channels,
                             kldve_input_spec *spec)
{
    const char *fit, *interpolation;
    kldve_status status;

    if ((status = kx_card_get_string(r, input, "input.resize", &fit)) != KLDVE_OK ||
        (status = kx_card_get_string(r, input, "input.interpolation", &interpolation)) != KLDVE_OK)
        return status;
    spec->fit = fit ? number_of(fit, kldve_fit_name) : KLDVE_FIT_CROP;
    if (spec->fit < 0)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.resize: '%.40s' is not crop, squash, pad or pad-end",
                               r->where, fit);
    spec->interpolation = interpolation ? number_of(interpolation, kldve_interpolation_name)
                                        : KLDVE_INTERPOLATION_BILINEAR;
    if (spec->interpolation < 0)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.interpolation: '%.40s' is not bilinear, bicubic, lanczos, "
                               "nearest, box, hamming or bilinear-plain",
                               r->where, interpolation);
    return read_pad(r, input, channels, spec);
}

static kldve_status check_input(const kx_card_reader *r, const kldve_input_spec *spec,
                                const float *std, int32_t channels)
{
    if (!(spec->scale > 0))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sinput.scale: must be above 0", r->where);
    for (int32_t i = 0; i < channels; i++)
        if (!(std[i] > 0))
            return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sinput.std: must be above 0",
                                   r->where);
    if ((spec->fit == KLDVE_FIT_PAD || spec->fit == KLDVE_FIT_PAD_END) &&
        (spec->resize_shorter_side > 0 || spec->center_crop > 0))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.%s: does not go with \"resize\": \"%s\", which shows "
                               "the whole picture",
                               r->where,
                               spec->center_crop > 0 ? "center_crop" : "resize_shorter_side",
                               kldve_fit_name(spec->fit));
    if (spec->resize_shorter_side != 0 && spec->center_crop > spec->resize_shorter_side)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.center_crop: %d is more than resize_shorter_side, %d",
                               r->where, (int)spec->center_crop, (int)spec->resize_shorter_side);
    return KLDVE_OK;
}

/* Numbers of all channels, of which alpha is the last of an even number. */
static void set_channels(kldve_input_spec *spec, const float *mean, const float *std,
                         int32_t channels)
{
    int32_t colours = channels % 2 == 0 ? channels - 1 : channels;

    spec->std[0] = spec->std[1] = spec->std[2] = spec->alpha_std = 1;
    memcpy(spec->mean, mean, (size_t)colours * sizeof *mean);
    memcpy(spec->std, std, (size_t)colours * sizeof *std);
    if (colours < channels) {
        spec->alpha_mean = mean[colours];
        spec->alpha_std = std[colours];
    }
}

kldve_status kx_card_read_input(const kx_card_reader *r, const kx_json *input, kldve_card *card)
{
    kldve_input_spec *spec = &card->input;
    float mean[KLDVE_PICTURE_CHANNELS] = {0}, std[KLDVE_PICTURE_CHANNELS] = {1, 1, 1, 1};
    const kx_json *scale = kx_card_get(input, "input.scale");
    int32_t channels;
    kldve_status status;

    spec->struct_size = sizeof *spec;
    spec->scale = 1;
    if ((status = read_shape(r, input, card, &channels)) != KLDVE_OK ||
        (status = read_channels(r, input, channels, &spec->channels)) != KLDVE_OK)
        return status;
    channels = orders[spec->channels].channels;
    if (scale && (status = kx_card_to_float(r, "input.scale", scale, &spec->scale)) != KLDVE_OK)
        return status;
    if ((status = kx_card_get_channels(r, input, "input.mean", channels, mean)) != KLDVE_OK ||
        (status = kx_card_get_channels(r, input, "input.std", channels, std)) != KLDVE_OK ||
        (status = kx_card_get_size(r, input, "input.resize_shorter_side",
                                   &spec->resize_shorter_side)) != KLDVE_OK ||
        (status = kx_card_get_size(r, input, "input.center_crop", &spec->center_crop)) !=
            KLDVE_OK ||
        (status = read_fit(r, input, channels, spec)) != KLDVE_OK)
        return status;
    set_channels(spec, mean, std, channels);
    return check_input(r, spec, std, channels);
}
