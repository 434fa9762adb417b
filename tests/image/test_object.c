/* test_object.c - the picture object: make, cut, resize, limits; every allocation failed once. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "image/codec.h"

static void fill(kldve_image *image)
{
    uint64_t seed = 5;

    for (int32_t i = 0; i < 3 * image->width * image->height; i++)
        kldve_image_edit(image)[i] = (uint8_t)(256 * test_random(&seed));
}

static kldve_image *make(kldve_ctx *ctx, int32_t width, int32_t height)
{
    kldve_image *image;

    assert_int_equal(kldve_image_new(ctx, width, height, &image), KLDVE_OK);
    fill(image);
    return image;
}

static void done(kldve_ctx *ctx, test_heap *heap)
{
    kldve_ctx_free(ctx);
    assert_int_equal(heap->live, 0);
}

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
    kldve_image *image = make(ctx, 4, 4), *out = NULL;
    uint8_t pixel[3] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int32_t w = sizes[i][0], h = sizes[i][1];

        assert_int_equal(kldve_image_new(ctx, w, h, &out), KLDVE_E_ARG);
        assert_non_null(strstr(kldve_ctx_message(ctx), "both sides must be 1 to 65535"));
        assert_int_equal(kldve_image_from_rgb(ctx, pixel, w, h, SIZE_MAX, &out), KLDVE_E_ARG);
        assert_int_equal(kldve_image_resize(image, w, h, &out), KLDVE_E_ARG);
    }
    assert_null(out);
    kldve_image_free(image);
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
    assert_int_equal(kldve_image_load(ctx, NULL, NULL, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_load(ctx, "x.png", NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_decode(ctx, NULL, 1, NULL, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_resize(NULL, 1, 1, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_crop(NULL, 0, 0, 1, 1, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_crop(image, 0, 0, 1, 1, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_save(NULL, "x.png", 0), KLDVE_E_ARG);
    assert_int_equal(kldve_image_save(image, NULL, 0), KLDVE_E_ARG);
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
        assert_int_equal(kldve_image_crop(image, bad[i][0], bad[i][1], bad[i][2], bad[i][3], &out),
                         KLDVE_E_ARG);
        assert_non_null(strstr(kldve_ctx_message(ctx), "out of 7 x 5"));
        assert_null(out);
    }
    assert_int_equal(kldve_image_crop(image, 2, 1, 5, 3, &out), KLDVE_OK);
    for (int y = 0; y < 3; y++)
        for (int i = 0; i < 15; i++)
            assert_int_equal(out->pixels[15 * y + i], image->pixels[21 * (y + 1) + 6 + i]);
    kldve_image_free(out);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_resize_keeps_what_it_should(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 31, 17), *same, *flat, *out;

    (void)state;
    assert_int_equal(kldve_image_resize(image, 31, 17, &same), KLDVE_OK);
    assert_memory_equal(same->pixels, image->pixels, 3 * 31 * 17);
    assert_int_equal(kldve_image_new(ctx, 300, 200, &flat), KLDVE_OK);
    memset(flat->pixels, 255, 3 * 300 * 200);
    assert_int_equal(kldve_image_resize(flat, 7, 411, &out), KLDVE_OK);
    for (int i = 0; i < 3 * 7 * 411; i++)
        assert_int_equal(out->pixels[i], 255);
    kldve_image_free(image);
    kldve_image_free(same);
    kldve_image_free(flat);
    kldve_image_free(out);
    done(ctx, &heap);
}

#if defined KLDVE_HAVE_PNG || defined KLDVE_HAVE_JPEG

static const struct codec {
    const char *name;
    kldve_status (*encode)(const kldve_image *image, int32_t quality, kldve_buffer *out);
} codecs[] = {
#ifdef KLDVE_HAVE_PNG
    {"PNG", kldve_png_encode},
#endif
#ifdef KLDVE_HAVE_JPEG
    {"JPEG", kldve_jpeg_encode},
#endif
};

enum { CODECS = sizeof codecs / sizeof *codecs };

static void test_limits(void **state)
{
    struct newer {
        kldve_image_limits limits;
        int64_t more;
    } newer = {{sizeof newer, 0, 0}, 0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 30, 20), *out = NULL;

    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        kldve_buffer file = {ctx, NULL, 0, 0};
        kldve_image_limits limits = {sizeof limits, 599, 0};

        assert_int_equal(codecs[i].encode(image, 90, &file), KLDVE_OK);
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &limits, &out),
                         KLDVE_E_LIMIT);
        assert_non_null(strstr(kldve_ctx_message(ctx), "30 x 20 pixels"));
        limits.pixels = 600;
        limits.bytes = (int64_t)file.length - 1;
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &limits, &out),
                         KLDVE_E_LIMIT);
        limits.bytes++;
        limits.struct_size = 0;
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &limits, &out),
                         KLDVE_E_ARG);
        limits.struct_size = sizeof limits;
        limits.pixels = -1;
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &limits, &out),
                         KLDVE_E_ARG);
        newer.more = 1;
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &newer.limits, &out),
                         KLDVE_E_UNSUPPORTED);
        assert_null(out);
        newer.more = 0;
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &newer.limits, &out),
                         KLDVE_OK);
        kldve_image_free(out);
        limits.pixels = 600;
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &limits, &out), KLDVE_OK);
        kldve_image_free(out);
        out = NULL;
        kldve_buffer_free(&file);
    }
    kldve_image_free(image);
    done(ctx, &heap);
}

/* Allow 0, 1, 2, ... allocations until the call succeeds; returns how many it took. */
static long fail_each(kldve_ctx *ctx, test_heap *heap, kldve_status (*call)(void *), void *opaque)
{
    long live = heap->live;

    for (long budget = 0;; budget++) {
        kldve_status status;

        heap->budget = budget;
        status = call(opaque);
        heap->budget = -1;
        if (status == KLDVE_OK)
            return budget;
        assert_int_equal(status, KLDVE_E_NOMEM);
        assert_non_null(strstr(kldve_ctx_message(ctx), "out of memory"));
        assert_int_equal(heap->live, live);
        assert_true(budget < 1000);
    }
}

