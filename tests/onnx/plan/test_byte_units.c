/* test_byte_units.c - quantised networks computed with integers of 8 bits against the plain
 * kernels, which compute with the numbers that the integers stand for.
 *
 * Scales are powers of two and sums small, so that both are exact: results must be equal to the
 * last bit.  How many steps work on bytes shows that they do, and which units must not. */
#include "support.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build/build.h"
#include "onnx/networks/text.h"
#include "plan/plan.h"
#include "read/proto.h"
#include "run/state.h"

/* ---- a network in both ways ---- */

typedef struct opened {
    test_heap heap;
    kldve_ctx *ctx;
    kx_model *model;
    kx_graph *g;
    unsigned char *bytes;
} opened;

static void open_text(opened *o, const char *text)
{
    const kx_graph_options options = {.batch = 1};
    size_t nbytes;

    *o = (opened){.model = NULL};
    o->ctx = test_ctx(&o->heap);
    o->bytes = writer_memory(write_text, text, &nbytes);
    if (kx_model_read(o->ctx, o->bytes, nbytes, &o->model) < 0 ||
        kx_graph_new(o->ctx, o->model, &options, &o->g) < 0)
        fail_msg("%s: %s", kldve_ctx_message(o->ctx), text);
}

static void close_text(opened *o)
{
    kx_graph_free(o->g);
    kx_model_free(o->model);
    free(o->bytes);
    kldve_ctx_free(o->ctx);
    assert_int_equal(o->heap.live, 0);
}

typedef struct result {
    float *y;
    int32_t steps, on_bytes; /* forward; on_bytes without turning numbers to bytes and back */
    size_t memory;
} result;

static int32_t count_bytes(const kx_plan *plan)
{
    int32_t n = 0;

    for (int32_t i = 0; i < plan->forward.to; i++)
        n += plan->step[i].kind == KX_STEP_BYTES &&
             plan->step[i].as.bytes.work->kind != KX_BYTES_FROM_FLOAT &&
             plan->step[i].as.bytes.work->kind != KX_BYTES_TO_FLOAT;
    return n;
}

static result run(const opened *o, kx_plan_options options, const float *x)
{
    result r = {.y = malloc(o->g->output[0]->count * sizeof *r.y)};
    kx_state *state = NULL;
    kx_plan *plan = NULL;

    options.input = o->g->input[0];
    options.logits = o->g->output[0];
    options.threads = options.threads ? options.threads : 1;
    options.max_bytes = (size_t)1 << 30;
    if (kx_plan_new(o->ctx, o->g, &options, &plan) < 0 || kx_state_new(o->ctx, plan, &state) < 0 ||
        kx_state_forward(state, x, r.y, NULL) < 0)
        fail_msg("%s", kldve_ctx_message(o->ctx));
    r.steps = plan->forward.to;
    r.on_bytes = count_bytes(plan);
    r.memory = plan->state_bytes;
    kx_state_free(state);
    kx_plan_free(plan);
    return r;
}

static float *draw_input(const opened *o, uint64_t seed)
{
    float *x = malloc(o->g->input[0]->count * sizeof *x);

    for (size_t i = 0; i < o->g->input[0]->count; i++)
        x[i] = (float)test_normal(&seed);
    return x;
}

/* Has this processor, and has the engine, kernels for bytes? */
static bool has_bytes(void)
{
    return kx_accel_has_bytes();
}

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

static void check_result(const char *text, result fast, result slow, size_t count, float tolerance)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(fast.y[i] - slow.y[i]) <= tolerance))
            fail_msg("element %zu: %.9g, with numbers %.9g: %s", i, (double)fast.y[i],
                     (double)slow.y[i], text);
}

static void test_case(void **state)
{
    const struct unit_case *c = *state;
    opened o;
    float *x;
    result fast, slow;

    open_text(&o, c->text);
    x = draw_input(&o, 7);
    fast = run(&o, (kx_plan_options){.plain = false}, x);
    slow = run(&o, (kx_plan_options){.plain = true}, x);
    assert_int_equal(slow.on_bytes, 0);
    if (has_bytes())
        assert_int_equal(fast.on_bytes, c->on_bytes);
    check_result(c->text, fast, slow, o.g->output[0]->count, 0.25f * (float)c->levels);
    free(x), free(fast.y), free(slow.y);
    close_text(&o);
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
    open_text(&o, text);
    x = draw_input(&o, 3);
    none = run(&o, (kx_plan_options){.plain = true}, x);
    all = run(&o, (kx_plan_options){.plain = false}, x);
    for (int32_t i = 0; i < o.g->nvalue; i++)
        if (strcmp(o.g->value[i]->name, "d") == 0)
            options.layer = o.g->value[i];
    to_layer = run(&o, options, x);
    options.vjp_input = true;
    to_input = run(&o, options, x);
    if (has_bytes()) {
        assert_int_equal(all.on_bytes, 3);
        assert_int_equal(to_layer.on_bytes, 1);
        assert_true(all.memory < to_layer.memory && to_layer.memory < to_input.memory);
    }
    assert_int_equal(to_input.on_bytes, 0);
    check_result(text, all, none, o.g->output[0]->count, 0);
    check_result(text, to_layer, none, o.g->output[0]->count, 0);
    check_result(text, to_input, none, o.g->output[0]->count, 0);
    free(x), free(none.y), free(all.y), free(to_layer.y), free(to_input.y);
    close_text(&o);
}

