/* test_float_env.c - hosts with a floating-point environment of their own: results are those of the
 * default one, to the bit, and the host finds its own again, in callbacks and afterwards. */
#define _GNU_SOURCE /* feenableexcept() */
#include "support.h"

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include <kldve/metrics.h>
#include <kldve/onnx.h>

/* ---- environments ---- */

enum { FLUSH = 1, SHORT = 2, TRAP = 4 };

typedef struct environment {
    const char *name;
    int rounding, tricks;
} environment;

static const environment environments[] = {
    {"upward", FE_UPWARD, 0},
    {"downward", FE_DOWNWARD, 0},
    {"toward zero", FE_TOWARDZERO, 0},
    {"flush to zero, denormals are zero", FE_TONEAREST, FLUSH},
    {"short x87", FE_TONEAREST, SHORT},
    {"traps", FE_TONEAREST, TRAP},
    {"everything", FE_DOWNWARD, FLUSH | SHORT | TRAP},
};

#if defined(__x86_64__)
static void flush_to_zero(void)
{
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
}

static void be_short(void)
{
    unsigned short control;

    __asm__ volatile("fnstcw %0" : "=m"(control));
    control = (unsigned short)(control & ~0x300);
    __asm__ volatile("fldcw %0" : : "m"(control));
}

/* The control words, which the library must not change. */
static uint64_t control(void)
{
    unsigned short x87;

    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (uint64_t)__builtin_ia32_stmxcsr() << 16 | x87;
}
#else
static void flush_to_zero(void)
{
}

static void be_short(void)
{
}

static uint64_t control(void)
{
    return (uint64_t)fegetround() << 32 | (uint64_t)fetestexcept(FE_ALL_EXCEPT);
}
#endif

static void take(const environment *e)
{
    fesetround(e->rounding);
    if (e->tricks & FLUSH)
        flush_to_zero();
    if (e->tricks & SHORT)
        be_short();
    feclearexcept(FE_ALL_EXCEPT);
#ifdef __GLIBC__
    if (e->tricks & TRAP)
        feenableexcept(FE_ALL_EXCEPT);
#endif
}

/* ---- what a host does ---- */

/* Everything that calls put out, one behind the other. */
typedef struct results {
    unsigned char *bytes;
    size_t count;
    uint64_t control; /* in which the host called */
    int heard, other; /* callbacks; those that found another environment */
} results;

static void keep(results *r, const void *bytes, size_t count)
{
    r->bytes = realloc(r->bytes, r->count + count);
    memcpy(r->bytes + r->count, bytes, count);
    r->count += count;
}

static void keep_map(results *r, kldve_heatmap *map)
{
    const float *value;
    int32_t count;

    assert_int_equal(kldve_heatmap_values(map, &value, &count), KLDVE_OK);
    keep(r, value, (size_t)count * sizeof *value);
    assert_int_equal(kldve_heatmap_logits(map, &value, &count), KLDVE_OK);
    keep(r, value, (size_t)count * sizeof *value);
}

static int32_t hear_progress(void *opaque, const char *stage, int64_t done, int64_t total)
{
    results *r = opaque;

    (void)stage;
    (void)done;
    (void)total;
    r->heard++;
    r->other += control() != r->control;
    return 0;
}

static void hear_log(void *opaque, int32_t level, const char *line)
{
    (void)level;
    hear_progress(opaque, line, 0, 0);
}

