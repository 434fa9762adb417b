/* test_explain.c - the pipeline as a whole: sets of classes and rivals, a truth, signs,
 * augmentation smoothing, standard errors; what is refused, cancelled and allocated on the way. */
#include "backends/fixture.h"
#include "got.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>

#include "backends/picture.h"

static void assert_same_map(const kldve_heatmap *a, const kldve_heatmap *b)
{
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf(got_values(a)[i] - got_values(b)[i]) < 1e-5f);
}

/* -- targets ---------------------------------------------------------------------------------- */

static void test_set_of_one(void **state)
{
    const int32_t one = 4;

    for (int32_t reading = KLDVE_READING_PAPER; reading <= KLDVE_READING_NEIGHBOURS; reading++) {
        kldve_heatmap *set =
            fixture_explain(*state, (kldve_options){.reading = reading,
                                                    .target_kind = KLDVE_TARGET_SET,
                                                    .targets = &one,
                                                    .target_count = 1});
        kldve_heatmap *index = fixture_explain(
            *state,
            (kldve_options){.reading = reading, .target_kind = KLDVE_TARGET_INDEX, .target = one});

        assert_same_map(set, index);
        assert_int_equal(fixture_record(set).target, one);
        assert_true(fabs(fixture_record(set).kl - fixture_record(index).kl) < 1e-12);
        kldve_heatmap_free(set);
        kldve_heatmap_free(index);
    }
}

/* The cotangent of a set is the sum of the classes' terms, and Grad-CAM's the mean of its logits.
 */
static void test_set(void **state)
{
    fixture *f = *state;
    const int32_t both[] = {1, 3};
    const kldve_options o = {.target_kind = KLDVE_TARGET_SET, .targets = both, .target_count = 2};
    kldve_heatmap *set = fixture_explain(f, o);
    double sum[CLASSES] = {0}, term[CLASSES], scores[CLASSES], z[CLASSES], kl;
    kldve_divergence *d = NULL;
    kldve_options cam = o;
    size_t n;

    for (int i = 0; i < CLASSES; i++)
        scores[i] = (double)got_logits(set, NULL)[i];
    assert_int_equal(kldve_divergence_new(f->ctx, CLASSES, NULL, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, scores), KLDVE_OK);
    for (int j = 0; j < 2; j++) {
        assert_int_equal(kldve_divergence_neighbours(d, both[j], 0, term), KLDVE_OK);
        for (int i = 0; i < CLASSES; i++)
            sum[i] += term[i];
    }
    assert_memory_equal(got_cotangent(set, &n), sum, sizeof sum);
    assert_int_equal(kldve_divergence_positives(d, both, 2, z, &kl), KLDVE_OK);
    assert_memory_equal(got_z(set, &n), z, sizeof z);
    assert_true(fixture_record(set).kl == kl);
    kldve_divergence_free(d);
    kldve_heatmap_free(set);

    cam.method = "grad-cam";
    set = fixture_explain(f, cam);
    for (int i = 0; i < CLASSES; i++)
        assert_true(got_cotangent(set, &n)[i] == (i == 1 || i == 3 ? 0.5 : 0));
    kldve_heatmap_free(set);
}

static void test_versus(void **state)
{
    static const char *const methods[] = {"kl-dve", "grad-cam", "layer-cam"};

    for (size_t m = 0; m < 3; m++) {
        kldve_heatmap *map = fixture_explain(
            *state,
            (kldve_options){
                .method = methods[m], .target_kind = KLDVE_TARGET_VERSUS, .target = 2, .rival = 5});
        size_t n;
        const double *t = got_cotangent(map, &n);

        for (size_t i = 0; i < n; i++)
            assert_true(t[i] == (i == 2 ? 1 : i == 5 ? -1 : 0));
        kldve_heatmap_free(map);
    }
}

