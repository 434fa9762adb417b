/* blur.c - a map smoothed by a Gaussian, first along the rows, then along the columns:
 *
 *     w(d) = exp(-d^2 / (2 sigma^2)),   |d| <= 3 sigma
 *     out[x] = sum_d w(d) in[x + d] / sum_d w(d)
 *
 * over the d for which x + d lies in the map, so that a map of one value stays what it is. */
#include "blur.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

/* One line of n values that lie `step` apart.  room [2 * n]: a copy, and the weights of distances
 * from 0 on. */
static void blur_line(float *line, int32_t n, size_t step, double sigma, float *room)
{
    float *weight = room + n;
    int32_t reach = (int32_t)fmin(ceil(3 * sigma), n - 1);

    for (int32_t d = 0; d <= reach; d++)
        weight[d] = (float)exp(-(double)d * d / (2 * sigma * sigma));
    for (int32_t x = 0; x < n; x++)
        room[x] = line[(size_t)x * step];
    for (int32_t x = 0; x < n; x++) {
        int32_t first = x < reach ? -x : -reach, last = n - 1 - x < reach ? n - 1 - x : reach;
        double sum = 0, all = 0;

        for (int32_t d = first; d <= last; d++) {
            double w = (double)weight[d < 0 ? -d : d];

            sum += w * (double)room[x + d];
            all += w;
        }
        line[(size_t)x * step] = (float)(sum / all);
    }
}

void kldve_blur(float *map, int32_t height, int32_t width, const double sigma[2], float *room)
{
    assert(height > 0 && width > 0 && sigma[0] >= 0 && sigma[1] >= 0);
    for (int32_t y = 0; y < height && sigma[1] > 0; y++)
        blur_line(map + (size_t)y * (size_t)width, width, 1, sigma[1], room);
    for (int32_t x = 0; x < width && sigma[0] > 0; x++)
        blur_line(map + x, height, (size_t)width, sigma[0], room);
}
