/* test_save.c - pictures saved to files and loaded from them. */
#include "folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kldve/backend.h>
#include <kldve/image.h>

static void done(kldve_ctx *ctx, const test_heap *heap)
{
    kldve_ctx_free(ctx);
    assert_int_equal(heap->live, 0);
    test_folder_clear();
}

/* A gradient, which JPEG hardly changes. */
static kldve_image *gradient(kldve_ctx *ctx)
{
    kldve_image *image;

    assert_int_equal(kldve_image_new(ctx, 40, 30, &image), KLDVE_OK);
    for (int i = 0; i < 40 * 30; i++)
        for (int c = 0; c < 3; c++)
            kldve_image_edit(image)[3 * i + c] = (uint8_t)(i % 40 * 3 + i / 40 * 4);
    return image;
}

static void save_and_load(const char *name, bool built, int32_t quality, int tolerance)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = gradient(ctx), *back;
    const char *path = test_in_folder(name);

    if (!built) {
        assert_int_equal(kldve_image_save(ctx, image, path, quality), KLDVE_E_UNSUPPORTED);
        test_says(ctx, "this build cannot write");
        test_says(ctx, "build with -D");
        assert_int_equal(test_folder_clear(), 0);
    } else {
        assert_int_equal(kldve_image_save(ctx, image, path, quality), KLDVE_OK);
        assert_int_equal(kldve_image_load(ctx, path, &back), KLDVE_OK);
        assert_int_equal(kldve_image_width(back), 40);
        assert_int_equal(kldve_image_height(back), 30);
        for (int i = 0; i < 3600; i++)
            assert_true(abs(kldve_image_pixels(back)[i] - kldve_image_pixels(image)[i]) <=
                        tolerance);
        kldve_image_free(back);
        assert_int_equal(test_folder_clear(), 1);
    }
    kldve_image_free(image);
    done(ctx, &heap);
}

#ifdef KLDVE_HAVE_PNG
static const bool have_png = true;
#else
static const bool have_png = false;
#endif
#ifdef KLDVE_HAVE_JPEG
static const bool have_jpeg = true;
#else
static const bool have_jpeg = false;
#endif

static void test_save_and_load(void **state)
{
    (void)state;
    save_and_load("a.png", have_png, 0, 0);
    save_and_load("a.PNG", have_png, 1, 0);
    save_and_load("a.jpg", have_jpeg, 0, 3);
    save_and_load("a.b.JPEG", have_jpeg, 100, 2);
    save_and_load("a b.Jpg", have_jpeg, 50, 8);
}

static void test_save_refuses(void **state)
{
    static const struct {
        const char *name;
        int32_t quality;
        kldve_status status;
        const char *message;
    } cases[] = {
        {"a.gif", 0, KLDVE_E_UNSUPPORTED, "a.gif: cannot write this kind of picture"},
        {"a", 0, KLDVE_E_UNSUPPORTED, "end the name in .png or .jpg"},
        {"png", 0, KLDVE_E_UNSUPPORTED, "end the name in .png or .jpg"},
        {"a.png.txt", 0, KLDVE_E_UNSUPPORTED, "end the name in .png or .jpg"},
        {"", 0, KLDVE_E_UNSUPPORTED, "end the name in .png or .jpg"},
        {"a.jpg", -1, KLDVE_E_ARG, "quality -1: give 1 to 100"},
        {"a.jpg", 101, KLDVE_E_ARG, "quality 101: give 1 to 100"},
    };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = gradient(ctx);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            kldve_image_save(ctx, image, test_in_folder(cases[i].name), cases[i].quality),
            cases[i].status);
        test_says(ctx, cases[i].message);
    }
    assert_int_equal(kldve_image_save(ctx, image, ".png", 0), KLDVE_E_UNSUPPORTED);
    assert_int_equal(test_folder_clear(), 0);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_save_where_it_cannot(void **state)
{
    const char *name = have_png ? "full.png" : "full.jpg";
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = gradient(ctx);

    (void)state;
    if (!have_png && !have_jpeg) {
        kldve_image_free(image);
        done(ctx, &heap);
        skip();
    }
    assert_int_equal(symlink("/dev/full", test_in_folder(name)), 0);
    assert_int_equal(kldve_image_save(ctx, image, test_in_folder(name), 0), KLDVE_E_IO);
    test_says(ctx, "No space left on device");
    assert_int_equal(test_folder_clear(), 1);
    assert_int_equal(
        kldve_image_save(ctx, image, test_path("%s/missing/%s", test_folder(), name), 0),
        KLDVE_E_IO);
    test_says(ctx, "No such file or directory");
    assert_int_equal(mkdir(test_in_folder(name), 0777), 0);
    assert_int_equal(kldve_image_save(ctx, image, test_in_folder(name), 0), KLDVE_E_IO);
    test_says(ctx, "is a folder");
    assert_int_equal(test_folder_clear(), 1);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_load_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = NULL;

    (void)state;
    assert_int_equal(kldve_image_load(ctx, test_in_folder("missing.png"), &image), KLDVE_E_IO);
    test_says(ctx, "missing.png: cannot open: No such file");
    assert_int_equal(kldve_image_load(ctx, test_folder(), &image), KLDVE_E_IO);
    test_says(ctx, "is a folder");
    test_file_save(test_in_folder("text.png"), "hello", 5);
    assert_int_equal(kldve_image_load(ctx, test_in_folder("text.png"), &image),
                     KLDVE_E_UNSUPPORTED);
    test_says(ctx, "text.png: not a picture in PNG or JPEG format");
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_PICTURE_FILE, 3), KLDVE_OK);
    assert_int_equal(kldve_image_load(ctx, test_in_folder("text.png"), &image), KLDVE_E_LIMIT);
    test_says(ctx, "text.png: 5 bytes: the limit 'picture-file' is 3 bytes; raise it with");
    assert_null(image);
    done(ctx, &heap);
}

