/* test_nearest.c - what somebody may have meant: known mistakes, and properties of the distance. */
#include "../support.h"

#include <string.h>

#include "cli/getters.h"
#include "cli/nearest.h"

/* The nearest method to a name; "" where none is near. */
static const char *method_like(const char *wanted, nearest *near)
{
    nearest_begin(near, wanted, strlen(wanted));
    for (int32_t i = 0; method_number(i); i++)
        nearest_offer(near, method_number(i)->name);
    return nearest_best(near) ? nearest_best(near) : "";
}

static void methods(void **state)
{
    static const char *const cases[][2] = {
        {"gradcam", "grad-cam"},
        {"Grad-CAM", "grad-cam"},
        {"GRAD_CAM", "grad-cam"},
        {"gradcam++", "grad-cam++"},
        {"gradcampp", "grad-cam++"},
        {"GradCAMPlusPlus", "grad-cam++"},
        {"kldve", "kl-dve"},
        {"kl dve", "kl-dve"},
        {"kd-lve", "kl-dve"},
        {"salience", "saliency"},
        {"oclusion", "occlusion"},
        {"layercam", "layer-cam"},
        {"smoothgrad", "smooth-grad"},
        {"integrated_gradients", "integrated-gradients"},
        {"photograph", ""},
        {"", ""},
        {"x", ""},
    };
    nearest near;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(method_like(cases[i][0], &near), cases[i][1]);
    for (int32_t i = 0; method_number(i); i++) { /* each is its own nearest, at 0 */
        assert_string_equal(method_like(method_number(i)->name, &near), method_number(i)->name);
        assert_int_equal(near.found[0].far, 0);
    }
}

/* How far `name` is from `wanted`; -1: not near. */
static int32_t far_of(const char *wanted, const char *name)
{
    nearest near;

    nearest_begin(&near, wanted, strlen(wanted));
    nearest_offer(&near, name);
    return near.count > 0 ? near.found[0].far : -1;
}

static void distances(void **state)
{
    (void)state;
    assert_int_equal(far_of("abcdefghi", "abcdefghi"), 0);
    assert_int_equal(far_of("abcdefghi", "abcdfghi"), 1);   /* deleted */
    assert_int_equal(far_of("abcdefghi", "abcdxefghi"), 1); /* inserted */
    assert_int_equal(far_of("abcdefghi", "abcdxfghi"), 1);  /* replaced */
    assert_int_equal(far_of("abcdefghi", "abdcefghi"), 1);  /* swapped */
    assert_int_equal(far_of("abcdefghi", "bacdefgih"), 2);
    assert_int_equal(far_of("abcdefghi", "ihgfedcba"), -1);
    for (int32_t i = 0; i < 200; i++) { /* the same from either side, where both are as long */
        char a[10] = "layer4.1a", b[10] = "layer4.1a";

        a[i % 9] = (char)('a' + i % 7);
        b[i * 5 % 9] = (char)('a' + i % 5);
        b[i * 7 % 9] = (char)('a' + i % 3);
        assert_int_equal(far_of(a, b), far_of(b, a));
    }
}

static void parts_of_names(void **state)
{
    nearest near;
    char hint[NEAREST_HINT];

    (void)state;
    assert_true(far_of("layer4", "/backbone/layer4/layer4.2/Relu_output_0") > 0);
    assert_true(far_of("tabby", "n02123045 tabby, tabby cat") > 0);
    nearest_begin(&near, "conv", 4);
    nearest_offer(&near, "convolution of many parts");
    nearest_offer(&near, "conv1");
    nearest_offer(&near, "relu");
    nearest_offer(&near, "conv2");
    assert_string_equal(nearest_hint(&near, "--", hint), "; did you mean '--conv1' or '--conv2'?");
    nearest_begin(&near, "", 0);
    nearest_offer(&near, "conv1");
    assert_string_equal(nearest_hint(&near, "", hint), "");
}

static void hostile_names(void **state)
{
    static char huge[1 << 20];
    nearest near;
    char hint[NEAREST_HINT];

    (void)state;
    memset(huge, 'a', sizeof huge - 1);
    nearest_begin(&near, huge, sizeof huge - 1);
    nearest_offer(&near, huge);
    for (int32_t i = 0; i < 1000; i++)
        nearest_offer(&near, "\xff\x01\x80 \n");
    assert_int_equal(near.count, 1);
    assert_true(strlen(nearest_hint(&near, "", hint)) < NEAREST_HINT);
    nearest_begin(&near, "\xff\xfe\xfd", 3);
    nearest_offer(&near, "\xff\xfe\xfd\n");
    assert_string_equal(nearest_hint(&near, "", hint),
                        "; did you mean '\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd '?");
}

TEST_MAIN(nearest)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods),
        cmocka_unit_test(distances),
        cmocka_unit_test(parts_of_names),
        cmocka_unit_test(hostile_names),
    };

    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
