/* test_image.c - the picture object: make, copy, cut; every allocation failed once. */
#include "pictures.h"

#include <string.h>

static void test_new_is_black(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image;

    (void)state;
    assert_int_equal(kldve_image_new(ctx, 5, 3, &image), KLDVE_OK);
    assert_int_equal(kldve_image_width(image), 5);
    assert_int_equal(kldve_image_height(image), 3);
    for (int i = 0; i < 45; i++)
        assert_int_equal(kldve_image_pixels(image)[i], 0);
    assert_ptr_equal(kldve_image_edit(image), kldve_image_pixels(image));
    kldve_image_free(image);
    kldve_image_free(NULL);
    done(ctx, &heap);
}

static void test_sizes_out_of_range(void **state)
{
    static const int32_t sizes[][2] = {{0, 1},         {1, 0},         {-1, 5},
                                       {5, -1},        {65536, 1},     {1, 65536},
                                       {INT32_MAX, 1}, {1, INT32_MIN}, {65536, 65536}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *out = NULL;
    uint8_t pixel[3] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int32_t w = sizes[i][0], h = sizes[i][1];

        assert_int_equal(kldve_image_new(ctx, w, h, &out), KLDVE_E_ARG);
        assert_non_null(strstr(kldve_ctx_message(ctx), "both sides must be 1 to 65535"));
        assert_int_equal(kldve_image_from_rgb(ctx, pixel, w, h, SIZE_MAX, &out), KLDVE_E_ARG);
    }
    assert_null(out);
    done(ctx, &heap);
}

static void test_missing_arguments(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 2, 2), *out = NULL;

    (void)state;
    assert_int_equal(kldve_image_new(NULL, 1, 1, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_new(ctx, 1, 1, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_from_rgb(ctx, NULL, 1, 1, 3, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_from_rgb(ctx, image->pixels, 2, 2, 5, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_crop(ctx, NULL, 0, 0, 1, 1, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_crop(ctx, image, 0, 0, 1, 1, NULL), KLDVE_E_ARG);
    assert_null(out);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_from_rgb_honours_the_stride(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image;
    uint8_t rgb[2 * 11];

    (void)state;
    for (int i = 0; i < 22; i++)
        rgb[i] = (uint8_t)i;
    /* the last row ends with its pixels: 2 * 11 - 2 bytes are all that may be read */
    assert_int_equal(kldve_image_from_rgb(ctx, rgb, 3, 2, 11, &image), KLDVE_OK);
    assert_memory_equal(kldve_image_pixels(image), rgb, 9);
    assert_memory_equal(kldve_image_pixels(image) + 9, rgb + 11, 9);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_crop(void **state)
{
    static const int32_t bad[][4] = {{-1, 0, 1, 1},
                                     {0, -1, 1, 1},
                                     {0, 0, 8, 1},
                                     {0, 0, 1, 6},
                                     {7, 0, 1, 1},
                                     {0, 5, 1, 1},
                                     {0, 0, 0, 1},
                                     {0, 0, 1, 0},
                                     {6, 4, 2, 1},
                                     {0, 0, -1, 1},
                                     {1, 1, INT32_MAX, INT32_MAX},
                                     {INT32_MAX, INT32_MAX, 1, 1}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 7, 5), *out = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            kldve_image_crop(ctx, image, bad[i][0], bad[i][1], bad[i][2], bad[i][3], &out),
            KLDVE_E_ARG);
        assert_non_null(strstr(kldve_ctx_message(ctx), "out of 7 x 5"));
        assert_null(out);
    }
    assert_int_equal(kldve_image_crop(ctx, image, 2, 1, 5, 3, &out), KLDVE_OK);
    for (int y = 0; y < 3; y++)
        for (int i = 0; i < 15; i++)
            assert_int_equal(out->pixels[15 * y + i], image->pixels[21 * (y + 1) + 6 + i]);
    kldve_image_free(out);
    kldve_image_free(image);
    done(ctx, &heap);
}

static kldve_status call_crop(void *opaque)
{
    struct call *c = opaque;

    return kldve_image_crop(c->ctx, c->image, 1, 1, 4, 5, &c->out);
}

static kldve_status call_new(void *opaque)
{
    struct call *c = opaque;

    return kldve_image_new(c->ctx, 8, 8, &c->out);
}

static void test_every_allocation_fails_once(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct call c = {ctx, make(ctx, 200, 190), NULL};

    (void)state;
    check_out(&c, 1, fail_each(ctx, &heap, call_new, &c));
    check_out(&c, 1, fail_each(ctx, &heap, call_crop, &c));
    kldve_image_free(c.image);
    done(ctx, &heap);
}

TEST_MAIN(image)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_black),
        cmocka_unit_test(test_sizes_out_of_range),
        cmocka_unit_test(test_missing_arguments),
        cmocka_unit_test(test_from_rgb_honours_the_stride),
        cmocka_unit_test(test_crop),
        cmocka_unit_test(test_every_allocation_fails_once),
    };

    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
