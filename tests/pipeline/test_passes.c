/* test_passes.c - forward passes without an explanation, and the input of a picture. */
#include "backends/pair.h"
#include "backends/picture.h"

#include <string.h>

static void forward(struct pair *f, kldve_explainer *ex, int32_t count, float *logits)
{
    if (kldve_explainer_forward(ex, &pair_inputs[0][0], count, NULL, logits) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(f->ctx));
}

/* The logits are those of explanations, in batches and one by one. */
static void test_logits(void **state)
{
    struct pair f;
    float together[MOST * CLASSES], alone[MOST * CLASSES];
    const float *logits = NULL;

    (void)state;
    pair_open(&f, &pair_curved);
    forward(&f, f.ex, MOST, together);
    assert_int_equal(f.counts.forward_many, 2);
    assert_int_equal(f.counts.forward, 1);
    forward(&f, f.plain, MOST, alone);
    assert_memory_equal(together, alone, sizeof alone);
    for (int i = 0; i < MOST; i++) {
        kldve_heatmap *map = NULL;

        assert_int_equal(kldve_explain_input(f.plain, pair_inputs[i], NULL, &map), KLDVE_OK);
        assert_int_equal(kldve_heatmap_logits(map, &logits, NULL), KLDVE_OK);
        assert_memory_equal(logits, alone + i * CLASSES, CLASSES * sizeof *logits);
        kldve_heatmap_free(map);
    }
    pair_close(&f);
}

/* An explanation after bare passes of the same memory is not about what they left behind. */
static void test_explains_afterwards(void **state)
{
    struct pair f;
    float logits[CLASSES], input[INPUTS];
    kldve_heatmap *got = NULL, *want = NULL;

    (void)state;
    pair_open(&f, &pair_curved);
    memcpy(input, pair_inputs[1], sizeof input);
    assert_int_equal(kldve_explainer_forward(f.plain, input, 1, NULL, logits), KLDVE_OK);
    memcpy(input, pair_inputs[0], sizeof input);
    assert_int_equal(kldve_explain_input(f.plain, input, NULL, &got), KLDVE_OK);
    assert_int_equal(kldve_explain_input(f.ex, input, NULL, &want), KLDVE_OK);
    pair_same(got, want);
    kldve_heatmap_free(got);
    kldve_heatmap_free(want);
    pair_close(&f);
}

/* A picture prepared here is explained as kldve_explain() explains it. */
static void test_input(void **state)
{
    struct pair f;
    kldve_input_spec spec = {.struct_size = sizeof spec, .scale = 1 / 255.0f, .mean = {0.5f}};
    kldve_image *picture;
    kldve_heatmap *got = NULL, *want = NULL;
    float input[3 * 16 * 16 * TINY_PATCH];

    (void)state;
    pair_open(&f, &pair_colour);
    assert_true(sizeof input / sizeof *input >= 3u * (size_t)pair_colour.height *
                                                    (size_t)pair_colour.width * TINY_PATCH *
                                                    TINY_PATCH);
    picture = picture_noise(f.ctx, 50, 40);
    assert_int_equal(kldve_explainer_set_input(f.plain, &spec), KLDVE_OK);
    assert_int_equal(kldve_explainer_input(f.plain, picture, input), KLDVE_OK);
    assert_int_equal(kldve_explain_input(f.plain, input, NULL, &got), KLDVE_OK);
    assert_int_equal(kldve_explain(f.plain, picture, NULL, &want), KLDVE_OK);
    const float *a = NULL, *b = NULL;
    int32_t count;

    assert_int_equal(kldve_heatmap_values(got, &a, &count), KLDVE_OK);
    assert_int_equal(kldve_heatmap_values(want, &b, &count), KLDVE_OK);
    assert_memory_equal(a, b, (size_t)count * sizeof *a);
    kldve_heatmap_free(got);
    kldve_heatmap_free(want);
    kldve_image_free(picture);
    pair_close(&f);
}

static void test_refuses(void **state)
{
    const kldve_options pick = {.struct_size = sizeof pick, .pick = KLDVE_PICK_ROW};
    struct pair f;
    float logits[MOST * CLASSES];
    long calls;

    (void)state;
    pair_open(&f, &pair_curved);
    assert_int_equal(kldve_explainer_forward(NULL, pair_inputs[0], 1, NULL, logits), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_forward(f.ex, NULL, 1, NULL, logits), KLDVE_E_ARG);
    test_says(f.ctx, "forward: the inputs are NULL");
    assert_int_equal(kldve_explainer_forward(f.ex, pair_inputs[0], 0, NULL, logits), KLDVE_E_ARG);
    test_says(f.ctx, "the number of inputs is 0");
    assert_int_equal(kldve_explainer_forward(f.ex, pair_inputs[0], 1, &pick, logits),
                     KLDVE_E_UNSUPPORTED);
    test_says(f.ctx, "belong to no place or row");
    assert_int_equal(kldve_explainer_input(f.ex, NULL, logits), KLDVE_E_ARG);
    test_says(f.ctx, "input: the picture is NULL");
    kldve_ctx_cancel(f.ctx);
    assert_int_equal(kldve_explainer_forward(f.ex, pair_inputs[0], 1, NULL, logits),
                     KLDVE_E_CANCELLED);
    calls = f.counts.forward;
    assert_int_equal(calls, 0);
    for (f.heap.budget = 0; kldve_explainer_forward(f.plain, pair_inputs[0], 1, NULL, logits);
         f.heap.budget = ++calls)
        test_says(f.ctx, "out of memory");
    f.heap.budget = -1;
    assert_true(calls >= 1);
    pair_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logits),
        cmocka_unit_test(test_explains_afterwards),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_refuses),
    };

    return cmocka_run_group_tests_name("passes", tests, NULL, NULL);
}
