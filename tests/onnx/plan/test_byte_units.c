/* test_byte_units.c - quantised networks computed with integers of 8 bits against the plain
 * kernels, which compute with the numbers that the integers stand for.
 *
 * Scales are powers of two and sums small, so that both are exact: results must be equal to the
 * last bit.  How many steps work on bytes shows that they do, and which units must not. */
#include "byte_runs.h"

#include <stdlib.h>

/* ---- one kind of unit after the other ---- */

#define QUANTISED(x, name, scale, zero)                                                            \
    "n QuantizeLinear " x "," scale "," zero " " name "q;"                                         \
    "n DequantizeLinear " name "q," scale "," zero " " name ";"
#define FORMS                                                                                      \
    "opset 14; t sa f32 - 0.03125; t za u8 - 120; t sb f32 - 0.25; t zb u8 - 90;"                  \
    "t sc f32 - 0.125; t zc s8 - -3; t sw f32 - 0.015625; t zw s8 - 0; t zu u8 - 131; t z0 u8 - "  \
    "0;"                                                                                           \
    "t sp f32 3 0.0078125,0.03125,0.015625; t zp s8 3 0;"
#define PICTURE FORMS "in x 1,3,9,7;" QUANTISED("x", "a", "sa", "za")
#define WEIGHTS(name, dims)                                                                        \
    "t " name "q s8 " dims " 127,-128,5,-77,127,90,-3,61,-127,14,127;"                             \
    "n DequantizeLinear " name "q,sw,zw " name ";"
#define CONV3 WEIGHTS("w", "3,3,3,3") "n Conv a,w c pads=[1,0,2,1];"

