/* test_methods.c - methods that a host registers, one of each kind; every method of the library
 * while memory runs out. */
#include "hosted.h"
#include "got.h"

#include <math.h>
#include <string.h>

static const double not_a_number = (double)NAN;

static void test_weights_only(void **state)
{
    fixture f;
    kldve_heatmap *map = NULL;
    kldve_method broken = map_0;
    kldve_record r = {.struct_size = sizeof r};
    int32_t last = 0;
    size_t count;

    (void)state;
    fixture_open(&f, &tiny_backend);
    broken.name = "broken-weights";
    broken.opaque = &not_a_number;
    assert_int_equal(explain(&f, "map-0", 0, &map), KLDVE_E_UNSUPPORTED);
    assert_int_equal(kldve_method_register(f.ctx, &map_0), KLDVE_OK);
    assert_int_equal(kldve_method_register(f.ctx, &broken), KLDVE_OK);
    while (got_method_name(last))
        last++;
    assert_memory_equal(got_method(f.ctx, last), &map_0, sizeof map_0);
    assert_memory_equal(got_method(f.ctx, last + 1), &broken, sizeof broken);
    assert_null(got_method(f.ctx, last + 2));
    assert_int_equal(explain(&f, "map-0", KLDVE_FLAG_CHECK, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_string_equal(r.method, "map-0");
    assert_true(r.class_sensitivity == 0);
    assert_true(got_weights(map, &count)[0] == 1);
    assert_null(got_cotangent(map, &count));
    kldve_heatmap_free(map);
    map = NULL;
    assert_int_equal(explain(&f, "broken-weights", 0, &map), KLDVE_E_NUMERIC);
    assert_string_equal(kldve_ctx_message(f.ctx),
                        "broken-weights: the weight of map 0 is not a number");
    assert_null(map);
    fixture_close(&f);
}

static int32_t stop_at_5(void *opaque, const char *stage, int64_t done, int64_t total)
{
    *(int64_t *)opaque = total;
    return strcmp(stage, "occlusion") == 0 && done == 5;
}

static void test_forwards(void **state)
{
    fixture f;
    kldve_heatmap *first = NULL, *again = NULL, *checked = NULL;
    int64_t total = 0;

    (void)state;
    fixture_open(&f, &tiny_backend);
    assert_int_equal(kldve_method_register(f.ctx, &occlusion), KLDVE_OK);
    assert_int_equal(explain(&f, "cell-occlusion", 0, &first), KLDVE_OK);
    kldve_ctx_set_progress(f.ctx, stop_at_5, &total);
    assert_int_equal(explain(&f, "cell-occlusion", 0, &again), KLDVE_E_CANCELLED);
    assert_int_equal(total, CELLS);
    assert_string_equal(kldve_ctx_message(f.ctx), "cancelled during occlusion");
    assert_null(again);
    kldve_ctx_set_progress(f.ctx, NULL, NULL);
    assert_int_equal(explain(&f, "cell-occlusion", KLDVE_FLAG_CHECK, &checked), KLDVE_OK);
    assert_memory_equal(got_values(first), got_values(checked), CELLS * sizeof(float));
    kldve_heatmap_free(checked);
    kldve_heatmap_free(first);
    fixture_close(&f);
}

/* The VJP of the second class comes after forward passes of other inputs: the library has to take
 * the network back to the explained one. */
static kldve_status occlude_then_gradient(const kldve_job *job, float *map)
{
    kldve_status st = occlude(job, map);

    for (int32_t i = 0; st == KLDVE_OK && i < CELLS; i++)
        map[i] = job->gradient[i];
    return st;
}

static void test_network_is_taken_back(void **state)
{
    kldve_method m = occlusion;
    fixture f;
    kldve_heatmap *plain = NULL, *checked = NULL;

    (void)state;
    fixture_open(&f, &tiny_backend);
    m.map = occlude_then_gradient;
    assert_int_equal(kldve_method_register(f.ctx, &m), KLDVE_OK);
    assert_int_equal(explain(&f, "cell-occlusion", 0, &plain), KLDVE_OK);
    assert_int_equal(explain(&f, "cell-occlusion", KLDVE_FLAG_CHECK, &checked), KLDVE_OK);
    assert_memory_equal(got_values(plain), got_values(checked), CELLS * sizeof(float));
    kldve_heatmap_free(plain);
    kldve_heatmap_free(checked);
    fixture_close(&f);
}

static void test_pixels(void **state)
{
    fixture f;
    kldve_heatmap *map = NULL;
    kldve_record r = {.struct_size = sizeof r};
    kldve_image *picture = NULL;
    float one_pixel;

    (void)state;
    fixture_open(&f, &tiny_backend);
    assert_int_equal(kldve_method_register(f.ctx, &saliency), KLDVE_OK);
    assert_int_equal(explain(&f, "pixel-saliency", KLDVE_FLAG_CHECK, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_int_equal(r.height, IN_H);
    assert_int_equal(r.width, IN_W);
    assert_false(r.flags & KLDVE_RESULT_FLAT);
    assert_true(r.class_sensitivity > 0);
    assert_int_equal(kldve_heatmap_upsample(f.ctx, map, 1, 1, 0, &one_pixel), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(f.ctx, map, NULL, NULL, &picture), KLDVE_OK);
    assert_int_equal(kldve_image_width(picture) % IN_W, 0);
    kldve_image_free(picture);
    kldve_heatmap_free(map);
    fixture_close(&f);
}

/* What a method sees of the network beside the map. */
typedef struct probe {
    double score, input, biases;
    int visits;
} probe;

static kldve_status add_bias(void *opaque, const kldve_bias_gradient *unit)
{
    probe *p = opaque;
    int32_t cells = unit->height * unit->width;

    for (int32_t c = 0; c < unit->maps; c++)
        for (int32_t i = 0; i < cells; i++)
            p->biases += (double)unit->bias[c] * (double)unit->gradient[c * cells + i];
    p->visits++;
    return KLDVE_OK;
}

static kldve_status probe_map(const kldve_job *job, float *map)
{
    probe *p = (probe *)(uintptr_t)job->method->opaque;
    float t[CLASSES] = {0}, g[CHANNELS * PIXELS];
    kldve_status st;

    *p = (probe){.score = (double)job->logits[job->target]};
    t[job->target] = 1;
    if ((st = kldve_job_vjp_biases(job, t, g, add_bias, p)) < 0)
        return st;
    for (int32_t i = 0; i < CHANNELS * PIXELS; i++)
        p->input += (double)g[i] * (double)job->input[i];
    memcpy(map, g, PIXELS * sizeof *map);
    return KLDVE_OK;
}

/* Completeness (Srinivas and Fleuret 2019): biases and input times their gradients make the score.
 */
static void test_biases(void **state)
{
    const tiny_config linear = {CHANNELS, H, W, MAPS, CLASSES, 101, false};
    probe p;
    const kldve_method probing = {.struct_size = sizeof probing,
                                  .name = "probe",
                                  .source = "this test",
                                  .needs = KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_BIAS_GRADIENT,
                                  .resolution = KLDVE_RESOLUTION_PIXELS,
                                  .opaque = &p,
                                  .map = probe_map};
    fixture f;
    kldve_heatmap *map = NULL;

    (void)state;
    fixture_open(&f, &tiny_backend);
    kldve_explainer_free(f.ex);
    assert_int_equal(kldve_explainer_new(f.ctx, &tiny_backend, &linear, &f.ex), KLDVE_OK);
    assert_int_equal(kldve_method_register(f.ctx, &probing), KLDVE_OK);
    assert_int_equal(explain(&f, "probe", 0, &map), KLDVE_OK);
    assert_int_equal(p.visits, 2);
    assert_true(fabs(p.biases) > 1e-3 * fabs(p.score));
    assert_true(fabs(p.input + p.biases - p.score) <= 1e-5 * fabs(p.score));
    kldve_heatmap_free(map);
    fixture_close(&f);
}

static void test_features(void **state)
{
    fixture f;
    kldve_heatmap *map = NULL;

    (void)state;
    fixture_open(&f, &tiny_backend);
    assert_int_equal(kldve_method_register(f.ctx, &ablation), KLDVE_OK);
    assert_int_equal(explain(&f, "map-ablation", KLDVE_FLAG_CHECK, &map), KLDVE_OK);
    kldve_heatmap_free(map);
    fixture_close(&f);
}

static void test_needs(void **state)
{
    const float numbers[MAPS * CELLS] = {1, 2, 3, 4, 5, 6};
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = numbers,
                                 .features = numbers,
                                 .gradient = numbers,
                                 .classes = CLASSES,
                                 .maps = MAPS,
                                 .height = H,
                                 .width = W};
    const kldve_method *const own[] = {&occlusion, &saliency, &ablation};
    kldve_backend older = tiny_backend;
    fixture f;
    kldve_heatmap *map = NULL;

    (void)state;
    fixture_open(&f, &tiny_backend_plain);
    for (size_t i = 0; i < 3; i++) {
        kldve_options o = {.struct_size = sizeof o, .method = own[i]->name};

        assert_int_equal(kldve_method_register(f.ctx, own[i]), KLDVE_OK);
        assert_int_equal(kldve_explain_arrays(f.ctx, &arrays, &o, &map), KLDVE_E_UNSUPPORTED);
        assert_non_null(
            strstr(kldve_ctx_message(f.ctx), "needs the network itself, not only its arrays"));
    }
    assert_int_equal(explain(&f, "pixel-saliency", 0, &map), KLDVE_E_NO_VJP);
    assert_string_equal(
        kldve_ctx_message(f.ctx),
        "plain: the method pixel-saliency needs a gradient at the pixels, which this "
        "backend cannot give");
    assert_int_equal(explain(&f, "map-ablation", 0, &map), KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(f.ctx),
                        "plain: the method map-ablation needs to run from changed feature maps, "
                        "which this backend cannot");
    assert_int_equal(explain(&f, "lrp-zplus", 0, &map), KLDVE_E_NO_VJP);
    assert_int_equal(explain(&f, "full-grad", 0, &map), KLDVE_E_NO_VJP);
    assert_null(map);
    fixture_close(&f);
    /* A backend of before there were gradients at biases. */
    older.struct_size = offsetof(kldve_backend, vjp_biases);
    fixture_open(&f, &older);
    assert_int_equal(explain(&f, "full-grad", 0, &map), KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(f.ctx), "tiny: the method full-grad needs the gradients "
                                                  "at the biases, which this backend cannot give");
    assert_null(map);
    fixture_close(&f);
}

/* Every method, every allocation failed once. */
static void test_allocations(void **state)
{
    const kldve_method *const own[] = {&map_0, &occlusion, &saliency, &ablation};
    const tiny_config linear = {CHANNELS, H, W, MAPS, CLASSES, 101, false};

    (void)state;
    for (int32_t i = 0;; i++) {
        long budget = -1, calls = 0;

        do {
            fixture f;
            kldve_options o = {.struct_size = sizeof o, .flags = KLDVE_FLAG_CHECK};
            kldve_heatmap *map = NULL;
            kldve_status st;

            fixture_open(&f, &tiny_backend);
            kldve_explainer_free(f.ex);
            assert_int_equal(kldve_explainer_new(f.ctx, &tiny_backend, &linear, &f.ex), KLDVE_OK);
            for (size_t m = 0; m < 4; m++)
                assert_int_equal(kldve_method_register(f.ctx, own[m]), KLDVE_OK);
            if (!got_method(f.ctx, i)) {
                fixture_close(&f);
                assert_true(i >= 14);
                return;
            }
            o.method = got_method(f.ctx, i)->name;
            f.heap.calls = 0;
            f.heap.budget = budget;
            st = kldve_explain_input(f.ex, f.input, &o, &map);
            f.heap.budget = -1;
            if (budget < 0)
                calls = f.heap.calls;
            assert_int_equal(st, budget < 0 ? KLDVE_OK : KLDVE_E_NOMEM);
            assert_true((map != NULL) == (budget < 0));
            assert_true((*kldve_ctx_message(f.ctx) != 0) == (budget >= 0));
            kldve_heatmap_free(map);
            fixture_close(&f);
            budget++;
        } while (budget < calls);
    }
}

TEST_MAIN(methods)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_only),
        cmocka_unit_test(test_forwards),
        cmocka_unit_test(test_network_is_taken_back),
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_biases),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
