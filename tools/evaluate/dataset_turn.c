/* dataset_turn.c - boxes and masks that count in pixels as a file stores them, where the file says
 * that it is to be shown turned.
 *
 * EXIF 2.3, tag 0x0112: from 5 on rows and columns are swapped; the first column shows the right of
 * the scene for 2, 3, 7, 8 (of swapped ones: the first row), the first row its bottom for 3, 4,
 * 6, 7. The library turns pictures in the same way (lib/image/orient.c). */
#include "dataset_parts.h"

typedef struct way {
    bool swap, right, bottom;
} way;

static way way_of(int32_t o)
{
    return (way){.swap = o >= 5,
                 .right = o == 2 || o == 3 || o == 7 || o == 8,
                 .bottom = o == 3 || o == 4 || o == 6 || o == 7};
}

void dataset_turn_box(const dataset_frame *stored, double edge[4])
{
    way to = way_of(stored->orientation);
    double x0 = edge[0], y0 = edge[1], x1 = edge[2], y1 = edge[3];

    if (to.right) {
        x0 = stored->width - edge[2];
        x1 = stored->width - edge[0];
    }
    if (to.bottom) {
        y0 = stored->height - edge[3];
        y1 = stored->height - edge[1];
    }
    edge[0] = to.swap ? y0 : x0;
    edge[1] = to.swap ? x0 : y0;
    edge[2] = to.swap ? y1 : x1;
    edge[3] = to.swap ? x1 : y1;
}

void dataset_turn_mask(const dataset_frame *stored, const uint8_t *mask, uint8_t *out)
{
    way to = way_of(stored->orientation);
    int32_t width = stored->width, height = stored->height;

    for (int32_t row = 0; row < height; row++)
        for (int32_t column = 0; column < width; column++) {
            int32_t x = to.right ? width - 1 - column : column;
            int32_t y = to.bottom ? height - 1 - row : row;
            size_t at = to.swap ? (size_t)x * (size_t)height + (size_t)y
                                : (size_t)y * (size_t)width + (size_t)x;

            out[at] = mask[(size_t)row * (size_t)width + (size_t)column];
        }
}
