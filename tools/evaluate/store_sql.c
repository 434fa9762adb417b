/* store_sql.c - SQLite's calls: what fails becomes one line that says what to do. */
#include "store_parts.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"

enum { BUSY_MS = 20000 }; /* how long another program may keep the database locked */

/* Whether an error of the system means that there is no room. */
static bool no_room(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static bool full(const store *s, const char *doing)
{
    complain("%s: cannot %s: the disk is full or the file may not grow; what was stored before is "
             "kept: make room and give the same command again",
             s->path, doing);
    return false;
}

static bool failed_io(const store *s, const char *doing)
{
    int error = sqlite3_system_errno(s->db);

    if (no_room(error))
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
        complain("%s: cannot %s: another program has kept the database locked for %d s: end it "
                 "and try again",
                 s->path, doing, BUSY_MS / 1000);
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

/* SQLite takes ":memory:" and "file:..." for something else than names. */
static char *plain_name(const char *path)
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
    char *name = plain_name(path);
    bool ok = name && sqlite3_open_v2(name, &s->db, flags, NULL) == SQLITE_OK;

    free(name);
    if (!ok)
        return store_failed(s, "open it");
    sqlite3_busy_timeout(s->db, BUSY_MS);
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
