/* byte_conv.c - see byte_conv.h.
 *
 * A convolution is the product of a matrix, whose rows are the bytes that a cell of the result
 * sees, with the weights.  Some rows of it are made at a time, so that they stay in the cache.
 * Where each channel is its own group, it is a sum over cells of the kernel for 16 channels at
 * once. */
#include "run/byte_conv.h"

#include <string.h>

#include <omp.h>

static int64_t at_most(int64_t x, int64_t most)
{
    return x < most ? x : most;
}

/* What one thread works with. */
typedef struct worker {
    const kx_byte_conv *c;
    const kx_byte_kernels *k;
    const uint8_t *x;
    uint8_t *y;
    void *scratch;
} worker;

/* ---- rows of the matrix ---- */

/* `n` terms of a row; returns the end. */
static uint8_t *put_terms(const worker *s, int64_t n, const uint8_t *from, uint8_t *to)
{
    if (s->c->per_word == 2) {
        s->k->widen((size_t)n, from, to);
        return to + 2 * n;
    }
    memcpy(to, from, (size_t)n);
    return to + n;
}

/* The bytes under one row of the kernel: those in the picture lie one behind another if the kernel
 * has no gaps and the group is all channels. */
static uint8_t *put_line(const worker *s, const uint8_t *line, int64_t first, int64_t channel,
                         uint8_t *to)
{
    const kx_conv_desc *d = &s->c->d;
    int64_t each = d->in_channels / d->groups, inside = first >= 0 ? d->in[1] - first : 0;

    if (line && d->groups == 1 && d->dilation[1] == 1 && inside >= d->kernel[1])
        return put_terms(s, each * d->kernel[1], line + first * each, to);
    for (int64_t j = 0; j < d->kernel[1]; j++) {
        int64_t w = first + j * d->dilation[1];
        bool there = line && w >= 0 && w < d->in[1];

        to = put_terms(s, each, there ? line + w * d->in_channels + channel : s->c->blank, to);
    }
    return to;
}

/* The row of cell (n, h, w) of the result, for a group. */
static void put_row(const worker *s, int64_t n, int64_t h, int64_t w, int64_t group, uint8_t *to)
{
    const kx_conv_desc *d = &s->c->d;
    int64_t top = h * d->stride[0] - d->pad_begin[0], left = w * d->stride[1] - d->pad_begin[1];
    int64_t each = d->in_channels / d->groups;
    uint8_t *end = to + KX_BYTE_WORD * kx_byte_words(s->c);

    for (int64_t i = 0; i < d->kernel[0]; i++) {
        int64_t row = top + i * d->dilation[0];
        bool there = row >= 0 && row < d->in[0];
        const uint8_t *line =
            there ? s->x + (n * d->in[0] + row) * d->in[1] * d->in_channels : NULL;

        to = put_line(s, line, left, group * each, to);
    }
    memset(to, 0, (size_t)(end - to));
}

/* Does each cell see itself alone? */
static bool is_pointwise(const kx_conv_desc *d)
{
    bool one = true;

    for (int i = 0; i < 2; i++)
        one = one && d->kernel[i] == 1 && d->stride[i] == 1 && d->out[i] == d->in[i];
    return one;
}

static void put_cells(const worker *s, int64_t from, int64_t to, int64_t group)
{
    const kx_conv_desc *d = &s->c->d;
    int64_t each = d->in_channels / d->groups, stride = kx_byte_stride(s->c);
    int64_t rest = KX_BYTE_WORD * kx_byte_words(s->c) - each * (KX_BYTE_WORD / s->c->per_word);
    const uint8_t *x = s->x + from * d->in_channels + group * each;
    uint8_t *row = s->scratch;

    for (int64_t m = from; m < to; m++, row += stride, x += d->in_channels) {
        uint8_t *end = put_terms(s, each, x, row);

        if (rest)
            memset(end, 0, (size_t)rest);
    }
}

