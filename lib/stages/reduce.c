/* reduce.c - from feature maps and their weights to one map, Eq. (3) of arXiv:1711.06431.
 *
 *     E = sum over c of a_c x_c,   x [maps][cells] row-major: the transposed matrix times a vector
 *
 * Algorithm 1 of the paper adds x_i |alpha_j| over all maps i and all classes j, which is
 * (sum_j |alpha_j|) sum_i x_i: one positive number times the sum of the maps.  Normalisation
 * removes that number, so the reading `paper` uses the sum of the maps directly and is bit for bit
 * the same for every class (docs/method.md).
 *
 * The product is that of weigh.h, which BLAS or a plain loop computes. */
#include "reduce.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "weigh.h"

/* a / max |a| in float32; returns max |a|. */
static double scaled(const double *a, int32_t maps, float *out)
{
    double largest = 0;

    for (int32_t c = 0; c < maps; c++)
        largest = fabs(a[c]) > largest ? fabs(a[c]) : largest;
    for (int32_t c = 0; c < maps; c++)
        out[c] = largest > 0 ? (float)(a[c] / largest) : 0;
    return largest;
}

double kldve_reduce(const float *x, int32_t maps, int32_t cells, const double *a, float *scratch,
                    float *map)
{
    double unit = scaled(a, maps, scratch);

    if (unit > 0)
        kldve_weigh(x, maps, cells, scratch, map);
    else
        memset(map, 0, (size_t)cells * sizeof *map);
    return unit;
}

double kldve_reduce_magnitudes(const float *x, int32_t maps, int32_t cells, const double *a,
                               float *scratch, float *map)
{
    double unit = scaled(a, maps, scratch);

    if (unit == 0) {
        memset(map, 0, (size_t)cells * sizeof *map);
        return 0;
    }
    for (int32_t c = 0; c < maps; c++)
        scratch[c] = fabsf(scratch[c]);
    kldve_weigh(x, maps, cells, scratch, map);
    return unit;
}

void kldve_reduce_sum(const float *x, int32_t maps, int32_t cells, float *scratch, float *map)
{
    for (int32_t c = 0; c < maps; c++)
        scratch[c] = 1;
    kldve_weigh(x, maps, cells, scratch, map);
}

void kldve_reduce_relu(float *map, size_t count)
{
    for (size_t i = 0; i < count; i++)
        map[i] = map[i] > 0 ? map[i] : 0;
}
