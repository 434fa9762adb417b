/* test_format.c - reading and writing pictures of any format: limits, missing arguments, every
 * allocation failed once. */
#include "pictures.h"

#include <string.h>

static void test_missing_arguments(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 2, 2), *out = NULL;

    (void)state;
    assert_int_equal(kldve_image_load(ctx, NULL, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_load(ctx, "x.png", NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_decode(ctx, NULL, 1, &out), KLDVE_E_ARG);
    assert_int_equal(kldve_image_save(ctx, NULL, "x.png", 0), KLDVE_E_ARG);
    assert_int_equal(kldve_image_save(ctx, image, NULL, 0), KLDVE_E_ARG);
    assert_null(out);
    kldve_image_free(image);
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

static void limit(kldve_ctx *ctx, int32_t which, size_t value)
{
    assert_int_equal(kldve_ctx_set_limit(ctx, which, (int64_t)value), KLDVE_OK);
}

static void test_limits(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = make(ctx, 30, 20), *out = NULL;

    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        kldve_buffer file = {ctx, NULL, 0, 0};

        assert_int_equal(codecs[i].encode(image, 90, &file), KLDVE_OK);
        limit(ctx, KLDVE_LIMIT_PICTURE_FILE, 0);
        limit(ctx, KLDVE_LIMIT_PICTURE_PIXELS, 599);
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &out), KLDVE_E_LIMIT);
        test_says(ctx, "30 x 20 pixels: the limit 'picture-pixels' is 599; raise it with");
        limit(ctx, KLDVE_LIMIT_PICTURE_PIXELS, 600);
        limit(ctx, KLDVE_LIMIT_PICTURE_FILE, file.length - 1);
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &out), KLDVE_E_LIMIT);
        test_says(ctx, "the limit 'picture-file' is ");
        assert_null(out);
        limit(ctx, KLDVE_LIMIT_PICTURE_FILE, file.length);
        assert_int_equal(kldve_image_decode(ctx, file.bytes, file.length, &out), KLDVE_OK);
        kldve_image_free(out);
        out = NULL;
        kldve_buffer_free(&file);
    }
    kldve_image_free(image);
    done(ctx, &heap);
}

struct coding {
    struct call call;
    kldve_buffer file;
    const struct codec *codec;
};

static kldve_status call_encode(void *opaque)
{
    struct coding *c = opaque;
    kldve_status status = c->codec->encode(c->call.image, 90, &c->file);

    if (status != KLDVE_OK)
        kldve_buffer_free(&c->file);
    return status;
}

static kldve_status call_decode(void *opaque)
{
    struct coding *c = opaque;

    return kldve_image_decode(c->call.ctx, c->file.bytes, c->file.length, &c->call.out);
}

static void test_every_allocation_fails_once(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct coding c = {{ctx, make(ctx, 200, 190), NULL}, {ctx, NULL, 0, 0}, NULL};

    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        c.codec = &codecs[i];
        /* noise: more than one piece of output, so that the buffer grows as well */
        assert_true(fail_each(ctx, &heap, call_encode, &c) >= 2);
        check_out(&c.call, 1, fail_each(ctx, &heap, call_decode, &c));
        kldve_buffer_free(&c.file);
    }
    kldve_image_free(c.call.image);
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

TEST_MAIN(format)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_arguments),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_every_allocation_fails_once),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
