/* test_kernel_shap.c - KernelSHAP against Shapley values from their definition and the axioms that
 * define them; its standard errors. */
#include "repeats.h"

#include <math.h>

enum { MOST_PLAYERS = 14 };

/* The game: tiny's probability of the target with some superpixels. */
static double worth(void *net, const float *input, const int32_t *label, uint32_t set)
{
    float changed[INPUTS], logits[CLASSES], features[5 * PIXELS / (TINY_PATCH * TINY_PATCH)];
    double k[CLASSES];

    for (int i = 0; i < INPUTS; i++)
        changed[i] = set >> label[i % PIXELS] & 1 ? input[i] : 0;
    assert_int_equal(tiny_backend.forward(net, changed, logits, features), KLDVE_OK);
    for (int c = 0; c < CLASSES; c++)
        k[c] = (double)logits[c];
    return probability(k);
}

static double factorial(int n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

/* phi_j = sum over sets without j of |S|! (d-|S|-1)! / d! (v(S + j) - v(S)), from the definition.
 */
static void shapley(const tiny_config *config, const float *input, const int32_t *label, int d,
                    double *phi, double *total)
{
    static double v[1 << MOST_PLAYERS];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    void *net = NULL;

    assert_in_range(d, 1, MOST_PLAYERS);
    assert_int_equal(tiny_backend.open(ctx, config, &net), KLDVE_OK);
    for (uint32_t set = 0; set < 1u << d; set++)
        v[set] = worth(net, input, label, set);
    tiny_backend.close(net);
    kldve_ctx_free(ctx);
    *total = v[(1u << d) - 1] - v[0];
    for (int j = 0; j < d; j++) {
        phi[j] = 0;
        for (uint32_t set = 0; set < 1u << d; set++) {
            int size = 0;

            for (int i = 0; i < d; i++)
                size += (int)(set >> i & 1);
            if (!(set >> j & 1))
                phi[j] += factorial(size) * factorial(d - size - 1) / factorial(d) *
                          (v[set | 1u << j] - v[set]);
        }
    }
}

static void test_shapley_exact(void **state)
{
    static const struct {
        int32_t window, rows, columns;
    } cases[] = {{16, 1, 1}, {8, 2, 2}, {6, 2, 3}, {5, 2, 3}};
    float input[INPUTS];

    (void)state;
    draw_input(input);
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        int32_t label[PIXELS];
        int d = find_superpixels(input, cases[n].rows, cases[n].columns, label);
        double phi[MOST_PLAYERS], total, sum = 0;
        float value[MOST_PLAYERS] = {0};

        assert_in_range(d, 1, 8);
        shapley(&curved, input, label, d, phi, &total);
        run_raw("kernel-shap", &tiny_backend, &curved, input,
                (kldve_options){TARGET_IS, .window = cases[n].window});
        for (int i = 0; i < PIXELS; i++) {
            assert_true(fabs((double)raw.map[i] - phi[label[i]]) < 1e-6);
            assert_true(raw.error[i] == 0);
            value[label[i]] = raw.map[i];
        }
        for (int j = 0; j < d; j++)
            sum += (double)value[j];
        assert_true(fabs(total) > 0.01);
        assert_true(fabs(sum - total) < 1e-6); /* efficiency */
    }
}

/* Around 12 superpixels, a quarter of all coalitions. */
static void test_shapley_drawn(void **state)
{
    float input[INPUTS], value[MOST_PLAYERS] = {0};
    int32_t label[PIXELS];
    int d;
    double phi[MOST_PLAYERS], total, sum = 0, largest = 0, spread = 0;

    (void)state;
    draw_input(input);
    d = find_superpixels(input, 3, 4, label);
    assert_in_range(d, 9, MOST_PLAYERS);
    shapley(&curved, input, label, d, phi, &total);
    run_raw("kernel-shap", &tiny_backend, &curved, input,
            (kldve_options){TARGET_IS, .window = 4, .samples = (1 << d) / 4, .seed = 3});
    for (int i = 0; i < PIXELS; i++) {
        assert_true(raw.error[i] > 0);
        largest = fmax(largest, fabs((double)raw.map[i] - phi[label[i]]) / (double)raw.error[i]);
        spread = fmax(spread, fabs((double)raw.map[i] - phi[label[i]]) / fabs(total));
        value[label[i]] = raw.map[i];
    }
    for (int j = 0; j < d; j++)
        sum += (double)value[j];
    print_message("kernel-shap: %d superpixels, at most %.2f standard errors and %.4f of the total "
                  "from the Shapley values\n",
                  d, largest, spread);
    assert_true(largest < 4 && spread < 0.05);
    assert_true(fabs(sum - total) < 1e-6); /* efficiency holds for any draw */
}

/* Two colours in a chequer of four regions.  Turned by half a circle it is the same, and with
 * global average pooling so is what the network makes of it: regions of one colour are
 * interchangeable. */
static void test_symmetry(void **state)
{
    static const float colour[2][CHANNELS] = {{1.5f, -0.5f}, {-1, 0.75f}};
    float input[INPUTS];
    int32_t label[PIXELS];

    (void)state;
    for (int i = 0; i < INPUTS; i++)
        input[i] = colour[(i % PIXELS < PIXELS / 2) == (i % WIDTH < WIDTH / 2)][i / PIXELS];
    assert_int_equal(find_superpixels(input, 2, 2, label), 4);
    for (int i = 0; i < PIXELS; i++)
        assert_int_equal(label[i], i / (PIXELS / 2) * 2 + i % WIDTH / (WIDTH / 2));
    run_raw("kernel-shap", &tiny_backend, &pooled, input, (kldve_options){TARGET_IS, .window = 8});
    assert_true(fabsf(raw.map[0]) > 0.01f && fabsf(raw.map[WIDTH - 1]) > 0.01f);
    assert_true(fabsf(raw.map[0] - raw.map[WIDTH - 1]) > 0.01f);
    assert_true(fabsf(raw.map[0] - raw.map[PIXELS - 1]) < 1e-6f);
    assert_true(fabsf(raw.map[WIDTH - 1] - raw.map[PIXELS - WIDTH]) < 1e-6f);
}

static void test_errors(void **state)
{
    (void)state;
    check_errors("kernel-shap", 150, 3);
}

TEST_MAIN(kernel_shap)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapley_exact),
        cmocka_unit_test(test_shapley_drawn),
        cmocka_unit_test(test_symmetry),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("kernel shap", tests, NULL, NULL);
}
