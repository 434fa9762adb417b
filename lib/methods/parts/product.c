/* product.c - gradient times feature, cell by cell:  E_i = sum over m of f(G_mi) x_mi. */
#include "product.h"

#include <assert.h>

enum { AT_ONCE = 64 };

/* One map's part of the sum for `count` neighbouring cells. */
static void add_map(const float *g, const float *x, size_t count, bool rectify, double *sum)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += rectify && g[i] <= 0 ? 0 : (double)g[i] * (double)x[i];
}

void kldve_product_sum(const float *gradient, const float *features, size_t maps, size_t cells,
                       bool rectify, float *map)
{
    assert(maps > 0 && map != gradient && map != features);
    for (size_t first = 0; first < cells; first += AT_ONCE) {
        size_t count = cells - first < AT_ONCE ? cells - first : AT_ONCE;
        double sum[AT_ONCE] = {0};

        for (size_t m = 0; m < maps; m++)
            add_map(gradient + m * cells + first, features + m * cells + first, count, rectify,
                    sum);
        for (size_t i = 0; i < count; i++)
            map[first + i] = (float)sum[i];
    }
}
