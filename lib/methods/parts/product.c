/* product.c - gradient times feature, cell by cell:  E_i = sum over m of f(G_mi) x_mi. */
#include "product.h"

enum { AT_ONCE = 64 };

/* Cells [first, first + count) of the map, count <= AT_ONCE. */
static void some_cells(const float *gradient, const float *features, size_t maps, size_t cells,
                       size_t first, size_t count, bool rectify, float *map)
{
    double sum[AT_ONCE] = {0};

    for (size_t m = 0; m < maps; m++) {
        const float *g = gradient + m * cells + first, *x = features + m * cells + first;

        for (size_t i = 0; i < count; i++)
            sum[i] += rectify && g[i] <= 0 ? 0 : (double)g[i] * (double)x[i];
    }
    for (size_t i = 0; i < count; i++)
        map[first + i] = (float)sum[i];
}

void kldve_product_sum(const float *gradient, const float *features, size_t maps, size_t cells,
                       bool rectify, float *map)
{
    for (size_t i = 0; i < cells; i += AT_ONCE)
        some_cells(gradient, features, maps, cells, i, cells - i < AT_ONCE ? cells - i : AT_ONCE,
                   rectify, map);
}
