/* dense.c - y = x W + b and its VJP for a few rows x: bound by reading W, so W is read once, in the
 * order of memory and straight from the mapped file, and not where it is multiplied with zero.
 *
 * Weights [n][k] ("transposed"): y_j = dot(W_j, x), dx = sum_j dy_j W_j.
 * Weights [k][n]:                y = sum_i x_i W_i, dx_i = dot(W_i, dy).
 * Both are one of two kernels: `dots` (a dot product for each row of W) and `combine` (a weighted
 * sum of rows of W, skipping those of weight zero).  Threads share the rows of the former and the
 * columns of the latter, so that the order of every sum is the same for any number of threads.
 *
 * Several x, which need not lie side by side, share what is read of W: a row, or a piece of four,
 * stays in the cache until the last of them has had it. */
#include "run/dense.h"

#include <assert.h>
#include <string.h>

#include <omp.h>

#include "run/elementwise.h"
#include "run/kernel.h"

enum {
    VEC = 16,
    TOGETHER = 4,  /* rows of W, and of x, that share what they read */
    PIECE = 4096,  /* columns that several sums of `combine` share in the cache */
    SHARED = 65536 /* elements of W from which on threads pay */
};

/* Rows of x, dy, y or dx: only their addresses. */
typedef const float *const *from_rows;
typedef float *const *to_rows;

/* out[r] = W v[r] (`dots`) or v[r] W (`combine`), r < count. */
typedef struct product {
    const kx_unaligned_float *w; /* [nrows][ncolumns] */
    size_t nrows, ncolumns;
    size_t count;
    from_rows v;
    to_rows out;
} product;

/* Sixteen numbers, whatever the processor makes of them: the order of a sum is always the same. */
typedef float vec __attribute__((vector_size(4 * VEC)));

/* The numbers at an address, aligned or not. */
#define LOAD(to, address) memcpy(&(to), (address), sizeof(vec))
#define STORE(from, address) memcpy((address), &(from), sizeof(vec))

/* dot(row, v): 2 x 16 partial sums. */
KX_WIDE static float dot(const kx_unaligned_float *row, const float *v, size_t n)
{
    vec lane[2] = {{0}}, w, x;
    float sum = 0;
    size_t i = 0;

    for (; i + 2 * VEC <= n; i += 2 * VEC)
        for (int k = 0; k < 2; k++) {
            LOAD(w, row + i + k * VEC);
            LOAD(x, v + i + k * VEC);
            lane[k] += w * x;
        }
    for (; i < n; i++)
        sum += row[i] * v[i];
    lane[0] += lane[1];
    for (int l = 0; l < VEC; l++)
        sum += lane[0][l];
    return sum;
}

/* Four rows with four v, sum[r][k] = dot(row_r, v_k), as 16 times 16 partial sums: everything is
 * read once for four products. */
KX_WIDE static void dot_tile(const kx_unaligned_float *const row[TOGETHER],
                             const float *const v[TOGETHER], size_t n,
                             float sum[TOGETHER][TOGETHER])
{
    vec lane[TOGETHER][TOGETHER], w[TOGETHER], x;
    size_t i = 0;

    memset(lane, 0, sizeof lane);
    for (; i + VEC <= n; i += VEC) {
        for (int r = 0; r < TOGETHER; r++)
            LOAD(w[r], row[r] + i);
        for (int k = 0; k < TOGETHER; k++) {
            LOAD(x, v[k] + i);
            for (int r = 0; r < TOGETHER; r++)
                lane[r][k] += w[r] * x;
        }
    }
    for (int r = 0; r < TOGETHER; r++)
        for (int k = 0; k < TOGETHER; k++) {
            sum[r][k] = 0;
            for (size_t t = i; t < n; t++)
                sum[r][k] += row[r][t] * v[k][t];
            for (int l = 0; l < VEC; l++)
                sum[r][k] += lane[r][k][l];
        }
}

/* out[k][j] = dot(w[j], v[k]) for rows j .. j + 3 of W, or those that there are. */
static void dots_at(const product *p, size_t j)
{
    size_t here = p->nrows - j < TOGETHER ? p->nrows - j : TOGETHER, k = 0;
    const kx_unaligned_float *row[TOGETHER];
    float sum[TOGETHER][TOGETHER];

    assert(here > 0);
    for (size_t r = 0; r < TOGETHER; r++)
        row[r] = p->w + (j + (r < here ? r : 0)) * p->ncolumns;
    for (; p->count - k >= TOGETHER; k += TOGETHER) {
        dot_tile(row, p->v + k, p->ncolumns, sum);
        for (size_t r = 0; r < here; r++)
            for (size_t t = 0; t < TOGETHER; t++)
                p->out[k + t][j + r] = sum[r][t];
    }
    for (; k < p->count; k++)
        for (size_t r = 0; r < here; r++)
            p->out[k][j + r] = dot(row[r], p->v[k], p->ncolumns);
}

/* out[k][j] = dot(w[j], v[k]) for all rows j of W, which the threads share. */
static void dots(const product *p)
{
    size_t nrows = p->nrows;

    KX_SHARED(nrows * p->ncolumns >= SHARED,
              for (size_t j = 0; j < nrows; j += TOGETHER) dots_at(p, j););
}

/* out += the weighted sum of four rows: the output is read and written once for all of them. */
KX_WIDE static void add_rows(const kx_unaligned_float *const row[TOGETHER], const float w[TOGETHER],
                             size_t n, float *restrict out)
{
    const kx_unaligned_float *a = row[0], *b = row[1], *c = row[2], *d = row[3];

    for (size_t i = 0; i < n; i++)
        out[i] += (w[0] * a[i] + w[1] * b[i]) + (w[2] * c[i] + w[3] * d[i]);
}

