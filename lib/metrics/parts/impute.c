/* impute.c - pixels guessed from those around them: the noisy linear imputation of ROAD without its
 * noise (Y. Rong et al., arXiv:2202.00449, Section 4).
 *
 * Every removed pixel is the weighted mean of its neighbours, removed or not:
 *
 *     x_p = sum over neighbours q of w_q x_q / sum of w_q
 *     w = 1/6 for the four direct neighbours, 1/12 for the four diagonal ones, none outside
 *
 * For the removed pixels that is a symmetric system, positive definite as soon as one pixel of the
 * picture is known: A x = b with A_pp the sum of p's weights, A_pq = -w, b_p the weighted sum of
 * the known neighbours.  A sparse Cholesky factorisation solves it for all channels: that of
 * CXSparse (T. A. Davis, SuiteSparse), in an order of minimum degree.  Only this file knows
 * CXSparse, whose memory does not come from the context. */
#include "impute.h"

#include <stdbool.h>

#include "metric_job.h"

#ifdef KLDVE_HAVE_CXSPARSE
#define NCOMPLEX /* of cs.h: without complex numbers */
#include <suitesparse/cs.h>

enum { NEIGHBOURS = 8, MOST = INT32_MAX / (NEIGHBOURS + 1) };

static const struct {
    int dy, dx;
    double weight;
} around[NEIGHBOURS] = {
    {-1, 0, 1 / 6.0},   {1, 0, 1 / 6.0},   {0, -1, 1 / 6.0},  {0, 1, 1 / 6.0},
    {-1, -1, 1 / 12.0}, {-1, 1, 1 / 12.0}, {1, -1, 1 / 12.0}, {1, 1, 1 / 12.0},
};

/* The removed pixels of a picture and the factors of their system. */
struct system {
    const uint8_t *removed;
    int32_t height, width;
    int32_t count;    /* of removed pixels */
    int32_t *unknown; /* [height][width], the number of a removed pixel */
    double *b, *x;    /* [count] */
    cs_dis *symbolic;
    cs_din *numeric;
};

/* The index of neighbour `k` of pixel y, x; -1 outside. */
static int32_t neighbour(const struct system *s, int32_t y, int32_t x, int k)
{
    y += around[k].dy;
    x += around[k].dx;
    return y < 0 || x < 0 || y >= s->height || x >= s->width ? -1 : y * s->width + x;
}

/* The row of one removed pixel. */
static bool put_row(const struct system *s, cs_di *entries, int32_t y, int32_t x)
{
    int32_t row = s->unknown[y * s->width + x];
    double sum = 0;
    bool ok = true;

    for (int k = 0; k < NEIGHBOURS; k++) {
        int32_t q = neighbour(s, y, x, k);

        if (q < 0)
            continue;
        sum += around[k].weight;
        if (s->removed[q])
            ok = ok && cs_di_entry(entries, row, s->unknown[q], -around[k].weight);
    }
    return ok && cs_di_entry(entries, row, row, sum);
}

static cs_di *new_matrix(const struct system *s)
{
    cs_di *entries = cs_di_spalloc(s->count, s->count, s->count * (NEIGHBOURS + 1), 1, 1);
    cs_di *matrix = NULL;
    bool ok = entries != NULL;

    for (int32_t y = 0; ok && y < s->height; y++)
        for (int32_t x = 0; ok && x < s->width; x++)
            if (s->removed[y * s->width + x])
                ok = put_row(s, entries, y, x);
    if (ok)
        matrix = cs_di_compress(entries);
    cs_di_spfree(entries);
    return matrix;
}

static bool factorise(struct system *s)
{
    cs_di *matrix = new_matrix(s);

    if (matrix && (s->symbolic = cs_di_schol(1, matrix)) != NULL)
        s->numeric = cs_di_chol(matrix, s->symbolic);
    cs_di_spfree(matrix);
    return s->numeric != NULL;
}

/* What the known neighbours of all removed pixels add up to. */
static void known_sums(const struct system *s, const float *plane)
{
    for (int32_t y = 0; y < s->height; y++)
        for (int32_t x = 0; x < s->width; x++) {
            int32_t p = y * s->width + x;
            double sum = 0;

            if (!s->removed[p])
                continue;
            for (int k = 0; k < NEIGHBOURS; k++) {
                int32_t q = neighbour(s, y, x, k);

                if (q >= 0 && !s->removed[q])
                    sum += around[k].weight * (double)plane[q];
            }
            s->b[s->unknown[p]] = sum;
        }
}

static void solve(const struct system *s, float *plane)
{
    known_sums(s, plane);
    cs_di_ipvec(s->symbolic->pinv, s->b, s->x, s->count);
    cs_di_lsolve(s->numeric->L, s->x);
    cs_di_ltsolve(s->numeric->L, s->x);
    cs_di_pvec(s->symbolic->pinv, s->x, s->b, s->count);
    for (int32_t p = 0; p < s->height * s->width; p++)
        if (s->removed[p])
            plane[p] = (float)s->b[s->unknown[p]];
}

static void number_unknowns(struct system *s)
{
    s->count = 0;
    for (int32_t p = 0; p < s->height * s->width; p++)
        if (s->removed[p])
            s->unknown[p] = s->count++;
}

static kldve_status impute(const kldve_metric_job *job, struct system *s, float *input)
{
    size_t pixels = (size_t)s->height * (size_t)s->width;

    if (!s->unknown || !s->b || !s->x)
        return kldve_metric_out_of_memory(job);
    number_unknowns(s);
    if (s->count == 0)
        return KLDVE_OK;
    if (!factorise(s))
        return kldve_metric_out_of_memory(job);
    for (int32_t c = 0; c < job->shape->in_channels; c++)
        solve(s, input + (size_t)c * pixels);
    return KLDVE_OK;
}

kldve_status kldve_impute(const kldve_metric_job *job, const uint8_t *removed, float *input)
{
    size_t pixels = (size_t)job->height * (size_t)job->width;
    struct system s = {.removed = removed, .height = job->height, .width = job->width};
    kldve_status st;

    if (pixels > MOST)
        return kldve_ctx_failf(job->ctx, KLDVE_E_UNSUPPORTED,
                               "metric %s: %zu pixels are too many to be guessed",
                               job->metric->name, pixels);
    s.unknown = kldve_ctx_alloc(job->ctx, pixels, sizeof *s.unknown);
    s.b = kldve_ctx_alloc(job->ctx, pixels, sizeof *s.b);
    s.x = kldve_ctx_alloc(job->ctx, pixels, sizeof *s.x);
    st = impute(job, &s, input);
    cs_di_nfree(s.numeric);
    cs_di_sfree(s.symbolic);
    kldve_ctx_release(job->ctx, s.x);
    kldve_ctx_release(job->ctx, s.b);
    kldve_ctx_release(job->ctx, s.unknown);
    return st;
}

kldve_status kldve_impute_can(const kldve_metric_job *job)
{
    (void)job;
    return KLDVE_OK;
}

#else

kldve_status kldve_impute_can(const kldve_metric_job *job)
{
    return kldve_ctx_failf(job->ctx, KLDVE_E_UNSUPPORTED,
                           "metric %s: this libkldve was built without a sparse solver: install "
                           "libsuitesparse-dev and build it again",
                           job->metric->name);
}

kldve_status kldve_impute(const kldve_metric_job *job, const uint8_t *removed, float *input)
{
    (void)removed;
    (void)input;
    return kldve_impute_can(job);
}

#endif
