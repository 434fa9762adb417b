/* windows.c - a square window at regular places over the input, of a film over each frame. */
#include "windows.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "job.h"

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t places(int32_t size, int32_t window, int32_t stride)
{
    assert(window >= 1 && window <= size && stride >= 1 && stride <= window);
    return 1 + (size - window) / stride + ((size - window) % stride != 0);
}

kldve_windows kldve_windows_over(const kldve_job *job, int32_t window, int32_t overlap)
{
    const kldve_options *o = job->options;
    kldve_windows w = {.frames = kldve_job_frames(job),
                       .in_height = kldve_job_frame_height(job),
                       .in_width = job->shape->in_width};

    assert(window >= 1 && overlap >= 1);
    if (o->window > 0)
        window = o->window;
    w.height = least(window, w.in_height);
    w.width = least(window, w.in_width);
    w.stride = o->stride > 0 ? o->stride : (window - 1) / overlap + 1;
    w.stride = least(w.stride, least(w.height, w.width));
    w.rows = places(w.in_height, w.height, w.stride);
    w.columns = places(w.in_width, w.width, w.stride);
    return w;
}

static int32_t row_start(const kldve_windows *w, int32_t row)
{
    return row < w->rows - 1 ? row * w->stride : w->in_height - w->height;
}

static int32_t column_start(const kldve_windows *w, int32_t column)
{
    return column < w->columns - 1 ? column * w->stride : w->in_width - w->width;
}

void kldve_windows_place(const kldve_windows *w, int64_t i, int32_t *y, int32_t *x)
{
    assert(i >= 0 && i < kldve_windows_count(w));
    *y = row_start(w, (int32_t)(i / w->columns % w->rows)) +
         (int32_t)(i / w->columns / w->rows) * w->in_height;
    *x = column_start(w, (int32_t)(i % w->columns));
}

/* The first place that can cover a pixel: all before it end earlier. */
static int32_t first(int32_t pixel, int32_t window, int32_t stride)
{
    return pixel < window ? 0 : (pixel - window) / stride + 1;
}

/* The mean over the places that cover pixel (y, x), or the root of the sum of squares over their
 * number. */
static double at(const kldve_windows *w, const double *value, bool squares, int32_t y, int32_t x)
{
    double sum = 0, count = 0;

    for (int32_t row = first(y, w->height, w->stride); row < w->rows; row++) {
        int32_t top = row_start(w, row);

        if (top > y)
            break;
        if (top + w->height <= y)
            continue;
        for (int32_t column = first(x, w->width, w->stride); column < w->columns; column++) {
            int32_t left = column_start(w, column);
            double v;

            if (left > x)
                break;
            if (left + w->width <= x)
                continue;
            v = value[(int64_t)row * w->columns + column];
            sum += squares ? v * v : v;
            count++;
        }
    }
    assert(count > 0); /* every pixel is covered */
    return (squares ? sqrt(sum) : sum) / count;
}

static void spread(const kldve_windows *w, const double *value, bool squares, float *map)
{
    size_t places = (size_t)w->rows * (size_t)w->columns;

    for (size_t t = 0; t < (size_t)w->frames; t++)
        for (int32_t y = 0; y < w->in_height; y++)
            for (int32_t x = 0; x < w->in_width; x++)
                *map++ = (float)at(w, value + t * places, squares, y, x);
}

void kldve_windows_mean(const kldve_windows *w, const double *value, float *map)
{
    spread(w, value, false, map);
}

void kldve_windows_error(const kldve_windows *w, const double *error, float *map)
{
    spread(w, error, true, map);
}
