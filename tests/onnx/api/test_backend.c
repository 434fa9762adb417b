/* test_backend.c - the engine as a backend: the contract, no allocation in a run, one network for
 * several threads, and refusals. */
#include "backends/contract.h"
#include "onnx/got_note.h"
#include "onnx/networks/opened.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

static const char *model(const char *name)
{
    return test_path("%s/assets/models/%s.onnx", test_shared_or_skip(), name);
}

static kldve_onnx *load_batch(kldve_ctx *ctx, const char *path, int32_t batch, uint64_t flags)
{
    kldve_onnx_options o = {.struct_size = sizeof o, .batch = batch, .flags = flags};
    kldve_onnx *net = NULL;

    if (kldve_onnx_load(ctx, path, &o, &net) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    return net;
}

static kldve_onnx *load(kldve_ctx *ctx, const char *path, uint64_t flags)
{
    return load_batch(ctx, path, 1, flags);
}

static void check_contract(const char *name, int32_t batch, uint64_t flags)
{
    test_heap heap;
    const char *path = model(name);
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_onnx *net = load_batch(ctx, path, batch, flags);
    const contract c = {.backend = kldve_onnx_backend(),
                        .config = net,
                        .step = 2e-3,
                        .tolerance = 5e-2,
                        .piecewise = 1,
                        .allocations = 12};

    contract_check(&c);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_contract(void **state)
{
    (void)state;
    check_contract("mnist_cnn", 1, KLDVE_ONNX_FLAG_VJP_INPUT);
    check_contract("resnet20_cifar10", 1, KLDVE_ONNX_FLAG_VJP_INPUT);
    check_contract("resnet20_cifar10", 3, KLDVE_ONNX_FLAG_VJP_INPUT);
    check_contract("mnist_cnn", 5, KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_PLAIN);
}

typedef struct run {
    const kldve_onnx *net;
    kldve_shape shape;
    float *input, *logits, *features, *gradient, *cotangent, *pixels;
    int rounds;
    kldve_status st;
} run;

static size_t volume(int32_t a, int32_t b, int32_t c)
{
    return (size_t)a * (size_t)b * (size_t)c;
}

static void run_new(run *r, const kldve_onnx *net, const kldve_shape *s)
{
    uint64_t seed = 7;

    *r = (run){.net = net, .shape = *s, .rounds = 1};
    r->input = calloc(volume(s->in_channels, s->in_height, s->in_width), sizeof(float));
    r->pixels = calloc(volume(s->in_channels, s->in_height, s->in_width), sizeof(float));
    r->logits = calloc((size_t)s->classes, sizeof(float));
    r->cotangent = calloc((size_t)s->classes, sizeof(float));
    r->features = calloc(volume(s->maps, s->height, s->width), sizeof(float));
    r->gradient = calloc(volume(s->maps, s->height, s->width), sizeof(float));
    for (size_t i = 0; i < volume(s->in_channels, s->in_height, s->in_width); i++)
        r->input[i] = (float)test_normal(&seed);
    r->cotangent[0] = 1;
    r->cotangent[s->classes - 1] = -1;
}

static void run_free(run *r)
{
    free(r->input);
    free(r->pixels);
    free(r->logits);
    free(r->cotangent);
    free(r->features);
    free(r->gradient);
}

/* At a layer that does not have to be the default one. */
static void open_at(opened *o, const char *name, const char *layer, uint64_t flags)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .layer = layer, .flags = flags};

    opened_state(o, opened_file(o, name, &options));
}

