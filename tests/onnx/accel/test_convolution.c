/* test_convolution.c - convolutions by oneDNN against plain sums in float64: kernels, strides,
 * dilations, groups, paddings that differ at the four sides, Winograd's transforms, what is added
 * on the way and the VJP. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accel/accel.h"
#include "accel/call.h"

typedef struct arrays {
    kx_conv_desc d;
    float *src, *weights, *bias, *dst, *addend, *back; /* plain; dst as cotangent, too */
} arrays;

static size_t count_src(const kx_conv_desc *d)
{
    return (size_t)(d->batch * d->in_channels * d->in[0] * d->in[1]);
}

static size_t count_dst(const kx_conv_desc *d)
{
    return (size_t)(d->batch * d->out_channels * d->out[0] * d->out[1]);
}

static float *numbers(size_t n, uint64_t seed)
{
    float *v = malloc(n * sizeof *v);

    for (size_t i = 0; i < n; i++)
        v[i] = (float)test_normal(&seed);
    return v;
}

static void make(arrays *x, const kx_conv_desc *d)
{
    x->d = *d;
    x->src = numbers(count_src(d), 1);
    x->weights = numbers(
        (size_t)(d->out_channels * (d->in_channels / d->groups) * d->kernel[0] * d->kernel[1]), 2);
    x->bias = numbers((size_t)d->out_channels, 3);
    x->addend = numbers(count_dst(d), 4);
    x->dst = numbers(count_dst(d), 5);
    x->back = numbers(count_src(d), 6);
}

static void drop(arrays *x)
{
    free(x->src), free(x->weights), free(x->bias);
    free(x->dst), free(x->addend), free(x->back);
}

/* Call visit(index of src, of weights, of dst) for every product of the convolution. */
typedef void product(void *opaque, size_t src, size_t weight, size_t dst);

static void at_cell(const kx_conv_desc *d, const int64_t dst[4], product *visit, void *opaque)
{
    int64_t each = d->in_channels / d->groups,
            first = dst[1] / (d->out_channels / d->groups) * each;
    size_t to =
        (size_t)(((dst[0] * d->out_channels + dst[1]) * d->out[0] + dst[2]) * d->out[1] + dst[3]);

    for (int64_t c = 0; c < each; c++)
        for (int64_t i = 0; i < d->kernel[0]; i++)
            for (int64_t j = 0; j < d->kernel[1]; j++) {
                int64_t h = dst[2] * d->stride[0] - d->pad_begin[0] + i * d->dilation[0];
                int64_t w = dst[3] * d->stride[1] - d->pad_begin[1] + j * d->dilation[1];

                if (h < 0 || h >= d->in[0] || w < 0 || w >= d->in[1])
                    continue;
                visit(
                    opaque,
                    (size_t)(((dst[0] * d->in_channels + first + c) * d->in[0] + h) * d->in[1] + w),
                    (size_t)(((dst[1] * each + c) * d->kernel[0] + i) * d->kernel[1] + j), to);
            }
}

static void every_product(const kx_conv_desc *d, product *visit, void *opaque)
{
    for (int64_t n = 0; n < d->batch; n++)
        for (int64_t o = 0; o < d->out_channels; o++)
            for (int64_t h = 0; h < d->out[0]; h++)
                for (int64_t w = 0; w < d->out[1]; w++)
                    at_cell(d, (const int64_t[]){n, o, h, w}, visit, opaque);
}

typedef struct sums {
    const arrays *x;
    double *sum, *size; /* and of magnitudes */
} sums;

static void add(double value, size_t at, const sums *s)
{
    s->sum[at] += value;
    s->size[at] += fabs(value);
}

static void forward(void *opaque, size_t src, size_t weight, size_t dst)
{
    const sums *s = opaque;

    add((double)s->x->src[src] * (double)s->x->weights[weight], dst, s);
}

static void backward(void *opaque, size_t src, size_t weight, size_t dst)
{
    const sums *s = opaque;

    add((double)s->x->dst[dst] * (double)s->x->weights[weight], src, s);
}

static sums sums_new(const arrays *x, size_t n)
{
    return (sums){x, calloc(n, sizeof(double)), calloc(n, sizeof(double))};
}

static void sums_compare(sums *s, const float *is, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++)
        assert_true(fabs((double)is[i] - s->sum[i]) <= tolerance * (1 + s->size[i]));
    free(s->sum), free(s->size);
}

/* ---- running ---- */

typedef struct bench {
    kldve_ctx *ctx;
    kx_accel *accel;
    void *memory[KX_SLOTS];
} bench;

