/* image.c - the picture object: [height][width] pixels of R, G and B. */
#include "codec.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/size.h"

static size_t nbytes_of(const kldve_image *image)
{
    return 3 * (size_t)image->width * (size_t)image->height; /* checked when it was allocated */
}

kldve_status kldve_image_alloc(kldve_ctx *ctx, int64_t width, int64_t height, kldve_image **out)
{
    kldve_image *image = NULL;
    size_t size;

    if (width < 1 || width > KLDVE_IMAGE_SIDE_MAX || height < 1 || height > KLDVE_IMAGE_SIDE_MAX)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "a picture of %jd x %jd pixels: both sides must be 1 to %d",
                               (intmax_t)width, (intmax_t)height, KLDVE_IMAGE_SIDE_MAX);
    if (kldve_size_mul((size_t)width, (size_t)height, &size) && kldve_size_mul(size, 3, &size) &&
        kldve_size_add(size, sizeof *image, &size))
        image = kldve_ctx_alloc(ctx, 1, size);
    if (!image)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for %jd x %jd pixels",
                               (intmax_t)width, (intmax_t)height);
    image->ctx = ctx;
    image->width = (int32_t)width;
    image->height = (int32_t)height;
    image->alpha = NULL;
    *out = image;
    return KLDVE_OK;
}

kldve_status kldve_image_admit(kldve_ctx *ctx, int64_t width, int64_t height, kldve_image **out)
{
    assert(width >= 0 && height >= 0);
    if (width > KLDVE_IMAGE_SIDE_MAX || height > KLDVE_IMAGE_SIDE_MAX)
        return kldve_ctx_failf(
            ctx, KLDVE_E_UNSUPPORTED,
            "%jd x %jd pixels, a side may have at most %d: make the picture smaller",
            (intmax_t)width, (intmax_t)height, KLDVE_IMAGE_SIDE_MAX);
    if (width * height > kldve_limit_of(ctx, KLDVE_LIMIT_PICTURE_PIXELS))
        return kldve_ctx_fail_limit(ctx, KLDVE_LIMIT_PICTURE_PIXELS, "%jd x %jd pixels",
                                    (intmax_t)width, (intmax_t)height);
    return kldve_image_alloc(ctx, width, height, out);
}

kldve_status kldve_image_new(kldve_ctx *ctx, int32_t width, int32_t height, kldve_image **out)
{
    kldve_image *image = NULL;
    kldve_status status;

    if (!ctx || !out)
        return KLDVE_E_ARG;
    status = kldve_image_alloc(ctx, width, height, &image);
    if (status != KLDVE_OK)
        return status;
    memset(image->pixels, 0, nbytes_of(image));
    *out = image;
    return KLDVE_OK;
}

/* Rows of `width` pixels, `stride` bytes apart, into a new picture. */
static kldve_status copy_rows(kldve_ctx *ctx, const uint8_t *rgb, int32_t width, int32_t height,
                              size_t stride, kldve_image **out)
{
    size_t row = 3 * (size_t)width;
    kldve_image *image = NULL;
    kldve_status status;

    status = kldve_image_alloc(ctx, width, height, &image);
    if (status != KLDVE_OK)
        return status;
    assert(stride >= row);
    for (size_t y = 0; y < (size_t)height; y++)
        memcpy(image->pixels + y * row, rgb + y * stride, row);
    *out = image;
    return KLDVE_OK;
}

kldve_status kldve_image_from_rgb(kldve_ctx *ctx, const uint8_t *rgb, int32_t width, int32_t height,
                                  size_t stride, kldve_image **out)
{
    if (!ctx || !out)
        return KLDVE_E_ARG;
    if (!rgb)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "no pixels (rgb is NULL)");
    if (width > 0 && stride / 3 < (size_t)width)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "the stride is %zu bytes, a row needs at least 3 * %d", stride,
                               (int)width);
    return copy_rows(ctx, rgb, width, height, stride, out);
}

kldve_status kldve_image_crop(kldve_ctx *ctx, const kldve_image *image, int32_t x, int32_t y,
                              int32_t width, int32_t height, kldve_image **out)
{
    kldve_image *crop = NULL;
    kldve_status status;
    size_t row, start;

    if (!ctx || !image || !out)
        return KLDVE_E_ARG;
    if (x < 0 || y < 0 || width < 1 || height < 1 || x > image->width - width ||
        y > image->height - height)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "cannot cut %d x %d pixels at (%d, %d) out of %d x %d", (int)width,
                               (int)height, (int)x, (int)y, (int)image->width, (int)image->height);
    row = 3 * (size_t)image->width;
    start = (size_t)y * row + 3 * (size_t)x;
    status = copy_rows(ctx, image->pixels + start, width, height, row, &crop);
    if (status == KLDVE_OK && image->alpha)
        status = kldve_image_crop(ctx, image->alpha, x, y, width, height, &crop->alpha);
    return kldve_image_finish(status, crop, out);
}

kldve_status kldve_image_finish(kldve_status status, kldve_image *image, kldve_image **out)
{
    if (status == KLDVE_OK)
        *out = image;
    else
        kldve_image_free(image);
    return status;
}

const kldve_image *kldve_image_alpha(const kldve_image *image)
{
    return image->alpha;
}

int32_t kldve_image_width(const kldve_image *image)
{
    return image->width;
}

int32_t kldve_image_height(const kldve_image *image)
{
    return image->height;
}

const uint8_t *kldve_image_pixels(const kldve_image *image)
{
    return image->pixels;
}

uint8_t *kldve_image_edit(kldve_image *image)
{
    return image->pixels;
}

void kldve_image_free(kldve_image *image)
{
    if (!image)
        return;
    kldve_image_free(image->alpha); /* which has none itself */
    kldve_ctx_release(image->ctx, image);
}
