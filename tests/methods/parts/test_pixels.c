/* test_pixels.c - one number for each pixel: which signs the methods show by default. */
#include "../bench.h"
#include "got.h"

#include "methods/methods.h"

/* What each shows by default, and that there would be signs to show. */
static void test_signs(void **state)
{
    const struct {
        const kldve_method *method;
        int32_t sign;
    } same[] = {
        {&kldve_method_gradient_x_input, KLDVE_SIGN_SIGNED},
        {&kldve_method_integrated_gradients, KLDVE_SIGN_POSITIVE},
        {&kldve_method_saliency, KLDVE_SIGN_ABSOLUTE},
        {&kldve_method_smooth_grad, KLDVE_SIGN_ABSOLUTE},
        {&kldve_method_guided_backprop, KLDVE_SIGN_ABSOLUTE},
        {&kldve_method_guided_grad_cam, KLDVE_SIGN_ABSOLUTE},
    };
    struct bench b;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_saliency);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        kldve_options o = {.struct_size = sizeof o,
                           .method = same[i].method->name,
                           .target_kind = KLDVE_TARGET_INDEX,
                           .target = 5};
        kldve_heatmap *by_default = NULL, *asked = NULL, *with_sign = NULL;
        const float *v;
        int negative = 0;

        assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &by_default), KLDVE_OK);
        o.sign = same[i].sign;
        assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &asked), KLDVE_OK);
        o.sign = KLDVE_SIGN_SIGNED;
        assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &with_sign), KLDVE_OK);
        assert_memory_equal(got_values(by_default), got_values(asked), PIXELS * sizeof(float));
        v = got_values(with_sign);
        for (int p = 0; p < PIXELS; p++)
            negative += v[p] < 0.5f;
        if (negative == 0 || negative == PIXELS)
            fail_msg("%s: %d of %d values are negative", o.method, negative, PIXELS);
        kldve_heatmap_free(by_default);
        kldve_heatmap_free(asked);
        kldve_heatmap_free(with_sign);
    }
    close_bench(&b);
}

TEST_MAIN(pixels)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs),
    };

    return cmocka_run_group_tests_name("pixels", tests, NULL, NULL);
}