/* The same for four outputs at a time, weight[k][r] of row r: the rows are read once for all of
 * them. */
KX_WIDE static void add_rows_tile(const kx_unaligned_float *const row[TOGETHER],
                                  float weight[TOGETHER][TOGETHER], size_t n,
                                  float *const out[TOGETHER])
{
    vec w[TOGETHER], c[TOGETHER][TOGETHER], y;
    size_t i = 0;

    for (int k = 0; k < TOGETHER; k++)
        for (int r = 0; r < TOGETHER; r++)
            c[k][r] = weight[k][r] - (vec){0};
    for (; i + VEC <= n; i += VEC) {
        for (int r = 0; r < TOGETHER; r++)
            LOAD(w[r], row[r] + i);
        for (int k = 0; k < TOGETHER; k++) {
            LOAD(y, out[k] + i);
            y += (c[k][0] * w[0] + c[k][1] * w[1]) + (c[k][2] * w[2] + c[k][3] * w[3]);
            STORE(y, out[k] + i);
        }
    }
    for (; i < n; i++)
        for (int k = 0; k < TOGETHER; k++)
            out[k][i] += (weight[k][0] * row[0][i] + weight[k][1] * row[1][i]) +
                         (weight[k][2] * row[2][i] + weight[k][3] * row[3][i]);
}

/* Rows of W, each of which some v multiplies with more than zero, and columns of them. */
typedef struct piece {
    size_t row[TOGETHER], nrows;
    size_t from, n; /* columns */
} piece;

/* Add these rows, weighted, to every out at these columns. */
static void add_to_all(const product *p, const piece *of)
{
    const kx_unaligned_float *row[TOGETHER];
    float weight[TOGETHER][TOGETHER] = {{0}}, *to[TOGETHER];

    assert(of->nrows >= 1 && of->nrows <= TOGETHER && of->from + of->n <= p->ncolumns);
    for (size_t r = 0; r < TOGETHER; r++)
        row[r] = p->w + of->row[r < of->nrows ? r : 0] * p->ncolumns + of->from;
    for (size_t k = 0; k < p->count; k++) {
        for (size_t r = 0; r < of->nrows; r++)
            weight[k % TOGETHER][r] = p->v[k][of->row[r]];
        to[k % TOGETHER] = p->out[k] + of->from;
        if (k % TOGETHER == TOGETHER - 1)
            add_rows_tile(row, weight, of->n, to);
    }
    for (size_t rest = 0; rest < p->count % TOGETHER; rest++)
        add_rows(row, weight[rest], of->n, to[rest]);
}

static bool all_zero(const product *p, size_t j)
{
    for (size_t r = 0; r < p->count; r++)
        if (p->v[r][j] != 0)
            return false;
    return true;
}

/* Columns [from, from + n) of out[r] = sum over j of v[r][j] w[j]. */
static void combine_columns(const product *p, size_t from, size_t n)
{
    piece of = {.from = from, .n = n};

    for (size_t r = 0; r < p->count; r++)
        memset(p->out[r] + from, 0, n * sizeof *p->out[r]);
    for (size_t j = 0; j < p->nrows; j++) {
        if (all_zero(p, j))
            continue;
        of.row[of.nrows++] = j;
        if (of.nrows == TOGETHER) {
            add_to_all(p, &of);
            of.nrows = 0;
        }
    }
    if (of.nrows > 0)
        add_to_all(p, &of);
}

/* The columns of thread `me`. */
static void combine_share(const product *p, size_t me, size_t threads)
{
    size_t ncolumns = p->ncolumns;
    size_t share = ((ncolumns + threads - 1) / threads + VEC - 1) / VEC * VEC;
    size_t from = me * share, end = from + share < ncolumns ? from + share : ncolumns;
    size_t most = p->count > 1 ? PIECE : share;

    for (; from < end; from += most)
        combine_columns(p, from, end - from < most ? end - from : most);
}

/* out[r] = sum over j of v[r][j] w[j].  Every thread streams its share of the columns. */
static void combine(const product *p)
{
    if (p->nrows * p->ncolumns < SHARED || omp_get_max_threads() == 1) {
        combine_share(p, 0, 1);
        return;
    }
#pragma omp parallel
    combine_share(p, (size_t)omp_get_thread_num(), (size_t)omp_get_num_threads());
}

void kx_dense_forward(const kx_dense *d, kx_act act, size_t rows, from_rows x, to_rows out)
{
    size_t k = (size_t)d->k, n = (size_t)d->n;

    assert(d->k > 0 && d->n > 0 && d->weights);
    if (d->transposed)
        dots(&(product){d->weights, n, k, rows, x, out});
    else
        combine(&(product){d->weights, k, n, rows, x, out});
    for (size_t r = 0; r < rows; r++) {
        for (size_t j = 0; d->bias && j < n; j++)
            out[r][j] += d->bias[j];
        if (act.kind != KX_ACT_NONE)
            kx_act_forward(act, n, out[r], out[r]);
    }
}

void kx_dense_vjp(const kx_dense *d, size_t rows, from_rows dy, to_rows dx)
{
    size_t k = (size_t)d->k, n = (size_t)d->n;

    assert(d->k > 0 && d->n > 0 && d->weights);
    if (d->transposed)
        combine(&(product){d->weights, n, k, rows, dy, dx});
    else
        dots(&(product){d->weights, k, n, rows, dy, dx});
}
