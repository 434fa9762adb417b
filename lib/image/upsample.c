/* upsample.c - scale a coarse map up to the size of a picture.
 *
 *     s_y = (y + 1/2) h/H - 1/2  clamped to 0 .. h-1,   y0 = floor(s_y),   f_y = s_y - y0
 *     out[y][x] = (1-f_y) ((1-f_x) m[y0][x0]   + f_x m[y0][x0+1])
 *               +    f_y  ((1-f_x) m[y0+1][x0] + f_x m[y0+1][x0+1])
 *
 * and the same for x, and for the frames of a film.  The centre of each cell of an h x w map lies
 * over the centre of the patch of H/h x W/w pixels that it covers; beyond the outermost centres the
 * value stays constant.  PyTorch calls this interpolate(mode="bilinear", align_corners=False). */
#include "upsample.h"

#include <assert.h>
#include <stddef.h>

/* Where output coordinate i of n falls among `cells` cells. */
static int32_t locate(int32_t i, int32_t n, int32_t cells, float *fraction)
{
    double s = ((double)i + 0.5) * (double)cells / (double)n - 0.5;
    int32_t first;

    if (s < 0)
        s = 0;
    first = (int32_t)s;
    if (first > cells - 1)
        first = cells - 1;
    assert(first >= 0 && first < cells);
    *fraction = (float)(s - (double)first);
    return first;
}

/* One row of the map, already interpolated from two, to one row of the output; with `later` above 0
 * the output has another frame's already, of which it keeps the rest. */
static void mix_row(const float *top, const float *bottom, float down, int32_t width, float later,
                    float *out, int32_t out_width)
{
    for (int32_t x = 0; x < out_width; x++) {
        float right, left_value, right_value;
        int32_t x0 = locate(x, out_width, width, &right);
        int32_t x1 = x0 + (x0 < width - 1);

        left_value = (1 - down) * top[x0] + down * bottom[x0];
        right_value = (1 - down) * top[x1] + down * bottom[x1];
        if (later > 0)
            out[x] += later * ((1 - right) * left_value + right * right_value - out[x]);
        else
            out[x] = (1 - right) * left_value + right * right_value;
    }
}

/* One frame to one frame. */
static void mix_frame(const float *map, int32_t height, int32_t width, float later, float *out,
                      int32_t out_height, int32_t out_width)
{
    for (int32_t y = 0; y < out_height; y++) {
        float down;
        int32_t y0 = locate(y, out_height, height, &down);
        int32_t y1 = y0 + (y0 < height - 1);

        mix_row(map + (size_t)y0 * (size_t)width, map + (size_t)y1 * (size_t)width, down, width,
                later, out + (size_t)y * (size_t)out_width, out_width);
    }
}

void kldve_upsample(const float *map, int32_t height, int32_t width, float *out, int32_t out_height,
                    int32_t out_width)
{
    assert(height > 0 && width > 0 && out_height > 0 && out_width > 0 && out != map);
    mix_frame(map, height, width, 0, out, out_height, out_width);
}

/* Frame t of `n` from all frames of a map, at the size height x width. */
static void mix_frames(const float *map, int32_t frames, const int32_t size[2], float *out,
                       int32_t n, int32_t t, const int32_t out_size[2])
{
    size_t cells = (size_t)size[0] * (size_t)size[1];
    float later;
    int32_t first = locate(t, n, frames, &later);

    mix_frame(map + (size_t)first * cells, size[0], size[1], 0, out, out_size[0], out_size[1]);
    if (later > 0 && first < frames - 1)
        mix_frame(map + (size_t)(first + 1) * cells, size[0], size[1], later, out, out_size[0],
                  out_size[1]);
}

void kldve_upsample_film(const float *map, int32_t frames, int32_t height, int32_t width,
                         float *out, int32_t out_frames, const int32_t out_size[2])
{
    const int32_t size[2] = {height, width};

    assert(frames > 0 && height > 0 && width > 0 && out_frames > 0 && out != map);
    for (int32_t t = 0; t < out_frames; t++)
        mix_frames(map, frames, size, out + (size_t)t * (size_t)out_size[0] * (size_t)out_size[1],
                   out_frames, t, out_size);
}

void kldve_upsample_frame(const float *map, int32_t frames, int32_t height, int32_t width,
                          float *out, int32_t out_frames, int32_t t)
{
    const int32_t size[2] = {height, width};

    assert(t >= 0 && t < out_frames && out != map);
    mix_frames(map, frames, size, out, out_frames, t, size);
}