static const struct unit_case {
    const char *name, *text;
    int32_t on_bytes;
    int levels; /* by how many levels of 1/4 results may differ */
} cases[] = {
    {"convolution", PICTURE CONV3 QUANTISED("c", "y", "sb", "zb") "out y", 1, 0},
    {"weights of uint8 with a zero point, a bias",
     PICTURE "t wq u8 3,3,3,3 255,0,3,131,255,255,17,200,1; n DequantizeLinear wq,sw,zu w;"
             "t sbias f32 - 0.00048828125; t bq s32 3 1000,-40000,7; n DequantizeLinear bq,sbias b;"
             "n Conv a,w,b c pads=[1,0,2,1];" QUANTISED("c", "y", "sb", "zb") "out y",
     1, 0},
    {"scales by channel",
     PICTURE "t wq s8 3,3,3,3 127,-128,5,-77,127,90,-3; n DequantizeLinear wq,sp,zp w axis=0;"
             "n Conv a,w c;" QUANTISED("c", "y", "sc", "zc") "out y",
     1, 0},
    {"one group a channel, two convolutions",
     PICTURE WEIGHTS("w", "3,1,3,3") "n Conv a,w c pads=[1,1,1,1] group=3;" QUANTISED("c", "d",
                                                                                      "sb", "zb")
         WEIGHTS("v", "5,3,1,1") "n Conv d,v e;" QUANTISED("e", "y", "sc", "zc") "out y",
     2, 0},
    {"operators on quantised operands",
     PICTURE
     "t wq s8 5,3,3,3 127,-128,5,-77,90; n QLinearConv aq,sa,za,wq,sw,zw,sb,zb r strides=[2,2];"
     "n DequantizeLinear r,sb,zb y; out y",
     1, 0},
    {"rectifier and limits",
     PICTURE CONV3 "n Relu c d;" QUANTISED("d", "e", "sb", "zb")
         WEIGHTS("v", "4,3,1,1") "n Conv e,v f; n Constant - lo value_float=-1.0; n Constant - hi "
                                 "value_float=7.0;"
                                 "n Clip f,lo,hi g;" QUANTISED("g", "y", "sc", "zc") "out y",
     2, 0},
    {"sum, difference, product",
     PICTURE QUANTISED("x", "b", "sc", "zc") "n Add a,b c;" QUANTISED(
         "c", "d", "sb",
         "zb") "n Sub d,a e;" QUANTISED("e", "f", "sb",
                                        "zb") "n Mul f,b g;" QUANTISED("g", "y", "sb",
                                                                       "zb") "out y",
     3, 0},
    {"product by channel",
     PICTURE "n GlobalAveragePool a p;" QUANTISED("p", "s", "sa", "za") "n Mul a,s m;" QUANTISED(
         "m", "y", "sb", "zb") "out y",
     2, 0},
    {"largest, in numbers",
     PICTURE "n MaxPool a p kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1];" QUANTISED(
         "p", "y", "sa", "za") "out y",
     2, 0},
    {"largest, in integers",
     PICTURE "n MaxPool aq p kernel_shape=[3,2] strides=[2,1];"
             "n DequantizeLinear p,sa,za d;" WEIGHTS("w", "3,3,1,1") "n Conv d,w c;" QUANTISED(
                 "c", "y", "sb", "zb") "out y",
     2, 0},
    {"means",
     PICTURE "n AveragePool a p kernel_shape=[2,2] strides=[2,2];" QUANTISED("p", "b", "sc", "zc")
         WEIGHTS("w", "3,3,1,1") "n Conv b,w c;" QUANTISED("c", "y", "sb", "zb") "out y",
     2, 0},
    {"functions by table",
     PICTURE "n LeakyRelu a b alpha=0.25;" QUANTISED(
         "b", "c", "sc", "zc") "n Sigmoid c d; n HardSwish d e;" QUANTISED("e", "y", "sb",
                                                                           "z0") "out y",
     2, 1},
    {"concatenation, rounded",
     PICTURE QUANTISED("x", "b", "sc", "zc") "n Concat a,b,a c axis=1;" QUANTISED("c", "d", "sb",
                                                                                  "zb")
         WEIGHTS("w", "2,9,1,1") "n Conv d,w e;" QUANTISED("e", "y", "sb", "zb") "out y",
     4, 0},
    {"concatenation of one form",
     PICTURE "n MaxPool a b kernel_shape=[1,1]; n Concat b,a c axis=1;" WEIGHTS(
         "w", "2,6,1,1") "n Conv c,w e;" QUANTISED("e", "y", "sb", "zb") "out y",
     4, 0},
    {"dense layers",
     FORMS "in x 5,24;" QUANTISED("x", "a", "sa", "za")
         WEIGHTS("w", "24,20") "n MatMul a,w c;" QUANTISED("c", "d", "sb", "zb")
             WEIGHTS("v", "7,20") "n Gemm d,v e transB=1;" QUANTISED("e", "y", "sc", "zc") "out y",
     2, 0},
    {"read as numbers, too",
     PICTURE CONV3 QUANTISED("c", "d", "sb", "zb") "n Sin d e; n Mul d,e f;" WEIGHTS(
         "v", "3,3,1,1") "n Conv d,v g; " QUANTISED("g", "h", "sb", "zb") "n Add f,h y; out y",
     2, 1},
    /* what must stay as it is */
    {"16 bits",
     FORMS "t z16 s16 - 0; in x 1,3,9,7;" QUANTISED("x", "a", "sa", "z16")
         CONV3 QUANTISED("c", "y", "sb", "z16") "out y",
     0, 0},
    {"numbers that are not quantised",
     FORMS "in a 1,3,9,7;" CONV3 QUANTISED("c", "y", "sb", "zb") "out y", 0, 1},
    {"weights that are not quantised",
     PICTURE "w w 3,3,3,3; n Conv a,w c;" QUANTISED("c", "y", "sb", "zb") "out y", 0, 1},
    {"a result that is not rounded", PICTURE CONV3 "n Sin c y; out y", 0, 1},
};

