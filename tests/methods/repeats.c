/* repeats.c - see repeats.h. */
#include "repeats.h"
#include "got.h"

#include <math.h>
#include <string.h>

#include "methods/parts/superpixels.h"

float linear_weights[CLASSES][INPUTS];

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

const kldve_backend linear_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "linear",
    .open = linear_open,
    .shape = linear_shape,
    .forward = linear_forward,
    .close = linear_close,
};

const tiny_config curved = {CHANNELS, HEIGHT / TINY_PATCH, WIDTH / TINY_PATCH, 5, CLASSES, 35,
                            true};
const tiny_config pooled = {CHANNELS, HEIGHT / TINY_PATCH, WIDTH / TINY_PATCH, 5, CLASSES, 35,
                            false};

struct raw raw;

static kldve_status raw_map(const kldve_job *job, float *map)
{
    kldve_status st = raw.inner->map(job, map);

    memcpy(raw.map, map, sizeof raw.map);
    if (job->error)
        memcpy(raw.error, job->error, sizeof raw.error);
    return st;
}

const kldve_method *method_named(const char *name)
{
    for (int32_t i = 0; got_method(NULL, i); i++)
        if (strcmp(got_method(NULL, i)->name, name) == 0)
            return got_method(NULL, i);
    fail_msg("there is no method %s", name);
    return NULL;
}

void run_raw(const char *name, const kldve_backend *backend, const void *config, const float *input,
             kldve_options o)
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

void draw_input(float *input)
{
    uint64_t seed = 12;

    for (int i = 0; i < INPUTS; i++)
        input[i] = (float)test_normal(&seed);
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < INPUTS; i++)
            linear_weights[c][i] = 0.1f * (float)test_normal(&seed);
}

double probability(const double *k)
{
    double sum = 0;

    for (int c = 0; c < CLASSES; c++)
        sum += exp(k[c] - k[TARGET]);
    return 1 / sum;
}

double linear_probability(const float *input)
{
    double k[CLASSES];

    linear_logits(input, k);
    return probability(k);
}

double share(const float *input, int i)
{
    return (double)(linear_weights[TARGET][i] - linear_weights[RIVAL][i]) * (double)input[i] /
           (CLASSES * 1e5);
}

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

void check_errors(const char *name, int32_t samples, int32_t window)
{
    float input[INPUTS];
    double ratio;

    draw_input(input);
    ratio = calibration(name, &tiny_backend, &curved, input,
                        (kldve_options){TARGET_IS, .sign = KLDVE_SIGN_SIGNED, .samples = samples,
                                        .window = window});
    print_message("%s: the maps of 60 seeds spread %.3f times their standard error\n", name, ratio);
    assert_true(ratio > 0.8 && ratio < 1.25);
}

int32_t find_superpixels(const float *input, int32_t rows, int32_t columns, int32_t *label)
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
