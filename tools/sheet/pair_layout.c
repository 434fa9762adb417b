/* pair_layout.c - two pictures beside each other: sizes, and the pictures themselves. */
#include <math.h>
#include <string.h>

#include "pair_parts.h"

enum { LEAST_WIDTH = 280 /* of one picture: some 40 letters above it */ };

static pair_layout lay_out(int32_t width, int32_t height)
{
    pair_layout l = {.width = width, .height = height};

    l.font = fmax(12, width / 28.0);
    l.margin = (int32_t)l.font;
    l.head = (int32_t)ceil(3.3 * l.font);
    l.foot = (int32_t)ceil(2.2 * l.font);
    l.right = width + 2 * l.margin;
    l.whole_width = 2 * width + 3 * l.margin;
    l.whole_height = l.head + height + l.foot;
    return l;
}

static void paste(const kldve_image *picture, int32_t left, int32_t top, kldve_image *to)
{
    size_t width = (size_t)kldve_image_width(picture), height = (size_t)kldve_image_height(picture);
    const uint8_t *from = kldve_image_pixels(picture);
    uint8_t *rows = kldve_image_edit(to);

    for (size_t y = 0; y < height; y++)
        memcpy(rows + 3 * (((size_t)top + y) * (size_t)kldve_image_width(to) + (size_t)left),
               from + 3 * y * width, 3 * width);
}

/* A copy of the wanted size, or none where it has that. */
static kldve_status fit(kldve_ctx *ctx, const kldve_image *picture, const pair_layout *l,
                        kldve_image **copy)
{
    if (kldve_image_width(picture) == l->width && kldve_image_height(picture) == l->height)
        return KLDVE_OK;
    return kldve_image_resize(ctx, picture, l->width, l->height, copy);
}

kldve_status pair_draw(kldve_ctx *ctx, const kldve_image *left, const kldve_image *right,
                       const pair_text *text, kldve_image **out)
{
    int32_t width = kldve_image_width(left), height = kldve_image_height(left);
    int32_t times = width < LEAST_WIDTH ? (LEAST_WIDTH + width - 1) / width : 1;
    kldve_image *a = NULL, *b = NULL, *whole = NULL;
    pair_layout l;
    kldve_status status;

    if ((int64_t)height * times > 65000 || width > 32000)
        times = 1;
    l = lay_out(width * times, height * times);
    status = kldve_image_new(ctx, l.whole_width, l.whole_height, &whole);
    if (status == KLDVE_OK)
        status = fit(ctx, left, &l, &a);
    if (status == KLDVE_OK)
        status = fit(ctx, right, &l, &b);
    if (status == KLDVE_OK) {
        memset(kldve_image_edit(whole), 255, 3 * (size_t)l.whole_width * (size_t)l.whole_height);
        paste(a ? a : left, l.margin, l.head, whole);
        paste(b ? b : right, l.right, l.head, whole);
        status = pair_write(ctx, &l, text, whole);
    }
    kldve_image_free(a);
    kldve_image_free(b);
    if (status == KLDVE_OK)
        *out = whole;
    else
        kldve_image_free(whole);
    return status;
}
