/* test_unite.c - layers that the file does not have as they are explained: two streams joined to
 * one layer, one of them mirrored, and tokens.  What the network computes stays the same. */
#include "onnx/networks/opened.h"
#include "got.h"
#include "onnx/networks/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/kldve.h>

enum { SIDE = 8, MAPS = 8, CELLS = SIDE * SIDE };

#define WEIGHTS                                                                                    \
    "t w f32 8,3,3,3 0.3,-0.2,0.15,-0.1,0.25,0.05,-0.3; "                                          \
    "t w2 f32 6,3,3,3 -0.25,0.3,0.1,-0.15,0.2; "                                                   \
    "t d f32 8,5 0.5,-0.3,0.2,0.7,-0.1,0.4; t d2 f32 6,5 -0.6,0.2,0.3,0.9; "
#define SCORES(from, weights, to)                                                                  \
    "n GlobalAveragePool " from " g" to "; n Flatten g" to " f" to "; n Gemm f" to "," weights     \
    " " to "; "
/* Two streams of 8 and 6 maps; each has a part of the scores. */
#define STREAMS                                                                                    \
    "in x 1,3,8,8; " WEIGHTS "n Conv x,w a pads=[1,1,1,1]; n Relu a r; "                           \
    "n Conv x,w2 b pads=[1,1,1,1]; n Relu b t; " SCORES("r", "d", "y1")                            \
        SCORES("t", "d2", "y2") "n Add y1,y2 y; out y"
/* The picture and its mirror image go through the same convolution. */
#define MIRRORED                                                                                   \
    "in x 1,3,8,8; " WEIGHTS                                                                       \
    "i from -1; i to -9; i axis 3; i by -1; n Slice x,from,to,axis,by z; "                         \
    "n Conv x,w a pads=[1,1,1,1]; n Relu a r; n Conv z,w b pads=[1,1,1,1]; n Relu b t; " SCORES(   \
        "r", "d", "y1") SCORES("t", "d", "y2") "n Add y1,y2 y; out y"

typedef struct results {
    float *logits, *features, *gradient;
} results;

static results run(opened *o, const float *input)
{
    const kldve_backend *b = kldve_onnx_backend();
    results r = {calloc(o->classes, sizeof(float)), calloc(o->features, sizeof(float)),
                 calloc(o->features, sizeof(float))};
    float *cotangent = calloc(o->classes, sizeof *cotangent);

    for (size_t i = 0; i < o->classes; i++)
        cotangent[i] = (float)i - 1.25f;
    assert_int_equal(b->forward(o->state, input, r.logits, r.features), KLDVE_OK);
    assert_int_equal(b->vjp(o->state, cotangent, r.gradient), KLDVE_OK);
    free(cotangent);
    return r;
}

/* Load, run and close; `shape` may be NULL. */
static results run_with(const char *network, const kldve_onnx_options *options, const float *input,
                        kldve_shape *shape)
{
    opened o;
    results r;

    opened_state(&o, opened_text(&o, network, options));
    r = run(&o, input);
    if (shape)
        *shape = o.shape;
    opened_close(&o);
    return r;
}

static results run_at(const char *network, const char *layer, const char *logits,
                      const float *input, kldve_shape *shape)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .layer = layer, .logits = logits};

    return run_with(network, &options, input, shape);
}

static void free_results(results *r)
{
    free(r->logits);
    free(r->features);
    free(r->gradient);
}

static void random_picture(float x[3 * CELLS])
{
    uint64_t seed = 11;

    for (size_t i = 0; i < 3 * CELLS; i++)
        x[i] = (float)test_normal(&seed);
}

/* Each row backwards. */
static void mirror(const float *x, size_t rows, float *out)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < SIDE; i++)
            out[row * SIDE + i] = x[row * SIDE + SIDE - 1 - i];
}

