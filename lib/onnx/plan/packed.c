/* packed.c - see packed.h. */
#include "packed.h"

#include <math.h>
#include <string.h>

#include "read/limit.h"
#include "read/proto.h"

static bool same_packed(const kx_packed *a, const kx_packed *b)
{
    if (a->first != b->first || a->last != b->last || a->range.lo != b->range.lo ||
        a->range.hi != b->range.hi || a->form != b->form || !a->layout != !b->layout)
        return false;
    return !a->layout || kx_layout_equal(a->layout, b->layout);
}

/* In place of weights that a plan only measures: an address, never read. */
static void *unmade(void)
{
    static const unsigned char nothing[64] = {0};

    return (void *)(uintptr_t)nothing;
}

static void *find_packed(const kx_plan *plan, const kx_packed *like)
{
    for (int32_t i = 0; plan && i < plan->npacked; i++)
        if (same_packed(&plan->packed[i], like))
            return plan->packed[i].memory ? plan->packed[i].memory : unmade();
    return NULL;
}

/* What a unit's weights, or its bias (layout NULL), are found by.  A name is there once in a file,
 * so that equal addresses mean the same value, in whichever graph. */
static kx_packed key_of(const kx_unit *u, kx_range range, const kx_layout *layout)
{
    return (kx_packed){
        .first = u->node->out[0]->name, .last = u->out[0]->name, .range = range, .layout = layout};
}

/* The memory for them; *there: it is filled in already. */
static kldve_status packed(kx_planner *p, kx_packed at, size_t bytes, void **memory, bool *there)
{
    size_t most = kx_limit(p->ctx, KLDVE_LIMIT_WEIGHTS);
    kx_plan *plan = p->plan;
    void *array = plan->packed;
    kldve_status st;

    *memory = find_packed(plan, &at);
    if (!*memory)
        *memory = find_packed(p->options.lender, &at);
    *there = *memory != NULL;
    if (*there)
        return KLDVE_OK;
    st = kx_grow(p, &array, plan->npacked, &p->packed_room, sizeof at);
    plan->packed = array;
    if (st < 0)
        return st;
    if (plan->packed_bytes > most || bytes > most - plan->packed_bytes)
        return kldve_ctx_fail_limit(p->ctx, KLDVE_LIMIT_WEIGHTS,
                                    "the network packs at least %zu bytes of weights",
                                    plan->packed_bytes + bytes);
    if (!p->options.measure && !(at.memory = kldve_ctx_alloc(p->ctx, bytes, 1)))
        return kx_plan_nomem(p);
    plan->packed[plan->npacked++] = at;
    plan->packed_bytes += bytes;
    *there = p->options.measure;
    *memory = *there ? unmade() : at.memory;
    return KLDVE_OK;
}

/* So many numbers are held while packing, beside the result. */
static void hold(kx_planner *p, size_t count)
{
    size_t bytes = count * sizeof(float);

    if (bytes > p->plan->passing_bytes)
        p->plan->passing_bytes = bytes;
}

/* The last one could not be filled in: nobody may find it. */
static kldve_status drop_packed(kx_planner *p, kldve_status st)
{
    kldve_ctx_release(p->ctx, p->plan->packed[--p->plan->npacked].memory);
    return st;
}

static bool is_whole(kx_range range)
{
    return range.lo == -INFINITY && range.hi == INFINITY;
}

/* The weights with the by-channel scale multiplied in, clamped; *temporary is to be released.  An
 * AFFINE unit is a convolution of each channel with one number. */
static const float *effective_weights(kx_planner *p, const kx_unit *u, kx_range range,
                                      float **temporary)
{
    bool affine = u->kind == KX_UNIT_AFFINE;
    const float *scale = affine ? NULL : u->scale;
    const void *from = affine ? u->scale : u->node->in[1]->raw;
    size_t channels = (size_t)u->conv.out_channels;
    size_t count = affine ? channels : u->node->in[1]->count, each = count / channels;
    float *copy;

    *temporary = NULL;
    if (!scale && is_whole(range))
        return from;
    copy = *temporary = kldve_ctx_alloc(p->ctx, count, sizeof *copy);
    if (!copy)
        return NULL;
    memcpy(copy, from, count * sizeof *copy);
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < each; i++)
            copy[c * each + i] = kx_clamp(range, copy[c * each + i] * (scale ? scale[c] : 1));
    return copy;
}