/* Swapping the two changes the sign of a signed map and nothing else. */
static void test_versus_swapped(void **state)
{
    kldve_options o = {.method = "hires-cam",
                       .target_kind = KLDVE_TARGET_VERSUS,
                       .target = 2,
                       .rival = 5,
                       .sign = KLDVE_SIGN_SIGNED};
    kldve_heatmap *there = fixture_explain(*state, o), *back;

    o.target = 5;
    o.rival = 2;
    back = fixture_explain(*state, o);
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf(got_values(there)[i] + got_values(back)[i] - 1) < 1e-5f);
    kldve_heatmap_free(there);
    kldve_heatmap_free(back);
}

/* -- the truth -------------------------------------------------------------------------------- */

static void test_truth(void **state)
{
    fixture *f = *state;
    const double y[CLASSES] = {0.3, 2, -1, 0.7, 4, 1.5};
    double scores[CLASSES], z[CLASSES], kl;
    const kldve_divergence_options limit = {
        .struct_size = sizeof limit, .unattainable = KLDVE_UNATTAINABLE_LIMIT, .perplexity = 2.5};
    kldve_heatmap *map = fixture_explain(f, (kldve_options){.truth = y, .perplexity = 2.5});
    kldve_heatmap *channel = fixture_explain(
        f, (kldve_options){.truth = y, .perplexity = 2.5, .reading = KLDVE_READING_CHANNEL});
    kldve_divergence *d = NULL;
    size_t n;

    for (int i = 0; i < CLASSES; i++)
        scores[i] = (double)got_logits(map, NULL)[i];
    assert_int_equal(kldve_divergence_new(f->ctx, CLASSES, &limit, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, scores), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, y, z, &kl), KLDVE_OK);
    assert_memory_equal(got_z(map, &n), z, sizeof z);
    assert_true(fixture_record(map).kl == kl);
    assert_int_equal(kldve_divergence_standardise(z, CLASSES, z, NULL), KLDVE_OK);
    assert_memory_equal(got_cotangent(map, &n), z, sizeof z);
    assert_memory_equal(got_cotangent(channel, &n), z, sizeof z);
    kldve_divergence_free(d);
    kldve_heatmap_free(channel);
    kldve_heatmap_free(map);
}

/* -- signs ------------------------------------------------------------------------------------ */

#define VERSUS .method = "hires-cam", .target_kind = KLDVE_TARGET_VERSUS, .target = 2, .rival = 5

static void test_signs(void **state)
{
    kldve_heatmap *plain = fixture_explain(*state, (kldve_options){VERSUS});
    kldve_heatmap *map[KLDVE_SIGN_ABSOLUTE + 1];
    bool against = false;

    for (int32_t sign = KLDVE_SIGN_POSITIVE; sign <= KLDVE_SIGN_ABSOLUTE; sign++) {
        map[sign] = fixture_explain(*state, (kldve_options){VERSUS, .sign = sign});
        assert_int_equal(fixture_record(map[sign]).sign, sign);
    }
    assert_same_map(plain, map[KLDVE_SIGN_POSITIVE]);
    for (int i = 0; i < CELLS; i++) {
        float s = got_values(map[KLDVE_SIGN_SIGNED])[i];
        float p = got_values(plain)[i];

        against |= s < 0.45f;
        /* Positive values keep their order of size; the smallest of them is moved to 0. */
        assert_true(s > 0.5f || p == 0 || fabsf(s - 0.5f) < 1e-6f);
    }
    assert_true(against);
    for (int i = 0; i < CELLS; i++) /* up to the shift of the smallest magnitude to 0 */
        for (int j = 0; j < CELLS; j++) {
            const float *s = got_values(map[KLDVE_SIGN_SIGNED]);
            const float *a = got_values(map[KLDVE_SIGN_ABSOLUTE]);

            assert_true(fabsf(s[i] - 0.5f) <= fabsf(s[j] - 0.5f) + 1e-6f || a[i] >= a[j]);
        }
    for (int32_t sign = KLDVE_SIGN_POSITIVE; sign <= KLDVE_SIGN_ABSOLUTE; sign++)
        kldve_heatmap_free(map[sign]);
    kldve_heatmap_free(plain);
}

