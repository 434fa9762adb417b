/* test_dense.c - dense layers of few rows against sums in float64: both orders of the weights, odd
 * sizes, weights at any address, rows with gaps between them, zeros that are skipped. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/dense.h"

enum { MOST = 11 };

typedef struct layer {
    kx_dense d;
    unsigned char *file; /* the weights, one byte off */
    float *weights, *bias;
    float *x[MOST], *dy[MOST], *y[MOST], *dx[MOST];
} layer;

static float *numbers(size_t n, bool zeros, uint64_t *seed)
{
    float *v = malloc(n * sizeof *v);

    for (size_t i = 0; i < n; i++)
        v[i] = zeros && test_random(seed) < 0.6 ? 0 : (float)test_normal(seed);
    return v;
}

static void make(layer *l, int64_t k, int64_t n, bool transposed, bool zeros, uint64_t seed)
{
    size_t count = (size_t)(k * n);

    l->weights = numbers(count, false, &seed);
    l->bias = numbers((size_t)n, false, &seed);
    l->file = malloc(count * sizeof(float) + 1);
    memcpy(l->file + 1, l->weights, count * sizeof(float));
    l->d = (kx_dense){.m = 1, .k = k, .n = n, .transposed = transposed, .bias = l->bias};
    l->d.weights = (const void *)(l->file + 1);
    for (int r = 0; r < MOST; r++) {
        l->x[r] = numbers((size_t)k, zeros, &seed);
        l->dy[r] = numbers((size_t)n, zeros, &seed);
        l->y[r] = malloc((size_t)n * sizeof(float));
        l->dx[r] = malloc((size_t)k * sizeof(float));
    }
}

static void drop(layer *l)
{
    free(l->weights), free(l->bias), free(l->file);
    for (int r = 0; r < MOST; r++)
        free(l->x[r]), free(l->dy[r]), free(l->y[r]), free(l->dx[r]);
}

static double weight(const layer *l, int64_t i, int64_t j)
{
    return (double)l->weights[l->d.transposed ? j * l->d.k + i : i * l->d.n + j];
}

/* Each sum within its rounding: 1e-6 of the sum of magnitudes. */
static void check_forward(const layer *l, size_t row)
{
    for (int64_t j = 0; j < l->d.n; j++) {
        double sum = (double)l->bias[j], size = fabs(sum);

        for (int64_t i = 0; i < l->d.k; i++) {
            sum += (double)l->x[row][i] * weight(l, i, j);
            size += fabs((double)l->x[row][i] * weight(l, i, j));
        }
        if (sum < 0)
            sum = 0; /* ReLU */
        assert_true(fabs((double)l->y[row][j] - sum) <= 1e-6 * size);
    }
}

static void check_vjp(const layer *l, size_t row)
{
    for (int64_t i = 0; i < l->d.k; i++) {
        double sum = 0, size = 0;

        for (int64_t j = 0; j < l->d.n; j++) {
            sum += (double)l->dy[row][j] * weight(l, i, j);
            size += fabs((double)l->dy[row][j] * weight(l, i, j));
        }
        assert_true(fabs((double)l->dx[row][i] - sum) <= 1e-6 * size);
    }
}

static void check(int64_t k, int64_t n, size_t rows, bool transposed, bool zeros)
{
    layer l;

    make(&l, k, n, transposed, zeros, (uint64_t)(k * 1000 + n + (int64_t)rows));
    for (size_t r = 0; r < rows; r++) {
        memset(l.y[r], 0xff, (size_t)n * sizeof(float)); /* not a number */
        memset(l.dx[r], 0xff, (size_t)k * sizeof(float));
    }
    kx_dense_forward(&l.d, (kx_act){KX_ACT_RELU, 0, 0}, rows, (const float *const *)l.x, l.y);
    kx_dense_vjp(&l.d, rows, (const float *const *)l.dy, l.dx);
    for (size_t r = 0; r < rows; r++) {
        check_forward(&l, r);
        check_vjp(&l, r);
    }
    drop(&l);
}

static void test_sums(void **state)
{
    static const int64_t sizes[][2] = {{1, 1}, {3, 5}, {16, 4}, {31, 33}, {64, 10}, {130, 257}};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t rows = 1; rows <= MOST; rows++)
            for (int way = 0; way < 4; way++)
                check(sizes[s][0], sizes[s][1], rows, way & 1, way & 2);
}

/* Enough for several threads, and for more than one piece of columns. */
static void test_large(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= 9; rows += 4)
        for (int way = 0; way < 4; way++) {
            check(4133, 35, rows, way & 1, way & 2);
            check(35, 4133, rows, way & 1, way & 2);
        }
}

static void test_weights_that_meet_zeros_only(void **state)
{
    layer l;

    (void)state;
    make(&l, 64, 40, false, false, 5);
    for (size_t r = 0; r < 5; r++)
        l.x[r][7] = 0;
    for (int64_t j = 0; j < 40; j++) { /* would make every sum NaN if it were read */
        const float nan = NAN;

        memcpy(l.file + 1 + (size_t)(7 * 40 + j) * sizeof(float), &nan, sizeof nan);
    }
    kx_dense_forward(&l.d, (kx_act){KX_ACT_NONE, 0, 0}, 5, (const float *const *)l.x, l.y);
    for (size_t r = 0; r < 5; r++)
        for (int64_t j = 0; j < 40; j++)
            assert_true(isfinite(l.y[r][j]));
    drop(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_weights_that_meet_zeros_only),
    };

    return cmocka_run_group_tests_name("dense", tests, NULL, NULL);
}
