/* test_proto_damage.c - the reader on damaged bytes: every bit flipped, cut at every length; and on
 * encodings that protobuf allows but exporters rarely write. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "onnx/networks/nets.h"
#include "onnx/networks/onnx_writer.h"
#include "onnx/networks/text.h"
#include "read/proto.h"

static unsigned touch_bytes(const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += b[i];
    return sum;
}

static unsigned touch_tensor(const kx_proto_tensor *t)
{
    static const size_t size[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 0, 0, 2};
    size_t item = t->dtype <= 16 ? size[t->dtype] : 0;

    assert_true(t->rank >= 0 && t->rank <= 8);
    assert_true((t->data != NULL) == (item > 0));
    return t->data ? touch_bytes(t->data, t->count * item) : 0;
}

static unsigned touch_attr(const kx_proto_attr *a)
{
    unsigned sum = touch_bytes(a->name, strlen(a->name)) + touch_bytes(a->s, strlen(a->s));

    for (size_t i = 0; i < a->count && a->type == 6; i++)
        sum += touch_bytes(&a->floats[i], 4);
    for (size_t i = 0; i < a->count && a->type == 7; i++)
        sum += (unsigned)a->ints[i];
    for (size_t i = 0; i < a->count && a->type == 8; i++)
        sum += (unsigned)strlen(a->strings[i]);
    assert_true(a->t != NULL || a->type != 4);
    return sum + (a->t ? touch_tensor(a->t) : 0);
}

static unsigned touch_node(const kx_proto_node *n)
{
    size_t sum = strlen(n->name) + strlen(n->type) + strlen(n->domain) + strlen(n->overload);

    for (int32_t i = 0; i < n->nin; i++)
        sum += strlen(n->in[i]);
    for (int32_t i = 0; i < n->nout; i++)
        sum += strlen(n->out[i]);
    for (int32_t i = 0; i < n->nattr; i++)
        sum += touch_attr(&n->attr[i]);
    return (unsigned)sum;
}

/* Read everything in a model, so that a sanitizer notices invalid memory. */
static unsigned touch(const kx_model *m)
{
    unsigned sum = 0;

    for (int32_t i = 0; i < m->nnode; i++)
        sum += touch_node(&m->node[i]);
    for (int32_t i = 0; i < m->ninitializer; i++)
        sum += touch_tensor(&m->initializer[i]) + (unsigned)strlen(m->initializer[i].name);
    for (int32_t i = 0; i < m->ninput + m->noutput; i++) {
        const kx_proto_value *v = i < m->ninput ? &m->input[i] : &m->output[i - m->ninput];

        sum += (unsigned)strlen(v->name);
        assert_true(v->rank >= -1 && v->rank <= 8);
        for (int32_t k = 0; k < v->rank; k++)
            sum += (unsigned)v->dim[k] + (unsigned)(v->symbol[k] ? strlen(v->symbol[k]) : 0);
    }
    return sum;
}

/* Read a copy that ends where its memory ends; true if it was accepted. */
static bool try_bytes(const unsigned char *bytes, size_t n)
{
    unsigned char *copy = malloc(n ? n : 1);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;
    kldve_status st;

    memcpy(copy, bytes, n);
    st = kx_model_read(ctx, copy, n, &m);
    if (st == KLDVE_OK) {
        volatile unsigned sum = touch(m);

        (void)sum;
        kx_model_free(m);
    } else {
        assert_true(st == KLDVE_E_FORMAT || st == KLDVE_E_UNSUPPORTED || st == KLDVE_E_LIMIT);
        assert_null(m);
        assert_memory_equal(kldve_ctx_message(ctx), "model in memory: ", 17);
        assert_true(strlen(kldve_ctx_message(ctx)) > 25);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(copy);
    return st == KLDVE_OK;
}

static const char functions[] = "in x 1,3,8,8; i s 1,-1; w v 2,3; out y; "
                                "fn G u,p v; n Exp u t; n Log t v; end; "
                                "fn F x z k axis=3; n f:G x,_ t; n Flatten t z axis=@k; end; "
                                "n f:F x c k=2; n Concat c,v d axis=1 a=[1,2] b=[0.5,1.5] s='x'; "
                                "n Reshape d,s y value=tensor";

static unsigned char *sample(int which, size_t *n)
{
    static const uint64_t seed = 1;

    for (const network *net = networks; which == 0 && net->name; net++)
        if (strcmp(net->name, "tiny") == 0)
            return writer_memory(net->make, &seed, n);
    return writer_memory(write_text, functions, n);
}

static void test_flips(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        size_t n, accepted = 0;
        unsigned char *bytes = sample(which, &n);

        assert_true(try_bytes(bytes, n));
        for (size_t i = 0; i < n; i++) {
            unsigned char before = bytes[i];

            for (int bit = 0; bit < 8; bit++) {
                bytes[i] = (unsigned char)(before ^ 1 << bit);
                accepted += try_bytes(bytes, n);
            }
            bytes[i] = before;
        }
        print_message("%zu of %zu flips accepted\n", accepted, 8 * n);
        assert_true(accepted > 0 && accepted < 8 * n);
        free(bytes);
    }
}

