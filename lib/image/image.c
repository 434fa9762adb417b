/* image.c - the picture object: pixels of its own, or the caller's. */
#include "codec.h"

#include <assert.h>
#include <string.h>

#include "base/ctx.h"
#include "base/float_env.h"
#include "base/limits.h"
#include "base/size.h"
#include "pixel_format.h"

size_t kldve_image_step(const kldve_image *image)
{
    assert(!image->borrowed);
    return image->layout.format == KLDVE_PIXEL_GREY ? 1 : 3;
}

kldve_status kldve_image_alloc_as(kldve_ctx *ctx, kldve_pixel_format format, int64_t width,
                                  int64_t height, kldve_image **out)
{
    const size_t step = format == KLDVE_PIXEL_GREY ? 1 : 3;
    kldve_image *image = NULL;
    size_t size;
    kldve_status st = kldve_image_check_size(ctx, width, height);

    assert(format == KLDVE_PIXEL_GREY || format == KLDVE_PIXEL_RGB);
    if (st < 0)
        return st;
    if (kldve_size_mul((size_t)width, (size_t)height, &size) && kldve_size_mul(size, step, &size) &&
        kldve_size_add(size, sizeof *image, &size))
        image = kldve_ctx_alloc(ctx, 1, size);
    if (!image)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for %jd x %jd pixels",
                               (intmax_t)width, (intmax_t)height);
    memset(image, 0, sizeof *image);
    image->ctx = ctx;
    image->width = (int32_t)width;
    image->height = (int32_t)height;
    image->layout = kldve_pixels_of((int32_t)format, image->width, image->height, image->pixels,
                                    (ptrdiff_t)step * (ptrdiff_t)width);
    *out = image;
    return KLDVE_OK;
}

kldve_status kldve_image_alloc(kldve_ctx *ctx, int64_t width, int64_t height, kldve_image **out)
{
    return kldve_image_alloc_as(ctx, KLDVE_PIXEL_RGB, width, height, out);
}

kldve_status kldve_image_admit(kldve_ctx *ctx, kldve_pixel_format format, int64_t width,
                               int64_t height, kldve_image **out)
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
    return kldve_image_alloc_as(ctx, format, width, height, out);
}

kldve_status kldve_image_new(kldve_ctx *ctx, int32_t width, int32_t height, kldve_image **out)
{
    kldve_image *image = NULL;
    kldve_status status;

    kldve_ctx_clear(ctx);
    if (!ctx || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "new picture: an argument is NULL");
    status = kldve_image_alloc(ctx, width, height, &image);
    if (status != KLDVE_OK)
        return status;
    memset(image->pixels, 0, 3 * (size_t)width * (size_t)height);
    *out = image;
    return KLDVE_OK;
}

/* The rectangle at x, y of `image` -> the pixels of `out`. */
static void copy_part(const kldve_image *image, int32_t x, int32_t y, uint8_t *room,
                      kldve_image *out)
{
    size_t row = 3 * (size_t)out->width;

    for (int32_t i = 0; i < out->height; i++)
        memcpy(out->pixels + (size_t)i * row, kldve_image_row(image, y + i, room) + 3 * (size_t)x,
               row);
}

/* The same of alpha, to one byte a pixel. */
static void copy_alpha(const kldve_image *image, int32_t x, int32_t y, uint8_t *room,
                       kldve_image *out)
{
    const size_t width = (size_t)out->width;

    for (int32_t i = 0; i < out->height; i++) {
        uint8_t *to = out->pixels + (size_t)i * width;

        kldve_image_alpha_row(image, y + i, room);
        for (size_t k = 0; k < width; k++)
            to[k] = room[3 * ((size_t)x + k)];
    }
}

