/* test_head.c - the part of a network behind its layer, fed with what the whole network computes in
 * front of it, makes the same maps.  The tensors that it takes come from a third load, which
 * selects each of them as scores. */
#include "onnx/networks/opened.h"
#include "got.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICTURE                                                                                    \
    "in x 1,3,8,8; t w f32 8,3,3,3 0.3,-0.2,0.15,-0.1,0.25,0.05,-0.3; "                            \
    "t v f32 8,8,1,1 0.2,-0.1,0.3,0.05,-0.25; t d f32 8,5 0.5,-0.3,0.2,0.7,-0.1,0.4; "
#define STEM PICTURE "n Conv x,w s pads=[1,1,1,1]; n Relu s a; "
#define SCORES(from) "n GlobalAveragePool " from " g; n Flatten g f; n Gemm f,d y; out y"

#define CHAIN STEM "n Conv a,v b; n Relu b c; " SCORES("c") "; n Softmax y p; out p"
#define SKIPPED STEM "n Conv a,v b; n Tanh b c; n Add a,c e; n Relu e h; " SCORES("h")
#define DENSE                                                                                      \
    STEM "n MaxPool a m kernel_shape=[2,2] strides=[2,2]; n Flatten m n; "                         \
         "t d1 f32 128,16 0.2,-0.3,0.1,0.25,-0.15,0.05,-0.2; n Gemm n,d1 k; n Relu k l; "          \
         "t d2 f32 16,5 0.5,-0.3,0.2,0.7,-0.1,0.4; n Gemm l,d2 y; out y"
#define LAST                                                                                       \
    "in x 1,8,8,3; t w f32 8,3,3,3 0.3,-0.2,0.15,-0.1,0.25,0.05,-0.3; "                            \
    "t d f32 8,5 0.5,-0.3,0.2,0.7,-0.1,0.4; n Transpose x i perm=[0,3,1,2]; "                      \
    "n Conv i,w s pads=[1,1,1,1]; n Transpose s l perm=[0,2,3,1]; n Relu l h; "                    \
    "n ReduceMean h f axes=[1,2] keepdims=0; n Gemm f,d y; out y"
/* A class token before 64 others; attention, of which only the class token is read. */
#define TOKENS                                                                                     \
    STEM                                                                                           \
        "i flat 1,8,64; t m f32 8,8 0.3,-0.4,0.2,0.1,-0.2,0.5,0.15; t class f32 1,1,8 0.5,-0.2; "  \
        "i first 0; n Reshape a,flat p; n Transpose p q perm=[0,2,1]; n Concat class,q k axis=1; " \
        "n MatMul k,m e; n Transpose k t perm=[0,2,1]; n MatMul k,t c; n Softmax c o axis=2; "     \
        "n MatMul o,e r; n Add k,r h; n Gather h,first j axis=1; n Flatten j f; n Gemm f,d y; "    \
        "out y"
/* Two streams, of which neither has the whole score. */
#define STREAMS                                                                                    \
    PICTURE "t w2 f32 6,3,3,3 -0.25,0.3,0.1,-0.15,0.2; t d2 f32 6,5 -0.6,0.2,0.3,0.9; "            \
            "n Conv x,w a pads=[1,1,1,1]; n Relu a r; n Conv x,w2 b pads=[1,1,1,1]; n Relu b t; "  \
            "n GlobalAveragePool r g1; n Flatten g1 f1; n Gemm f1,d y1; "                          \
            "n GlobalAveragePool t g2; n Flatten g2 f2; n Gemm f2,d2 y2; n Add y1,y2 y; out y"
/* Four classes at every second pixel. */
#define PLACES STEM "t u f32 4,8,2,2 0.2,-0.3,0.4,0.1,-0.2; n Conv a,u y strides=[2,2]; out y"
/* Rows of box and scores. */
#define ROWS                                                                                       \
    STEM "t u f32 7,8,1,1 0.2,-0.3,0.4,0.1,-0.2; n Conv a,u k; n Relu k b; i shape 1,7,64; "       \
         "n Reshape b,shape o; out o"
/* A truth value from in front of the layer chooses between two tensors. */
#define CHOSEN                                                                                     \
    STEM "t z f32 1,1,1,1 0.5; n ReduceMax s t axes=[1,2,3]; n Greater t,z n; n Conv a,v b; "      \
         "n Relu b c; n Where n,c,a h; " SCORES("h")