static kldve_image *photo(kldve_ctx *ctx)
{
    enum { WIDTH = 150, HEIGHT = 100 };
    kldve_image *image = NULL;
    uint8_t *pixels;

    assert_int_equal(kldve_image_new(ctx, WIDTH, HEIGHT, &image), KLDVE_OK);
    pixels = kldve_image_edit(image);
    for (unsigned i = 0; i < WIDTH * HEIGHT * 3; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    return image;
}

static void draw(kldve_ctx *ctx, kldve_heatmap *map, kldve_image *picture, results *r)
{
    static const float bilinear[64 * 48];
    kldve_image *drawn = NULL;
    kldve_heatmap *both = NULL;
    float *large = calloc(64 * 48, sizeof *large);
    uint8_t rgb[3];

    assert_int_equal(kldve_heatmap_render(ctx, map, picture, NULL, &drawn), KLDVE_OK);
    keep(r, kldve_image_pixels(drawn),
         (size_t)kldve_image_width(drawn) * (size_t)kldve_image_height(drawn) * 3);
    kldve_image_free(drawn);
    assert_int_equal(kldve_heatmap_upsample(ctx, map, 64, 48, 0, large), KLDVE_OK);
    keep(r, large, sizeof bilinear);
    assert_int_equal(kldve_colormap_rgb(KLDVE_COLORMAP_VIRIDIS, large[100], rgb), KLDVE_OK);
    keep(r, rgb, sizeof rgb);
    assert_int_equal(kldve_heatmap_fuse(ctx, (const kldve_heatmap *[]){map, map, map}, 3, &both),
                     KLDVE_OK);
    keep_map(r, both);
    kldve_heatmap_free(both);
    free(large);
}

static void explain(kldve_ctx *ctx, int threads, kldve_image *picture, results *r)
{
    static const kldve_options cases[] = {
        {.struct_size = sizeof(kldve_options), .flags = KLDVE_FLAG_CHECK},
        {.struct_size = sizeof(kldve_options), .method = "lrp-composite"},
        {.struct_size = sizeof(kldve_options), .method = "integrated-gradients", .samples = 3},
        {.struct_size = sizeof(kldve_options), .method = "rise", .samples = 12, .seed = 4},
        {.struct_size = sizeof(kldve_options), .method = "lime", .samples = 40, .seed = 4},
    };
    kldve_onnx_options o = {.struct_size = sizeof o,
                            .threads = threads,
                            .batch = 4,
                            .flags = KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_DIRECT};
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_onnx_explainer(ctx, NULL, &o, &ex), KLDVE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(kldve_explain(ex, picture, &cases[i], &map), KLDVE_OK);
        keep_map(r, map);
        if (i == 0)
            draw(ctx, map, picture, r);
        kldve_heatmap_free(map);
    }
    kldve_explainer_free(ex);
}

/* Feature maps whose products with the weights are denormal numbers. */
static void explain_arrays(kldve_ctx *ctx, results *r)
{
    enum { CLASSES = 5, MAPS = 12, CELLS = 9 };
    static float logits[CLASSES], features[MAPS * CELLS], gradient[MAPS * CELLS];
    kldve_arrays a = {.struct_size = sizeof a,
                      .logits = logits,
                      .features = features,
                      .gradient = gradient,
                      .classes = CLASSES,
                      .maps = MAPS,
                      .height = 3,
                      .width = 3};
    kldve_options o = {.struct_size = sizeof o, .method = "grad-cam"};
    float cotangent[CLASSES];
    kldve_heatmap *map = NULL;
    static const uint32_t tiny = 0x00012345, small = 0x0a000000; /* 1e-40, 6e-33 */

    for (int i = 0; i < CLASSES; i++)
        memcpy(&logits[i], &(uint32_t){0x3f800000u + (uint32_t)i * 0x123457}, sizeof *logits);
    for (uint32_t i = 0; i < MAPS * CELLS; i++) {
        memcpy(&features[i], &(uint32_t){tiny * (1 + i % 7)}, sizeof *features);
        memcpy(&gradient[i], &(uint32_t){small + i * 0x1357}, sizeof *gradient);
    }
    assert_int_equal(kldve_arrays_cotangent(ctx, logits, CLASSES, NULL, cotangent), KLDVE_OK);
    keep(r, cotangent, sizeof cotangent);
    assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map), KLDVE_OK);
    keep_map(r, map);
    kldve_heatmap_free(map);
}

