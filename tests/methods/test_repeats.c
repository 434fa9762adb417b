/* test_repeats.c - methods that repeat forward passes: on a linear network, where the map is known;
 * against the axioms that define them; their standard errors against the spread between seeds. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <kldve/method.h>

#include "methods/parts/superpixels.h"
#include "backends/tiny.h"

enum { CHANNELS = 2, HEIGHT = 12, WIDTH = 16, PIXELS = HEIGHT * WIDTH };
enum { INPUTS = CHANNELS * PIXELS, CLASSES = 4, TARGET = 2, RIVAL = 1 };
enum { MOST_PLAYERS = 14 };

/* -- a linear network ------------------------------------------------------------------------- */

/* k = W x + b; there is one feature map of one cell. */
static float linear_weights[CLASSES][INPUTS];

static kldve_status linear_open(kldve_ctx *ctx, const void *config, void **state)
{
    (void)ctx;
    *state = (void *)(uintptr_t)config;
    return KLDVE_OK;
}

static void linear_shape(const void *state, kldve_shape *out)
{
    (void)state;
    out->in_channels = CHANNELS;
    out->in_height = HEIGHT;
    out->in_width = WIDTH;
    out->classes = CLASSES;
    out->maps = out->height = out->width = 1;
}

static void linear_logits(const float *input, double *k)
{
    for (int c = 0; c < CLASSES; c++) {
        k[c] = 0.1 * c;
        for (int i = 0; i < INPUTS; i++)
            k[c] += (double)linear_weights[c][i] * (double)input[i];
    }
}

static kldve_status linear_forward(void *state, const float *input, float *logits, float *features)
{
    double k[CLASSES];

    (void)state;
    linear_logits(input, k);
    for (int c = 0; c < CLASSES; c++)
        logits[c] = (float)k[c];
    features[0] = 1;
    return KLDVE_OK;
}

static void linear_close(void *state)
{
    (void)state;
}

static const kldve_backend linear_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "linear",
    .open = linear_open,
    .shape = linear_shape,
    .forward = linear_forward,
    .close = linear_close,
};

static const tiny_config curved = {
    CHANNELS, HEIGHT / TINY_PATCH, WIDTH / TINY_PATCH, 5, CLASSES, 35, true};
static const tiny_config pooled = {
    CHANNELS, HEIGHT / TINY_PATCH, WIDTH / TINY_PATCH, 5, CLASSES, 35, false};

/* -- the map before normalisation -------------------------------------------------------------- */

static struct raw {
    const kldve_method *inner;
    float map[PIXELS], error[PIXELS];
} raw;

static kldve_status raw_map(const kldve_job *job, float *map)
{
    kldve_status st = raw.inner->map(job, map);

    memcpy(raw.map, map, sizeof raw.map);
    if (job->error)
        memcpy(raw.error, job->error, sizeof raw.error);
    return st;
}

static const kldve_method *method_named(const char *name)
{
    for (int32_t i = 0; kldve_method_at(NULL, i); i++)
        if (strcmp(kldve_method_at(NULL, i)->name, name) == 0)
            return kldve_method_at(NULL, i);
    fail_msg("there is no method %s", name);
    return NULL;
}

/* Run a method that makes a map of pixels; the outcome is in `raw`. */
static void run_raw(const char *name, const kldve_backend *backend, const void *config,
                    const float *input, kldve_options o)
{
    kldve_method m = *method_named(name);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;

    assert_int_equal(m.resolution, KLDVE_RESOLUTION_PIXELS);
    raw.inner = method_named(name);
    m.name = "raw";
    m.map = raw_map;
    o.struct_size = sizeof o;
    o.method = "raw";
    assert_int_equal(kldve_method_register(ctx, &m), KLDVE_OK);
    assert_int_equal(kldve_explainer_new(ctx, backend, config, &ex), KLDVE_OK);
    if (kldve_explain_input(ex, input, &o, &map) != KLDVE_OK)
        fail_msg("%s: %s", name, kldve_ctx_message(ctx));
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void draw_input(float *input)
{
    uint64_t seed = 12;

    for (int i = 0; i < INPUTS; i++)
        input[i] = (float)test_normal(&seed);
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < INPUTS; i++)
            linear_weights[c][i] = 0.1f * (float)test_normal(&seed);
}