/* Inside a residual block something passes by the layer. */
static void check_features(const char *name, const char *layer, bool aside)
{
    const kldve_backend *b = kldve_onnx_backend();
    opened fast, plain;
    float *input, *x, *gradient, *logits[2];
    double largest = 0;
    uint64_t seed = 5;

    open_at(&fast, name, layer, KLDVE_ONNX_FLAG_VJP_INPUT);
    open_at(&plain, name, layer, KLDVE_ONNX_FLAG_PLAIN);
    input = calloc(fast.inputs, sizeof *input);
    x = calloc(fast.features, sizeof *x);
    gradient = calloc(fast.features, sizeof *gradient);
    for (int i = 0; i < 2; i++)
        logits[i] = calloc(fast.classes, sizeof *logits[i]);
    for (size_t i = 0; i < fast.inputs; i++)
        input[i] = (float)test_normal(&seed);
    assert_int_equal(b->forward_features(fast.state, x, logits[0]), aside ? KLDVE_E_ARG : KLDVE_OK);
    assert_int_equal(b->forward_features(plain.state, x, logits[0]),
                     aside ? KLDVE_E_ARG : KLDVE_OK);
    assert_int_equal(b->forward(plain.state, input, logits[0], x), KLDVE_OK);
    assert_int_equal(b->forward(fast.state, input, logits[0], x), KLDVE_OK);
    for (size_t i = 0; i < fast.features; i++)
        x[i] *= (float)(2 * test_random(&seed));
    /* A VJP in between may not disturb what the pass from the layer on reads. */
    assert_int_equal(b->vjp(fast.state, logits[0], gradient), KLDVE_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(b->forward_features(fast.state, x, logits[0]), KLDVE_OK);
        assert_int_equal(b->forward_features(plain.state, x, logits[1]), KLDVE_OK);
        for (size_t c = 0; c < fast.classes; c++)
            largest = fmax(largest, fabs((double)logits[1][c]));
        for (size_t c = 0; c < fast.classes; c++)
            if (!(fabs((double)logits[0][c] - (double)logits[1][c]) <= 1e-4 * largest))
                fail_msg("%s at %s: logit %zu is %g, plain %g", name, layer, c,
                         (double)logits[0][c], (double)logits[1][c]);
    }
    assert_int_equal(b->vjp(fast.state, logits[0], gradient), KLDVE_E_ARG);
    opened_close(&fast);
    opened_close(&plain);
    free(input);
    free(x);
    free(gradient);
    for (int i = 0; i < 2; i++)
        free(logits[i]);
}

static void test_features(void **state)
{
    (void)state;
    check_features("resnet20_cifar10", "layer1.0.relu2", false);
    check_features("resnet20_cifar10", "layer1.1.relu1", true);
    check_features("resnet20_cifar10", "layer2.0.bn2", true);
    check_features("squeezenet_v1.1", "pool3", false);
    check_features("mnist_cnn", NULL, false);
}

/* With its own context and state; no assertions, so that threads can run it. */
static void *run_it(void *opaque)
{
    run *r = opaque;
    const kldve_backend *b = kldve_onnx_backend();
    kldve_ctx *ctx = NULL;
    void *open = NULL;

    r->st = kldve_ctx_new(NULL, &ctx);
    if (r->st == KLDVE_OK)
        r->st = b->open(ctx, r->net, &open);
    for (int i = 0; r->st == KLDVE_OK && i < r->rounds; i++) {
        r->st = b->forward(open, r->input, r->logits, r->features);
        if (r->st == KLDVE_OK)
            r->st = b->vjp(open, r->cotangent, r->gradient);
    }
    b->close(open);
    kldve_ctx_free(ctx);
    return NULL;
}

static kldve_shape shape_of(kldve_ctx *ctx, const kldve_onnx *net)
{
    kldve_shape s = {.struct_size = sizeof s};
    void *open = NULL;

    assert_int_equal(kldve_onnx_backend()->open(ctx, net, &open), KLDVE_OK);
    kldve_onnx_backend()->shape(open, &s);
    kldve_onnx_backend()->close(open);
    return s;
}

