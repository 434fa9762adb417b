/* regression.c - weighted ridge regression, with an intercept or a fixed sum of the coefficients.
 *
 *     b = argmin  sum over i of w_i (y_i - m_y - (z_i - m) b)^2 + ridge |b|^2
 *
 *     A = sum of w_i (z_i - m)(z_i - m)^T + ridge,   v = sum of w_i (y_i - m_y)(z_i - m)
 *     b = A^-1 v,   fixed sum s:  b - q (1 b - s),   q = A^-1 1 / (1 A^-1 1)
 *
 * m, m_y are the weighted means with an intercept, otherwise 0; A = L L^T by Cholesky.
 *
 * Standard errors by linearisation (the sandwich estimator of H. White, Econometrica 48, 1980, in
 * clusters): with the residuals r_i and groups g of rows that were drawn together,
 *
 *     psi_g = P A^-1 sum over i in g of w_i r_i (z_i - m),   P = 1 - q 1^T with a fixed sum
 *     error^2 = n / (n - columns) sum over g of psi_g^2,     n groups
 *
 * Cost: rows columns^2. */
#include "regression.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/block.h"

struct fit {
    const kldve_regression *r;
    size_t n;
    double mean_y;
    double *mean; /* [n] */
    double *a;    /* [n][n], then L in the lower half */
    double *q;    /* [n] */
    double *row;  /* [n] */
};

static void cut(struct fit *f, kldve_block *block)
{
    size_t square;

    if (!kldve_size_mul(f->n, f->n, &square)) {
        block->overflow = true;
        return;
    }
    f->a = kldve_block_cut(block, square, sizeof *f->a);
    f->mean = kldve_block_cut(block, f->n, sizeof *f->mean);
    f->q = kldve_block_cut(block, f->n, sizeof *f->q);
    f->row = kldve_block_cut(block, f->n, sizeof *f->row);
}

static void set_means(struct fit *f)
{
    const kldve_regression *r = f->r;
    double total = 0;

    f->mean_y = 0;
    memset(f->mean, 0, f->n * sizeof *f->mean);
    if (!r->intercept)
        return;
    for (size_t i = 0; i < r->rows; i++) {
        total += r->weight[i];
        f->mean_y += r->weight[i] * r->y[i];
        for (size_t j = 0; j < f->n; j++)
            f->mean[j] += r->weight[i] * r->z[i * f->n + j];
    }
    assert(total > 0);
    f->mean_y /= total;
    for (size_t j = 0; j < f->n; j++)
        f->mean[j] /= total;
}

/* out = z_i - m */
static void centred(const struct fit *f, size_t i, double *out)
{
    for (size_t j = 0; j < f->n; j++)
        out[j] = f->r->z[i * f->n + j] - f->mean[j];
}

/* A, and v in b. */
static void accumulate(struct fit *f, double *b)
{
    const kldve_regression *r = f->r;

    memset(f->a, 0, f->n * f->n * sizeof *f->a);
    memset(b, 0, f->n * sizeof *b);
    for (size_t i = 0; i < r->rows; i++) {
        centred(f, i, f->row);
        for (size_t j = 0; j < f->n; j++) {
            double w = r->weight[i] * f->row[j];

            b[j] += w * (r->y[i] - f->mean_y);
            for (size_t k = 0; k <= j; k++)
                f->a[j * f->n + k] += w * f->row[k];
        }
    }
    for (size_t j = 0; j < f->n; j++)
        f->a[j * f->n + j] += r->ridge;
}

/* A -> L; false if A is not safely positive definite. */
static bool factor(struct fit *f)
{
    static const double rounding = 1e-12;
    size_t n = f->n;

    for (size_t j = 0; j < n; j++) {
        double *row = f->a + j * n, pivot = row[j];

        for (size_t k = 0; k < j; k++) {
            for (size_t i = 0; i < k; i++)
                row[k] -= row[i] * f->a[k * n + i];
            row[k] /= f->a[k * n + k];
            pivot -= row[k] * row[k];
        }
        if (!(pivot > rounding * row[j]))
            return false;
        row[j] = sqrt(pivot);
    }
    return true;
}

