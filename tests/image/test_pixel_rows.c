/* test_pixel_rows.c - every format, stride and size is the same picture as R, G, B; each result is
 * compared with pixels that are put and fetched here one by one. */
#include "pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 9, ROOM = 4 * 4 * 4 * SIDE * (SIDE + 4) };

/* Which of R, G, B, A (0 to 3; x: nothing) follow each other; `planar`: each in a plane. */
static const struct format_case {
    const char *name, *order;
    int32_t format;
    bool planar;
} formats[] = {
    {"RGB", "rgb", KLDVE_PIXEL_RGB, false},
    {"BGR", "bgr", KLDVE_PIXEL_BGR, false},
    {"RGBA", "rgba", KLDVE_PIXEL_RGBA, false},
    {"BGRA", "bgra", KLDVE_PIXEL_BGRA, false},
    {"ARGB", "argb", KLDVE_PIXEL_ARGB, false},
    {"ABGR", "abgr", KLDVE_PIXEL_ABGR, false},
    {"RGBX", "rgbx", KLDVE_PIXEL_RGBX, false},
    {"BGRX", "bgrx", KLDVE_PIXEL_BGRX, false},
    {"XRGB", "xrgb", KLDVE_PIXEL_XRGB, false},
    {"XBGR", "xbgr", KLDVE_PIXEL_XBGR, false},
    {"grey", "g", KLDVE_PIXEL_GREY, false},
    {"grey and alpha", "ga", KLDVE_PIXEL_GREY_ALPHA, false},
    {"planar RGB", "rgb", KLDVE_PIXEL_RGB_PLANAR, true},
    {"planar RGBA", "rgba", KLDVE_PIXEL_RGBA_PLANAR, true},
};

static bool is_grey(const struct format_case *c)
{
    return c->order[0] == 'g';
}

static int channel_of(char letter)
{
    return letter == 'x' ? -1 : (int)(strchr("rgba", letter) - "rgba");
}

/* Sample `number` of the row at `row`, of 8 bits, 16 or float. */
static void put(uint8_t *row, int number, int depth, uint8_t value)
{
    uint16_t wide = (uint16_t)(257 * value);
    float part = (float)value / 255;

    if (depth == 0)
        row[number] = value;
    else
        memcpy(row + (size_t)number * (depth == 1 ? 2 : 4), depth == 1 ? (void *)&wide : &part,
               depth == 1 ? 2 : 4);
}

/* pixels [height][width][4] as the format has them; returns the description. */
static kldve_pixels lay_out(const struct format_case *c, int depth, int32_t width, int32_t height,
                            ptrdiff_t gap, bool upside_down, const uint8_t *pixels, uint8_t *room)
{
    int n = (int)strlen(c->order), step = c->planar ? 1 : n;
    ptrdiff_t stride = (width * step << depth) + gap, plane = stride * height;
    kldve_pixels p = kldve_pixels_of(c->format + 32 * depth, width, height, NULL, 0);

    for (int i = 0; i < n; i++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                int row = upside_down ? height - 1 - y : y, channel = channel_of(c->order[i]);

                if (channel >= 0)
                    put(room + (c->planar ? i * plane : 0) + row * stride,
                        c->planar ? x : x * n + i, depth, pixels[4 * (y * width + x) + channel]);
            }
    for (int i = 0; i < (c->planar ? n : 1); i++) {
        p.plane[i] = room + i * plane + (upside_down ? (height - 1) * stride : 0);
        p.stride[i] = upside_down ? -stride : stride;
    }
    return p;
}

/* R, G, B and alpha as this format is expected to give them. */
static void expect(const struct format_case *c, const uint8_t *pixel, uint8_t out[4])
{
    memcpy(out, pixel, 4);
    if (is_grey(c))
        out[0] = out[2] = pixel[1]; /* what was put into "g" */
    if (!strchr(c->order, 'a'))
        out[3] = 255;
}

static void check(const struct format_case *c, int depth, int32_t width, int32_t height, int gap,
                  bool upside_down)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t pixels[4 * SIDE * SIDE], room[ROOM], got[4 * SIDE * SIDE], want[4];
    uint64_t seed = (uint64_t)(width * 100 + height + 1);
    kldve_image *borrowed, *copied;
    kldve_pixels p, rgba = kldve_pixels_of(KLDVE_PIXEL_RGBA, width, height, got, 0);

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(256 * test_random(&seed));
    p = lay_out(c, depth, width, height, gap, upside_down, pixels, room);
    assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &borrowed), KLDVE_OK);
    assert_int_equal(kldve_image_from_pixels(ctx, &p, &copied), KLDVE_OK);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(kldve_image_read(ctx, twice ? copied : borrowed, 0, &rgba), KLDVE_OK);
        for (int i = 0; i < width * height; i++) {
            expect(c, pixels + 4 * i, want);
            assert_memory_equal(got + 4 * i, want, 4);
        }
        assert_int_equal(kldve_image_has_alpha(twice ? copied : borrowed),
                         strchr(c->order, 'a') != NULL);
    }
    kldve_image_free(borrowed);
    kldve_image_free(copied);
    done(ctx, &heap);
}