/* Cells [from, to); rows up to the next whole tile are 0. */
static void put_rows(const worker *s, int64_t from, int64_t to, int64_t group)
{
    const kx_conv_desc *d = &s->c->d;
    int64_t stride = kx_byte_stride(s->c), cells = d->out[0] * d->out[1];
    int64_t n = from / cells, h = from % cells / d->out[1], w = from % d->out[1];
    uint8_t *row = s->scratch, *end = row + (to - from) * stride;

    if (is_pointwise(d))
        put_cells(s, from, to, group);
    for (; !is_pointwise(d) && row < end; row += stride) {
        put_row(s, n, h, w, group, row);
        if (++w == d->out[1]) {
            w = 0;
            if (++h == d->out[0])
                h = 0, n++;
        }
    }
    for (row = end; (to - from) % KX_BYTE_ROWS; to++, row += stride)
        memset(row, 0, (size_t)stride);
}

/* ---- rests ---- */

/* The matrix turned lies behind its rows and the sums. */
static kx_byte_turned turned_of(const worker *s)
{
    size_t sums = (size_t)kx_byte_sums(s->c) * KX_BYTE_COLUMNS * sizeof(int32_t);
    const uint8_t *scratch = s->scratch;

    return (kx_byte_turned){scratch + (size_t)s->c->block * ((size_t)kx_byte_stride(s->c) + sums),
                            (size_t)kx_byte_turned_stride(s->c)};
}

/* Rows of the matrix -> columns, both in multiples of 16; rows that are not there are 0. */
static void turn_rows(const worker *s)
{
    enum { TILE = 16 };
    kx_byte_turned t = turned_of(s);
    uint8_t *to = (uint8_t *)s->scratch + (t.at - (const uint8_t *)s->scratch);
    size_t stride = (size_t)kx_byte_stride(s->c), terms = (size_t)kx_byte_turned_terms(s->c);
    size_t whole = (size_t)s->c->block / TILE * TILE;
    const uint8_t *row = s->scratch;

    for (size_t i = 0; i < whole; i += TILE)
        for (size_t term = 0; term < terms; term += TILE)
            s->k->turn(row + i * stride + term, stride, to + term * t.stride + i, t.stride);
    for (size_t term = 0; term < terms; term++) {
        uint8_t *column = to + term * t.stride;

        for (size_t i = whole; i < t.stride; i++)
            column[i] = i < (size_t)s->c->block ? row[i * stride + term] : 0;
    }
}

/* Sums of `cells` begin with what the weights of a block of channels lack. */
static void begin_with_rests(const worker *s, int64_t cells, int64_t at, int32_t *sums)
{
    const kx_byte_conv *c = s->c;
    kx_byte_turned t = turned_of(s);
    int32_t some[KX_BYTE_TURNED * KX_BYTE_COLUMNS];

    for (int64_t m = 0; m < cells; m += KX_BYTE_TURNED, t.at += KX_BYTE_TURNED) {
        int64_t count = at_most(cells - m, KX_BYTE_TURNED) * KX_BYTE_COLUMNS;

        s->k->rest(t, c->rest, c->rest_at + at * KX_BYTE_COLUMNS, some);
        memcpy(sums + m * KX_BYTE_COLUMNS, some, (size_t)count * sizeof *sums);
    }
}

/* ---- products ---- */

static kx_byte_finish finish_of(const kx_byte_conv *c, int64_t block)
{
    int64_t at = block * KX_BYTE_COLUMNS;

    return (kx_byte_finish){.offset = c->offset + at,
                            .bias = c->bias ? c->bias + at : NULL,
                            .factor = c->factor + at,
                            .lo = c->out.lo,
                            .hi = c->out.hi,
                            .zero = c->out.form.zero,
                            .large = c->large,
                            .stride = c->d.out_channels};
}

/* The part of all sums that is computed in one go: words [from, from + words) of a block of
 * channels. */
typedef struct pass {
    int64_t group, block, from, words;
    bool last;
} pass;

/* Fewer rows or columns than a tile has: by way of one in memory. */
static void part_of_tile(kx_byte_tile *tile, const kx_byte_rows *rows, const void *weights,
                         const int32_t *sums, kx_byte_finish f, const int64_t size[2], uint8_t *to)
{
    uint8_t whole[KX_BYTE_ROWS * KX_BYTE_COLUMNS];
    int64_t stride = f.stride;

    f.stride = KX_BYTE_COLUMNS;
    tile(rows, weights, sums, &f, whole);
    for (int64_t r = 0; r < size[0]; r++)
        memcpy(to + r * stride, whole + r * KX_BYTE_COLUMNS, (size_t)size[1]);
}