#define AROUND                                                                                     \
    STEM "n Concat a,x h axis=1; t e f32 11,5 0.2,-0.1,0.4; n GlobalAveragePool h g; "             \
         "n Flatten g f; n Gemm f,e y; out y"

/* The layer is in a function. */
#define INSIDE                                                                                     \
    "fn F i o; n Relu i k; n Tanh k l; n Neg l o; end; " STEM                                      \
    "n Conv a,v b; n f:F b h; " SCORES("h")
#define ALL_INSIDE                                                                                 \
    "fn F i o; n Relu i k; n Sigmoid k l; n Exp l o; end; in x 1,8,8,8; "                          \
    "t d f32 8,5 0.5,-0.3,0.2,0.7,-0.1,0.4; n f:F x h; " SCORES("h")

enum { NUMBERS = 3 * 64 };

static const struct network {
    const char *name, *text, *layer;
    const char *tap[4]; /* names, NULL behind the last */
    uint64_t flags;
    int32_t pick; /* a kldve_pick_kind */
} networks[] = {
    {"a chain", CHAIN, NULL, {"c"}, 0, 0},
    {"an earlier layer", CHAIN, "a", {"a"}, 0, 0},
    {"a way around the layer", SKIPPED, "c", {"c", "a"}, 0, 0},
    {"dense layers", DENSE, NULL, {"m"}, 0, 0},
    {"channels last", LAST, NULL, {"h"}, 0, 0},
    {"tokens", TOKENS, "k", {"k"}, 0, 0},
    {"joined layers", STREAMS, NULL, {"r", "t"}, 0, 0},
    {"a place", PLACES, "a", {"a"}, KLDVE_ONNX_FLAG_PICK_PLACE, KLDVE_PICK_AT},
    {"the best row", ROWS, "a", {"a"}, KLDVE_ONNX_FLAG_PICK_ROW, KLDVE_PICK_BEST},
    {"a layer in a function", INSIDE, "h/k", {"b"}, 0, 0},
    {"a truth value around the layer", CHOSEN, "c", {"c", "a", "t"}, 0, 0},
};

/* Methods that need nothing but the layer and what lies behind it. */
static const char *const of_layer[] = {
    "kl-dve",    "grad-cam",      "grad-cam++", "xgrad-cam",    "hires-cam",   "layer-cam", "cam",
    "eigen-cam", "eigengrad-cam", "lafam",      "ablation-cam", "recipro-cam", "random"};

static bool is_of_layer(const char *method)
{
    for (size_t i = 0; i < sizeof of_layer / sizeof *of_layer; i++)
        if (strcmp(of_layer[i], method) == 0)
            return true;
    return false;
}

static void new_input(float x[NUMBERS])
{
    uint64_t seed = 5;

    for (size_t i = 0; i < NUMBERS; i++)
        x[i] = (float)test_normal(&seed);
}

/* Elements of a tensor of the network at `input`, one behind the other; returns how many. */
static size_t run_to(const char *network, const char *tensor, const float *input, float *out)
{
    char select[64];
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .select = select, .flags = KLDVE_ONNX_FLAG_NO_VJP};
    size_t classes;
    float *features;
    opened o;

    snprintf(select, sizeof select, "%s[0]", tensor);
    opened_state(&o, opened_text(&o, network, &options));
    features = calloc(o.features + 1, sizeof *features);
    classes = o.classes;
    assert_int_equal(kldve_onnx_backend()->forward(o.state, input, out, features), KLDVE_OK);
    free(features);
    opened_close(&o);
    return classes;
}

static kldve_explainer *explainer_on(const opened *o)
{
    kldve_explainer *ex = NULL;

    if (kldve_explainer_new(o->ctx, kldve_onnx_backend(), o->net, &ex) < 0)
        fail_msg("%s", kldve_ctx_message(o->ctx));
    return ex;
}

