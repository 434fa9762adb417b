/* test_cams.c - the table of methods, and methods that a host registers, one of each kind: weights
 * only, repeated forward passes with progress, gradients at the pixels, changed feature maps. */
#include "backends/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/method.h>

static kldve_status explain(fixture *f, const char *method, uint64_t flags, kldve_heatmap **map)
{
    kldve_options o = {.struct_size = sizeof o, .method = method, .flags = flags};

    return kldve_explain_input(f->ex, f->input, &o, map);
}

/* -- the table -------------------------------------------------------------------------------- */

static void test_table(void **state)
{
    int32_t count = 0;

    (void)state;
    while (kldve_method_name(count)) {
        const kldve_method *m = kldve_method_at(NULL, count);

        assert_string_equal(m->name, kldve_method_name(count));
        assert_non_null(m->source);
        assert_true(m->weights || m->map);
        for (int32_t i = 0; i < count; i++)
            assert_string_not_equal(m->name, kldve_method_name(i));
        count++;
    }
    assert_true(count >= 10);
    assert_string_equal(kldve_method_name(0), "kl-dve");
    assert_null(kldve_method_at(NULL, count));
    assert_null(kldve_method_at(NULL, -1));
    assert_null(kldve_method_name(-1));
}

static void test_reading_names(void **state)
{
    (void)state;
    for (int32_t i = KLDVE_READING_PAPER; i <= KLDVE_READING_RIVALS; i++)
        assert_int_equal(kldve_reading_from_name(kldve_reading_name(i)), i);
    assert_null(kldve_reading_name(0));
    assert_null(kldve_reading_name(5));
    assert_int_equal(kldve_reading_from_name("Paper"), -1);
    assert_int_equal(kldve_reading_from_name(""), -1);
    assert_int_equal(kldve_reading_from_name(NULL), -1);
}

/* -- registering ------------------------------------------------------------------------------ */

static kldve_status first_map(const kldve_job *job, double *weights)
{
    assert_non_null(job->features);
    assert_null(job->gradient);
    weights[0] = *(const double *)job->method->opaque;
    for (int32_t m = 1; m < job->shape->maps; m++)
        weights[m] = 0;
    return KLDVE_OK;
}

static const double one = 1, not_a_number = (double)NAN;

static const kldve_method map_0 = {
    .struct_size = sizeof(kldve_method),
    .name = "map-0",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES,
    .opaque = &one,
    .weights = first_map,
};

static void refuse(kldve_ctx *ctx, kldve_method m, const char *message)
{
    assert_int_equal(kldve_method_register(ctx, &m), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), message);
}

static void test_register_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_method m = map_0;

    (void)state;
    assert_int_equal(kldve_method_register(NULL, &map_0), KLDVE_E_ARG);
    assert_int_equal(kldve_method_register(ctx, NULL), KLDVE_E_ARG);
    m.struct_size = 8;
    refuse(ctx, m, "kldve_method: struct_size is 8; set it to sizeof(kldve_method)");
    m = map_0;
    m.name = "";
    refuse(ctx, m, "register: the name \"\" must be made of a-z, 0-9, + and -");
    m.name = "Map 0";
    refuse(ctx, m, "register: the name \"Map 0\" must be made of a-z, 0-9, + and -");
    m.name = "grad-cam";
    refuse(ctx, m, "register: a method \"grad-cam\" already exists, choose another name");
    m = map_0;
    m.weights = NULL;
    refuse(ctx, m, "register: map-0 has neither weights nor map: set one");
    m = map_0;
    m.needs = 64;
    refuse(ctx, m, "register: map-0: unknown needs, readings, resolution or sign");
    m = map_0;
    m.readings = 1u << (KLDVE_READING_RIVALS + 1);
    refuse(ctx, m, "register: map-0: unknown needs, readings, resolution or sign");
    m = map_0;
    m.resolution = KLDVE_RESOLUTION_PIXELS;
    refuse(ctx, m, "register: map-0: a map of pixels needs the slot map, not weights");
    heap.budget = 0;
    assert_int_equal(kldve_method_register(ctx, &map_0), KLDVE_E_NOMEM);
    heap.budget = -1;
    assert_int_equal(kldve_method_register(ctx, &map_0), KLDVE_OK);
    refuse(ctx, map_0, "register: a method \"map-0\" already exists, choose another name");
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Every method of the library says what it is; readings are those of kl-dve and its product. */
static void test_entries(void **state)
{
    const kldve_method *m, *other;

    (void)state;
    for (int32_t i = 0; (m = kldve_method_at(NULL, i)) != NULL; i++) {
        assert_true(m->title && m->summary && m->source);
        assert_int_equal(m->readings != 0, strstr(m->name, "kl-dve") != NULL);
        for (int32_t j = 0; j < i; j++) {
            other = kldve_method_at(NULL, j);
            assert_string_not_equal(m->title, other->title);
            assert_string_not_equal(m->summary, other->summary);
        }
    }
}

