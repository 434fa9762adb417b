/* test_random_memory.c - random parameters while memory runs out: a status with its message, no
 * leak, and the network as before. */
#include <string.h>

#include <kldve/onnx.h>

#include "got.h"
#include "support.h"

enum { CALLS_MOST = 100000 };

typedef struct opened {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *ex;
} opened;

static const float input[3 * 128 * 128] = {0.5f, -1, 2};

static void open_demo(opened *o)
{
    const kldve_onnx_options how = {
        .struct_size = sizeof how, .threads = 1, .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
    kldve_shape s = {.struct_size = sizeof s};

    o->ctx = test_ctx(&o->heap);
    o->ex = NULL;
    assert_int_equal(kldve_onnx_explainer(o->ctx, NULL, &how, &o->ex), KLDVE_OK);
    assert_int_equal(kldve_explainer_shape(o->ex, &s), KLDVE_OK);
    assert_true(s.in_channels * s.in_height * s.in_width <= (int)(sizeof input / sizeof *input));
}

static kldve_heatmap *explained(const opened *o)
{
    kldve_heatmap *map = NULL;

    if (kldve_explain_input(o->ex, input, NULL, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(o->ctx));
    return map;
}

/* Every allocation of a cascade, and of the way back, failed once; with a stride, because there are
 * many. */
static void test_memory(void **state)
{
    opened o;
    kldve_heatmap *before, *after;
    long calls, stride, failures = 0;
    size_t count;

    (void)state;
    open_demo(&o);
    before = explained(&o);
    o.heap.calls = 0;
    assert_int_equal(kldve_explainer_randomise(o.ex, KLDVE_RANDOMISE_CASCADE, 1, 1), KLDVE_OK);
    calls = o.heap.calls;
    assert_true(calls > 10 && calls < CALLS_MOST);
    assert_int_equal(kldve_explainer_randomise(o.ex, KLDVE_RANDOMISE_NONE, 0, 0), KLDVE_OK);
    stride = calls / 60 + 1;
    for (long budget = 0; budget < calls; budget += stride) {
        kldve_status st;

        o.heap.budget = budget;
        st = kldve_explainer_randomise(o.ex, KLDVE_RANDOMISE_CASCADE, 1, 1);
        o.heap.budget = -1;
        if (st == KLDVE_OK) { /* arrays of the first time are reused */
            assert_int_equal(kldve_explainer_randomise(o.ex, KLDVE_RANDOMISE_NONE, 0, 0), KLDVE_OK);
            continue;
        }
        failures++;
        assert_int_equal(st, KLDVE_E_NOMEM);
        assert_string_not_equal(kldve_ctx_message(o.ctx), "");
    }
    assert_true(failures > 10);
    after = explained(&o);
    (void)got_logits(before, &count);
    assert_memory_equal(got_logits(before, NULL), got_logits(after, NULL), count * sizeof(float));
    kldve_heatmap_free(before);
    kldve_heatmap_free(after);
    kldve_explainer_free(o.ex);
    kldve_ctx_free(o.ctx);
    assert_int_equal(o.heap.live, 0);
}

/* Cancelled in the middle, it ends and the network is as before. */
static int32_t stop(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)opaque;
    (void)stage;
    (void)done;
    (void)total;
    return 1;
}

static void test_cancel(void **state)
{
    opened o;
    kldve_status st;

    (void)state;
    open_demo(&o);
    kldve_ctx_set_progress(o.ctx, stop, NULL);
    kldve_ctx_cancel(o.ctx);
    st = kldve_explainer_randomise(o.ex, KLDVE_RANDOMISE_CASCADE, 1, 1);
    assert_int_equal(st, KLDVE_E_CANCELLED);
    kldve_ctx_set_progress(o.ctx, NULL, NULL);
    kldve_heatmap_free(explained(&o));
    kldve_explainer_free(o.ex);
    kldve_ctx_free(o.ctx);
    assert_int_equal(o.heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("random memory", tests, NULL, NULL);
}