/* p of the target, of logits in float64. */
static double probability(const double *k)
{
    double sum = 0;

    for (int c = 0; c < CLASSES; c++)
        sum += exp(k[c] - k[TARGET]);
    return 1 / sum;
}

static double linear_probability(const float *input)
{
    double k[CLASSES];

    linear_logits(input, k);
    return probability(k);
}

#define TARGET_IS .target_kind = KLDVE_TARGET_INDEX, .target = TARGET

/* Makes what methods measure, the difference of two probabilities, linear in the logits up to
 * 1e-4: (k_target - k_rival) / (classes * temperature). */
#define NEARLY_LINEAR                                                                              \
    .target_kind = KLDVE_TARGET_VERSUS, .target = TARGET, .rival = RIVAL, .temperature = 1e5f

/* The share of input i in that score. */
static double share(const float *input, int i)
{
    return (double)(linear_weights[TARGET][i] - linear_weights[RIVAL][i]) * (double)input[i] /
           (CLASSES * 1e5);
}

/* -- occlusion -------------------------------------------------------------------------------- */

/* Where windows begin: every stride, the last at the border. */
static int starts(int size, int window, int stride, int *start)
{
    int count = 0;

    for (int at = 0; at + window < size; at += stride)
        start[count++] = at;
    start[count++] = size - window;
    return count;
}

static double occluded(const float *input, int top, int left, int height, int width)
{
    float changed[INPUTS];

    memcpy(changed, input, sizeof changed);
    for (int c = 0; c < CHANNELS; c++)
        for (int y = top; y < top + height; y++)
            for (int x = left; x < left + width; x++)
                changed[c * PIXELS + y * WIDTH + x] = 0;
    return linear_probability(input) - linear_probability(changed);
}

static void check_occlusion(const float *input, kldve_options o, int height, int width, int stride)
{
    int top[HEIGHT], left[WIDTH], rows = starts(HEIGHT, height, stride, top),
                                  columns = starts(WIDTH, width, stride, left);
    double sum[PIXELS] = {0}, count[PIXELS] = {0};

    run_raw("occlusion", &linear_backend, NULL, input, o);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) {
            double drop = occluded(input, top[r], left[c], height, width);

            for (int i = 0; i < PIXELS; i++)
                if (i / WIDTH >= top[r] && i / WIDTH < top[r] + height && i % WIDTH >= left[c] &&
                    i % WIDTH < left[c] + width) {
                    sum[i] += drop;
                    count[i]++;
                }
        }
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabs((double)raw.map[i] - sum[i] / count[i]) < 1e-6);
}

static void test_occlusion(void **state)
{
    float input[INPUTS];

    (void)state;
    draw_input(input);
    check_occlusion(input, (kldve_options){TARGET_IS}, 2, 2, 1);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 5}, 5, 5, 3);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 5, .stride = 1}, 5, 5, 1);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 4, .stride = 9}, 4, 4, 4);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 1}, 1, 1, 1);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 14, .stride = 1}, 12, 14, 1);
    check_occlusion(input, (kldve_options){TARGET_IS, .window = 1000}, 12, 16, 12);
}

/* -- RISE ------------------------------------------------------------------------------------- */

/* How much of each of 7 cells is in pixel `at` of an axis that was upsampled to 8 cells of `cell`
 * pixels. */
static void cell_shares(int at, int cell, double *w)
{
    double s = (at + 0.5) * 7 / (8 * cell) - 0.5;

    memset(w, 0, 7 * sizeof *w);
    for (int g = 0; g < 7; g++)
        w[g] = fmax(0, 1 - fabs(s - g));
    if (s < 0)
        w[0] = 1;
    if (s > 6)
        w[6] = 1;
}

