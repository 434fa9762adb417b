/* store_plan.c - the plan of a database: compared with what a run wants, extended, read. */
#include "store_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"

const char *const store_kind_name[STORE_KINDS] = {"network", "method", "metric", "question"};

static bool no_memory(const store *s)
{
    complain("%s: out of memory", s->path);
    return false;
}

/* ---- what differs ------------------------------------------------------------------------- */

enum { SHOWN = 72 };

/* Where two texts begin to differ, from the beginning of that entry on: "layer a, logits b". */
static size_t first_difference(const char *a, const char *b)
{
    size_t i = 0;

    while (a[i] && a[i] == b[i])
        i++;
    while (i > 0 && !strchr(",;\n", a[i - 1]))
        i--;
    while (a[i] == ' ' && b[i] == ' ')
        i++;
    return i;
}

/* How much of an entry is shown. */
static int entry_length(const char *entry)
{
    size_t length = strcspn(entry, ",;\n");

    return length > 0 && length < SHOWN ? (int)length : SHOWN;
}

static bool refuse_text(const store *s, const char *what, const char *stored, const char *now)
{
    size_t at = first_difference(stored, now);

    complain("%s: the results in it are of %s '%.*s', this run has '%.*s': run with the same, or "
             "give another --db",
             s->path, what, entry_length(stored + at), stored + at, entry_length(now + at),
             now + at);
    return false;
}

static bool check_about(const store *s, const char *name, const char *now, const char *what)
{
    char query[LABEL_SIZE], *stored;
    bool same;

    snprintf(query, sizeof query, "SELECT value FROM about WHERE name = '%s'", name);
    if (!store_ask_text(s, query, &stored))
        return false;
    same = stored && strcmp(stored, now) == 0;
    if (!same)
        refuse_text(s, what, stored ? stored : "nothing", now);
    free(stored);
    return same;
}

static bool put_about(const store *s, const char *name, const char *value)
{
    static const char doing[] = "store the plan";
    sqlite3_stmt *put = store_prepare(s, "INSERT INTO about VALUES (?, ?)", doing);
    bool ok = put && store_run_once(s, put, doing, "tt", name, value);

    sqlite3_finalize(put);
    return ok;
}

/* A new database takes over what later runs are compared with. */
static bool extend_about(const store *s, const store_plan *plan)
{
    int64_t known;

    if (!store_ask_int(s, "SELECT count(*) FROM about", &known))
        return false;
    if (known == 0)
        return put_about(s, "build", plan->build) && put_about(s, "options", plan->options);
    return check_about(s, "build", plan->build, "the program") &&
           check_about(s, "options", plan->options, "the options");
}

/* ---- extend ------------------------------------------------------------------------------- */

/* What is done for one kind of a plan. */
typedef struct extension {
    store *s;
    store_kind kind;
    sqlite3_stmt *find, *add;
    int64_t next; /* number of the first new one */
    uint8_t *met; /* [next + those of the plan]: 1 where the plan has named it */
} extension;

static bool begin_extension(extension *e, const char *find, const char *add)
{
    char count[LABEL_SIZE];
    const char *name = store_kind_name[e->kind];
    store *s = e->s;

    snprintf(count, sizeof count, "SELECT count(*) FROM %s", name);
    e->find = store_prepare(s, find, "read its plan");
    e->add = e->find ? store_prepare(s, add, "extend its plan") : NULL;
    if (!e->add || !store_ask_int(s, count, &e->next))
        return false;
    if (e->next + s->count[e->kind] > INT32_MAX) {
        complain("%s: it would have more than 2^31 %ss: give another --db", s->path, name);
        return false;
    }
    s->id[e->kind] = malloc(((size_t)s->count[e->kind] + 1) * sizeof *s->id[e->kind]);
    e->met = calloc((size_t)e->next + (size_t)s->count[e->kind] + 1, 1);
    return (s->id[e->kind] && e->met) || no_memory(s);
}

static void end_extension(extension *e)
{
    sqlite3_finalize(e->find);
    sqlite3_finalize(e->add);
    free(e->met);
}

/* Number `i` of the plan is `id` in the database.  Each may be met once. */
static bool map_number(extension *e, int32_t i, int64_t id, const char *name)
{
    if (id < 0 || id >= e->next) {
        complain("%s: the file is damaged: %s '%s' has the number %lld", e->s->path,
                 store_kind_name[e->kind], name, (long long)id);
        return false;
    }
    if (e->met[id]) {
        complain("two of the %ss are called '%s': give each a name of its own",
                 store_kind_name[e->kind], name);
        return false;
    }
    e->met[id] = 1;
    e->s->id[e->kind][i] = (int32_t)id;
    return true;
}

/* Looks `name` up: `found` says whether it is there; then e->find stands on its row and is reset by
 * the caller. */
static bool find_name(extension *e, const char *name, bool *found)
{
    int result = sqlite3_bind_text(e->find, 1, name, -1, SQLITE_TRANSIENT);

    if (result == SQLITE_OK)
        result = sqlite3_step(e->find);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return store_failed(e->s, "read its plan");
    *found = result == SQLITE_ROW;
    return true;
}

