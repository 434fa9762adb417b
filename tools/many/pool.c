/* pool.c - threads that work on items.  Two rings, of items that wait and of items that are done,
 * under one lock. */
#include "pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keep.h"

typedef struct ring {
    unsigned char *item; /* [most][nbytes] */
    size_t nbytes;
    int32_t most, first, count;
} ring;

typedef struct pool_thread {
    pool *pool;
    pthread_t id;
    void *state; /* NULL until work.open() has made it, and after work.close() */
} pool_thread;

struct pool {
    pool_work work;
    pthread_mutex_t lock;
    pthread_cond_t work_came, news;
    ring waiting, done;
    pool_thread *thread;
    int32_t threads; /* that were started */
    int32_t held;    /* items handed in and not taken out, in the rings or in a thread */
    bool stopped, failed, told;
    char why[POOL_WHY_SIZE];
};

/* ---- rings -------------------------------------------------------------------------------- */

static bool ring_open(ring *r, int32_t most, size_t nbytes)
{
    r->item = calloc((size_t)most, nbytes);
    r->nbytes = nbytes;
    r->most = most;
    return r->item != NULL;
}

static void ring_push(ring *r, const void *item)
{
    assert(r->count < r->most);
    memcpy(r->item + (size_t)((r->first + r->count) % r->most) * r->nbytes, item, r->nbytes);
    r->count++;
}

/* Borrowed until the next push. */
static void *ring_pop(ring *r)
{
    void *item = r->item + (size_t)r->first * r->nbytes;

    assert(r->count > 0);
    r->first = (r->first + 1) % r->most;
    r->count--;
    return item;
}

static int32_t ring_clear(ring *r, void (*drop)(void *item))
{
    int32_t dropped = r->count;

    while (r->count > 0)
        drop(ring_pop(r));
    return dropped;
}

/* ---- a thread ----------------------------------------------------------------------------- */

/* The lock is held. */
static void fail(pool *p, const char *why)
{
    if (!p->failed)
        memcpy(p->why, why, sizeof p->why);
    p->failed = p->stopped = true;
    pthread_cond_broadcast(&p->work_came);
}

/* Wait for an item; false: there will be none. */
static bool take(pool *p, void *item)
{
    while (p->waiting.count == 0 && !p->stopped)
        pthread_cond_wait(&p->work_came, &p->lock);
    if (p->stopped)
        return false;
    memcpy(item, ring_pop(&p->waiting), p->work.item_nbytes);
    return true;
}

/* Work on items until there are none; the lock is held before and after. */
static void work_on_all(pool *p, void *state, void *item)
{
    char why[POOL_WHY_SIZE] = "";

    while (take(p, item)) {
        bool ok;

        pthread_mutex_unlock(&p->lock);
        ok = p->work.work(state, item, why);
        pthread_mutex_lock(&p->lock);
        if (ok) {
            ring_push(&p->done, item);
        } else {
            p->work.drop(item);
            p->held--;
            if (!p->stopped) /* else it was told to fail */
                fail(p, why);
        }
        pthread_cond_signal(&p->news);
    }
}

static void *run(void *of)
{
    pool_thread *t = of;
    pool *p = t->pool;
    char why[POOL_WHY_SIZE] = "out of memory";
    void *item = malloc(p->work.item_nbytes);
    void *state = item ? p->work.open(p->work.of, why) : NULL;

    pthread_mutex_lock(&p->lock);
    t->state = state;
    if (state)
        work_on_all(p, state, item);
    else
        fail(p, why);
    t->state = NULL;
    pthread_cond_signal(&p->news);
    pthread_mutex_unlock(&p->lock);
    if (state)
        p->work.close(state);
    free(item);
    return NULL;
}

/* ---- the owner ---------------------------------------------------------------------------- */

static bool start_threads(pool *p, int32_t threads)
{
    for (int32_t i = 0; i < threads; i++) {
        p->thread[i].pool = p;
        if (pthread_create(&p->thread[i].id, NULL, run, &p->thread[i]) != 0)
            return false;
        p->threads++;
    }
    return true;
}

bool pool_open(int32_t threads, int32_t waiting, const pool_work *work, pool **out)
{
    int32_t most = threads * (1 + waiting);
    pool *p = calloc(1, sizeof *p);
    pthread_condattr_t monotonic;

    if (!p)
        return false;
    keep_memory();
    p->work = *work;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work_came, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    p->thread = calloc((size_t)threads, sizeof *p->thread);
    if (p->thread && ring_open(&p->waiting, most, work->item_nbytes) &&
        ring_open(&p->done, most, work->item_nbytes) && start_threads(p, threads)) {
        *out = p;
        return true;
    }
    pool_free(p);
    return false;
}

int32_t pool_room(pool *p)
{
    int32_t room;

    pthread_mutex_lock(&p->lock);
    room = p->stopped ? 0 : p->waiting.most - p->held;
    pthread_mutex_unlock(&p->lock);
    return room;
}

void pool_push(pool *p, const void *item)
{
    pthread_mutex_lock(&p->lock);
    if (p->stopped) {
        p->work.drop((void *)item);
    } else {
        p->held++;
        ring_push(&p->waiting, item);
        pthread_cond_signal(&p->work_came);
    }
    pthread_mutex_unlock(&p->lock);
}

/* What there is to tell now; the lock is held. */
static pool_event look(pool *p, void *out, char why[POOL_WHY_SIZE])
{
    if (p->done.count > 0) {
        memcpy(out, ring_pop(&p->done), p->work.item_nbytes);
        p->held--;
        return POOL_ITEM;
    }
    if (p->failed && !p->told) {
        p->told = true;
        memcpy(why, p->why, sizeof p->why);
        return POOL_FAILED;
    }
    if (p->stopped)
        p->held -= ring_clear(&p->waiting, p->work.drop);
    return p->held == 0 ? POOL_IDLE : POOL_LATE;
}

static struct timespec moment(double ms)
{
    struct timespec t;
    int64_t ns;

    clock_gettime(CLOCK_MONOTONIC, &t);
    ns = t.tv_nsec + (int64_t)(ms * 1e6);
    t.tv_sec += (time_t)(ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    return t;
}

pool_event pool_wait(pool *p, double ms, void *out, char why[POOL_WHY_SIZE])
{
    struct timespec end = moment(ms);
    pool_event event;

    pthread_mutex_lock(&p->lock);
    event = look(p, out, why);
    while (event == POOL_LATE && pthread_cond_timedwait(&p->news, &p->lock, &end) == 0)
        event = look(p, out, why);
    pthread_mutex_unlock(&p->lock);
    return event;
}

void pool_stop(pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    pthread_cond_broadcast(&p->work_came);
    for (int32_t i = 0; i < p->threads; i++)
        if (p->thread[i].state)
            p->work.cancel(p->thread[i].state);
    pthread_mutex_unlock(&p->lock);
}

void pool_free(pool *p)
{
    if (!p)
        return;
    pool_stop(p);
    for (int32_t i = 0; i < p->threads; i++)
        pthread_join(p->thread[i].id, NULL);
    ring_clear(&p->waiting, p->work.drop);
    ring_clear(&p->done, p->work.drop);
    free(p->waiting.item);
    free(p->done.item);
    free(p->thread);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work_came);
    pthread_cond_destroy(&p->news);
    free(p);
}
