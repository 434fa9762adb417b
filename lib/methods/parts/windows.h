/* windows.h - a square window at regular places over the input, of a film over each frame. */
#ifndef KLDVE_LIB_METHODS_WINDOWS_H
#define KLDVE_LIB_METHODS_WINDOWS_H

#include <kldve/method.h>

/** Places in rows, numbered from the upper left, frame by frame.  The last of a row or column is
 * moved inwards if the stride does not meet the border, so that every pixel is covered. */
typedef struct kldve_windows {
    int32_t frames;              /**< of a film; 1: none */
    int32_t in_height, in_width; /**< of the input, one frame */
    int32_t height, width;       /**< of the window, no larger than the input */
    int32_t stride;              /**< 1 to the window's smaller side */
    int32_t rows, columns;       /**< of places, in one frame */
} kldve_windows;

/** The window is options.window, or `window` (1 or more) if that is 0; the stride is
 * options.stride, or the window's side divided by `overlap`, rounded up.  Both are limited to what
 * the input allows. */
kldve_windows kldve_windows_over(const kldve_job *job, int32_t window, int32_t overlap);

/** The number of places. */
static inline int64_t kldve_windows_count(const kldve_windows *w)
{
    return (int64_t)w->frames * w->rows * w->columns;
}

/** The upper left pixel of place `i`; rows count through all frames. */
void kldve_windows_place(const kldve_windows *w, int64_t i, int32_t *y, int32_t *x);

/** map[pixel] = mean of value[i] over the places that cover the pixel.  value [count], map
 *  [frames][in_height][in_width]. */
void kldve_windows_mean(const kldve_windows *w, const double *value, float *map);

/** The standard error of that mean from those of independent values. */
void kldve_windows_error(const kldve_windows *w, const double *error, float *map);

#endif
