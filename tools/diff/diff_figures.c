/* diff_figures.c - every measure of every pair of maps. */
#include "diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static kldve_status measure(kldve_ctx *ctx, const kldve_metric *metric, const diff_maps *a,
                            const diff_maps *b, int32_t map, double part, double *value)
{
    size_t offset = (size_t)map * (size_t)a->height * (size_t)a->width;
    const float *const maps[2] = {a->value + offset, b->value + offset};
    kldve_metric_options o = KLDVE_METRIC_OPTIONS_INIT;

    if (metric->options & KLDVE_METRIC_OPTION_PART)
        o.part = part;
    return kldve_agreement(ctx, metric->name, maps, a->height, a->width, &o, value);
}

/* The number that is NaN wins: a bound must not pass over it. */
static void take(diff_figure *f, double value, int32_t map)
{
    if (map == 0 || isnan(value) || value < f->least) {
        f->least = value;
        f->least_at = map;
    }
    if (map == 0 || isnan(value) || value > f->most) {
        f->most = value;
        f->most_at = map;
    }
}

static void sum_up(diff_figures *f, int32_t measures, int32_t i)
{
    diff_figure *figure = &f->figure[i];
    double sum = 0;

    for (int32_t map = 0; map < f->maps; map++) {
        double value = f->each[(size_t)map * (size_t)measures + (size_t)i];

        if (!isnan(figure->least) || map == 0)
            take(figure, value, map);
        sum += value;
    }
    figure->mean = sum / f->maps;
}

bool diff_figures_make(diff_figures *f, kldve_ctx *ctx, const diff_measures *m, const diff_maps *a,
                       const diff_maps *b, double part)
{
    f->maps = a->maps;
    f->each = calloc((size_t)a->maps * (size_t)m->count + 1, sizeof *f->each);
    if (!f->each) {
        complain("out of memory");
        return false;
    }
    for (int32_t map = 0; map < a->maps; map++)
        for (int32_t i = 0; i < m->count; i++) {
            kldve_status st = measure(ctx, m->metric[i], a, b, map, part,
                                      &f->each[(size_t)map * (size_t)m->count + (size_t)i]);

            if (st != KLDVE_OK) {
                complain_ctx(ctx, b->path, st);
                return false;
            }
        }
    for (int32_t i = 0; i < m->count; i++)
        sum_up(f, m->count, i);
    return true;
}

void diff_figures_free(diff_figures *f)
{
    free(f->each);
    memset(f, 0, sizeof *f);
}

double diff_decides(const diff_figures *f, const diff_bound *b, int32_t *map)
{
    const diff_figure *figure = &f->figure[b->measure];

    *map = b->at_most ? figure->most_at : figure->least_at;
    return b->at_most ? figure->most : figure->least;
}

bool diff_holds(const diff_figures *f, const diff_bound *b)
{
    int32_t map;
    double value = diff_decides(f, b, &map);

    return b->at_most ? value <= b->limit : value >= b->limit;
}
