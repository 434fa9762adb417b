#include "picture.h"

/* The part that the network sees, at its size. */
static kldve_status fit(kldve_ctx *ctx, const kldve_image *photo, const kldve_input_spec *spec,
                        const kldve_shape *shape, kldve_image **out)
{
    int64_t width = kldve_image_width(photo), height = kldve_image_height(photo);
    int64_t shorter = width < height ? width : height;
    int32_t crop_width = spec->center_crop ? spec->center_crop : shape->in_width;
    int32_t crop_height = spec->center_crop ? spec->center_crop : shape->in_height;
    int32_t side = spec->resize_shorter_side  ? spec->resize_shorter_side
                   : crop_width < crop_height ? crop_width
                                              : crop_height;
    kldve_image *resized = NULL, *cut = NULL;
    kldve_status status;

    width = width * side / shorter;
    height = height * side / shorter;
    status = kldve_image_resize(ctx, photo, (int32_t)width, (int32_t)height, &resized);
    if (status == KLDVE_OK)
        status =
            kldve_image_crop(ctx, resized, ((int32_t)width - crop_width) / 2,
                             ((int32_t)height - crop_height) / 2, crop_width, crop_height, &cut);
    if (status == KLDVE_OK)
        status = kldve_image_resize(ctx, cut, shape->in_width, shape->in_height, out);
    kldve_image_free(resized);
    kldve_image_free(cut);
    return status;
}

kldve_status picture_to_input(kldve_ctx *ctx, const kldve_image *photo,
                              const kldve_input_spec *spec, const kldve_shape *shape,
                              int32_t channel_axis, float *input)
{
    int32_t pixels = shape->in_height * shape->in_width;
    float scale = spec->scale == 0 ? 1 : spec->scale;
    kldve_image *fitted = NULL;
    kldve_status status = fit(ctx, photo, spec, shape, &fitted);

    if (status != KLDVE_OK)
        return status;
    for (int32_t c = 0; c < 3; c++) {
        int32_t from = spec->channels == KLDVE_CHANNELS_BGR ? 2 - c : c;
        float std = spec->std[c] == 0 ? 1 : spec->std[c];

        for (int32_t i = 0; i < pixels; i++) {
            float value =
                ((float)kldve_image_pixels(fitted)[3 * i + from] * scale - spec->mean[c]) / std;

            input[channel_axis == 1 ? c * pixels + i : 3 * i + c] = value;
        }
    }
    kldve_image_free(fitted);
    return KLDVE_OK;
}
