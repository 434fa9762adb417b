/* test_byte_conv.c - convolutions of bytes against sums in integers, to the last bit: kernels,
 * strides, dilations, paddings that differ, zero points, groups, one group a channel, weights of
 * the whole range, as bytes with rests as well; by the kernels in plain C and those of this
 * processor. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/byte_rest.h"
#include "run/byte_conv.h"

static int64_t draw(uint64_t *seed, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(test_random(seed) * (double)(hi - lo + 1));
}

/* One problem: weights [out][in / groups][rows][columns] less their zero point, bias in integers.
 */
typedef struct problem {
    kx_byte_conv c;
    int32_t zero; /* of the input */
    uint8_t *x, *y;
    int16_t *weights;
    int32_t *bias;
    float *factor;
} problem;

static kx_conv_desc draw_shape(uint64_t *seed)
{
    static const int64_t groups[] = {1, 1, 1, 2, 4, 0}; /* 0: one for each channel */
    int64_t g = groups[draw(seed, 0, 5)], n = draw(seed, 1, 40);
    kx_conv_desc d = {.batch = draw(seed, 1, 2), .groups = g ? g : n};

    d.in_channels = g ? g * draw(seed, 1, 12) : n;
    d.out_channels = g ? g * draw(seed, 1, 20) : n;
    for (int i = 0; i < 2; i++) {
        d.kernel[i] = draw(seed, 1, 4);
        d.stride[i] = draw(seed, 1, 3);
        d.dilation[i] = draw(seed, 1, 2);
        d.pad_begin[i] = draw(seed, 0, 3);
        d.pad_end[i] = draw(seed, 0, 3);
        d.in[i] = (d.kernel[i] - 1) * d.dilation[i] + draw(seed, 1, 12);
        d.out[i] =
            (d.in[i] + d.pad_begin[i] + d.pad_end[i] - (d.kernel[i] - 1) * d.dilation[i] - 1) /
                d.stride[i] +
            1;
    }
    return d;
}

static size_t terms_of(const kx_conv_desc *d)
{
    return (size_t)(d->in_channels / d->groups * d->kernel[0] * d->kernel[1]);
}

/* any_bytes: any weights may be multiplied as bytes. */
static void draw_problem(problem *p, uint64_t *seed, bool any_bytes)
{
    kx_conv_desc d = draw_shape(seed);
    size_t nx = (size_t)(d.batch * d.in[0] * d.in[1] * d.in_channels);
    size_t ny = (size_t)(d.batch * d.out[0] * d.out[1] * d.out_channels);
    size_t nw = (size_t)d.out_channels * terms_of(&d);
    int64_t kind = draw(seed, 0, 2); /* uint8 with a zero point, int8, int8 of 7 bits */
    int64_t size = kind == 0 ? 255 : kind == 1 ? 127 : 64;
    bool bytes = !kx_byte_depthwise(&d) && (kind == 2 || (kind == 1 && any_bytes));
    bool rests = !kx_byte_depthwise(&d) && draw(seed, 0, 1);
    int32_t zero = (int32_t)draw(seed, 0, 255);

    *p = (problem){.zero = (int32_t)draw(seed, 0, 255)};
    p->c = (kx_byte_conv){.d = d,
                          .per_word = bytes || rests ? 4 : 2,
                          .rests = rests,
                          .block = KX_BYTE_ROWS * draw(seed, 1, 12),
                          .large = draw(seed, 0, 1)};
    p->c.out = (kx_byte_out){{1, zero}, (float)-zero, (float)(255 - zero)};
    if (draw(seed, 0, 2) == 0) /* a rectifier */
        p->c.out.lo = 0;
    p->x = malloc(nx), p->y = malloc(ny);
    p->weights = malloc(nw * sizeof *p->weights);
    p->bias = malloc((size_t)d.out_channels * sizeof *p->bias);
    p->factor = malloc((size_t)d.out_channels * sizeof *p->factor);
    for (size_t i = 0; i < nx; i++)
        p->x[i] = (uint8_t)(draw(seed, 0, 3) ? draw(seed, 0, 255) : 255);
    for (size_t i = 0; i < nw; i++)
        p->weights[i] = (int16_t)(draw(seed, 0, 3)   ? draw(seed, -size, size)
                                  : draw(seed, 0, 1) ? size
                                                     : -size - (kind == 1));
    for (int64_t i = 0; i < d.out_channels; i++) {
        p->bias[i] = (int32_t)draw(seed, -50000, 50000);
        p->factor[i] = (float)(1 / (sqrt((double)terms_of(&d)) * (double)draw(seed, 50, 900)));
    }
}