/* ---- random networks ---- */

enum { TEXT = 16384, VALUES = 12 };

/* A chain of pieces, each of which reads the last value and perhaps an earlier one.  All numbers
 * are sums of few products of integers and powers of two. */
typedef struct drawing {
    uint64_t seed;
    char text[TEXT];
    int length, n;                                                      /* values: v0 .. v[n - 1] */
    int channels[VALUES], height[VALUES], width[VALUES], scale[VALUES]; /* 2^scale */
} drawing;

static int draw(drawing *d, int lo, int hi)
{
    return lo + (int)(test_random(&d->seed) * (double)(hi - lo + 1));
}

static void say(drawing *d, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    d->length += vsnprintf(d->text + d->length, TEXT - (size_t)d->length, format, list);
    va_end(list);
    assert_true(d->length < TEXT);
}

/* Quantise `made`, of about so many times 2^scale, to the next value. */
static void round_off(drawing *d, int channels, int height, int width, int scale)
{
    int i = d->n++;
    bool is_signed = draw(d, 0, 1);

    d->channels[i] = channels, d->height[i] = height, d->width[i] = width, d->scale[i] = scale;
    say(d, "t s%d f32 - %.17g; t z%d %s - %d;", i, ldexp(1, scale), i, is_signed ? "s8" : "u8",
        draw(d, 0, 255) - 128 * is_signed);
    say(d, "n QuantizeLinear m%d,s%d,z%d q%d; n DequantizeLinear q%d,s%d,z%d v%d;", i, i, i, i, i,
        i, i, i);
}

static void draw_conv(drawing *d)
{
    int x = d->n - 1, c = d->channels[x], g = draw(d, 0, 2) ? 1 : c,
        out = g > 1 ? c : draw(d, 1, 20);
    int k = d->height[x] < 3 || d->width[x] < 3 ? 1 : draw(d, 0, 1) * 2 + 1, pad = k / 2;
    int stride = draw(d, 1, 2), terms = c / g * k * k, bits = draw(d, 6, 8);
    bool is_signed = draw(d, 0, 1);

    say(d, "t tw%d f32 - 0.015625; t zw%d %s - %d; t wq%d %s %d,%d,%d,%d ", d->n, d->n,
        is_signed ? "s8" : "u8", is_signed ? 0 : draw(d, 0, 255), d->n, is_signed ? "s8" : "u8",
        out, c / g, k, k);
    for (int i = 0; i < 17; i++)
        say(d, "%s%d", i ? "," : "", draw(d, 0, (1 << bits) - 1) - (1 << (bits - 1)) * is_signed);
    say(d, "; n DequantizeLinear wq%d,tw%d,zw%d w%d;", d->n, d->n, d->n, d->n);
    say(d, "t sb%d f32 - %.17g; t bq%d s32 %d 900,-4000,7; n DequantizeLinear bq%d,sb%d b%d;", d->n,
        ldexp(1, d->scale[x] - 6), d->n, out, d->n, d->n, d->n);
    say(d, "n Conv v%d,w%d,b%d r%d group=%d pads=[%d,%d,%d,%d] strides=[%d,%d];", x, d->n, d->n,
        d->n, g, pad, pad, pad, pad, stride, stride);
    if (draw(d, 0, 1))
        say(d, "n Relu r%d m%d;", d->n, d->n);
    else
        say(d, "n Identity r%d m%d;", d->n, d->n);
    round_off(d, out, (d->height[x] - 1) / stride + 1, (d->width[x] - 1) / stride + 1,
              d->scale[x] + bits - 8 + (int)log2(sqrt((double)terms)));
}

static void draw_pair(drawing *d)
{
    int x = d->n - 1, y = draw(d, 0, x);
    const char *op = draw(d, 0, 2) == 0 ? "Sub" : draw(d, 0, 1) ? "Add" : "Mul";
    bool same = d->channels[y] == d->channels[x] && d->height[y] == d->height[x] &&
                d->width[y] == d->width[x];

    say(d, "n %s v%d,v%d m%d;", op, x, same ? y : x, d->n);
    round_off(d, d->channels[x], d->height[x], d->width[x],
              strcmp(op, "Mul") ? d->scale[x] + 1 : 2 * d->scale[x] + 6);
}

