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

/* Columns whose places are found at a time, once for all rows. */
enum { STRIP = 128 };

/* Where an output coordinate falls among cells: between two neighbours, or on the last. */
typedef struct place {
    int32_t first, next;
    float part; /* of the way from the first to the next */
} place;

/* Output coordinate i of n. */
static place locate(int32_t i, int32_t n, int32_t cells)
{
    double s = ((double)i + 0.5) * (double)cells / (double)n - 0.5;
    int32_t first;

    if (s < 0)
        s = 0;
    first = (int32_t)s;
    if (first > cells - 1)
        first = cells - 1;
    assert(first >= 0 && first < cells);
    return (place){first, first + (first < cells - 1), (float)(s - (double)first)};
}

/* `count` columns of one row of the output from two rows of the map; with `later` above 0 the
 * output has another frame's already, of which it keeps the rest. */
static void mix_row(const float *top, const float *bottom, float down, const place *column,
                    int32_t count, float later, float *out)
{
    float left = 0, right = 0; /* of the cells between which the column lies */
    int32_t first = -1;

    for (int32_t x = 0; x < count; x++) {
        const place *at = &column[x];
        float value;

        if (at->first != first) {
            first = at->first;
            left = (1 - down) * top[first] + down * bottom[first];
            right = (1 - down) * top[at->next] + down * bottom[at->next];
        }
        value = (1 - at->part) * left + at->part * right;
        out[x] = later > 0 ? out[x] + later * (value - out[x]) : value;
    }
}

/* The columns of a strip, in row `row` of all frames. */
static void strip_of_row(const kldve_film *film, const place *frame, const place *down,
                         const place *column, int32_t count, float *out)
{
    size_t width = (size_t)film->width, cells = (size_t)film->height * width;
    const float *map = film->values + (size_t)frame->first * cells;

    mix_row(map + (size_t)down->first * width, map + (size_t)down->next * width, down->part, column,
            count, 0, out);
    if (frame->part <= 0 || frame->next == frame->first)
        return;
    map += cells;
    mix_row(map + (size_t)down->first * width, map + (size_t)down->next * width, down->part, column,
            count, frame->part, out);
}

/* Rows [from, to) of all frames -> out, of which rows begin `stride` values apart. */
static void upsample_rows(const kldve_film *film, int32_t out_frames, const int32_t out_size[2],
                          int32_t from, int32_t to, ptrdiff_t stride, float *out)
{
    place column[STRIP];

    assert(film->height > 0 && film->width > 0 && out_size[0] > 0 && out_size[1] > 0);
    assert(from >= 0 && to <= out_frames * out_size[0] && out != film->values);
    for (int32_t begin = 0; begin < out_size[1]; begin += STRIP) {
        int32_t count = out_size[1] - begin < STRIP ? out_size[1] - begin : STRIP;

        for (int32_t x = 0; x < count; x++)
            column[x] = locate(begin + x, out_size[1], film->width);
        for (int32_t row = from; row < to; row++) {
            const place frame = locate(row / out_size[0], out_frames, film->frames);
            const place down = locate(row % out_size[0], out_size[0], film->height);

            strip_of_row(film, &frame, &down, column, count, out + (row - from) * stride + begin);
        }
    }
}

void kldve_upsample_film(const kldve_film *film, int32_t out_frames, const int32_t out_size[2],
                         ptrdiff_t stride, float *out)
{
    upsample_rows(film, out_frames, out_size, 0, out_frames * out_size[0], stride, out);
}

void kldve_upsample(const float *map, int32_t height, int32_t width, float *out, int32_t out_height,
                    int32_t out_width)
{
    const kldve_film film = {map, 1, height, width};

    kldve_upsample_film(&film, 1, (const int32_t[2]){out_height, out_width}, out_width, out);
}

void kldve_upsample_frame(const kldve_film *film, int32_t out_frames, int32_t t, float *out)
{
    const int32_t size[2] = {film->height, film->width};

    assert(t >= 0 && t < out_frames);
    upsample_rows(film, out_frames, size, t * size[0], (t + 1) * size[0], size[1], out);
}