/* mean over shifts of the sum over cells of the shares of two pixels, for all of them: along one
 * axis it depends on the shift of that axis only. */
static void overlaps(int size, double *out)
{
    int cell = (size + 6) / 7;

    memset(out, 0, (size_t)(size * size) * sizeof *out);
    for (int shift = 0; shift < cell; shift++)
        for (int a = 0; a < size; a++)
            for (int b = 0; b < size; b++) {
                double wa[7], wb[7];

                cell_shares(a + shift, cell, wa);
                cell_shares(b + shift, cell, wb);
                for (int g = 0; g < 7; g++)
                    out[a * size + b] += wa[g] * wb[g] / cell;
            }
}

/* The expected map: 1/p sum over j of share_j E[M_i M_j] + the constant part, p of E[M_i] / p. */
static void expected_rise(const float *input, double *e)
{
    static double down[HEIGHT * HEIGHT], right[WIDTH * WIDTH];
    double constant = (0.1 * TARGET - 0.1 * RIVAL) / (CLASSES * 1e5);

    overlaps(HEIGHT, down);
    overlaps(WIDTH, right);
    for (int i = 0; i < PIXELS; i++) {
        e[i] = constant;
        for (int j = 0; j < PIXELS; j++) {
            double overlap =
                down[i / WIDTH * HEIGHT + j / WIDTH] * right[i % WIDTH * WIDTH + j % WIDTH];

            for (int c = 0; c < CHANNELS; c++)
                e[i] += 2 * share(input, c * PIXELS + j) * (0.25 + 0.25 * overlap);
        }
    }
}

static void test_rise_unbiased(void **state)
{
    float input[INPUTS];
    double e[PIXELS], squares = 0, largest = 0;

    (void)state;
    draw_input(input);
    expected_rise(input, e);
    run_raw("rise", &linear_backend, NULL, input,
            (kldve_options){NEARLY_LINEAR, .samples = 20000, .seed = 5});
    for (int i = 0; i < PIXELS; i++) {
        double z = ((double)raw.map[i] - e[i]) / (double)raw.error[i];

        squares += z * z / PIXELS;
        largest = fmax(largest, fabs(z));
    }
    print_message(
        "rise: %.2f standard errors off the expected map (root mean square), %.2f at most\n",
        sqrt(squares), largest);
    /* Pixels are correlated: their mean square is spread far more than that of 192 would be. */
    assert_true(squares < 4 && largest < 4.5);
}

/* -- standard errors -------------------------------------------------------------------------- */

/* The spread of the map over seeds, over its own standard error. */
static double calibration(const char *name, const kldve_backend *backend, const void *config,
                          const float *input, kldve_options o)
{
    enum { SEEDS = 60 };
    static double sum[PIXELS], squares[PIXELS];
    double claimed = 0, found = 0;

    memset(sum, 0, sizeof sum);
    memset(squares, 0, sizeof squares);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        o.seed = seed * 1000003;
        run_raw(name, backend, config, input, o);
        for (int i = 0; i < PIXELS; i++) {
            sum[i] += (double)raw.map[i];
            squares[i] += (double)raw.map[i] * (double)raw.map[i];
            claimed += (double)raw.error[i] * (double)raw.error[i] / SEEDS;
        }
    }
    for (int i = 0; i < PIXELS; i++)
        found += (squares[i] - sum[i] * sum[i] / SEEDS) / (SEEDS - 1);
    return sqrt(found / claimed);
}

static void test_errors(void **state)
{
    static const struct {
        const char *name;
        int32_t samples, window;
    } cases[] = {
        {"rise", 150, 0},
        {"kernel-shap", 150, 3},
        {"lime", 200, 3},
        {"prediction-difference", 20, 4},
    };
    float input[INPUTS];

    (void)state;
    draw_input(input);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double ratio =
            calibration(cases[i].name, &tiny_backend, &curved, input,
                        (kldve_options){TARGET_IS, .sign = KLDVE_SIGN_SIGNED,
                                        .samples = cases[i].samples, .window = cases[i].window});

        print_message("%s: the maps of 60 seeds spread %.3f times their standard error\n",
                      cases[i].name, ratio);
        assert_true(ratio > 0.8 && ratio < 1.25);
    }
}

