/* summary.c - means and paired differences of every metric of a database.
 *
 * Pictures are numbered by the order of their names, so that intervals do not depend on the order
 * in which questions came into the database. */
#include "summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"

/* ---- pictures ----------------------------------------------------------------------------- */

typedef struct named {
    const char *picture;
    int32_t question;
} named;

static int by_picture(const void *a, const void *b)
{
    return strcmp(((const named *)a)->picture, ((const named *)b)->picture);
}

/* The number of the picture of each question -> of[questions]; returns how many there are. */
static int32_t number_pictures(const store_plan *plan, named *sorted, int32_t *of)
{
    int32_t n = 0;

    for (int32_t i = 0; i < plan->questions; i++) {
        const store_question *q = &plan->question[i];

        sorted[i] = (named){q->picture ? q->picture : q->key, i};
    }
    qsort(sorted, (size_t)plan->questions, sizeof *sorted, by_picture);
    for (int32_t i = 0; i < plan->questions; i++) {
        n += i == 0 || strcmp(sorted[i - 1].picture, sorted[i].picture) != 0;
        of[sorted[i].question] = n - 1;
    }
    return n;
}

/* ---- one metric --------------------------------------------------------------------------- */

/* One metric of all networks, and room for what is made of it. */
typedef struct workspace {
    summary *m;
    int32_t *picture; /* [questions] */
    double *value;    /* [networks][methods][questions] */
    uint8_t *has;     /* the same */
    picture_sum *at;  /* [pictures][series], of the longest list of series */
    estimate *out;    /* [series] */
} workspace;

static size_t column_at(const workspace *w, int32_t net, int32_t method)
{
    const store_plan *p = w->m->plan;

    return ((size_t)net * (size_t)p->methods + (size_t)method) * (size_t)p->questions;
}

static void clear(workspace *w, int32_t series)
{
    size_t n = (size_t)w->m->pictures * (size_t)series;

    for (size_t i = 0; i < n; i++)
        w->at[i] = (picture_sum){0, 0};
}

/* Series `i` of `series`: the numbers of column `a`, minus those of `b` where that is not NULL. */
static void add_series(workspace *w, const double *a, const double *b, int32_t i, int32_t series)
{
    for (int32_t q = 0; q < w->m->plan->questions; q++) {
        double value = b ? a[q] - b[q] : a[q];
        picture_sum *p = &w->at[(size_t)w->picture[q] * (size_t)series + (size_t)i];

        if (!isfinite(value))
            continue;
        p->sum += value;
        p->count++;
    }
}

/* Networks net..end - 1: one, or all of them together. */
static int32_t end_of(const workspace *w, int32_t *net)
{
    int32_t all = w->m->plan->networks;

    if (*net < all)
        return *net + 1;
    *net = 0;
    return all;
}

/* Series `i`: method `a` of a network, or of all, minus method `b` where that is not below 0. */
static void add_method(workspace *w, int32_t net, int32_t a, int32_t b, int32_t i, int32_t series)
{
    for (int32_t end = end_of(w, &net); net < end; net++)
        add_series(w, w->value + column_at(w, net, a),
                   b < 0 ? NULL : w->value + column_at(w, net, b), i, series);
}

static int32_t count_undefined(const workspace *w, int32_t net, int32_t method)
{
    int32_t n = 0;

    for (int32_t end = end_of(w, &net); net < end; net++) {
        size_t column = column_at(w, net, method);

        for (size_t q = 0; q < (size_t)w->m->plan->questions; q++)
            n += w->has[column + q] && !isfinite(w->value[column + q]);
    }
    return n;
}

/* Pictures without any of these numbers - not measured, unreadable - are not drawn. */
static int32_t drop_empty(workspace *w, int32_t series)
{
    size_t n = (size_t)series;
    int32_t kept = 0;

    for (int32_t p = 0; p < w->m->pictures; p++) {
        const picture_sum *one = w->at + (size_t)p * n;
        bool any = false;

        for (size_t i = 0; i < n; i++)
            any = any || one[i].count > 0;
        if (any)
            memmove(w->at + (size_t)kept++ * n, one, n * sizeof *one);
    }
    return kept;
}