/* Weights that were packed: nobody else reads most of them. */
static void put_away(const kx_planner *p, const void *weights, size_t count)
{
    kx_model_put_away(p->g->model, weights, count * sizeof(float));
}

static void put_away_given(const kx_planner *p, const kx_unit *u)
{
    if (u->kind != KX_UNIT_AFFINE)
        put_away(p, u->node->in[1]->raw, u->node->in[1]->count);
}

kldve_status kx_pack(kx_planner *p, const kx_unit *u, kx_range range, const kx_layout *layout,
                     int32_t *out)
{
    float *temporary;
    const float *weights;
    void *memory;
    bool there;
    kldve_status st = packed(p, key_of(u, range, layout), kx_layout_bytes(layout), &memory, &there);

    if (st < 0)
        return st;
    if (u->kind != KX_UNIT_AFFINE && (u->scale || !is_whole(range)))
        hold(p, u->node->in[1]->count);
    if (!there) {
        if (!(weights = effective_weights(p, u, range, &temporary)))
            return drop_packed(p, kx_plan_nomem(p));
        st = kx_accel_pack_weights(p->plan->accel, &u->conv, weights, layout, memory);
        kldve_ctx_release(p->ctx, temporary);
        put_away_given(p, u);
        if (st < 0)
            return drop_packed(p, kx_plan_failed(p, u, st));
    }
    return kx_buffer_fixed(p, memory, out);
}

kldve_status kx_pack_dense(kx_planner *p, const kx_unit *u, const kx_dense *d, bool back,
                           const kx_layout *layout, int32_t *out)
{
    kx_packed key = key_of(u, kx_whole(), layout);
    void *memory;
    bool there;
    kldve_status st;

    key.form = back ? KX_FORM_BACK : KX_FORM_GIVEN;
    if ((st = packed(p, key, kx_layout_bytes(layout), &memory, &there)) < 0)
        return st;
    if (!there && (st = kx_accel_pack_dense(p->plan->accel, d, layout, memory)) < 0)
        return drop_packed(p, kx_plan_failed(p, u, st));
    if (!there)
        put_away(p, d->weights, (size_t)(d->k * d->n));
    return kx_buffer_fixed(p, memory, out);
}

/* One row of G g G^T: G's row i times g [3][3], then by all rows. */
static void transform_row(int i, const float *g, float to[KX_TILE_SIDE])
{
    const double a = (double)KX_TILE_A, b = (double)KX_TILE_B;
    const double na = 2 * a * a * (a * a - b * b), nb = 2 * b * b * (b * b - a * a);
    const double rows[KX_TILE_SIDE][3] = {
        {1 / (a * a * b * b), 0, 0},  {1 / na, a / na, a * a / na},  {1 / na, -a / na, a * a / na},
        {1 / nb, b / nb, b * b / nb}, {1 / nb, -b / nb, b * b / nb}, {0, 0, 1}};
    double line[3];

    for (int k = 0; k < 3; k++)
        line[k] = rows[i][0] * (double)g[k] + rows[i][1] * (double)g[3 + k] +
                  rows[i][2] * (double)g[6 + k];
    for (int j = 0; j < KX_TILE_SIDE; j++)
        to[j] = (float)(rows[j][0] * line[0] + rows[j][1] * line[1] + rows[j][2] * line[2]);
}

/* For products [tiles][in] by [in][out], of the points of row i. */
static kldve_status pack_tile_row(kx_planner *p, kx_dense d, int i, const float *weights,
                                  const kx_layout *layout, unsigned char *to)
{
    size_t count = (size_t)(d.k * d.n);
    float *row = kldve_ctx_alloc(p->ctx, count, KX_TILE_SIDE * sizeof *row);
    float g[9], points[KX_TILE_SIDE];
    kldve_status st = KLDVE_OK;

    if (!row)
        return kx_plan_nomem(p);
    if ((st = kldve_ctx_poll(p->ctx)) < 0) {
        kldve_ctx_release(p->ctx, row);
        return st;
    }
    for (size_t n = 0; n < count; n++) {
        memcpy(g, weights + 9 * n, sizeof g); /* perhaps unaligned */
        transform_row(i, g, points);
        for (size_t j = 0; j < KX_TILE_SIDE; j++)
            row[j * count + n] = points[j];
    }
    for (size_t j = 0; j < KX_TILE_SIDE && st == KLDVE_OK; j++) {
        d.weights = row + j * count;
        st = kx_accel_pack_dense(p->plan->accel, &d, layout, to + j * kx_layout_bytes(layout));
    }
    kldve_ctx_release(p->ctx, row);
    return st;
}

