/* store_merge.c - several databases into one, by SQLite itself: each is attached, compared, copied.
 * Numbers of networks, methods and metrics must be the same in all; questions are matched by key,
 * and keep their numbers where all have the same. */
#include "store_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/tool.h"

/* What is merged into, and from. */
typedef struct merger {
    store *to;
    const char *out, *first,
        *from; /* names, for messages: the first database and the one at work */
} merger;

/* ---- ask ---------------------------------------------------------------------------------- */

/* Whether a query has no row; else its first text says what differs. */
static bool nothing_of(const merger *m, const char *sql, const char *differs)
{
    char *found;

    if (!store_ask_text(m->to, sql, &found))
        return false;
    if (found)
        complain("%s: %s '%s' than %s or another database before it: merge databases of one "
                 "command and one data set",
                 m->from, differs, found, m->first);
    free(found);
    return found == NULL;
}

/* Rows of a table that one of the two databases has and the other has not. */
static bool same_table(const merger *m, const char *table)
{
    char sql[MESSAGE_SIZE], differs[LABEL_SIZE];

    snprintf(sql, sizeof sql,
             "SELECT name FROM (SELECT * FROM (SELECT * FROM came.%s EXCEPT SELECT * FROM main.%s) "
             "UNION ALL SELECT * FROM (SELECT * FROM main.%s EXCEPT SELECT * FROM came.%s)) "
             "LIMIT 1",
             table, table, table, table);
    snprintf(differs, sizeof differs, "it has another %s",
             strcmp(table, "about") == 0 ? "program or options:" : table);
    return nothing_of(m, sql, differs);
}

static bool same_plan(const merger *m)
{
    return same_table(m, "about") && same_table(m, "network") && same_table(m, "method") &&
           same_table(m, "metric") &&
           nothing_of(m,
                      "SELECT came.question.key FROM came.question JOIN main.question AS known "
                      "USING (key) WHERE came.question.print <> known.print OR "
                      "came.question.picture IS NOT known.picture OR "
                      "came.question.label IS NOT known.label LIMIT 1",
                      "it has another picture, label or marked place for");
}

/* Answers that both have must be the same.  The time that a map took may differ. */
static bool same_answers(const merger *m)
{
    return nothing_of(m,
                      "SELECT known.key FROM came.unit AS u JOIN number ON number.came = "
                      "u.question JOIN main.unit AS w ON w.network = u.network AND w.question = "
                      "number.here JOIN main.question AS known ON known.id = number.here "
                      "WHERE u.state <> w.state OR u.why IS NOT w.why LIMIT 1",
                      "it says another state of") &&
           nothing_of(m,
                      "SELECT known.key FROM came.explanation AS u JOIN number ON number.came = "
                      "u.question JOIN main.explanation AS w ON w.network = u.network AND "
                      "w.question = number.here AND w.method = u.method JOIN main.question AS "
                      "known ON known.id = number.here WHERE u.target <> w.target OR u.logit IS "
                      "NOT w.logit OR u.probability IS NOT w.probability OR u.flags <> w.flags OR "
                      "u.why IS NOT w.why LIMIT 1",
                      "it has another explanation of") &&
           nothing_of(m,
                      "SELECT known.key || ', ' || method.name || ', ' || metric.name FROM "
                      "came.value AS u JOIN number ON number.came = u.question JOIN main.value AS "
                      "w ON w.network = u.network AND w.question = number.here AND w.method = "
                      "u.method AND w.metric = u.metric JOIN main.question AS known ON known.id = "
                      "number.here JOIN main.method ON method.id = u.method JOIN main.metric ON "
                      "metric.id = u.metric WHERE u.value IS NOT w.value LIMIT 1",
                      "it has another number for");
}

/* ---- copy --------------------------------------------------------------------------------- */

static const char copying[] = "write the merged database";

/* A database into an empty one: the same numbers. */
static bool copy_plan(const merger *m)
{
    return store_execute(m->to,
                         "INSERT INTO main.about SELECT * FROM came.about;"
                         "INSERT INTO main.network SELECT * FROM came.network;"
                         "INSERT INTO main.method SELECT * FROM came.method;"
                         "INSERT INTO main.metric SELECT * FROM came.metric",
                         copying);
}

/* New questions get the next numbers, in their order; then each has its number here. */
static bool copy_questions(const merger *m)
{
    return store_execute(
        m->to,
        "INSERT INTO main.question SELECT (SELECT count(*) FROM main.question) - 1 + "
        "row_number() OVER (ORDER BY id), key, picture, label, print FROM came.question "
        "WHERE key NOT IN (SELECT key FROM main.question) ORDER BY id;"
        "DELETE FROM number;"
        "INSERT INTO number SELECT came.question.id, known.id FROM came.question "
        "JOIN main.question AS known USING (key)",
        copying);
}

