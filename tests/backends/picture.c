/* picture.c - see picture.h. */
#include "picture.h"

kldve_image *picture_noise(kldve_ctx *ctx, int32_t width, int32_t height)
{
    kldve_image *image = NULL;
    uint64_t seed = 2;
    uint8_t *rgb;

    assert_int_equal(kldve_image_new(ctx, width, height, &image), KLDVE_OK);
    rgb = kldve_image_edit(image);
    for (int32_t i = 0; i < 3 * width * height; i++)
        rgb[i] = (uint8_t)(40 + 200 * test_random(&seed));
    return image;
}

kldve_explainer *picture_explainer(kldve_ctx *ctx, const tiny_config *config)
{
    kldve_explainer *ex = NULL;

    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, config, &ex), KLDVE_OK);
    return ex;
}
