/* store_load.c - the plan of a database in memory, for those who read it. */
#include "store_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"

static const char doing[] = "read its plan";

static bool no_memory(const store *s)
{
    complain("%s: out of memory", s->path);
    return false;
}

/* How many rows a table has; its numbers must be those from 0 on. */
static bool count_rows(const store *s, const char *table, int32_t *count)
{
    char query[LABEL_SIZE];
    int64_t n, low, high;

    snprintf(query, sizeof query, "SELECT count(*) FROM %s", table);
    if (!store_ask_int(s, query, &n))
        return false;
    snprintf(query, sizeof query, "SELECT coalesce(min(id), 0) FROM %s", table);
    if (!store_ask_int(s, query, &low))
        return false;
    snprintf(query, sizeof query, "SELECT coalesce(max(id), -1) FROM %s", table);
    if (!store_ask_int(s, query, &high))
        return false;
    if (low != 0 || high != n - 1 || n > INT32_MAX) {
        complain("%s: the file is damaged: the numbers of its %ss have gaps", s->path, table);
        return false;
    }
    *count = (int32_t)n;
    return true;
}

/* A copy of a text of a row; NULL for NULL. */
static bool copy_text(sqlite3_stmt *row, int column, const char **out)
{
    *out = sqlite3_column_type(row, column) == SQLITE_NULL ? NULL : strdup(store_text(row, column));
    return *out || sqlite3_column_type(row, column) == SQLITE_NULL;
}

/* The same, as people may read it: whoever made the database may have put anything there. */
static bool copy_name(sqlite3_stmt *row, int column, const char **out)
{
    const char *text = store_text(row, column);
    size_t size = 3 * strlen(text) + 1;
    char *clean = malloc(size);

    if (clean)
        clean_text(text, clean, size);
    *out = clean;
    return clean != NULL;
}

/* Goes through a query of `count` rows. */
typedef bool read_row(sqlite3_stmt *row, void *array, int32_t i);

static bool read_rows(const store *s, const char *sql, int32_t count, void *array, read_row *read)
{
    sqlite3_stmt *query = store_prepare(s, sql, doing);
    int result = SQLITE_ROW;
    bool ok = query != NULL;

    for (int32_t i = 0; ok && i < count && (result = sqlite3_step(query)) == SQLITE_ROW; i++)
        ok = read(query, array, i) || no_memory(s);
    if (ok && result != SQLITE_ROW)
        ok = store_failed(s, doing);
    sqlite3_finalize(query);
    return ok;
}

static bool read_item(sqlite3_stmt *row, void *array, int32_t i)
{
    store_item *item = (store_item *)array + i;

    return copy_name(row, 0, &item->name) && copy_text(row, 1, &item->spec);
}

static bool load_items(const store *s, const char *table, int32_t *count, const store_item **out)
{
    char sql[LABEL_SIZE];
    store_item *item;

    if (!count_rows(s, table, count))
        return false;
    item = calloc((size_t)*count + 1, sizeof *item);
    if (!item) {
        *count = 0;
        return no_memory(s);
    }
    *out = item;
    snprintf(sql, sizeof sql, "SELECT name, spec FROM %s ORDER BY id", table);
    return read_rows(s, sql, *count, item, read_item);
}

static bool read_question(sqlite3_stmt *row, void *array, int32_t i)
{
    store_question *q = (store_question *)array + i;

    q->print = (uint64_t)sqlite3_column_int64(row, 3);
    return copy_text(row, 0, &q->key) && copy_text(row, 1, &q->picture) &&
           copy_text(row, 2, &q->label);
}

static bool load_questions(const store *s, store_plan *plan)
{
    store_question *q;

    if (!count_rows(s, "question", &plan->questions))
        return false;
    q = calloc((size_t)plan->questions + 1, sizeof *q);
    if (!q) {
        plan->questions = 0;
        return no_memory(s);
    }
    plan->question = q;
    return read_rows(s, "SELECT key, picture, label, print FROM question ORDER BY id",
                     plan->questions, q, read_question);
}

static bool load_about(const store *s, const char *sql, const char **out)
{
    char *text;

    if (!store_ask_text(s, sql, &text))
        return false;
    *out = text;
    if (!text)
        complain("%s: the file is damaged: it does not say what made it", s->path);
    return text != NULL;
}

bool store_load_plan(store *s)
{
    store_plan *plan = &s->plan;

    return load_about(s, "SELECT value FROM about WHERE name = 'build'", &plan->build) &&
           load_about(s, "SELECT value FROM about WHERE name = 'options'", &plan->options) &&
           load_items(s, "network", &plan->networks, &plan->network) &&
           load_items(s, "method", &plan->methods, &plan->method) &&
           load_items(s, "metric", &plan->metrics, &plan->metric) && load_questions(s, plan);
}

/* ---- free --------------------------------------------------------------------------------- */

static void free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void free_items(const store_item *item, int32_t count)
{
    for (int32_t i = 0; item && i < count; i++) {
        free_text(item[i].name);
        free_text(item[i].spec);
    }
    free((void *)(uintptr_t)item);
}

void store_free_plan(store_plan *plan)
{
    free_text(plan->build);
    free_text(plan->options);
    free_items(plan->network, plan->networks);
    free_items(plan->method, plan->methods);
    free_items(plan->metric, plan->metrics);
    for (int32_t i = 0; plan->question && i < plan->questions; i++) {
        free_text(plan->question[i].key);
        free_text(plan->question[i].picture);
        free_text(plan->question[i].label);
    }
    free((void *)(uintptr_t)plan->question);
    memset(plan, 0, sizeof *plan);
}