static void assert_same_maps(const char *what, const kldve_heatmap *a, const kldve_heatmap *b)
{
    kldve_record ra = {.struct_size = sizeof ra}, rb = {.struct_size = sizeof rb};

    assert_int_equal(kldve_heatmap_record(a, &ra), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(b, &rb), KLDVE_OK);
    if (ra.target != rb.target)
        fail_msg("%s: class %d, not %d", what, (int)ra.target, (int)rb.target);
    assert_int_equal(ra.flags, rb.flags);
    assert_int_equal(ra.row, rb.row);
    for (int32_t i = 0; i < ra.height * ra.width; i++)
        if (!(fabsf(got_values(a)[i] - got_values(b)[i]) <= 1e-5f))
            fail_msg("%s: cell %d is %g, not %g", what, (int)i, (double)got_values(a)[i],
                     (double)got_values(b)[i]);
}

/* What the head takes, behind each other in `values`; the names are those of the table. */
static int64_t tapped(const struct network *n, const kldve_onnx *net, const float *input,
                      float *values)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    int32_t count = 0;
    size_t all = 0;

    for (; kldve_onnx_tap_at(net, count, &t) == KLDVE_OK; count++) {
        assert_true(count < 4 && n->tap[count]);
        assert_string_equal(t.name, n->tap[count]);
        all += run_to(n->text, t.name, input, values + all);
    }
    assert_true(count > 0 && !n->tap[count]);
    return (int64_t)all;
}

static void compare_method(const struct network *n, const opened *a, const opened *b,
                           kldve_explainer *whole, kldve_explainer *head, const float *input,
                           const kldve_feature_maps *features, const char *method)
{
    kldve_options options = {
        .struct_size = sizeof options, .method = method, .pick = n->pick, .pick_x = 3, .pick_y = 4};
    kldve_heatmap *expected = NULL, *found = NULL;
    char what[96];
    kldve_status st;

    snprintf(what, sizeof what, "%s, %s", n->name, method);
    st = kldve_explainer_check(head, &options);
    if (!is_of_layer(method)) {
        assert_int_equal(st, KLDVE_E_UNSUPPORTED);
        assert_int_equal(kldve_explain_features(head, features, &options, &found),
                         KLDVE_E_UNSUPPORTED);
        return;
    }
    if (st < 0)
        fail_msg("%s: check: %s", what, kldve_ctx_message(b->ctx));
    st = kldve_explain_input(whole, input, &options, &expected);
    if (kldve_explain_features(head, features, &options, &found) != st)
        fail_msg("%s: %s, %s", what, kldve_ctx_message(a->ctx), kldve_ctx_message(b->ctx));
    if (st < 0) { /* CAM, which refuses some heads */
        assert_string_equal(method, "cam");
        return;
    }
    assert_same_maps(what, found, expected);
    kldve_heatmap_free(expected);
    kldve_heatmap_free(found);
}

static void compare(const struct network *n)
{
    float input[NUMBERS], values[2048];
    kldve_onnx_options options = {.struct_size = sizeof options, .layer = n->layer};
    kldve_feature_maps features = {.struct_size = sizeof features, .values = values};
    kldve_shape shape = {.struct_size = sizeof shape};
    kldve_explainer *whole, *head;
    opened a, b;

    new_input(input);
    options.flags = n->flags;
    opened_state(&a, opened_text(&a, n->text, &options));
    options.flags |= KLDVE_ONNX_FLAG_HEAD;
    opened_state(&b, opened_text(&b, n->text, &options));
    features.count = tapped(n, a.net, input, values);
    whole = explainer_on(&a);
    head = explainer_on(&b);
    assert_int_equal(kldve_explainer_shape(head, &shape), KLDVE_OK);
    assert_int_equal(shape.head, features.count);
    assert_int_equal(shape.maps, a.shape.maps);
    for (int32_t i = 0; got_method_name(i); i++)
        compare_method(n, &a, &b, whole, head, input, &features, got_method_name(i));
    assert_int_equal(kldve_explainer_randomise(head, KLDVE_RANDOMISE_CASCADE, 0, 1),
                     KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(b.ctx),
                        "onnx: random parameters: only the head of the network is loaded: load the "
                        "whole network, without KLDVE_ONNX_FLAG_HEAD");
    kldve_explainer_free(whole);
    kldve_explainer_free(head);
    opened_close(&a);
    opened_close(&b);
}

static void test_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        compare(&networks[i]);
}

/* ---- refused ---- */