static bool extend_item(extension *e, int32_t i, const store_item *item)
{
    char what[LABEL_SIZE];
    int64_t id = e->next;
    bool found = false, ok = find_name(e, item->name, &found);

    if (ok && found) {
        id = sqlite3_column_int64(e->find, 0);
        snprintf(what, sizeof what, "%s '%s' with", store_kind_name[e->kind], item->name);
        ok = strcmp(store_text(e->find, 1), item->spec) == 0 ||
             refuse_text(e->s, what, store_text(e->find, 1), item->spec);
    }
    sqlite3_reset(e->find);
    if (ok && !found)
        ok = store_run_once(e->s, e->add, "extend its plan", "itt", e->next++, item->name,
                            item->spec);
    return ok && map_number(e, i, id, item->name);
}

static bool extend_items(store *s, store_kind kind, const store_item *item)
{
    extension e = {.s = s, .kind = kind};
    const char *table = store_kind_name[kind];
    char find[LABEL_SIZE], add[LABEL_SIZE];
    bool ok;

    snprintf(find, sizeof find, "SELECT id, spec FROM %s WHERE name = ?", table);
    snprintf(add, sizeof add, "INSERT INTO %s VALUES (?, ?, ?)", table);
    ok = begin_extension(&e, find, add);
    for (int32_t i = 0; ok && i < s->count[kind]; i++)
        ok = extend_item(&e, i, &item[i]);
    end_extension(&e);
    return ok;
}

/* ---- questions ---------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* NULL for NULL, not "". */
static const char *text_or_null(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? NULL : store_text(row, column);
}

static bool same_question(sqlite3_stmt *row, const store_question *q)
{
    return same_text(text_or_null(row, 1), q->picture) &&
           same_text(text_or_null(row, 2), q->label) &&
           (uint64_t)sqlite3_column_int64(row, 3) == q->print;
}

static bool run_on_question(const store *s, const char *sql, int64_t id)
{
    static const char doing[] = "extend its plan";
    sqlite3_stmt *statement = store_prepare(s, sql, doing);
    bool ok = statement && store_run_once(s, statement, doing, "i", id);

    sqlite3_finalize(statement);
    return ok;
}

/* A question that changed is refused where it was measured.  Where its picture could only not be
 * read - it was missing or broken - it is asked anew. */
static bool change_question(extension *e, int64_t id, const store_question *q)
{
    char query[LABEL_SIZE];
    int64_t measured;

    snprintf(query, sizeof query,
             "SELECT count(*) FROM network JOIN unit ON unit.network = network.id "
             "WHERE unit.question = %lld AND unit.state = %d",
             (long long)id, (int)UNIT_MEASURED);
    if (!store_ask_int(e->s, query, &measured))
        return false;
    if (measured > 0) {
        complain("%s: '%s' has changed since it was measured (its file, label or marked places): "
                 "use the data set as it was, or give another --db",
                 e->s->path, q->key);
        return false;
    }
    return run_on_question(e->s, "DELETE FROM unit WHERE question = ?", id) &&
           run_on_question(e->s, "DELETE FROM question WHERE id = ?", id) &&
           store_run_once(e->s, e->add, "extend its plan", "ittti", id, q->key, q->picture,
                          q->label, (int64_t)q->print);
}

static bool extend_question(extension *e, int32_t i, const store_question *q)
{
    int64_t id = e->next;
    bool found = false, same = false, ok = find_name(e, q->key, &found);

    if (ok && found) {
        id = sqlite3_column_int64(e->find, 0);
        same = same_question(e->find, q);
    }
    sqlite3_reset(e->find);
    if (ok && found && !same)
        ok = change_question(e, id, q);
    if (ok && !found)
        ok = store_run_once(e->s, e->add, "extend its plan", "ittti", e->next++, q->key, q->picture,
                            q->label, (int64_t)q->print);
    return ok && map_number(e, i, id, q->key);
}

static bool extend_questions(store *s, const store_question *question)
{
    extension e = {.s = s, .kind = STORE_QUESTIONS};
    bool ok = begin_extension(&e, "SELECT id, picture, label, print FROM question WHERE key = ?",
                              "INSERT INTO question VALUES (?, ?, ?, ?, ?)");

    for (int32_t i = 0; ok && i < s->count[STORE_QUESTIONS]; i++)
        ok = extend_question(&e, i, &question[i]);
    end_extension(&e);
    return ok;
}

bool store_extend_plan(store *s, const store_plan *plan)
{
    s->count[STORE_NETWORKS] = plan->networks;
    s->count[STORE_METHODS] = plan->methods;
    s->count[STORE_METRICS] = plan->metrics;
    s->count[STORE_QUESTIONS] = plan->questions;
    return extend_about(s, plan) && extend_items(s, STORE_NETWORKS, plan->network) &&
           extend_items(s, STORE_METHODS, plan->method) &&
           extend_items(s, STORE_METRICS, plan->metric) && extend_questions(s, plan->question);
}
