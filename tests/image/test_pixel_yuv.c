/* test_pixel_yuv.c - Y, U and V against the equations of the standards, in float64: colours are
 * taken to Y, U, V here and have to come back. */
#include "pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 7, ROOM = 4 * SIDE * SIDE };

static const struct yuv_case {
    const char *name;
    double red, blue; /* weights of the standard */
    int32_t yuv;
    bool full;
} standards[] = {
    {"BT.601", 0.299, 0.114, KLDVE_YUV_BT601, false},
    {"BT.601, full", 0.299, 0.114, KLDVE_YUV_BT601_FULL, true},
    {"BT.709", 0.2126, 0.0722, KLDVE_YUV_BT709, false},
    {"BT.709, full", 0.2126, 0.0722, KLDVE_YUV_BT709_FULL, true},
    {"BT.2020", 0.2627, 0.0593, KLDVE_YUV_BT2020, false},
    {"BT.2020, full", 0.2627, 0.0593, KLDVE_YUV_BT2020_FULL, true},
};

/* The forward equations, which the library does not have. */
static void to_yuv(const struct yuv_case *c, const uint8_t rgb[3], uint8_t yuv[3])
{
    double r = rgb[0] / 255.0, g = rgb[1] / 255.0, b = rgb[2] / 255.0;
    double y = c->red * r + (1 - c->red - c->blue) * g + c->blue * b;
    double u = (b - y) / (2 * (1 - c->blue)), v = (r - y) / (2 * (1 - c->red));

    yuv[0] = (uint8_t)lround(c->full ? 255 * y : 16 + 219 * y);
    yuv[1] = (uint8_t)fmin(round(128 + (c->full ? 255 : 224) * u), 255);
    yuv[2] = (uint8_t)fmin(round(128 + (c->full ? 255 : 224) * v), 255);
}

static void check_standard(void **state)
{
    const struct yuv_case *c = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint64_t seed = 3;

    for (int i = 0; i < 500; i++) {
        uint8_t rgb[3], yuv[3], got[3];
        kldve_pixels p = kldve_pixels_of(KLDVE_PIXEL_I444, 1, 1, yuv, 0);
        kldve_pixels back = kldve_pixels_of(KLDVE_PIXEL_RGB, 1, 1, got, 0);
        kldve_image *image;

        for (int k = 0; k < 3; k++)
            rgb[k] = i < 8 ? (uint8_t)(i >> k & 1 ? 255 : 0) : (uint8_t)(256 * test_random(&seed));
        to_yuv(c, rgb, yuv);
        p.yuv = c->yuv;
        assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &image), KLDVE_OK);
        assert_int_equal(kldve_image_read(ctx, image, 0, &back), KLDVE_OK);
        for (int k = 0; k < 3; k++)
            if (abs(got[k] - rgb[k]) > 3) /* Y, U and V are rounded */
                fail_msg("%d %d %d: %d, not %d", rgb[0], rgb[1], rgb[2], got[k], rgb[k]);
        kldve_image_free(image);
    }
    done(ctx, &heap);
}

static const struct layout_case {
    const char *name;
    int32_t format;
    int share_x, share_y; /* pixels with the same U and V */
} layouts[] = {
    {"NV12", KLDVE_PIXEL_NV12, 2, 2}, {"NV21", KLDVE_PIXEL_NV21, 2, 2},
    {"I420", KLDVE_PIXEL_I420, 2, 2}, {"I422", KLDVE_PIXEL_I422, 2, 1},
    {"I444", KLDVE_PIXEL_I444, 1, 1}, {"YUY2", KLDVE_PIXEL_YUY2, 2, 1},
    {"UYVY", KLDVE_PIXEL_UYVY, 2, 1},
};

/* Where byte `c` (Y, U, V) of pixel x, y lies in one block without gaps. */
static size_t place(int32_t format, int c, int x, int y, int w, int h)
{
    int cw = (w + 1) / 2, ch = (h + 1) / 2;

    switch (format) {
    case KLDVE_PIXEL_NV12:
    case KLDVE_PIXEL_NV21:
        return (size_t)(c == 0 ? y * w + x
                               : w * h + y / 2 * 2 * cw + x / 2 * 2 +
                                     (format == KLDVE_PIXEL_NV12 ? c - 1 : 2 - c));
    case KLDVE_PIXEL_I420:
        return (size_t)(c == 0 ? y * w + x : w * h + (c - 1) * cw * ch + y / 2 * cw + x / 2);
    case KLDVE_PIXEL_I422:
        return (size_t)(c == 0 ? y * w + x : w * h + (c - 1) * cw * h + y * cw + x / 2);
    case KLDVE_PIXEL_I444:
        return (size_t)(c * w * h + y * w + x);
    default: {
        int luma = format == KLDVE_PIXEL_YUY2 ? 0 : 1;

        return (size_t)(y * 4 * cw +
                        (c == 0 ? 2 * x + luma : x / 2 * 4 + (1 - luma) + (c == 2 ? 2 : 0)));
    }
    }
}

/* Every arrangement gives what I444 gives for the same Y, U and V of each pixel; odd sides, too. */
static void check_layout(void **state)
{
    const struct layout_case *c = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    for (int w = 1; w <= SIDE; w++)
        for (int h = 1; h <= SIDE; h++) {
            uint8_t spread[ROOM] = {0}, packed[ROOM] = {0}, want[ROOM], got[ROOM];
            uint64_t seed = (uint64_t)(w + 10 * h);
            kldve_image *a, *b;
            kldve_pixels pa = kldve_pixels_of(KLDVE_PIXEL_I444, w, h, spread, 0);
            kldve_pixels pb = kldve_pixels_of(c->format, w, h, packed, 0);
            kldve_pixels to = kldve_pixels_of(KLDVE_PIXEL_RGB, w, h, want, 0);

            for (int i = 0; i < 3 * w * h; i++) {
                int k = i / (w * h), y = i % (w * h) / w, x = i % w;
                int first_x = k ? x / c->share_x * c->share_x : x;
                int first_y = k ? y / c->share_y * c->share_y : y;

                if (first_x == x && first_y == y)
                    spread[i] = (uint8_t)(256 * test_random(&seed));
                else
                    spread[i] = spread[k * w * h + first_y * w + first_x];
                packed[place(c->format, k, x, y, w, h)] = spread[i];
            }
            assert_int_equal(kldve_image_borrow(ctx, &pa, NULL, NULL, &a), KLDVE_OK);
            assert_int_equal(kldve_image_borrow(ctx, &pb, NULL, NULL, &b), KLDVE_OK);
            assert_int_equal(kldve_image_read(ctx, a, 0, &to), KLDVE_OK);
            to.plane[0] = got;
            assert_int_equal(kldve_image_read(ctx, b, 0, &to), KLDVE_OK);
            assert_memory_equal(got, want, (size_t)(3 * w * h));
            assert_int_equal(kldve_image_read(ctx, b, 0, &pb), KLDVE_E_UNSUPPORTED);
            kldve_image_free(a);
            kldve_image_free(b);
        }
    test_says(ctx, "cannot write");
    done(ctx, &heap);
}

TEST_MAIN(pixel_yuv)
{
    return TEST_RUN_CASES("standards", standards, check_standard) +
           TEST_RUN_CASES("arrangements", layouts, check_layout);
}
