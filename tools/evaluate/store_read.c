/* store_read.c - what a database holds, row by row, in the numbers of its own plan. */
#include "store_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "cli/json.h"
#include "cli/tool.h"

static const char doing[] = "read it";

/* NaN for NULL. */
static double number(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? (double)NAN
                                                           : sqlite3_column_double(row, column);
}

/* A number of the plan; the file may hold anything. */
static bool read_number(const store *s, sqlite3_stmt *row, int column, int32_t count, int32_t *out)
{
    int64_t id = sqlite3_column_int64(row, column);

    if (id < 0 || id >= count) {
        complain("%s: the file is damaged: a result has the number %lld, of %d", s->path,
                 (long long)id, (int)count);
        return false;
    }
    *out = (int32_t)id;
    return true;
}

/* Goes through a query.  `read` hands a row over; it returns false to stop, after a message. */
typedef struct reader {
    store *s;
    void *each, *opaque; /* each: a pointer to the caller's function */
    bool (*read)(const struct reader *r, sqlite3_stmt *row);
} reader;

static bool go_through(const reader *r, sqlite3_stmt *query)
{
    int result = SQLITE_DONE;
    bool ok = query != NULL;

    while (ok && (result = sqlite3_step(query)) == SQLITE_ROW)
        ok = r->read(r, query);
    if (ok && result != SQLITE_DONE)
        ok = store_failed(r->s, doing);
    sqlite3_finalize(query);
    return ok;
}

/* ---- values ------------------------------------------------------------------------------- */

typedef bool (*each_row)(void *opaque, const store_row *row);

/* The explanation in a row, from a column on: target, logit, probability, flags, ms, why. */
static void read_method(sqlite3_stmt *row, int column, unit_method *out)
{
    out->target = sqlite3_column_int(row, column);
    out->logit = (float)number(row, column + 1);
    out->probability = (float)number(row, column + 2);
    out->flags = (uint64_t)sqlite3_column_int64(row, column + 3);
    out->ms = number(row, column + 4);
    clean_text(store_text(row, column + 5), out->why, sizeof out->why);
}

static bool read_row(const reader *r, sqlite3_stmt *row)
{
    const store_plan *p = &r->s->plan;
    store_row v = {.value = number(row, 4)};
    unit_method says;

    if (sqlite3_column_count(row) > 5) {
        read_method(row, 5, &says);
        v.says = &says;
    }
    return read_number(r->s, row, 0, p->networks, &v.network) &&
           read_number(r->s, row, 1, p->questions, &v.question) &&
           read_number(r->s, row, 2, p->methods, &v.method) &&
           read_number(r->s, row, 3, p->metrics, &v.metric) &&
           (*(each_row *)r->each)(r->opaque, &v);
}

bool store_each_row(store *s, bool (*each)(void *opaque, const store_row *row), void *opaque)
{
    const reader r = {s, &each, opaque, read_row};

    return go_through(&r, store_prepare(s,
                                        "SELECT network, question, method, metric, value, target, "
                                        "logit, probability, flags, ms, why FROM value JOIN "
                                        "explanation USING (network, question, method) "
                                        "ORDER BY network, question, method, metric",
                                        doing));
}

/* Where one column goes. */
typedef struct column {
    int32_t questions;
    double *value;
    uint8_t *has;
} column;

static bool fill(void *opaque, const store_row *row)
{
    column *c = opaque;
    size_t at = (size_t)row->method * (size_t)c->questions + (size_t)row->question;

    c->value[at] = row->value;
    if (c->has)
        c->has[at] = 1;
    return true;
}

bool store_column(store *s, int32_t net, int32_t metric, double *value, uint8_t *has)
{
    column c = {s->plan.questions, value, has};
    size_t cells = (size_t)s->plan.methods * (size_t)s->plan.questions;
    bool (*each)(void *, const store_row *) = fill;
    const reader r = {s, &each, &c, read_row};
    char sql[LABEL_SIZE];

    for (size_t i = 0; i < cells; i++)
        value[i] = (double)NAN;
    if (has)
        memset(has, 0, cells);
    snprintf(sql, sizeof sql,
             "SELECT network, question, method, metric, value FROM value "
             "WHERE network = %d AND metric = %d",
             (int)net, (int)metric);
    return go_through(&r, store_prepare(s, sql, doing));
}

