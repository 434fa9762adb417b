/* outline.c - thin rectangles drawn into a picture. */
#include "outline.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { LIGHT = 255, DARK = 0, PIXELS_PER_LINE = 800 };

int32_t kldve_line_thickness(int32_t width, int32_t height)
{
    return 1 + (width < height ? width : height) / PIXELS_PER_LINE;
}

/* The nearest pixel to a part of a side, or one just outside of the picture. */
static int32_t pixel(float part, int32_t pixels, int32_t margin)
{
    double at = floor((double)part * pixels);

    return (int32_t)fmin(fmax(at, -(double)margin), (double)(pixels - 1 + margin));
}

/* How far a pixel is from the nearest side of the rectangle, in steps of either axis. */
static int32_t distance(int32_t x, int32_t y, const int32_t side[4])
{
    int32_t dx0 = x - side[0], dx1 = x - side[2], dy0 = y - side[1], dy1 = y - side[3];
    int32_t out_x = dx0 < 0 ? -dx0 : dx1 > 0 ? dx1 : 0, out_y = dy0 < 0 ? -dy0 : dy1 > 0 ? dy1 : 0;
    int32_t in_x = dx0 < -dx1 ? dx0 : -dx1, in_y = dy0 < -dy1 ? dy0 : -dy1;

    if (out_x > 0 || out_y > 0)
        return out_x > out_y ? out_x : out_y;
    return in_x < in_y ? in_x : in_y;
}

kldve_line kldve_outline_of(const float box[4], int32_t line, int32_t width, int32_t height)
{
    kldve_line o = {.line = line};

    for (int i = 0; i < 4; i++) {
        if (!isfinite(box[i]))
            return (kldve_line){{0}, 0};
        o.side[i] = pixel(box[i], i % 2 ? height : width, 2 * o.line);
    }
    return o;
}

void kldve_outline_row(const kldve_line *o, int32_t y, int32_t width, uint8_t *rgb)
{
    if (o->line == 0)
        return;
    for (int32_t x = 0; x < width; x++) {
        int32_t far = distance(x, y, o->side);
        uint8_t *at = rgb + 3 * (size_t)x;

        if (far < 2 * o->line)
            at[0] = at[1] = at[2] = far < o->line ? LIGHT : DARK;
    }
}

void kldve_frame_row(const kldve_rect *inside, int32_t line, int32_t y, int32_t width, uint8_t *rgb)
{
    const int32_t side[4] = {inside->x, inside->y, inside->x + inside->width - 1,
                             inside->y + inside->height - 1};

    for (int32_t x = 0; x < width; x++) {
        bool within = x >= side[0] && x <= side[2] && y >= side[1] && y <= side[3];
        int32_t far = within ? 0 : distance(x, y, side);
        uint8_t *at = rgb + 3 * (size_t)x;

        if (far > 0 && far <= 2 * line)
            at[0] = at[1] = at[2] = far <= line ? LIGHT : DARK;
    }
}
