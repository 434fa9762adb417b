/* pool.h - threads that work on items, each with a state of its own.  One thread, the owner, hands
 * items in and takes them out again; which thread works on which item changes nothing in it. */
#ifndef KLDVE_TOOLS_POOL_H
#define KLDVE_TOOLS_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POOL_WHY_SIZE = 1024 };

/** What the threads do.  Functions that fail write one line to `why`. */
typedef struct pool_work {
    const void *of;
    size_t item_nbytes; /**< an item is copied in and out as so many bytes */
    /** The state of one thread, made in that thread.  NULL: failed. */
    void *(*open)(const void *of, char why[POOL_WHY_SIZE]);
    /** Do the work.  False: the whole run cannot go on. */
    bool (*work)(void *state, void *item, char why[POOL_WHY_SIZE]);
    /** Have a work() that runs in another thread fail soon. */
    void (*cancel)(void *state);
    void (*close)(void *state);
    /** Free what an item holds that nobody takes out. */
    void (*drop)(void *item);
} pool_work;

typedef enum pool_event {
    POOL_ITEM,   /**< an item is done */
    POOL_FAILED, /**< a thread cannot go on; nothing is done any more */
    POOL_IDLE,   /**< there is nothing left to do or to take */
    POOL_LATE    /**< nothing happened in the given time */
} pool_event;

typedef struct pool pool;

/** Start the threads.  False: out of memory or threads; nothing is written.
 *  @param waiting  Items that wait for each thread: enough for the time in which the owner does
 *                  something else, and no more than may lie around when others have nothing to do.
 *  @param work     Copied; work->of is borrowed until pool_free(). */
bool pool_open(int32_t threads, int32_t waiting, const pool_work *work, pool **out);

/** How many further items it takes. */
int32_t pool_room(pool *p);

/** Hand in an item, of which pool_room() left room for one; the pool takes it over. */
void pool_push(pool *p, const void *item);

/** Wait for something to happen, `ms` milliseconds at most.
 *  @param out  On POOL_ITEM the item, which is the caller's again.
 *  @param why  On POOL_FAILED why. */
pool_event pool_wait(pool *p, double ms, void *out, char why[POOL_WHY_SIZE]);

/** Give up: items that are not done yet are dropped.  Those that are can still be taken. */
void pool_stop(pool *p);

/** Stop, wait for the threads, free everything.  Accepts NULL. */
void pool_free(pool *p);

#endif
