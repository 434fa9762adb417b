/* pool.c - threads that measure units.  Two rings, of units that wait and of units that are
 * measured, under one lock. */
#include "pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct ring {
    unit *unit; /* [most] */
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
    ring waiting, measured;
    pool_thread *thread;
    int32_t threads; /* that were started */
    int32_t held;    /* units handed in and not taken out, in the rings or in a thread */
    bool stopped, failed, told;
    char why[UNIT_WHY_SIZE];
};

/* ---- rings -------------------------------------------------------------------------------- */

static bool ring_open(ring *r, int32_t most)
{
    r->unit = calloc((size_t)most, sizeof *r->unit);
    r->most = most;
    return r->unit != NULL;
}

static void ring_push(ring *r, const unit *u)
{
    assert(r->count < r->most);
    r->unit[(r->first + r->count) % r->most] = *u;
    r->count++;
}

static void ring_pop(ring *r, unit *out)
{
    assert(r->count > 0);
    *out = r->unit[r->first];
    r->first = (r->first + 1) % r->most;
    r->count--;
}

static int32_t ring_clear(ring *r)
{
    int32_t dropped = r->count;
    unit u;

    while (r->count > 0) {
        ring_pop(r, &u);
        unit_free(&u);
    }
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

/* Wait for a unit; false: there will be none. */
static bool take(pool *p, unit *u)
{
    while (p->waiting.count == 0 && !p->stopped)
        pthread_cond_wait(&p->work_came, &p->lock);
    if (p->stopped)
        return false;
    ring_pop(&p->waiting, u);
    return true;
}

/* Measure units until there are none; the lock is held before and after. */
static void measure_all(pool *p, void *state)
{
    char why[UNIT_WHY_SIZE] = "";
    unit u;

    while (take(p, &u)) {
        bool ok;

        pthread_mutex_unlock(&p->lock);
        ok = p->work.measure(state, &u, why);
        pthread_mutex_lock(&p->lock);
        if (ok) {
            ring_push(&p->measured, &u);
        } else {
            unit_free(&u);
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
    char why[UNIT_WHY_SIZE] = "";
    void *state = p->work.open(p->work.of, why);

    pthread_mutex_lock(&p->lock);
    t->state = state;
    if (state)
        measure_all(p, state);
    else
        fail(p, why);
    t->state = NULL;
    pthread_cond_signal(&p->news);
    pthread_mutex_unlock(&p->lock);
    if (state)
        p->work.close(state);
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
    p->work = *work;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work_came, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    p->thread = calloc((size_t)threads, sizeof *p->thread);
    if (p->thread && ring_open(&p->waiting, most) && ring_open(&p->measured, most) &&
        start_threads(p, threads)) {
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

void pool_push(pool *p, const unit *u)
{
    pthread_mutex_lock(&p->lock);
    if (p->stopped) {
        unit dropped = *u;

        unit_free(&dropped);
    } else {
        p->held++;
        ring_push(&p->waiting, u);
        pthread_cond_signal(&p->work_came);
    }
    pthread_mutex_unlock(&p->lock);
}

/* What there is to tell now; the lock is held. */
static pool_event look(pool *p, unit *out, char why[UNIT_WHY_SIZE])
{
    if (p->measured.count > 0) {
        ring_pop(&p->measured, out);
        p->held--;
        return POOL_UNIT;
    }
    if (p->failed && !p->told) {
        p->told = true;
        memcpy(why, p->why, sizeof p->why);
        return POOL_FAILED;
    }
    if (p->stopped)
        p->held -= ring_clear(&p->waiting);
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

pool_event pool_wait(pool *p, double ms, unit *out, char why[UNIT_WHY_SIZE])
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
    if (p->waiting.unit)
        ring_clear(&p->waiting);
    if (p->measured.unit)
        ring_clear(&p->measured);
    free(p->waiting.unit);
    free(p->measured.unit);
    free(p->thread);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work_came);
    pthread_cond_destroy(&p->news);
    free(p);
}
