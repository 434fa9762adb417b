/* store_sql.c - SQLite's calls: what fails becomes one line that says what to do. */
#include "store_parts.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"

/* Whether a failed read or write means that there is no room.  SQLite does not always keep the
 * error of the system. */
static bool no_room(int error, int code)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG ||
           (error == 0 && code == SQLITE_IOERR_WRITE);
}

static bool full(const store *s, const char *doing)
{
    complain("%s: cannot %s: the disk is full, or the file may not grow; what was stored before "
             "is kept: make room and give the same command again",
             s->path, doing);
    return false;
}

static bool failed_io(const store *s, const char *doing)
{
    int error = sqlite3_system_errno(s->db);

    if (no_room(error, sqlite3_extended_errcode(s->db)))
        return full(s, doing);
    complain("%s: cannot %s: %s; what was stored before is kept", s->path, doing,
             error ? strerror(error) : sqlite3_errmsg(s->db));
    return false;
}

bool store_failed(const store *s, const char *doing)
{
    switch (s->db ? sqlite3_errcode(s->db) : SQLITE_NOMEM) {
    case SQLITE_FULL:
        return full(s, doing);
    case SQLITE_IOERR:
        return failed_io(s, doing);
    case SQLITE_NOMEM:
        complain("%s: out of memory", s->path);
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        complain("%s: cannot %s: another program keeps the database locked: end it and try "
                 "again; what was stored before is kept",
                 s->path, doing);
        break;
    case SQLITE_CORRUPT:
        complain("%s: cannot %s: the file is damaged (%s): use a copy, or save what can be read "
                 "with 'sqlite3 FILE .recover'",
                 s->path, doing, sqlite3_errmsg(s->db));
        break;
    case SQLITE_NOTADB:
        complain("%s: this is not an SQLite database, or its beginning is damaged: give another "
                 "file",
                 s->path);
        break;
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        complain("%s: cannot %s: %s; it needs write access to the file and its folder", s->path,
                 doing, sqlite3_errmsg(s->db));
        break;
    default:
        complain("%s: cannot %s: %s", s->path, doing, sqlite3_errmsg(s->db));
        break;
    }
    return false;
}

void store_ignore_file_size(void)
{
    signal(SIGXFSZ, SIG_IGN);
}

/* SQLite takes ":memory:" and "file:..." for something else. */
char *store_plain_name(const char *path)
{
    char *name = malloc(strlen(path) + 3);

    if (name) {
        strcpy(name, *path == '/' ? "" : "./");
        strcat(name, path);
    }
    return name;
}

bool store_connect(store *s, const char *path, int flags)
{
    char *name = store_plain_name(path);
    bool ok = name && sqlite3_open_v2(name, &s->db, flags, NULL) == SQLITE_OK;

    free(name);
    if (!ok)
        return store_failed(s, "open it");
    sqlite3_busy_timeout(s->db, STORE_BUSY_OPEN_MS);
    /* The file comes from outside: what it defines runs nothing. */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return true;
}

bool store_execute(const store *s, const char *sql, const char *doing)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_failed(s, doing);
}

sqlite3_stmt *store_prepare(const store *s, const char *sql, const char *doing)
{
    sqlite3_stmt *made = NULL;

    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL) != SQLITE_OK)
        store_failed(s, doing);
    return made;
}

static int bind(sqlite3_stmt *statement, const char *types, va_list args)
{
    int result = SQLITE_OK;

    for (int i = 0; types[i] && result == SQLITE_OK; i++)
        switch (types[i]) {
        case 'i':
            result = sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
            break;
        case 'd': /* NaN becomes NULL */
            result = sqlite3_bind_double(statement, i + 1, va_arg(args, double));
            break;
        default:
            result = sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1,
                                       SQLITE_TRANSIENT);
            break;
        }
    return result;
}

bool store_run_once(const store *s, sqlite3_stmt *statement, const char *doing, const char *types,
                    ...)
{
    va_list args;
    int result;

    va_start(args, types);
    result = bind(statement, types, args);
    va_end(args);
    if (result == SQLITE_OK)
        while ((result = sqlite3_step(statement)) == SQLITE_ROW)
            ;
    if (result != SQLITE_DONE)
        store_failed(s, doing);
    sqlite3_reset(statement);
    return result == SQLITE_DONE;
}

const char *store_text(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);

    return text ? (const char *)text : "";
}

bool store_ask_int(const store *s, const char *sql, int64_t *out)
{
    static const char doing[] = "read it";
    sqlite3_stmt *query = store_prepare(s, sql, doing);
    int result;

    if (!query)
        return false;
    result = sqlite3_step(query);
    if (result == SQLITE_ROW)
        *out = sqlite3_column_int64(query, 0);
    else
        store_failed(s, doing);
    sqlite3_finalize(query);
    return result == SQLITE_ROW;
}

bool store_ask_text(const store *s, const char *sql, char **out)
{
    static const char doing[] = "read it";
    sqlite3_stmt *query = store_prepare(s, sql, doing);
    char *text = NULL;
    int result;
    bool ok;

    if (!query)
        return false;
    result = sqlite3_step(query);
    if (result == SQLITE_ROW)
        text = strdup(store_text(query, 0));
    ok = result == SQLITE_DONE || text;
    if (!ok)
        store_failed(s, doing);
    sqlite3_finalize(query);
    if (ok)
        *out = text;
    return ok;
}

bool store_say_machines(const store *s, const char *now)
{
    static const char doing[] = "read it";
    sqlite3_stmt *query =
        store_prepare(s, "SELECT machine FROM run WHERE machine <> ? LIMIT 1", doing);
    bool ok = query && sqlite3_bind_text(query, 1, now, -1, SQLITE_TRANSIENT) == SQLITE_OK;

    if (ok && sqlite3_step(query) == SQLITE_ROW)
        complain("note: %s: some of its results come from another processor (%s, not %s): the same "
                 "program may round differently there",
                 s->path, store_text(query, 0), now);
    sqlite3_finalize(query);
    return ok;
}
