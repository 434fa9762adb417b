/* test_explainer.c - the specification of the network's input: what is refused, and what holds
 * without one. */
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/kldve.h>

#include "backends/picture.h"

static const tiny_config colour = {3, 8, 8, 4, 3, 17, true};
static const tiny_config grey = {1, 8, 8, 4, 3, 17, true};
static const tiny_config five = {5, 8, 8, 4, 3, 17, true};

#define SIZED .struct_size = sizeof(kldve_input_spec)

static const struct refusal {
    const char *name;
    const tiny_config *net;
    kldve_input_spec spec;
    const char *message;
} refusals[] = {
    {"size not set",
     &colour,
     {.struct_size = 4},
     "kldve_input_spec: struct_size is 4; set it to sizeof(kldve_input_spec)"},
    {"no such channel order", &colour, {SIZED, .channels = 6}, "input: unknown channel order 6"},
    {"grey for a colour network",
     &colour,
     {SIZED, .channels = KLDVE_CHANNELS_GRAY},
     "input: grey for a network whose input has 3 channels"},
    {"colour for a grey network",
     &grey,
     {SIZED, .channels = KLDVE_CHANNELS_BGR},
     "input: three colours for a network whose input has 1 channels"},
    {"negative resize",
     &colour,
     {SIZED, .resize_shorter_side = -1},
     "input: resize_shorter_side is -1, it must be 0 to 65535"},
    {"crop outside of the resized picture",
     &colour,
     {SIZED, .resize_shorter_side = 40, .center_crop = 41},
     "input: center_crop is 41, it must be 0 to 40, the shorter side"},
    {"negative crop",
     &colour,
     {SIZED, .center_crop = -5},
     "input: center_crop is -5, it must be 0 to 32, the shorter side"},
    {"deviation that is no number",
     &colour,
     {SIZED, .std = {1, NAN, 1}},
     "input: scale, mean and std must be finite"},
    {"infinite scale",
     &colour,
     {SIZED, .scale = INFINITY},
     "input: scale, mean and std must be finite"},
};

static void check_refusal(void **state)
{
    const struct refusal *r = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, r->net);

    assert_int_equal(kldve_explainer_set_input(ex, &r->spec), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), r->message);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_without_specification(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &grey);
    kldve_image *picture = picture_noise(ctx, 70, 90);
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK); /* grey by itself */
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    map = NULL;
    ex = picture_explainer(ctx, &five);
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx),
                        "the network's input has 5 channels, a picture has 1 to 4: give an array "
                        "(.npy, kldve_explain_input())");
    assert_null(map);
    kldve_explainer_free(ex);
    kldve_image_free(picture);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_specification),
    };
    int failed = TEST_RUN_CASES("specifications that are refused", refusals, check_refusal);

    return failed + cmocka_run_group_tests_name("explainer", tests, NULL, NULL);
}