/* docs/method.md lists the methods of the library, in their order and in their own words. */
static void test_page(void **state)
{
    const kldve_method *m;
    char row[512];
    size_t nbytes;
    char *page = test_file_load(test_path("%s/docs/method.md", getenv("KLDVE_SOURCE")), &nbytes);
    const char *at = strstr(page, "## All methods");

    (void)state;
    assert_non_null(at);
    at = strstr(at, "|---|---|---|---|\n");
    assert_non_null(at);
    at = strchr(at, '\n') + 1;
    for (int32_t i = 0; (m = kldve_method_at(NULL, i)) != NULL; i++) {
        snprintf(row, sizeof row, "| `%s` | %s | %s | %s |\n", m->name, m->title, m->summary,
                 m->source);
        if (strncmp(at, row, strlen(row)) != 0)
            fail_msg("docs/method.md: row %d of the table should be %s", (int)i + 1, row);
        at += strlen(row);
    }
    assert_true(*at != '|');
    free(page);
}

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
    while (kldve_method_name(last))
        last++;
    assert_memory_equal(kldve_method_at(f.ctx, last), &map_0, sizeof map_0);
    assert_memory_equal(kldve_method_at(f.ctx, last + 1), &broken, sizeof broken);
    assert_null(kldve_method_at(f.ctx, last + 2));
    assert_int_equal(explain(&f, "map-0", KLDVE_FLAG_CHECK, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_string_equal(r.method, "map-0");
    assert_true(r.class_sensitivity == 0);
    assert_true(kldve_heatmap_weights(map, &count)[0] == 1);
    assert_null(kldve_heatmap_cotangent(map, &count));
    kldve_heatmap_free(map);
    map = NULL;
    assert_int_equal(explain(&f, "broken-weights", 0, &map), KLDVE_E_NUMERIC);
    assert_string_equal(kldve_ctx_message(f.ctx),
                        "broken-weights: the weight of map 0 is not a number");
    assert_null(map);
    fixture_close(&f);
}

/* -- repeated forward passes ------------------------------------------------------------------ */

/* Occlusion: how much the target's logit drops when the pixels under a cell are 0. */
static kldve_status occlude(const kldve_job *job, float *map)
{
    float input[CHANNELS * PIXELS], logits[CLASSES];
    kldve_status st;

    for (int32_t cell = 0; cell < CELLS; cell++) {
        memcpy(input, job->input, sizeof input);
        for (int32_t c = 0; c < CHANNELS; c++)
            for (int32_t y = 0; y < TINY_PATCH; y++)
                memset(input + c * PIXELS + (cell / W * TINY_PATCH + y) * IN_W +
                           cell % W * TINY_PATCH,
                       0, TINY_PATCH * sizeof *input);
        if ((st = kldve_ctx_progress(job->ctx, "occlusion", cell, CELLS)) < 0 ||
            (st = kldve_job_forward(job, input, logits)) < 0)
            return st;
        map[cell] = job->logits[job->target] - logits[job->target];
    }
    return KLDVE_OK;
}

static const kldve_method occlusion = {
    .struct_size = sizeof(kldve_method),
    .name = "cell-occlusion",
    .source = "this test",
    .needs = KLDVE_NEED_FORWARDS | KLDVE_NEED_GRADIENT, /* the gradient to see it come back */
    .map = occlude,
};

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
    assert_memory_equal(kldve_heatmap_values(first), kldve_heatmap_values(checked),
                        CELLS * sizeof(float));
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
    assert_memory_equal(kldve_heatmap_values(plain), kldve_heatmap_values(checked),
                        CELLS * sizeof(float));
    kldve_heatmap_free(plain);
    kldve_heatmap_free(checked);
    fixture_close(&f);
}

