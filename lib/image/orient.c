/* orient.c - turn a picture upright.
 *
 * EXIF 2.3, tag 0x0112, says which sides of the scene the first row and the first column of the
 * stored picture show:
 *
 *     orientation       1     2     3      4       5     6      7       8
 *     first row         top   top   bottom bottom  left  right  right   left
 *     first column      left  right right  left    top   top    bottom  bottom
 *
 * From 5 upwards, rows and columns are swapped.  An axis that starts with the right or the bottom
 * is read from its end. */
#include "codec.h"

#include <assert.h>

enum { TILE = 32 };

/* Swapped pictures are copied in tiles: whole columns would miss the cache at every pixel. */
static void copy(const uint8_t *from, ptrdiff_t step_x, ptrdiff_t step_y, kldve_image *out)
{
    const size_t step = kldve_image_step(out);

    for (int32_t y0 = 0; y0 < out->height; y0 += TILE)
        for (int32_t x0 = 0; x0 < out->width; x0 += TILE)
            for (int32_t y = y0; y < out->height && y < y0 + TILE; y++) {
                uint8_t *to = out->pixels + step * ((size_t)y * (size_t)out->width + (size_t)x0);
                const uint8_t *at = from + x0 * step_x + y * step_y;

                for (int32_t x = x0; x < out->width && x < x0 + TILE;
                     x++, at += step_x, to += step) {
                    to[0] = at[0];
                    if (step == 1)
                        continue;
                    to[1] = at[1];
                    to[2] = at[2];
                }
            }
}

kldve_status kldve_image_orient(const kldve_image *image, int32_t orientation, kldve_image **out)
{
    bool swap = orientation >= 5;
    bool right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    ptrdiff_t column = (ptrdiff_t)kldve_image_step(image), row = column * image->width;
    const uint8_t *from = image->pixels;
    kldve_image *result;
    kldve_status status;

    assert(orientation >= 2 && orientation <= 8);
    status = kldve_image_alloc_as(image->ctx, (kldve_pixel_format)image->layout.format,
                                  swap ? image->height : image->width,
                                  swap ? image->width : image->height, &result);
    if (status != KLDVE_OK)
        return status;
    if (right) {
        from += (image->width - 1) * column;
        column = -column;
    }
    if (bottom) {
        from += (image->height - 1) * row;
        row = -row;
    }
    copy(from, swap ? row : column, swap ? column : row, result);
    if (image->alpha)
        status = kldve_image_orient(image->alpha, orientation, &result->alpha);
    return kldve_image_finish(status, result, out);
}
