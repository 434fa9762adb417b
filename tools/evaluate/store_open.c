/* store_open.c - a database opened and closed.
 *
 * It has a rollback journal, because a write-ahead log needs memory that all processes share, which
 * the network file systems of clusters do not give.  The journal stays from one transaction to the
 * next (PERSIST), which saves half of the time, and goes when the database is closed.
 * `synchronous` is FULL: what is committed survives a power failure, too. */
#include "store_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/tool.h"

/* Without the journal that a writer keeps; what was not committed goes. */
static void close_file(store *s)
{
    if (s->db && s->lock >= 0) {
        if (!sqlite3_get_autocommit(s->db))
            sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    }
    sqlite3_close(s->db);
    s->db = NULL;
}

static void free_store(store *s)
{
    sqlite3_finalize(s->to.unit);
    sqlite3_finalize(s->to.explanation);
    sqlite3_finalize(s->to.value);
    sqlite3_finalize(s->to.state);
    sqlite3_finalize(s->to.answers);
    close_file(s);
    store_unlock(s);
    store_free_plan(&s->plan);
    for (int i = 0; i < STORE_KINDS; i++)
        free(s->id[i]);
    free(s->path);
    free(s);
}

static store *new_store(const char *path)
{
    store *s = calloc(1, sizeof *s);

    if (s) {
        s->lock = -1;
        s->path = strdup(path);
    }
    if (s && s->path)
        return s;
    complain("%s: out of memory", path);
    free(s);
    return NULL;
}

/* Whether there is a file; a folder or a device is refused. */
static bool look_at(const char *path, bool *exists)
{
    struct stat st;

    *exists = stat(path, &st) == 0;
    if (!*exists && errno != ENOENT) {
        complain("%s: cannot open it: %s", path, strerror(errno));
        return false;
    }
    if (*exists && !S_ISREG(st.st_mode)) {
        complain("%s: this is not a file: give the name of a database", path);
        return false;
    }
    return true;
}

/* ---- write -------------------------------------------------------------------------------- */

static bool put_run(store *s, const store_run *run)
{
    static const char doing[] = "store the record of the run";
    sqlite3_stmt *put = store_prepare(s,
                                      "INSERT INTO run (host, pid, machine, command, record, began)"
                                      " VALUES (?, ?, ?, ?, ?, datetime('now'))",
                                      doing);
    bool ok = put && store_run_once(s, put, doing, "tittt", run->host, run->pid, run->machine,
                                    run->command, run->record);

    sqlite3_finalize(put);
    s->run = sqlite3_last_insert_rowid(s->db);
    return ok;
}

/* One transaction: a new database has its tables and its plan, or nothing. */
static bool begin_run(store *s, const store_plan *plan, const store_run *run)
{
    bool empty;

    return store_execute(s, "BEGIN IMMEDIATE", "write to it") && store_is_empty(s, &empty) &&
           (empty ? store_make_tables(s) : store_check_tables(s)) && store_extend_plan(s, plan) &&
           store_say_machines(s, run->machine) && put_run(s, run) &&
           store_execute(s, "COMMIT", "store the plan");
}

static bool prepare(store *s)
{
    static const char doing[] = "write to it";
    store_statements *to = &s->to;

    to->unit = store_prepare(s,
                             "INSERT INTO unit VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE "
                             "SET state = ?3, why = ?4 WHERE ?3 = 0",
                             doing);
    to->explanation = store_prepare(
        s, "INSERT OR IGNORE INTO explanation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", doing);
    to->value = store_prepare(s, "INSERT OR IGNORE INTO value VALUES (?, ?, ?, ?, ?)", doing);
    to->state =
        store_prepare(s, "SELECT state FROM unit WHERE network = ? AND question = ?", doing);
    to->answers = store_prepare(
        s, "SELECT method, metric FROM value WHERE network = ? AND question = ?", doing);
    return to->unit && to->explanation && to->value && to->state && to->answers;
}

bool store_open(const char *path, const store_plan *plan, const store_run *run, store **out)
{
    static const char how[] = "PRAGMA journal_mode = PERSIST; PRAGMA synchronous = FULL";
    store *s = new_store(path);
    bool exists = true, ok;

    if (!s)
        return false;
    store_ignore_file_size();
    ok = look_at(path, &exists) && store_lock(s) &&
         store_connect(s, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) &&
         store_execute(s, how, "open it") && begin_run(s, plan, run) && prepare(s);
    if (ok) {
        sqlite3_busy_timeout(s->db, STORE_BUSY_RUN_MS);
        *out = s;
        return true;
    }
    if (!exists && s->lock >= 0) { /* nothing was stored in what this call made */
        close_file(s);
        unlink(path);
    }
    free_store(s);
    return false;
}

/* ---- read --------------------------------------------------------------------------------- */

bool store_open_read(const char *path, store **out)
{
    store *s = new_store(path);
    bool exists = true, ok;

    if (!s)
        return false;
    ok = look_at(path, &exists);
    if (ok && !exists) {
        complain("%s: there is no such file: give a database that kldve evaluate made", path);
        ok = false;
    }
    /* READWRITE means: where it can be written, roll back what a killed run left half done. */
    ok = ok && store_connect(s, path, SQLITE_OPEN_READWRITE) &&
         store_execute(s, "PRAGMA query_only = ON", "open it") && store_check_tables(s) &&
         store_load_plan(s);
    if (ok)
        *out = s;
    else
        free_store(s);
    return ok;
}

const store_plan *store_plan_of(const store *s)
{
    return &s->plan;
}

/* ---- close -------------------------------------------------------------------------------- */

static bool end_run(store *s)
{
    static const char doing[] = "store the end of the run";
    sqlite3_stmt *end =
        store_prepare(s, "UPDATE run SET ended = datetime('now') WHERE id = ?", doing);
    bool ok = end && store_run_once(s, end, doing, "i", s->run);

    sqlite3_finalize(end);
    return ok;
}

bool store_close(store *s)
{
    bool ok = true;

    if (!s)
        return true;
    if (s->lock >= 0)
        ok = end_run(s);
    free_store(s);
    return ok;
}