/* x <- A^-1 x */
static void solve(const struct fit *f, double *x)
{
    size_t n = f->n;

    for (size_t j = 0; j < n; j++) {
        for (size_t k = 0; k < j; k++)
            x[j] -= f->a[j * n + k] * x[k];
        x[j] /= f->a[j * n + j];
    }
    for (size_t j = n; j-- > 0;) {
        x[j] /= f->a[j * n + j];
        for (size_t k = 0; k < j; k++)
            x[k] -= f->a[j * n + k] * x[j];
    }
}

static double add_up(const double *x, size_t n)
{
    double sum = 0;

    for (size_t j = 0; j < n; j++)
        sum += x[j];
    return sum;
}

/* x += q (sum - 1 x) */
static void fix_sum(const struct fit *f, double sum, double *x)
{
    double missing = sum - add_up(x, f->n);

    for (size_t j = 0; f->r->fixed_sum && j < f->n; j++)
        x[j] += f->q[j] * missing;
}

static void set_q(struct fit *f)
{
    double total;

    for (size_t j = 0; j < f->n; j++)
        f->q[j] = 1;
    solve(f, f->q);
    total = add_up(f->q, f->n);
    assert(total > 0); /* A is positive definite */
    for (size_t j = 0; j < f->n; j++)
        f->q[j] /= total;
}

/* psi += w_i r_i (z_i - m) */
static void add_influence(struct fit *f, size_t i, const double *b, double *psi)
{
    double residual = f->r->y[i] - f->mean_y;

    centred(f, i, f->row);
    for (size_t j = 0; j < f->n; j++)
        residual -= f->row[j] * b[j];
    for (size_t j = 0; j < f->n; j++)
        psi[j] += f->r->weight[i] * residual * f->row[j];
}

/* psi: [n], scratch. */
static void set_error(struct fit *f, const double *b, double *psi, double *error)
{
    const kldve_regression *r = f->r;
    size_t groups = r->together ? r->rows / r->together : 0;
    double factor = groups > f->n ? (double)groups / (double)(groups - f->n) : (double)groups;

    memset(error, 0, f->n * sizeof *error);
    for (size_t g = 0; g < groups; g++) {
        memset(psi, 0, f->n * sizeof *psi);
        for (size_t i = 0; i < r->together; i++)
            add_influence(f, g * r->together + i, b, psi);
        solve(f, psi);
        fix_sum(f, 0, psi);
        for (size_t j = 0; j < f->n; j++)
            error[j] += psi[j] * psi[j];
    }
    for (size_t j = 0; j < f->n; j++)
        error[j] = sqrt(factor * error[j]);
}

kldve_status kldve_regress(kldve_ctx *ctx, const kldve_regression *r, double *b, double *error)
{
    struct fit f = {.r = r, .n = r->columns};
    kldve_block block = {NULL, 0, false};
    kldve_status st = KLDVE_OK;
    void *memory = NULL;
    double *psi = NULL;

    assert(r->rows > 0 && r->columns > 0 && r->ridge >= 0 && !(r->intercept && r->fixed_sum));
    assert(r->together == 0 || r->rows % r->together == 0);
    cut(&f, &block);
    psi = kldve_block_cut(&block, f.n, sizeof *psi);
    if (!block.overflow)
        memory = kldve_ctx_alloc(ctx, 1, block.size);
    if (!memory)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for a model of %zu parts", f.n);
    block = (kldve_block){memory, 0, false};
    cut(&f, &block);
    psi = kldve_block_cut(&block, f.n, sizeof *psi);
    set_means(&f);
    accumulate(&f, b);
    if (factor(&f)) {
        set_q(&f);
        solve(&f, b);
        fix_sum(&f, r->sum, b);
        set_error(&f, b, psi, error);
    } else {
        st = kldve_ctx_failf(ctx, KLDVE_E_NUMERIC,
                             "%zu passes do not determine %zu parts: raise samples", r->rows, f.n);
    }
    kldve_ctx_release(ctx, memory);
    return st;
}