/* Memory for every operand; NaN, so that what is not written shows. */
static void allocate(bench *b, const kx_prim *p)
{
    for (int s = 0; s < KX_SLOTS; s++) {
        size_t bytes = kx_prim_layout(p, s) ? kx_layout_bytes(kx_prim_layout(p, s)) : 0;

        b->memory[s] = NULL;
        if (!kx_prim_layout(p, s))
            continue;
        b->memory[s] = aligned_alloc(64, (bytes + 127) / 64 * 64);
        memset(b->memory[s], 0xff, bytes);
    }
}

static void release(bench *b)
{
    for (int s = 0; s < KX_SLOTS; s++)
        free(b->memory[s]);
}

static void run(const bench *b, const kx_prim *p, void *const memory[KX_SLOTS])
{
    kx_call *call;

    assert_int_equal(kx_call_new(b->ctx, p, memory, &call), KLDVE_OK);
    assert_int_equal(kx_call_run(call), KLDVE_OK);
    kx_call_free(call);
}

static void reorder(const bench *b, const kx_layout *from, const void *what, const kx_layout *to,
                    void *where)
{
    bench r = *b;
    kx_prim *p;

    assert_int_equal(kx_accel_reorder(b->accel, from, to, &p), KLDVE_OK);
    allocate(&r, p);
    free(r.memory[KX_SRC]), free(r.memory[KX_DST]);
    r.memory[KX_SRC] = (void *)(uintptr_t)what;
    r.memory[KX_DST] = where;
    run(&r, p, r.memory);
    r.memory[KX_SRC] = r.memory[KX_DST] = NULL;
    release(&r);
}

static const kx_layout *plain(const bench *b, int64_t n, int64_t c, const int64_t cell[2])
{
    const kx_shape shape = {.rank = 4, .dim = {n, c, cell[0], cell[1]}};

    return kx_layout_plain(b->accel, &shape);
}

static void put(const bench *b, const kx_prim *p, int slot, const kx_layout *as, const float *what)
{
    reorder(b, as, what, kx_prim_layout(p, slot), b->memory[slot]);
}

static void check_forward(bench *b, arrays *x, kx_join join, double tolerance)
{
    const kx_conv_desc *d = &x->d;
    const kx_layout *src = plain(b, d->batch, d->in_channels, d->in);
    const kx_layout *dst = plain(b, d->batch, d->out_channels, d->out);
    sums s = sums_new(x, count_dst(d));
    size_t cells = (size_t)(d->out[0] * d->out[1]);
    kx_prim *p;
    kldve_status st = kx_accel_conv(b->accel, d, join, join == KX_JOIN_NONE ? NULL : dst, &p);

    if (join == KX_JOIN_ADDEND && st == KLDVE_E_UNSUPPORTED) { /* where two steps are faster */
        free(s.sum), free(s.size);
        return;
    }
    assert_int_equal(st, KLDVE_OK);
    allocate(b, p);
    put(b, p, KX_SRC, src, x->src);
    assert_int_equal(kx_accel_pack_weights(b->accel, d, x->weights, kx_prim_layout(p, KX_WEIGHTS),
                                           b->memory[KX_WEIGHTS]),
                     KLDVE_OK);
    if (d->bias)
        memcpy(b->memory[KX_BIAS], x->bias, (size_t)d->out_channels * sizeof(float));
    if (join != KX_JOIN_NONE)
        put(b, p, join == KX_JOIN_SUM ? KX_DST : KX_ADDEND, dst, x->addend);
    run(b, p, b->memory);
    reorder(b, kx_prim_layout(p, KX_DST), b->memory[KX_DST], dst, x->dst);
    release(b);
    every_product(d, forward, &s);
    for (size_t i = 0; i < count_dst(d); i++) {
        s.sum[i] += d->bias ? (double)x->bias[i / cells % (size_t)d->out_channels] : 0;
        s.sum[i] += join == KX_JOIN_NONE ? 0 : (double)x->addend[i];
        if (d->act.kind == KX_ACT_RELU)
            s.sum[i] = fmax(s.sum[i], 0);
    }
    sums_compare(&s, x->dst, count_dst(d), tolerance);
}

static void check_backward(bench *b, arrays *x)
{
    const kx_conv_desc *d = &x->d;
    sums s = sums_new(x, count_src(d));
    kx_prim *p;

    assert_int_equal(kx_accel_conv_vjp(b->accel, d, &p), KLDVE_OK);
    allocate(b, p);
    put(b, p, KX_DIFF_DST, plain(b, d->batch, d->out_channels, d->out), x->dst);
    assert_int_equal(kx_accel_pack_weights(b->accel, d, x->weights, kx_prim_layout(p, KX_WEIGHTS),
                                           b->memory[KX_WEIGHTS]),
                     KLDVE_OK);
    run(b, p, b->memory);
    reorder(b, kx_prim_layout(p, KX_DIFF_SRC), b->memory[KX_DIFF_SRC],
            plain(b, d->batch, d->in_channels, d->in), x->back);
    release(b);
    every_product(d, backward, &s);
    sums_compare(&s, x->back, count_src(d), 1e-5);
}

