/* pool.h - threads that measure units, each with a state of its own.  One thread, the owner, hands
 * units in and takes them out again; which thread measures which unit changes nothing in it. */
#ifndef KLDVE_TOOLS_POOL_H
#define KLDVE_TOOLS_POOL_H

#include "unit.h"

/** What the threads do.  Functions that fail write one line to `why`. */
typedef struct pool_work {
    const void *of;
    /** The state of one thread, made in that thread.  NULL: failed. */
    void *(*open)(const void *of, char why[UNIT_WHY_SIZE]);
    /** Fill in what unit->asked asks for.  False: the whole run cannot go on. */
    bool (*measure)(void *state, unit *u, char why[UNIT_WHY_SIZE]);
    /** Have a measure() that runs in another thread fail soon. */
    void (*cancel)(void *state);
    void (*close)(void *state);
} pool_work;

typedef enum pool_event {
    POOL_UNIT,   /**< a unit is measured */
    POOL_FAILED, /**< a thread cannot go on; nothing is measured any more */
    POOL_IDLE,   /**< there is nothing left to do or to take */
    POOL_LATE    /**< nothing happened in the given time */
} pool_event;

typedef struct pool pool;

/** Start the threads.  False: out of memory or threads; nothing is written.
 *  @param waiting  Units that wait for each thread: enough for the time in which the owner does
 *                  something else, and no more than may lie around when others have nothing to do.
 *  @param work     Copied; work->of is borrowed until pool_free(). */
bool pool_open(int32_t threads, int32_t waiting, const pool_work *work, pool **out);

/** How many further units it takes. */
int32_t pool_room(pool *p);

/** Hand in a unit, of which pool_room() left room for one; the pool takes it over. */
void pool_push(pool *p, const unit *u);

/** Wait for something to happen, `ms` milliseconds at most.
 *  @param out  On POOL_UNIT the unit, which is the caller's again.
 *  @param why  On POOL_FAILED why. */
pool_event pool_wait(pool *p, double ms, unit *out, char why[UNIT_WHY_SIZE]);

/** Give up: units that are not measured yet are dropped.  Those that are can still be taken. */
void pool_stop(pool *p);

/** Stop, wait for the threads, free everything.  Accepts NULL. */
void pool_free(pool *p);

#endif
