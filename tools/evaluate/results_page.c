/* results_page.c - the page of a database: evaluate/page.html with everything inside that the JSON
 * has, every number, and the maps that stand out, drawn where somebody can draw them. */
#include "results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/getters.h"
#include "cli/page.h"

extern const unsigned char evaluate_html[], evaluate_style[], evaluate_script[];
extern const size_t evaluate_html_nbytes, evaluate_style_nbytes, evaluate_script_nbytes;

static const page_source source = {{evaluate_html, &evaluate_html_nbytes},
                                   {{evaluate_style, &evaluate_style_nbytes}},
                                   {{evaluate_script, &evaluate_script_nbytes}}};

enum {
    PAGE_NUMBERS = 1000000, /* that a page holds; some 9 bytes each */
    PAGE_DRAWN = 240,       /* maps, some 6 kB each */
    PAGE_EACH_END = 3,      /* best and worst of each network, metric and method */
    DIGITS = 6
};

/* ---- metrics ------------------------------------------------------------------------------ */

/* The table entry of a metric of the plan, whose name may have options behind it; NULL: this
 * program does not have it. */
static const kldve_metric *metric_of(const char *name)
{
    size_t length = strcspn(name, ":");
    const kldve_metric *metric = NULL;

    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++)
        if (strlen(metric->name) == length && strncmp(metric->name, name, length) == 0)
            break;
    return metric;
}

static int32_t better_of(const kldve_metric *metric)
{
    return metric ? metric->better : KLDVE_BETTER_NEITHER;
}

static json_object *new_meaning(const void *of, size_t i)
{
    const kldve_metric *metric = metric_of(((const store_item *)of + i)->name);
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "title", metric ? metric->title : NULL) &&
        json_put_text(object, "summary", metric ? metric->summary : NULL) &&
        json_put_text(object, "source", metric ? metric->source : NULL) &&
        json_put(object, "better", json_object_new_int(better_of(metric))))
        return object;
    json_object_put(object);
    return NULL;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* One metric of one network for all questions: [methods][questions], NaN where there is none. */
typedef struct columns {
    const summary *m;
    double *value; /* [networks][metrics][methods][questions] */
} columns;

static double *column_at(const columns *c, int32_t net, int32_t metric, int32_t method)
{
    const store_plan *p = c->m->plan;
    size_t row = ((size_t)net * (size_t)p->metrics + (size_t)metric) * (size_t)p->methods;

    return c->value + (row + (size_t)method) * (size_t)p->questions;
}

/* Whether the page has room for every number. */
static bool fits(const store_plan *p)
{
    return (double)p->networks * p->metrics * p->methods * p->questions <= PAGE_NUMBERS;
}

static bool read_columns(store *s, columns *c)
{
    const store_plan *p = c->m->plan;

    for (int32_t n = 0; n < p->networks; n++)
        for (int32_t i = 0; i < p->metrics; i++)
            if (!store_column(s, n, i, column_at(c, n, i, 0), NULL))
                return false;
    return true;
}

static json_object *new_number(const void *of, size_t i)
{
    char text[32];
    double value = ((const double *)of)[i];

    if (isnan(value))
        return json_object_new_null();
    snprintf(text, sizeof text, "%.*g", DIGITS, value);
    return json_object_new_double_s(value, text);
}

/* An array of numbers; what is no number is null, which json_new_list() takes for a failure. */
static bool append_numbers(json_object *list, const double *value, int32_t count)
{
    json_object *numbers = json_object_new_array();
    bool ok = json_append(list, numbers);

    for (int32_t i = 0; ok && i < count; i++) {
        json_object *number = new_number(value, (size_t)i);

        ok = (number || isnan(value[i])) && json_object_array_add(numbers, number) == 0;
    }
    return ok;
}

/* values[network][metric][method][question] */
static bool put_values(json_object *to, const columns *c)
{
    const store_plan *p = c->m->plan;
    json_object *networks = json_object_new_array();
    bool ok = json_put(to, "values", networks);

    for (int32_t n = 0; ok && n < p->networks; n++) {
        json_object *metrics = json_object_new_array();

        ok = json_append(networks, metrics);
        for (int32_t i = 0; ok && i < p->metrics; i++) {
            json_object *methods = json_object_new_array();

            ok = json_append(metrics, methods);
            for (int32_t j = 0; ok && j < p->methods; j++)
                ok = append_numbers(methods, column_at(c, n, i, j), p->questions);
        }
    }
    return ok;
}

static json_object *new_key(const void *of, size_t i)
{
    return json_object_new_string(((const store_question *)of + i)->key);
}

