/* test_infer.c - what operators ask when they check themselves: shapes and attributes. */
#include "onnx/networks/built.h"

#include <string.h>

/* ---- how many elements a shape has ----------------------------------------------------------- */

static const struct size_case {
    const char *name;
    kx_shape shape;
    size_t item;
    bool ok;
    size_t count;
} sizes[] = {
    {"scalar", {0, {0}}, 4, true, 1},
    {"three axes", {3, {2, 3, 5}}, 4, true, 30},
    {"an empty axis", {3, {2, 0, 5}}, 4, true, 0},
    {"all ranks", {8, {2, 2, 2, 2, 2, 2, 2, 2}}, 8, true, 256},
    {"a rank too many", {9, {1}}, 4, false, 0},
    {"a rank below 0", {-1, {1}}, 4, false, 0},
    {"a dimension below 0", {2, {3, -1}}, 4, false, 0},
    {"two below 0", {2, {-3, -1}}, 4, false, 0},
    {"2^40 bytes", {2, {1 << 20, 1 << 20}}, 1, true, (size_t)1 << 40},
    {"a byte more", {2, {1 << 20, (1 << 20) + 1}}, 1, false, 0},
    {"2^40 bytes of four", {2, {1 << 20, 1 << 18}}, 4, true, (size_t)1 << 38},
    {"four bytes more", {2, {1 << 20, (1 << 18) + 1}}, 4, false, 0},
    {"2^64 elements", {3, {(int64_t)1 << 32, (int64_t)1 << 32, 1}}, 4, false, 0},
    {"the largest number", {1, {INT64_MAX}}, 1, false, 0},
    {"an empty axis hides nothing", {3, {0, INT64_MAX, INT64_MAX}}, 4, false, 0},
};

static void check_size(void **state)
{
    const struct size_case *c = *state;
    size_t count = 77;

    assert_int_equal(kx_shape_count(&c->shape, c->item, &count), c->ok);
    assert_int_equal(count, c->ok ? c->count : 77);
}

/* ---- broadcasting: numpy.broadcast_shapes() -------------------------------------------------- */

static const struct pair_case {
    const char *name;
    kx_shape a, b;
    bool ok;
    kx_shape out;
} pairs[] = {
    {"equal", {2, {3, 4}}, {2, {3, 4}}, true, {2, {3, 4}}},
    {"a scalar", {2, {3, 4}}, {0, {0}}, true, {2, {3, 4}}},
    {"a row", {2, {3, 4}}, {1, {4}}, true, {2, {3, 4}}},
    {"a column", {2, {3, 4}}, {2, {3, 1}}, true, {2, {3, 4}}},
    {"both ways", {3, {2, 1, 4}}, {2, {3, 1}}, true, {3, {2, 3, 4}}},
    {"1 and nothing", {1, {1}}, {1, {0}}, true, {1, {0}}},
    {"nothing and nothing", {2, {0, 3}}, {2, {0, 3}}, true, {2, {0, 3}}},
    {"2 and nothing", {1, {2}}, {1, {0}}, false, {0, {0}}},
    {"3 and 4", {2, {3, 4}}, {2, {4, 4}}, false, {0, {0}}},
    {"aligned at the end", {2, {3, 4}}, {1, {3}}, false, {0, {0}}},
};

static void check_pair(void **state)
{
    const struct pair_case *c = *state;

    for (int turned = 0; turned < 2; turned++) {
        kx_shape out = {.rank = -7};

        assert_int_equal(kx_broadcast(turned ? &c->b : &c->a, turned ? &c->a : &c->b, &out), c->ok);
        assert_int_equal(out.rank, c->ok ? c->out.rank : -7);
        for (int32_t i = 0; c->ok && i < out.rank; i++)
            assert_int_equal(out.dim[i], c->out.dim[i]);
    }
}

/* ---- axes ------------------------------------------------------------------------------------ */

