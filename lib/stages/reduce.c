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

static size_t cells_of(const kldve_strided *x)
{
    return (size_t)x->height * (size_t)x->width;
}

static void weigh(const kldve_strided *x, const float *a, float *map)
{
    if (kldve_strided_is_plain(x))
        kldve_weigh(x->at, x->maps, x->height * x->width, a, map);
    else
        kldve_strided_sum(x, a, map);
}

double kldve_reduce(const kldve_strided *x, const double *a, float *scratch, float *map)
{
    double unit = scaled(a, x->maps, scratch);

    if (unit > 0)
        weigh(x, scratch, map);
    else
        memset(map, 0, cells_of(x) * sizeof *map);
    return unit;
}

double kldve_reduce_magnitudes(const kldve_strided *x, const double *a, float *scratch, float *map)
{
    double unit = scaled(a, x->maps, scratch);

    if (unit == 0) {
        memset(map, 0, cells_of(x) * sizeof *map);
        return 0;
    }
    for (int32_t c = 0; c < x->maps; c++)
        scratch[c] = fabsf(scratch[c]);
    weigh(x, scratch, map);
    return unit;
}

void kldve_reduce_sum(const kldve_strided *x, float *scratch, float *map)
{
    for (int32_t c = 0; c < x->maps; c++)
        scratch[c] = 1;
    weigh(x, scratch, map);
}

void kldve_reduce_relu(float *map, size_t count)
{
    for (size_t i = 0; i < count; i++)
        map[i] = map[i] > 0 ? map[i] : 0;
}
