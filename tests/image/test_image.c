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
    kldve_pixels pixels;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int32_t w = sizes[i][0], h = sizes[i][1];

        assert_int_equal(kldve_image_new(ctx, w, h, &out), KLDVE_E_ARG);
        assert_non_null(strstr(kldve_ctx_message(ctx), "both sides must be 1 to 65535"));
        pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, w, h, pixel, PTRDIFF_MAX);
        assert_int_equal(kldve_image_from_pixels(ctx, &pixels, &out), KLDVE_E_ARG);
        assert_int_equal(kldve_image_borrow(ctx, &pixels, NULL, NULL, &out), KLDVE_E_ARG);
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
    assert_int_equal(kldve_image_from_pixels(ctx, NULL, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_from_pixels(NULL, &image->layout, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_from_pixels(ctx, &image->layout, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_borrow(ctx, &image->layout, NULL, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_read(ctx, NULL, 0, &image->layout), KLDVE_E_ARG);
    assert_int_equal(kldve_image_read(ctx, image, 0, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_read(ctx, image, 1, &image->layout), KLDVE_E_ARG);
    assert_int_equal(kldve_image_layout(NULL, &image->layout), KLDVE_E_ARG);
    assert_int_equal(kldve_image_layout(image, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_has_alpha(NULL), 0);
    assert_int_equal(kldve_image_orientation(NULL), 0);
    assert_int_equal(kldve_image_orientation(image), 1);
    assert_null(kldve_image_pixels(NULL));
    assert_null(kldve_image_edit(NULL));
    assert_int_equal(kldve_image_width(NULL) + kldve_image_height(NULL), 0);
    assert_int_equal(kldve_image_crop(ctx, NULL, 0, 0, 1, 1, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_crop(ctx, image, 0, 0, 1, 1, NULL), KLDVE_E_ARG);
    assert_null(out);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void count_release(void *opaque)
{
    ++*(int *)opaque;
}

/* Read in place, told once when it is over, and not at all after a failure. */
static void test_borrow(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t bgr[2 * 11] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 11, 12, 13};
    kldve_pixels p = kldve_pixels_of(KLDVE_PIXEL_BGR, 3, 2, bgr, 11), seen = {.struct_size = 0};
    kldve_image *image = NULL, *copied = NULL;
    int released = 0;

    (void)state;
    heap.budget = 0;
    assert_int_equal(kldve_image_borrow(ctx, &p, count_release, &released, &image), KLDVE_E_NOMEM);
    heap.budget = -1;
    p.format = 1000;
    assert_int_equal(kldve_image_borrow(ctx, &p, count_release, &released, &image), KLDVE_E_ARG);
    assert_null(image);
    assert_int_equal(released, 0);
    p.format = KLDVE_PIXEL_BGR;
    assert_int_equal(kldve_image_borrow(ctx, &p, count_release, &released, &image), KLDVE_OK);
    assert_null(kldve_image_pixels(image)); /* not R, G, B */
    assert_null(kldve_image_edit(image));
    assert_int_equal(kldve_image_layout(image, &seen), KLDVE_E_ARG);
    seen.struct_size = sizeof seen;
    assert_int_equal(kldve_image_layout(image, &seen), KLDVE_OK);
    assert_ptr_equal(seen.plane[0], bgr);
    assert_int_equal(seen.stride[0], 11);
    bgr[13] = 99; /* the picture has no copy */
    assert_int_equal(kldve_image_crop(ctx, image, 0, 1, 1, 1, &copied), KLDVE_OK);
    assert_int_equal(kldve_image_pixels(copied)[0], 99);
    assert_int_equal(kldve_image_pixels(copied)[2], 11);
    kldve_image_free(copied);
    assert_int_equal(released, 0);
    kldve_image_free(image);
    assert_int_equal(released, 1);
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
        cmocka_unit_test(test_borrow),
        cmocka_unit_test(test_crop),
        cmocka_unit_test(test_every_allocation_fails_once),
    };

    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
