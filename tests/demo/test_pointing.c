/* test_pointing.c - the demonstration network on fresh scenes: does it know what it sees, and do
 * its maps point at the object asked for?  The masks are correct by construction.
 *
 * A hit: the largest value of the map, upsampled to the picture, lies on a pixel of which at least
 * half belongs to the object. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include <kldve/onnx.h>

#include "scenes.h"

enum { SIZE = 96, PIXELS = SIZE * SIZE, FIRST_SEED = 77000000 };

static size_t scenes_wanted(size_t few, size_t many)
{
    return getenv("KLDVE_LONG_TESTS") ? many : few;
}

typedef struct scene {
    uint8_t rgb[3 * PIXELS], mask[2 * PIXELS];
    scenes_object object[2];
    kldve_image *picture;
} scene;

static void draw(kldve_ctx *ctx, scene *s, uint64_t seed, int32_t objects)
{
    const scenes_request request = {.seed = FIRST_SEED + seed,
                                    .size = SIZE,
                                    .objects = objects,
                                    .kind = {SCENES_ANY, SCENES_ANY}};

    assert_true(scenes_draw(&request, s->rgb, s->mask, s->object));
    assert_int_equal(kldve_image_from_rgb(ctx, s->rgb, SIZE, SIZE, 3 * (size_t)SIZE, &s->picture),
                     KLDVE_OK);
}

static kldve_heatmap *explain(kldve_ctx *ctx, kldve_explainer *ex, const scene *s,
                              const kldve_options *o)
{
    kldve_heatmap *map = NULL;

    if (kldve_explain(ex, s->picture, o, &map) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    return map;
}

static kldve_explainer *open_network(kldve_ctx *ctx)
{
    /* One thread: the network is too small for two to help each other. */
    const kldve_onnx_options one = {.struct_size = sizeof one, .threads = 1};
    kldve_explainer *ex = NULL;

    if (kldve_onnx_explainer(ctx, NULL, &one, &ex) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    return ex;
}

static void test_accuracy(void **state)
{
    static scene s;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open_network(ctx);
    size_t n = scenes_wanted(600, 5000), right = 0;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        kldve_record record = {.struct_size = sizeof record};
        kldve_heatmap *map;

        draw(ctx, &s, i, 1);
        map = explain(ctx, ex, &s, NULL);
        assert_int_equal(kldve_heatmap_record(map, &record), KLDVE_OK);
        right += record.target == s.object[0].kind;
        kldve_heatmap_free(map);
        kldve_image_free(s.picture);
    }
    printf("accuracy on %zu fresh scenes with one object: %.1f %%\n", n,
           100.0 * (double)right / (double)n);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    assert_true(right * 100 >= n * 97);
}

static bool hits(const kldve_heatmap *map, const uint8_t *mask)
{
    static float up[PIXELS];
    size_t best = 0;

    assert_int_equal(kldve_heatmap_upsample(map, SIZE, SIZE, up), KLDVE_OK);
    for (size_t i = 1; i < PIXELS; i++)
        if (up[i] > up[best])
            best = i;
    return mask[best] >= SCENES_INSIDE;
}

static void test_pointing(void **state)
{
    static scene s;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = open_network(ctx);
    size_t n = scenes_wanted(200, 2000), hit[KLDVE_READING_RIVALS + 1] = {0};

    (void)state;
    for (size_t i = 0; i < n; i++) {
        draw(ctx, &s, 1000000 + i, 2);
        assert_int_not_equal(s.object[0].kind, s.object[1].kind);
        for (int32_t reading = KLDVE_READING_PAPER; reading <= KLDVE_READING_RIVALS; reading++)
            for (size_t k = 0; k < 2; k++) {
                kldve_options o = {.struct_size = sizeof o,
                                   .reading = reading,
                                   .target_kind = KLDVE_TARGET_INDEX,
                                   .target = s.object[k].kind};
                kldve_heatmap *map = explain(ctx, ex, &s, &o);

                hit[reading] += hits(map, s.mask + k * PIXELS);
                kldve_heatmap_free(map);
            }
        kldve_image_free(s.picture);
    }
    for (int32_t reading = KLDVE_READING_PAPER; reading <= KLDVE_READING_RIVALS; reading++)
        printf("%-8s points at the object asked for, of two: %.1f %%\n",
               kldve_reading_name(reading), 50.0 * (double)hit[reading] / (double)n);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    assert_true(hit[KLDVE_READING_CONTRAST] * 10 >= 2 * n * 9);
    assert_true(hit[KLDVE_READING_RIVALS] * 10 >= 2 * n * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_pointing),
    };

    return cmocka_run_group_tests_name("pointing", tests, NULL, NULL);
}
