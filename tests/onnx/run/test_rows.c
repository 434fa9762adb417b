/* test_rows.c - means, softmax and normalisation of rows against their definitions in float64,
 * their VJPs against central differences of those definitions. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/rows.h"

enum { LONGEST = 1500, ROWS = 3, MOST = LONGEST * ROWS };

static float x[MOST], y[MOST], dy[MOST], dx[MOST], scale[LONGEST], bias[LONGEST];

static double mean_of(size_t n, const double *v)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return sum / (double)n;
}

/* One row by definition. */
static void define(const kx_rows *r, const double *v, double *out)
{
    size_t n = (size_t)r->n;
    double mean = mean_of(n, v), sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++) {
        double d = r->centred ? v[i] : v[i] - mean;

        sum += exp(v[i]);
        squares += d * d;
    }
    for (size_t i = 0; i < n; i++) {
        double h =
            (v[i] - (r->centred ? 0 : mean)) / sqrt(squares / (double)n + (double)r->epsilon);

        if (r->kind == KX_ROWS_SOFTMAX)
            out[i] = exp(v[i]) / sum;
        else if (r->kind == KX_ROWS_LOG_SOFTMAX)
            out[i] = v[i] - log(sum);
        else if (r->kind == KX_ROWS_NORM)
            out[i] = h * (r->scale ? (double)scale[i] : 1) + (r->bias ? (double)bias[i] : 0);
    }
    if (r->kind == KX_ROWS_MEAN)
        out[0] = mean;
}

static size_t results_of(const kx_rows *r)
{
    return r->kind == KX_ROWS_MEAN ? 1 : (size_t)r->n;
}

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < MOST; i++) {
        x[i] = (float)(2 * test_normal(&seed) + 3);
        dy[i] = (float)test_normal(&seed);
    }
    for (size_t i = 0; i < LONGEST; i++) {
        scale[i] = (float)(1 + 0.3 * test_normal(&seed));
        bias[i] = (float)test_normal(&seed);
    }
}

/* Lengths below, at and above the vectors and pieces of the kernels. */
static const int64_t lengths[] = {1, 2, 7, 15, 16, 17, 49, 64, 200, 1024, 1030, LONGEST};

static const kx_rows kinds[] = {
    {.kind = KX_ROWS_MEAN},
    {.kind = KX_ROWS_SOFTMAX},
    {.kind = KX_ROWS_LOG_SOFTMAX},
    {.kind = KX_ROWS_NORM, .epsilon = 1e-3f},
    {.kind = KX_ROWS_NORM, .epsilon = 1e-3f, .scale = scale},
    {.kind = KX_ROWS_NORM, .epsilon = 1e-3f, .bias = bias},
    {.kind = KX_ROWS_NORM, .epsilon = 1e-3f, .scale = scale, .bias = bias},
    {.kind = KX_ROWS_NORM, .epsilon = 1e-3f, .centred = true, .scale = scale},
};

static void row_as_double(const kx_rows *r, size_t row, double *v)
{
    for (size_t i = 0; i < (size_t)r->n; i++)
        v[i] = (double)x[row * (size_t)r->n + i];
}

static void check_forward(const kx_rows *r)
{
    static double v[LONGEST], right[LONGEST];
    size_t results = results_of(r);

    kx_rows_forward(r, x, y);
    for (size_t row = 0; row < (size_t)r->count; row++) {
        row_as_double(r, row, v);
        define(r, v, right);
        for (size_t i = 0; i < results; i++)
            assert_true(fabs((double)y[row * results + i] - right[i]) <=
                        2e-6 * (1 + fabs(right[i])));
    }
}

/* sum of dy y of one row. */
static double score(const kx_rows *r, const double *v, const float *weight)
{
    static double out[LONGEST];
    double sum = 0;

    define(r, v, out);
    for (size_t i = 0; i < results_of(r); i++)
        sum += out[i] * (double)weight[i];
    return sum;
}

static void check_vjp(const kx_rows *r)
{
    static double v[LONGEST];
    const double step = 1e-4;
    size_t row = (size_t)r->count - 1, n = (size_t)r->n, every = n / 40 + 1;
    const float *weight = dy + row * results_of(r);

    kx_rows_forward(r, x, y);
    kx_rows_vjp(r, r->kind == KX_ROWS_NORM ? x : y, dy, dx);
    row_as_double(r, row, v);
    for (size_t i = 0; i < n; i += every) {
        double at = v[i], right;

        v[i] = at + step;
        right = score(r, v, weight);
        v[i] = at - step;
        right = (right - score(r, v, weight)) / (2 * step);
        v[i] = at;
        assert_true(fabs((double)dx[row * n + i] - right) <= 2e-5 * (1 + fabs(right)));
    }
}

static void test_all(void **state)
{
    (void)state;
    fill(1);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            kx_rows r = kinds[k];

            r.count = ROWS;
            r.n = lengths[l];
            check_forward(&r);
            check_vjp(&r);
        }
}

/* A mask of -infinity gives weights of exactly 0, whatever is next to it; a row of nothing but
 * masks has no softmax. */
static void test_masks(void **state)
{
    static const kx_rows r = {.kind = KX_ROWS_SOFTMAX, .count = 1, .n = 40};

    (void)state;
    fill(2);
    for (int i = 0; i < 40; i += 2)
        x[i] = -INFINITY;
    kx_rows_forward(&r, x, y);
    kx_rows_vjp(&r, y, dy, dx);
    for (int i = 0; i < 40; i++) {
        assert_true((y[i] == 0) == (i % 2 == 0));
        assert_true(isfinite(dx[i]) && (i % 2 || dx[i] == 0));
    }
    for (int i = 0; i < 40; i++)
        x[i] = -INFINITY;
    kx_rows_forward(&r, x, y);
    assert_true(isnan(y[7]));
}

/* Far from 0, where squares and products of the numbers themselves would lose everything. */
static void test_far_out(void **state)
{
    const kx_rows norm = {.kind = KX_ROWS_NORM, .epsilon = 1e-5f, .count = 1, .n = 64};
    const kx_rows softmax = {.kind = KX_ROWS_SOFTMAX, .count = 1, .n = 64};

    (void)state;
    for (int i = 0; i < 64; i++)
        x[i] = 1000 + (float)(i % 2);
    kx_rows_forward(&norm, x, y);
    for (int i = 0; i < 64; i++)
        assert_true(fabs((double)y[i] - (i % 2 ? 1 : -1)) < 1e-3);
    kx_rows_forward(&softmax, x, y);
    for (int i = 0; i < 64; i++)
        assert_true(fabs((double)y[i] * 32 - (i % 2 ? 0.731058579 : 0.268941421)) < 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all), cmocka_unit_test(test_masks),
                                       cmocka_unit_test(test_far_out)};

    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
