/* test_attentions.c - the engine hands out attentions: the contract, what must come before, every
 * allocation failed, and always about the last forward pass.  What is in them is compared with
 * torch in tests/onnx/attention. */
#include "backends/contract.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

static const char *transformer(void)
{
    return test_path("%s/demo/kldve-vit.onnx", getenv("KLDVE_SOURCE"));
}

/* layer: NULL for the one that the engine chooses. */
static kldve_onnx *load(kldve_ctx *ctx, const char *path, const char *layer, uint64_t flags)
{
    const kldve_onnx_options o = {
        .struct_size = sizeof o, .layer = layer, .threads = 1, .flags = flags};
    kldve_onnx *net = NULL;

    if (kldve_onnx_load(ctx, path, &o, &net) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    return net;
}

/* An open network, and room for its arrays. */
typedef struct opened {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_onnx *net;
    void *state;
    kldve_shape shape;
    size_t inputs;
    float *input, *logits, *features, *cotangent;
} opened;

static void open_net(opened *o, const char *path, uint64_t flags)
{
    const kldve_backend *b = kldve_onnx_backend();
    uint64_t seed = 5;

    o->ctx = test_ctx(&o->heap);
    o->net = load(o->ctx, path, NULL, flags);
    assert_int_equal(b->open(o->ctx, o->net, &o->state), KLDVE_OK);
    o->shape = (kldve_shape){.struct_size = sizeof o->shape};
    b->shape(o->state, &o->shape);
    o->inputs =
        (size_t)o->shape.in_channels * (size_t)o->shape.in_height * (size_t)o->shape.in_width;
    o->input = calloc(o->inputs, sizeof *o->input);
    o->logits = calloc((size_t)o->shape.classes, sizeof *o->logits);
    o->cotangent = calloc((size_t)o->shape.classes, sizeof *o->cotangent);
    o->features = calloc((size_t)o->shape.maps * (size_t)o->shape.height * (size_t)o->shape.width,
                         sizeof *o->features);
    assert_true(o->input && o->logits && o->cotangent && o->features);
    for (size_t i = 0; i < o->inputs; i++)
        o->input[i] = (float)test_normal(&seed);
    o->cotangent[1] = 1;
}

static void close_net(opened *o)
{
    kldve_onnx_backend()->close(o->state);
    kldve_onnx_free(o->net);
    kldve_ctx_free(o->ctx);
    assert_int_equal(o->heap.live, 0);
    free(o->input);
    free(o->logits);
    free(o->cotangent);
    free(o->features);
}

static void forward(opened *o)
{
    assert_int_equal(kldve_onnx_backend()->forward(o->state, o->input, o->logits, o->features),
                     KLDVE_OK);
}

/* All weights and gradients as one number each, which another pass hardly has by chance. */
typedef struct sums {
    int visits;
    double weights, gradients;
} sums;

static kldve_status add(void *opaque, const kldve_attention *a)
{
    size_t count = (size_t)a->heads * (size_t)a->queries * (size_t)a->keys;
    sums *s = opaque;

    for (size_t i = 0; i < count; i++) {
        double place = (double)(1 + (i * 7 + (size_t)s->visits) % 1009);

        s->weights += place * (double)a->weights[i];
        s->gradients += a->gradient ? place * (double)a->gradient[i] : 0;
    }
    s->visits++;
    return KLDVE_OK;
}

static kldve_status visit(opened *o, const float *cotangent, sums *s)
{
    *s = (sums){0};
    return kldve_onnx_backend()->attentions(o->state, cotangent, add, s);
}

/* With a layer that the whole score passes through: the patches, before the class token. */
static void test_contract(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_onnx *net = load(ctx, transformer(), "patches", KLDVE_ONNX_FLAG_VJP_INPUT);
    const contract c = {.backend = kldve_onnx_backend(),
                        .config = net,
                        .step = 2e-3,
                        .tolerance = 5e-2,
                        .allocations = 4};

    (void)state;
    contract_check(&c);
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void assert_refused(const char *path, uint64_t flags, kldve_status status,
                           const char *message)
{
    opened o = {0};
    sums s;

    open_net(&o, path, flags);
    forward(&o);
    assert_int_equal(visit(&o, NULL, &s), status);
    assert_string_equal(kldve_ctx_message(o.ctx), message);
    assert_int_equal(s.visits, 0);
    close_net(&o);
}

static void test_refused(void **state)
{
    opened o = {0};
    sums s;

    (void)state;
    assert_refused(
        transformer(), 0, KLDVE_E_NO_VJP,
        "the network was loaded without KLDVE_ONNX_FLAG_VJP_INPUT: load it with that flag");
    assert_refused(transformer(), KLDVE_ONNX_FLAG_VJP_INPUT | KLDVE_ONNX_FLAG_PLAIN,
                   KLDVE_E_UNSUPPORTED,
                   "a network that was loaded to be deterministic, or with KLDVE_ONNX_FLAG_PLAIN, "
                   "has gradients only: no other rule, no gradients at biases, no attentions");
    assert_refused(test_path("%s/demo/kldve-demo.onnx", getenv("KLDVE_SOURCE")),
                   KLDVE_ONNX_FLAG_VJP_INPUT, KLDVE_E_UNSUPPORTED,
                   "the network has no attention: no softmax along a last axis weighs the rows of "
                   "a matrix product");
    open_net(&o, transformer(), KLDVE_ONNX_FLAG_VJP_INPUT);
    assert_int_equal(visit(&o, NULL, &s), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(o.ctx),
                        "there is no forward pass yet: a VJP needs one before it");
    close_net(&o);
}

/* Planned when they are first asked for: every so many allocations one fails. */
static void test_allocations(void **state)
{
    kldve_status st = KLDVE_E_NOMEM;
    opened o = {0};
    sums s;
    long before;

    (void)state;
    open_net(&o, transformer(), KLDVE_ONNX_FLAG_VJP_INPUT);
    forward(&o);
    for (long budget = 0; st != KLDVE_OK; budget += 1 + budget / 8) {
        o.heap.budget = budget;
        st = visit(&o, o.cotangent, &s);
        o.heap.budget = -1;
        assert_true(st == KLDVE_OK || (st == KLDVE_E_NOMEM && *kldve_ctx_message(o.ctx)));
    }
    before = o.heap.calls;
    assert_int_equal(visit(&o, o.cotangent, &s), KLDVE_OK);
    forward(&o);
    assert_int_equal(visit(&o, NULL, &s), KLDVE_OK);
    assert_int_equal(o.heap.calls, before);
    close_net(&o);
}

/* The same bits again, also with another input and other passes in between. */
static void test_last_pass(void **state)
{
    opened o = {0};
    sums first, other, again;

    (void)state;
    open_net(&o, transformer(), KLDVE_ONNX_FLAG_VJP_INPUT);
    forward(&o);
    assert_int_equal(visit(&o, o.cotangent, &first), KLDVE_OK);
    assert_true(first.visits > 1 && first.gradients != 0);
    for (size_t i = 0; i < o.inputs; i++)
        o.input[i] = -o.input[i];
    forward(&o);
    assert_int_equal(visit(&o, o.cotangent, &other), KLDVE_OK);
    assert_true(other.weights != first.weights && other.gradients != first.gradients);
    for (size_t i = 0; i < o.inputs; i++)
        o.input[i] = -o.input[i];
    forward(&o);
    assert_int_equal(visit(&o, NULL, &again), KLDVE_OK);
    assert_true(again.weights == first.weights && again.gradients == 0);
    assert_int_equal(visit(&o, o.cotangent, &again), KLDVE_OK);
    assert_true(again.weights == first.weights && again.gradients == first.gradients);
    close_net(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_last_pass),
    };

    return cmocka_run_group_tests_name("attentions", tests, NULL, NULL);
}
