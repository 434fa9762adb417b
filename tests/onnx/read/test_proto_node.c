/* test_proto_node.c - attributes in encodings that protobuf allows but exporters rarely write. */
#include "support.h"

#include <stdlib.h>

#include "onnx/networks/onnx_writer.h"
#include "read/proto.h"

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

TEST_MAIN(proto_node)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes),
    };

    return cmocka_run_group_tests_name("proto_node", tests, NULL, NULL);
}
