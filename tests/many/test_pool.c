/* test_pool.c - every unit that is handed in comes out once, measured by one thread; a thread that
 * fails and a stop end it. */
#include "../support.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "evaluate/unit.h"
#include "many/pool.h"

enum { THREADS = 3, WAITING = 2, UNITS = 500 };

/* What the threads share. */
typedef struct shop {
    atomic_int open, closed, cancelled, measured;
    int fails_to_open; /* 1: no thread can begin */
    int fails_at;      /* question that cannot be measured; -1: none */
    int waits;         /* 1: a unit takes until somebody cancels it */
} shop;

/* A thread's own, without a lock. */
typedef struct hand {
    shop *shop;
    int busy;
    atomic_int cancelled;
} hand;

static void *open_hand(const void *of, char why[POOL_WHY_SIZE])
{
    shop *s = *(shop *const *)of;
    hand *h = calloc(1, sizeof *h);

    if (!h || s->fails_to_open) {
        free(h);
        strcpy(why, "no hand");
        return NULL;
    }
    h->shop = s;
    atomic_fetch_add(&s->open, 1);
    return h;
}

static bool measure(void *state, void *item, char why[POOL_WHY_SIZE])
{
    hand *h = state;
    unit *u = item;
    const struct timespec moment = {0, 100000};

    if (++h->busy != 1 || u->question == h->shop->fails_at) {
        strcpy(why, "no measure");
        return false;
    }
    while (h->shop->waits && !atomic_load(&h->cancelled))
        nanosleep(&moment, NULL);
    u->value[0] = u->question * 2.0;
    atomic_fetch_add(&h->shop->measured, 1);
    h->busy--;
    return !h->shop->waits;
}

static void cancel(void *state)
{
    hand *h = state;

    atomic_store(&h->cancelled, 1);
    atomic_fetch_add(&h->shop->cancelled, 1);
}

static void close_hand(void *state)
{
    hand *h = state;

    atomic_fetch_add(&h->shop->closed, 1);
    free(h);
}

static void drop(void *item)
{
    unit_free(item);
}

static pool *open_pool(shop **s)
{
    const pool_work work = {.of = s,
                            .item_nbytes = sizeof(unit),
                            .open = open_hand,
                            .work = measure,
                            .cancel = cancel,
                            .close = close_hand,
                            .drop = drop};
    pool *p;

    assert_true(pool_open(THREADS, WAITING, &work, &p));
    return p;
}

static void push(pool *p, int32_t number)
{
    unit u;

    assert_true(unit_new(&u, 1, 1));
    u.question = number;
    pool_push(p, &u);
}

static void all_come_out_once(void **state)
{
    shop s = {.fails_at = -1}, *of = &s;
    pool *p = open_pool(&of);
    char seen[UNITS] = "", why[POOL_WHY_SIZE];
    int32_t in = 0, out = 0;
    pool_event event = POOL_LATE;
    unit u;

    (void)state;
    while (event != POOL_IDLE || in < UNITS) {
        for (int32_t room = pool_room(p); room > 0 && in < UNITS; room--)
            push(p, in++);
        assert_true(in - out <= THREADS * (1 + WAITING));
        event = pool_wait(p, 1000, &u, why);
        assert_int_not_equal(event, POOL_FAILED);
        if (event != POOL_ITEM)
            continue;
        assert_int_equal(seen[u.question]++, 0);
        assert_true(u.value[0] == u.question * 2.0);
        out++;
        unit_free(&u);
    }
    pool_free(p);
    assert_int_equal(out, UNITS);
    assert_int_equal(atomic_load(&s.closed), atomic_load(&s.open));
}

/* Hand out numbers until something happens that is not a unit. */
static pool_event feed(pool *p, char why[POOL_WHY_SIZE])
{
    pool_event event = POOL_ITEM;
    unit u;

    for (int32_t i = 0; event == POOL_ITEM || event == POOL_LATE; i++) {
        if (pool_room(p) > 0)
            push(p, i);
        event = pool_wait(p, 1000, &u, why);
        if (event == POOL_ITEM)
            unit_free(&u);
    }
    return event;
}

static void a_failure_ends_it(void **state)
{
    shop s = {.fails_at = 20}, *of = &s;
    pool *p = open_pool(&of);
    char why[POOL_WHY_SIZE];
    pool_event event = POOL_ITEM;
    unit u;

    (void)state;
    assert_int_equal(feed(p, why), POOL_FAILED);
    assert_string_equal(why, "no measure");
    assert_int_equal(pool_room(p), 0);
    push(p, 1); /* is dropped */
    while ((event = pool_wait(p, 1000, &u, why)) == POOL_ITEM)
        unit_free(&u);
    assert_int_equal(event, POOL_IDLE); /* it is told once */
    pool_free(p);
}

static void threads_may_fail_to_begin(void **state)
{
    shop s = {.fails_to_open = 1, .fails_at = -1}, *of = &s;
    pool *p = open_pool(&of);
    char why[POOL_WHY_SIZE];

    (void)state;
    assert_int_equal(feed(p, why), POOL_FAILED);
    assert_string_equal(why, "no hand");
    pool_free(p);
    assert_int_equal(atomic_load(&s.closed), 0);
}

static void a_stop_cancels(void **state)
{
    shop s = {.fails_at = -1, .waits = 1}, *of = &s;
    pool *p = open_pool(&of);
    char why[POOL_WHY_SIZE];
    const struct timespec moment = {0, 100000};
    unit u;

    (void)state;
    while (atomic_load(&s.open) < THREADS)
        nanosleep(&moment, NULL);
    for (int32_t i = 0; i < THREADS * (1 + WAITING); i++)
        push(p, i);
    assert_int_equal(pool_wait(p, 20, &u, why), POOL_LATE);
    pool_stop(p);
    assert_int_equal(pool_wait(p, 10000, &u, why), POOL_IDLE); /* and no failure */
    pool_free(p);
    assert_true(atomic_load(&s.cancelled) >= THREADS);
    assert_int_equal(atomic_load(&s.closed), THREADS);
}

TEST_MAIN(pool)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_out_once),
        cmocka_unit_test(a_failure_ends_it),
        cmocka_unit_test(threads_may_fail_to_begin),
        cmocka_unit_test(a_stop_cancels),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
