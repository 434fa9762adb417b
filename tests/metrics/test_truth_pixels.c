/* test_truth_pixels.c - boxes and masks of a picture, seen by a network. */
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/metrics.h>

/* A map for inputs of 8 x 4 pixels that see part of the picture. */
static kldve_heatmap *seen(kldve_ctx *ctx, float x, float y, float width, float height,
                           int32_t frames)
{
    static const float logits[3] = {2, 1, 0}, cells[8] = {0, 1, 0, 0, 0, 0, 0, 0},
                       ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = logits,
                                 .features = cells,
                                 .gradient = ones,
                                 .classes = 3,
                                 .maps = 1,
                                 .height = 2,
                                 .width = 4,
                                 .frames = frames,
                                 .picture_width = 8,
                                 .picture_height = 4,
                                 .seen_x = x,
                                 .seen_y = y,
                                 .seen_width = width,
                                 .seen_height = height};
    const kldve_options o = {.struct_size = sizeof o, .method = "grad-cam"};
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain_arrays(ctx, &arrays, &o, &map), KLDVE_OK);
    return map;
}

/* Rows of '#' and '.'. */
static void compare(const uint8_t truth[32], const char *expected)
{
    char drawn[33] = "";

    for (int i = 0; i < 32; i++)
        drawn[i] = truth[i] ? '#' : '.';
    assert_string_equal(drawn, expected);
}