static kldve_status copy(kldve_ctx *ctx, const kldve_image *image, const int32_t at[2],
                         const int32_t size[2], kldve_image **out)
{
    uint8_t *room = NULL;
    kldve_image *made = NULL;
    fenv_t host;
    kldve_status st = kldve_image_alloc(ctx, size[0], size[1], &made);

    if (st == KLDVE_OK && !(room = kldve_image_row_room(ctx, image)))
        st = kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for a row of pixels");
    kldve_float_env_enter(&host); /* pixels may be floats */
    if (st == KLDVE_OK)
        copy_part(image, at[0], at[1], room, made);
    if (st == KLDVE_OK && kldve_image_has_alpha(image) &&
        (st = kldve_image_alloc_as(ctx, KLDVE_PIXEL_GREY, size[0], size[1], &made->alpha)) ==
            KLDVE_OK)
        copy_alpha(image, at[0], at[1], room, made->alpha);
    kldve_float_env_leave(&host, st);
    kldve_ctx_release(ctx, room);
    return kldve_image_finish(st, made, out);
}

kldve_status kldve_image_crop(kldve_ctx *ctx, const kldve_image *image, int32_t x, int32_t y,
                              int32_t width, int32_t height, kldve_image **out)
{
    kldve_ctx_clear(ctx);
    if (!ctx || !image || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "crop: an argument is NULL");
    if (x < 0 || y < 0 || width < 1 || height < 1 || x > image->width - width ||
        y > image->height - height)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "cannot cut %d x %d pixels at (%d, %d) out of %d x %d", (int)width,
                               (int)height, (int)x, (int)y, (int)image->width, (int)image->height);
    return copy(ctx, image, (const int32_t[2]){x, y}, (const int32_t[2]){width, height}, out);
}

/* -- the caller's pixels ---------------------------------------------------------------------- */

kldve_status kldve_image_borrow(kldve_ctx *ctx, const kldve_pixels *pixels,
                                kldve_release_fn release, void *opaque, kldve_image **out)
{
    kldve_pixels layout;
    kldve_image *image;
    kldve_status st;

    if (!ctx || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "picture: the result is NULL");
    if ((st = kldve_pixels_load(ctx, "picture", pixels, &layout)) < 0)
        return st;
    image = kldve_ctx_alloc(ctx, 1, sizeof *image);
    if (!image)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for a picture");
    *image = (kldve_image){.ctx = ctx,
                           .width = layout.width,
                           .height = layout.height,
                           .layout = layout,
                           .borrowed = true,
                           .release = release,
                           .opaque = opaque};
    *out = image;
    return KLDVE_OK;
}

kldve_status kldve_image_from_pixels(kldve_ctx *ctx, const kldve_pixels *pixels, kldve_image **out)
{
    kldve_image *borrowed = NULL;
    kldve_status st = kldve_image_borrow(ctx, pixels, NULL, NULL, out ? &borrowed : NULL);

    if (st < 0)
        return st;
    st = copy(ctx, borrowed, (const int32_t[2]){0, 0},
              (const int32_t[2]){borrowed->width, borrowed->height}, out);
    kldve_image_free(borrowed);
    return st;
}

/* -- rows ------------------------------------------------------------------------------------- */

uint8_t *kldve_image_row_room(kldve_ctx *ctx, const kldve_image *image)
{
    return kldve_ctx_alloc(ctx, (size_t)image->width, 3);
}

const uint8_t *kldve_image_row(const kldve_image *image, int32_t y, uint8_t *room)
{
    const kldve_pixels *l = &image->layout;

    assert(y >= 0 && y < image->height);
    if (image->row) {
        image->row(image->opaque, y, room);
        return room;
    }
    if (l->format == KLDVE_PIXEL_RGB)
        return (const uint8_t *)l->plane[0] + y * l->stride[0];
    kldve_pixels_read(l, y, room);
    return room;
}

bool kldve_image_alpha_row(const kldve_image *image, int32_t y, uint8_t *room)
{
    if (image->alpha)
        kldve_pixels_read(&image->alpha->layout, y, room);
    else if (!kldve_pixels_read_alpha(&image->layout, y, room))
        return false;
    else
        for (size_t x = (size_t)image->width; x-- > 0;)
            room[3 * x] = room[3 * x + 1] = room[3 * x + 2] = room[x];
    return true;
}

