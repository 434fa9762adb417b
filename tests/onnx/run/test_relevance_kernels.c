/* test_relevance_kernels.c - what relevance propagation computes between its VJPs, against its
 * formulas in float64. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/relevance_kernels.h"

enum { MOST = 40000 /* more than one thread has by itself */ };

static const kx_range ranges[] = {
    {0, INFINITY}, {-INFINITY, 0}, {1, 1}, {-INFINITY, INFINITY}, {-0.5f, 0.25f}};

enum { NRANGE = sizeof ranges / sizeof *ranges };

static float x[MOST], g[MOST], z[MOST], z1[MOST], out[MOST];

static double clamp(kx_range r, double v)
{
    return fmin(fmax(v, (double)r.lo), (double)r.hi);
}

static void fill(float *v, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (float)test_normal(&seed);
}

static void assert_near(float is, double right, double size)
{
    assert_true(fabs((double)is - right) <= 1e-6 * size);
}

static void test_clamp(void **state)
{
    (void)state;
    fill(x, MOST, 1);
    for (size_t k = 0; k < NRANGE; k++) {
        kx_clamp_all(ranges[k], MOST, x, out);
        for (size_t i = 0; i < MOST; i++)
            assert_true((double)out[i] == clamp(ranges[k], (double)x[i]));
    }
}

/* Bach et al., "On Pixel-Wise Explanations", eq. 58: relevance over z plus a little of its sign. */
static void check_share(const float *second, bool off, float factor)
{
    kx_lrp_share(&(kx_share){MOST, g, z, second, factor, off, out});
    for (size_t i = 0; i < MOST; i++) {
        float sum = second ? z[i] + second[i] : z[i];
        double right = (double)factor * (double)g[i] / ((double)sum + (sum < 0 ? -1e-6 : 1e-6));

        if (off && sum == 0)
            right = 0;
        assert_near(out[i], right, 1e-6 + fabs(right));
    }
}

static void test_share(void **state)
{
    (void)state;
    fill(g, MOST, 2);
    fill(z, MOST, 3);
    fill(z1, MOST, 4);
    for (size_t i = 0; i < MOST; i += 5) { /* exactly nothing to share */
        z[i] = 0;
        z1[i] = 0;
    }
    for (int off = 0; off < 2; off++) {
        check_share(NULL, off, 1);
        check_share(z1, off, 1);
        check_share(z1, off, -0.5f);
    }
}

static void test_share_in_place(void **state)
{
    static float at[MOST];

    (void)state;
    fill(g, MOST, 5);
    fill(z, MOST, 6);
    memcpy(at, g, sizeof at);
    kx_lrp_share(&(kx_share){MOST, g, z, NULL, 2, false, out});
    kx_lrp_share(&(kx_share){MOST, at, z, NULL, 2, false, at});
    assert_memory_equal(at, out, sizeof at);
}

static void test_take(void **state)
{
    (void)state;
    fill(x, MOST, 7);
    fill(g, MOST, 8);
    fill(z, MOST, 9);
    for (size_t k = 0; k < NRANGE; k++)
        for (int added = 0; added < 2; added++) {
            kx_lrp_take(ranges[k], MOST, x, g, added ? z : NULL, out);
            for (size_t i = 0; i < MOST; i++) {
                double taken = clamp(ranges[k], (double)x[i]) * (double)g[i];
                double addend = added ? (double)z[i] : 0;

                assert_near(out[i], taken + addend, fabs(taken) + fabs(addend));
            }
        }
}

/* Weights one byte off, as the file may have them; the bias is not the layer's but an argument. */
typedef struct layer {
    kx_dense d;
    unsigned char *file;
    float *weights, *bias, *x, *dy, *y, *dx;
} layer;

static float *numbers(int64_t n, uint64_t seed)
{
    float *v = malloc((size_t)n * sizeof *v);

    fill(v, (size_t)n, seed);
    return v;
}

static void make(layer *l, int64_t m, int64_t k, int64_t n, bool transposed)
{
    size_t bytes = (size_t)(k * n) * sizeof(float);

    l->weights = numbers(k * n, 11);
    l->bias = numbers(n, 12);
    l->x = numbers(m * k, 13);
    l->dy = numbers(m * n, 14);
    l->y = numbers(m * n, 15);
    l->dx = numbers(m * k, 16);
    l->file = malloc(bytes + 1);
    memcpy(l->file + 1, l->weights, bytes);
    l->d = (kx_dense){m, k, n, transposed, (const void *)(l->file + 1), NULL};
    for (int64_t i = 0; i < m * k; i += 3) /* rows that are passed over */
        l->x[i] = 0;
    for (int64_t i = 0; i < m * n; i += 3)
        l->dy[i] = 0;
}

static void drop(layer *l)
{
    free(l->file), free(l->weights), free(l->bias);
    free(l->x), free(l->dy), free(l->y), free(l->dx);
}

static double weight(const layer *l, kx_range r, int64_t i, int64_t j)
{
    return clamp(r, (double)l->weights[l->d.transposed ? j * l->d.k + i : i * l->d.n + j]);
}

/* Each sum within its rounding. */
static void check_part(const layer *l, kx_range r, bool bias)
{
    for (int64_t m = 0; m < l->d.m; m++)
        for (int64_t j = 0; j < l->d.n; j++) {
            double sum = bias ? clamp(r, (double)l->bias[j]) : 0, size = fabs(sum);

            for (int64_t i = 0; i < l->d.k; i++) {
                double term = (double)l->x[m * l->d.k + i] * weight(l, r, i, j);

                sum += term;
                size += fabs(term);
            }
            assert_near(l->y[m * l->d.n + j], sum, 2 * size);
        }
}

static void check_part_vjp(const layer *l, kx_range r)
{
    for (int64_t m = 0; m < l->d.m; m++)
        for (int64_t i = 0; i < l->d.k; i++) {
            double sum = 0, size = 0;

            for (int64_t j = 0; j < l->d.n; j++) {
                double term = (double)l->dy[m * l->d.n + j] * weight(l, r, i, j);

                sum += term;
                size += fabs(term);
            }
            assert_near(l->dx[m * l->d.k + i], sum, 2 * size);
        }
}

static void test_dense_parts(void **state)
{
    static const int64_t sizes[][3] = {
        {1, 1, 1}, {1, 3, 5}, {3, 31, 33}, {2, 64, 10}, {1, 300, 257}};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int transposed = 0; transposed < 2; transposed++) {
            layer l;

            make(&l, sizes[s][0], sizes[s][1], sizes[s][2], transposed);
            for (size_t k = 0; k < NRANGE; k++)
                for (int bias = 0; bias < 2; bias++) {
                    kx_dense_part(&l.d, ranges[k], bias ? l.bias : NULL, l.x, l.y);
                    check_part(&l, ranges[k], bias);
                    kx_dense_part_vjp(&l.d, ranges[k], l.dy, l.dx);
                    check_part_vjp(&l, ranges[k]);
                }
            drop(&l);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clamp),          cmocka_unit_test(test_share),
        cmocka_unit_test(test_share_in_place), cmocka_unit_test(test_take),
        cmocka_unit_test(test_dense_parts),
    };

    return cmocka_run_group_tests_name("relevance kernels", tests, NULL, NULL);
}
