/* store_schema.c - the tables of a database, and whether a file has them.
 *
 * Numbers of networks, methods, metrics and questions begin at 0 without gaps.  The big tables are
 * their own index (WITHOUT ROWID): of a row of `value` only the four numbers and the value are
 * kept, 22 bytes on average. */
#include "store_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"

enum {
    APPLICATION = 0x6b6c6476, /* "kldv", for file(1) and to know our files */
    FORMAT = 1                /* raised with every change of the tables */
};

static const struct table {
    const char *name, *sql; /* `sql` as SQLite keeps it */
} tables[] = {
    {"about", "CREATE TABLE about(name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)"},
    {"run", "CREATE TABLE run(id INTEGER PRIMARY KEY, host TEXT, pid INTEGER, machine TEXT, "
            "command TEXT, record TEXT, began TEXT, ended TEXT)"},
    {"network", "CREATE TABLE network(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, "
                "spec TEXT NOT NULL)"},
    {"method", "CREATE TABLE method(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, "
               "spec TEXT NOT NULL)"},
    {"metric", "CREATE TABLE metric(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, "
               "spec TEXT NOT NULL)"},
    {"question", "CREATE TABLE question(id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, "
                 "picture TEXT, label TEXT, print INTEGER NOT NULL)"},
    {"unit", "CREATE TABLE unit(network INTEGER NOT NULL, question INTEGER NOT NULL, "
             "state INTEGER NOT NULL, why TEXT, PRIMARY KEY (network, question)) WITHOUT ROWID"},
    {"explanation",
     "CREATE TABLE explanation(network INTEGER NOT NULL, question INTEGER NOT NULL, "
     "method INTEGER NOT NULL, target INTEGER NOT NULL, logit REAL, probability REAL, "
     "flags INTEGER NOT NULL, ms REAL, why TEXT, PRIMARY KEY (network, question, method)) "
     "WITHOUT ROWID"},
    {"value", "CREATE TABLE value(network INTEGER NOT NULL, question INTEGER NOT NULL, "
              "method INTEGER NOT NULL, metric INTEGER NOT NULL, value REAL, "
              "PRIMARY KEY (network, question, method, metric)) WITHOUT ROWID"},
    /* For people, pandas and R; nothing here reads it. */
    {"result",
     "CREATE VIEW result AS SELECT question.key AS question, "
     "coalesce(question.picture, question.key) AS picture, question.label AS label, "
     "network.name AS network, method.name AS method, metric.name AS metric, "
     "value.value AS value FROM value "
     "JOIN question ON question.id = value.question JOIN network ON network.id = value.network "
     "JOIN method ON method.id = value.method JOIN metric ON metric.id = value.metric"}};

enum { TABLES = sizeof tables / sizeof *tables };

bool store_is_empty(const store *s, bool *empty)
{
    int64_t things;

    if (!store_ask_int(s, "SELECT count(*) FROM sqlite_schema", &things))
        return false;
    *empty = things == 0;
    return true;
}

bool store_make_tables(const store *s)
{
    static const char doing[] = "make its tables";
    char numbers[LABEL_SIZE];

    snprintf(numbers, sizeof numbers, "PRAGMA application_id=%d; PRAGMA user_version=%d",
             (int)APPLICATION, (int)FORMAT);
    if (!store_execute(s, numbers, doing))
        return false;
    for (int i = 0; i < TABLES; i++)
        if (!store_execute(s, tables[i].sql, doing))
            return false;
    return true;
}

/* ---- is it one of ours? ------------------------------------------------------------------- */

static bool check_version(const store *s)
{
    int64_t application, format;

    if (!store_ask_int(s, "SELECT application_id FROM pragma_application_id", &application) ||
        !store_ask_int(s, "SELECT user_version FROM pragma_user_version", &format))
        return false;
    if (application != APPLICATION) {
        complain("%s: this database was not made by kldve evaluate: give another file", s->path);
        return false;
    }
    if (format != FORMAT) {
        complain("%s: this database has format %lld, this kldve reads and writes format %d: use "
                 "the kldve that made it, or give another file",
                 s->path, (long long)format, (int)FORMAT);
        return false;
    }
    return true;
}

static bool check_table(const store *s, const struct table *t)
{
    char query[LABEL_SIZE], *sql;
    bool same;

    snprintf(query, sizeof query, "SELECT sql FROM sqlite_schema WHERE name = '%s'", t->name);
    if (!store_ask_text(s, query, &sql))
        return false;
    same = sql && strcmp(sql, t->sql) == 0;
    free(sql);
    if (!same)
        complain("%s: its table '%s' is missing or was changed: use a copy of the file, or give "
                 "another one",
                 s->path, t->name);
    return same;
}

/* Reads the whole file: a damaged page is found now and not after hours of work. */
static bool check_pages(const store *s)
{
    char *found;
    bool ok;

    if (!store_ask_text(s, "SELECT quick_check FROM pragma_quick_check(1)", &found))
        return false;
    ok = found && strcmp(found, "ok") == 0;
    if (!ok)
        complain("%s: the file is damaged (%s): use a copy, or save what can be read with "
                 "'sqlite3 FILE .recover'",
                 s->path, found ? found : "no answer");
    free(found);
    return ok;
}

bool store_check_tables(const store *s)
{
    if (!check_version(s))
        return false;
    for (int i = 0; i < TABLES; i++)
        if (!check_table(s, &tables[i]))
            return false;
    return check_pages(s);
}