/* One network, several threads, each with its own context: the same bits as alone. */
static void test_threads(void **state)
{
    enum { THREADS = 3 };
    const char *path = model("resnet20_cifar10");
    kldve_onnx_options o = {.struct_size = sizeof o, .threads = 1};
    run alone, many[THREADS];
    pthread_t thread[THREADS];
    kldve_onnx *net = NULL;
    kldve_shape s;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    assert_int_equal(kldve_onnx_load(ctx, path, &o, &net), KLDVE_OK);
    s = shape_of(ctx, net);
    run_new(&alone, net, &s);
    run_it(&alone);
    assert_int_equal(alone.st, KLDVE_OK);
    for (int i = 0; i < THREADS; i++) {
        run_new(&many[i], net, &s);
        many[i].rounds = 5;
        assert_int_equal(pthread_create(&thread[i], NULL, run_it, &many[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(many[i].st, KLDVE_OK);
        assert_memory_equal(many[i].logits, alone.logits, (size_t)s.classes * sizeof(float));
        assert_memory_equal(many[i].gradient, alone.gradient,
                            volume(s.maps, s.height, s.width) * sizeof(float));
        run_free(&many[i]);
    }
    run_free(&alone);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_no_allocation_in_a_run(void **state)
{
    const char *path = model("resnet20_cifar10");
    const kldve_backend *b = kldve_onnx_backend();
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_onnx *net = load(ctx, path, KLDVE_ONNX_FLAG_VJP_INPUT);
    kldve_shape s = shape_of(ctx, net);
    void *open = NULL;
    long before;
    float *pixels = calloc(volume(s.in_channels, s.in_height, s.in_width), sizeof *pixels);
    run r;

    (void)state;
    run_new(&r, net, &s);
    assert_int_equal(b->open(ctx, net, &open), KLDVE_OK);
    before = heap.calls;
    assert_int_equal(b->forward(open, r.input, r.logits, r.features), KLDVE_OK);
    assert_int_equal(b->vjp(open, r.cotangent, r.gradient), KLDVE_OK);
    assert_int_equal(b->vjp_input(open, r.cotangent, KLDVE_RULE_GUIDED, pixels), KLDVE_OK);
    assert_int_equal(heap.calls, before);
    b->close(open);
    run_free(&r);
    free(pixels);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
}

static kldve_status pass_over(void *opaque, const kldve_bias_gradient *unit)
{
    (void)opaque;
    (void)unit;
    return KLDVE_OK;
}

/* Relevance, or with rule -1 the pass with the biases. */
static kldve_status backward(void *open, const float *cotangent, int32_t rule, float *pixels)
{
    const kldve_backend *b = kldve_onnx_backend();

    return rule < 0 ? b->vjp_biases(open, cotangent, pixels, pass_over, NULL)
                    : b->vjp_input(open, cotangent, rule, pixels);
}

static const int32_t planned_late[] = {-1, KLDVE_RULE_LRP_EPSILON, KLDVE_RULE_LRP_ZPLUS,
                                       KLDVE_RULE_LRP_ALPHABETA, KLDVE_RULE_LRP_COMPOSITE};

/* The first backward pass plans: every allocation of that fails once. */
static void plan_with_failures(kldve_ctx *ctx, test_heap *heap, void *state, const run *r,
                               int32_t rule, float *gradient)
{
    kldve_status st = KLDVE_E_NOMEM;

    for (long budget = 0; st != KLDVE_OK; budget++) {
        heap->budget = budget;
        st = backward(state, r->cotangent, rule, gradient);
        heap->budget = -1;
        assert_true(st == KLDVE_OK || st == KLDVE_E_NOMEM);
        assert_true(st == KLDVE_OK || *kldve_ctx_message(ctx));
        assert_true(budget < 100000);
    }
}

/* Passes that are planned when they are first asked for: every allocation of that failed once, none
 * later, and always about the last forward pass. */
static void test_planned_late(void **state)
{
    const char *path = model("mnist_cnn");
    const kldve_backend *b = kldve_onnx_backend();
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_onnx *net = load(ctx, path, KLDVE_ONNX_FLAG_VJP_INPUT);
    kldve_shape s = shape_of(ctx, net);
    size_t count = volume(s.in_channels, s.in_height, s.in_width);
    float *want = calloc(count, sizeof *want), *got = calloc(count, sizeof *got);
    void *open = NULL, *other = NULL;
    run r;

    (void)state;
    run_new(&r, net, &s);
    assert_int_equal(b->open(ctx, net, &open), KLDVE_OK);
    for (size_t i = 0; i < sizeof planned_late / sizeof *planned_late; i++) {
        int32_t rule = planned_late[i];
        long before;

        assert_int_equal(b->open(ctx, net, &other), KLDVE_OK);
        assert_int_equal(backward(other, r.cotangent, rule, got), KLDVE_E_ARG);
        assert_int_equal(b->forward(other, r.input, r.logits, r.features), KLDVE_OK);
        plan_with_failures(ctx, &heap, other, &r, rule, want);
        /* Another input in between, and no allocation any more. */
        before = heap.calls;
        r.input[0] += 1;
        assert_int_equal(b->forward(other, r.input, r.logits, r.features), KLDVE_OK);
        assert_int_equal(backward(other, r.cotangent, rule, got), KLDVE_OK);
        assert_memory_not_equal(got, want, count * sizeof *got);
        r.input[0] -= 1;
        assert_int_equal(b->forward(other, r.input, r.logits, r.features), KLDVE_OK);
        for (int twice = 0; twice < 2; twice++) {
            assert_int_equal(backward(other, r.cotangent, rule, got), KLDVE_OK);
            assert_memory_equal(got, want, count * sizeof *got);
        }
        assert_int_equal(heap.calls, before);
        assert_int_equal(b->forward_features(other, r.features, r.logits), KLDVE_OK);
        assert_int_equal(backward(other, r.cotangent, rule, got), KLDVE_E_ARG);
        b->close(other);
        /* Beside the other rules in one state. */
        assert_int_equal(b->forward(open, r.input, r.logits, r.features), KLDVE_OK);
        assert_int_equal(backward(open, r.cotangent, rule, got), KLDVE_OK);
        assert_memory_equal(got, want, count * sizeof *got);
    }
    b->close(open);
    run_free(&r);
    free(want);
    free(got);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Several states plan for themselves at the same time. */
static void *relevance_of_one(void *opaque)
{
    run *r = opaque;
    const kldve_backend *b = kldve_onnx_backend();
    kldve_ctx *ctx = NULL;
    void *open = NULL;

    r->st = kldve_ctx_new(NULL, &ctx);
    if (r->st == KLDVE_OK)
        r->st = b->open(ctx, r->net, &open);
    if (r->st == KLDVE_OK)
        r->st = b->forward(open, r->input, r->logits, r->features);
    for (int32_t rule = KLDVE_RULE_LRP_EPSILON;
         r->st == KLDVE_OK && rule <= KLDVE_RULE_LRP_COMPOSITE; rule++)
        r->st = b->vjp_input(open, r->cotangent, rule, r->pixels);
    b->close(open);
    kldve_ctx_free(ctx);
    return NULL;
}

static void test_planned_late_in_threads(void **state)
{
    enum { THREADS = 3 };
    kldve_onnx_options o = {
        .struct_size = sizeof o, .threads = 1, .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
    const char *path = model("resnet20_cifar10");
    pthread_t thread[THREADS];
    run r[THREADS];
    kldve_onnx *net = NULL;
    kldve_shape s;
    kldve_ctx *ctx = NULL;

    (void)state;
    assert_int_equal(kldve_ctx_new(NULL, &ctx), KLDVE_OK);
    assert_int_equal(kldve_onnx_load(ctx, path, &o, &net), KLDVE_OK);
    s = shape_of(ctx, net);
    for (int i = 0; i < THREADS; i++) {
        run_new(&r[i], net, &s);
        assert_int_equal(pthread_create(&thread[i], NULL, relevance_of_one, &r[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(r[i].st, KLDVE_OK);
        assert_memory_equal(r[i].pixels, r[0].pixels,
                            volume(s.in_channels, s.in_height, s.in_width) * sizeof(float));
        if (i > 0)
            run_free(&r[i]);
    }
    run_free(&r[0]);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
}

static void test_refusals(void **state)
{
    const struct {
        const char *layer, *logits;
        uint64_t flags;
        kldve_status status;
        const char *why;
    } cases[] = {
        {"nowhere", NULL, 0, KLDVE_E_ARG, "no tensor or node is called 'nowhere'"},
        {NULL, "nowhere", 0, KLDVE_E_ARG, "no tensor or node is called 'nowhere'"},
        {"Parameter5", NULL, 0, KLDVE_E_ARG, "no tensor or node is called 'Parameter5'"},
        {"Plus214_Output_0", NULL, 0, KLDVE_E_ARG, "cannot be the layer"},
        {NULL, "ReLU32_Output_0", 0, KLDVE_E_UNSUPPORTED,
         "'ReLU32_Output_0' is [1][8][28][28], not a vector of class scores"},
        {NULL, NULL, 1u << 30, KLDVE_E_ARG, "unknown flags"},
    };
    const char *path = model("mnist_cnn");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kldve_onnx_options o = {.struct_size = sizeof o,
                                .layer = cases[i].layer,
                                .logits = cases[i].logits,
                                .flags = cases[i].flags};
        kldve_onnx *net = NULL;
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);

        assert_int_equal(kldve_onnx_load(ctx, path, &o, &net), cases[i].status);
        assert_null(net);
        if (!strstr(kldve_ctx_message(ctx), cases[i].why))
            fail_msg("case %zu: '%s'", i, kldve_ctx_message(ctx));
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

/* Tensors that are no vector of scores can be listed, and nothing else. */
static void test_listing(void **state)
{
    kldve_onnx_options o = {
        .struct_size = sizeof o, .logits = "ReLU32_Output_0", .flags = KLDVE_ONNX_FLAG_LIST};
    kldve_onnx_tensor first = {.struct_size = sizeof first};
    kldve_explainer *ex = NULL;
    kldve_onnx *net = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    assert_int_equal(kldve_onnx_load(ctx, model("mnist_cnn"), &o, &net), KLDVE_OK);
    assert_non_null(strstr(got_note(net, 0), "not a vector of class scores"));
    assert_int_equal(kldve_onnx_tensor_at(net, 0, &first), KLDVE_OK);
    assert_int_equal(kldve_explainer_new(ctx, kldve_onnx_backend(), net, &ex), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(ctx), "KLDVE_ONNX_FLAG_LIST"));
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Calls out of order, and what a plan was not made for. */
static void test_order(void **state)
{
    const char *path = model("mnist_cnn");
    const kldve_backend *b = kldve_onnx_backend();
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_onnx *net = load(ctx, path, 0);
    kldve_shape s = shape_of(ctx, net);
    void *open = NULL;
    run r;

    (void)state;
    run_new(&r, net, &s);
    assert_int_equal(b->open(ctx, net, &open), KLDVE_OK);
    assert_int_equal(b->vjp(open, r.cotangent, r.gradient), KLDVE_E_ARG);
    assert_int_equal(b->forward(open, r.input, r.logits, r.features), KLDVE_OK);
    assert_int_equal(b->vjp_input(open, r.cotangent, KLDVE_RULE_GRADIENT, r.input), KLDVE_E_NO_VJP);
    assert_int_equal(b->vjp_input(open, r.cotangent, 99, r.input), KLDVE_E_UNSUPPORTED);
    for (size_t i = 0; i < sizeof planned_late / sizeof *planned_late; i++)
        assert_int_equal(backward(open, r.cotangent, planned_late[i], r.input), KLDVE_E_NO_VJP);
    b->close(open);
    kldve_onnx_free(net);
    net = load(ctx, path, KLDVE_ONNX_FLAG_NO_VJP);
    assert_int_equal(b->open(ctx, net, &open), KLDVE_OK);
    assert_int_equal(b->forward(open, r.input, r.logits, r.features), KLDVE_OK);
    assert_int_equal(b->vjp(open, r.cotangent, r.gradient), KLDVE_E_NO_VJP);
    b->close(open);
    kldve_onnx_free(net);
    net = load(ctx, path, KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_VJP_INPUT);
    assert_int_equal(b->open(ctx, net, &open), KLDVE_OK);
    assert_int_equal(b->forward(open, r.input, r.logits, r.features), KLDVE_OK);
    for (size_t i = 0; i < sizeof planned_late / sizeof *planned_late; i++)
        assert_int_equal(backward(open, r.cotangent, planned_late[i], r.pixels),
                         KLDVE_E_UNSUPPORTED);
    b->close(open);
    kldve_onnx_free(net);
    run_free(&r);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract),     cmocka_unit_test(test_features),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_no_allocation_in_a_run),
        cmocka_unit_test(test_planned_late), cmocka_unit_test(test_planned_late_in_threads),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_listing),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
