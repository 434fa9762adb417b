/* test_pixel_format.c - what a caller may say of his pixels, and what is refused. */
#include "pictures.h"

#include <string.h>

enum { ROOM = 4096 };

static uint8_t memory[ROOM];

static const struct bad_case {
    const char *name;
    kldve_pixels pixels;
    kldve_status status;
    const char *message;
} bad[] = {
    {"no size of the struct",
     {.width = 2, .height = 2, .plane = {memory}},
     KLDVE_E_ARG,
     "struct_size is 0; set it"},
    {"no pixels", {sizeof(kldve_pixels), 0, 2, 2, 0, {NULL}, {0}}, KLDVE_E_ARG, "plane 0 is NULL"},
    {"a format past the last",
     {sizeof(kldve_pixels), 21, 2, 2, 0, {memory}, {0}},
     KLDVE_E_ARG,
     "unknown format of pixels 21"},
    {"a depth past the last",
     {sizeof(kldve_pixels), 96, 2, 2, 0, {memory}, {0}},
     KLDVE_E_ARG,
     "unknown format of pixels 96"},
    {"a negative format",
     {sizeof(kldve_pixels), -1, 2, 2, 0, {memory}, {0}},
     KLDVE_E_ARG,
     "unknown format of pixels -1"},
    {"YUV of 16 bits",
     {sizeof(kldve_pixels), KLDVE_PIXEL_NV12 + KLDVE_PIXEL_16, 2, 2, 0, {memory}, {0}},
     KLDVE_E_UNSUPPORTED,
     "NV12 has 8 bits only"},
    {"an unknown matrix",
     {sizeof(kldve_pixels), KLDVE_PIXEL_NV12, 2, 2, 6, {memory}, {0}},
     KLDVE_E_ARG,
     "unknown kind of YUV 6"},
    {"a matrix for RGB",
     {sizeof(kldve_pixels), 0, 2, 2, KLDVE_YUV_BT709, {memory}, {0}},
     KLDVE_E_ARG,
     "yuv is set, but the format is RGB"},
    {"a stride below a row",
     {sizeof(kldve_pixels), 0, 2, 2, 0, {memory}, {5}},
     KLDVE_E_ARG,
     "the stride of plane 0 is 5 bytes, a row of 2 pixels in RGB needs 6"},
    {"a negative stride below a row",
     {sizeof(kldve_pixels), 0, 2, 2, 0, {memory}, {-5}},
     KLDVE_E_ARG,
     "the stride of plane 0 is -5 bytes"},
    {"a stride of 16 bits below a row",
     {sizeof(kldve_pixels), KLDVE_PIXEL_RGB16, 2, 2, 0, {memory}, {11}},
     KLDVE_E_ARG,
     "needs 12"},
    {"half a pair of YUY2",
     {sizeof(kldve_pixels), KLDVE_PIXEL_YUY2, 3, 2, 0, {memory}, {6}},
     KLDVE_E_ARG,
     "needs 8"},
    {"rows past the end of memory",
     {sizeof(kldve_pixels), 0, 2, 2, 0, {memory}, {PTRDIFF_MAX}},
     KLDVE_E_ARG,
     "more than can be addressed"},
    {"a plane too many",
     {sizeof(kldve_pixels), 0, 2, 2, 0, {memory, memory}, {0}},
     KLDVE_E_ARG,
     "plane 1 is set, but RGB has 1"},
    {"planes that follow a bottom-up one",
     {sizeof(kldve_pixels), KLDVE_PIXEL_NV12, 2, 2, 0, {memory}, {-2}},
     KLDVE_E_ARG,
     "plane 1 is NULL"},
};

static void check_bad(void **state)
{
    const struct bad_case *c = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *out = NULL;

    assert_int_equal(kldve_image_borrow(ctx, &c->pixels, NULL, NULL, &out), c->status);
    test_says(ctx, c->message);
    assert_int_equal(kldve_image_from_pixels(ctx, &c->pixels, &out), c->status);
    assert_null(out);
    done(ctx, &heap);
}

static const struct planes_case {
    const char *name;
    int32_t format, width, height;
    ptrdiff_t stride; /* of the first plane */
    ptrdiff_t at[3], strides[3];
} planes[] = {
    {"NV12 in one block", KLDVE_PIXEL_NV12, 4, 4, 0, {0, 16}, {4, 4}},
    {"NV12 of odd sides", KLDVE_PIXEL_NV12, 5, 3, 0, {0, 15}, {5, 6}},
    {"NV12 with gaps", KLDVE_PIXEL_NV12, 4, 4, 32, {0, 128}, {32, 32}},
    {"I420 in one block", KLDVE_PIXEL_I420, 4, 4, 0, {0, 16, 20}, {4, 2, 2}},
    {"I420 of odd sides", KLDVE_PIXEL_I420, 5, 3, 0, {0, 15, 21}, {5, 3, 3}},
    {"I420 with gaps", KLDVE_PIXEL_I420, 4, 4, 32, {0, 128, 160}, {32, 16, 16}},
    {"I444", KLDVE_PIXEL_I444, 3, 2, 8, {0, 16, 32}, {8, 8, 8}},
    {"planar RGB", KLDVE_PIXEL_RGB_PLANAR, 3, 2, 8, {0, 16, 32}, {8, 8, 8}},
    {"planar RGB of 16 bits",
     KLDVE_PIXEL_RGB_PLANAR + KLDVE_PIXEL_16,
     3,
     2,
     0,
     {0, 12, 24},
     {6, 6, 6}},
};

static void check_planes(void **state)
{
    const struct planes_case *c = *state;
    const kldve_pixels p = kldve_pixels_of(c->format, c->width, c->height, memory, c->stride);
    kldve_pixels seen = {.struct_size = sizeof seen};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image;

    assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &image), KLDVE_OK);
    assert_int_equal(kldve_image_layout(image, &seen), KLDVE_OK);
    for (int i = 0; i < 3 && c->strides[i]; i++) {
        assert_int_equal((uint8_t *)seen.plane[i] - memory, c->at[i]);
        assert_int_equal(seen.stride[i], c->strides[i]);
    }
    kldve_image_free(image);
    done(ctx, &heap);
}

TEST_MAIN(pixel_format)
{
    return TEST_RUN_CASES("bad pixels", bad, check_bad) +
           TEST_RUN_CASES("planes that follow", planes, check_planes);
}