/* What each flag of a map means, by its name. */
static bool put_sentences(json_object *to)
{
    json_object *sentences = json_object_new_object();
    bool ok = json_put(to, "sentences", sentences);

    for (uint64_t flag = 1; ok && kldve_result_flag_name(flag); flag <<= 1)
        ok = json_put_text(sentences, kldve_result_flag_name(flag),
                           kldve_result_flag_sentence(flag));
    return ok;
}

/* ---- maps that stand out ------------------------------------------------------------------- */

typedef struct gallery {
    const columns *columns;
    const results_artist *artist;
    json_object *drawn; /* key "network,question,method" -> picture */
    int32_t count;
    bool failed; /* after a message */
} gallery;

/* The questions at one end, the first of equal ones first; -1 where there are not so many. */
static void find_end(const double *value, int32_t count, bool highest, int32_t out[PAGE_EACH_END])
{
    for (int32_t rank = 0; rank < PAGE_EACH_END; rank++)
        out[rank] = -1;
    for (int32_t i = 0; i < count; i++) {
        int32_t place = PAGE_EACH_END;

        if (isnan(value[i]))
            continue;
        while (place > 0 && (out[place - 1] < 0 || (highest ? value[i] > value[out[place - 1]]
                                                            : value[i] < value[out[place - 1]])))
            place--;
        for (int32_t k = PAGE_EACH_END - 1; k > place; k--)
            out[k] = out[k - 1];
        if (place < PAGE_EACH_END)
            out[place] = i;
    }
}

static void draw_one(gallery *g, int32_t net, int32_t question, int32_t method)
{
    char key[64];

    if (question < 0 || g->count >= PAGE_DRAWN || g->failed)
        return;
    snprintf(key, sizeof key, "%d,%d,%d", (int)net, (int)question, (int)method);
    if (json_object_object_get_ex(g->drawn, key, NULL))
        return;
    g->count++;
    g->failed = !g->artist->draw(g->artist->opaque, net, question, method, g->drawn, key);
}

/* Of one network and metric: the map of each method at this end and rank. */
static void draw_rank(gallery *g, int32_t net, int32_t metric, int32_t rank, bool best)
{
    const store_plan *p = g->columns->m->plan;
    bool highest = (better_of(metric_of(p->metric[metric].name)) != KLDVE_BETTER_LOWER) == best;
    int32_t found[PAGE_EACH_END];

    for (int32_t j = 0; j < p->methods && g->count < PAGE_DRAWN && !g->failed; j++) {
        find_end(column_at(g->columns, net, metric, j), p->questions, highest, found);
        draw_one(g, net, found[rank], j);
    }
}

/* The best of everything first, then the worst, then the second: where room ends, all have the same
 * share. */
static bool put_drawn(json_object *to, const columns *c, const results_artist *artist)
{
    const store_plan *p = c->m->plan;
    gallery g = {.columns = c, .artist = artist, .drawn = json_object_new_object()};

    if (!json_put(to, "drawn", g.drawn)) {
        complain("out of memory");
        return false;
    }
    for (int32_t turn = 0; artist && turn < 2 * PAGE_EACH_END; turn++)
        for (int32_t i = 0; i < p->metrics; i++)
            for (int32_t n = 0; n < p->networks; n++)
                draw_rank(&g, n, i, turn / 2, turn % 2 == 0);
    return !g.failed;
}

/* ---- the page ------------------------------------------------------------------------------ */

static bool put_numbers(json_object *to, store *s, const summary *m, const results_artist *artist)
{
    const store_plan *p = m->plan;
    size_t rows = (size_t)p->networks * (size_t)p->metrics * (size_t)p->methods;
    columns c = {m, NULL};
    bool ok;

    if (!fits(p))
        return json_put(to, "values", json_object_new_array());
    c.value = calloc(rows * (size_t)p->questions + 1, sizeof *c.value);
    if (!c.value) {
        complain("out of memory");
        return false;
    }
    ok = read_columns(s, &c) && put_drawn(to, &c, artist);
    if (ok && !put_values(to, &c)) {
        complain("out of memory");
        ok = false;
    }
    free(c.value);
    return ok;
}

bool results_write_page(store *s, const summary *m, int32_t against, const results_artist *artist,
                        const char *path)
{
    const store_plan *p = m->plan;
    json_object *data = results_json(s, m);
    bool ok;

    if (!data)
        return false;
    ok = json_put(data, "meanings", json_new_list(new_meaning, p->metric, (size_t)p->metrics)) &&
         json_put(data, "keys", json_new_list(new_key, p->question, (size_t)p->questions)) &&
         json_put(data, "against", json_object_new_int(against)) &&
         json_put_text(data, "version", kldve_version()) && put_sentences(data);
    if (!ok)
        complain("out of memory");
    if (ok && put_numbers(data, s, m, artist))
        return page_write(path, &source, data);
    json_object_put(data);
    return false;
}
