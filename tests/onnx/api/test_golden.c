/* test_golden.c - the engine on real networks against float64 results made by an independent
 * interpreter: logits, weights of the feature maps, gradients at the pixels.  Each case runs twice:
 * through oneDNN, and through the operators' own kernels. */
#include "support.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

typedef struct golden {
    char dir[512];
    char model[256], picture[256], layer[128], logits[128];
    int32_t target;
    kldve_ctx *ctx;
    const char *shared;
    kldve_onnx *net;
    void *state;
    kldve_shape shape;
    float *input, *k, *x, *gradient, *pixels;
} golden;

static void ok(const golden *g, kldve_status st)
{
    if (st < 0)
        fail_msg("%s: %s", g->dir, kldve_ctx_message(g->ctx));
}

/* The pictures have the network's size: only channel order and normalisation are left. */
static void load_input(golden *g)
{
    char path[600];
    kldve_card *card = NULL;
    kldve_image *image = NULL;
    kldve_input_spec spec = {.struct_size = sizeof spec};
    size_t cells = (size_t)g->shape.in_height * (size_t)g->shape.in_width;
    const uint8_t *rgb;

    snprintf(path, sizeof path, "%s/assets/%s", g->shared, g->model);
    strcpy(strstr(path, ".onnx"), ".card.json");
    ok(g, kldve_card_load(g->ctx, path, &card));
    ok(g, kldve_card_input(card, &spec));
    kldve_card_free(card);
    snprintf(path, sizeof path, "%s/assets/%s", g->shared, g->picture);
    ok(g, kldve_image_load(g->ctx, path, &image));
    assert_int_equal(kldve_image_width(image), g->shape.in_width);
    assert_int_equal(kldve_image_height(image), g->shape.in_height);
    rgb = kldve_image_pixels(image);
    for (int32_t c = 0; c < g->shape.in_channels; c++)
        for (size_t i = 0; i < cells; i++) {
            int at = spec.channels == KLDVE_CHANNELS_BGR ? 2 - c : c;
            float scale = spec.scale == 0 ? 1 : spec.scale;
            float std = spec.std[c] == 0 ? 1 : spec.std[c];

            g->input[(size_t)c * cells + i] =
                ((float)rgb[3 * i + (size_t)at] * scale - spec.mean[c]) / std;
        }
    kldve_image_free(image);
}

static size_t volume(int32_t a, int32_t b, int32_t c)
{
    return (size_t)a * (size_t)b * (size_t)c;
}

static void open_case(golden *g, uint64_t flags)
{
    kldve_onnx_options o = {
        .struct_size = sizeof o, .layer = g->layer, .logits = g->logits, .flags = flags};
    const kldve_backend *b = kldve_onnx_backend();
    char path[600];

    snprintf(path, sizeof path, "%s/assets/%s", g->shared, g->model);
    ok(g, kldve_onnx_load(g->ctx, path, &o, &g->net));
    ok(g, b->open(g->ctx, g->net, &g->state));
    b->shape(g->state, &g->shape);
    g->input = calloc(volume(g->shape.in_channels, g->shape.in_height, g->shape.in_width), 4);
    g->pixels = calloc(volume(g->shape.in_channels, g->shape.in_height, g->shape.in_width), 4);
    g->k = calloc((size_t)g->shape.classes, 4);
    g->x = calloc(volume(g->shape.maps, g->shape.height, g->shape.width), 4);
    g->gradient = calloc(volume(g->shape.maps, g->shape.height, g->shape.width), 4);
    load_input(g);
    ok(g, b->forward(g->state, g->input, g->k, g->x));
}

static void close_case(golden *g)
{
    kldve_onnx_backend()->close(g->state);
    kldve_onnx_free(g->net);
    free(g->input);
    free(g->pixels);
    free(g->k);
    free(g->x);
    free(g->gradient);
}

/* Largest difference relative to the largest golden value. */
static void compare(const golden *g, const char *name, const double *want, const double *got,
                    size_t n, double tolerance)
{
    double worst = 0, largest = 0;

    for (size_t i = 0; i < n; i++) {
        if (!(fabs(got[i] - want[i]) <= worst))
            worst = fabs(got[i] - want[i]);
        if (fabs(want[i]) > largest)
            largest = fabs(want[i]);
    }
    if (!(worst <= tolerance * largest))
        fail_msg("%s: %s differs by %g of the largest value (allowed %g)", g->dir, name,
                 worst / largest, tolerance);
}

static void check_logits(const golden *g)
{
    test_npy want = test_npy_load(test_path("%s/logits.npy", g->dir));
    double *got = calloc(want.count, sizeof *got);

    assert_int_equal(want.count, g->shape.classes);
    for (size_t i = 0; i < want.count; i++)
        got[i] = (double)g->k[i];
    compare(g, "logits", want.value, got, want.count, 1e-4);
    free(got);
    test_npy_free(&want);
}