/* -- KernelSHAP ------------------------------------------------------------------------------- */

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

static int32_t find_superpixels(const float *input, int32_t rows, int32_t columns, int32_t *label)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int32_t count = 0;

    assert_int_equal(
        kldve_superpixels(ctx,
                          &(kldve_superpixel_grid){input, CHANNELS, HEIGHT, WIDTH, rows, columns},
                          label, &count),
        KLDVE_OK);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    return count;
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

/* -- LIME ------------------------------------------------------------------------------------- */

/* The coefficients of a linear network, but for what the penalty of 1 takes: with weights around
 * 1/2 and 2000 samples of variance 1/4 that is 1 / 250. */
static void test_lime_linear(void **state)
{
    float input[INPUTS];
    int32_t label[PIXELS];
    int d;
    double expected[24] = {0}, largest = 0, off = 0;

    (void)state;
    draw_input(input);
    d = find_superpixels(input, 3, 4, label);
    assert_in_range(d, 2, 24);
    for (int i = 0; i < INPUTS; i++)
        expected[label[i % PIXELS]] += share(input, i);
    run_raw(
        "lime", &linear_backend, NULL, input,
        (kldve_options){NEARLY_LINEAR, .sign = KLDVE_SIGN_SIGNED, .window = 4, .samples = 2000});
    for (int j = 0; j < d; j++)
        largest = fmax(largest, fabs(expected[j]));
    for (int i = 0; i < PIXELS; i++)
        off = fmax(off, fabs((double)raw.map[i] - expected[label[i]]) / largest);
    print_message("lime: at most %.4f of the largest coefficient from a linear network's own\n",
                  off);
    assert_true(off < 0.01);
}

/* -- prediction difference -------------------------------------------------------------------- */

/* A patch of a picture of one colour is like every other. */
static void test_nothing_differs(void **state)
{
    float input[INPUTS];

    (void)state;
    for (int i = 0; i < INPUTS; i++)
        input[i] = i < PIXELS ? 1.25f : -0.5f;
    run_raw("prediction-difference", &tiny_backend, &curved, input,
            (kldve_options){TARGET_IS, .window = 4});
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabsf(raw.map[i]) < 1e-6f && raw.error[i] < 1e-6f);
}

/* -- superpixels ------------------------------------------------------------------------------ */

static void test_superpixels(void **state)
{
    float input[INPUTS];
    int32_t label[PIXELS], again[PIXELS], count, next = 0;

    (void)state;
    draw_input(input);
    for (int32_t rows = 1; rows <= HEIGHT; rows++) {
        bool seen[PIXELS] = {false};

        count = find_superpixels(input, rows, rows, label);
        assert_int_equal(find_superpixels(input, rows, rows, again), count);
        assert_memory_equal(label, again, sizeof label);
        next = 0;
        for (int i = 0; i < PIXELS; i++) { /* numbered in reading order */
            assert_in_range(label[i], 0, count - 1);
            if (!seen[label[i]])
                assert_int_equal(label[i], next++);
            seen[label[i]] = true;
        }
        assert_int_equal(next, count);
    }
    assert_int_equal(find_superpixels(input, 1, 1, label), 1);
    memset(input, 0, sizeof input); /* no colours: the grid itself */
    assert_int_equal(find_superpixels(input, 3, 4, label), 12);
    for (int i = 0; i < PIXELS; i++)
        assert_int_equal(label[i], i / WIDTH / 4 * 4 + i % WIDTH / 4);
}