/* -- smoothing -------------------------------------------------------------------------------- */

/* The mean of the six maps made one by one. */
static void test_smooth(void **state)
{
    static const float factor[] = {1, 0.9f, 1.1f};
    fixture *f = *state;
    kldve_heatmap *smooth = fixture_explain(f, (kldve_options){.smooth = 1});
    float original[CHANNELS * PIXELS], mean[CELLS] = {0}, low, high;
    int32_t target = fixture_record(smooth).target;

    memcpy(original, f->input, sizeof original);
    for (int v = 0; v < 6; v++) {
        kldve_heatmap *map;

        for (int i = 0; i < CHANNELS * PIXELS; i++)
            f->input[i] = factor[v % 3] * original[v < 3 ? i : i - i % IN_W + IN_W - 1 - i % IN_W];
        map = fixture_explain(f,
                              (kldve_options){.target_kind = KLDVE_TARGET_INDEX, .target = target});
        for (int i = 0; i < CELLS; i++)
            mean[i] += got_values(map)[v < 3 ? i : i - i % W + W - 1 - i % W] / 6;
        kldve_heatmap_free(map);
    }
    low = high = mean[0];
    for (int i = 1; i < CELLS; i++) {
        low = fminf(low, mean[i]);
        high = fmaxf(high, mean[i]);
    }
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf((mean[i] - low) / (high - low) - got_values(smooth)[i]) < 1e-5f);
    kldve_heatmap_free(smooth);
}

/* Every allocation fails once; nothing is written then, nothing is left. */
static void test_allocations(void **state)
{
    fixture *f = *state;
    const int32_t both[] = {1, 3};
    kldve_options o = {.struct_size = sizeof o,
                       .smooth = 1,
                       .target_kind = KLDVE_TARGET_SET,
                       .targets = both,
                       .target_count = 2,
                       .flags = KLDVE_FLAG_CHECK};
    kldve_heatmap *map = NULL, *fused = NULL;
    kldve_status st = KLDVE_E_NOMEM;

    for (long budget = 0; st == KLDVE_E_NOMEM; budget++) {
        assert_true(budget < 100);
        f->heap.budget = budget;
        st = kldve_explain_input(f->ex, f->input, &o, &map);
        if (st == KLDVE_OK)
            break;
        assert_int_equal(st, KLDVE_E_NOMEM);
        assert_null(map);
    }
    st = KLDVE_E_NOMEM;
    for (long budget = 0; st == KLDVE_E_NOMEM; budget++) {
        f->heap.budget = budget;
        st = kldve_heatmap_fuse(f->ctx, (const kldve_heatmap *const[]){map, map}, 2, &fused);
    }
    assert_int_equal(st, KLDVE_OK);
    f->heap.budget = -1;
    kldve_heatmap_free(fused);
    kldve_heatmap_free(map);
}

/* -- standard errors -------------------------------------------------------------------------- */

static kldve_status drawn(const kldve_job *job, float *map)
{
    if (!job->error)
        return kldve_ctx_fail(job->ctx, KLDVE_E_ARG, "drawn: no room for the error");
    for (int i = 0; i < CELLS; i++) {
        map[i] = (float)i;
        job->error[i] = 0.5f;
    }
    return KLDVE_OK;
}

static const kldve_method drawn_method = {
    .struct_size = sizeof(kldve_method),
    .name = "drawn",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES,
    .map = drawn,
    .random = 1,
};

static void test_error(void **state)
{
    fixture *f = *state;
    kldve_heatmap *map;
    size_t count = 1;

    assert_int_equal(kldve_method_register(f->ctx, &drawn_method), KLDVE_OK);
    map = fixture_explain(f, (kldve_options){.method = "drawn"});
    for (int i = 0; i < CELLS; i++)
        assert_true(fabsf(got_error(map, &count)[i] - 0.5f / (CELLS - 1)) < 1e-7f);
    assert_int_equal(count, CELLS);
    kldve_heatmap_free(map);
    map = fixture_explain(f, (kldve_options){0});
    assert_null(got_error(map, &count));
    assert_int_equal(count, 0);
    kldve_heatmap_free(map);
}