/* Cells [from, to). */
static void multiply(const worker *s, int64_t from, int64_t to, pass p)
{
    const kx_conv_desc *d = &s->c->d;
    int64_t each = d->out_channels / d->groups, at = p.group * kx_byte_blocks(d) + p.block;
    int64_t stride = kx_byte_stride(s->c), size[2];
    kx_byte_sum *sum = s->c->per_word == 2 ? s->k->sum16 : s->k->sum8;
    kx_byte_tile *tile = s->c->per_word == 2 ? s->k->tile16 : s->k->tile8;
    const uint8_t *weights = (const uint8_t *)s->c->weights +
                             (at * kx_byte_words(s->c) + p.from) * KX_BYTE_WORD * KX_BYTE_COLUMNS;
    uint8_t *scratch = s->scratch;
    kx_byte_rows rows = {scratch + KX_BYTE_WORD * p.from, (size_t)stride, (size_t)p.words};
    kx_byte_finish f = finish_of(s->c, at);
    int64_t place = kx_byte_sums(s->c) > 1 ? p.block : 0;
    int32_t *sums =
        (int32_t *)(void *)(scratch +
                            (stride + place * (KX_BYTE_WORD * KX_BYTE_COLUMNS)) * s->c->block);
    uint8_t *y = s->y + from * d->out_channels + p.group * each + p.block * KX_BYTE_COLUMNS;

    if (s->c->rests && p.from == 0)
        begin_with_rests(s, (to - from + KX_BYTE_ROWS - 1) / KX_BYTE_ROWS * KX_BYTE_ROWS, at, sums);
    size[1] = at_most(each - p.block * KX_BYTE_COLUMNS, KX_BYTE_COLUMNS);
    for (int64_t m = from; m < to; m += KX_BYTE_ROWS) {
        const int32_t *before = p.from || s->c->rests ? sums : NULL;

        size[0] = at_most(to - m, KX_BYTE_ROWS);
        if (!p.last)
            sum(&rows, weights, before, sums);
        else if (size[0] == KX_BYTE_ROWS && size[1] == KX_BYTE_COLUMNS)
            tile(&rows, weights, before, &f, y);
        else
            part_of_tile(tile, &rows, weights, before, f, size, y);
        rows.at += KX_BYTE_ROWS * stride;
        sums += KX_BYTE_ROWS * KX_BYTE_COLUMNS;
        y += KX_BYTE_ROWS * d->out_channels;
    }
}

/* All of them: as many terms at a time as leave weights of 16 channels in the first cache. */
static void multiply_all(const worker *s, int64_t from, int64_t to, int64_t group)
{
    int64_t words = kx_byte_words(s->c), passes = kx_byte_passes(s->c);
    int64_t each = (words + passes - 1) / passes;

    for (int64_t at = 0; at < words; at += each)
        for (int64_t b = 0; b < kx_byte_blocks(&s->c->d); b++)
            multiply(s, from, to,
                     (pass){group, b, at, at_most(words - at, each), words - at <= each});
}

static void run_block(const worker *s, int64_t i)
{
    const kx_conv_desc *d = &s->c->d;
    int64_t cells = d->batch * d->out[0] * d->out[1], from = i * s->c->block;
    int64_t to = cells - from < s->c->block ? cells : from + s->c->block;

    for (int64_t g = 0; g < d->groups; g++) {
        put_rows(s, from, to, g);
        if (s->c->rests)
            turn_rows(s);
        multiply_all(s, from, to, g);
    }
}

/* ---- a group for each channel ---- */

/* Addresses of the cells that cell (h, w) of picture n sees. */
static void taps_of(const worker *s, int64_t n, int64_t h, int64_t w, const uint8_t **tap)
{
    const kx_conv_desc *d = &s->c->d;
    const uint8_t **end = tap + 2 * kx_byte_words(s->c);

    for (int64_t i = 0; i < d->kernel[0]; i++) {
        int64_t row = h * d->stride[0] - d->pad_begin[0] + i * d->dilation[0];
        int64_t first = w * d->stride[1] - d->pad_begin[1];
        bool inside = row >= 0 && row < d->in[0];
        const uint8_t *line =
            inside ? s->x + (n * d->in[0] + row) * d->in[1] * d->in_channels : NULL;

        for (int64_t j = 0; j < d->kernel[1]; j++) {
            int64_t at = first + j * d->dilation[1];

            *tap++ = inside && at >= 0 && at < d->in[1] ? line + at * d->in_channels : s->c->blank;
        }
    }
    if (tap < end)
        *tap = tap[-1]; /* its weight is 0 */
}