/* VJP of a golden cotangent, averaged over each map. */
static void check_weights(golden *g, const char *cotangent, const char *alpha)
{
    test_npy t = test_npy_load(test_path("%s/%s.npy", g->dir, cotangent));
    test_npy want = test_npy_load(test_path("%s/%s.npy", g->dir, alpha));
    float *seed = calloc(t.count, sizeof *seed);
    double *got = calloc(want.count, sizeof *got);
    size_t cells = (size_t)g->shape.height * (size_t)g->shape.width;

    assert_int_equal(want.count, g->shape.maps);
    for (size_t i = 0; i < t.count; i++)
        seed[i] = (float)t.value[i];
    ok(g, kldve_onnx_backend()->vjp(g->state, seed, g->gradient));
    for (size_t m = 0; m < want.count; m++)
        for (size_t i = 0; i < cells; i++)
            got[m] += (double)g->gradient[m * cells + i] / (double)cells;
    compare(g, alpha, want.value, got, want.count, 1e-4);
    free(seed);
    free(got);
    test_npy_free(&t);
    test_npy_free(&want);
}

/* Gradients at the pixels jump where a float32 rounding moves the winner of a maximum or the sign
 * before a ReLU, so single pixels may differ: the whole picture is held to its root mean square. */
static void check_pixels(golden *g, const char *name, int32_t rule)
{
    const char *path = test_path("%s/%s.npy", g->dir, name);
    FILE *f = fopen(path, "rb");
    test_npy want;
    float *seed = calloc((size_t)g->shape.classes, sizeof *seed);
    double difference = 0, power = 0;

    if (f) {
        fclose(f);
        want = test_npy_load(path);
        seed[g->target] = 1;
        ok(g, kldve_onnx_backend()->vjp_input(g->state, seed, rule, g->pixels));
        for (size_t i = 0; i < want.count; i++) {
            difference += pow((double)g->pixels[i] - want.value[i], 2);
            power += pow(want.value[i], 2);
        }
        if (!(sqrt(difference / power) <= 2e-3))
            fail_msg("%s: %s differs by %g of its root mean square (allowed 2e-3)", g->dir, name,
                     sqrt(difference / power));
        test_npy_free(&want);
    }
    free(seed);
}

static void run_case(golden *g, uint64_t flags)
{
    test_heap heap;
    char *json;
    size_t n;
    double target = 0;

    json = test_file_load(test_path("%s/case.json", g->dir), &n);
    assert_true(test_json_string(json, "model", g->model, sizeof g->model));
    assert_true(test_json_string(json, "picture", g->picture, sizeof g->picture));
    assert_true(test_json_string(json, "layer", g->layer, sizeof g->layer));
    assert_true(test_json_string(json, "logits", g->logits, sizeof g->logits));
    assert_true(test_json_number(json, "target", &target));
    g->target = (int32_t)target;
    free(json);
    g->ctx = test_ctx(&heap);
    open_case(g, flags | KLDVE_ONNX_FLAG_VJP_INPUT);
    check_logits(g);
    check_weights(g, "contrast_cotangent", "alpha_contrast");
    check_weights(g, "rivals_cotangent", "alpha_rivals");
    check_weights(g, "neighbours_cotangent", "alpha_neighbours");
    check_pixels(g, "pixel_saliency", KLDVE_RULE_GRADIENT);
    if (!(flags & KLDVE_ONNX_FLAG_PLAIN)) /* the rules belong to the fused activations */
        check_pixels(g, "pixel_guided", KLDVE_RULE_GUIDED);
    check_weights(g, "contrast_cotangent", "alpha_contrast"); /* a VJP can be repeated */
    close_case(g);
    kldve_ctx_free(g->ctx);
    assert_int_equal(heap.live, 0);
}

static int walk(uint64_t flags, size_t largest_model)
{
    const char *shared = test_shared_or_skip();
    DIR *models = opendir(test_path("%s/golden", shared));
    struct dirent *m, *c;
    int cases = 0;

    assert_non_null(models);
    while ((m = readdir(models))) {
        DIR *dir;
        const char *file = test_path("%s/assets/models/%s.onnx", shared, m->d_name);
        FILE *f = fopen(file, "rb");

        if (m->d_name[0] == '.' || !f)
            continue;
        fseek(f, 0, SEEK_END);
        if ((size_t)ftell(f) <= largest_model &&
            (dir = opendir(test_path("%s/golden/%s", shared, m->d_name)))) {
            while ((c = readdir(dir))) {
                golden g = {.shared = shared};

                if (c->d_name[0] == '.')
                    continue;
                snprintf(g.dir, sizeof g.dir, "%s/golden/%.100s/%.100s", shared, m->d_name,
                         c->d_name);
                run_case(&g, flags);
                cases++;
            }
            closedir(dir);
        }
        fclose(f);
    }
    closedir(models);
    return cases;
}

static void test_onednn(void **state)
{
    (void)state;
    assert_true(walk(0, SIZE_MAX) >= 30);
}

static void test_plain(void **state)
{
    (void)state;
    assert_true(walk(KLDVE_ONNX_FLAG_PLAIN, getenv("KLDVE_LONG_TESTS") ? SIZE_MAX : 4u << 20) >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_onednn),
        cmocka_unit_test(test_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