/* ---- explanations ------------------------------------------------------------------------- */

typedef bool (*each_explanation)(void *opaque, const store_explanation *e);

static bool read_explanation(const reader *r, sqlite3_stmt *row)
{
    const store_plan *p = &r->s->plan;
    store_explanation e;

    read_method(row, 3, &e.says);
    return read_number(r->s, row, 0, p->networks, &e.network) &&
           read_number(r->s, row, 1, p->questions, &e.question) &&
           read_number(r->s, row, 2, p->methods, &e.method) &&
           (*(each_explanation *)r->each)(r->opaque, &e);
}

bool store_each_explanation(store *s, bool (*each)(void *opaque, const store_explanation *e),
                            void *opaque)
{
    const reader r = {s, &each, opaque, read_explanation};

    return go_through(&r, store_prepare(s,
                                        "SELECT network, question, method, target, logit, "
                                        "probability, flags, ms, why FROM explanation "
                                        "ORDER BY network, question, method",
                                        doing));
}

/* ---- units -------------------------------------------------------------------------------- */

typedef bool (*each_unreadable)(void *opaque, const store_unreadable *u);

static bool read_unreadable(const reader *r, sqlite3_stmt *row)
{
    char why[UNIT_WHY_SIZE];
    store_unreadable u = {.why = why};

    clean_text(store_text(row, 2), why, sizeof why);
    return read_number(r->s, row, 0, r->s->plan.networks, &u.network) &&
           read_number(r->s, row, 1, r->s->plan.questions, &u.question) &&
           (*(each_unreadable *)r->each)(r->opaque, &u);
}

bool store_each_unreadable(store *s, bool (*each)(void *opaque, const store_unreadable *u),
                           void *opaque)
{
    const reader r = {s, &each, opaque, read_unreadable};
    char sql[LABEL_SIZE];

    snprintf(sql, sizeof sql,
             "SELECT network, question, why FROM unit WHERE state = %d "
             "ORDER BY network, question",
             (int)UNIT_UNREADABLE);
    return go_through(&r, store_prepare(s, sql, doing));
}

bool store_count(store *s, store_counts *out)
{
    store_counts c;

    if (!store_ask_int(s, "SELECT count(*) FROM unit WHERE state = 0", &c.measured) ||
        !store_ask_int(s, "SELECT count(*) FROM unit WHERE state = 1", &c.unreadable) ||
        !store_ask_int(s, "SELECT count(*) FROM value", &c.values))
        return false;
    *out = c;
    return true;
}

/* ---- runs --------------------------------------------------------------------------------- */

typedef bool (*each_run)(void *opaque, const char *json);

static json_object *new_run(sqlite3_stmt *row)
{
    static const char *const name[] = {"host", "machine", "command", "began", "ended"};
    json_object *run = json_object_new_object(), *record;
    bool ok = run && json_put(run, "pid", json_object_new_int64(sqlite3_column_int64(row, 5)));

    for (int i = 0; ok && i < 5; i++)
        ok = json_put_text(run, name[i],
                           sqlite3_column_type(row, i) == SQLITE_NULL ? NULL : store_text(row, i));
    if (ok) { /* what is no JSON is left out */
        record = json_tokener_parse(store_text(row, 6));
        ok = !record || json_put(run, "record", record);
    }
    if (ok)
        return run;
    json_object_put(run);
    return NULL;
}

static bool read_run(const reader *r, sqlite3_stmt *row)
{
    json_object *run = new_run(row);
    const char *text =
        run ? json_object_to_json_string_ext(run, JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
    bool ok = text && (*(each_run *)r->each)(r->opaque, text);

    if (!text)
        complain("%s: out of memory", r->s->path);
    json_object_put(run);
    return ok;
}

bool store_each_run(store *s, bool (*each)(void *opaque, const char *json), void *opaque)
{
    const reader r = {s, &each, opaque, read_run};

    return go_through(&r, store_prepare(s,
                                        "SELECT host, machine, command, began, ended, pid, record "
                                        "FROM run ORDER BY id",
                                        doing));
}
