/* results.h - what a database says, for people and programs: tables on the terminal, JSON, CSV, and
 * every single number for pandas and R. */
#ifndef KLDVE_TOOLS_RESULTS_H
#define KLDVE_TOOLS_RESULTS_H

#include "cli/json.h"
#include "cli/tool.h"
#include "store.h"
#include "summary.h"

typedef struct results_args {
    const char *json, *csv, *numbers; /**< files; NULL: not wanted; "-" is standard output */
    const char *page;                 /**< a file, .html; NULL: not wanted */
    const char *against;              /**< a method; NULL: the first */
    int32_t samples;                  /**< of the bootstrap; 0: 1000 */
    int32_t seed;
} results_args;

/** Options of commands that show results.  `member` is the results_args in the struct `type`. */
#define RESULTS_OPTIONS(type, member)                                                              \
    OPTION_STRING("json", offsetof(type, member.json), "FILE",                                     \
                  "means, differences, unreadable pictures and runs as JSON"),                     \
        OPTION_STRING("csv", offsetof(type, member.csv), "FILE", "means and differences as CSV"),  \
        OPTION_STRING("export", offsetof(type, member.numbers), "FILE",                            \
                      "every number, one row each: .csv, .json or .jsonl"),                        \
        OPTION_STRING("page", offsetof(type, member.page), "FILE.html",                            \
                      "plots, tables, best and worst pictures on one page"),                       \
        OPTION_STRING("against", offsetof(type, member.against), "METHOD",                         \
                      "method that the table subtracts; default: the first"),                      \
        OPTION_INT("bootstrap", offsetof(type, member.samples), "N",                               \
                   "samples behind each interval; default 1000", 10, 1000000),                     \
        OPTION_INT("bootstrap-seed", offsetof(type, member.seed), "N",                             \
                   "of the samples; default 0", 0, INT32_MAX)

/** What is wrong without a look at any file, and outputs that are `database` or each other.
 *  EXIT_DONE, or EXIT_USAGE after a message. */
int results_check_args(const char *command, const results_args *args, const char *database);

/** The number of the method that --against names, NULL: the first; -1 after a message. */
int32_t results_find_against(const store_plan *plan, const char *name);

/** Who can draw maps for a page. */
typedef struct results_artist {
    void *opaque;
    /** Put the map of a method of one question, drawn, under a key; nothing where that is not
     *  possible.  Numbers are those of the plan of the database.  False after a message. */
    bool (*draw)(void *opaque, int32_t net, int32_t question, int32_t method, json_object *to,
                 const char *key);
} results_artist;

/** Print the tables on standard output unless `quiet` or another output goes there, and write the
 *  files that are wanted.  `artist` may be NULL: the page has no pictures.  False after a message.
 */
bool results_write(store *s, const results_args *args, const results_artist *artist, bool quiet);

/* ---- results_table.c, results_json.c, results_csv.c, results_export.c, results_page.c ------- */

/** For people, 80 columns; `against` is a number of the plan. */
void results_print(const summary *m, int32_t against);
bool results_write_json(store *s, const summary *m, const char *path);
/** The same as an object; NULL after a message. */
json_object *results_json(store *s, const summary *m);
bool results_write_page(store *s, const summary *m, int32_t against, const results_artist *artist,
                        const char *path);
bool results_write_csv(const summary *m, const char *path);
/** The form follows from the ending of the name; "-": CSV. */
bool results_export(store *s, const char *path);

/** Text as a field of CSV: in quotes where it needs them (RFC 4180). */
void results_put_field(FILE *file, const char *text);
/** A number with all its digits; nothing for NaN. */
void results_put_number(FILE *file, double value);

#endif
