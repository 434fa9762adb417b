/* tiled.c - see tiled.h.
 *
 *     x -> v [36][tiles][in] -> 36 products with weights [in][out] -> m [36][tiles][out] -> y
 *
 * group by group, and band after band of tiles, so that v and m stay in the cache. */
#include "tiled.h"

#include "packed.h"

enum { POINTS = KX_TILE_POINTS, OUT = KX_TILE_OUT };

/* Of v and m together: some of the last cache, which other cores use, too. */
static const int64_t band_nbytes = 6 << 20;

/* A convolution in bands. */
typedef struct bands {
    const kx_layout *x, *y; /* channels in blocks */
    kx_tiles in, out;       /* of the first band */
    int64_t rows;           /* of tiles, in all */
    int32_t v, m, from, to, bias;
    void *weights; /* packed for all groups and points, `each` bytes apart */
    size_t each;
    int64_t group;
} bands;

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* As many rows of tiles as fit, all bands alike but for the last. */
static void measure(const kx_conv_desc *d, bands *b)
{
    int64_t in_channels = d->in_channels / d->groups, out_channels = d->out_channels / d->groups;
    int64_t columns = ceil_div(d->out[1], OUT), count;
    int64_t row_nbytes = POINTS * columns * (in_channels + out_channels) * (int64_t)sizeof(float);

    b->rows = ceil_div(d->out[0], OUT);
    count = ceil_div(b->rows * row_nbytes, band_nbytes);
    b->in = (kx_tiles){.channels = in_channels,
                       .height = d->in[0],
                       .width = d->in[1],
                       .pad = {d->pad_begin[0], d->pad_begin[1]},
                       .rows = ceil_div(b->rows, count < b->rows ? count : b->rows),
                       .columns = columns};
    b->out = b->in;
    b->out.channels = out_channels;
    b->out.height = d->out[0];
    b->out.width = d->out[1];
}

/* The part of v or m that is one point's, [tiles][channels]. */
static kldve_status part_of(kx_planner *p, int32_t whole, int64_t point, const kx_tiles *t,
                            int32_t *out)
{
    size_t nbytes = (size_t)(t->rows * t->columns * t->channels) * sizeof(float);

    return kx_buffer_part(p, whole, (size_t)point * nbytes, nbytes, out);
}

/* v by the weights, point by point: one primitive for all of them. */
static kldve_status multiply(kx_planner *p, kx_unit *u, const bands *b, const kx_prim *prim)
{
    kldve_status st = KLDVE_OK;

    for (int64_t i = 0; i < POINTS && st == KLDVE_OK; i++) {
        int32_t bind[KX_SLOTS];
        const unsigned char *weights = b->weights;

        kx_unbound(bind);
        if ((st = part_of(p, b->v, i, &b->in, &bind[KX_SRC])) < 0 ||
            (st = part_of(p, b->m, i, &b->out, &bind[KX_DST])) < 0 ||
            (st = kx_buffer_fixed(p, weights + (size_t)(b->group * POINTS + i) * b->each,
                                  &bind[KX_WEIGHTS])) < 0)
            return st;
        st = kx_step_prim(p, u, prim, bind);
    }
    return st;
}

static kldve_status band(kx_planner *p, kx_unit *u, const bands *b, const kx_prim *prim)
{
    const kx_tiles_step in = {b->in, false, b->from, b->v, -1};
    const kx_tiles_step out = {b->out, u->act.kind == KX_ACT_RELU, b->m, b->to, b->bias};
    kldve_status st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_TILES_IN, .as.tiles = in});

    if (st < 0 || (st = multiply(p, u, b, prim)) < 0)
        return st;
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_TILES_OUT, .as.tiles = out});
}

/* The product of a band, and the weights as it wants them. */
static kldve_status make_product(kx_planner *p, kx_unit *u, bands *b, kx_prim **prim)
{
    const kx_dense d = {.m = b->in.rows * b->in.columns,
                        .k = b->in.channels,
                        .n = b->out.channels,
                        .transposed = true};
    const kx_layout *weights;
    bool packed;
    kldve_status st =
        kx_accel_dense(p->plan->accel, &d, (kx_act){KX_ACT_NONE, 0, 0}, &packed, prim);

    if (st < 0 || !packed)
        return st < 0 ? st : KLDVE_E_UNSUPPORTED;
    weights = kx_prim_layout(*prim, KX_WEIGHTS);
    b->each = kx_layout_bytes(weights);
    return kx_pack_tiles(p, u, &d, weights, &b->weights);
}

/* All bands of a group; a last one that is lower has a product of its own. */
static kldve_status all_bands(kx_planner *p, kx_unit *u, bands b)
{
    kx_prim *prim = NULL;
    kldve_status st = make_product(p, u, &b, &prim);

    b.in.start = b.group * b.in.channels;
    b.out.start = b.group * b.out.channels;
    while (st == KLDVE_OK && b.in.first < b.rows) {
        int64_t left = b.rows - b.in.first;

        if (left < b.in.rows) {
            b.in.rows = b.out.rows = left;
            if ((st = make_product(p, u, &b, &prim)) < 0)
                return st;
        }
        st = band(p, u, &b, prim);
        b.in.first += b.in.rows;
        b.out.first = b.in.first;
    }
    return st;
}

static kldve_status make_buffers(kx_planner *p, kx_unit *u, bands *b)
{
    size_t each = POINTS * (size_t)(b->in.rows * b->in.columns) * sizeof(float);
    kldve_status st;

    if ((st = kx_value_in(p, u, u->in[0], b->x, &b->from)) < 0 ||
        (st = kx_pack_bias(p, u, kx_whole(), &b->bias)) < 0 ||
        (st = kx_buffer_new(p, each * (size_t)b->in.channels, &b->v)) < 0 ||
        (st = kx_buffer_new(p, each * (size_t)b->out.channels, &b->m)) < 0)
        return st;
    return kx_buffer_new(p, kx_layout_bytes(b->y), &b->to);
}

kldve_status kx_tiled_forward(kx_planner *p, kx_unit *u)
{
    const kx_value *v = u->out[0];
    bands b = {.rows = 0};
    kldve_status st;

    if (!kx_accel_tiles(p->plan->accel, &u->conv))
        return KLDVE_E_UNSUPPORTED;
    b.x = kx_layout_blocks(p->plan->accel, &u->in[0]->shape);
    b.y = kx_layout_blocks(p->plan->accel, &v->shape);
    if (!b.x || !b.y)
        return kx_plan_nomem(p);
    measure(&u->conv, &b);
    if ((st = make_buffers(p, u, &b)) < 0)
        return st;
    for (; b.group < u->conv.groups; b.group++)
        if ((st = all_bands(p, u, b)) < 0)
            return st;
    if (u->act.kind != KX_ACT_NONE && u->act.kind != KX_ACT_RELU) {
        const kx_act_step s = {u->act, v->count, -1, b.to, b.to};

        if ((st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_ACT, .as.act = s})) < 0)
            return st;
    }
    kx_remember(kx_place_of(p, v), b.y, b.to);
    return KLDVE_OK;
}