static void assert_near(const char *what, const float *a, const float *b, size_t n)
{
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        any = any || b[i] != 0;
        if (!(fabs((double)a[i] - (double)b[i]) <= 1e-5 * (1 + fabs((double)b[i]))))
            fail_msg("%s %zu: %g, not %g", what, i, (double)a[i], (double)b[i]);
    }
    assert_true(any);
}

/* One operator after the other: nodes that are put in may not change a bit.  Elsewhere they change
 * what is merged, and with that the rounding. */
static void assert_same_logits(const char *network, const char *layer, const char *other,
                               const float *input, size_t classes)
{
    kldve_onnx_options options = {
        .struct_size = sizeof options, .layer = layer, .flags = KLDVE_ONNX_FLAG_PLAIN};
    results one = run_with(network, &options, input, NULL), two;

    options.layer = other;
    two = run_with(network, &options, input, NULL);
    assert_memory_equal(one.logits, two.logits, classes * sizeof(float));
    free_results(&one);
    free_results(&two);
}

static void assert_part(const results *joined, size_t from, const results *single, size_t maps)
{
    assert_near("feature", joined->features + from * CELLS, single->features, maps * CELLS);
    assert_near("gradient", joined->gradient + from * CELLS, single->gradient, maps * CELLS);
}

static void test_streams(void **state)
{
    float x[3 * CELLS];
    kldve_shape shape;
    results joined, first, second, other;

    (void)state;
    random_picture(x);
    joined = run_at(STREAMS, NULL, NULL, x, &shape);
    first = run_at(STREAMS, "r", NULL, x, NULL);
    second = run_at(STREAMS, "t", NULL, x, NULL);
    other = run_at(STREAMS, "a", NULL, x, NULL);
    assert_int_equal(shape.maps, 14);
    assert_int_equal(shape.height, SIDE);
    assert_int_equal(shape.all_paths, 1);
    assert_part(&joined, 0, &first, 8);
    assert_part(&joined, 8, &second, 6);
    assert_near("logit", joined.logits, other.logits, 5);
    assert_same_logits(STREAMS, NULL, "a", x, 5);
    free_results(&joined);
    free_results(&first);
    free_results(&second);
    free_results(&other);
}

/* One layer's features and gradients with each row backwards. */
static results turned(const results *r, size_t maps)
{
    results out = {NULL, calloc(maps * CELLS, sizeof(float)), calloc(maps * CELLS, sizeof(float))};

    mirror(r->features, maps * SIDE, out.features);
    mirror(r->gradient, maps * SIDE, out.gradient);
    return out;
}

/* The stream of the mirror image does with a picture what the other does with its mirror image. */
static void test_mirrored(void **state)
{
    float x[3 * CELLS], reversed[3 * CELLS];
    kldve_shape shape;
    results joined, first, second, other, of_mirror, back;

    (void)state;
    random_picture(x);
    mirror(x, 3 * SIDE, reversed);
    joined = run_at(MIRRORED, NULL, NULL, x, &shape);
    first = run_at(MIRRORED, "r", NULL, x, NULL);
    second = run_at(MIRRORED, "t", NULL, x, NULL);
    other = run_at(MIRRORED, "a", NULL, x, NULL);
    of_mirror = run_at(MIRRORED, "r", NULL, reversed, NULL);
    back = turned(&of_mirror, MAPS);
    assert_int_equal(shape.maps, 2 * MAPS);
    assert_int_equal(shape.all_paths, 1);
    assert_part(&joined, 0, &first, MAPS);
    assert_part(&joined, MAPS, &second, MAPS);
    assert_part(&joined, MAPS, &back, MAPS);
    assert_near("logit", joined.logits, other.logits, 5);
    assert_same_logits(MIRRORED, NULL, "a", x, 5);
    free_results(&joined);
    free_results(&first);
    free_results(&second);
    free_results(&other);
    free_results(&of_mirror);
    free_results(&back);
}

/* Only the corner of the picture is not 0, so that no cell far from it has a feature in either
 * stream. */
