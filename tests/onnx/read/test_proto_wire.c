/* test_proto_wire.c - the fields of a message one by one; models of damaged bytes: every bit
 * flipped, cut at every length, extremes of varints. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "onnx/networks/nets.h"
#include "onnx/networks/text.h"
#include "read/proto.h"
#include "read/proto_read.h"

/* One field of each wire type, as the specification of protobuf encodes them. */
static void test_fields(void **state)
{
    static const unsigned char bytes[] = {
        0x08, 0xac, 0x02,                                                       /* 1: varint 300 */
        0x12, 0x03, 'a',  'b',  'c',                                            /* 2: "abc" */
        0x1d, 0x00, 0x00, 0x80, 0x3f,                                           /* 3: fix32 1.0f */
        0x21, 1,    0,    0,    0,    0,    0,    0,    0x80,                   /* 4: fix64 */
        0xf8, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, /* 31: varint -1 */
        0x08, 0x00}; /* 1 again: varint 0 */
    static const struct {
        uint32_t key;
        uint64_t value;
    } fields[] = {{KX_VARINT(1), 300},         {KX_BYTES(2), 0},
                  {KX_FIX32(3), 0x3f800000},   {KX_FIX64(4), UINT64_C(0x8000000000000001)},
                  {KX_VARINT(31), UINT64_MAX}, {KX_VARINT(1), 0}};
    kx_wire w = kx_wire_start(bytes, sizeof bytes);

    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        assert_true(kx_wire_next(&w));
        assert_int_equal(w.key, fields[i].key);
        if (w.key != KX_BYTES(2)) {
            assert_true(w.value == fields[i].value);
        } else {
            assert_ptr_equal(w.bytes, bytes + 5);
            assert_int_equal(w.n, 3);
        }
    }
    assert_false(kx_wire_next(&w));
    assert_false(w.broken);
    assert_int_equal(kx_wire_count(bytes, sizeof bytes, KX_VARINT(1)), 2);
    assert_int_equal(kx_wire_count(bytes, sizeof bytes, KX_BYTES(1)), 0);
    assert_int_equal(kx_packed_count((const unsigned char *)"\x01\xac\x02\x00", 4), 3);
    w = kx_wire_start(bytes, 0);
    assert_false(kx_wire_next(&w));
    assert_false(w.broken);
}

/* The walk stops at bytes that are not a field, and says so. */
static void test_broken(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\x08", 1},                                              /* no number */
        {"\x08\xac", 2},                                          /* half a number */
        {"\x12\x04\x61\x62\x63", 5},                              /* longer than the message */
        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},     /* much longer */
        {"\x1d\x00\x00\x80", 4},                                  /* three bytes of four */
        {"\x21\x00\x00\x80\x3f", 5},                              /* four bytes of eight */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* eleven bytes of varint */
        {"\x0b\x0c", 2},                                          /* a group */
        {"\x0e", 1},                                              /* wire type 6 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kx_wire w = kx_wire_start(cases[i].bytes, cases[i].n);

        if (kx_wire_next(&w) || !w.broken)
            fail_msg("case %zu is accepted", i);
    }
}

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

TEST_MAIN(proto_wire)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),   cmocka_unit_test(test_broken),
        cmocka_unit_test(test_flips),    cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_extremes),
    };

    return cmocka_run_group_tests_name("proto_wire", tests, NULL, NULL);
}
