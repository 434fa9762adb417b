/* test_not_finite.c - NaN, infinity, numbers near the end of the range and denormal ones in
 * weights, pictures, logits and maps, through every method and every reading: a status with a
 * message, or a map of numbers in 0..1; the same bits twice; and never longer than the deadline. */
#include "onnx/networks/opened.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/method.h>

enum { SIDE = 16, INPUTS = 3 * SIDE * SIDE, READINGS = 6, CLASSES = 5, MAPS = 8 };

static const double deadline_ms = 60000; /* of calls that take a few ms; sanitizers are slower */

/* %s: a weight of the first layer, of the last one, and a bias, which becomes a logit. */
static const char network[] =
    "in x 1,3,16,16; t w f32 8,3,3,3 0.2,-0.1,%s,0.05,-0.3,0.4,0.11; w b 8;"
    "n Conv x,w,b c pads=[1,1,1,1] strides=[2,2]; n Relu c r; n GlobalAveragePool r p;"
    "n Flatten p f; t v f32 8,5 0.3,-0.2,%s,0.7,-0.5,0.1,0.9; t a f32 5 0.1,%s,0.3;"
    "n Gemm f,v,a y; out y";

static const char *const numbers[] = {"nan", "inf", "-inf", "3e38", "-3e38", "1e-40", "-1e-45"};
enum { NUMBERS = sizeof numbers / sizeof *numbers, PLACES = 5 };

/* What was seen of all calls of one case. */
typedef struct seen {
    int maps, refused;
} seen;

static void check_map(const char *name, const kldve_heatmap *map)
{
    const float *value;
    int32_t count;

    assert_int_equal(kldve_heatmap_values(map, &value, &count), KLDVE_OK);
    for (int32_t i = 0; i < count; i++)
        if (!(value[i] >= 0 && value[i] <= 1))
            fail_msg("%s: value %d of the map is %g", name, (int)i, (double)value[i]);
}

static void check_same(const char *name, const kldve_heatmap *a, const kldve_heatmap *b)
{
    const float *first, *second;
    int32_t count, again;

    assert_int_equal(kldve_heatmap_values(a, &first, &count), KLDVE_OK);
    assert_int_equal(kldve_heatmap_values(b, &second, &again), KLDVE_OK);
    assert_int_equal(count, again);
    if (memcmp(first, second, (size_t)count * sizeof *first) != 0)
        fail_msg("%s: other bits the second time", name);
}

static kldve_options options_of(const kldve_method *method, int32_t reading)
{
    kldve_options o = {.struct_size = sizeof o,
                       .method = method->name,
                       .reading = reading,
                       .deadline_ms = deadline_ms};

    if (method->options & KLDVE_OPTION_SAMPLES)
        o.samples = 4;
    if (method->options & KLDVE_OPTION_STRIDE)
        o.stride = 8;
    return o;
}

static void explain_twice(const char *name, kldve_ctx *ctx, kldve_explainer *ex, const float *input,
                          const kldve_options *o, seen *all)
{
    kldve_heatmap *map[2] = {NULL, NULL};
    kldve_status st[2];

    for (int i = 0; i < 2; i++) {
        st[i] = kldve_explain_input(ex, input, o, &map[i]);
        if (st[i] < 0 && (!*kldve_ctx_message(ctx) ||
                          (st[i] != KLDVE_E_NUMERIC && st[i] != KLDVE_E_UNSUPPORTED)))
            fail_msg("%s: status %d, '%s'", name, st[i], kldve_ctx_message(ctx));
        assert_true((st[i] == KLDVE_OK) == (map[i] != NULL));
    }
    assert_int_equal(st[0], st[1]);
    if (map[0]) {
        check_map(name, map[0]);
        check_same(name, map[0], map[1]);
    }
    all->maps += map[0] != NULL;
    all->refused += st[0] == KLDVE_E_NUMERIC;
    kldve_heatmap_free(map[0]);
    kldve_heatmap_free(map[1]);
}

static void every_method(const char *what, kldve_ctx *ctx, kldve_explainer *ex, const float *input,
                         seen *all)
{
    const kldve_method *method;

    for (int32_t i = 0; kldve_method_at(ctx, i, &method) == KLDVE_OK; i++)
        for (int32_t reading = 0; reading < READINGS; reading++) {
            const kldve_options o = options_of(method, reading);
            char name[200];

            if (reading > 0 && !(method->readings >> reading & 1))
                continue;
            snprintf(name, sizeof name, "%s, %s, reading %d", what, method->name, (int)reading);
            explain_twice(name, ctx, ex, input, &o, all);
        }
}

