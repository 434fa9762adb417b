/* kept_rows.c - which rows a detector keeps that chooses among them in the file: non-maximum
 * suppression, class by class. */
#include "detector.h"

#include <math.h>
#include <stdlib.h>

#include "graph/suppress.h"

static const double max_work = 2e9; /* comparisons of boxes */

/* What the search needs; freed as one. */
typedef struct search {
    const kx_detector *d;
    const float *found;
    kx_suppression by;
    float *box;           /* [rows][4] */
    float *score;         /* [rows], of one class */
    int32_t *order, *row; /* [rows] */
    int32_t *best;        /* [rows]: the best class of each, which may be the background */
} search;

static float number(const search *s, const kx_row_part *p, int32_t row, int32_t i)
{
    return s->found[p->begin + p->at[i] + row * p->step];
}

static bool allocate(search *s, kldve_ctx *ctx)
{
    size_t rows = (size_t)s->d->rows;

    s->box = kldve_ctx_alloc(ctx, 5 * rows, sizeof *s->box);
    s->order = kldve_ctx_alloc(ctx, 3 * rows, sizeof *s->order);
    if (!s->box || !s->order)
        return false;
    s->score = s->box + 4 * rows;
    s->row = s->order + rows;
    s->best = s->row + rows;
    return true;
}

static void read_boxes(search *s)
{
    const kx_choosing *c = &s->d->choosing;

    for (int32_t r = 0; r < s->d->rows; r++)
        for (int32_t i = 0; i < 4; i++)
            s->box[4 * (size_t)r + (size_t)i] = number(s, &s->d->chosen_box, r, i);
    s->by = (kx_suppression){.box = s->box,
                             .rows = s->d->rows,
                             .centre = c->centre,
                             .overlap = c->overlap,
                             .least = c->least,
                             .most = c->most};
}

static void find_best(search *s)
{
    const kx_row_part *p = &s->d->chosen_score;

    for (int32_t r = 0; r < s->d->rows; r++) {
        s->best[r] = 0;
        for (int32_t c = 1; c < p->count; c++)
            if (number(s, p, r, c) > number(s, p, r, s->best[r]))
                s->best[r] = c;
    }
}

/* The scores of a class; of rows for which it does not count -infinity. */
static void read_scores(search *s, int32_t class)
{
    const kx_choosing *c = &s->d->choosing;

    for (int32_t r = 0; r < s->d->rows; r++) {
        int32_t of = c->best_only ? s->best[r] : class;

        s->score[r] =
            c->together || of == class ? number(s, &s->d->chosen_score, r, of) : -INFINITY;
    }
}

/* Add those of one class.  False: out of memory. */
static bool add(search *s, kldve_ctx *ctx, int32_t class, kx_kept *out)
{
    int32_t found = kx_suppress(&s->by, s->score, 1, s->order, s->row);
    kx_kept_row *more;

    if (found == 0)
        return true;
    more = kldve_ctx_alloc(ctx, (size_t)out->count + (size_t)found, sizeof *more);
    if (!more)
        return false;
    for (int32_t k = 0; k < out->count; k++)
        more[k] = out->row[k];
    for (int32_t k = 0; k < found; k++)
        more[out->count++] = (kx_kept_row){s->row[k], class, s->score[s->row[k]]};
    kldve_ctx_release(ctx, out->row);
    out->row = more;
    return true;
}

/* By falling score; of equal scores the lower class, then the lower row first. */
static int by_score(const void *a, const void *b)
{
    const kx_kept_row *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

kldve_status kx_kept_rows(kldve_ctx *ctx, const kx_detector *d, const float *found, kx_kept *out)
{
    search s = {.d = d, .found = found};
    int32_t background = d->chosen_score.tensor == d->score.tensor ? d->background : -1;
    int32_t classes = d->choosing.together ? 1 : d->chosen_score.count;
    double most = (double)(d->choosing.most < d->rows ? d->choosing.most : d->rows);
    kldve_status st = KLDVE_OK;

    *out = (kx_kept){.row = NULL};
    if (most * d->rows * d->chosen_score.count > max_work)
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                               "the network chooses among %d rows and %d classes, of each up to "
                               "%.0f, which are too many to compare",
                               (int)d->rows, (int)d->chosen_score.count, most);
    if (allocate(&s, ctx)) {
        read_boxes(&s);
        find_best(&s);
    } else {
        st = KLDVE_E_NOMEM;
    }
    for (int32_t c = 0; st == KLDVE_OK && c < classes; c++) {
        if (c == background && !d->choosing.together)
            continue;
        read_scores(&s, c);
        if (!add(&s, ctx, c, out))
            st = KLDVE_E_NOMEM;
    }
    if (st == KLDVE_OK && d->choosing.sorted && out->count > 1)
        qsort(out->row, (size_t)out->count, sizeof *out->row, by_score);
    if (st == KLDVE_OK && d->choosing.best_only && out->count > most)
        out->count = (int32_t)most;
    kldve_ctx_release(ctx, s.box);
    kldve_ctx_release(ctx, s.order);
    if (st < 0) {
        kldve_ctx_release(ctx, out->row);
        *out = (kx_kept){.row = NULL};
    }
    return st < 0 ? kldve_ctx_fail(ctx, st, "out of memory for the rows of the detector") : st;
}
