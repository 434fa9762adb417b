/* component.c - the first principal component of feature maps, by power iteration.
 *
 *     M[i][m] = x[m][i] - mean over i of x[m][i]
 *     v <- M^T u / |M^T u|,   u <- M v / |M v|     until u changes by less than 1e-9 in every cell
 *
 * It converges like (s2 / s1)^2 per step, where s are the singular values.  If s1 and s2 are so
 * close that 2000 steps do not suffice, the component itself is ill-defined, and any mixture of the
 * two is as good.  The start has no pattern, so that no component of real maps is orthogonal to it.
 *
 * Cost: 4 maps * cells per step. */
#include "component.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { STEPS = 2000 };

static const double converged = 1e-9;

struct matrix {
    const float *x;
    const double *mean; /* [maps] */
    size_t maps, cells;
};

/* Scale to length 1; returns the old length. */
static double unit(double *a, size_t count)
{
    double sum = 0, largest = 0;

    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(a[i]));
    if (largest == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        sum += (a[i] / largest) * (a[i] / largest);
    assert(sum >= 1);
    for (size_t i = 0; i < count; i++)
        a[i] = a[i] / largest / sqrt(sum);
    return largest * sqrt(sum);
}

/* u = M v */
static void times(const struct matrix *a, const double *v, double *u)
{
    double offset = 0;

    memset(u, 0, a->cells * sizeof *u);
    for (size_t m = 0; m < a->maps; m++) {
        const float *x = a->x + m * a->cells;
        double vm = v[m];

        offset += a->mean[m] * vm;
        for (size_t i = 0; i < a->cells; i++)
            u[i] += vm * (double)x[i];
    }
    for (size_t i = 0; i < a->cells; i++)
        u[i] -= offset;
}

/* v = M^T u */
static void times_transposed(const struct matrix *a, const double *u, double *v)
{
    for (size_t m = 0; m < a->maps; m++) {
        const float *x = a->x + m * a->cells;
        double sum = 0;

        for (size_t i = 0; i < a->cells; i++)
            sum += ((double)x[i] - a->mean[m]) * u[i];
        v[m] = sum;
    }
}

static void means(const float *x, size_t maps, size_t cells, double *mean)
{
    for (size_t m = 0; m < maps; m++) {
        double sum = 0;

        for (size_t i = 0; i < cells; i++)
            sum += (double)x[m * cells + i];
        mean[m] = sum / (double)cells;
    }
}

/* Numbers without a pattern, always the same. */
static void start(double *u, size_t cells)
{
    uint32_t state = 1;

    for (size_t i = 0; i < cells; i++) {
        state = state * 1664525u + 1013904223u; /* Knuth, and Numerical Recipes */
        u[i] = (double)state / 0x1p31 - 1;
    }
}

static double move(const double *from, const double *to, size_t count)
{
    double largest = 0;

    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(to[i] - from[i]));
    return largest;
}

static void iterate(const struct matrix *a, double *u, double *next, double *v)
{
    start(u, a->cells);
    for (int step = 0; step < STEPS; step++) {
        double moved;

        times_transposed(a, u, v);
        if (unit(v, a->maps) == 0) {
            memset(u, 0, a->cells * sizeof *u); /* M = 0 */
            return;
        }
        times(a, v, next);
        unit(next, a->cells);
        moved = move(u, next, a->cells);
        memcpy(u, next, a->cells * sizeof *u);
        if (moved < converged)
            return;
    }
}

kldve_status kldve_component_first(kldve_ctx *ctx, const float *x, size_t maps, size_t cells,
                                   double *u)
{
    double *memory = kldve_ctx_alloc(ctx, 2 * maps + cells, sizeof *memory);
    struct matrix a = {x, memory, maps, cells};

    assert(maps > 0 && cells > 0);
    if (!memory)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for a component of %zu maps",
                               maps);
    means(x, maps, cells, memory);
    iterate(&a, u, memory + 2 * maps, memory + maps);
    kldve_ctx_release(ctx, memory);
    return KLDVE_OK;
}
