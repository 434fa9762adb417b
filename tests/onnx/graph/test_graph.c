/* test_graph.c - values and nodes of a graph: found by name, put in, numbered, read. */
#include "onnx/networks/built.h"

#include <string.h>

#define NETWORK "in x 1,3; n Relu x a; n Neg a b; n Abs b y; out y"

/* By the name of a value, or of a node, whose first output it is. */
static void test_find(void **state)
{
    built b;

    (void)state;
    built_open(&b, NETWORK);
    assert_ptr_equal(kx_graph_find(b.graph, "x"), b.graph->input[0]);
    assert_ptr_equal(kx_graph_find(b.graph, "y"), b.graph->output[0]);
    assert_ptr_equal(kx_graph_find(b.graph, "b"), b.graph->node[1].out[0]);
    assert_null(kx_graph_find(b.graph, "z"));
    assert_null(kx_graph_find(b.graph, ""));
    b.graph->node[1].name = "negated";
    assert_ptr_equal(kx_graph_find(b.graph, "negated"), b.graph->node[1].out[0]);
    built_close(&b);
}

/* Every node is at its index, every value knows its producer. */
static void check_numbers(const kx_graph *g)
{
    for (int32_t i = 0; i < g->nnode; i++) {
        assert_int_equal(g->node[i].index, i);
        for (int32_t o = 0; o < g->node[i].nout; o++)
            assert_int_equal(g->node[i].out[o]->producer, i);
    }
    for (int32_t i = 0; i < g->nvalue; i++)
        assert_int_equal(g->value[i]->id, i);
}

/* So many that every array has to grow, at the head, in the middle and at the end. */
static void test_insert(void **state)
{
    enum { MORE = 40 };
    static const char *const order[] = {"Relu", "Neg", "Abs"};
    built b;
    int32_t kept = 0;

    (void)state;
    built_open(&b, NETWORK);
    for (int32_t i = 0; i < MORE; i++) {
        kx_node n = b.graph->node[0];
        kx_value *v = kx_value_new(b.graph, "more");

        assert_non_null(v);
        n.type = "more";
        n.out = kx_new(b.graph, 1, sizeof(kx_value *));
        n.out[0] = v;
        assert_int_equal(kx_graph_insert(b.graph,
                                         i % 3 == 0   ? 0
                                         : i % 3 == 1 ? i
                                                      : i + 3,
                                         &n),
                         KLDVE_OK);
        check_numbers(b.graph);
    }
    assert_int_equal(b.graph->nnode, MORE + 3);
    for (int32_t i = 0; i < b.graph->nnode; i++)
        if (strcmp(b.graph->node[i].type, "more") != 0)
            assert_string_equal(b.graph->node[i].type, order[kept++]);
    assert_int_equal(kept, 3);
    built_close(&b);
}

/* Without memory there is a status and the graph is as before. */
static void test_no_memory(void **state)
{
    built b;

    (void)state;
    built_open(&b, NETWORK);
    b.heap.budget = 0;
    assert_int_equal(kx_graph_room(b.graph, 3, 4), KLDVE_OK); /* it is there already */
    assert_int_equal(kx_graph_room(b.graph, 1 << 20, 0), KLDVE_E_NOMEM);
    assert_int_equal(kx_graph_room(b.graph, (size_t)INT32_MAX, 0), KLDVE_E_NOMEM);
    b.heap.budget = -1;
    assert_int_equal(b.graph->nnode, 3);
    check_numbers(b.graph);
    built_close(&b);
}

/* Elements lie anywhere in a file: what is not aligned is copied, once for the graph, into the
 * caller's arena otherwise. */
static void test_unaligned(void **state)
{
    unsigned char bytes[4 * sizeof(int64_t) + 1];
    const int64_t numbers[4] = {1, -2, INT64_MAX, INT64_MIN};
    built b;
    kx_value *v;
    const void *read;

    (void)state;
    built_open(&b, NETWORK);
    v = kx_value_new(b.graph, "numbers");
    v->dtype = KX_I64;
    v->shape = (kx_shape){1, {4}};
    v->count = 4;
    assert_null(kx_value_read(v, &b.arena)); /* not a constant */
    assert_null(kx_value_data(b.graph, v));
    for (size_t off = 0; off < 2; off++) { /* at least one of them is not aligned */
        memcpy(bytes + off, numbers, sizeof numbers);
        v->raw = bytes + off;
        read = kx_value_read(v, &b.arena);
        assert_int_equal((uintptr_t)read % sizeof(int64_t), 0);
        assert_memory_equal(read, numbers, sizeof numbers);
        assert_ptr_equal(v->raw, bytes + off); /* others may read the graph */
        assert_memory_equal(kx_value_data(b.graph, v), numbers, sizeof numbers);
        assert_ptr_equal(kx_value_data(b.graph, v), v->raw);
        assert_ptr_equal(kx_value_ints(b.graph, v), v->raw);
    }
    built_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_insert),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_unaligned),
    };

    return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
