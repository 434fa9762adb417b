/* test_proto.c - whole models: real networks, two models in one, failing allocations. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "onnx/networks/text.h"
#include "read/proto.h"

/* As python3-onnx 1.12 reads them: onnx.load(), numpy_helper.to_array() of the first and the last
 * initializer. */
static const struct model_case {
    const char *file;
    int64_t ir;
    int32_t opset, nodes, initializers, inputs, outputs;
    const char *first, *last;
    size_t weights;
    double first_weight, last_weight;
} models[] = {
    {"googlenet.onnx", 6, 11, 142, 116, 1, 2, "conv1/7x7_s2.weight", "loss3/classifier.bias",
     6998552, 0.08820479363203049, 0.5850247144699097},
    {"mnist_cnn.onnx", 3, 7, 12, 8, 9, 1, "Parameter193", "Parameter194", 5998, 0.09163288027048111,
     -0.05454041436314583},
    {"mobilenet_v1_0.25_128.onnx", 6, 10, 58, 56, 1, 2, "Conv2d_0.weight",
     "Logits/Conv2d_1c_1x1.bias", 467336, 0.026647228747606277, 0.8007686734199524},
    {"mobilenet_v1_1.0_224.onnx", 6, 10, 58, 56, 1, 2, "Conv2d_0.weight",
     "Logits/Conv2d_1c_1x1.bias", 4221032, 0.0, 0.25699055194854736},
    {"mobilenet_v2_1.0_224.onnx", 6, 10, 101, 106, 1, 2, "Conv.weight", "Logits/Conv2d_1c_1x1.bias",
     3487816, -0.5095338821411133, -0.16436666250228882},
    {"resnet20_cifar10.onnx", 6, 11, 72, 99, 1, 2, "conv1.weight", "linear.bias", 273658,
     -0.13818146288394928, -0.27025941014289856},
    {"resnet56_cifar10.onnx", 6, 11, 198, 279, 1, 2, "conv1.weight", "linear.bias", 859642,
     -0.21604876220226288, -0.2721118628978729},
    {"squeezenet_v1.0.onnx", 6, 11, 65, 52, 1, 2, "conv1.weight", "conv10.bias", 1248424,
     0.1415213644504547, 0.11127486079931259},
    {"squeezenet_v1.1.onnx", 6, 11, 65, 52, 1, 2, "conv10.bias", "fire9/squeeze1x1.weight", 1235496,
     0.036041259765625, 0.20458984375},
};

/* Element i, of the types that occur in these files. */
static double element(const kx_proto_tensor *t, size_t i)
{
    float f;
    int64_t n;

    if (t->dtype == KX_ONNX_FLOAT) {
        memcpy(&f, (const char *)t->data + 4 * i, 4);
        return (double)f;
    }
    assert_int_equal(t->dtype, KX_ONNX_INT64);
    memcpy(&n, (const char *)t->data + 8 * i, 8);
    return (double)n;
}

static void check_model(void **state)
{
    const struct model_case *c = *state;
    const char *path = test_path("%s/assets/models/%s", test_shared_or_skip(), c->file);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    const kx_proto_tensor *first, *last;
    size_t weights = 0;
    kx_model *m = NULL;

    if (kx_model_open(ctx, path, false, &m) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_int_equal(m->ir_version, c->ir);
    assert_int_equal(m->opset, c->opset);
    assert_int_equal(m->nnode, c->nodes);
    assert_int_equal(m->ninitializer, c->initializers);
    assert_int_equal(m->ninput, c->inputs);
    assert_int_equal(m->noutput, c->outputs);
    for (int32_t i = 0; i < m->ninitializer; i++)
        weights += m->initializer[i].count;
    assert_int_equal(weights, c->weights);
    first = &m->initializer[0];
    last = &m->initializer[m->ninitializer - 1];
    assert_string_equal(first->name, c->first);
    assert_string_equal(last->name, c->last);
    assert_true(element(first, 0) == c->first_weight);
    assert_true(element(last, last->count - 1) == c->last_weight);
    assert_int_equal(m->input[0].dtype, KX_ONNX_FLOAT);
    assert_int_equal(m->input[0].rank, 4);
    assert_int_equal(m->input[0].dim[0], 1);
    kx_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Every allocation fails once; nothing leaks and the message is there. */
static void test_allocations(void **state)
{
    const char *path = test_path("%s/assets/models/googlenet.onnx", test_shared_or_skip());
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st = KLDVE_E_NOMEM;
    long rounds = 0;

    (void)state;
    for (; st != KLDVE_OK; rounds++) {
        kx_model *m = (kx_model *)&heap;

        heap.budget = rounds;
        st = kx_model_open(ctx, path, false, &m);
        if (st == KLDVE_OK) {
            kx_model_free(m);
            break;
        }
        assert_int_equal(st, KLDVE_E_NOMEM);
        assert_ptr_equal(m, &heap);
        assert_int_equal(heap.live, 1); /* the context */
        assert_non_null(strstr(kldve_ctx_message(ctx), "googlenet.onnx: out of memory"));
    }
    assert_true(rounds >= 3);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* `cat a.onnx b.onnx` is, to protobuf, one message whose lists are joined. */
static void test_merge(void **state)
{
    size_t na, nb;
    unsigned char *a = writer_memory(write_text, "in x 1,3; n Relu x y; w v 2", &na);
    unsigned char *b = writer_memory(write_text, "ir 7; n Neg y z; out z", &nb);
    unsigned char *both = malloc(na + nb);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m;

    (void)state;
    memcpy(both, a, na);
    memcpy(both + na, b, nb);
    assert_int_equal(kx_model_read(ctx, both, na + nb, &m), KLDVE_OK);
    assert_int_equal(m->ir_version, 7);
    assert_int_equal(m->nnode, 2);
    assert_string_equal(m->node[0].type, "Relu");
    assert_string_equal(m->node[1].type, "Neg");
    assert_int_equal(m->ninput, 1);
    assert_int_equal(m->ninitializer, 1);
    assert_int_equal(m->noutput, 1);
    kx_model_free(m);
    kldve_ctx_free(ctx);
    free(a);
    free(b);
    free(both);
}

enum { NMODELS = sizeof models / sizeof models[0] };

TEST_MAIN(proto)
{
    struct CMUnitTest tests[NMODELS + 2] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_merge),
    };
    size_t n = 2;

    for (size_t i = 0; i < NMODELS; i++)
        tests[n++] = (struct CMUnitTest){models[i].file, check_model, NULL, NULL,
                                         (void *)(uintptr_t)&models[i]};
    return _cmocka_run_group_tests("proto", tests, n, NULL, NULL);
}