/* In memory the bytes of the file; of pixels in the caller's memory those of the same picture. */
static void encode_like_a_file(const char *name, int32_t format, bool built)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = gradient(ctx), *mine = NULL;
    const char *path = test_in_folder(name);
    uint8_t bgr[40 * 30 * 3];
    kldve_pixels p = kldve_pixels_of(KLDVE_PIXEL_BGR, 40, 30, bgr, 0);
    size_t nbytes = 7, file_nbytes;
    void *bytes = NULL, *file;

    assert_int_equal(kldve_image_read(ctx, image, 0, &p), KLDVE_OK);
    assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &mine), KLDVE_OK);
    if (!built) {
        assert_int_equal(kldve_image_encode(ctx, mine, format, 0, &bytes, &nbytes),
                         KLDVE_E_UNSUPPORTED);
        test_says(ctx, "this build cannot write");
    } else {
        assert_int_equal(kldve_image_save(ctx, image, path, 0), KLDVE_OK);
        file = test_file_load(path, &file_nbytes);
        assert_int_equal(kldve_image_encode(ctx, mine, format, 0, &bytes, &nbytes), KLDVE_OK);
        assert_int_equal(nbytes, file_nbytes);
        assert_memory_equal(bytes, file, nbytes);
        kldve_ctx_release(ctx, bytes);
        free(file);
    }
    kldve_image_free(mine);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_encode(void **state)
{
    (void)state;
    encode_like_a_file("a.png", KLDVE_FILE_FORMAT_PNG, have_png);
    encode_like_a_file("a.jpg", KLDVE_FILE_FORMAT_JPEG, have_jpeg);
}

static void test_encode_refuses(void **state)
{
    static const int32_t bad[][2] = {{0, 0},
                                     {3, 0},
                                     {KLDVE_FILE_FORMAT_JPEG, 101},
                                     {KLDVE_FILE_FORMAT_JPEG, -1},
                                     {KLDVE_FILE_FORMAT_PNG, 5}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = gradient(ctx);
    size_t nbytes = 7;
    void *bytes = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(kldve_image_encode(ctx, image, bad[i][0], bad[i][1], &bytes, &nbytes),
                         KLDVE_E_ARG);
    test_says(ctx, "quality 5: PNG loses nothing, give 0");
    assert_int_equal(kldve_image_encode(ctx, NULL, 1, 0, &bytes, &nbytes), KLDVE_E_ARG);
    assert_int_equal(kldve_image_encode(ctx, image, 1, 0, &bytes, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_image_encode(ctx, image, 1, 0, NULL, &nbytes), KLDVE_E_ARG);
    assert_true(nbytes == 7 && !bytes);
    kldve_image_free(image);
    done(ctx, &heap);
}

/* A grey file has one byte a pixel then, and reads as the same RGB. */
static void test_load_compact(void **state)
{
    static const char *const seeds[] = {"png/grey1.png",    "png/grey16-adam7.png",
                                        "jpeg/grey.jpg",    "png/rgba8-adam7.png",
                                        "png/palette4.png", "png/grey-alpha8.png"};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        kldve_image *small = NULL, *whole = NULL;
        kldve_pixels layout = {.struct_size = sizeof layout}, dest;
        uint8_t got[4 * 64 * 64], want[4 * 64 * 64];
        const char *source = getenv("KLDVE_SOURCE");
        const bool grey = i < 3;
        char path[4096];
        int32_t width;

        assert_non_null(source);
        snprintf(path, sizeof path, "%s/tests/fuzz/%s", source, seeds[i]);
        if (strstr(path, ".png") ? !have_png : !have_jpeg)
            continue;
        assert_int_equal(kldve_image_load_compact(ctx, path, &small), KLDVE_OK);
        assert_int_equal(kldve_image_load(ctx, path, &whole), KLDVE_OK);
        assert_int_equal(kldve_image_layout(small, &layout), KLDVE_OK);
        assert_int_equal(layout.format, grey ? KLDVE_PIXEL_GREY : KLDVE_PIXEL_RGB);
        assert_true(!kldve_image_pixels(small) == grey && !kldve_image_edit(small) == grey);
        width = kldve_image_width(whole);
        dest = kldve_pixels_of(KLDVE_PIXEL_RGBA, width, kldve_image_height(whole), got, 4 * width);
        assert_true((size_t)(4 * width * dest.height) <= sizeof got);
        assert_int_equal(kldve_image_read(ctx, small, 0, &dest), KLDVE_OK);
        dest.plane[0] = want;
        assert_int_equal(kldve_image_read(ctx, whole, 0, &dest), KLDVE_OK);
        assert_memory_equal(got, want, (size_t)(4 * width * dest.height));
        kldve_image_free(small);
        kldve_image_free(whole);
    }
    done(ctx, &heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_encode_refuses),
        cmocka_unit_test(test_save_and_load),
        cmocka_unit_test(test_save_refuses),
        cmocka_unit_test(test_save_where_it_cannot),
        cmocka_unit_test(test_load_refuses),
        cmocka_unit_test(test_load_compact),
    };

    return cmocka_run_group_tests_name("save", tests, test_folder_make, test_folder_remove);
}