static bool estimate_all(workspace *w, int32_t series)
{
    int32_t pictures = drop_empty(w, series);

    if (statistics_estimate(w->at, pictures, series, &w->m->how, w->out))
        return true;
    complain("out of memory for the confidence intervals");
    return false;
}

static estimate negated(const estimate *e)
{
    estimate n = *e;

    n.mean = -e->mean;
    n.low = -e->high;
    n.high = -e->low;
    return n;
}

/* The methods of one network, or of all: their means, then their differences. */
static bool compare_methods(workspace *w, int32_t net, int32_t metric)
{
    const summary *m = w->m;
    int32_t methods = m->plan->methods, series = methods + methods * (methods - 1) / 2, i = methods;
    size_t row = ((size_t)net * (size_t)m->plan->metrics + (size_t)metric) * (size_t)methods;

    clear(w, series);
    for (int32_t a = 0; a < methods; a++) {
        add_method(w, net, a, -1, a, series);
        for (int32_t b = 0; b < a; b++)
            add_method(w, net, a, b, i++, series);
    }
    if (!estimate_all(w, series))
        return false;
    i = methods;
    for (int32_t a = 0; a < methods; a++) {
        m->mean[row + (size_t)a] = w->out[a];
        m->mean[row + (size_t)a].undefined = count_undefined(w, net, a);
        for (int32_t b = 0; b < a; b++, i++) {
            m->method_minus[(row + (size_t)a) * (size_t)methods + (size_t)b] = w->out[i];
            m->method_minus[(row + (size_t)b) * (size_t)methods + (size_t)a] = negated(&w->out[i]);
        }
    }
    return true;
}

static size_t between_at(const summary *m, int32_t net, int32_t other, int32_t metric)
{
    const store_plan *p = m->plan;

    return (((size_t)net * (size_t)p->networks + (size_t)other) * (size_t)p->metrics +
            (size_t)metric) *
           (size_t)p->methods;
}

/* Two networks, method by method. */
static bool compare_networks(workspace *w, int32_t net, int32_t other, int32_t metric)
{
    const summary *m = w->m;
    int32_t methods = m->plan->methods;

    clear(w, methods);
    for (int32_t a = 0; a < methods; a++)
        add_series(w, w->value + column_at(w, net, a), w->value + column_at(w, other, a), a,
                   methods);
    if (!estimate_all(w, methods))
        return false;
    for (int32_t a = 0; a < methods; a++) {
        m->network_minus[between_at(m, net, other, metric) + (size_t)a] = w->out[a];
        m->network_minus[between_at(m, other, net, metric) + (size_t)a] = negated(&w->out[a]);
    }
    return true;
}

static bool summarise_metric(workspace *w, store *s, int32_t metric)
{
    bool ok = true;

    for (int32_t n = 0; ok && n < w->m->plan->networks; n++)
        ok = store_column(s, n, metric, w->value + column_at(w, n, 0), w->has + column_at(w, n, 0));
    for (int32_t n = 0; ok && n < w->m->plan->networks; n++) {
        ok = compare_methods(w, n, metric);
        for (int32_t o = 0; ok && o < n; o++)
            ok = compare_networks(w, n, o, metric);
    }
    if (ok && summary_networks(w->m) > w->m->plan->networks)
        ok = compare_methods(w, w->m->plan->networks, metric);
    return ok;
}

/* ---- maps --------------------------------------------------------------------------------- */

static bool count_map(void *opaque, const store_explanation *e)
{
    summary *m = opaque;
    map_count *c = &m->maps[(size_t)e->network * (size_t)m->plan->methods + (size_t)e->method];

    if (*e->says.why) {
        c->none++;
        return true;
    }
    c->maps++;
    for (int i = 0; i < SUMMARY_FLAGS; i++)
        c->flag[i] += (e->says.flags >> i & 1) != 0;
    return true;
}