static void diverge(kldve_ctx *ctx, results *r)
{
    enum { N = 37 };
    double scores[N], z[N], y[N], value = 0;
    kldve_divergence_options o = {.struct_size = sizeof o,
                                  .unattainable = KLDVE_UNATTAINABLE_LIMIT};
    kldve_divergence *d = NULL;
    int32_t flat;

    for (uint64_t i = 0; i < N; i++) {
        memcpy(&scores[i], &(uint64_t){0x3ff0000000000000u + i * 0x0123456789abcu}, sizeof *scores);
        memset(&y[i], 0, sizeof *y);
    }
    memcpy(&y[3], &(uint64_t){0x3ff0000000000000u}, sizeof *y);
    assert_int_equal(kldve_divergence_new(ctx, N, &o, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, scores), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(d, 3, z, &value), KLDVE_OK);
    keep(r, z, sizeof z);
    keep(r, &value, sizeof value);
    assert_int_equal(kldve_divergence_standardise(z, N, z, &flat), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_base(d, z), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_delta(d, 7, z), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_contrast(d, 5, z), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_neighbours(d, 5, 0, z), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_plain(d, KLDVE_PLAIN_KL, y, z, &value), KLDVE_OK);
    keep(r, z, sizeof z);
    assert_int_equal(kldve_divergence_truth(d, y, z, &value), KLDVE_OK);
    keep(r, z, sizeof z);
    kldve_divergence_free(d);
    value = kldve_divergence_neighbour_perplexity(38);
    keep(r, &value, sizeof value);
}

/* What is not a number is refused, and does not trap. */
static void refuse(kldve_ctx *ctx)
{
    kldve_options o = {.struct_size = sizeof o, .temperature = NAN, .deadline_ms = (double)NAN};
    static const float logits[3] = {INFINITY, NAN, 0}, zero[3];
    float cotangent[3];

    assert_int_equal(kldve_ctx_set_deadline(ctx, (double)NAN), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, zero, 3, &o, cotangent), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, logits, 3, NULL, cotangent), KLDVE_E_NUMERIC);
}

static results host(int threads)
{
    results r = {.control = control()};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *picture = photo(ctx), *small = NULL;

    kldve_ctx_set_progress(ctx, hear_progress, &r);
    kldve_ctx_set_log(ctx, KLDVE_LOG_DEBUG, hear_log, &r);
    assert_int_equal(kldve_image_resize(ctx, picture, 60, 41, &small), KLDVE_OK);
    keep(&r, kldve_image_pixels(small), (size_t)60 * 41 * 3);
    kldve_image_free(small);
    explain(ctx, threads, picture, &r);
    explain_arrays(ctx, &r);
    diverge(ctx, &r);
    refuse(ctx);
    kldve_image_free(picture);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    return r;
}

static void compare(const char *name, const results *got, const results *want)
{
    assert_int_equal(got->count, want->count);
    if (memcmp(got->bytes, want->bytes, want->count) != 0)
        fail_msg("%s: other results", name);
    assert_true(got->heard > 0); /* how often depends on the clock */
    assert_int_equal(got->other, 0);
}

static void test_caller(void **state)
{
    results want = host(1);

    (void)state;
    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
        const environment *e = &environments[i];
        uint64_t before, after;
        int raised;
        results got;
        fenv_t own;

        fegetenv(&own);
        take(e);
        before = control();
        got = host(1);
        after = control();
        raised = fetestexcept(FE_ALL_EXCEPT);
        fesetenv(&own);
        assert_true(before == after);
        assert_int_equal(raised, 0);
        compare(e->name, &got, &want);
        free(got.bytes);
    }
    free(want.bytes);
}

/* Threads that a loop of the host made keep the host's environment; the engine works in them. */
static void test_team(void **state)
{
    enum { THREADS = 2 };
    results want = host(THREADS);
    uint64_t before[THREADS] = {0}, after[THREADS] = {0};
    results got;

    (void)state;
#pragma omp parallel num_threads(THREADS)
    {
        int i = omp_get_thread_num();

        if (i > 0)
            take(&environments[sizeof environments / sizeof *environments - 1]);
        before[i] = control();
    }
    got = host(THREADS);
#pragma omp parallel num_threads(THREADS)
    {
        after[omp_get_thread_num()] = control();
        fesetenv(FE_DFL_ENV);
    }
    for (int i = 0; i < THREADS; i++)
        assert_true(before[i] >> 22 == after[i] >> 22); /* without the exceptions that it raised */
    compare("a team", &got, &want);
    free(got.bytes);
    free(want.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_caller), cmocka_unit_test(test_team)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