static void test_too_many(void **state)
{
    enum { SIDE = 10 };
    const tiny_config wide = {1, SIDE, SIDE, 2, 3, 7, false};
    float input[SIDE * SIDE * TINY_PATCH * TINY_PATCH] = {0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    kldve_options o = {.struct_size = sizeof o, .method = "lime", .window = 1};

    (void)state;
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &wide, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_E_LIMIT);
    assert_string_equal(kldve_ctx_message(ctx),
                        "lime: more than 1024 superpixels; choose a larger window");
    assert_null(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- seeds and cancelling --------------------------------------------------------------------- */

static const char *const repeated[] = {
    "occlusion",    "prediction-difference", "rise",        "score-cam",
    "ablation-cam", "recipro-cam",           "kernel-shap", "lime"};

enum { REPEATED = sizeof repeated / sizeof *repeated };

static void test_seeds(void **state)
{
    float input[INPUTS];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    (void)state;
    draw_input(input);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &curved, &ex), KLDVE_OK);
    for (int m = 0; m < REPEATED; m++) {
        kldve_options o = {.struct_size = sizeof o, .method = repeated[m], .samples = 30};
        kldve_heatmap *map[3] = {NULL, NULL, NULL};
        const float *error[2];
        size_t count, size;
        kldve_record r = {.struct_size = sizeof r};

        for (int i = 0; i < 3; i++) {
            o.seed = i == 2;
            assert_int_equal(kldve_explain_input(ex, input, &o, &map[i]), KLDVE_OK);
        }
        assert_int_equal(kldve_heatmap_record(map[0], &r), KLDVE_OK);
        size = (size_t)r.height * (size_t)r.width * sizeof(float);
        assert_memory_equal(kldve_heatmap_values(map[0]), kldve_heatmap_values(map[1]), size);
        error[0] = kldve_heatmap_error(map[0], &count);
        error[1] = kldve_heatmap_error(map[1], &count);
        assert_true((error[0] != NULL) == (method_named(repeated[m])->random == 1));
        if (error[0]) {
            assert_memory_equal(error[0], error[1], size);
            assert_memory_not_equal(kldve_heatmap_values(map[0]), kldve_heatmap_values(map[2]),
                                    size);
        }
        for (int i = 0; i < 3; i++)
            kldve_heatmap_free(map[i]);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

struct stop {
    const char *stage;
    int64_t after, last;
};

static int32_t stop_after(void *opaque, const char *stage, int64_t done, int64_t total)
{
    struct stop *s = opaque;

    if (strcmp(stage, s->stage) != 0)
        return 0;
    assert_true(done >= 0 && done < total);
    s->last = done;
    return done >= s->after;
}

static void test_cancel(void **state)
{
    float input[INPUTS];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    (void)state;
    draw_input(input);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &curved, &ex), KLDVE_OK);
    for (int m = 0; m < REPEATED; m++) {
        kldve_options o = {.struct_size = sizeof o, .method = repeated[m], .samples = 100};
        kldve_heatmap *map = NULL;
        struct stop stop = {repeated[m], 2, -1};
        char message[64];
        long live;

        if (strcmp(repeated[m], "score-cam") == 0)
            stop.after = 0; /* five maps are one batch */
        /* From now on, the network has what it keeps for further passes. */
        assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_OK);
        kldve_heatmap_free(map);
        map = NULL;
        live = heap.live;
        kldve_ctx_set_progress(ctx, stop_after, &stop);
        assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_E_CANCELLED);
        kldve_ctx_set_progress(ctx, NULL, NULL);
        snprintf(message, sizeof message, "cancelled during %s", repeated[m]);
        assert_string_equal(kldve_ctx_message(ctx), message);
        assert_null(map);
        assert_true(stop.last >= stop.after);
        assert_int_equal(heap.live, live);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_occlusion),     cmocka_unit_test(test_rise_unbiased),
        cmocka_unit_test(test_errors),        cmocka_unit_test(test_shapley_exact),
        cmocka_unit_test(test_shapley_drawn), cmocka_unit_test(test_symmetry),
        cmocka_unit_test(test_lime_linear),   cmocka_unit_test(test_nothing_differs),
        cmocka_unit_test(test_superpixels),   cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_seeds),         cmocka_unit_test(test_cancel),
    };

    return cmocka_run_group_tests_name("methods of repeated passes", tests, NULL, NULL);
}