static void test_truncations(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        size_t n;
        unsigned char *bytes = sample(which, &n);

        for (size_t i = 0; i < n; i++)
            if (try_bytes(bytes, i) &&
                i < n - 20) /* the last field may be one that can be missing */
                fail_msg("accepted when cut to %zu of %zu bytes", i, n);
        free(bytes);
    }
}

/* Pairs of bytes set to the extremes of a varint. */
static void test_extremes(void **state)
{
    static const unsigned char extremes[][2] = {{0xff, 0xff}, {0xff, 0x7f}, {0x80, 0x80}, {0, 0}};

    (void)state;
    for (int which = 0; which < 2; which++) {
        size_t n;
        unsigned char *bytes = sample(which, &n);

        for (size_t i = 0; i + 1 < n; i++)
            for (size_t k = 0; k < sizeof extremes / sizeof extremes[0]; k++) {
                unsigned char before[2];

                memcpy(before, bytes + i, 2);
                memcpy(bytes + i, extremes[k], 2);
                try_bytes(bytes, n);
                memcpy(bytes + i, before, 2);
            }
        free(bytes);
    }
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

/* Lists half packed and half not, in attributes without a type. */
static void write_attributes(writer *w, const void *arg)
{
    static const float floats[] = {1.5f, -2};

    (void)arg;
    onnx_header(w, 3, 7);
    write_begin(w, MODEL_GRAPH);
    write_begin(w, GRAPH_NODE);
    write_string(w, NODE_OP, "Op");
    write_begin(w, NODE_ATTRIBUTE);
    write_string(w, ATTR_NAME, "ints");
    write_bytes(w, 8, "\x01\xac\x02", 3); /* 1, 300 */
    write_varint(w, 8, (uint64_t)-5);
    write_end(w);
    write_begin(w, NODE_ATTRIBUTE);
    write_string(w, ATTR_NAME, "floats");
    write_fix32(w, 7, 0.25f);
    write_bytes(w, 7, floats, 8);
    write_end(w);
    write_begin(w, NODE_ATTRIBUTE);
    write_string(w, 9, "a");
    write_string(w, 9, "");
    write_string(w, ATTR_NAME, "strings");
    write_end(w);
    write_begin(w, NODE_ATTRIBUTE);
    write_string(w, ATTR_NAME, "f");
    write_fix32(w, 2, 8);
    write_end(w);
    write_end(w);
    write_end(w);
}

static void test_attributes(void **state)
{
    size_t n;
    unsigned char *bytes = writer_memory(write_attributes, NULL, &n);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    const kx_proto_attr *a;
    kx_model *m;

    (void)state;
    if (kx_model_read(ctx, bytes, n, &m) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    free(bytes); /* attributes are copied */
    a = m->node[0].attr;
    assert_int_equal(a[0].type, 7);
    assert_int_equal(a[0].count, 3);
    assert_int_equal(a[0].ints[0], 1);
    assert_int_equal(a[0].ints[1], 300);
    assert_int_equal(a[0].ints[2], -5);
    assert_int_equal(a[1].type, 6);
    assert_int_equal(a[1].count, 3);
    assert_true(a[1].floats[0] == 0.25f && a[1].floats[1] == 1.5f && a[1].floats[2] == -2);
    assert_int_equal(a[2].type, 8);
    assert_int_equal(a[2].count, 2);
    assert_string_equal(a[2].strings[0], "a");
    assert_string_equal(a[2].strings[1], "");
    assert_string_equal(a[2].name, "strings");
    assert_int_equal(a[3].type, 1);
    assert_true(a[3].f == 8);
    kx_model_free(m);
    kldve_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flips),      cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_extremes),   cmocka_unit_test(test_merge),
        cmocka_unit_test(test_attributes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
