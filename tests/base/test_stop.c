/* test_stop.c - how calls end early, and what is said of them: polls, cancels, deadlines, nested
 * calls, the log.  No test measures time: deadlines are over at once or far away. */
#include "support.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kldve/backend.h>

static const double at_once = 1e-6, never = 1e12; /* milliseconds */

static void test_cancel_is_used_up(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double before;

    (void)state;
    before = kldve_ctx_enter(ctx, "work", 0);
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_OK);
    assert_int_equal(kldve_ctx_stopping(ctx), 0);
    kldve_ctx_cancel(ctx);
    assert_int_equal(kldve_ctx_stopping(ctx), 1);
    for (int i = 0; i < 2; i++) /* every poll of the call says so */
        assert_int_equal(kldve_ctx_poll(ctx), KLDVE_E_CANCELLED);
    assert_string_equal(kldve_ctx_message(ctx), "cancelled during work");
    assert_int_equal(kldve_ctx_leave(ctx, before, KLDVE_E_CANCELLED), KLDVE_E_CANCELLED);
    assert_int_equal(kldve_ctx_stopping(ctx), 0);
    before = kldve_ctx_enter(ctx, "work", 0);
    assert_string_equal(kldve_ctx_message(ctx), "");
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_OK);
    assert_int_equal(kldve_ctx_leave(ctx, before, KLDVE_OK), KLDVE_OK);
    kldve_ctx_free(ctx);
}

static void test_cancel_between_calls(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double before;

    (void)state;
    kldve_ctx_cancel(ctx); /* nothing runs: the next call ends */
    before = kldve_ctx_enter(ctx, "work", 0);
    assert_int_equal(kldve_ctx_leave(ctx, before, kldve_ctx_poll(ctx)), KLDVE_E_CANCELLED);
    kldve_ctx_cancel(ctx); /* too late for a call that succeeds */
    before = kldve_ctx_enter(ctx, "work", 0);
    assert_int_equal(kldve_ctx_leave(ctx, before, KLDVE_OK), KLDVE_OK);
    assert_int_equal(kldve_ctx_stopping(ctx), 1);
    kldve_ctx_resume(ctx);
    before = kldve_ctx_enter(ctx, "work", 0);
    assert_int_equal(kldve_ctx_leave(ctx, before, kldve_ctx_poll(ctx)), KLDVE_OK);
    kldve_ctx_free(ctx);
}

static kldve_ctx *alarmed;

static void on_alarm(int number)
{
    (void)number;
    kldve_ctx_cancel(alarmed);
}

/* The signal interrupts the thread that polls. */
static void test_cancel_from_signal_handler(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st = KLDVE_OK;
    double before;

    (void)state;
    alarmed = ctx;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    alarm(1);
    before = kldve_ctx_enter(ctx, "work", 0);
    while (st == KLDVE_OK)
        st = kldve_ctx_poll(ctx);
    assert_int_equal(kldve_ctx_leave(ctx, before, st), KLDVE_E_CANCELLED);
    kldve_ctx_free(ctx);
}

static void test_deadline(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double before = kldve_ctx_enter(ctx, "work", at_once);

    (void)state;
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_E_DEADLINE);
    assert_int_equal(kldve_ctx_progress(ctx, "more", 0, 1), KLDVE_E_DEADLINE);
    assert_string_equal(kldve_ctx_message(ctx), "the deadline passed during more");
    assert_int_equal(kldve_ctx_leave(ctx, before, KLDVE_E_DEADLINE), KLDVE_E_DEADLINE);
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_OK); /* no call: no deadline */
    before = kldve_ctx_enter(ctx, "work", never);
    assert_int_equal(kldve_ctx_leave(ctx, before, kldve_ctx_poll(ctx)), KLDVE_OK);
    kldve_ctx_free(ctx);
}

static void test_deadline_of_context(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double before;

    (void)state;
    assert_int_equal(kldve_ctx_set_deadline(ctx, -1), KLDVE_E_ARG);
    assert_int_equal(kldve_ctx_set_deadline(ctx, (double)NAN), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "deadline: nan ms, it must be 0 or more");
    assert_int_equal(kldve_ctx_set_deadline(NULL, 1), KLDVE_E_ARG);
    assert_int_equal(kldve_ctx_set_deadline(ctx, at_once), KLDVE_OK);
    before = kldve_ctx_enter(ctx, "work", never); /* the earlier one counts */
    assert_int_equal(kldve_ctx_leave(ctx, before, kldve_ctx_poll(ctx)), KLDVE_E_DEADLINE);
    assert_int_equal(kldve_ctx_set_deadline(ctx, 0), KLDVE_OK);
    before = kldve_ctx_enter(ctx, "work", 0);
    assert_int_equal(kldve_ctx_leave(ctx, before, kldve_ctx_poll(ctx)), KLDVE_OK);
    kldve_ctx_free(ctx);
}

