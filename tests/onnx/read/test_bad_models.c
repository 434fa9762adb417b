/* test_bad_models.c - every model of networks/bad.c: its status, one line that says why, nothing
 * leaked, less than 1 GB. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <kldve/onnx.h>

#include "onnx/networks/bad.h"
#include "onnx/networks/nets.h"

/* Sanitizers keep freed memory for a while. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif !defined(SANITIZED)
#define SANITIZED 0
#endif

enum { MAX_CASES = 256, SECONDS = 60, HEADER = 64 };

static const size_t max_bytes = (size_t)1 << 30;

/* An allocator that knows how much it has given out, and gives no more than max_bytes. */
typedef struct meter {
    size_t now, peak;
} meter;

static void *meter_alloc(void *opaque, size_t nbytes)
{
    meter *m = opaque;
    char *raw = nbytes < max_bytes - m->now ? malloc(nbytes + HEADER) : NULL;

    if (nbytes > max_bytes || !raw)
        return NULL;
    memcpy(raw, &nbytes, sizeof nbytes);
    m->now += nbytes;
    if (m->now > m->peak)
        m->peak = m->now;
    return raw + HEADER;
}

static void meter_free(void *opaque, void *memory)
{
    meter *m = opaque;
    size_t nbytes;

    if (!memory)
        return;
    memcpy(&nbytes, (char *)memory - HEADER, sizeof nbytes);
    m->now -= nbytes;
    free((char *)memory - HEADER);
}

static void check_model(void **state)
{
    const bad_model *c = *state;
    meter used = {0, 0};
    kldve_allocator allocator = {sizeof allocator, meter_alloc, meter_free, &used};
    kldve_onnx *net = NULL;
    kldve_status st;
    const char *message;
    kldve_ctx *ctx;
    size_t n;
    unsigned char *bytes = writer_memory(bad_model_write, c, &n);

    assert_non_null(bytes);
    assert_int_equal(kldve_ctx_new(&allocator, &ctx), KLDVE_OK);
    alarm(SECONDS); /* a hang ends the program */
    st = kldve_onnx_load_memory(ctx, bytes, n, NULL, &net);
    alarm(0);
    message = kldve_ctx_message(ctx);
    if (st != c->status || !strstr(message, c->message))
        fail_msg("status %s, expected %s: '%s', expected to hold '%s'", kldve_status_name(st),
                 kldve_status_name(c->status), message, c->message);
    assert_true((st == KLDVE_OK) == (net != NULL));
    assert_true((st == KLDVE_OK) == (*message == 0));
    assert_null(strchr(message, '\n'));
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(used.now, 0);
    free(bytes);
}

static unsigned char *tiny(size_t *n)
{
    static const uint64_t seed = 1;

    for (const network *net = networks; net->name; net++)
        if (strcmp(net->name, "tiny") == 0)
            return writer_memory(net->make, &seed, n);
    return NULL;
}

/* One bit of every byte flipped, down to a plan: refused with a line, or loaded. */
static void test_flips(void **state)
{
    size_t n, loaded = 0;
    unsigned char *bytes = tiny(&n);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++) {
        const unsigned char bit = (unsigned char)(1 << i % 8);
        kldve_onnx *net = NULL;
        kldve_status st;

        bytes[i] ^= bit;
        st = kldve_onnx_load_memory(ctx, bytes, n, NULL, &net);
        assert_true((st == KLDVE_OK) == (net != NULL));
        if (st != KLDVE_OK)
            assert_true(strlen(kldve_ctx_message(ctx)) > 10);
        loaded += net != NULL;
        kldve_onnx_free(net);
        assert_int_equal(heap.live, 1);
        bytes[i] ^= bit;
    }
    print_message("%zu of %zu loaded\n", loaded, n);
    assert_true(loaded > 0 && loaded < n);
    kldve_ctx_free(ctx);
    free(bytes);
}

/* Every allocation of loading fails once. */
static void test_allocations(void **state)
{
    size_t n;
    unsigned char *bytes = tiny(&n);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st = KLDVE_E_NOMEM;
    long rounds;

    (void)state;
    for (rounds = 0; st != KLDVE_OK; rounds++) {
        kldve_onnx *net = NULL;

        heap.budget = rounds;
        st = kldve_onnx_load_memory(ctx, bytes, n, NULL, &net);
        if (st != KLDVE_OK) {
            assert_int_equal(st, KLDVE_E_NOMEM);
            assert_null(net);
            assert_non_null(strstr(kldve_ctx_message(ctx), "memory"));
        }
        kldve_onnx_free(net);
        assert_int_equal(heap.live, 1);
    }
    assert_true(rounds > 5);
    kldve_ctx_free(ctx);
    free(bytes);
}

/* What was held at any time, files and libraries included. */
static void test_memory(void **state)
{
    struct rusage usage;

    (void)state;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    print_message("at most %ld MiB were in use\n", usage.ru_maxrss / 1024);
    if (!SANITIZED)
        assert_true(usage.ru_maxrss < 1 << 20);
}

int main(void)
{
    static struct CMUnitTest tests[MAX_CASES];
    size_t n = 0;

    for (const bad_model *b = bad_models; b->name && n < MAX_CASES - 3; b++)
        tests[n++] = (struct CMUnitTest){b->name, check_model, NULL, NULL, (void *)(uintptr_t)b};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_flips);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_allocations);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_memory);
    return _cmocka_run_group_tests("bad models", tests, n, NULL, NULL);
}