/* -- calls ------------------------------------------------------------------------------------ */

static const tiny_config net = {CHANNELS, H, W, 6, 5, 77, true};

enum { INPUTS = CHANNELS * PIXELS };

static void input_of(float *input)
{
    uint64_t seed = 9;

    for (int i = 0; i < INPUTS; i++)
        input[i] = (float)test_normal(&seed);
}

static int32_t stop_at(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)done;
    (void)total;
    return strcmp(stage, opaque) == 0;
}

static void test_cancel(void **state)
{
    static const char *const stages[] = {"forward", "backward"};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[INPUTS];

    (void)state;
    input_of(input);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, &ex), KLDVE_OK);
    for (size_t i = 0; i < 2; i++) {
        char stage[16];

        strcpy(stage, stages[i]);
        kldve_ctx_set_progress(ctx, stop_at, stage);
        assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_E_CANCELLED);
        assert_non_null(strstr(kldve_ctx_message(ctx), stage));
        assert_null(map);
    }
    kldve_ctx_set_progress(ctx, NULL, NULL);
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_OK);
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_null_arguments(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[INPUTS] = {0};

    (void)state;
    assert_int_equal(kldve_explainer_new(NULL, &tiny_backend, &net, &ex), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(NULL, input, NULL, &map), KLDVE_E_ARG);
    assert_int_equal(kldve_explain_input(ex, NULL, NULL, &map), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "explain: the input is NULL");
    assert_int_equal(kldve_explain_input(ex, input, NULL, NULL), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "explain: the result is NULL");
    assert_int_equal(kldve_explain(NULL, NULL, NULL, &map), KLDVE_E_ARG);
    assert_int_equal(kldve_explain(ex, NULL, NULL, &map), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), "explain: the picture is NULL");
    assert_int_equal(kldve_explainer_set_input(NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_set_input(ex, NULL), KLDVE_E_ARG);
    kldve_explainer_free(NULL);
    kldve_heatmap_free(NULL);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- pictures --------------------------------------------------------------------------------- */

static const tiny_config colour = {3, 8, 8, 4, 3, 17, true};

#define SIZED .struct_size = sizeof(kldve_input_spec)

static void test_too_narrow(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = picture_explainer(ctx, &colour);
    kldve_image *picture = picture_noise(ctx, 4, 20000);
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(ctx),
                        "a picture of 4 x 20000 pixels is too narrow: it "
                        "would be resized to 32 x 160000; crop it first, or pad or squash it");
    assert_null(map);
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_picture_allocations(void **state)
{
    long calls = 1;

    (void)state;
    for (long budget = -1; budget < calls; budget++) {
        const kldve_input_spec cropped = {SIZED, .resize_shorter_side = 40, .center_crop = 36};
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kldve_explainer *ex = picture_explainer(ctx, &colour);
        kldve_image *picture = picture_noise(ctx, 90, 60);
        kldve_heatmap *map = NULL;

        assert_int_equal(kldve_explainer_set_input(ex, &cropped), KLDVE_OK);
        heap.calls = 0;
        heap.budget = budget;
        assert_int_equal(kldve_explain(ex, picture, NULL, &map),
                         budget < 0 ? KLDVE_OK : KLDVE_E_NOMEM);
        heap.budget = -1;
        if (budget < 0)
            calls = heap.calls;
        assert_true((map != NULL) == (budget < 0));
        assert_true((*kldve_ctx_message(ctx) != 0) == (budget >= 0));
        kldve_heatmap_free(map);
        kldve_image_free(picture);
        kldve_explainer_free(ex);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_set_of_one),
        CASE(test_set),
        CASE(test_versus),
        CASE(test_versus_swapped),
        CASE(test_truth),
        CASE(test_signs),
        CASE(test_smooth),
        CASE(test_allocations),
        CASE(test_error),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_too_narrow),
        cmocka_unit_test(test_picture_allocations),
    };

    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
