/* test_steps.c - the steps: which part of a picture the network sees; logits, features and
 * gradients that contain nothing to show; the class check, and what a call allocates.  Values are
 * compared with torchvision in torch_cases.py. */
#include "support.h"
#include "got.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <kldve/kldve.h>

#include "backends/broken.h"
#include "backends/picture.h"
#include "backends/tiny.h"

/* -- what the network sees -------------------------------------------------------------------- */

enum { SIDE = 8 * TINY_PATCH };

static const tiny_config colour = {3, 8, 8, 4, 3, 17, true};
static const tiny_config wide = {3, 4, 8, 4, 3, 17, true};

static const struct view {
    const char *name;
    const tiny_config *net;
    int32_t width, height; /* of the picture */
    int32_t resize, crop;
    double x, y, seen_width, seen_height; /* pixels of the picture */
} views[] = {
    {"network's size", &colour, SIDE, SIDE, 64, 48, 0, 0, SIDE, SIDE},
    {"landscape", &colour, 200, 100, 0, 0, 50, 0, 100, 100},
    {"portrait", &colour, 100, 200, 0, 0, 0, 50, 100, 100},
    /* 80 x 40 after resizing; 32 x 32 cut at (24, 4) */
    {"margin around the crop", &colour, 400, 200, 40, 32, 120, 20, 160, 160},
    /* 64 x 32; crop 20 at (22, 6), enlarged to 32 */
    {"crop smaller than the network's input", &colour, 128, 64, 0, 20, 44, 12, 40, 40},
    /* a wide network on a tall picture: 32 x 64 is enough for a crop of 32 x 16 */
    {"wide network, tall picture", &wide, 50, 100, 0, 0, 0, 37.5, 50, 25},
    {"wide network, wide picture", &wide, 200, 50, 0, 0, 50, 0, 100, 50},
};

