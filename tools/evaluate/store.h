/* store.h - the results of kldve evaluate in an SQLite database.
 *
 * A *plan* says what is measured: networks x questions x methods x metrics, each with all that its
 * results depend on.  A *unit* (unit.h) is what one network says of one question, and one
 * transaction: once store_put() has returned, a kill, a crash or a power failure does not lose it.
 * A database that exists goes on where it stopped; its plan may be extended - more pictures,
 * networks, methods, metrics - and not changed.
 *
 * Nothing depends on the wall clock: the times of a run are kept for people.  A store belongs to
 * one thread at a time.  Every function that returns false has said why, in one line, as
 * complain(). */
#ifndef KLDVE_TOOLS_STORE_H
#define KLDVE_TOOLS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unit.h"

/** A network, method or metric of a plan. */
typedef struct store_item {
    const char *name; /**< unique among its kind; what tables call it */
    const char
        *spec; /**< everything that its results depend on, as text for people: of a network
                    the layer and the SHA-256 of its files (sha256.h), of a method its options,
                    of a metric its options.  The same name with another text is refused. */
} store_item;

typedef struct store_question {
    const char *key;     /**< unique, see question.key */
    const char *picture; /**< questions with the same text are about one picture: confidence
                              intervals keep them together.  NULL: as `key` */
    const char *label;   /**< as the data set has it; NULL: none */
    uint64_t print;      /**< of what else the results depend on: boxes, masks, size of the file
                              (store_print()).  The same key with another print or label is refused */
} store_question;

typedef struct store_plan {
    const char *build;   /**< what computes: versions and build identity of the libraries */
    const char *options; /**< of the whole run that results depend on, as JSON: seed ... */
    int32_t networks, methods, metrics, questions; /**< 1 or more; questions: 0 or more */
    const store_item *network, *method, *metric;
    const store_question *question;
} store_plan;

/** Who runs: kept beside the results, compared with nothing. */
typedef struct store_run {
    const char *host;    /**< name of the machine */
    const char *machine; /**< its processor */
    const char *command; /**< the command line, see store_command_line() */
    const char *record;  /**< JSON: threads, ranks, shard ... */
    int64_t pid;
} store_run;

/** Without SQLite a build has none: the functions that open one say so. */
typedef struct store store;

/** A hash to build store_question.print from: start with 0 and feed one piece after the other. */
uint64_t store_print(uint64_t print, const void *bytes, size_t nbytes);

/* For store_plan.build and store_run. */
enum { STORE_TEXT = 256 };
/** Versions, and a hash of the build identities of the program and of the libraries that compute
 *  (the libkldve ones, oneDNN, cblas, libjpeg, libpng, libm): equal for equal programs. */
void store_build(char out[STORE_TEXT]);
void store_machine(char out[STORE_TEXT]); /**< name of the processor */
void store_host(char out[STORE_TEXT]);
/** The arguments in one line.  Of an absolute path only the last part is kept: a database is passed
 *  on, and folders may name people and projects.  Free it with free(); NULL: out of memory. */
char *store_command_line(int argc, char **argv);

/* ---- write -------------------------------------------------------------------------------- */

/** Open a database to write, make it if there is none, and extend its plan by what `plan` has and
 *  it has not.  The plan and its texts are borrowed for the call; later calls take its numbers.
 *  Refused: a plan that differs, a file that is no such database, is damaged, or belongs to another
 *  version; a second writer.
 *  @param out  Close it with store_close(). */
bool store_open(const char *path, const store_plan *plan, const store_run *run, store **out);

/** What is missing of a unit: asked[methods][metrics] becomes 1 where there is no answer yet.
 *  *count becomes how many these are; 0: the unit is done.  `asked` may be NULL. */
bool store_missing(store *s, int32_t net, int32_t question, uint8_t *asked, int32_t *count);

/** Store the answers that units give (unit.asked): all of them or, after a failure, none, in one
 *  transaction.  Answers that are there already stay as they are. */
bool store_put(store *s, const unit *u, int32_t count);

/** Close a store that was opened either way, and write down that the run has ended.  Accepts NULL.
 *  False: only the end is not written down. */
bool store_close(store *s);

/* ---- merge -------------------------------------------------------------------------------- */

/** Merge databases into a new one, `out`, which must not exist: it appears whole or not at all.
 *  The plans must be the same, but for questions that only some of them have.  Answers that
 *  several have must be the same to the last bit; the time that a map took is the first's.  False
 *  after a message. */
bool store_merge(const char *out, const char *const *in, int32_t count);

/* ---- read --------------------------------------------------------------------------------- */

/** Open a database to read, also while another program writes to it, or where it cannot be written.
 */
bool store_open_read(const char *path, store **out);

/** The plan of the database.  In a store that was opened to read, all numbers are those of this
 *  plan.  Borrowed from the store. */
const store_plan *store_plan_of(const store *s);

/** One answer. */
typedef struct store_row {
    int32_t network, question, method, metric;
    double value;            /**< NaN: the map has no such number */
    const unit_method *says; /**< the explanation that it describes; borrowed for the call */
} store_row;

typedef struct store_explanation {
    int32_t network, question, method;
    unit_method says;
} store_explanation;

/** A picture that could not be read. */
typedef struct store_unreadable {
    int32_t network, question;
    const char *why;
} store_unreadable;

/** Go through all of them, ordered by network, question, method, metric.  `each` returns false to
 *  stop, after a message; then the call returns false, too. */
bool store_each_row(store *s, bool (*each)(void *opaque, const store_row *row), void *opaque);
bool store_each_explanation(store *s, bool (*each)(void *opaque, const store_explanation *e),
                            void *opaque);
bool store_each_unreadable(store *s, bool (*each)(void *opaque, const store_unreadable *u),
                           void *opaque);

/** One metric of one network for all questions: value[methods][questions], NaN where there is no
 *  number; has[methods][questions] (may be NULL): 1 where it was measured. */
bool store_column(store *s, int32_t net, int32_t metric, double *value, uint8_t *has);

/** How far a database is: units that are done (of those that have begun), and unreadable ones. */
typedef struct store_counts {
    int64_t measured, unreadable, values;
} store_counts;
bool store_count(store *s, store_counts *out);

/** One line of JSON for each run that wrote to the database, in their order. */
bool store_each_run(store *s, bool (*each)(void *opaque, const char *json), void *opaque);

#endif