static void test_axis(void **state)
{
    (void)state;
    for (int32_t rank = 0; rank <= KX_MAX_RANK; rank++)
        for (int64_t axis = -rank - 3; axis <= rank + 3; axis++) {
            int32_t out = 77;
            bool ok = axis >= -rank && axis < rank;

            assert_int_equal(kx_axis(axis, rank, &out), ok);
            assert_int_equal(out, ok ? (axis + rank) % rank : 77);
        }
    assert_false(kx_axis(INT64_MIN, 4, &(int32_t){0}));
    assert_false(kx_axis(INT64_MAX, 4, &(int32_t){0}));
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* Each getter finds its own type only, and marks what it gave. */
static void test_attributes(void **state)
{
    const int64_t ints[] = {4, 5};
    const float floats[] = {0.5f};
    kx_attr attr[] = {
        {.name = "i", .type = KX_ATTR_INT, .i = 3},
        {.name = "f", .type = KX_ATTR_FLOAT, .f = 0.25f},
        {.name = "s", .type = KX_ATTR_STRING, .s = "text"},
        {.name = "is", .type = KX_ATTR_INTS, .ints = ints, .count = 2},
        {.name = "fs", .type = KX_ATTR_FLOATS, .floats = floats, .count = 1},
        {.name = "other", .type = 99},
    };
    enum { ATTRS = sizeof attr / sizeof *attr };
    kx_node n = {.attr = attr, .nattr = ATTRS};
    size_t count;

    (void)state;
    assert_int_equal(kx_attr_int(&n, "f", 7), 7);
    assert_true(kx_attr_float(&n, "i", 7.0f) == 7.0f);
    assert_string_equal(kx_attr_string(&n, "is", "none"), "none");
    assert_null(kx_attr_ints(&n, "i", &count));
    assert_int_equal(count, 0);
    assert_null(kx_attr_floats(&n, "missing", &count));
    assert_int_equal(count, 0);
    assert_null(kx_attr_tensor(&n, "s"));
    assert_null(kx_attr_graph(&n, "s"));
    for (size_t i = 0; i < ATTRS; i++)
        assert_false(attr[i].used); /* a wrong type counts as missing */

    assert_int_equal(kx_attr_int(&n, "i", 7), 3);
    assert_true(kx_attr_float(&n, "f", 7.0f) == 0.25f);
    assert_string_equal(kx_attr_string(&n, "s", "none"), "text");
    assert_ptr_equal(kx_attr_ints(&n, "is", &count), ints);
    assert_int_equal(count, 2);
    assert_ptr_equal(kx_attr_floats(&n, "fs", &count), floats);
    assert_int_equal(count, 1);
    kx_attr_ignore(&n, "other");
    for (size_t i = 0; i < ATTRS; i++)
        assert_true(attr[i].used);
}

/* ---- nodes that are refused ------------------------------------------------------------------ */

static const struct refusal {
    const char *name, *text, *message;
    kldve_status status;
} refusals[] = {
    {"no input", "in x 1,3; n Relu _ y; out y", "node 'y' (Relu): 0 inputs, expected 1 to 1",
     KLDVE_E_FORMAT},
    {"an input too many", "in x 1,3; n Relu x,x y; out y",
     "node 'y' (Relu): 2 inputs, expected 1 to 1", KLDVE_E_FORMAT},
    {"the first of two is left out", "in x 1,3; n Add _,x y; out y",
     "node 'y' (Add): required input 0 is missing", KLDVE_E_FORMAT},
    {"an output too many", "in x 1,3; n Relu x y,z; out y",
     "node 'y' (Relu): 2 outputs, at most 1 are supported", KLDVE_E_UNSUPPORTED},
    {"an attribute that nobody asks for", "in x 1,3; n Relu x y slope=0.5; out y",
     "node 'y' (Relu): attribute 'slope' is not supported (or has the wrong type)",
     KLDVE_E_UNSUPPORTED},
    {"an attribute of another type", "in x 1,3; n LeakyRelu x y alpha=1; out y",
     "node 'y' (LeakyRelu): attribute 'alpha' is not supported (or has the wrong type)",
     KLDVE_E_UNSUPPORTED},
    {"a result that is too large", "in x 1,65536,1; in z 65536,1,65536; n Add x,z y; out y",
     "more than 2^40 bytes", KLDVE_E_FORMAT},
    {"nobody provides the input", "in x 1,3; n Add x,w y; out y",
     "node 'y' (Add): no node, input or tensor provides its input 'w'", KLDVE_E_FORMAT},
    {"an output that is an input", "w q 1,3; in x 1,3; n Neg q x; out x",
     "output 'x' is already defined", KLDVE_E_FORMAT},
    {"an unknown operator", "in x 1,3; n Frobnicate x y; out y",
     "node 'y' (Frobnicate): the operator Frobnicate of opset 13 is not supported",
     KLDVE_E_UNSUPPORTED},
    {"an operator of a later opset", "opset 13; in x 1,3; n Gelu x y; out y",
     "the operator Gelu of opset 13 is not supported", KLDVE_E_UNSUPPORTED},
};

static void check_refusal(void **state)
{
    const struct refusal *c = *state;
    built b;

    assert_int_equal(built_text(&b, c->text), c->status);
    assert_null(b.graph);
    test_says(b.ctx, c->message);
    built_close(&b);
}

/* The same network with the attribute that it needs, or without the one too many, is accepted: so
 * that the refusals are about what they name. */
static void test_accepted(void **state)
{
    static const char *const texts[] = {
        "in x 1,3; n Relu x y; out y",
        "in x 1,3; n LeakyRelu x y alpha=0.5; out y",
        "in x 1,3; n Add x,x y; out y",
        "opset 20; in x 1,3; n Gelu x y; out y",
        "in x 1,64,1; in z 64,1,64; n Add x,z y; out y",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        built b;

        built_open(&b, texts[i]);
        assert_int_equal(b.graph->nnode, 1);
        built_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_axis),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_accepted),
    };

    return TEST_RUN_CASES("sizes", sizes, check_size) +
           TEST_RUN_CASES("broadcasting", pairs, check_pair) +
           TEST_RUN_CASES("nodes that are refused", refusals, check_refusal) +
           cmocka_run_group_tests_name("infer", tests, NULL, NULL);
}
