/* many.h - many pictures, each explained by itself: what the parts share.
 *
 *     many_open.c    from the arguments to the run
 *     many_plan.c    which pictures, and where their results go
 *     many.c         the run: hands pictures out, takes results back, says how it went
 *     many_worker.c  a thread: reads, explains, draws and writes
 *     many_line.c    a result in one line, for people and as JSON */
#ifndef KLDVE_TOOLS_MANY_H
#define KLDVE_TOOLS_MANY_H

#include "cli/output_names.h"
#include "explain.h"
#include "many/journal.h"
#include "many/pool.h"

/** What can be written of each picture. */
typedef enum many_output { MANY_OVERLAY, MANY_HEAT, MANY_MAP, MANY_DUMP, MANY_OUTPUTS } many_output;

enum {
    MANY_BATCH = 8 /**< pictures that a thread takes at a time, at most: dense layers gain little
                        from more (docs/performance.md) */
};

enum { MANY_REASONS = 4 };

/** What is left out of folders for one reason. */
typedef struct many_rest {
    int32_t count;
    char first[LABEL_SIZE];
} many_rest;

typedef struct many {
    const explain_args *args;
    explanation first; /**< the network, which the threads share */
    network_args how;  /**< how it was loaded */
    arg_list picture;  /**< paths, owned; folders are replaced by what is in them */
    many_rest rest[MANY_REASONS];
    output_names names[MANY_OUTPUTS]; /**< count 0: not wanted */
    char run[SHA256_TEXT];            /**< of what all results depend on */
    journal journal;
    int32_t batch; /**< pictures that go through the network together, 1 to MANY_BATCH */
    int32_t piece; /**< pictures that a thread takes at a time, 1 to batch */
} many;

/** Whether arguments are about pictures that are explained one by one: several, a folder, or an
 *  option that only this has. */
bool many_asked(const explain_args *args);
/** Find mistakes in the options of many pictures, and options that name the result of one.
 *  EXIT_DONE, or EXIT_USAGE after a message. */
int many_check_args(const explain_args *args);
int many_check_single(const explain_args *args);

/** Whether an output of each picture is written. */
bool many_writes(const explain_args *args, many_output output);

/** Explain the pictures that the arguments name.
 *  @param film  Becomes true, and nothing is done, if they are the frames of a film: the network
 *               takes several.
 *  @return the exit status. */
int many_command(const explain_args *args, bool *film);

/** many_plan.c: list the pictures.  False after a message. */
bool many_list(many *m);
/** Say what is left out of the folders. */
void many_say_rest(const many *m);
/** Choose where results go, see to it that they replace nothing that is read, and make the folder.
 *  EXIT_DONE or the exit status after a message. */
int many_name(many *m);
/** What all results depend on -> m->run.  False after a message. */
bool many_describe(many *m);
void many_plan_free(many *m);

/** How many threads work at a time. */
int32_t many_threads(const many *m);
/** many.c: the whole run, with pictures as they were listed and the network in m->first.
 *  @return the exit status. */
int many_run(many *m, progress *p);

/* ---- results ------------------------------------------------------------------------------ */

typedef enum many_state {
    MANY_DONE,   /**< explained and written */
    MANY_BEFORE, /**< an earlier run did it */
    MANY_FAILED  /**< `why` says it */
} many_state;

/** What a thread says of a picture; texts are owned, NULL where there are none. */
typedef struct many_result {
    int32_t picture; /**< its number */
    many_state state;
    char *said; /**< one line for people */
    char *line; /**< one line of JSON */
    char *why;  /**< without the picture's name */
} many_result;

/** What a thread takes at a time. */
typedef struct many_chunk {
    int32_t count;
    many_result result[MANY_BATCH];
} many_chunk;

/** many_worker.c: for pool_open(); items are many_chunk. */
pool_work many_work(const many *m);

/** many_line.c: an explanation in one line, NULL: out of memory or after a message.  `args` has
 *  what is written of this picture. */
char *many_said(const explanation *e, const explain_args *args);
char *many_record(const many *m, const explanation *e, const explain_args *args, const char *print);
/** The line of a picture that failed. */
char *many_failure(const many *m, const char *picture, const char *why);

#endif
