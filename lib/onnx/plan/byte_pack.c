/* byte_pack.c - see byte_pack.h.
 *
 * One block of memory holds a unit's weights, what is added to and multiplied with its sums, and
 * what lies in its padding.  It is the same for all plans of a file. */
#include "byte_pack.h"

#include <math.h>
#include <string.h>

#include "byte_rest.h"
#include "packed.h"
#include "read/proto.h"

/* Whole biases above that could take sums out of 32 bits: they are added as numbers. */
#define LARGEST_BIAS 16777216.0f
/* Half of 2^31 + this still fits. */
#define LARGE 1e9f

/* What is packed, and between which forms. */
typedef struct source {
    const kx_value *weights;
    const float *number, *scale, *bias; /* bias may be NULL */
    const uint8_t *level;               /* as the file has them; NULL: not known so */
    uint8_t flip;                       /* the sign of int8 */
    size_t of_channel, of_term;         /* strides of `number` and `level` */
    bool whole_bias;                    /* in the file, it is integers */
    int16_t *term, *rest;               /* room for the weights of a channel, and their rests */
    kx_byte_form in, out;
} source;

static bool is_matrix(const kx_unit *u)
{
    return u->kind == KX_UNIT_DENSE && !u->dense.transposed;
}

/* Channels are computed in blocks of 16 of one group, unless each is a group by itself. */
static bool few_wasted(const kx_unit *u)
{
    enum { FEW = 8 };

    return u->kind != KX_UNIT_CONV || u->conv.groups == 1 || kx_byte_depthwise(&u->conv) ||
           u->conv.out_channels / u->conv.groups >= FEW;
}

bool kx_byte_packable(const kx_unit *u)
{
    const kx_value *w = u->node->nin > 1 ? u->node->in[1] : NULL, *x = u->in[0];
    int64_t terms = u->kind == KX_UNIT_DENSE ? u->dense.k
                                             : u->conv.in_channels / u->conv.groups *
                                                   u->conv.kernel[0] * u->conv.kernel[1];

    if (!w || !w->raw || !w->levels || terms > KX_BYTE_TERMS ||
        (w->levels->onnx_type != KX_ONNX_INT8 && w->levels->onnx_type != KX_ONNX_UINT8) ||
        !w->scale->raw || !few_wasted(u) ||
        (w->scale->count != 1 && w->scale_axis != (is_matrix(u) ? 1 : 0)))
        return false;
    /* of rank 4, bytes lie channels last: only one cell has the terms behind each other */
    return u->kind == KX_UNIT_CONV || x->shape.rank != 4 ||
           (x->shape.dim[1] == u->dense.k && x->shape.dim[2] == 1 && x->shape.dim[3] == 1);
}

static bool find_source(kx_planner *p, const kx_unit *u, source *s)
{
    const kx_conv_desc *d = &u->bytes->as.conv.d;
    const kx_value *w = u->node->in[1], *bias = kx_has(u->node, 2) ? u->node->in[2] : NULL;
    size_t terms = (size_t)(d->in_channels / d->groups * d->kernel[0] * d->kernel[1]);

    *s = (source){.weights = w,
                  .number = kx_value_read(w, &p->plan->arena),
                  .scale = kx_value_read(w->scale, &p->plan->arena),
                  .level = w->levels->narrow ? w->levels->raw : NULL,
                  .flip = w->levels->onnx_type == KX_ONNX_INT8 ? 0x80 : 0,
                  .of_channel = is_matrix(u) ? 1 : terms,
                  .of_term = is_matrix(u) ? (size_t)d->out_channels : 1,
                  .whole_bias = bias && bias->levels,
                  .term = kx_scratch(p, terms, sizeof *s->term),
                  .rest = kx_scratch(p, terms, sizeof *s->rest)};
    if (u->kind == KX_UNIT_DENSE)
        s->bias = u->dense.bias;
    else if (bias && !(s->bias = kx_value_read(bias, &p->plan->arena)))
        return false;
    return s->number && s->scale && s->term && s->rest;
}

static float scale_of(const source *s, int64_t channel)
{
    return s->scale[s->weights->scale->count == 1 ? 0 : channel];
}

static int64_t terms_of(const kx_conv_desc *d)
{
    return d->in_channels / d->groups * d->kernel[0] * d->kernel[1];
}

static int number_at(const source *s, size_t at, float scale)
{
    return (int)lrintf(s->number[at] / scale);
}

/* int8 as uint8, moved by 128. */
static int level_at(const source *s, size_t at)
{
    return s->level[at] ^ s->flip;
}

