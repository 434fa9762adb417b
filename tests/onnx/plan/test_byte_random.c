/* test_byte_random.c - random quantised networks with integers of 8 bits, to the input and up to a
 * layer, and by two threads, against the plain kernels.  Scales are powers of two and sums small,
 * so that both are exact.
 *
 *     test_byte_random [FIRST COUNT]     other networks, from a seed on */
#include "byte_runs.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    byte_open(&o, d->text);
    x = byte_input(&o, seed + 1000);
    snprintf(layer, sizeof layer, "v%d", draw(d, 0, d->n - 1));
    if (!(options.layer = byte_value(&o, layer))) { /* only its integers are read */
        layer[0] = 'm';
        options.layer = byte_value(&o, layer);
    }
    slow = byte_run(&o, (kx_plan_options){.plain = true}, x);
    fast = byte_run(&o, (kx_plan_options){.plain = false}, x);
    to_layer = byte_run(&o, options, x);
    crowd = byte_run(&o, (kx_plan_options){.threads = 2}, x);
    /* the sine is computed in different ways */
    byte_compare(d->text, fast, slow, o.g->output[0]->count, 1e-5f);
    byte_compare(d->text, to_layer, slow, o.g->output[0]->count, 1e-5f);
    byte_compare(d->text, crowd, fast, o.g->output[0]->count, 0);
    on_bytes = fast.on_bytes;
    free(x), free(slow.y), free(fast.y), free(to_layer.y), free(crowd.y);
    byte_close(&o);
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
    if (kx_accel_has_bytes()) /* most pieces are */
        assert_true(on_bytes > 3 * (int64_t)networks);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_networks)};

    if (argc > 2)
        first_seed = strtoull(argv[1], NULL, 10), networks = atoi(argv[2]);
    return cmocka_run_group_tests_name("byte random", tests, NULL, NULL);
}
