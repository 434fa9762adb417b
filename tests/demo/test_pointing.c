/* test_pointing.c - the demonstration network and the small vision transformer on fresh scenes: do
 * they know what they see, and do their maps point at the object asked for?  The masks are correct
 * by construction.
 *
 * A hit: the largest value of the map, upsampled to the picture, lies on a pixel of which at least
 * half belongs to the object. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    kldve_pixels pixels;

    assert_true(scenes_draw(&request, s->rgb, s->mask, s->object));
    pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, SIZE, SIZE, s->rgb, 0);
    assert_int_equal(kldve_image_from_pixels(ctx, &pixels, &s->picture), KLDVE_OK);
}

static kldve_heatmap *explain(kldve_ctx *ctx, kldve_explainer *ex, const scene *s,
                              const kldve_options *o)
{
    kldve_heatmap *map = NULL;

    if (kldve_explain(ex, s->picture, o, &map) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    return map;
}

/* A network on fresh scenes. */
typedef struct bench {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *ex;
} bench;

/* path: NULL for the demonstration network. */
static void open_bench(bench *b, const char *path)
{
    /* One thread: the networks are too small for two to help each other. */
    const kldve_onnx_options one = {
        .struct_size = sizeof one, .threads = 1, .flags = path ? KLDVE_ONNX_FLAG_VJP_INPUT : 0};

    b->ctx = test_ctx(&b->heap);
    if (kldve_onnx_explainer(b->ctx, path, &one, &b->ex) < 0)
        fail_msg("%s", kldve_ctx_message(b->ctx));
}

static void close_bench(bench *b)
{
    kldve_explainer_free(b->ex);
    kldve_ctx_free(b->ctx);
    assert_int_equal(b->heap.live, 0);
}

static const char *transformer(void)
{
    return test_path("%s/demo/kldve-vit.onnx", getenv("KLDVE_SOURCE"));
}

/* ---- accuracy ---- */

static void check_accuracy(const char *path, size_t n, size_t percent)
{
    static scene s;
    size_t right = 0;
    bench b;

    open_bench(&b, path);
    for (size_t i = 0; i < n; i++) {
        kldve_record record = {.struct_size = sizeof record};
        kldve_heatmap *map;

        draw(b.ctx, &s, i, 1);
        map = explain(b.ctx, b.ex, &s, NULL);
        assert_int_equal(kldve_heatmap_record(map, &record), KLDVE_OK);
        right += record.target == s.object[0].kind;
        kldve_heatmap_free(map);
        kldve_image_free(s.picture);
    }
    printf("accuracy on %zu fresh scenes with one object: %.1f %%\n", n,
           100.0 * (double)right / (double)n);
    close_bench(&b);
    assert_true(right * 100 >= n * percent);
}

static void test_accuracy(void **state)
{
    (void)state;
    check_accuracy(NULL, scenes_wanted(600, 5000), 97);
}

static void test_accuracy_of_transformer(void **state)
{
    (void)state;
    check_accuracy(transformer(), scenes_wanted(300, 5000), 94);
}

/* ---- pointing ---- */

static bool hits(const bench *b, const kldve_heatmap *map, const uint8_t *mask)
{
    static float up[PIXELS];
    size_t best = 0;

    assert_int_equal(kldve_heatmap_upsample(b->ctx, map, SIZE, SIZE, 0, up), KLDVE_OK);
    for (size_t i = 1; i < PIXELS; i++)
        if (up[i] > up[best])
            best = i;
    return mask[best] >= SCENES_INSIDE;
}

/* What makes a map, and in how many per cent it must point at the object. */
typedef struct maker {
    const char *method;
    int32_t reading;
    size_t percent;
} maker;

/* For how many of the two objects does the map point at the one asked for?  `number`: of the scene,
 * for what is drawn by lot. */
static size_t count_hits(const bench *b, const scene *s, const maker *m, size_t number)
{
    bool lot = strcmp(m->method, "random") == 0;
    size_t hit = 0;

    for (size_t k = 0; k < 2; k++) {
        const kldve_options o = {.struct_size = sizeof o,
                                 .method = m->method,
                                 .reading = m->reading,
                                 .target_kind = KLDVE_TARGET_INDEX,
                                 .target = s->object[k].kind,
                                 .seed = lot ? 1 + 2 * number + k : 0};
        kldve_heatmap *map = explain(b->ctx, b->ex, s, &o);

        hit += hits(b, map, s->mask + k * PIXELS);
        kldve_heatmap_free(map);
    }
    return hit;
}

enum { MAKERS_MAX = 12 };

static void check_pointing(const char *path, size_t n, const maker *makers, size_t count)
{
    static scene s;
    size_t hit[MAKERS_MAX] = {0};
    bench b;

    assert_true(count <= MAKERS_MAX);
    open_bench(&b, path);
    for (size_t i = 0; i < n; i++) {
        draw(b.ctx, &s, 1000000 + i, 2);
        assert_int_not_equal(s.object[0].kind, s.object[1].kind);
        for (size_t m = 0; m < count; m++)
            hit[m] += count_hits(&b, &s, &makers[m], i);
        kldve_image_free(s.picture);
    }
    for (size_t m = 0; m < count; m++)
        printf("%-12s %-10s points at the object asked for, of two: %.1f %%\n", makers[m].method,
               strcmp(makers[m].method, "kl-dve") ? "" : kldve_reading_name(makers[m].reading),
               50.0 * (double)hit[m] / (double)n);
    close_bench(&b);
    for (size_t m = 0; m < count; m++)
        assert_true(hit[m] * 100 >= 2 * n * makers[m].percent);
}

static void test_pointing(void **state)
{
    static const maker makers[] = {{"kl-dve", KLDVE_READING_PAPER, 0},
                                   {"kl-dve", KLDVE_READING_CHANNEL, 0},
                                   {"kl-dve", KLDVE_READING_CONTRAST, 90},
                                   {"kl-dve", KLDVE_READING_RIVALS, 90},
                                   {"kl-dve", KLDVE_READING_NEIGHBOURS, 90},
                                   {"grad-cam", 0, 90},
                                   {"layer-cam", 0, 0},
                                   {"random", 0, 0},
                                   {"centre", 0, 0}};

    (void)state;
    check_pointing(NULL, scenes_wanted(200, 2000), makers, sizeof makers / sizeof *makers);
}

static void test_pointing_of_transformer(void **state)
{
    static const maker makers[] = {{"kl-dve", KLDVE_READING_PAPER, 0},
                                   {"kl-dve", KLDVE_READING_CHANNEL, 0},
                                   {"kl-dve", KLDVE_READING_CONTRAST, 0},
                                   {"kl-dve", KLDVE_READING_RIVALS, 0},
                                   {"kl-dve", KLDVE_READING_NEIGHBOURS, 0},
                                   {"grad-cam", 0, 0},
                                   {"layer-cam", 0, 0},
                                   {"random", 0, 0},
                                   {"centre", 0, 0},
                                   {"hires-cam", 0, 0},
                                   {"rollout", 0, 0},
                                   {"grad-rollout", 0, 85}};

    (void)state;
    check_pointing(transformer(), scenes_wanted(200, 2000), makers, sizeof makers / sizeof *makers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_accuracy_of_transformer),
        cmocka_unit_test(test_pointing),
        cmocka_unit_test(test_pointing_of_transformer),
    };

    return cmocka_run_group_tests_name("pointing", tests, NULL, NULL);
}
