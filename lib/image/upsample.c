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

/* Row y of one frame from one frame. */
static void row_of_frame(const float *map, const int32_t size[2], int32_t y, float later,
                         float *out, const int32_t out_size[2])
{
    float down;
    int32_t y0 = locate(y, out_size[0], size[0], &down);
    int32_t y1 = y0 + (y0 < size[0] - 1);

    mix_row(map + (size_t)y0 * (size_t)size[1], map + (size_t)y1 * (size_t)size[1], down, size[1],
            later, out, out_size[1]);
}

void kldve_upsample_row(const kldve_film *film, int32_t out_frames, const int32_t out_size[2],
                        int32_t row, float *out)
{
    const int32_t size[2] = {film->height, film->width};
    size_t cells = (size_t)film->height * (size_t)film->width;
    int32_t frame = row / out_size[0], y = row % out_size[0];
    float later;
    int32_t first = locate(frame, out_frames, film->frames, &later);

    assert(size[0] > 0 && size[1] > 0 && out_size[0] > 0 && out_size[1] > 0);
    assert(row >= 0 && frame < out_frames && out != film->values);
    row_of_frame(film->values + (size_t)first * cells, size, y, 0, out, out_size);
    if (later > 0 && first < film->frames - 1)
        row_of_frame(film->values + (size_t)(first + 1) * cells, size, y, later, out, out_size);
}

void kldve_upsample_film(const kldve_film *film, int32_t out_frames, const int32_t out_size[2],
                         float *out)
{
    for (int32_t row = 0; row < out_frames * out_size[0]; row++)
        kldve_upsample_row(film, out_frames, out_size, row,
                           out + (size_t)row * (size_t)out_size[1]);
}

void kldve_upsample(const float *map, int32_t height, int32_t width, float *out, int32_t out_height,
                    int32_t out_width)
{
    const kldve_film film = {map, 1, height, width};

    kldve_upsample_film(&film, 1, (const int32_t[2]){out_height, out_width}, out);
}

void kldve_upsample_frame(const kldve_film *film, int32_t out_frames, int32_t t, float *out)
{
    const int32_t size[2] = {film->height, film->width};

    assert(t >= 0 && t < out_frames);
    for (int32_t y = 0; y < film->height; y++)
        kldve_upsample_row(film, out_frames, size, t * film->height + y,
                           out + (size_t)y * (size_t)film->width);
}