static void test_corner(void **state)
{
    enum { BRIGHT = 2, NEAR = BRIGHT + 1 };
    const kldve_options options = {
        .struct_size = sizeof options, .method = "grad-cam", .sign = KLDVE_SIGN_ABSOLUTE};
    float x[3 * CELLS] = {0};
    kldve_explainer *net = NULL;
    kldve_heatmap *heat = NULL;
    const float *map;
    opened o;

    (void)state;
    for (size_t row = 0; row < 3 * SIDE; row++)
        for (size_t i = 0; i < BRIGHT && row % SIDE < BRIGHT; i++)
            x[row * SIDE + i] = 1;
    if (opened_text(&o, MIRRORED, NULL) < 0 ||
        kldve_explainer_new(o.ctx, kldve_onnx_backend(), o.net, &net) < 0 ||
        kldve_explain_input(net, x, &options, &heat) < 0)
        fail_msg("%s", kldve_ctx_message(o.ctx));
    map = got_values(heat);
    for (int32_t i = 0; i < CELLS; i++)
        if (i / SIDE >= NEAR || i % SIDE >= NEAR)
            assert_true(map[i] == 0);
    assert_true(map[0] > 0);
    kldve_heatmap_free(heat);
    kldve_explainer_free(net);
    opened_close(&o);
}

/* 16 tokens of 8 channels behind a class token.  Two vectors of scores: the tokens themselves, and
 * what a matrix makes of each of them. */
enum { TOKENS = 16, CHANNELS = 8, NUMBERS = (TOKENS + 1) * CHANNELS };
#define TOKENISED                                                                                  \
    "in x 1,3,8,8; " WEIGHTS "w class 1,1,8; w u 8,8; i flat 1,8,16; i vector 1,136; "             \
    "n Conv x,w c strides=[2,2] pads=[1,1,1,1]; n Reshape c,flat p; "                              \
    "n Transpose p q perm=[0,2,1]; n Concat class,q k axis=1; n Relu k s; "                        \
    "n Reshape s,vector plain; n MatMul s,u m; n Reshape m,vector y; out y; out plain"

static float weight_u(size_t from, size_t to)
{
    return 0.01f * (float)(from * CHANNELS + to + 1);
}

/* The gradient at channel c of one token, of run()'s sum of the scores m = s u. */
static float expected_gradient(size_t token, size_t c)
{
    float sum = 0;

    for (size_t to = 0; to < CHANNELS; to++)
        sum += weight_u(c, to) * ((float)(token * CHANNELS + to) - 1.25f);
    return sum;
}

static void test_tokens(void **state)
{
    float x[3 * CELLS], features[TOKENS * CHANNELS], gradient[TOKENS * CHANNELS];
    kldve_shape shape;
    results at, before;

    (void)state;
    random_picture(x);
    at = run_at(TOKENISED, "s", "plain", x, &shape);
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t i = 0; i < TOKENS; i++) {
            features[c * TOKENS + i] = at.logits[(1 + i) * CHANNELS + c];
            gradient[c * TOKENS + i] = (float)((1 + i) * CHANNELS + c) - 1.25f;
        }
    assert_int_equal(shape.classes, NUMBERS);
    assert_int_equal(shape.maps, CHANNELS);
    assert_int_equal(shape.height, 4);
    assert_int_equal(shape.width, 4);
    assert_near("feature", at.features, features, TOKENS * CHANNELS);
    assert_near("gradient", at.gradient, gradient, TOKENS * CHANNELS);
    free_results(&at);
    at = run_at(TOKENISED, "s", "y", x, NULL);
    before = run_at(TOKENISED, "c", "y", x, NULL);
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t i = 0; i < TOKENS; i++)
            gradient[c * TOKENS + i] = expected_gradient(1 + i, c);
    assert_near("feature", at.features, features, TOKENS * CHANNELS);
    assert_near("gradient", at.gradient, gradient, TOKENS * CHANNELS);
    assert_near("logit", at.logits, before.logits, NUMBERS);
    assert_same_logits(TOKENISED, "s", "c", x, NUMBERS);
    free_results(&at);
    free_results(&before);
}