static bool copy_answers(const merger *m)
{
    return store_execute(
        m->to,
        "INSERT OR IGNORE INTO main.unit SELECT network, here, state, why FROM came.unit "
        "JOIN number ON number.came = question;"
        "INSERT OR IGNORE INTO main.explanation SELECT network, here, method, target, logit, "
        "probability, flags, ms, why FROM came.explanation JOIN number ON number.came = question;"
        "INSERT OR IGNORE INTO main.value SELECT network, here, method, metric, value "
        "FROM came.value JOIN number ON number.came = question;"
        "INSERT INTO main.run (host, pid, machine, command, record, began, ended) SELECT host, "
        "pid, machine, command, record, began, ended FROM came.run ORDER BY id",
        copying);
}

static bool attach(const merger *m)
{
    sqlite3_stmt *statement = store_prepare(m->to, "ATTACH ? AS came", "open a database");
    char *name = store_plain_name(m->from);
    bool ok = statement && name && store_run_once(m->to, statement, "open a database", "t", name);

    sqlite3_finalize(statement);
    free(name);
    return ok;
}

static bool take(const merger *m)
{
    bool first = m->from == m->first,
         ok = store_execute(m->to, "BEGIN", copying) && (first ? copy_plan(m) : same_plan(m)) &&
              copy_questions(m) && (first || same_answers(m)) && copy_answers(m) &&
              store_execute(m->to, "COMMIT", copying);

    if (!sqlite3_get_autocommit(m->to->db))
        sqlite3_exec(m->to->db, "ROLLBACK", NULL, NULL, NULL);
    return ok;
}

/* Each is looked at by itself first: damage, version, plan, and whether someone writes to it. */
static bool look_at(const char *path)
{
    store *s = NULL;
    bool ok = store_refuse_locked(path) && store_open_read(path, &s);

    if (ok)
        store_close(s);
    return ok;
}

static bool merge_one(const merger *m)
{
    return look_at(m->from) && attach(m) && take(m) &&
           store_execute(m->to, "DETACH came", "close a database");
}

/* ---- the file ----------------------------------------------------------------------------- */

static bool flush_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

/* No journal: a file that is not whole is never renamed. */
static bool begin_file(store *to, const char *path)
{
    return store_connect(to, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) &&
           store_execute(to, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", copying) &&
           store_make_tables(to) &&
           store_execute(to, "CREATE TEMP TABLE number(came INTEGER PRIMARY KEY, here INTEGER)",
                         copying);
}

static bool say_machines(const merger *m)
{
    char *one = NULL;
    bool ok = store_ask_text(m->to, "SELECT machine FROM run ORDER BY id LIMIT 1", &one) &&
              (!one || store_say_machines(m->to, one));

    free(one);
    return ok;
}

static bool merge_all(merger *m, const char *path, const char *const *in, int32_t count)
{
    bool ok = begin_file(m->to, path);

    for (int32_t i = 0; ok && i < count; i++) {
        m->from = in[i];
        ok = merge_one(m);
    }
    ok = ok && say_machines(m);
    sqlite3_close(m->to->db);
    m->to->db = NULL;
    return ok;
}

/* What has come to be there in the meantime stays, except on file systems without links. */
static bool give_name(const char *path, const char *out)
{
    if (link(path, out) == 0)
        return true;
    return (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) && rename(path, out) == 0;
}

static bool finish(const char *path, const char *out)
{
    bool ok = flush_file(path) && give_name(path, out);

    if (!ok)
        complain("%s: cannot write: %s", out, strerror(errno));
    return ok;
}

/* SQLite needs a name. */
static bool begin_whole(kldve_whole_file *whole, const char *out)
{
    if (access(out, F_OK) == 0) {
        complain("%s: this file exists: give the merged database another name", out);
        return false;
    }
    if (kldve_whole_begin_named(whole, out))
        return true;
    complain("%s: cannot write: %s", out, strerror(errno));
    return false;
}

bool store_merge(const char *out, const char *const *in, int32_t count)
{
    kldve_whole_file whole;
    char *shown = strdup(out);
    store to = {.path = shown, .lock = -1};
    merger m = {&to, out, in[0], NULL};
    bool ok;

    if (!shown) {
        complain("%s: out of memory", out);
        return false;
    }
    store_ignore_file_size();
    ok = begin_whole(&whole, out);
    if (ok) {
        ok = merge_all(&m, whole.temporary, in, count) && finish(whole.temporary, out);
        kldve_whole_drop(&whole);
    }
    free(shown);
    return ok;
}
