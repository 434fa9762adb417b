/* store_parts.h - what the files of the database share.  Only they include it. */
#ifndef KLDVE_TOOLS_STORE_PARTS_H
#define KLDVE_TOOLS_STORE_PARTS_H

#include <sqlite3.h>

#include "store.h"

/** The tables of a plan, in the order of store_kind_names. */
typedef enum store_kind {
    STORE_NETWORKS,
    STORE_METHODS,
    STORE_METRICS,
    STORE_QUESTIONS,
    STORE_KINDS
} store_kind;

/** Statements of store_put() and store_missing(), prepared once. */
typedef struct store_statements {
    sqlite3_stmt *unit, *explanation, *value, *state, *answers;
} store_statements;

struct store {
    char *path;
    sqlite3 *db;
    store_plan plan;            /**< that of the database; its memory is the store's */
    int lock;                   /**< descriptor of the lock file; -1: opened to read */
    int64_t run;                /**< number of this run */
    int32_t *id[STORE_KINDS];   /**< numbers of the caller's plan -> those of the database */
    int32_t count[STORE_KINDS]; /**< of the caller's plan */
    store_statements to;
};

/** "network", "method", "metric", "question": tables, and words in messages. */
extern const char *const store_kind_name[STORE_KINDS];

/** How long to wait for another program that keeps the database locked.  A run that has worked for
 *  hours waits for someone who reads a large table. */
enum { STORE_BUSY_OPEN_MS = 3000, STORE_BUSY_RUN_MS = 600000 };

/* ---- store_sql.c: SQLite's calls ---------------------------------------------------------- */

/** Say why the last call on the database failed, as "FILE: cannot DOING: why; what to do".  False.
 */
bool store_failed(const store *s, const char *doing);

/** A name that SQLite takes for one of a file, whatever it is.  NULL: out of memory. */
char *store_plain_name(const char *path);

/** Let a limit on the size of files be an error like a full disk, not the end of the process. */
void store_ignore_file_size(void);

/** Open the file; what it holds is not looked at.  False after a message. */
bool store_connect(store *s, const char *path, int flags);

/** Run statements that give nothing back.  False after a message. */
bool store_execute(const store *s, const char *sql, const char *doing);

/** NULL after a message.  Free it with sqlite3_finalize(). */
sqlite3_stmt *store_prepare(const store *s, const char *sql, const char *doing);

/** Bind values by a letter each - 'i' int64_t, 't' const char * (NULL: NULL), 'd' double (NaN:
 *  NULL) - run the statement to its end and make it ready for the next time.  False after a
 *  message. */
bool store_run_once(const store *s, sqlite3_stmt *statement, const char *doing, const char *types,
                    ...);

/** The first column of the first row of a query, of whole numbers; false after a message, or
 *  without one if there is no row and `otherwise` is not NULL, which then says the number. */
bool store_ask_int(const store *s, const char *sql, int64_t *out);
/** The same of text, a copy; *out is NULL where there is no row. */
bool store_ask_text(const store *s, const char *sql, char **out);

/** A text of a row; "" for NULL.  Borrowed until the next step. */
const char *store_text(sqlite3_stmt *row, int column);

/** Say so, in one line, if results come from another processor than `now`.  False after a message
 *  about something else. */
bool store_say_machines(const store *s, const char *now);

/* ---- store_lock.c: one writer at a time --------------------------------------------------- */

/** Take the lock file beside the database.  False after a message, which names who holds it. */
bool store_lock(store *s);
void store_unlock(store *s);
/** Whether nobody writes to the database.  False after a message, which names who does. */
bool store_refuse_locked(const char *path);

/* ---- store_schema.c: tables, and whether a file has them ---------------------------------- */

/** Whether the file has nothing in it yet.  False after a message. */
bool store_is_empty(const store *s, bool *empty);
bool store_make_tables(const store *s);
/** Whether it is one of ours, of this version, and undamaged.  False after a message. */
bool store_check_tables(const store *s);

/* ---- store_plan.c: the plan of a database ------------------------------------------------- */

/** Read it into s->plan.  False after a message. */
bool store_load_plan(store *s);
void store_free_plan(store_plan *plan);
/** Compare the caller's plan with s->plan, add to the database what it lacks, and set s->id.  Needs
 *  a transaction.  False after a message. */
bool store_extend_plan(store *s, const store_plan *plan);

#endif