/* ---- what it has to be ---- */

static int64_t sum_at(const problem *p, const int64_t at[4])
{
    const kx_conv_desc *d = &p->c.d;
    int64_t each = d->in_channels / d->groups, sum = p->bias[at[3]];
    int64_t first = at[3] / (d->out_channels / d->groups) * each;

    for (int64_t c = 0; c < each; c++)
        for (int64_t i = 0; i < d->kernel[0]; i++)
            for (int64_t j = 0; j < d->kernel[1]; j++) {
                int64_t h = at[1] * d->stride[0] - d->pad_begin[0] + i * d->dilation[0];
                int64_t w = at[2] * d->stride[1] - d->pad_begin[1] + j * d->dilation[1];
                int64_t k = ((at[3] * each + c) * d->kernel[0] + i) * d->kernel[1] + j;

                if (h >= 0 && h < d->in[0] && w >= 0 && w < d->in[1])
                    sum += (p->x[((at[0] * d->in[0] + h) * d->in[1] + w) * d->in_channels + first +
                                 c] -
                            p->zero) *
                           p->weights[k];
            }
    return sum;
}

static void compare(const problem *p)
{
    const kx_conv_desc *d = &p->c.d;
    const uint8_t *y = p->y;
    int64_t at[4];

    for (at[0] = 0; at[0] < d->batch; at[0]++)
        for (at[1] = 0; at[1] < d->out[0]; at[1]++)
            for (at[2] = 0; at[2] < d->out[1]; at[2]++)
                for (at[3] = 0; at[3] < d->out_channels; at[3]++) {
                    double v = (double)(p->factor[at[3]] * (float)sum_at(p, at));

                    v = nearbyint(fmin(fmax(v, (double)p->c.out.lo), (double)p->c.out.hi));
                    assert_int_equal(*y++, (int)v + p->c.out.form.zero);
                }
}

/* ---- as the kernels want it ---- */

typedef struct packed {
    uint8_t *weights;
    int32_t *offset;
    float *factor;
    uint8_t *blank;
    int32_t *rest_at;
    kx_byte_rest *rest;
} packed;

/* The channel in column i of a block, or -1. */
static int64_t channel_in(const kx_conv_desc *d, int64_t block, int64_t i)
{
    int64_t blocks = kx_byte_blocks(d), each = d->out_channels / d->groups, c;

    if (kx_byte_depthwise(d))
        return kx_byte_start(d->out_channels, block) + i < d->out_channels
                   ? kx_byte_start(d->out_channels, block) + i
                   : -1;
    c = block % blocks * KX_BYTE_COLUMNS + i;
    return c < each ? block / blocks * each + c : -1;
}

/* Of one channel; every pair that is left fits 16 bits, and the rests make up for what is taken. */
static void fit(const problem *p, int16_t *w, packed *k, int64_t at)
{
    int64_t n = (int64_t)terms_of(&p->c.d);
    int16_t *given = malloc((size_t)n * sizeof *given), *rest = malloc((size_t)n * sizeof *rest);
    int64_t changed = 0;

    memcpy(given, w, (size_t)n * sizeof *w);
    assert_true(kx_byte_fit(w, n, rest) <= n);
    for (int64_t t = 0; t < n; t++) {
        int next = t % 2 == 0 && t + 1 < n ? w[t + 1] : 0;

        changed += rest[t] != 0;
        assert_int_equal(w[t] + rest[t], given[t]);
        assert_true(w[t] >= INT8_MIN && w[t] <= INT8_MAX);
        assert_true(255 * (w[t] + next) <= INT16_MAX && 255 * (w[t] + next) >= INT16_MIN);
    }
    k->rest_at[at + 1] = (int32_t)(kx_byte_put_rests(rest, n, k->rest + k->rest_at[at]) - k->rest);
    assert_int_equal(k->rest_at[at + 1] - k->rest_at[at], (changed + 1) / 2);
    free(given), free(rest);
}

