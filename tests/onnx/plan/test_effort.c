/* test_effort.c - what a pass may cost: the limit `work` to the number, and calls that end when
 * their time is over, whatever the network computes. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kldve/onnx.h>

#include "onnx/networks/text.h"

/* x -> a convolution of 8 maps, `text` -> d, pooled to scores. */
#define NETWORK                                                                                    \
    "opset 20; in x %s; w k 8,3,1,1; n Conv x,k c; %s; n GlobalAveragePool d g; n Flatten g y; "   \
    "out y"

typedef struct opened {
    test_heap heap;
    kldve_ctx *ctx;
    unsigned char *bytes;
    size_t nbytes;
    kldve_onnx *net;
    kldve_explainer *ex;
} opened;

static void begin(opened *o, const char *dims, const char *text)
{
    char whole[800];

    *o = (opened){.ctx = NULL};
    o->ctx = test_ctx(&o->heap);
    snprintf(whole, sizeof whole, NETWORK, dims, text);
    o->bytes = writer_memory(write_text, whole, &o->nbytes);
}

static kldve_status load(opened *o, uint64_t flags)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .threads = 1, .flags = flags, .batch = 1};
    kldve_status st = kldve_onnx_load_memory(o->ctx, o->bytes, o->nbytes, &options, &o->net);

    return st < 0 ? st : kldve_explainer_new(o->ctx, kldve_onnx_backend(), o->net, &o->ex);
}

static void unload(opened *o)
{
    kldve_explainer_free(o->ex);
    kldve_onnx_free(o->net);
    o->ex = NULL;
    o->net = NULL;
}

static void end(opened *o)
{
    unload(o);
    free(o->bytes);
    kldve_ctx_free(o->ctx);
    assert_int_equal(o->heap.live, 0);
}

/* The least limit that a network is loaded with is what it costs, within what its shapes say. */
static void test_limit(void **state)
{
    int64_t below = 0, works = INT64_C(1) << 40;
    opened o;

    (void)state;
    begin(&o, "1,3,16,16", "w q 8,8,3,3; n Conv c,q d pads=[1,1,1,1]");
    while (works - below > 1) {
        int64_t middle = below + (works - below) / 2;
        kldve_status st;

        assert_int_equal(kldve_ctx_set_limit(o.ctx, KLDVE_LIMIT_WORK, middle), KLDVE_OK);
        st = load(&o, 0);
        assert_true(st == KLDVE_OK || st == KLDVE_E_LIMIT);
        *(st == KLDVE_OK ? &works : &below) = middle;
        unload(&o);
    }
    assert_true(works > 8 * 8 * 9 * 256 && works < 2 * 8 * 8 * 9 * 256);
    assert_int_equal(kldve_ctx_set_limit(o.ctx, KLDVE_LIMIT_WORK, below), KLDVE_OK);
    assert_int_equal(load(&o, 0), KLDVE_E_LIMIT);
    test_says(o.ctx, "most of them for node 'd' (Conv)");
    test_says(o.ctx, "the limit 'work' is ");
    test_says(o.ctx, "--limit work=N");
    /* Plain kernels count ten times. */
    assert_int_equal(kldve_ctx_set_limit(o.ctx, KLDVE_LIMIT_WORK, 5 * works), KLDVE_OK);
    assert_int_equal(load(&o, KLDVE_ONNX_FLAG_PLAIN), KLDVE_E_LIMIT);
    assert_int_equal(kldve_ctx_set_limit(o.ctx, KLDVE_LIMIT_WORK, 10 * works), KLDVE_OK);
    assert_int_equal(load(&o, KLDVE_ONNX_FLAG_PLAIN), KLDVE_OK);
    end(&o);
}

static const struct bomb {
    const char *name, *dims, *text;
} bombs[] = {
    {"products of constants", "1,3,8,8",
     "i s 4000,4000; n ConstantOfShape s k0; n MatMul k0,k0 k1; n MatMul k1,k0 k2; n ReduceMax k2 "
     "m "
     "keepdims=0; n Add c,m d"},
    {"Gemm", "1,3,8,8",
     "i s 5000,5000; n ConstantOfShape s k0; n Gemm k0,k0 k1; n ReduceMax k1 m keepdims=0; n Add "
     "c,m d"},
    {"Einsum", "1,3,8,8",
     "i s 5000,5000; n ConstantOfShape s k0; n Einsum k0,k0 k1 equation='ij,jk->ik'; n ReduceMax "
     "k1 "
     "m keepdims=0; n Add c,m d"},
    {"a kernel of a million taps", "1,3,8,8",
     "i s 1,1,1000,1000; i t 1,1,1001,1001; n ConstantOfShape s k0; n ConstantOfShape t q; n Conv "
     "k0,q b pads=[500,500,500,500]; n ReduceMax b m keepdims=0; n Add c,m d"},
    {"the same of a transposed one", "1,3,8,8",
     "i s 1,1,1000,1000; i t 1,1,1001,1001; n ConstantOfShape s k0; n ConstantOfShape t q; n "
     "ConvTranspose k0,q b; n ReduceMax b m keepdims=0; n Add c,m d"},
    {"windows of a million elements", "1,3,1200,1200", "n LpPool c d kernel_shape=[900,900] p=3"},
    {"a large product of what the picture gives", "1,3,100,100",
     "i s 8,10000,1; i t 8,1,10000; n Reshape c,s a; n Reshape c,t b; n MatMul a,b p; n MatMul p,a "
     "q; "
     "i u 1,8,100,100; n Reshape q,u d"},
};

/* What the limit refuses by itself. */
static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        opened o;

        begin(&o, bombs[i].dims, bombs[i].text);
        if (load(&o, 0) != KLDVE_E_LIMIT)
            fail_msg("%s: %s", bombs[i].name, kldve_ctx_message(o.ctx));
        test_says(o.ctx, "the limit 'work' is ");
        end(&o);
    }
}

/* With the limit out of the way a deadline of 200 ms ends them within a second: of processor time,
 * since other programs may run. */
static void test_deadlines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        const kldve_options why = {.struct_size = sizeof why, .method = "gradient-x-input"};
        size_t side = i == 5 ? 1200 : i == 6 ? 100 : 8;
        float *input = calloc(3 * side * side, sizeof *input);
        kldve_heatmap *map = NULL;
        clock_t start = clock();
        kldve_status st;
        opened o;

        assert_non_null(input);
        begin(&o, bombs[i].dims, bombs[i].text);
        assert_int_equal(kldve_ctx_set_limit(o.ctx, KLDVE_LIMIT_WORK, INT64_MAX), KLDVE_OK);
        assert_int_equal(kldve_ctx_set_deadline(o.ctx, 200), KLDVE_OK);
        st = load(&o, KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_VJP_INPUT);
        if (st == KLDVE_OK)
            st = kldve_explain_input(o.ex, input, &why, &map);
        if (st != KLDVE_E_DEADLINE && st != KLDVE_E_LIMIT)
            fail_msg("%s: %s %s", bombs[i].name, kldve_status_name(st), kldve_ctx_message(o.ctx));
        if ((double)(clock() - start) / CLOCKS_PER_SEC > 1.5)
            fail_msg("%s: ended %.1f s late", bombs[i].name,
                     (double)(clock() - start) / CLOCKS_PER_SEC);
        assert_null(map);
        end(&o);
        free(input);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_deadlines),
    };

    return cmocka_run_group_tests_name("effort", tests, NULL, NULL);
}
