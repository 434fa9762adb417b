/* test_order.c - which nodes a graph has, and in which order. */
#include "onnx/networks/built.h"

#include <stdio.h>
#include <string.h>

static const struct order_case {
    const char *name, *text, *order; /* the outputs of the nodes that are left */
} orders[] = {
    {"as in the file", "in x 1,3; n Relu x a; n Neg a b; out b", "a b"},
    {"backwards", "in x 1,3; n Abs b c; n Neg a b; n Relu x a; out c", "a b c"},
    {"what no output needs is not looked at",
     "in x 1,3; n Relu x a; n Frobnicate a z; n Neg x unread; out a", "a"},
    {"the second output needs more", "in x 1,3; n Neg a b; n Relu x a; n Abs x c; out a; out c",
     "a c"},
    {"a diamond, each node once", "in x 1,3; n Add b,c d; n Neg a b; n Abs a c; n Relu x a; out d",
     "a b c d"},
    {"an output that is read, too", "in x 1,3; n Neg a b; n Relu x a; out b; out a", "a b"},
    {"an output twice", "in x 1,3; n Relu x a; out a; out a", "a"},
};

static void check_order(void **state)
{
    const struct order_case *c = *state;
    char order[100] = "";
    built b;

    built_open(&b, c->text);
    for (int32_t i = 0; i < b.graph->nnode; i++) {
        strcat(order, i ? " " : "");
        strcat(order, b.graph->node[i].out[0]->name);
    }
    assert_string_equal(order, c->order);
    built_close(&b);
}

static const struct refusal {
    const char *name, *text, *message;
} refusals[] = {
    {"a node that reads itself", "in x 1,3; n Relu a a; out a",
     "the graph has a cycle through node 'a' (Relu)"},
    {"a cycle of three", "in x 1,3; n Add x,c a; n Neg a b; n Abs b c; out c",
     "the graph has a cycle"},
    {"two makers", "in x 1,3; n Relu x a; n Neg x a; out a", "two nodes have an output named 'a'"},
    {"two makers of what nobody reads", "in x 1,3; n Relu x a; n Neg x u; n Abs x u; out a",
     "two nodes have an output named 'u'"},
    {"no maker of an output", "in x 1,3; n Relu x a; out z", "no node produces the output 'z'"},
};

static void check_refusal(void **state)
{
    const struct refusal *c = *state;
    built b;

    assert_int_equal(built_text(&b, c->text), KLDVE_E_FORMAT);
    test_says(b.ctx, c->message);
    built_close(&b);
}

/* A cycle that no output needs does no harm. */
static void test_unread_cycle(void **state)
{
    built b;

    (void)state;
    built_open(&b, "in x 1,3; n Relu x a; n Add b,a c; n Neg c b; out a");
    assert_int_equal(b.graph->nnode, 1);
    built_close(&b);
}

/* A chain that would overflow the stack of anything that recurses; written down from its end. */
static void test_long_chain(void **state)
{
    enum { NODES = 20000, EACH = 24 };
    static char text[NODES * EACH + 100];
    size_t used = 0;
    built b;

    (void)state;
    for (int i = NODES; i > 0; i--)
        used += (size_t)snprintf(text + used, sizeof text - used, "n Neg v%d v%d; ", i - 1, i);
    snprintf(text + used, sizeof text - used, "in v0 1,3; out v%d", NODES);
    built_open(&b, text);
    assert_int_equal(b.graph->nnode, NODES);
    for (int32_t i = 0; i < NODES; i++)
        assert_int_equal(b.graph->node[i].in[0]->producer, i - 1);
    built_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unread_cycle),
        cmocka_unit_test(test_long_chain),
    };

    return TEST_RUN_CASES("orders", orders, check_order) +
           TEST_RUN_CASES("graphs without an order", refusals, check_refusal) +
           cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