static const struct bad_load {
    const char *name, *text, *layer, *message;
    uint64_t flags;
    int32_t batch;
    kldve_status status;
} bad_loads[] = {
    {"a picture around the layer", AROUND, "a",
     "cannot be loaded as a head: the scores read the picture 'x' also by a way around the layer "
     "'a'",
     0, 0, KLDVE_E_UNSUPPORTED},
    {"all in one function", ALL_INSIDE, "h/k",
     "no tensor of its main graph lies between the picture 'x' and the layer 'h/k'", 0, 0,
     KLDVE_E_UNSUPPORTED},
    {"no layer", "in x 1,6; w d 6,3; n Gemm x,d y; out y", NULL,
     "cannot be loaded as a head: it has no layer", 0, 0, KLDVE_E_UNSUPPORTED},
    {"pixels", CHAIN, NULL, "it goes with neither KLDVE_ONNX_FLAG_VJP_INPUT",
     KLDVE_ONNX_FLAG_VJP_INPUT, 0, KLDVE_E_ARG},
    {"a list", CHAIN, NULL, "nor KLDVE_ONNX_FLAG_LIST", KLDVE_ONNX_FLAG_LIST, 0, KLDVE_E_ARG},
    {"a batch", CHAIN, NULL, "batch is 0 or 1", 0, 4, KLDVE_E_ARG},
};

static void test_bad_loads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_loads / sizeof *bad_loads; i++) {
        const struct bad_load *bad = &bad_loads[i];
        const kldve_onnx_options options = {.struct_size = sizeof options,
                                            .layer = bad->layer,
                                            .batch = bad->batch,
                                            .flags = bad->flags | KLDVE_ONNX_FLAG_HEAD};
        opened o;

        assert_int_equal(opened_text(&o, bad->text, &options), bad->status);
        test_says(o.ctx, bad->message);
        opened_close(&o);
    }
}

/* A network that is loaded as a whole says as well that it has no head. */
static void test_no_taps(void **state)
{
    const kldve_onnx_options options = {.struct_size = sizeof options, .layer = "a"};
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    opened o;

    (void)state;
    assert_int_equal(opened_text(&o, AROUND, &options), KLDVE_OK);
    assert_int_equal(kldve_onnx_tap_at(o.net, 0, &t), KLDVE_E_UNSUPPORTED);
    assert_int_equal(kldve_onnx_tap_at(NULL, 0, &t), KLDVE_E_ARG);
    opened_close(&o);
}

static float good[512];

static const struct bad_call {
    const char *name, *message;
    kldve_feature_maps features;
    kldve_status status;
} bad_calls[] = {
    {"no values", "the values are NULL", {.count = 512}, KLDVE_E_ARG},
    {"too few", "511 numbers, the head takes 512", {.values = good, .count = 511}, KLDVE_E_ARG},
    {"one side", "4 x 0 pixels", {.values = good, .count = 512, .picture_width = 4}, KLDVE_E_ARG},
    {"other scores",
     "class 2 has",
     {.values = good, .count = 512, .logits = (const float[]){9, 9, 9, 9, 9}},
     KLDVE_E_ARG},
    {"no number",
     "class 1 has",
     {.values = good, .count = 512, .logits = (const float[]){0, NAN, 0, 0, 0}},
     KLDVE_E_ARG},
};

static void test_bad_calls(void **state)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_HEAD};
    kldve_heatmap *map = NULL;
    kldve_explainer *head;
    opened o;

    (void)state;
    opened_state(&o, opened_text(&o, CHAIN, &options));
    head = explainer_on(&o);
    for (size_t i = 0; i < sizeof bad_calls / sizeof *bad_calls; i++) {
        kldve_feature_maps f = bad_calls[i].features;

        f.struct_size = sizeof f;
        assert_int_equal(kldve_explain_features(head, &f, NULL, &map), bad_calls[i].status);
        test_says(o.ctx, bad_calls[i].message);
    }
    assert_int_equal(kldve_explain_input(head, good, NULL, &map), KLDVE_E_ARG);
    test_says(o.ctx, "kldve_explain_features()");
    assert_null(map);
    kldve_explainer_free(head);
    opened_close(&o);
}

/* A network that is open as a whole takes no features. */
static void test_whole(void **state)
{
    const kldve_feature_maps f = {.struct_size = sizeof f, .values = good, .count = 512};
    kldve_heatmap *map = NULL;
    kldve_explainer *whole;
    opened o;

    (void)state;
    opened_state(&o, opened_text(&o, CHAIN, NULL));
    whole = explainer_on(&o);
    assert_int_equal(kldve_explain_features(whole, &f, NULL, &map), KLDVE_E_ARG);
    test_says(o.ctx, "open as a whole network");
    kldve_explainer_free(whole);
    opened_close(&o);
}