struct call {
    kldve_ctx *ctx;
    kldve_image *image, *out;
    kldve_buffer file;
    const struct codec *codec;
};

static kldve_status call_encode(void *opaque)
{
    struct call *c = opaque;
    kldve_status status = c->codec->encode(c->image, 90, &c->file);

    if (status != KLDVE_OK)
        kldve_buffer_free(&c->file);
    return status;
}

static kldve_status call_decode(void *opaque)
{
    struct call *c = opaque;

    return kldve_image_decode(c->ctx, c->file.bytes, c->file.length, NULL, &c->out);
}

static kldve_status call_resize(void *opaque)
{
    struct call *c = opaque;

    return kldve_image_resize(c->image, 40, 50, &c->out);
}

static kldve_status call_crop(void *opaque)
{
    struct call *c = opaque;

    return kldve_image_crop(c->image, 1, 1, 4, 5, &c->out);
}

static kldve_status call_new(void *opaque)
{
    struct call *c = opaque;

    return kldve_image_new(c->ctx, 8, 8, &c->out);
}

static void check_out(struct call *c, long least, long took)
{
    assert_true(took >= least);
    assert_non_null(c->out);
    kldve_image_free(c->out);
    c->out = NULL;
}

static void test_every_allocation_fails_once(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct call c = {ctx, make(ctx, 200, 190), NULL, {ctx, NULL, 0, 0}, NULL};

    (void)state;
    check_out(&c, 1, fail_each(ctx, &heap, call_new, &c));
    check_out(&c, 1, fail_each(ctx, &heap, call_crop, &c));
    check_out(&c, 7, fail_each(ctx, &heap, call_resize, &c));
    for (size_t i = 0; i < CODECS; i++) {
        c.codec = &codecs[i];
        /* noise: more than one piece of output, so that the buffer grows as well */
        assert_true(fail_each(ctx, &heap, call_encode, &c) >= 2);
        check_out(&c, 1, fail_each(ctx, &heap, call_decode, &c));
        kldve_buffer_free(&c.file);
    }
    kldve_image_free(c.image);
    done(ctx, &heap);
}

#else

static void test_limits(void **state)
{
    (void)state;
    skip();
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_black),
        cmocka_unit_test(test_sizes_out_of_range),
        cmocka_unit_test(test_missing_arguments),
        cmocka_unit_test(test_from_rgb_honours_the_stride),
        cmocka_unit_test(test_crop),
        cmocka_unit_test(test_resize_keeps_what_it_should),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_allocation_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