/* Winograd's transforms round more than sums do. */
static void check(const kx_conv_desc *d, bool direct)
{
    double tolerance = direct ? 1e-5 : 1e-4;
    arrays x;
    test_heap heap;
    bench b = {.ctx = test_ctx(&heap)};

    assert_int_equal(kx_accel_new(b.ctx, direct, false, &b.accel), KLDVE_OK);
    make(&x, d);
    for (int join = KX_JOIN_NONE; join <= KX_JOIN_ADDEND; join++)
        check_forward(&b, &x, (kx_join)join, tolerance);
    check_backward(&b, &x);
    drop(&x);
    kx_accel_free(b.accel);
    kldve_ctx_free(b.ctx);
    assert_int_equal(heap.live, 0);
}

/* The output's size follows from everything else. */
static kx_conv_desc conv(int64_t in, int64_t out, int64_t groups)
{
    return (kx_conv_desc){.batch = 1,
                          .in_channels = in,
                          .out_channels = out,
                          .groups = groups,
                          .in = {13, 11},
                          .kernel = {3, 3},
                          .stride = {1, 1},
                          .dilation = {1, 1},
                          .bias = true};
}

static void finish(kx_conv_desc *d)
{
    for (int i = 0; i < 2; i++)
        d->out[i] = (d->in[i] + d->pad_begin[i] + d->pad_end[i] -
                     (d->dilation[i] * (d->kernel[i] - 1) + 1)) /
                        d->stride[i] +
                    1;
}

/* Channels as of pictures, in whole blocks, in broken ones, one group a channel and few groups. */
static const int64_t channels[][3] = {{3, 16, 1},   {1, 7, 1},  {16, 32, 1}, {5, 6, 1},
                                      {32, 32, 32}, {6, 12, 6}, {8, 12, 4},  {32, 16, 2}};

enum { NCHANNELS = sizeof channels / sizeof *channels, WAYS = 4 * 4 * 3 };

/* Every how many of the ways are taken; the short form starts at another one each time, and 5 has
 * no factor in common with 48, so that every stride, dilation and padding comes up. */
static size_t every = 5;

/* Kernels 1 x 1 to 5 x 2, strides and dilations of 1 to 3 by rows and columns, four paddings. */
static void test_geometries(void **state)
{
    static const int64_t kernels[][2] = {{1, 1}, {3, 3}, {5, 2}};
    static const int64_t steps[][2] = {{1, 1}, {2, 2}, {3, 1}, {1, 3}};
    static const int64_t pads[][4] = {{0, 0, 0, 0}, {1, 1, 1, 1}, {0, 1, 2, 0}};

    (void)state;
    for (size_t c = 0; c < NCHANNELS; c++)
        for (size_t k = 0; k < 3; k++)
            for (size_t way = (3 * c + k) % every; way < WAYS; way += every) {
                kx_conv_desc d = conv(channels[c][0], channels[c][1], channels[c][2]);
                const int64_t *stride = steps[way % 4], *dilation = steps[way / 4 % 4];
                const int64_t *pad = pads[way / 16];

                for (int i = 0; i < 2; i++) {
                    d.kernel[i] = kernels[k][i];
                    d.stride[i] = stride[i];
                    d.dilation[i] = dilation[i];
                    d.pad_begin[i] = pad[i];
                    d.pad_end[i] = pad[2 + i];
                }
                finish(&d);
                if (d.out[0] > 0 && d.out[1] > 0)
                    check(&d, true);
            }
}

static void test_winograd(void **state)
{
    (void)state;
    for (int pad = 0; pad < 2; pad++) {
        kx_conv_desc d = conv(32, 48, 1);

        d.in[0] = 21, d.in[1] = 18;
        d.pad_begin[0] = d.pad_begin[1] = d.pad_end[0] = d.pad_end[1] = pad;
        d.act.kind = KX_ACT_RELU;
        finish(&d);
        check(&d, false);
    }
}

static void test_batch_without_bias(void **state)
{
    (void)state;
    for (size_t c = 0; c < NCHANNELS; c++) {
        kx_conv_desc d = conv(channels[c][0], channels[c][1], channels[c][2]);

        d.batch = 3;
        d.bias = false;
        d.act.kind = KX_ACT_RELU;
        finish(&d);
        check(&d, true);
    }
}

/* With an argument: all geometries. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometries),
        cmocka_unit_test(test_winograd),
        cmocka_unit_test(test_batch_without_bias),
    };

    (void)argv;
    if (argc > 1)
        every = 1;
    return cmocka_run_group_tests_name("convolution", tests, NULL, NULL);
}