/* @param place  0..2 of `network`; 3, 4: one number of the picture, or all of them. */
static seen try_place(int place, const char *number)
{
    const kldve_onnx_options how = {.struct_size = sizeof how,
                                    .threads = 1,
                                    .scores = KLDVE_SCORES_RAW,
                                    .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
    char text[sizeof network + 100], what[100];
    float input[INPUTS];
    kldve_explainer *ex = NULL;
    seen all = {0, 0};
    opened o;
    kldve_status st;

    snprintf(text, sizeof text, network, place == 0 ? number : "0.6", place == 1 ? number : "0.2",
             place == 2 ? number : "0.4");
    snprintf(what, sizeof what, "%s at place %d", number, place);
    for (unsigned i = 0; i < INPUTS; i++)
        input[i] = place == 4 || (place == 3 && i == INPUTS / 2)
                       ? strtof(number, NULL)
                       : (float)(i * 2654435761u >> 20) / 2048 - 1;
    if ((st = opened_text(&o, text, &how)) == KLDVE_OK) {
        assert_int_equal(kldve_explainer_new(o.ctx, kldve_onnx_backend(), o.net, &ex), KLDVE_OK);
        every_method(what, o.ctx, ex, input, &all);
        kldve_explainer_free(ex);
    } else {
        fail_msg("%s: %s", what, kldve_ctx_message(o.ctx));
    }
    opened_close(&o);
    return all;
}

static bool is_finite(const char *number)
{
    return isfinite(strtof(number, NULL));
}

/* No map is made of what is no number; but a rectifier makes 0 of NaN, here of a weight in front of
 * it.  What is a small one is explained. */
static void test_every_place(void **state)
{
    (void)state;
    for (int place = 0; place < PLACES; place++)
        for (int n = 0; n < NUMBERS; n++) {
            seen all = try_place(place, numbers[n]);

            printf("%s at place %d: %d maps, %d refused\n", numbers[n], place, all.maps,
                   all.refused);
            assert_true(all.maps + all.refused >= 20);
            if (!is_finite(numbers[n]) && (place > 0 || isinf(strtof(numbers[n], NULL))))
                assert_int_equal(all.maps, 0);
            if (fabsf(strtof(numbers[n], NULL)) < 1)
                assert_int_equal(all.refused, 0);
        }
}

/* ---- arrays of the host ---- */

static void try_array(const char *which, float *at, const kldve_arrays *a, kldve_ctx *ctx)
{
    const kldve_method *method;
    const float before = *at;

    for (int n = 0; n < NUMBERS; n++) {
        *at = strtof(numbers[n], NULL);
        for (int32_t i = 0; kldve_method_at(ctx, i, &method) == KLDVE_OK; i++) {
            const kldve_options o = options_of(method, 0);
            kldve_heatmap *map = NULL;
            kldve_status st = kldve_explain_arrays(ctx, a, &o, &map);

            if (st == KLDVE_OK)
                check_map(method->name, map);
            else if (!*kldve_ctx_message(ctx) ||
                     (st != KLDVE_E_NUMERIC && st != KLDVE_E_UNSUPPORTED))
                fail_msg("%s in the %s, %s: status %d, '%s'", numbers[n], which, method->name, st,
                         kldve_ctx_message(ctx));
            if (st == KLDVE_OK && !is_finite(numbers[n]))
                fail_msg("%s in the %s, %s: a map is made of it", numbers[n], which, method->name);
            kldve_heatmap_free(map);
        }
    }
    *at = before;
}

static void test_arrays(void **state)
{
    float logits[CLASSES] = {1, 2, 4, 0, -1}, features[MAPS * 4], gradient[MAPS * 4];
    const kldve_arrays a = {.struct_size = sizeof a,
                            .logits = logits,
                            .features = features,
                            .gradient = gradient,
                            .classes = CLASSES,
                            .maps = MAPS,
                            .height = 2,
                            .width = 2};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (int i = 0; i < MAPS * 4; i++) {
        features[i] = (float)(i * 7 % 11) / 8;
        gradient[i] = (float)(i * 5 % 13) / 8 - 0.7f;
    }
    try_array("logits", &logits[1], &a, ctx);
    try_array("features", &features[9], &a, ctx);
    try_array("gradient", &gradient[9], &a, ctx);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_place),
                                       cmocka_unit_test(test_arrays)};

    return cmocka_run_group_tests_name("not finite", tests, NULL, NULL);
}