static void test_case(void **state)
{
    const struct unit_case *c = *state;
    opened o;
    float *x;
    result fast, slow;

    byte_open(&o, c->text);
    x = byte_input(&o, 7);
    fast = byte_run(&o, (kx_plan_options){.plain = false}, x);
    slow = byte_run(&o, (kx_plan_options){.plain = true}, x);
    assert_int_equal(slow.on_bytes, 0);
    if (kx_accel_has_bytes())
        assert_int_equal(fast.on_bytes, c->on_bytes);
    byte_compare(c->text, fast, slow, o.g->output[0]->count, 0.25f * (float)c->levels);
    free(x), free(fast.y), free(slow.y);
    byte_close(&o);
}

/* Numbers that methods put in the layer's place are no levels: units on bytes end there, and a
 * gradient at the picture wants numbers everywhere. */
static void test_behind_the_layer(void **state)
{
    static const char text[] = PICTURE CONV3 QUANTISED("c", "d", "sb", "zb")
        WEIGHTS("v", "3,3,1,1") "n Conv d,v e;" QUANTISED(
            "e", "f", "sb", "zb") "n Conv f,v g;" QUANTISED("g", "y", "sb", "zb") "out y";
    kx_plan_options options = {.vjp = true};
    result none, all, to_layer, to_input;
    opened o;
    float *x;

    (void)state;
    byte_open(&o, text);
    x = byte_input(&o, 3);
    none = byte_run(&o, (kx_plan_options){.plain = true}, x);
    all = byte_run(&o, (kx_plan_options){.plain = false}, x);
    options.layer = byte_value(&o, "d");
    to_layer = byte_run(&o, options, x);
    options.vjp_input = true;
    to_input = byte_run(&o, options, x);
    if (kx_accel_has_bytes()) {
        assert_int_equal(all.on_bytes, 3);
        assert_int_equal(to_layer.on_bytes, 1);
        assert_true(all.memory < to_layer.memory && to_layer.memory < to_input.memory);
    }
    assert_int_equal(to_input.on_bytes, 0);
    byte_compare(text, all, none, o.g->output[0]->count, 0);
    byte_compare(text, to_layer, none, o.g->output[0]->count, 0);
    byte_compare(text, to_input, none, o.g->output[0]->count, 0);
    free(x), free(none.y), free(all.y), free(to_layer.y), free(to_input.y);
    byte_close(&o);
}

/* Planning with every allocation failing in turn. */
static void test_memory(void **state)
{
    static const char text[] =
        PICTURE CONV3 QUANTISED("c", "d", "sb", "zb") "n Add d,d e;" QUANTISED(
            "e", "f", "sb", "zb") "n Concat f,f g axis=1; n Sin g y; out y";
    kx_plan_options options = {.threads = 1};
    kldve_status st = KLDVE_E_NOMEM;
    opened o;

    (void)state;
    byte_open(&o, text);
    options.input = o.g->input[0];
    options.logits = o.g->output[0];
    for (long budget = 0; st != KLDVE_OK; budget++) {
        long live = o.heap.live;
        kx_plan *plan = NULL;

        o.heap.budget = budget;
        st = kx_plan_new(o.ctx, o.g, &options, &plan);
        o.heap.budget = -1;
        assert_true(st == KLDVE_OK || (st == KLDVE_E_NOMEM && !plan));
        kx_plan_free(plan);
        assert_int_equal(o.heap.live, live);
    }
    byte_close(&o);
}

int main(void)
{
    enum { CASES = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[CASES + 2] = {
        [CASES] = cmocka_unit_test(test_behind_the_layer),
        [CASES + 1] = cmocka_unit_test(test_memory),
    };

    for (size_t i = 0; i < CASES; i++)
        tests[i] = (struct CMUnitTest){.name = cases[i].name,
                                       .test_func = test_case,
                                       .initial_state = (void *)(uintptr_t)&cases[i]};
    return cmocka_run_group_tests_name("byte units", tests, NULL, NULL);
}