static void test_boxes(void **state)
{
    static const struct {
        float seen[4], box[4];
        const char *expected;
    } cases[] = {
        /* the whole picture, of 80 x 40 pixels */
        {{0, 0, 1, 1},
         {20, 10, 50, 30},
         "........"
         "..###..."
         "..###..."
         "........"},
        /* padded above and below: the picture is in rows 1 and 2 */
        {{0, -0.5f, 1, 2},
         {20, 0, 50, 20},
         "........"
         "..###..."
         "........"
         "........"},
        /* a pixel counts by its centre */
        {{0, 0, 1, 1},
         {25, 16, 54, 26},
         "........"
         "........"
         "..###..."
         "........"},
        /* a small one in the corner is the pixel that it lies in */
        {{0, 0, 1, 1},
         {0, 0, 1, 1},
         "#......."
         "........"
         "........"
         "........"},
        /* beyond the picture */
        {{0, 0, 1, 1},
         {-5, -7, 10, 400},
         "#......."
         "#......."
         "#......."
         "#......."},
        /* too small for a centre: the pixel that it lies in */
        {{0, 0, 1, 1},
         {31, 31, 32, 33},
         "........"
         "........"
         "........"
         "...#...."},
        {{0, 0, 1, 1},
         {0, 11, 80, 12},
         "........"
         "########"
         "........"
         "........"},
        /* the middle of the picture, 40 x 20 pixels */
        {{0.25f, 0.25f, 0.5f, 0.5f},
         {20, 10, 40, 20},
         "####...."
         "####...."
         "........"
         "........"},
        {{0.25f, 0.25f, 0.5f, 0.5f},
         {0, 0, 25, 80},
         "#......."
         "#......."
         "#......."
         "#......."},
    };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t truth[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const float *s = cases[i].seen;
        kldve_heatmap *map = seen(ctx, s[0], s[1], s[2], s[3], 0);

        memset(truth, 0xaa, sizeof truth);
        assert_int_equal(kldve_heatmap_truth_boxes(ctx, map, 80, 40, cases[i].box, 1, truth),
                         KLDVE_OK);
        compare(truth, cases[i].expected);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* A mask that is a box is that box, whatever its resolution; and boxes add up. */
static void test_mask(void **state)
{
    static const float both[8] = {0, 0, 20, 10, 50, 20, 70, 40};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    uint8_t mask[40 * 80], boxes[32], truth[32];
    kldve_heatmap *map = seen(ctx, 0, 0, 1, 1, 0);

    (void)state;
    assert_int_equal(kldve_heatmap_truth_boxes(ctx, map, 80, 40, both, 2, boxes), KLDVE_OK);
    compare(boxes, "##......"
                   "........"
                   ".....##."
                   ".....##.");
    for (int scale = 1; scale <= 2; scale++) {
        int width = 80 / scale, height = 40 / scale;

        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                int u = x * scale, v = y * scale;

                mask[y * width + x] = (u < 20 && v < 10) || (u >= 50 && u < 70 && v >= 20) ? 3 : 0;
            }
        assert_int_equal(kldve_heatmap_truth_mask(ctx, map, width, height, mask, truth), KLDVE_OK);
        assert_memory_equal(truth, boxes, 32);
    }
    /* coarser than the input: 4 x 2 */
    memcpy(mask, "\1\0\0\0\0\0\1\1", 8);
    assert_int_equal(kldve_heatmap_truth_mask(ctx, map, 4, 2, mask, truth), KLDVE_OK);
    compare(truth, "##......"
                   "##......"
                   "....####"
                   "....####");
    /* one pixel of 80 x 40 */
    memset(mask, 0, sizeof mask);
    mask[39 * 80 + 79] = 1;
    assert_int_equal(kldve_heatmap_truth_mask(ctx, map, 80, 40, mask, truth), KLDVE_OK);
    compare(truth, "........"
                   "........"
                   "........"
                   ".......#");
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void expect(kldve_ctx *ctx, kldve_status wanted, kldve_status st, const char *text)
{
    assert_int_equal(st, wanted);
    if (!strstr(kldve_ctx_message(ctx), text))
        fail_msg("\"%s\" should have \"%s\"", kldve_ctx_message(ctx), text);
}

/* What is wrong, and an object that the network does not see: nothing is written. */
static void test_refused(void **state)
{
    static const float corner[4] = {0, 0, 10, 10}, empty[4] = {5, 5, 5, 9},
                       away[4] = {80, 0, 90, 9};
    static const float bad[8] = {0, 0, 1, 1, 0, NAN, 1, 1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = seen(ctx, 0.25f, 0.25f, 0.5f, 0.5f, 0);
    kldve_heatmap *film = seen(ctx, 0, 0, 1, 1, 2);
    uint8_t truth[32], mask[80 * 40] = {1};

    (void)state;
    memset(truth, 7, sizeof truth);
    expect(ctx, KLDVE_E_NOT_FOUND, kldve_heatmap_truth_boxes(ctx, map, 80, 40, corner, 1, truth),
           "columns 20 to 60 and rows 10 to 30");
    expect(ctx, KLDVE_E_NOT_FOUND, kldve_heatmap_truth_mask(ctx, map, 80, 40, mask, truth),
           "wholly outside what the network sees");
    mask[0] = 0;
    expect(ctx, KLDVE_E_ARG, kldve_heatmap_truth_mask(ctx, map, 80, 40, mask, truth), "empty");
    expect(ctx, KLDVE_E_ARG, kldve_heatmap_truth_boxes(ctx, map, 80, 40, empty, 1, truth), "empty");
    expect(ctx, KLDVE_E_ARG, kldve_heatmap_truth_boxes(ctx, map, 80, 40, away, 1, truth),
           "outside the picture");
    expect(ctx, KLDVE_E_ARG, kldve_heatmap_truth_boxes(ctx, map, 80, 40, bad, 2, truth), "box 1");
    expect(ctx, KLDVE_E_ARG, kldve_heatmap_truth_boxes(ctx, map, 80, 40, bad, 0, truth), "0 boxes");
    expect(ctx, KLDVE_E_ARG, kldve_heatmap_truth_boxes(ctx, map, 0, 40, corner, 1, truth),
           "0 x 40");
    expect(ctx, KLDVE_E_ARG, kldve_heatmap_truth_boxes(ctx, NULL, 80, 40, corner, 1, truth),
           "NULL");
    expect(ctx, KLDVE_E_ARG, kldve_heatmap_truth_mask(ctx, map, 80, 40, NULL, truth), "NULL");
    expect(ctx, KLDVE_E_UNSUPPORTED, kldve_heatmap_truth_boxes(ctx, film, 80, 40, corner, 1, truth),
           "film");
    for (int i = 0; i < 32; i++)
        assert_int_equal(truth[i], 7);
    kldve_heatmap_free(map);
    kldve_heatmap_free(film);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boxes),
        cmocka_unit_test(test_mask),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("truth_pixels", tests, NULL, NULL);
}