/* Fewer than 16 channels: with room behind them. */
static void few_channels(const worker *s, const uint8_t **tap, uint8_t *y)
{
    const kx_conv_desc *d = &s->c->d;
    int64_t taps = 2 * kx_byte_words(s->c);
    uint8_t *room = (uint8_t *)(tap + taps), tile[KX_BYTE_COLUMNS];
    kx_byte_finish f = finish_of(s->c, 0);

    for (int64_t t = 0; t < taps; t++, room += KX_BYTE_COLUMNS) {
        memset(room, 0, KX_BYTE_COLUMNS);
        memcpy(room, tap[t], (size_t)d->out_channels);
        tap[t] = room;
    }
    s->k->depth(tap, &(kx_byte_line){0, 0, 1}, (size_t)taps / 2, s->c->weights, &f, tile);
    memcpy(y, tile, (size_t)d->out_channels);
}

/* `count` cells that see what `tap` names and what lies `step` further each time. */
static void some_cells(const worker *s, const uint8_t **tap, int64_t step, int64_t count,
                       uint8_t *y)
{
    const kx_conv_desc *d = &s->c->d;
    int64_t n = d->out_channels, words = kx_byte_words(s->c);

    for (int64_t b = 0; b < kx_byte_blocks(d); b++) {
        kx_byte_finish f = finish_of(s->c, b);
        int64_t start = kx_byte_start(n, b);

        s->k->depth(tap, &(kx_byte_line){start, step, count}, (size_t)words,
                    (const uint8_t *)s->c->weights + b * words * KX_BYTE_WORD * KX_BYTE_COLUMNS, &f,
                    y + start);
    }
}

/* How many cells from w on see no column outside the picture. */
static int64_t count_inside(const kx_conv_desc *d, int64_t w)
{
    int64_t first = w * d->stride[1] - d->pad_begin[1];
    int64_t room = d->in[1] - 1 - first - (d->kernel[1] - 1) * d->dilation[1];
    int64_t count = room < 0 || first < 0 ? 0 : room / d->stride[1] + 1;

    return count < d->out[1] - w ? count : d->out[1] - w;
}

/* Row i of the result, of all pictures'. */
static void run_line(const worker *s, int64_t i)
{
    const kx_conv_desc *d = &s->c->d;
    const uint8_t **tap = s->scratch;
    int64_t n = d->out_channels;
    int64_t top = i % d->out[0] * d->stride[0] - d->pad_begin[0];
    bool inside = top >= 0 && top + (d->kernel[0] - 1) * d->dilation[0] < d->in[0];
    uint8_t *y = s->y + i * d->out[1] * n;

    for (int64_t w = 0, count; w < d->out[1]; w += count) {
        count = inside && n >= KX_BYTE_COLUMNS ? count_inside(d, w) : 0;
        count = count ? count : 1;
        taps_of(s, i / d->out[0], i % d->out[0], w, tap);
        if (n < KX_BYTE_COLUMNS)
            few_channels(s, tap, y + w * n);
        else
            some_cells(s, tap, d->stride[1] * n, count, y + w * n);
    }
}

void kx_byte_conv_run(const kx_byte_conv *c, const kx_byte_kernels *k, const uint8_t *x, uint8_t *y,
                      void *scratch, int threads)
{
    const kx_conv_desc *d = &c->d;
    bool depthwise = kx_byte_depthwise(d);
    int64_t cells = d->batch * d->out[0] * d->out[1];
    int64_t n = depthwise ? d->batch * d->out[0] : (cells + c->block - 1) / c->block;

#pragma omp parallel for if (threads > 1 && n > 1) num_threads(threads) schedule(static)
    for (int64_t i = 0; i < n; i++) {
        size_t thread = (size_t)omp_get_thread_num();
        worker s = {c, k, x, y, (unsigned char *)scratch + thread * kx_byte_conv_scratch(c)};

        if (depthwise)
            run_line(&s, i);
        else
            run_block(&s, i);
    }
}