/* The heat of a picture that was cropped lies where kldve_explain() puts it. */
static void test_frame(void **state)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_HEAD};
    const kldve_input_spec spec = {
        .struct_size = sizeof spec, .resize_shorter_side = 12, .center_crop = 8};
    const kldve_feature_maps f = {.struct_size = sizeof f,
                                  .values = good,
                                  .count = 512,
                                  .picture_width = 30,
                                  .picture_height = 24};
    kldve_record r = {.struct_size = sizeof r};
    kldve_heatmap *map = NULL;
    kldve_explainer *head;
    opened o;

    (void)state;
    opened_state(&o, opened_text(&o, CHAIN, &options));
    head = explainer_on(&o);
    assert_int_equal(kldve_explainer_set_input(head, &spec), KLDVE_OK);
    assert_int_equal(kldve_explain_features(head, &f, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    /* 30 x 24 -> 15 x 12, of which columns 4 to 11 and rows 2 to 9 */
    assert_true(fabsf(r.seen_x - 4.0f / 15) < 1e-6f);
    assert_true(fabsf(r.seen_y - 2.0f / 12) < 1e-6f);
    assert_true(fabsf(r.seen_width - 8.0f / 15) < 1e-6f);
    assert_true(fabsf(r.seen_height - 8.0f / 12) < 1e-6f);
    kldve_heatmap_free(map);
    kldve_explainer_free(head);
    opened_close(&o);
}

/* What lies in front of the layer takes no memory: nearly all weights, most of the arrays. */
static void test_small(void **state)
{
    kldve_onnx_options options = {.struct_size = sizeof options, .threads = 1};
    kldve_onnx_needs whole = {.struct_size = sizeof whole}, head = {.struct_size = sizeof head};
    opened o;

    (void)state;
    opened_state(&o, opened_file(&o, "mobilenet_v1_1.0_224", &options));
    assert_int_equal(kldve_onnx_memory_held(o.net, &whole), KLDVE_OK);
    opened_close(&o);
    options.flags = KLDVE_ONNX_FLAG_HEAD;
    opened_state(&o, opened_file(&o, "mobilenet_v1_1.0_224", &options));
    assert_int_equal(kldve_onnx_memory_held(o.net, &head), KLDVE_OK);
    opened_close(&o);
    assert_true(head.weights < whole.weights / 50);
    assert_true(head.explainer < whole.explainer / 4);
}

/* The shortest way to an explainer gives one of a head, too. */
static void test_shortest(void **state)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_HEAD};
    kldve_shape shape = {.struct_size = sizeof shape};
    kldve_explainer *head = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st = kldve_onnx_explainer(ctx, NULL, &options, &head);

    (void)state;
    if (st != KLDVE_E_UNSUPPORTED) { /* without a demonstration network */
        assert_int_equal(st, KLDVE_OK);
        assert_int_equal(kldve_explainer_shape(head, &shape), KLDVE_OK);
        assert_int_equal(shape.head, shape.maps * shape.height * shape.width);
    }
    kldve_explainer_free(head);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Every allocation of a load fails once. */
static void test_memory(void **state)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .layer = "c", .flags = KLDVE_ONNX_FLAG_HEAD};
    opened o;
    kldve_status st;

    (void)state;
    st = opened_text(&o, SKIPPED, &options);
    assert_int_equal(st, KLDVE_OK);
    for (long budget = 0; st != KLDVE_OK || budget == 0; budget++) {
        kldve_onnx_free(o.net);
        o.net = NULL;
        o.heap.budget = budget;
        st = kldve_onnx_load_memory(o.ctx, o.model, o.nbytes, &options, &o.net);
        assert_true(st == KLDVE_OK || st == KLDVE_E_NOMEM);
    }
    o.heap.budget = -1;
    opened_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),   cmocka_unit_test(test_bad_loads),
        cmocka_unit_test(test_no_taps), cmocka_unit_test(test_bad_calls),
        cmocka_unit_test(test_whole),   cmocka_unit_test(test_frame),
        cmocka_unit_test(test_small),   cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_memory),
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        good[i] = (float)(i % 7) * 0.1f;
    return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