/* In the order rows, columns, channels. */
static void weights_of(const problem *p, int64_t channel, int16_t *w)
{
    const kx_conv_desc *d = &p->c.d;
    int64_t cells = d->kernel[0] * d->kernel[1], each = d->in_channels / d->groups;

    for (int64_t t = 0; t < each * cells; t++)
        w[t] = p->weights[channel * each * cells + t % each * cells + t / each];
}

static void pack_column(const problem *p, packed *k, int64_t block, int64_t i)
{
    const kx_conv_desc *d = &p->c.d;
    int64_t channel = channel_in(d, block, i), at = block * KX_BYTE_COLUMNS + i;
    int64_t terms = (int64_t)terms_of(d);
    int16_t all[20 * 16 * 2], *given = all, *fitting = all + 20 * 16;

    k->rest_at[at + 1] = k->rest_at[at];
    if (channel < 0)
        return;
    weights_of(p, channel, given);
    memcpy(fitting, given, (size_t)terms * sizeof *given);
    if (p->c.rests)
        fit(p, fitting, k, at);
    k->factor[at] = p->factor[channel];
    k->offset[at] = p->bias[channel];
    for (int64_t t = 0; t < terms; t++) {
        int16_t w = fitting[t];
        int8_t narrow = (int8_t)w;
        int64_t n = p->c.per_word;
        size_t word = (size_t)((block * kx_byte_words(&p->c) + t / n) * KX_BYTE_COLUMNS + i);

        if (n == 2)
            memcpy(k->weights + 4 * word + 2 * (size_t)(t % 2), &w, sizeof w);
        else
            memcpy(k->weights + 4 * word + (size_t)(t % 4), &narrow, sizeof narrow);
        k->offset[at] -= p->zero * given[t];
    }
}

static void pack(problem *p, packed *k)
{
    const kx_conv_desc *d = &p->c.d;
    int64_t blocks = kx_byte_blocks(d) * (kx_byte_depthwise(d) ? 1 : d->groups);
    size_t places = (size_t)(blocks * KX_BYTE_COLUMNS);

    k->weights = calloc(places * (size_t)kx_byte_words(&p->c), 4);
    k->offset = calloc(places, sizeof *k->offset);
    k->factor = calloc(places, sizeof *k->factor);
    k->rest_at = calloc(places + 1, sizeof *k->rest_at);
    k->rest = calloc(places * (terms_of(d) / 2 + 1), sizeof *k->rest);
    k->blank = malloc((size_t)d->in_channels + KX_BYTE_COLUMNS);
    memset(k->blank, p->zero, (size_t)d->in_channels + KX_BYTE_COLUMNS);
    for (int64_t b = 0; b < blocks; b++)
        for (int64_t i = 0; i < KX_BYTE_COLUMNS; i++)
            pack_column(p, k, b, i);
    p->c.weights = k->weights;
    p->c.offset = k->offset;
    p->c.factor = k->factor;
    p->c.blank = k->blank;
    p->c.rest = k->rest;
    p->c.rest_at = k->rest_at;
}

static void check(const kx_byte_kernels *kernels, uint64_t *seed, int threads)
{
    bool any_bytes = kernels != kx_byte_kernels_avx2();
    packed k;
    problem p;
    void *scratch;

    draw_problem(&p, seed, any_bytes);
    pack(&p, &k);
    scratch = malloc(kx_byte_conv_scratch(&p.c) * (size_t)threads);
    kx_byte_conv_run(&p.c, kernels, p.x, p.y, scratch, threads);
    compare(&p);
    free(scratch), free(p.x), free(p.y), free(p.weights), free(p.bias), free(p.factor);
    free(k.weights), free(k.offset), free(k.factor), free(k.blank);
    free(k.rest_at), free(k.rest);
}

enum { PROBLEMS = 400 };

static void check_many(const kx_byte_kernels *kernels, uint64_t seed)
{
    if (!kernels)
        skip(); /* none for this processor */
    for (int i = 0; i < PROBLEMS; i++)
        check(kernels, &seed, 1 + i % 2);
}

static void test_plain(void **state)
{
    (void)state;
    check_many(&kx_byte_kernels_plain, 1);
}

static void test_avx2(void **state)
{
    (void)state;
    check_many(kx_byte_kernels_avx2(), 2);
}

static void test_vnni(void **state)
{
    (void)state;
    check_many(kx_byte_kernels_vnni(), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_avx2),
        cmocka_unit_test(test_vnni),
    };

    return cmocka_run_group_tests_name("byte conv", tests, NULL, NULL);
}