static void check_view(void **state)
{
    const struct view *v = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, v->net);
    kldve_image *picture = picture_noise(ctx, v->width, v->height);
    kldve_input_spec spec = {.struct_size = sizeof spec,
                             .resize_shorter_side = v->resize,
                             .center_crop = v->crop,
                             .scale = 1 / 255.0f};
    kldve_record r = {.struct_size = sizeof r};
    kldve_timings ms = {.struct_size = sizeof ms};
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explainer_set_input(ex, &spec), KLDVE_OK);
    if (kldve_explain(ex, picture, NULL, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_true(fabs((double)r.seen_x * v->width - v->x) < 1e-3);
    assert_true(fabs((double)r.seen_y * v->height - v->y) < 1e-3);
    assert_true(fabs((double)r.seen_width * v->width - v->seen_width) < 1e-3);
    assert_true(fabs((double)r.seen_height * v->height - v->seen_height) < 1e-3);
    assert_int_equal(kldve_heatmap_timings(map, &ms), KLDVE_OK);
    assert_true(ms.preprocess > 0);
    kldve_heatmap_free(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- nothing to show -------------------------------------------------------------------------- */

enum { CLASSES = 4, H = 3, W = 5, CELLS = H * W, MAPS = 3 };

struct scene {
    float logits[CLASSES], features[MAPS * CELLS], gradient[MAPS * CELLS];
};

static void scene_of(struct scene *s, const float *logits)
{
    uint64_t seed = 3;

    memcpy(s->logits, logits, sizeof s->logits);
    for (int i = 0; i < MAPS * CELLS; i++) {
        s->features[i] = (float)test_random(&seed);
        s->gradient[i] = (float)test_normal(&seed);
    }
}

static kldve_arrays arrays_of(const struct scene *s)
{
    return (kldve_arrays){
        .struct_size = sizeof(kldve_arrays),
        .logits = s->logits,
        .features = s->features,
        .gradient = s->gradient,
        .classes = CLASSES,
        .maps = MAPS,
        .height = H,
        .width = W,
    };
}

static kldve_heatmap *explain(kldve_ctx *ctx, const struct scene *s, kldve_options o)
{
    kldve_arrays a = arrays_of(s);
    kldve_heatmap *map = NULL;

    o.struct_size = sizeof o;
    if (kldve_explain_arrays(ctx, &a, &o, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    return map;
}

static void is_flat(const kldve_heatmap *map, int32_t flat)
{
    kldve_record r = {.struct_size = sizeof r};
    const float *v = got_values(map);
    float low = 2, high = -1;

    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_int_equal((r.flags & KLDVE_RESULT_FLAT) != 0, flat);
    for (int i = 0; i < r.height * r.width; i++) {
        assert_true(isfinite(v[i]));
        low = fminf(low, v[i]);
        high = fmaxf(high, v[i]);
    }
    assert_true(low == 0);
    assert_true(high == (flat ? 0 : 1));
    assert_true(isfinite(r.kl) && isfinite(r.probability));
}

static const kldve_options every_reading[] = {{.reading = KLDVE_READING_PAPER},
                                              {.reading = KLDVE_READING_CHANNEL},
                                              {.reading = KLDVE_READING_CONTRAST},
                                              {.reading = KLDVE_READING_RIVALS}};

/* Equal logits: alpha = 0.  Whatever the gradient of the zero cotangent is said to be, the readings
 * that use alpha or t have a zero map; here the gradient is zero, as any VJP's. */
static void test_equal_logits(void **state)
{
    const float equal[CLASSES] = {2, 2, 2, 2};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct scene s;

    (void)state;
    scene_of(&s, equal);
    memset(s.gradient, 0, sizeof s.gradient);
    for (size_t i = 0; i < 4; i++) {
        kldve_options o = every_reading[i];
        kldve_heatmap *map;
        float t[CLASSES] = {1, 1, 1, 1};

        o.struct_size = sizeof o;
        assert_int_equal(kldve_arrays_cotangent(ctx, s.logits, CLASSES, &o, t), KLDVE_OK);
        for (int j = 0; j < CLASSES; j++)
            assert_true(t[j] == 0);
        map = explain(ctx, &s, o);
        is_flat(map, 1);
        for (int j = 0; j < CLASSES; j++)
            assert_true(got_alpha(map, NULL)[j] == 0);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* The neighbours of a tie are all other classes: there is a map, and nothing to remark. */
static void test_equal_neighbours(void **state)
{
    const float equal[CLASSES] = {2, 2, 2, 2};
    const kldve_options o = {.struct_size = sizeof o, .reading = KLDVE_READING_NEIGHBOURS};
    float t[CLASSES];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct scene s;
    kldve_heatmap *map;

    (void)state;
    scene_of(&s, equal);
    assert_int_equal(kldve_arrays_cotangent(ctx, s.logits, CLASSES, &o, t), KLDVE_OK);
    for (int j = 1; j < CLASSES; j++)
        assert_true(fabsf(t[j] + t[0] / (CLASSES - 1)) < 1e-6f && t[0] > 1);
    map = explain(ctx, &s, o);
    is_flat(map, 0);
    assert_null(kldve_heatmap_remark(map));
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_grey_picture(void **state)
{
    const tiny_config net = {1, H, W, MAPS, CLASSES, 5, false};
    broken_config config = {.inner = &tiny_backend, .inner_config = &net};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[CELLS * TINY_PATCH * TINY_PATCH] = {0};

    (void)state;
    assert_int_equal(kldve_explainer_new(ctx, &broken_backend, &config, &ex), KLDVE_OK);
    for (size_t i = 0; i < 4; i++) {
        kldve_options o = every_reading[i];

        o.struct_size = sizeof o;
        /* The same features in every cell. */
        assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_OK);
        is_flat(map, 1);
        kldve_heatmap_free(map);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_zero_features(void **state)
{
    const float logits[CLASSES] = {3, 1, 0, -1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct scene s;

    (void)state;
    scene_of(&s, logits);
    memset(s.features, 0, sizeof s.features);
    for (int32_t i = 0; got_method_name(i); i++) {
        kldve_options o = {.method = got_method_name(i)};
        kldve_heatmap *map;

        if (!tiny_from_arrays(i))
            continue;
        if (strcmp(o.method, "cam") == 0) /* wants a gradient that is constant over space */
            for (int j = 0; j < MAPS * CELLS; j++)
                s.gradient[j] = (float)(j / CELLS);
        map = explain(ctx, &s, o);
        is_flat(map, strcmp(o.method, "random") != 0); /* which looks at no features */
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Rounding makes small waves of a constant map; they must not be stretched to 0..1. */
static void test_constant_features(void **state)
{
    static const char *const methods[] = {"eigen-cam", "lafam", "grad-cam", "xgrad-cam"};
    const float logits[CLASSES] = {3, 1, 0, -1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct scene s;

    (void)state;
    scene_of(&s, logits);
    for (int m = 0; m < MAPS; m++)
        for (int i = 0; i < CELLS; i++)
            s.features[m * CELLS + i] = 0.1f + 0.37f * (float)m;
    for (size_t i = 0; i < 4; i++) {
        kldve_heatmap *map = explain(ctx, &s, every_reading[i]);

        is_flat(map, 1);
        kldve_heatmap_free(map);
    }
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        kldve_heatmap *map = explain(ctx, &s, (kldve_options){.method = methods[i]});

        is_flat(map, 1);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_one_cell(void **state)
{
    const float logits[CLASSES] = {3, 1, 0, -1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct scene s;
    kldve_arrays a;

    (void)state;
    scene_of(&s, logits);
    a = arrays_of(&s);
    a.height = a.width = 1;
    for (int32_t i = 0; got_method_name(i); i++) {
        kldve_options o = {.struct_size = sizeof o, .method = got_method_name(i)};
        kldve_heatmap *map = NULL;

        if (!tiny_from_arrays(i))
            continue;
        assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map), KLDVE_OK);
        is_flat(map, 1);
        kldve_heatmap_free(map);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* The largest and smallest numbers of float32: a map or KLDVE_E_NUMERIC, never NaN. */
static void test_extreme_numbers(void **state)
{
    static const float scale[] = {FLT_MAX, 1e30f, 1e-30f, 1e-44f};
    const float logits[CLASSES] = {3e37f, -3e37f, 0, 1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct scene s;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t r = 0; r < 4; r++) {
            kldve_options o = every_reading[r];
            kldve_heatmap *map = NULL;
            kldve_arrays a = arrays_of(&s);
            kldve_status st;

            scene_of(&s, logits);
            for (int j = 0; j < MAPS * CELLS; j++) {
                s.features[j] *= scale[i];
                s.gradient[j] *= scale[i] / 8;
            }
            o.struct_size = sizeof o;
            st = kldve_explain_arrays(ctx, &a, &o, &map);
            assert_true(st == KLDVE_OK || st == KLDVE_E_NUMERIC);
            if (st == KLDVE_OK) {
                kldve_record record = {.struct_size = sizeof record};

                assert_int_equal(kldve_heatmap_record(map, &record), KLDVE_OK);
                is_flat(map, (record.flags & KLDVE_RESULT_FLAT) != 0);
                kldve_heatmap_free(map);
            }
            assert_true(st == KLDVE_OK || scale[i] > 1e30f);
        }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- class sensitivity ------------------------------------------------------------------------ */

static double pearson(const float *a, const float *b)
{
    double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;

    for (int i = 0; i < CELLS; i++) {
        ma += (double)a[i] / CELLS;
        mb += (double)b[i] / CELLS;
    }
    for (int i = 0; i < CELLS; i++) {
        ab += ((double)a[i] - ma) * ((double)b[i] - mb);
        aa += ((double)a[i] - ma) * ((double)a[i] - ma);
        bb += ((double)b[i] - mb) * ((double)b[i] - mb);
    }
    return ab / sqrt(aa * bb);
}

static void test_class_sensitivity(void **state)
{
    const tiny_config net = {2, H, W, 8, 6, 21, true};
    long vjps = 0;
    const broken_config config = {.inner = &tiny_backend, .inner_config = &net, .vjps = &vjps};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    float input[2 * CELLS * TINY_PATCH * TINY_PATCH];
    uint64_t seed = 4;

    (void)state;
    for (size_t i = 0; i < sizeof input / sizeof *input; i++)
        input[i] = 3 * (float)test_normal(&seed);
    assert_int_equal(kldve_explainer_new(ctx, &broken_backend, &config, &ex), KLDVE_OK);
    for (int32_t rank = 0; rank < 3; rank++)
        for (size_t i = 0; i < 4; i++) {
            kldve_options o = every_reading[i];
            kldve_record r = {.struct_size = sizeof r};
            kldve_heatmap *plain = NULL, *checked = NULL, *other = NULL;

            o.struct_size = sizeof o;
            o.target = rank;
            assert_int_equal(kldve_explain_input(ex, input, &o, &plain), KLDVE_OK);
            o.flags = KLDVE_FLAG_CHECK;
            vjps = 0;
            assert_int_equal(kldve_explain_input(ex, input, &o, &checked), KLDVE_OK);
            assert_int_equal(vjps, o.reading == KLDVE_READING_PAPER ? 0 : 2);
            o.target = rank == 0 ? 1 : 0; /* the best other class */
            o.flags = 0;
            assert_int_equal(kldve_explain_input(ex, input, &o, &other), KLDVE_OK);
            assert_memory_equal(got_values(plain), got_values(checked), CELLS * sizeof(float));
            assert_int_equal(kldve_heatmap_record(checked, &r), KLDVE_OK);
            if (o.reading == KLDVE_READING_PAPER)
                assert_true(r.class_sensitivity == 0);
            else
                assert_true(fabs(r.class_sensitivity - 1 +
                                 pearson(got_values(plain), got_values(other))) < 1e-12);
            kldve_heatmap_free(plain);
            kldve_heatmap_free(checked);
            kldve_heatmap_free(other);
        }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- allocations ------------------------------------------------------------------------------ */

/* After the first call only the heat map itself is allocated, by each method of the layer but the
 * two that say otherwise. */
static void test_allocations(void **state)
{
    const tiny_config net = {2, H, W, 8, 6, 21, false};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    float input[2 * CELLS * TINY_PATCH * TINY_PATCH] = {1, 2, 3};

    (void)state;
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, &ex), KLDVE_OK);
    for (int32_t i = 0; got_method_name(i); i++) {
        kldve_options o = {.struct_size = sizeof o,
                           .method = got_method_name(i),
                           .flags = KLDVE_FLAG_CHECK,
                           .check_passes = -1};
        kldve_heatmap *map = NULL;

        if (strncmp(o.method, "eigen", 5) == 0 || !tiny_from_arrays(i))
            continue;
        assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_OK);
        kldve_heatmap_free(map);
        heap.calls = 0;
        assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_OK);
        assert_int_equal(heap.calls, 1);
        kldve_heatmap_free(map);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_logits),      cmocka_unit_test(test_equal_neighbours),
        cmocka_unit_test(test_grey_picture),      cmocka_unit_test(test_zero_features),
        cmocka_unit_test(test_constant_features), cmocka_unit_test(test_one_cell),
        cmocka_unit_test(test_extreme_numbers),   cmocka_unit_test(test_class_sensitivity),
        cmocka_unit_test(test_allocations),
    };
    int failed = TEST_RUN_CASES("pictures by name", views, check_view);

    return failed + cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
