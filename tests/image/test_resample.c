/* test_resample.c - resizing: sizes out of range, what it keeps, every allocation failed once. */
#include "pictures.h"

#include "image/resample.h"

#include <string.h>

static void test_sizes_out_of_range(void **state)
{
    static const int32_t sizes[][2] = {{0, 1},         {1, 0},         {-1, 5},
                                       {5, -1},        {65536, 1},     {1, 65536},
                                       {INT32_MAX, 1}, {1, INT32_MIN}, {65536, 65536}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 4, 4), *out = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(kldve_image_resize(ctx, image, sizes[i][0], sizes[i][1], &out),
                         KLDVE_E_ARG);
    assert_int_equal(kldve_image_resize(ctx, NULL, 1, 1, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_resize_by(ctx, image, -1, 1, 1, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_resize_by(ctx, image, 7, 1, 1, &out), KLDVE_E_ARG);
    assert_null(kldve_interpolation_name(7));
    assert_null(out);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_resize_keeps_what_it_should(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 31, 17), *same, *flat, *out;

    (void)state;
    assert_int_equal(kldve_image_resize(ctx, image, 31, 17, &same), KLDVE_OK);
    assert_memory_equal(same->pixels, image->pixels, 3 * 31 * 17);
    assert_int_equal(kldve_image_new(ctx, 300, 200, &flat), KLDVE_OK);
    memset(flat->pixels, 255, 3 * 300 * 200);
    assert_int_equal(kldve_image_resize(ctx, flat, 7, 411, &out), KLDVE_OK);
    for (int i = 0; i < 3 * 7 * 411; i++)
        assert_int_equal(out->pixels[i], 255);
    kldve_image_free(image);
    kldve_image_free(same);
    kldve_image_free(flat);
    kldve_image_free(out);
    done(ctx, &heap);
}

/* A window of a resized picture is what cutting it out of the whole gives. */
static void test_windows(void **state)
{
    static const kldve_resized windows[] = {
        {40, 50, 0, 0, 40, 50}, {40, 50, 7, 3, 11, 20},       {40, 50, 39, 49, 1, 1},
        {5, 9, 1, 2, 3, 4},     {3000, 200, 1490, 0, 8, 200}, {65535, 17, 65000, 3, 535, 9}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 31, 17);

    (void)state;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (int32_t how = 0; kldve_interpolation_name(how); how++) {
            const kldve_resized *w = &windows[i];
            kldve_image *whole = NULL, *cut = NULL, *window = NULL;
            size_t bytes = 3 * (size_t)w->window_width * (size_t)w->window_height;

            assert_int_equal(kldve_image_resize_by(ctx, image, how, w->width, w->height, &whole),
                             KLDVE_OK);
            assert_int_equal(
                kldve_image_crop(ctx, whole, w->x, w->y, w->window_width, w->window_height, &cut),
                KLDVE_OK);
            assert_int_equal(kldve_image_resize_window(ctx, image, how, w, &window), KLDVE_OK);
            assert_memory_equal(window->pixels, cut->pixels, bytes);
            kldve_image_free(whole);
            kldve_image_free(cut);
            kldve_image_free(window);
        }
    kldve_image_free(image);
    done(ctx, &heap);
}

static kldve_status call_resize(void *opaque)
{
    struct call *c = opaque;

    return kldve_image_resize(c->ctx, c->image, 40, 50, &c->out);
}

static void test_every_allocation_fails_once(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct call c = {ctx, make(ctx, 200, 190), NULL};

    (void)state;
    check_out(&c, 7, fail_each(ctx, &heap, call_resize, &c));
    kldve_image_free(c.image);
    done(ctx, &heap);
}

TEST_MAIN(resample)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_out_of_range),
        cmocka_unit_test(test_resize_keeps_what_it_should),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_every_allocation_fails_once),
    };

    return cmocka_run_group_tests_name("resample", tests, NULL, NULL);
}
