/* frame.c - places of the picture as places of the network's input, and back.
 *
 *     part of the input = (part of the picture - start of the view) / size of the view
 *
 * Pixel x of a picture of width W has its centre at the part (x + 1/2) / W. */
#include "frame.h"

#include <assert.h>
#include <string.h>

static double along(int32_t pixel, int32_t pixels, float start, float size)
{
    return (((double)pixel + 0.5) / (double)pixels - (double)start) / (double)size;
}

bool kldve_frame_point(const kldve_frame *f, int32_t x, int32_t y, float out[2])
{
    double px = along(x, f->width, f->view.x, f->view.width);
    double py = along(y, f->height, f->view.y, f->view.height);

    if (px < 0 || px >= 1 || py < 0 || py >= 1)
        return false;
    out[0] = (float)px;
    out[1] = (float)py;
    return true;
}

static size_t cell(float part, int32_t cells)
{
    int32_t i = (int32_t)(part * (float)cells);

    return (size_t)(i < cells ? i : cells - 1);
}

size_t kldve_frame_region(const kldve_frame *f, const uint8_t *region, int32_t in_height,
                          int32_t in_width, float *weight)
{
    size_t count = (size_t)in_height * (size_t)in_width, seen = 0;
    float part[2];

    memset(weight, 0, count * sizeof *weight);
    for (int32_t y = 0; y < f->height; y++)
        for (int32_t x = 0; x < f->width; x++)
            if (*region++ != 0 && kldve_frame_point(f, x, y, part)) {
                weight[cell(part[1], in_height) * (size_t)in_width + cell(part[0], in_width)] += 1;
                seen++;
            }
    for (size_t i = 0; seen > 0 && i < count; i++)
        weight[i] /= (float)seen;
    return seen;
}

void kldve_frame_box(const kldve_frame *f, const float in[4], float out[4])
{
    for (int i = 0; i < 4; i++) {
        float start = i % 2 ? f->view.y : f->view.x, size = i % 2 ? f->view.height : f->view.width;

        out[i] = (start + in[i] * size) * (float)(i % 2 ? f->height : f->width);
    }
}

void kldve_frame_seen(const kldve_frame *f, float out[4])
{
    const float all[4] = {0, 0, 1, 1};

    kldve_frame_box(f, all, out);
    for (int i = 0; i < 4; i++) {
        float side = (float)(i % 2 ? f->height : f->width);

        out[i] = out[i] < 0 ? 0 : out[i] > side ? side : out[i];
    }
}
