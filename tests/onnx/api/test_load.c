/* test_load.c - loading a network: while memory runs out, and with values of inputs that are none.
 */
#include "support.h"

#include <string.h>

#include <kldve/onnx.h>

/* Loading and opening with every allocation failing once. */
static void test_allocations(void **state)
{
    const char *path = test_path("%s/assets/models/mnist_cnn.onnx", test_shared_or_skip());
    const kldve_backend *b = kldve_onnx_backend();
    bool done = false;

    (void)state;
    for (long budget = 0; !done; budget++) {
        kldve_onnx_options o = {.struct_size = sizeof o, .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
        kldve_onnx *net = NULL;
        void *open = NULL;
        kldve_status st;
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);

        heap.budget = budget;
        st = kldve_onnx_load(ctx, path, &o, &net);
        if (st == KLDVE_OK)
            st = b->open(ctx, net, &open);
        else
            assert_null(net);
        done = st == KLDVE_OK;
        if (!done) {
            assert_int_equal(st, KLDVE_E_NOMEM);
            assert_null(open);
            assert_string_not_equal(kldve_ctx_message(ctx), "");
        }
        b->close(open);
        kldve_onnx_free(net);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
        assert_true(budget < 100000);
    }
}

/* What a caller says about inputs is checked before anything of it is read. */
static void test_inputs(void **state)
{
    static const int64_t zero[2] = {1, 0}, negative[2] = {-5, 3};
    static const float data[4];
    static const struct {
        kldve_onnx_input in;
        const char *message;
    } bad[] = {
        {{.struct_size = sizeof bad[0].in, .data = data}, "input 0 has no name"},
        {{.struct_size = sizeof bad[0].in, .name = "m", .rank = 2, .data = data}, "'m' has rank 2"},
        {{.struct_size = sizeof bad[0].in, .name = "m", .rank = 9, .dims = zero, .data = data},
         "'m' has rank 9, it must be 0 to 8"},
        {{.struct_size = sizeof bad[0].in, .name = "m", .rank = -1, .dims = zero, .data = data},
         "'m' has rank -1"},
        {{.struct_size = sizeof bad[0].in, .name = "m", .rank = 2, .dims = zero, .data = data},
         "'m': dimension 1 is 0, it must be at least 1"},
        {{.struct_size = sizeof bad[0].in, .name = "m", .rank = 2, .dims = negative, .data = data},
         "'m': dimension 0 is -5"},
    };
    kldve_onnx_files demo = {.struct_size = sizeof demo};

    (void)state;
    if (kldve_onnx_demo(&demo) != KLDVE_OK)
        skip();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kldve_onnx_options o = {.struct_size = sizeof o, .inputs = &bad[i].in, .input_count = 1};
        kldve_onnx *net = NULL;
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);

        assert_int_equal(kldve_onnx_load_memory(ctx, demo.model, demo.model_nbytes, &o, &net),
                         KLDVE_E_ARG);
        assert_non_null(strstr(kldve_ctx_message(ctx), bad[i].message));
        assert_null(net);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_inputs),
    };

    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