static void draw_pool(drawing *d)
{
    int x = d->n - 1, h = d->height[x], w = d->width[x];

    if (h < 2 || w < 2)
        return;
    if (draw(d, 0, 1)) {
        say(d, "n AveragePool v%d m%d kernel_shape=[2,2] strides=[2,2];", x, d->n);
        round_off(d, d->channels[x], h / 2, w / 2, d->scale[x]);
        return;
    }
    say(d, "n MaxPool q%d p%d kernel_shape=[2,2] strides=[1,2];", x, d->n); /* of integers */
    say(d, "n DequantizeLinear p%d,s%d,z%d m%d;", d->n, x, x, d->n);
    round_off(d, d->channels[x], h - 1, w / 2, d->scale[x] + draw(d, 0, 1));
}

static void draw_concat(drawing *d)
{
    int x = d->n - 1, y = draw(d, 0, x);

    if (d->height[y] != d->height[x] || d->width[y] != d->width[x] ||
        d->channels[x] + d->channels[y] > 20)
        return;
    say(d, "n Concat v%d,v%d m%d axis=1;", y, x, d->n);
    round_off(d, d->channels[x] + d->channels[y], d->height[x], d->width[x], d->scale[x]);
}

static void draw_function(drawing *d)
{
    int x = d->n - 1;

    say(d, "n LeakyRelu v%d f%d alpha=0.25; n Constant - l%d value_float=%.12f;", x, d->n, d->n,
        ldexp(-9, d->scale[x]));
    say(d, "n Clip f%d,l%d m%d;", d->n, d->n, d->n);
    round_off(d, d->channels[x], d->height[x], d->width[x], d->scale[x] - draw(d, 0, 1));
}

static void draw_network(drawing *d, uint64_t seed)
{
    static void (*const pieces[])(drawing *) = {draw_conv, draw_conv,   draw_conv,     draw_pair,
                                                draw_pool, draw_concat, draw_function, draw_pair};
    int pieces_left;

    *d = (drawing){.seed = seed};
    pieces_left = draw(d, 2, 2 * VALUES);
    say(d, "opset 14; in x 1,%d,%d,%d; n Identity x m0;", draw(d, 1, 20), 9, 7);
    d->channels[0] = atoi(strstr(d->text, "1,") + 2);
    round_off(d, d->channels[0], 9, 7, -5);
    while (pieces_left-- > 0 && d->n < VALUES)
        pieces[draw(d, 0, 7)](d);
    say(d, "n Sin v%d y; out y", d->n - 1); /* numbers that nothing rounds */
}

static const kx_value *value_named(const opened *o, const char *name)
{
    for (int32_t i = 0; i < o->g->nvalue; i++)
        if (strcmp(o->g->value[i]->name, name) == 0)
            return o->g->value[i];
    return NULL;
}

/* With numbers, with integers, with integers up to a layer, by two threads. */
static int32_t check_network(uint64_t seed)
{
    drawing *d = malloc(sizeof *d);
    kx_plan_options options = {.vjp = true};
    char layer[16];
    opened o;
    float *x;
    result slow, fast, to_layer, crowd;
    int32_t on_bytes;

    draw_network(d, seed);
    open_text(&o, d->text);
    x = draw_input(&o, seed + 1000);
    snprintf(layer, sizeof layer, "v%d", draw(d, 0, d->n - 1));
    if (!(options.layer = value_named(&o, layer))) { /* only its integers are read */
        layer[0] = 'm';
        options.layer = value_named(&o, layer);
    }
    slow = run(&o, (kx_plan_options){.plain = true}, x);
    fast = run(&o, (kx_plan_options){.plain = false}, x);
    to_layer = run(&o, options, x);
    crowd = run(&o, (kx_plan_options){.threads = 2}, x);
    /* the sine is computed in different ways */
    check_result(d->text, fast, slow, o.g->output[0]->count, 1e-5f);
    check_result(d->text, to_layer, slow, o.g->output[0]->count, 1e-5f);
    check_result(d->text, crowd, fast, o.g->output[0]->count, 0);
    on_bytes = fast.on_bytes;
    free(x), free(slow.y), free(fast.y), free(to_layer.y), free(crowd.y);
    close_text(&o);
    free(d);
    return on_bytes;
}

static uint64_t first_seed = 1;
static int networks = 80;

static void test_random_networks(void **state)
{
    int64_t on_bytes = 0;

    (void)state;
    for (int i = 0; i < networks; i++)
        on_bytes += check_network(first_seed + (uint64_t)i);
    if (has_bytes()) /* most pieces are */
        assert_true(on_bytes > 3 * (int64_t)networks);
}

/* With two arguments: other random networks, from a seed on, so many. */
int main(int argc, char **argv)
{
    enum { CASES = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[CASES + 2] = {
        [CASES] = cmocka_unit_test(test_behind_the_layer),
        [CASES + 1] = cmocka_unit_test(test_random_networks),
    };

    if (argc > 2)
        first_seed = strtoull(argv[1], NULL, 10), networks = atoi(argv[2]);

    for (size_t i = 0; i < CASES; i++)
        tests[i] = (struct CMUnitTest){.name = cases[i].name,
                                       .test_func = test_case,
                                       .initial_state = (void *)(uintptr_t)&cases[i]};
    return cmocka_run_group_tests_name("byte units", tests, NULL, NULL);
}