static kldve_status check_read(kldve_ctx *ctx, const kldve_image *image, int32_t y,
                               const kldve_pixels *dest)
{
    const kldve_arrangement *a = kldve_arrangement_of(dest->format);

    if (a->yuv)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED, "read: cannot write %s, give RGB",
                               a->name);
    if (dest->width != image->width || y < 0 || y > image->height - dest->height)
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG, "read: cannot take %d rows of %d pixels from row %d of %d x %d",
            (int)dest->height, (int)dest->width, (int)y, (int)image->width, (int)image->height);
    return KLDVE_OK;
}

/* Rows from y on -> `to`; room for 6 bytes a pixel. */
static void read_rows(const kldve_image *image, int32_t y, uint8_t *room, const kldve_pixels *to)
{
    size_t width = (size_t)image->width;
    uint8_t *alpha = room + 3 * width;

    for (int32_t i = 0; i < to->height; i++) {
        bool has = kldve_image_alpha_row(image, y + i, alpha);

        for (size_t x = 0; has && x < width; x++)
            alpha[x] = alpha[3 * x];
        kldve_pixels_write(to, i, kldve_image_row(image, y + i, room), has ? alpha : NULL);
    }
}

kldve_status kldve_image_read(kldve_ctx *ctx, const kldve_image *image, int32_t y,
                              const kldve_pixels *dest)
{
    kldve_pixels to;
    uint8_t *room;
    fenv_t host;
    kldve_status st;

    if (!ctx || !image)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "read: the picture is NULL");
    if ((st = kldve_pixels_load(ctx, "read", dest, &to)) < 0 ||
        (st = check_read(ctx, image, y, &to)) < 0)
        return st;
    room = kldve_ctx_alloc(ctx, (size_t)image->width, 6);
    if (!room)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for a row of pixels");
    kldve_float_env_enter(&host); /* pixels may be floats */
    read_rows(image, y, room, &to);
    kldve_float_env_leave(&host, KLDVE_OK);
    kldve_ctx_release(ctx, room);
    return KLDVE_OK;
}

kldve_status kldve_image_finish(kldve_status status, kldve_image *image, kldve_image **out)
{
    if (status == KLDVE_OK)
        *out = image;
    else
        kldve_image_free(image);
    return status;
}

int32_t kldve_image_has_alpha(const kldve_image *image)
{
    return image &&
           (image->alpha || kldve_arrangement_of(image->layout.format)->component[3].step > 0);
}

int32_t kldve_image_orientation(const kldve_image *image)
{
    if (!image)
        return 0;
    return image->orientation > 0 ? image->orientation : 1;
}

int32_t kldve_image_width(const kldve_image *image)
{
    return image ? image->width : 0;
}

int32_t kldve_image_height(const kldve_image *image)
{
    return image ? image->height : 0;
}

kldve_status kldve_image_layout(const kldve_image *image, kldve_pixels *out)
{
    if (!image)
        return KLDVE_E_ARG;
    return kldve_struct_store(NULL, "kldve_pixels", &image->layout, sizeof image->layout, out);
}

const uint8_t *kldve_image_pixels(const kldve_image *image)
{
    if (!image || image->layout.format != KLDVE_PIXEL_RGB ||
        image->layout.stride[0] != 3 * (ptrdiff_t)image->width)
        return NULL;
    return image->layout.plane[0];
}

uint8_t *kldve_image_edit(kldve_image *image)
{
    return image && !image->borrowed && kldve_image_step(image) == 3 ? image->pixels : NULL;
}

void kldve_image_free(kldve_image *image)
{
    kldve_release_fn release;
    void *opaque;

    if (!image)
        return;
    release = image->release;
    opaque = image->opaque;
    kldve_image_free(image->alpha); /* which has none itself */
    kldve_ctx_release(image->ctx, image);
    if (release)
        release(opaque);
}