static void test_nested_calls(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double outer = kldve_ctx_enter(ctx, "outer", never), inner;

    (void)state;
    inner = kldve_ctx_enter(ctx, "inner", at_once);
    assert_int_equal(kldve_ctx_leave(ctx, inner, kldve_ctx_poll(ctx)), KLDVE_E_DEADLINE);
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_OK); /* the outer one has time left */
    inner = kldve_ctx_enter(ctx, "inner", 0);
    kldve_ctx_cancel(ctx);
    assert_int_equal(kldve_ctx_leave(ctx, inner, kldve_ctx_poll(ctx)), KLDVE_E_CANCELLED);
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_E_CANCELLED); /* it is for all of them */
    assert_int_equal(kldve_ctx_leave(ctx, outer, KLDVE_E_CANCELLED), KLDVE_E_CANCELLED);
    outer = kldve_ctx_enter(ctx, "outer", at_once);
    inner = kldve_ctx_enter(ctx, "inner", never);
    assert_int_equal(kldve_ctx_leave(ctx, inner, kldve_ctx_poll(ctx)), KLDVE_E_DEADLINE);
    assert_int_equal(kldve_ctx_leave(ctx, outer, kldve_ctx_poll(ctx)), KLDVE_E_DEADLINE);
    kldve_ctx_free(ctx);
}

struct told {
    kldve_ctx *ctx;
    int64_t done;
    int calls, stop_at;
};

static int32_t tell(void *opaque, const char *stage, int64_t done, int64_t total)
{
    struct told *t = opaque;

    assert_string_equal(stage, "stage");
    assert_int_equal(total, 7);
    t->done = done;
    assert_int_equal(kldve_ctx_poll(t->ctx), KLDVE_OK); /* and is not called from within itself */
    return ++t->calls == t->stop_at;
}

/* While a step takes long, the callback hears of it again. */
static void test_progress_at_polls(void **state)
{
    const struct timespec pause = {.tv_nsec = 30 * 1000 * 1000};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct told told = {.ctx = ctx, .stop_at = 3};
    double before = kldve_ctx_enter(ctx, "work", 0);

    (void)state;
    kldve_ctx_set_progress(ctx, tell, &told);
    assert_int_equal(kldve_ctx_progress(ctx, "stage", 5, 7), KLDVE_OK);
    assert_int_equal(told.calls, 1);
    nanosleep(&pause, NULL);
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_OK);
    assert_int_equal(told.calls, 2);
    assert_int_equal(told.done, 5);
    nanosleep(&pause, NULL);
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_E_CANCELLED);
    assert_int_equal(kldve_ctx_stopping(ctx), 1);
    assert_int_equal(kldve_ctx_poll(ctx), KLDVE_E_CANCELLED); /* without asking again */
    assert_int_equal(told.calls, 3);
    assert_int_equal(kldve_ctx_leave(ctx, before, KLDVE_E_CANCELLED), KLDVE_E_CANCELLED);
    assert_int_equal(kldve_ctx_stopping(ctx), 0);
    kldve_ctx_free(ctx);
}

static void test_message_after_success(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    double before = kldve_ctx_enter(ctx, "work", 0);

    (void)state;
    assert_int_equal(kldve_ctx_fail(ctx, KLDVE_E_IO, "found a way around it"), KLDVE_E_IO);
    assert_int_equal(kldve_ctx_leave(ctx, before, KLDVE_OK), KLDVE_OK);
    assert_string_equal(kldve_ctx_message(ctx), "");
    kldve_ctx_free(ctx);
}

struct lines {
    int count;
    int32_t level;
    char last[200];
};

static void note_line(void *opaque, int32_t level, const char *message)
{
    struct lines *l = opaque;

    l->count++;
    l->level = level;
    strncpy(l->last, message, sizeof l->last - 1);
}

static void test_log(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct lines lines = {0};
    double before;

    (void)state;
    kldve_ctx_logf(ctx, KLDVE_LOG_WARNING, "nobody listens");
    kldve_ctx_set_log(ctx, KLDVE_LOG_INFO, note_line, &lines);
    kldve_ctx_logf(ctx, KLDVE_LOG_INFO, "a\nb %d", 7);
    assert_int_equal(lines.level, KLDVE_LOG_INFO);
    assert_string_equal(lines.last, "a b 7");
    kldve_ctx_logf(ctx, KLDVE_LOG_DEBUG, "too fine");
    assert_int_equal(lines.count, 1);
    kldve_ctx_set_log(ctx, KLDVE_LOG_DEBUG, note_line, &lines);
    before = kldve_ctx_enter(ctx, "work", 0);
    assert_int_equal(kldve_ctx_leave(ctx, before, kldve_ctx_poll(ctx)), KLDVE_OK);
    assert_int_equal(lines.count, 2);
    assert_int_equal(strncmp(lines.last, "work: success after ", 20), 0);
    assert_non_null(strstr(lines.last, " 1 polls"));
    kldve_ctx_free(ctx);
}

static void test_null(void **state)
{
    (void)state;
    kldve_ctx_cancel(NULL);
    kldve_ctx_resume(NULL);
    kldve_ctx_set_progress(NULL, tell, NULL);
    kldve_ctx_set_log(NULL, KLDVE_LOG_DEBUG, note_line, NULL);
    kldve_ctx_logf(NULL, KLDVE_LOG_WARNING, "nobody listens");
    assert_int_equal(kldve_ctx_poll(NULL), KLDVE_OK);
    assert_int_equal(kldve_ctx_stopping(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_is_used_up),
        cmocka_unit_test(test_cancel_between_calls),
        cmocka_unit_test(test_cancel_from_signal_handler),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_deadline_of_context),
        cmocka_unit_test(test_nested_calls),
        cmocka_unit_test(test_progress_at_polls),
        cmocka_unit_test(test_message_after_success),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