/* ---- all ---------------------------------------------------------------------------------- */

/* Zeroed; NULL where the product of the sizes is too large. */
static void *room(size_t size, size_t a, size_t b, size_t c)
{
    if (a > SIZE_MAX / size || b > SIZE_MAX / size / (a + 1) ||
        c > SIZE_MAX / size / (a + 1) / (b + 1))
        return NULL;
    return calloc(a * b * c + 1, size);
}

static bool make_room(workspace *w)
{
    summary *m = w->m;
    const store_plan *p = m->plan;
    size_t networks = (size_t)p->networks, methods = (size_t)p->methods,
           metrics = (size_t)p->metrics, questions = (size_t)p->questions,
           series = methods + methods * methods / 2;

    m->maps = room(sizeof *m->maps, networks, methods, 1);
    m->mean = room(sizeof *m->mean, networks + 1, metrics, methods);
    m->method_minus = room(sizeof *m->method_minus, (networks + 1) * metrics, methods, methods);
    m->network_minus = room(sizeof *m->network_minus, networks * networks, metrics, methods);
    w->value = room(sizeof *w->value, networks, methods, questions);
    w->has = room(1, networks, methods, questions);
    w->at = room(sizeof *w->at, (size_t)m->pictures, series, 1);
    w->out = room(sizeof *w->out, series, 1, 1);
    return m->maps && m->mean && m->method_minus && m->network_minus && w->value && w->has &&
           w->at && w->out;
}

static bool find_pictures(workspace *w)
{
    size_t n = (size_t)w->m->plan->questions + 1;
    named *sorted = malloc(n * sizeof *sorted);

    w->picture = malloc(n * sizeof *w->picture);
    if (sorted && w->picture)
        w->m->pictures = number_pictures(w->m->plan, sorted, w->picture);
    free(sorted);
    return sorted && w->picture;
}

bool summary_make(store *s, const bootstrap *how, summary *out)
{
    summary m = {.plan = store_plan_of(s), .how = *how};
    workspace w = {.m = &m};
    bool ok = find_pictures(&w) && make_room(&w);

    if (!ok)
        complain("out of memory for the tables");
    ok = ok && store_count(s, &m.count) && store_each_explanation(s, count_map, &m);
    for (int32_t i = 0; ok && i < m.plan->metrics; i++)
        ok = summarise_metric(&w, s, i);
    free(w.picture);
    free(w.value);
    free(w.has);
    free(w.at);
    free(w.out);
    if (ok)
        *out = m;
    else
        summary_free(&m);
    return ok;
}

void summary_free(summary *m)
{
    free(m->maps);
    free(m->mean);
    free(m->method_minus);
    free(m->network_minus);
    memset(m, 0, sizeof *m);
}

int32_t summary_networks(const summary *m)
{
    return m->plan->networks > 1 ? m->plan->networks + 1 : m->plan->networks;
}

const map_count *summary_maps(const summary *m, int32_t net, int32_t method)
{
    return &m->maps[(size_t)net * (size_t)m->plan->methods + (size_t)method];
}

const estimate *summary_mean(const summary *m, int32_t net, int32_t metric, int32_t method)
{
    const store_plan *p = m->plan;

    return &m->mean[((size_t)net * (size_t)p->metrics + (size_t)metric) * (size_t)p->methods +
                    (size_t)method];
}

const estimate *summary_method_minus(const summary *m, int32_t net, int32_t metric, int32_t method,
                                     int32_t other)
{
    const store_plan *p = m->plan;

    return &m->method_minus[(((size_t)net * (size_t)p->metrics + (size_t)metric) *
                                 (size_t)p->methods +
                             (size_t)method) *
                                (size_t)p->methods +
                            (size_t)other];
}

const estimate *summary_network_minus(const summary *m, int32_t net, int32_t other, int32_t metric,
                                      int32_t method)
{
    return &m->network_minus[between_at(m, net, other, metric) + (size_t)method];
}
