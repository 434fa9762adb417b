/* test_team.c - networks of two threads in processes that were forked: before and after everything
 * that makes the threads of a team, in the thread that led it and beside it.  A child that waits
 * for threads that are not there is ended by SIGALRM. */
#include "support.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kldve/onnx.h>

enum { THREADS = 2, BATCH = 3, MOST = 1 << 16, PATIENCE = 120 /* seconds of a child */ };

/* What a program has, and the child inherits. */
typedef struct host {
    kldve_ctx *ctx;
    kldve_onnx *net;
    kldve_explainer *ex;
    float *input; /* [BATCH] inputs */
    float map[MOST];
    size_t count;
} host;

static kldve_status load(host *h)
{
    kldve_onnx_options o = {.struct_size = sizeof o,
                            .threads = THREADS,
                            .batch = BATCH,
                            .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
    kldve_onnx_files demo = {.struct_size = sizeof demo};
    kldve_status st = kldve_onnx_demo(&demo);

    if (st < 0 || (st = kldve_ctx_new(NULL, &h->ctx)) < 0)
        return st;
    return kldve_onnx_load_memory(h->ctx, demo.model, demo.model_nbytes, &o, &h->net);
}

static kldve_status open_network(host *h)
{
    kldve_shape s = {.struct_size = sizeof s};
    kldve_status st = kldve_explainer_new(h->ctx, kldve_onnx_backend(), h->net, &h->ex);
    size_t count;

    if (st < 0 || (st = kldve_explainer_shape(h->ex, &s)) < 0)
        return st;
    count = BATCH * (size_t)s.in_channels * (size_t)s.in_height * (size_t)s.in_width;
    h->input = malloc(count * sizeof *h->input);
    for (size_t i = 0; h->input && i < count; i++)
        h->input[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    return h->input ? KLDVE_OK : KLDVE_E_NOMEM;
}

/* The maps of a pass alone, of one with relevance, and of a batch, one behind the other. */
static kldve_status explain(host *h)
{
    const kldve_options lrp = {.struct_size = sizeof lrp, .method = "lrp-epsilon"};
    kldve_heatmap *map[2 + BATCH] = {NULL};
    kldve_status st = kldve_explain_input(h->ex, h->input, NULL, &map[0]);

    if (st == KLDVE_OK)
        st = kldve_explain_input(h->ex, h->input, &lrp, &map[1]);
    if (st == KLDVE_OK)
        st = kldve_explain_inputs(h->ex, h->input, BATCH, NULL, map + 2);
    h->count = 0;
    for (int i = 0; i < 2 + BATCH; i++) {
        const float *values;
        int32_t count;

        if (st == KLDVE_OK && (st = kldve_heatmap_values(map[i], &values, &count)) == KLDVE_OK) {
            size_t cells = (size_t)count;

            if (h->count + cells > MOST)
                st = KLDVE_E_LIMIT;
            else
                memcpy(h->map + h->count, values, cells * sizeof *h->map);
            h->count += cells;
        }
        kldve_heatmap_free(map[i]);
    }
    return st;
}

static void close_network(host *h)
{
    kldve_explainer_free(h->ex);
    kldve_onnx_free(h->net);
    kldve_ctx_free(h->ctx);
    free(h->input);
}

/* Steps of a host that are left for the child to take. */
enum { FROM_EXPLAIN, FROM_OPEN, FROM_LOAD };

/* In a child: take the steps, and compare with what the parent's `expected` has. */
static int in_child(host *h, int from, const host *expected)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        kldve_status st = KLDVE_OK;

        alarm(PATIENCE);
        if (from >= FROM_LOAD)
            st = load(h);
        if (st == KLDVE_OK && from >= FROM_OPEN)
            st = open_network(h);
        if (st == KLDVE_OK)
            st = explain(h);
        if (st == KLDVE_OK && (h->count != expected->count ||
                               memcmp(h->map, expected->map, h->count * sizeof *h->map) != 0))
            st = -100;
        close_network(h); /* what it inherited, too */
        _exit(-st);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        fail_msg("the child was ended by signal %d", WTERMSIG(status));
    return -WEXITSTATUS(status);
}

static host expected;

static void test_before_load(void **state)
{
    static host fresh;
    int report[2], status;
    const size_t bytes = 64 * sizeof *fresh.map;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(report), 0);
    child = fork(); /* of a process without a team: this is the first test */
    if (child == 0) {
        alarm(PATIENCE);
        _exit(load(&fresh) < 0 || open_network(&fresh) < 0 || explain(&fresh) < 0 ||
              write(report[1], fresh.map, bytes) < 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(load(&expected), KLDVE_OK);
    assert_int_equal(open_network(&expected), KLDVE_OK);
    assert_int_equal(explain(&expected), KLDVE_OK);
    assert_int_equal(read(report[0], fresh.map, bytes), (ssize_t)bytes);
    assert_memory_equal(fresh.map, expected.map, bytes);
    close(report[0]);
    close(report[1]);
}

static void test_after_load(void **state)
{
    static host h;

    (void)state;
    assert_int_equal(load(&h), KLDVE_OK);
    assert_int_equal(in_child(&h, FROM_OPEN, &expected), KLDVE_OK);
    close_network(&h);
}

static void test_after_open(void **state)
{
    static host h;

    (void)state;
    assert_int_equal(load(&h), KLDVE_OK);
    assert_int_equal(open_network(&h), KLDVE_OK);
    assert_int_equal(in_child(&h, FROM_EXPLAIN, &expected), KLDVE_OK);
    close_network(&h);
}

static void test_after_run(void **state)
{
    static host other;

    (void)state;
    assert_int_equal(in_child(&expected, FROM_EXPLAIN, &expected), KLDVE_OK);
    assert_int_equal(in_child(&other, FROM_LOAD, &expected), KLDVE_OK); /* a network of its own */
    assert_int_equal(explain(&expected), KLDVE_OK);                     /* and the parent goes on */
}

static atomic_int running, enough;

/* Explains until it is told that it is enough. */
static void *keep_running(void *net)
{
    static host h;

    h.net = net;
    if (kldve_ctx_new(NULL, &h.ctx) < 0 || open_network(&h) < 0)
        return "it does not open";
    while (!atomic_load(&enough)) {
        if (explain(&h) < 0)
            return "it does not run";
        atomic_store(&running, 1);
    }
    h.net = NULL;
    close_network(&h);
    return NULL;
}

static void test_beside_a_running_thread(void **state)
{
    static host h;
    pthread_t thread;
    void *said;

    (void)state;
    assert_int_equal(load(&h), KLDVE_OK);
    assert_int_equal(pthread_create(&thread, NULL, keep_running, h.net), 0);
    while (!atomic_load(&running))
        sched_yield();
    for (int i = 0; i < 3; i++) {
        static host child;

        child = h;
        assert_int_equal(in_child(&child, FROM_OPEN, &expected), KLDVE_OK);
    }
    atomic_store(&enough, 1);
    pthread_join(thread, &said);
    if (said)
        fail_msg("%s", (const char *)said);
    close_network(&h);
}

static int close_expected(void **state)
{
    (void)state;
    close_network(&expected);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_load),
        cmocka_unit_test(test_after_load),
        cmocka_unit_test(test_after_open),
        cmocka_unit_test(test_after_run),
        cmocka_unit_test(test_beside_a_running_thread),
    };
    kldve_onnx_files demo = {.struct_size = sizeof demo};

    if (kldve_onnx_demo(&demo) != KLDVE_OK)
        return 77; /* nothing to load */
    return cmocka_run_group_tests(tests, NULL, close_expected);
}
