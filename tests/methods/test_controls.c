/* test_controls.c - the controls: noise of the seed alone, a blob in the middle, the edges of the
 * picture against a convolution by the book. */
#include "got.h"
#include "repeats.h"

#include <math.h>
#include <string.h>

enum { CELLS = HEIGHT / TINY_PATCH * (WIDTH / TINY_PATCH) }; /* of the network `curved` */

static float input_of[INPUTS];

static int clamp(int at, int size)
{
    return at < 0 ? 0 : at >= size ? size - 1 : at;
}

/* The 3 x 3 convolution with `kernel` at y, x of the mean of the channels. */
static double convolved(const float *input, const int kernel[3][3], int y, int x)
{
    double sum = 0;

    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            for (int c = 0; c < CHANNELS; c++)
                sum += kernel[dy + 1][dx + 1] / (double)CHANNELS *
                       (double)
                           input[c * PIXELS + clamp(y + dy, HEIGHT) * WIDTH + clamp(x + dx, WIDTH)];
    return sum;
}

static void test_edges(void **state)
{
    static const int across[3][3] = {{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}};
    static const int down[3][3] = {{-1, -2, -1}, {0, 0, 0}, {1, 2, 1}};

    (void)state;
    draw_input(input_of);
    run_raw("edges", &linear_backend, NULL, input_of, (kldve_options){0});
    for (int i = 0; i < PIXELS; i++) {
        double want = hypot(convolved(input_of, across, i / WIDTH, i % WIDTH),
                            convolved(input_of, down, i / WIDTH, i % WIDTH));

        assert_true(fabs((double)raw.map[i] - want) < 1e-5);
    }
}

static void test_centre(void **state)
{
    (void)state;
    draw_input(input_of);
    run_raw("centre", &linear_backend, NULL, input_of, (kldve_options){0});
    for (int i = 0; i < PIXELS; i++) {
        double y = i / WIDTH - 5.5, x = i % WIDTH - 7.5; /* from the middle of 12 x 16 */

        assert_true(fabs((double)raw.map[i] - exp(-(y * y / 9 + x * x / 16) / 2)) < 1e-6);
    }
}

static kldve_heatmap *noise(kldve_explainer *ex, uint64_t seed, int32_t target)
{
    const kldve_options o = {.struct_size = sizeof o,
                             .method = "random",
                             .seed = seed,
                             .target_kind = KLDVE_TARGET_INDEX,
                             .target = target};
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain_input(ex, input_of, &o, &map), KLDVE_OK);
    return map;
}

/* Mean and deviation over many seeds are those of uniform numbers, and so is the error that the map
 * claims; another class and another picture have the same noise. */
static void test_noise(void **state)
{
    enum { SEEDS = 2000 };
    double sum[CELLS] = {0}, squares[CELLS] = {0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    (void)state;
    draw_input(input_of);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &curved, &ex), KLDVE_OK);
    for (int s = 0; s < SEEDS; s++) {
        kldve_heatmap *map = noise(ex, (uint64_t)s, 0);
        kldve_heatmap *other = noise(ex, (uint64_t)s, 1);
        const float *values = got_values(map);
        kldve_record r = {.struct_size = sizeof r};
        const float *error;
        int32_t count;

        assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
        assert_int_equal(kldve_heatmap_error(map, &error, &count), KLDVE_OK);
        assert_int_equal(count, CELLS);
        assert_memory_equal(values, got_values(other), sizeof(float) * CELLS);
        for (int i = 0; i < CELLS; i++) {
            double u = r.low + (double)values[i] * (r.high - r.low);

            assert_true(u >= 0 && u < 1);
            assert_true(fabs((double)error[i] * (r.high - r.low) - sqrt(1 / 12.0)) < 1e-5);
            sum[i] += u;
            squares[i] += u * u;
        }
        kldve_heatmap_free(map);
        kldve_heatmap_free(other);
        input_of[s % 5] += 1;
    }
    for (int i = 0; i < CELLS; i++) {
        double mean = sum[i] / SEEDS;

        assert_true(fabs(mean - 0.5) < 0.035); /* five standard errors */
        assert_true(fabs(squares[i] / SEEDS - mean * mean - 1 / 12.0) < 0.009);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Every control says that it is one, and nothing else does. */
static void test_marks(void **state)
{
    const kldve_method *m;
    int controls = 0;

    (void)state;
    for (int32_t i = 0; (m = got_method(NULL, i)) != NULL; i++) {
        const kldve_options o = {.struct_size = sizeof o, .reading = KLDVE_READING_CONTRAST};
        const char *note = m->note ? m->note(&o) : NULL;
        int control = m->flags == KLDVE_METHOD_CONTROL;

        assert_int_equal(note && strstr(note, "a control that explains nothing"), control);
        assert_int_equal(strstr(m->source, "(control)") != NULL, control);
        controls += control;
    }
    assert_int_equal(controls, 3);
}

TEST_MAIN(controls)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_centre),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_marks),
    };

    return cmocka_run_group_tests_name("controls", tests, NULL, NULL);
}