static void check_reading(void **state)
{
    const struct format_case *c = *state;

    for (int depth = 0; depth < 3; depth++)
        for (int32_t width = 1; width <= SIDE; width += 2)
            for (int32_t height = 1; height <= SIDE; height += 4)
                for (int gap = 0; gap < 4; gap += 3)
                    for (int flip = 0; flip < 2; flip++)
                        check(c, depth, width, height, gap, flip);
}

/* Into every format and back; grey as Pillow makes it, the bytes between rows and those of X stay.
 */
static void check_writing(void **state)
{
    const struct format_case *c = *state;
    const uint8_t rgba[3][4] = {{10, 200, 30, 40}, {255, 0, 255, 0}, {1, 2, 3, 255}};
    kldve_pixels from = kldve_pixels_of(KLDVE_PIXEL_RGBA, 3, 1, rgba, 0), p, back;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t room[ROOM], got[3][4];
    kldve_image *image, *written;

    assert_int_equal(kldve_image_borrow(ctx, &from, NULL, NULL, &image), KLDVE_OK);
    for (int depth = 0; depth < 3; depth++) {
        memset(room, 77, sizeof room);
        p = lay_out(c, depth, 3, 1, 5, false, rgba[0], room);
        memset(room, 77, sizeof room);
        assert_int_equal(kldve_image_read(ctx, image, 0, &p), KLDVE_OK);
        for (ptrdiff_t i = p.stride[0] - 5; !c->planar && i < p.stride[0]; i++)
            assert_int_equal(room[i], 77);
        if (c->order[0] == 'x')
            assert_int_equal(room[0], 77);
        assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &written), KLDVE_OK);
        back = kldve_pixels_of(KLDVE_PIXEL_RGBA, 3, 1, got, 0);
        assert_int_equal(kldve_image_read(ctx, written, 0, &back), KLDVE_OK);
        for (int i = 0; i < 3; i++) {
            int grey = (19595 * rgba[i][0] + 38470 * rgba[i][1] + 7471 * rgba[i][2] + 32768) >> 16;

            for (int k = 0; k < 3; k++)
                assert_int_equal(got[i][k], is_grey(c) ? grey : rgba[i][k]);
            assert_int_equal(got[i][3], strchr(c->order, 'a') ? rgba[i][3] : 255);
        }
        kldve_image_free(written);
    }
    kldve_image_free(image);
    done(ctx, &heap);
}

/* Resizing and encoding read the caller's pixels as they would read a copy. */
static void check_resizing(void **state)
{
    const struct format_case *c = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t pixels[4 * SIDE * SIDE], room[ROOM], got[2][4 * 5 * 4];
    uint64_t seed = 8;
    kldve_image *picture[2], *small;
    kldve_pixels p, rgba = kldve_pixels_of(KLDVE_PIXEL_RGBA, 5, 4, NULL, 0);

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(256 * test_random(&seed));
    p = lay_out(c, 1, SIDE, SIDE - 1, 6, true, pixels, room);
    assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &picture[0]), KLDVE_OK);
    assert_int_equal(kldve_image_from_pixels(ctx, &p, &picture[1]), KLDVE_OK);
    for (int i = 0; i < 2; i++) {
        rgba.plane[0] = got[i];
        assert_int_equal(kldve_image_resize(ctx, picture[i], 5, 4, &small), KLDVE_OK);
        assert_int_equal(kldve_image_read(ctx, small, 0, &rgba), KLDVE_OK);
        kldve_image_free(small);
        kldve_image_free(picture[i]);
    }
    assert_memory_equal(got[0], got[1], sizeof got[0]);
    done(ctx, &heap);
}

/* Round to nearest, clamp, and NaN is 0. */
static void test_wide_numbers(void **state)
{
    const uint16_t wide[3] = {128, 129, 65535};
    const float part[3] = {-1, 0.5f / 255 - 1e-6f, 2};
    float odd[3] = {NAN, 1.5f / 255 + 1e-6f, 1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t got[3];
    kldve_pixels rgb = kldve_pixels_of(KLDVE_PIXEL_RGB, 1, 1, got, 0), p;
    const struct {
        const void *from;
        int32_t format;
        uint8_t want[3];
    } cases[] = {{wide, KLDVE_PIXEL_RGB16, {0, 1, 255}},
                 {part, KLDVE_PIXEL_RGB_FLOAT, {0, 0, 255}},
                 {odd, KLDVE_PIXEL_RGB_FLOAT, {0, 2, 255}}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kldve_image *image;

        p = kldve_pixels_of(cases[i].format, 1, 1, cases[i].from, 0);
        assert_int_equal(kldve_image_borrow(ctx, &p, NULL, NULL, &image), KLDVE_OK);
        assert_int_equal(kldve_image_read(ctx, image, 0, &rgb), KLDVE_OK);
        assert_memory_equal(got, cases[i].want, 3);
        kldve_image_free(image);
    }
    done(ctx, &heap);
}

TEST_MAIN(pixel_rows)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_wide_numbers)};

    return TEST_RUN_CASES("reading", formats, check_reading) +
           TEST_RUN_CASES("writing", formats, check_writing) +
           TEST_RUN_CASES("resizing", formats, check_resizing) +
           cmocka_run_group_tests_name("wide numbers", tests, NULL, NULL);
}