/* The weights of a channel in the order rows, columns, channels; the file has channels first.  Its
 * integers less the zero point are much faster to read than the numbers that were made of them. */
static int16_t *weights_of(const source *s, const kx_conv_desc *d, int64_t channel)
{
    int64_t each = d->in_channels / d->groups, cells = d->kernel[0] * d->kernel[1];
    size_t first = (size_t)channel * s->of_channel;
    float scale = scale_of(s, channel);
    int zero = s->level ? level_at(s, first) - number_at(s, first, scale) : 0;
    int16_t *to = s->term;

    for (int64_t cell = 0; cell < cells; cell++)
        for (int64_t c = 0; c < each; c++) {
            size_t at = first + (size_t)(c * cells + cell) * s->of_term;

            *to++ = (int16_t)(s->level ? level_at(s, at) - zero : number_at(s, at, scale));
        }
    return s->term;
}

/* The channel in place i of a block; -1: none. */
static int64_t channel_at(const kx_conv_desc *d, int64_t block, int64_t i)
{
    int64_t blocks = kx_byte_blocks(d), each = d->out_channels / d->groups, c;

    if (kx_byte_depthwise(d)) {
        c = kx_byte_start(d->out_channels, block) + i;
        return c < d->out_channels ? c : -1;
    }
    c = block % blocks * KX_BYTE_COLUMNS + i;
    return c < each ? block / blocks * each + c : -1;
}

/* As bytes, where weights fit them or that is faster nevertheless. */
static void choose_width(const source *s, kx_byte_conv *c)
{
    const kx_conv_desc *d = &c->d;
    bool any = kx_accel_has_dot_products(), inside = true;

    c->per_word = 2;
    c->rests = 0;
    if (kx_byte_depthwise(d))
        return;
    for (int64_t channel = 0; channel < d->out_channels; channel++) {
        int16_t *w = weights_of(s, d, channel);

        for (int64_t t = 0; t < terms_of(d); t++)
            inside = inside && w[t] >= INT8_MIN && w[t] <= INT8_MAX;
        if (!any)
            c->rests += (kx_byte_fit(w, terms_of(d), s->rest) + 1) / 2;
    }
    if (any ? inside : c->rests == 0 || kx_byte_rests_pay(d, c->rests))
        c->per_word = 4;
    else
        c->rests = 0;
}

/* A word at a time: two numbers of 16 bits, or four bytes. */
static void put_word(const int16_t *w, int64_t per_word, uint8_t *to)
{
    if (per_word == 2)
        memcpy(to, w, 2 * sizeof *w);
    else
        for (int i = 0; i < KX_BYTE_WORD; i++)
            to[i] = (uint8_t)w[i];
}

/* The weights of one channel, words of one channel behind those of the next; returns their sum. */
static int64_t pack_channel(const source *s, const kx_byte_conv *c, int64_t channel, uint8_t *to)
{
    int64_t sum = 0, terms = terms_of(&c->d), t = 0;
    int16_t *w = weights_of(s, &c->d, channel), last[KX_BYTE_WORD] = {0};

    for (; t < terms; t++)
        sum += w[t];
    if (c->rests)
        (void)kx_byte_fit(w, terms, s->rest);
    for (t = 0; t + c->per_word <= terms; t += c->per_word, to += KX_BYTE_WORD * KX_BYTE_COLUMNS)
        put_word(w + t, c->per_word, to);
    if (t < terms) {
        memcpy(last, w + t, (size_t)(terms - t) * sizeof *w);
        put_word(last, c->per_word, to);
    }
    return sum;
}

/* The parts of a unit's block of memory. */
typedef struct room {
    int64_t places; /* channels, with those that fill up blocks */
    uint8_t *weights;
    int32_t *offset;
    float *bias, *factor;
    int32_t *rest_at;
    kx_byte_rest *rest;
    uint8_t *blank;
    size_t bytes;
} room;

/* None of these is larger than 64 times the weights, or the input, in memory. */
static room room_in(unsigned char *memory, const kx_byte_conv *c)
{
    int64_t groups = kx_byte_depthwise(&c->d) ? 1 : c->d.groups;
    room r = {.places = groups * kx_byte_blocks(&c->d) * KX_BYTE_COLUMNS};
    size_t n = (size_t)r.places, weights = n * (size_t)kx_byte_words(c) * KX_BYTE_WORD;
    size_t rests = (size_t)c->rests;

    r.bytes = weights + n * (sizeof *r.offset + 2 * sizeof *r.bias) + (n + 1) * sizeof *r.rest_at +
              rests * sizeof *r.rest + (size_t)c->d.in_channels + KX_BYTE_COLUMNS;
    if (!memory)
        return r;
    r.weights = memory;
    r.offset = (int32_t *)(void *)(memory + weights); /* a multiple of 4 bytes */
    r.bias = (float *)(r.offset + n);
    r.factor = r.bias + n;
    r.rest_at = (int32_t *)(void *)(r.factor + n);
    r.rest = (kx_byte_rest *)(void *)(r.rest_at + n + 1);
    r.blank = (uint8_t *)(r.rest + rests);
    return r;
}

