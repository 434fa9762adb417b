/* test_coalitions.c - too many superpixels. */
#include "../repeats.h"

static void test_too_many(void **state)
{
    enum { SIDE = 10 };
    const tiny_config wide = {1, SIDE, SIDE, 2, 3, 7, false};
    float input[SIDE * SIDE * TINY_PATCH * TINY_PATCH] = {0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    kldve_options o = {.struct_size = sizeof o, .method = "lime", .window = 1};

    (void)state;
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &wide, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx),
                        "lime: more than 1024 superpixels; choose a larger window");
    assert_null(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

TEST_MAIN(coalitions)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests_name("coalitions", tests, NULL, NULL);
}