/* -- gradients at the pixels ------------------------------------------------------------------ */

/* The largest magnitude over the channels. */
static kldve_status saliency_map(const kldve_job *job, float *map)
{
    float t[CLASSES] = {0}, g[CHANNELS * PIXELS];
    kldve_status st;

    t[job->target] = 1;
    if ((st = kldve_job_vjp_input(job, t, KLDVE_RULE_GRADIENT, g)) < 0)
        return st;
    for (int32_t i = 0; i < PIXELS; i++) {
        map[i] = 0;
        for (int32_t c = 0; c < CHANNELS; c++)
            map[i] = fmaxf(map[i], fabsf(g[c * PIXELS + i]));
    }
    return KLDVE_OK;
}

static const kldve_method saliency = {
    .struct_size = sizeof(kldve_method),
    .name = "pixel-saliency",
    .source = "this test",
    .needs = KLDVE_NEED_INPUT_GRADIENT,
    .resolution = KLDVE_RESOLUTION_PIXELS,
    .map = saliency_map,
};

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
    assert_int_equal(r.flat, 0);
    assert_true(r.class_sensitivity > 0);
    assert_int_equal(kldve_heatmap_upsample(map, 1, 1, &one_pixel), KLDVE_OK);
    assert_int_equal(kldve_heatmap_render(map, NULL, NULL, &picture), KLDVE_OK);
    assert_int_equal(kldve_image_width(picture), IN_W);
    kldve_image_free(picture);
    kldve_heatmap_free(map);
    fixture_close(&f);
}

/* -- relevance and biases ---------------------------------------------------------------------- */

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

static void test_relevance(void **state)
{
    const char *const names[] = {"lrp-epsilon", "lrp-zplus", "lrp-alphabeta", "lrp-composite",
                                 "full-grad"};
    fixture f;
    kldve_record r = {.struct_size = sizeof r};

    (void)state;
    fixture_open(&f, &tiny_backend);
    for (size_t i = 0; i < 5; i++) {
        kldve_heatmap *map = NULL;

        assert_int_equal(explain(&f, names[i], KLDVE_FLAG_CHECK, &map), KLDVE_OK);
        assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
        assert_string_equal(r.method, names[i]);
        assert_int_equal(r.height, IN_H);
        assert_int_equal(r.width, IN_W);
        assert_int_equal(r.flat, 0);
        assert_true(r.class_sensitivity > 0);
        kldve_heatmap_free(map);
    }
    fixture_close(&f);
}

/* -- changed feature maps --------------------------------------------------------------------- */

/* Ablation-CAM's weight: how much the logit drops without the map. */
static kldve_status ablate(const kldve_job *job, double *weights)
{
    float x[MAPS * CELLS], logits[CLASSES];
    kldve_status st;

    for (int32_t m = 0; m < MAPS; m++) {
        memcpy(x, job->features, sizeof x);
        memset(x + m * CELLS, 0, CELLS * sizeof *x);
        if ((st = kldve_job_forward_features(job, x, logits)) < 0)
            return st;
        weights[m] = (double)(job->logits[job->target] - logits[job->target]);
    }
    return KLDVE_OK;
}

static const kldve_method ablation = {
    .struct_size = sizeof(kldve_method),
    .name = "map-ablation",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_FEATURE_FORWARDS,
    .weights = ablate,
};

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

/* -- what cannot be given --------------------------------------------------------------------- */

static void test_needs(void **state)
{
    const float numbers[MAPS * CELLS] = {1, 2, 3, 4, 5, 6};
    const kldve_arrays arrays = {sizeof arrays, numbers, numbers, numbers, CLASSES, MAPS, H, W};
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

/* -- memory ----------------------------------------------------------------------------------- */

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
            if (!kldve_method_at(f.ctx, i)) {
                fixture_close(&f);
                assert_true(i >= 14);
                return;
            }
            o.method = kldve_method_at(f.ctx, i)->name;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_reading_names),
        cmocka_unit_test(test_register_refuses),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_weights_only),
        cmocka_unit_test(test_forwards),
        cmocka_unit_test(test_network_is_taken_back),
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_biases),
        cmocka_unit_test(test_relevance),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests_name("methods", tests, NULL, NULL);
}