/* Channel by channel. */
static void fill_rests(const kx_byte_conv *c, const source *s, int64_t i, room r)
{
    kx_byte_rest *from = r.rest + r.rest_at[i], *end = from;

    if (c->rests && channel_at(&c->d, i / KX_BYTE_COLUMNS, i % KX_BYTE_COLUMNS) >= 0)
        end = kx_byte_put_rests(s->rest, terms_of(&c->d), from);
    r.rest_at[i + 1] = (int32_t)(end - r.rest);
}

static void fill_one(const kx_byte_conv *c, const source *s, int64_t i, room r)
{
    int64_t block = i / KX_BYTE_COLUMNS, column = i % KX_BYTE_COLUMNS, sum;
    int64_t channel = channel_at(&c->d, block, column);
    float product, b;

    if (channel < 0)
        return;
    product = s->in.scale * scale_of(s, channel);
    sum = pack_channel(s, c, channel,
                       r.weights +
                           KX_BYTE_WORD * (KX_BYTE_COLUMNS * block * kx_byte_words(c) + column));
    sum *= -s->in.zero;
    r.factor[i] = product / s->out.scale;
    b = s->bias ? s->bias[channel] / product : 0;
    if (s->whole_bias && fabsf(b) < LARGEST_BIAS)
        sum += (int64_t)nearbyintf(b);
    else
        r.bias[i] = b;
    r.offset[i] = (int32_t)(uint32_t)sum;
}

static void fill(const kx_byte_conv *c, const source *s, room r)
{
    memset(r.weights, 0, r.bytes);
    memset(r.blank, s->in.zero, (size_t)c->d.in_channels + KX_BYTE_COLUMNS);
    for (int64_t i = 0; i < r.places; i++) {
        fill_one(c, s, i, r);
        fill_rests(c, s, i, r);
    }
}

/* As many rows of the matrix as half a second-level cache holds, in as many blocks for each thread
 * as for every other. */
static int64_t block_of(const kx_byte_conv *c, int threads)
{
    enum { BYTES = 192 << 10, MOST = 96 };
    const kx_conv_desc *d = &c->d;
    int64_t cells = d->batch * d->out[0] * d->out[1], n = BYTES / kx_byte_stride(c), blocks;

    n = n < KX_BYTE_ROWS ? KX_BYTE_ROWS : n < MOST ? n / KX_BYTE_ROWS * KX_BYTE_ROWS : MOST;
    blocks = (cells + n * threads - 1) / (n * threads) * threads;
    n = (cells + blocks - 1) / blocks;
    return (n + KX_BYTE_ROWS - 1) / KX_BYTE_ROWS * KX_BYTE_ROWS;
}

static void take_room(kx_byte_conv *c, room r)
{
    c->weights = r.weights;
    c->offset = r.offset;
    c->factor = r.factor;
    c->blank = r.blank;
    c->rest = r.rest;
    c->rest_at = r.rest_at;
    for (int64_t i = 0; i < r.places; i++) {
        c->bias = r.bias[i] != 0 ? r.bias : c->bias;
        c->large = c->large || !(r.factor[i] < 0.5f) || !(fabsf(r.bias[i]) < LARGE);
    }
}

kldve_status kx_byte_pack(kx_planner *p, const kx_unit *u, kx_byte_form in)
{
    kx_byte_conv *c = &u->bytes->as.conv;
    source s;
    void *memory;
    bool there;
    kldve_status st;

    if (!find_source(p, u, &s))
        return kx_plan_nomem(p);
    s.in = in;
    s.out = c->out.form;
    choose_width(&s, c);
    if ((st = kx_pack_bytes(p, u, room_in(NULL, c).bytes, &memory, &there)) < 0)
        return st;
    if (!there)
        fill(c, &s, room_in(memory, c));
    if (!p->options.measure)
        take_room(c, room_in(memory, c));
    c->block = block_of(c, p->options.threads);
    return KLDVE_OK;
}
