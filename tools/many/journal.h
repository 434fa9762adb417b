/* journal.h - a file of records, one line of JSON each, that grows while the work goes on and says
 * afterwards what is done (.jsonl).
 *
 * A line is written at once and whole, so a run that is killed has every record of a picture that
 * was done, and at most half a line behind them, which the next run cuts off.  Members that the
 * journal itself knows:
 *
 *     picture  the path
 *     print    the SHA-256 of the picture's file
 *     run      the digest of what the result depends on besides: the network and all options
 *     failed   why there is no result; such a picture is not done
 */
#ifndef KLDVE_TOOLS_JOURNAL_H
#define KLDVE_TOOLS_JOURNAL_H

#include "cli/sha256.h"
#include "cli/tool.h"

/** A picture of this run, as the journal finds it. */
typedef struct journal_entry {
    char print[SHA256_TEXT]; /**< of the file when it was done; "": it is not done */
    int64_t offset, nbytes;  /**< of its last line in the journal; nbytes = 0: none */
} journal_entry;

/** A picture by its name as JSON has it. */
typedef struct journal_name {
    char *key;
    int32_t picture;
} journal_name;

typedef struct journal {
    int fd;               /**< -1: standard output, or none */
    bool stream;          /**< it has no past: a pipe, a device, standard output */
    const char *path;     /**< borrowed, as `run` and `picture` are */
    const char *run;      /**< of this run */
    int64_t end;          /**< bytes of the file */
    const char **picture; /**< [pictures], paths */
    int32_t pictures;
    journal_name *name;   /**< [pictures], sorted */
    journal_entry *entry; /**< [pictures] */
    bool sorted;          /**< so far the lines are in the order of the pictures, one for each */
    int32_t last;         /**< the last line's picture; -1: no line of this run yet */
} journal;

/** How to begin where the file exists. */
typedef enum journal_mode {
    JOURNAL_NEW,    /**< refuse it */
    JOURNAL_FORCE,  /**< begin anew */
    JOURNAL_RESUME, /**< go on with it */
} journal_mode;

/** Open it.  False after a message; close it in either case.  @param pictures  Their
 *  paths. */
bool journal_open(journal *j, const char *path, journal_mode mode, const char *run,
                  const arg_list *pictures);
/** Whether a picture with this print was done. */
bool journal_has(const journal *j, int32_t picture, const char *print);
/** Add a line, without its end.  False after a message: the disk is full. */
bool journal_add(journal *j, int32_t picture, const char *line);
/** Put the lines of the run's pictures into their order, one for each, behind those of other runs.
 *  False after a message. */
bool journal_order(journal *j);
void journal_close(journal *j);

#endif
