/* run.h - the work of a run: hand units out, to threads of this process and to other ranks, and
 * keep what comes back. */
#ifndef KLDVE_TOOLS_RUN_H
#define KLDVE_TOOLS_RUN_H

#include "evaluate.h"
#include "many/pool.h"
#include "ranks.h"

/** How a run ended. */
typedef struct run_end {
    bool failed;        /**< after a message */
    bool interrupted;   /**< by a signal */
    int64_t units;      /**< of this part of the work, those of earlier runs included */
    int64_t measured;   /**< now */
    int64_t unreadable; /**< of these: their picture could not be read */
    int64_t left;       /**< not measured, neither now nor before */
} run_end;

/** Do the work of rank 0, whose store it is; the others do run_follow().  `threads` of this
 *  process. */
void run_lead(const evaluation *e, const ranks *r, int32_t threads, store *s, progress *p,
              run_end *out);
/** Do what rank 0 hands out until it says that there is no more.  False: this rank gave up. */
bool run_follow(const evaluation *e, int32_t threads);

/* ---- crew.c: messages between rank 0 and the others --------------------------------------- */

/** What a message is; its first byte, never renumbered. */
typedef enum crew_kind {
    CREW_ASK = 1,    /**< to rank 0: so many more units, please */
    CREW_UNIT = 2,   /**< from rank 0: measure this */
    CREW_RESULT = 3, /**< to rank 0: measured */
    CREW_FAILED = 4, /**< to rank 0: why this rank gives up */
    CREW_BYE = 5,    /**< to rank 0: nothing more comes from this rank */
    CREW_END = 6,    /**< from rank 0: there are no more units */
    CREW_STOP = 7    /**< from rank 0: the same, and give up what is not measured yet */
} crew_kind;

typedef struct crew_message {
    int32_t kind, from;
    int32_t number;          /**< of CREW_ASK */
    unit unit;               /**< of CREW_UNIT, CREW_RESULT; the receiver's */
    char why[UNIT_WHY_SIZE]; /**< of CREW_FAILED */
} crew_message;

/** Send.  False: out of memory. */
bool crew_send(int32_t to, crew_kind kind);
bool crew_ask(int32_t number);
bool crew_send_unit(int32_t to, crew_kind kind, const unit *u);
bool crew_send_failed(const char *why);
/** The next message that has arrived and can be understood; false: none. */
bool crew_receive(crew_message *out);

/** Whether all ranks can work together: each is ready (`ok`; else `why` says why not, and this rank
 *  has printed nothing), and has the same program, networks, data set and options as rank 0, which
 *  says in one line for each rank what is wrong.  Every rank calls it.  */
bool crew_agree(const ranks *r, const evaluation *e, bool ok, const char *why);

#endif
