/* test_load.c - loading a network while memory runs out. */
#include "support.h"

#include <kldve/onnx.h>

/* Loading and opening with every allocation failing once. */
static void test_allocations(void **state)
{
    const char *path = test_path("%s/assets/models/mnist_cnn.onnx", test_shared_or_skip());
    const kldve_backend *b = kldve_onnx_backend();
    bool done = false;

    (void)state;
    for (long budget = 0; !done; budget++) {
        kldve_onnx_options o = {.struct_size = sizeof o, .flags = KLDVE_ONNX_VJP_INPUT};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