/* Maps and tokens of one grid, joined. */
#define MIXED                                                                                      \
    "in x 1,3,8,8; " WEIGHTS "w class 1,1,6; i flat 1,6,16; "                                      \
    "n Conv x,w a strides=[2,2] pads=[1,1,1,1]; n Relu a r; "                                      \
    "n Conv x,w2 c strides=[2,2] pads=[1,1,1,1]; n Reshape c,flat p; "                             \
    "n Transpose p q perm=[0,2,1]; n Concat class,q k axis=1; n Tanh k t; "                        \
    "n ReduceMean t j axes=[1] keepdims=0; n Gemm j,d2 y2; " SCORES("r", "d",                      \
                                                                    "y1") "n Add y1,y2 y; out y"

/* One stream reads the other, but not that alone. */
#define NESTED                                                                                     \
    "in x 1,3,8,8; " WEIGHTS "t w3 f32 6,8,3,3 0.1,-0.3,0.2,0.05,-0.15; "                          \
    "n Conv x,w a pads=[1,1,1,1]; n Relu a r; n Conv x,w2 b pads=[1,1,1,1]; "                      \
    "n Conv r,w3 e pads=[1,1,1,1]; n Add b,e h; n Relu h t; " SCORES("r", "d", "y1")               \
        SCORES("t", "d2", "y2") "n Add y1,y2 y; out y"

static const struct joined {
    const char *text, *first, *second;
    size_t cells;
} joins[] = {{STREAMS, "r", "t", 64}, {MIXED, "r", "t", 16}, {NESTED, "r", "t", 64}};

/* The features of a joined layer are all that the rest of the network needs. */
static void check_join(const struct joined *c)
{
    float x[3 * CELLS], *logits;
    opened o;
    results joined, first, second;

    random_picture(x);
    first = run_at(c->text, c->first, NULL, x, NULL);
    second = run_at(c->text, c->second, NULL, x, NULL);
    opened_state(&o, opened_text(&o, c->text, NULL));
    joined = run(&o, x);
    assert_int_equal(o.features, 14 * c->cells);
    assert_near("first", joined.features, first.features, 8 * c->cells);
    assert_near("second", joined.features + 8 * c->cells, second.features, 6 * c->cells);
    assert_near("gradient", joined.gradient + 8 * c->cells, second.gradient, 6 * c->cells);
    assert_near("logit", joined.logits, first.logits, o.classes);
    assert_same_logits(c->text, NULL, c->first, x, o.classes);
    logits = calloc(o.classes, sizeof *logits);
    if (kldve_onnx_backend()->forward_features(o.state, joined.features, logits) < 0)
        fail_msg("%s", kldve_ctx_message(o.ctx));
    assert_near("logit", logits, joined.logits, o.classes);
    free(logits);
    free_results(&joined);
    free_results(&first);
    free_results(&second);
    opened_close(&o);
}

static void test_joins(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
        check_join(&joins[i]);
}

/* Every allocation of loading and opening a network with a joined layer fails once. */
static void test_allocations(void **state)
{
    kldve_status st = KLDVE_E_NOMEM;
    size_t n;
    unsigned char *model = writer_memory(write_text, MIRRORED, &n);

    (void)state;
    for (long budget = 0; st == KLDVE_E_NOMEM; budget++) {
        opened o = {.model = NULL};

        o.ctx = test_ctx(&o.heap);
        o.heap.budget = budget;
        if ((st = kldve_onnx_load_memory(o.ctx, model, n, NULL, &o.net)) == KLDVE_OK)
            st = kldve_onnx_backend()->open(o.ctx, o.net, &o.state);
        o.heap.budget = -1;
        assert_true(st == KLDVE_OK || (st == KLDVE_E_NOMEM && !o.state));
        opened_close(&o);
    }
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams), cmocka_unit_test(test_mirrored),
        cmocka_unit_test(test_corner),  cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_joins),   cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests_name("unite", tests, NULL, NULL);
}