kldve_status kx_pack_tiles(kx_planner *p, const kx_unit *u, const kx_dense *d,
                           const kx_layout *layout, void **out)
{
    kx_packed key = key_of(u, kx_whole(), layout);
    size_t each = kx_layout_bytes(layout), groups = (size_t)u->conv.groups;
    const float *weights;
    float *temporary;
    bool there;
    kldve_status st;

    hold(p, u->node->in[1]->count + KX_TILE_SIDE * (size_t)(d->k * d->n));
    key.form = KX_FORM_TILES;
    if ((st = packed(p, key, groups * KX_TILE_POINTS * each, out, &there)) < 0 || there)
        return st;
    if (!(weights = effective_weights(p, u, kx_whole(), &temporary)))
        return drop_packed(p, kx_plan_nomem(p));
    for (size_t r = 0; r < groups * KX_TILE_SIDE && st == KLDVE_OK; r++) {
        const size_t group = r / KX_TILE_SIDE;

        st = pack_tile_row(p, *d, (int)(r % KX_TILE_SIDE),
                           weights + group * 9 * (size_t)(d->k * d->n), layout,
                           (unsigned char *)*out + r * KX_TILE_SIDE * each);
    }
    kldve_ctx_release(p->ctx, temporary);
    put_away_given(p, u);
    return st < 0 ? drop_packed(p, kx_plan_failed(p, u, st)) : KLDVE_OK;
}

/* No integer of 8 bits is clamped by it, and no other weights are packed with it: it tells the
 * integers from the numbers that they stand for. */
static const kx_range of_levels = {-256, 256};

kldve_status kx_pack_whole(kx_planner *p, const kx_unit *u, const float *scale,
                           const kx_layout *layout, int32_t *out)
{
    const kx_value *w = u->node->in[1];
    size_t channels = (size_t)u->conv.out_channels, each = w->count / channels;
    const float *from = kx_value_read(w, &p->plan->arena);
    float *whole;
    void *memory;
    bool there;
    kldve_status st =
        packed(p, key_of(u, of_levels, layout), kx_layout_bytes(layout), &memory, &there);

    if (st < 0)
        return st;
    hold(p, w->count);
    if (there)
        return kx_buffer_fixed(p, memory, out);
    if (!from || !(whole = kldve_ctx_alloc(p->ctx, w->count, sizeof *whole)))
        return drop_packed(p, kx_plan_nomem(p));
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < each; i++)
            whole[c * each + i] =
                nearbyintf(from[c * each + i] / scale[w->scale->count == 1 ? 0 : c]);
    st = kx_accel_pack_weights(p->plan->accel, &u->conv, whole, layout, memory);
    kldve_ctx_release(p->ctx, whole);
    return st < 0 ? drop_packed(p, kx_plan_failed(p, u, st)) : kx_buffer_fixed(p, memory, out);
}

kldve_status kx_pack_bytes(kx_planner *p, const kx_unit *u, size_t bytes, void **memory,
                           bool *there)
{
    return packed(p, key_of(u, of_levels, NULL), bytes, memory, there);
}

kldve_status kx_pack_bias(kx_planner *p, const kx_unit *u, kx_range range, int32_t *out)
{
    const kx_node *n = u->node;
    bool own_bias = u->kind == KX_UNIT_CONV && kx_has(n, 2);
    size_t channels = (size_t)u->conv.out_channels;
    const float *bias = own_bias ? kx_value_read(n->in[2], &p->plan->arena) : NULL;
    void *memory;
    float *sum;
    bool there;
    kldve_status st;

    if (own_bias && !bias)
        return kx_plan_nomem(p);
    if ((st = packed(p, key_of(u, range, NULL), channels * sizeof *sum, &memory, &there)) < 0)
        return st;
    sum = memory;
    for (size_t c = 0; !there && c < channels; c++)
        sum[c] = kx_clamp(range, (bias ? bias[c] : 0) * (u->scale ? u->scale[c] : 1) +
                                     (u->shift ? u->shift[c] : 0));
    return kx_buffer_fixed(p, memory, out);
}

void kx_packed_free(kx_plan *plan)
{
    for (int32_t i = 0; i < plan->npacked; i++)
        kldve_ctx_release(plan->ctx, plan->packed[i].memory);
    kldve_ctx_release(plan->ctx, plan->packed);
}
