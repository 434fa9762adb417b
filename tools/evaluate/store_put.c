/* store_put.c - what is missing, and units stored in one transaction. */
#include "store_parts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "cli/tool.h"

/* ---- what is missing ---------------------------------------------------------------------- */

/* The number of the caller's plan that is `id` in the database; -1: the plan does not have it. */
static int32_t number_of(const store *s, store_kind kind, int64_t id)
{
    for (int32_t i = 0; i < s->count[kind]; i++)
        if (s->id[kind][i] == id)
            return i;
    return -1;
}

/* The state of a unit; -1: it has not begun. */
static bool state_of(store *s, int64_t net, int64_t question, int32_t *state)
{
    sqlite3_stmt *query = s->to.state;
    int result;

    sqlite3_bind_int64(query, 1, net);
    sqlite3_bind_int64(query, 2, question);
    result = sqlite3_step(query);
    *state = result == SQLITE_ROW ? sqlite3_column_int(query, 0) : -1;
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        store_failed(s, "read it");
    sqlite3_reset(query);
    return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* Take the answers that are there off the list. */
static bool cross_out(store *s, int64_t net, int64_t question, uint8_t *asked, int32_t *count)
{
    sqlite3_stmt *query = s->to.answers;
    int result;

    sqlite3_bind_int64(query, 1, net);
    sqlite3_bind_int64(query, 2, question);
    while ((result = sqlite3_step(query)) == SQLITE_ROW) {
        int32_t method = number_of(s, STORE_METHODS, sqlite3_column_int64(query, 0)),
                metric = number_of(s, STORE_METRICS, sqlite3_column_int64(query, 1));

        if (method < 0 || metric < 0)
            continue;
        --*count;
        if (asked)
            asked[(size_t)method * (size_t)s->count[STORE_METRICS] + (size_t)metric] = 0;
    }
    if (result != SQLITE_DONE)
        store_failed(s, "read it");
    sqlite3_reset(query);
    return result == SQLITE_DONE;
}

bool store_missing(store *s, int32_t net, int32_t question, uint8_t *asked, int32_t *count)
{
    int64_t n = s->id[STORE_NETWORKS][net], q = s->id[STORE_QUESTIONS][question];
    size_t cells = (size_t)s->count[STORE_METHODS] * (size_t)s->count[STORE_METRICS];
    int32_t state;

    assert(net < s->count[STORE_NETWORKS] && question < s->count[STORE_QUESTIONS]);
    if (!state_of(s, n, q, &state))
        return false;
    *count = state == UNIT_UNREADABLE ? 0 : (int32_t)cells;
    if (asked)
        memset(asked, state == UNIT_UNREADABLE ? 0 : 1, cells);
    return state != UNIT_MEASURED || cross_out(s, n, q, asked, count);
}

/* ---- put ---------------------------------------------------------------------------------- */

static const char doing[] = "store a result";

static const char *null_if_empty(const char *text)
{
    return *text ? text : NULL;
}

static bool put_explanation(store *s, int64_t net, int64_t question, int64_t method,
                            const unit_method *m)
{
    return store_run_once(s, s->to.explanation, doing, "iiiiddidt", net, question, method,
                          (int64_t)m->target, (double)m->logit, (double)m->probability,
                          (int64_t)m->flags, m->ms, null_if_empty(m->why));
}

static bool put_method(store *s, const unit *u, int32_t method)
{
    int64_t net = s->id[STORE_NETWORKS][u->network], question = s->id[STORE_QUESTIONS][u->question],
            id = s->id[STORE_METHODS][method];
    size_t row = (size_t)method * (size_t)u->metrics;
    bool ok = put_explanation(s, net, question, id, &u->method[method]);

    for (int32_t i = 0; ok && i < u->metrics; i++)
        if (u->asked[row + (size_t)i])
            ok = store_run_once(s, s->to.value, doing, "iiiid", net, question, id,
                                (int64_t)s->id[STORE_METRICS][i], u->value[row + (size_t)i]);
    return ok;
}

static bool put_unit(store *s, const unit *u)
{
    int64_t net = s->id[STORE_NETWORKS][u->network], question = s->id[STORE_QUESTIONS][u->question];
    bool ok = store_run_once(s, s->to.unit, doing, "iiit", net, question, (int64_t)u->state,
                             null_if_empty(u->why));

    for (int32_t i = 0; ok && u->state == UNIT_MEASURED && i < u->methods; i++)
        if (unit_asks(u, i))
            ok = put_method(s, u, i);
    return ok;
}

/* A unit may come from another process. */
static bool fits(const store *s, const unit *u)
{
    if (u->network >= 0 && u->network < s->count[STORE_NETWORKS] && u->question >= 0 &&
        u->question < s->count[STORE_QUESTIONS] && u->methods == s->count[STORE_METHODS] &&
        u->metrics == s->count[STORE_METRICS])
        return true;
    complain("%s: a result came that is not of this run: was every process started with the same "
             "command?",
             s->path);
    return false;
}

bool store_put(store *s, const unit *u, int32_t count)
{
    bool ok;

    for (int32_t i = 0; i < count; i++)
        if (!fits(s, &u[i]))
            return false;
    ok = store_execute(s, "BEGIN IMMEDIATE", doing);
    for (int32_t i = 0; ok && i < count; i++)
        ok = put_unit(s, &u[i]);
    if (ok && store_execute(s, "COMMIT", doing))
        return true;
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}
