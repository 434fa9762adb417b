/* plan.c - units -> steps, layouts, buffers and their places in memory.
 *
 * Time is the number of a step.  A buffer lives from the step that writes it to the last one that
 * reads it; buffers that do not live at the same time share memory.  What the VJP reads of the
 * forward pass lives to the end, because a VJP may be asked for again. */
#include "plan.h"

#include <string.h>

#include <omp.h>

#include "plan/place.h"

kldve_status kx_plan_nomem(kx_planner *p)
{
    return kldve_ctx_fail(p->ctx, KLDVE_E_NOMEM, "out of memory while planning the network");
}

kx_place *kx_place_of(kx_planner *p, const kx_value *v)
{
    return &p->place[v->id];
}

/* ---- buffers and steps --------------------------------------------------------------------------
 */

/* Room for one more item in an array of the plan: doubled when full. */
static kldve_status grow(kx_planner *p, void **array, int32_t used, int32_t *room, size_t item)
{
    int32_t more = *room ? *room * 2 : 64;
    void *larger;

    if (used < *room)
        return KLDVE_OK;
    if (used > INT32_MAX / 4 || !(larger = kldve_ctx_alloc(p->ctx, (size_t)more, item)))
        return kx_plan_nomem(p);
    if (used)
        memcpy(larger, *array, (size_t)used * item);
    kldve_ctx_release(p->ctx, *array);
    *array = larger;
    *room = more;
    return KLDVE_OK;
}

static kldve_status add_buffer(kx_planner *p, kx_buffer b, int32_t *out)
{
    kx_plan *plan = p->plan;
    void *array = plan->buffer;
    kldve_status st = grow(p, &array, plan->nbuffer, &p->buffer_room, sizeof b);

    plan->buffer = array;
    if (st < 0)
        return st;
    plan->buffer[plan->nbuffer] = b;
    *out = plan->nbuffer++;
    return KLDVE_OK;
}

kldve_status kx_buffer_new(kx_planner *p, size_t bytes, int32_t *out)
{
    return add_buffer(
        p,
        (kx_buffer){.bytes = bytes, .first = p->plan->nstep, .last = p->plan->nstep, .whole = -1},
        out);
}

kldve_status kx_buffer_fixed(kx_planner *p, const void *memory, int32_t *out)
{
    return add_buffer(p, (kx_buffer){.fixed = (void *)(uintptr_t)memory, .whole = -1},
                      out); /* only read */
}

kldve_status kx_step_new(kx_planner *p, kx_step_kind kind, const kx_unit *unit, kx_step **out)
{
    kx_plan *plan = p->plan;
    void *array = plan->step;
    kldve_status st = grow(p, &array, plan->nstep, &p->step_room, sizeof(kx_step));
    kx_step *s;

    plan->step = array;
    if (st < 0)
        return st;
    s = &plan->step[plan->nstep];
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->unit = unit;
    s->node = unit ? unit->node : NULL;
    for (int i = 0; i < KX_SLOTS; i++)
        s->buf[i] = -1;
    *out = s;
    return KLDVE_OK;
}

static void touch(kx_planner *p, int32_t buffer)
{
    if (buffer >= 0)
        p->plan->buffer[buffer].last = p->plan->nstep;
}

void kx_step_done(kx_planner *p, kx_step *s)
{
    for (int i = 0; i < KX_SLOTS; i++)
        touch(p, s->buf[i]);
    if (s->list)
        for (int32_t i = 0; i < s->node->nin + 2 * s->node->nout; i++)
            touch(p, s->list[i]);
    p->plan->nstep++;
}

kldve_status kx_step_prim(kx_planner *p, const kx_unit *unit, const kx_prim *prim,
                          const int32_t bind[KX_SLOTS], kx_step **out)
{
    static const int made[] = {KX_DST, KX_DIFF_SRC, KX_WORKSPACE, KX_SCRATCH};
    kx_step *s;
    kldve_status st = kx_step_new(p, KX_STEP_PRIM, unit, &s);

    if (st < 0)
        return st;
    s->prim = prim;
    memcpy(s->buf, bind, sizeof s->buf);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        const kx_layout *layout = kx_prim_layout(prim, made[i]);

        if (!layout)
            s->buf[made[i]] = -1;
        else if (s->buf[made[i]] < 0 &&
                 (st = kx_buffer_new(p, kx_layout_bytes(layout), &s->buf[made[i]])) < 0)
            return st;
    }
    kx_step_done(p, s);
    *out = s;
    return KLDVE_OK;
}

/* ---- values in layouts
 * ----------------------------------------------------------------------------- */

static kldve_status failed(kx_planner *p, const kx_unit *u, kldve_status st)
{
    if (st == KLDVE_E_NOMEM)
        return kx_plan_nomem(p);
    return kldve_ctx_failf(p->ctx, st, "node '%.80s' (%.40s): oneDNN cannot run it",
                           u && u->node ? u->node->name : "", u && u->node ? u->node->type : "");
}

static void unbound(int32_t bind[KX_SLOTS])
{
    for (int i = 0; i < KX_SLOTS; i++)
        bind[i] = -1;
}

kldve_status kx_reorder(kx_planner *p, const kx_unit *u, int32_t from, const kx_layout *from_layout,
                        const kx_layout *to_layout, int32_t *out)
{
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *s;
    kldve_status st = kx_accel_reorder(p->plan->accel, from_layout, to_layout, &prim);

    if (st < 0)
        return failed(p, u, st);
    unbound(bind);
    bind[KX_SRC] = from;
    if ((st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    *out = s->buf[KX_DST];
    return KLDVE_OK;
}

static void remember(kx_place *at, const kx_layout *layout, int32_t buffer)
{
    int i = at->ncopy < KX_COPIES ? at->ncopy++ : KX_COPIES - 1;

    at->copy[i].layout = layout;
    at->copy[i].buffer = buffer;
}

kldve_status kx_value_in(kx_planner *p, const kx_unit *u, const kx_value *v,
                         const kx_layout *layout, int32_t *out)
{
    kx_place *at = kx_place_of(p, v);
    kldve_status st;

    if (v->raw && at->ncopy == 0) {
        const void *data = kx_value_data(p->g, v);
        const kx_layout *plain =
            v->dtype == KX_F32 ? kx_layout_plain(p->plan->accel, &v->shape) : NULL;
        int32_t buffer;

        if (!data || (v->dtype == KX_F32 && !plain))
            return kx_plan_nomem(p);
        if ((st = kx_buffer_fixed(p, data, &buffer)) < 0)
            return st;
        remember(at, plain, buffer);
    }
    if (v->dtype != KX_F32) {
        *out = at->copy[0].buffer;
        return KLDVE_OK;
    }
    if (!layout && !(layout = kx_layout_plain(p->plan->accel, &v->shape)))
        return kx_plan_nomem(p);
    for (int i = 0; i < at->ncopy; i++)
        if (kx_layout_equal(at->copy[i].layout, layout)) {
            *out = at->copy[i].buffer;
            return KLDVE_OK;
        }
    if ((st = kx_reorder(p, u, at->copy[0].buffer, at->copy[0].layout, layout, out)) < 0)
        return st;
    remember(at, layout, *out);
    return KLDVE_OK;
}

const kx_layout *kx_channel_layout(kx_planner *p, const kx_value *v)
{
    kx_shape s = {.rank = v->shape.rank};

    for (int32_t i = 0; i < s.rank; i++)
        s.dim[i] = i == 1 ? v->shape.dim[1] : 1;
    return kx_layout_plain(p->plan->accel, &s);
}

/* ---- weights
 * -------------------------------------------------------------------------------------------- */

static bool same_packed(const kx_packed *a, const kx_packed *b)
{
    if (a->first != b->first || a->last != b->last || a->range.lo != b->range.lo ||
        a->range.hi != b->range.hi || !a->layout != !b->layout)
        return false;
    return !a->layout || kx_layout_equal(a->layout, b->layout);
}

static void *find_packed(const kx_plan *plan, const kx_packed *like)
{
    for (int32_t i = 0; plan && i < plan->npacked; i++)
        if (same_packed(&plan->packed[i], like))
            return plan->packed[i].memory;
    return NULL;
}

/* The memory of packed weights, or of a bias (layout NULL); *there: it is filled in already.  A
 * name is there once in a file, so that equal addresses mean the same value, in whichever graph. */
static kldve_status packed(kx_planner *p, const kx_unit *u, kx_range range, const kx_layout *layout,
                           size_t bytes, void **memory, bool *there)
{
    kx_plan *plan = p->plan;
    kx_packed at = {u->node->out[0]->name, u->out->name, range, layout, NULL};
    void *array = plan->packed;
    kldve_status st;

    *memory = find_packed(plan, &at);
    if (!*memory)
        *memory = find_packed(p->options.lender, &at);
    *there = *memory != NULL;
    if (*there)
        return KLDVE_OK;
    st = grow(p, &array, plan->npacked, &p->packed_room, sizeof at);
    plan->packed = array;
    if (st < 0)
        return st;
    if (!(at.memory = kldve_ctx_alloc(p->ctx, bytes, 1)))
        return kx_plan_nomem(p);
    plan->packed[plan->npacked++] = at;
    plan->packed_bytes += bytes;
    *memory = at.memory;
    return KLDVE_OK;
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

kldve_status kx_pack(kx_planner *p, const kx_unit *u, kx_range range, const kx_layout *layout,
                     int32_t *out)
{
    float *temporary;
    const float *weights;
    void *memory;
    bool there;
    kldve_status st = packed(p, u, range, layout, kx_layout_bytes(layout), &memory, &there);

    if (st < 0)
        return st;
    if (!there) {
        if (!(weights = effective_weights(p, u, range, &temporary)))
            return drop_packed(p, kx_plan_nomem(p));
        st = kx_accel_pack_weights(p->plan->accel, &u->conv, weights, layout, memory);
        kldve_ctx_release(p->ctx, temporary);
        if (st < 0)
            return drop_packed(p, failed(p, u, st));
    }
    return kx_buffer_fixed(p, memory, out);
}

kldve_status kx_pack_bias(kx_planner *p, const kx_unit *u, kx_range range, int32_t *out)
{
    const kx_node *n = u->node;
    bool own_bias = u->kind == KX_UNIT_CONV && kx_has(n, 2);
    size_t channels = (size_t)u->conv.out_channels;
    const float *bias = own_bias ? kx_value_data(p->g, n->in[2]) : NULL;
    void *memory;
    float *sum;
    bool there;
    kldve_status st;

    if (own_bias && !bias)
        return kx_plan_nomem(p);
    if ((st = packed(p, u, range, NULL, channels * sizeof *sum, &memory, &there)) < 0)
        return st;
    sum = memory;
    for (size_t c = 0; !there && c < channels; c++)
        sum[c] = kx_clamp(range, (bias ? bias[c] : 0) * (u->scale ? u->scale[c] : 1) +
                                     (u->shift ? u->shift[c] : 0));
    return kx_buffer_fixed(p, memory, out);
}

/* ---- forward steps, by kind of unit
 * --------------------------------------------------------------------- */

static kldve_status conv_alone(kx_planner *p, kx_unit *u, kx_join join, const kx_layout *like,
                               int32_t bind[KX_SLOTS])
{
    kx_prim *prim;
    kx_step *s;
    kldve_status st = kx_accel_conv(p->plan->accel, &u->conv, join, like, &prim);

    if (st < 0)
        return st;
    if ((st = kx_value_in(p, u, u->x, kx_prim_layout(prim, KX_SRC), &bind[KX_SRC])) < 0 ||
        (st = kx_pack(p, u, kx_whole(), kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) < 0 ||
        (st = kx_pack_bias(p, u, kx_whole(), &bind[KX_BIAS])) < 0 ||
        (st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    remember(kx_place_of(p, u->out), kx_prim_layout(prim, KX_DST), s->buf[KX_DST]);
    return KLDVE_OK;
}

static bool unit_reads(const kx_unit *u, const kx_value *v)
{
    if (u->kind == KX_UNIT_NODE || u->kind == KX_UNIT_CONCAT) {
        for (int32_t i = 0; i < u->node->nin; i++)
            if (u->node->in[i] == v)
                return true;
        return false;
    }
    return u->x == v || u->y == v;
}

/* May the convolution add into the residual's own memory?  Only if nobody reads the residual later,
 * in a VJP and in the steps from the layer on when they run again neither, and its buffer is
 * nobody else's (a view, a constant). */
static bool may_overwrite(kx_planner *p, const kx_unit *u, const kx_value *v)
{
    const kx_place *at = kx_place_of(p, v);
    const kx_unit *maker = at->producer >= 0 ? &p->plan->unit[at->producer] : NULL;

    if (!maker || maker->kind == KX_UNIT_VIEW || maker->kind == KX_UNIT_NODE || at->keep ||
        at->active || at->last_use > u->order || at->ncopy == 0 || at->after != u->after ||
        u->x == v) /* it is read while the sum is written */
        return false;
    for (int32_t i = 0; i < p->plan->nunit; i++) {
        const kx_unit *reader = &p->plan->unit[i];

        if (reader != u && unit_reads(reader, v) &&
            (reader->kind == KX_UNIT_VIEW || reader->active || reader->after != u->after))
            return false;
    }
    return true;
}

/* What the producer of v wrote. */
static const struct kx_copy *primary(kx_planner *p, const kx_value *v)
{
    return &kx_place_of(p, v)->copy[0];
}

/* u's output = act(x op u's y) in the layout of x, or plainly where oneDNN cannot do that. */
static kldve_status combine(kx_planner *p, kx_unit *u, const kx_value *v, kx_arith kind)
{
    struct kx_copy x = *primary(p, v);
    bool same =
        memcmp(v->shape.dim, u->y->shape.dim, (size_t)v->shape.rank * sizeof v->shape.dim[0]) == 0;
    const kx_layout *plain = kx_layout_plain(p->plan->accel, &v->shape);
    const kx_layout *second = same ? x.layout : kx_layout_plain(p->plan->accel, &u->y->shape);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    if (!plain || !second)
        return kx_plan_nomem(p);
    st = kx_accel_binary(p->plan->accel, kind, x.layout, second, NULL, u->act, &prim);
    if (st == KLDVE_E_UNSUPPORTED && same && !kx_layout_equal(x.layout, plain)) {
        if ((st = kx_value_in(p, u, v, plain, &x.buffer)) < 0)
            return st;
        second = plain;
        st = kx_accel_binary(p->plan->accel, kind, plain, plain, NULL, u->act, &prim);
    }
    if (st < 0)
        return st;
    unbound(bind);
    bind[KX_SRC] = x.buffer;
    if ((st = kx_value_in(p, u, u->y, second, &bind[KX_SRC1])) < 0 ||
        (st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    kx_place_of(p, u->out)->ncopy = 0; /* v may be that */
    remember(kx_place_of(p, u->out), kx_prim_layout(prim, KX_DST), s->buf[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_conv(kx_planner *p, kx_unit *u)
{
    const kx_layout *like;
    kx_conv_desc whole = u->conv;
    kx_unit *bare;
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st;

    unbound(bind);
    u->conv.act = u->act;
    if (!u->y)
        return conv_alone(p, u, KX_JOIN_NONE, NULL, bind);
    /* The layout that the convolution would choose decides that of the sum. */
    if ((st = kx_accel_conv(p->plan->accel, &whole, KX_JOIN_NONE, NULL, &prim)) < 0)
        return st;
    like = kx_prim_layout(prim, KX_DST);
    if (may_overwrite(p, u, u->y)) {
        if ((st = kx_value_in(p, u, u->y, like, &bind[KX_DST])) < 0)
            return st;
        st = p->plan->buffer[bind[KX_DST]].joined
                 ? KLDVE_E_UNSUPPORTED /* it is also part of a concatenation */
                 : conv_alone(p, u, KX_JOIN_SUM, like, bind);
        if (st != KLDVE_E_UNSUPPORTED)
            return st;
        unbound(bind);
    }
    if ((st = kx_value_in(p, u, u->y, like, &bind[KX_ADDEND])) < 0)
        return st;
    st = conv_alone(p, u, KX_JOIN_ADDEND, like, bind);
    if (st != KLDVE_E_UNSUPPORTED)
        return st;
    /* oneDNN has no such post-op here: convolution, then sum and activation. */
    if (!(bare = kx_new(p->g, 1, sizeof *bare))) /* the steps name it */
        return kx_plan_nomem(p);
    *bare = *u;
    bare->conv.act = (kx_act){KX_ACT_NONE, 0, 0};
    unbound(bind);
    if ((st = conv_alone(p, bare, KX_JOIN_NONE, NULL, bind)) < 0)
        return st;
    return combine(p, u, u->out, KX_BINARY_ADD);
}

static kldve_status forward_affine(kx_planner *p, kx_unit *u)
{
    const struct kx_copy *x = primary(p, u->x);
    const kx_layout *channels = kx_channel_layout(p, u->x);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    if (!channels)
        return kx_plan_nomem(p);
    if ((st = kx_accel_binary(p->plan->accel, KX_BINARY_MUL, x->layout, channels, channels, u->act,
                              &prim)) < 0)
        return st;
    unbound(bind);
    bind[KX_SRC] = x->buffer;
    if ((st = kx_buffer_fixed(p, u->scale, &bind[KX_SRC1])) < 0 ||
        (st = kx_buffer_fixed(p, u->shift, &bind[KX_ADDEND])) < 0 ||
        (st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    remember(kx_place_of(p, u->out), kx_prim_layout(prim, KX_DST), s->buf[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_window(kx_planner *p, kx_unit *u)
{
    const struct kx_copy *x = primary(p, u->x);
    int32_t bind[KX_SLOTS], buffer;
    const kx_layout *layout;
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    if (u->kind == KX_UNIT_POOL)
        st = kx_accel_pool(p->plan->accel, &u->pool, x->layout,
                           u->active && u->pool.kind == KX_POOL_MAX, &prim);
    else
        st = kx_accel_lrn(p->plan->accel, &u->lrn, x->layout, u->active, &prim);
    if (st < 0)
        return st;
    unbound(bind);
    bind[KX_SRC] = x->buffer;
    if ((st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    u->forward = prim;
    u->workspace = s->buf[KX_WORKSPACE];
    layout = kx_prim_layout(prim, KX_DST);
    buffer = s->buf[KX_DST];
    if (u->out->shape.rank != 4) { /* ReduceMean without keepdims: [N][C][1][1] -> [N][C] */
        const kx_shape full = {4, {u->pool.batch, u->pool.channels, 1, 1}};
        const kx_layout *plain = kx_layout_plain(p->plan->accel, &full);

        if (!plain)
            return kx_plan_nomem(p);
        if (!kx_layout_equal(plain, layout) &&
            (st = kx_reorder(p, u, buffer, layout, plain, &buffer)) < 0)
            return st;
        if (!(layout = kx_layout_plain(p->plan->accel, &u->out->shape)))
            return kx_plan_nomem(p);
    }
    remember(kx_place_of(p, u->out), layout, buffer);
    return KLDVE_OK;
}

static kldve_status forward_act(kx_planner *p, kx_unit *u)
{
    const struct kx_copy *x = primary(p, u->x);
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kx_step *s;
    kldve_status st = kx_accel_act(p->plan->accel, u->act, x->layout, &prim);

    if (st < 0)
        return st;
    unbound(bind);
    bind[KX_SRC] = x->buffer;
    if ((st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    remember(kx_place_of(p, u->out), x->layout, s->buf[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_binary(kx_planner *p, kx_unit *u)
{
    return combine(p, u, u->x, u->binary);
}

static int32_t whole_of(const kx_plan *plan, int32_t buffer)
{
    while (plan->buffer[buffer].whole >= 0)
        buffer = plan->buffer[buffer].whole;
    return buffer;
}

static size_t offset_in_whole(const kx_plan *plan, int32_t buffer)
{
    size_t offset = 0;

    for (; plan->buffer[buffer].whole >= 0; buffer = plan->buffer[buffer].whole)
        offset += plan->buffer[buffer].offset;
    return offset;
}

/* How many of the `n` buffers make up, one behind another, the whole that the first is a part of; 1
 * if it is a part of nothing, 0 if they do not fit together. */
static int32_t count_parts(const kx_plan *plan, int32_t n, const int32_t *buffer)
{
    int32_t whole = whole_of(plan, buffer[0]), i = 0;
    size_t end = 0;

    if (plan->buffer[whole].fixed)
        return 0;
    if (whole == buffer[0])
        return 1;
    while (i < n && end < plan->buffer[whole].bytes) {
        if (whole_of(plan, buffer[i]) != whole || offset_in_whole(plan, buffer[i]) != end)
            return 0;
        end += plan->buffer[buffer[i++]].bytes;
    }
    return end == plan->buffer[whole].bytes ? i : 0;
}

/* Let the units that make the parts write them where the concatenation wants them: no step at all.
 * In a dense block, where the concatenations grow by a part each, all of them become one buffer.
 * *done is false where that cannot be. */
static kldve_status join(kx_planner *p, kx_unit *u, const kx_layout *const *layout,
                         const int32_t *buffer, bool *done)
{
    kx_plan *plan = p->plan;
    int32_t n = u->node->nin, parts, whole;
    const kx_layout *all = kx_layout_join(plan->accel, n, layout, u->axis);
    size_t offset = 0;
    kldve_status st;

    *done = false;
    if (!all || u->out == p->options.layer) /* feature maps from outside go there, and there only */
        return KLDVE_OK;
    for (int32_t i = 0; i < n; i++)
        if (kx_place_of(p, u->node->in[i])->producer < 0)
            return KLDVE_OK; /* the input */
    for (int32_t i = 0; i < n; i += parts) {
        for (int32_t k = 0; k < i; k++)
            if (whole_of(plan, buffer[i]) == whole_of(plan, buffer[k]))
                return KLDVE_OK; /* the same part twice, or a concatenation and its parts */
        if ((parts = count_parts(plan, n - i, buffer + i)) == 0)
            return KLDVE_OK;
    }
    if ((st = kx_buffer_new(p, kx_layout_bytes(all), &whole)) < 0)
        return st;
    plan->buffer[whole].joined = true;
    for (int32_t i = 0; i < n; i += parts) {
        kx_buffer *b = &plan->buffer[whole_of(plan, buffer[i])];

        parts = count_parts(plan, n - i, buffer + i);
        b->whole = whole;
        b->offset = offset;
        b->joined = true;
        offset += b->bytes;
    }
    remember(kx_place_of(p, u->out), all, whole);
    *done = true;
    return KLDVE_OK;
}

static kldve_status forward_concat(kx_planner *p, kx_unit *u)
{
    const kx_layout *layout[KX_MAX_IN] = {NULL};
    int32_t bind[KX_SLOTS];
    bool done;
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    unbound(bind);
    for (int32_t i = 0; i < u->node->nin; i++) {
        layout[i] = primary(p, u->node->in[i])->layout;
        bind[KX_MULTI + i] = primary(p, u->node->in[i])->buffer;
    }
    if ((st = join(p, u, layout, bind + KX_MULTI, &done)) < 0 || done)
        return st;
    if ((st = kx_accel_concat(p->plan->accel, u->node->nin, layout, u->axis, &prim)) < 0 ||
        (st = kx_step_prim(p, u, prim, bind, &s)) < 0)
        return st;
    remember(kx_place_of(p, u->out), kx_prim_layout(prim, KX_DST), s->buf[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_dense(kx_planner *p, kx_unit *u)
{
    const struct kx_dense *d = &u->dense;
    const kx_layout *layout = kx_layout_plain(p->plan->accel, &u->out->shape);
    int32_t bind[KX_SLOTS];
    kx_prim *prim = NULL;
    kx_step *s;
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    unbound(bind);
    if (d->m > KX_DENSE_ROWS && (st = kx_accel_matmul(p->plan->accel, d->m, d->k, d->n, d->transposed,
                                                   d->bias != NULL, u->act, &prim)) < 0)
        return st;
    if ((st = kx_value_in(p, u, u->x, NULL, &bind[KX_SRC])) < 0)
        return st;
    if (prim) {
        if ((st = kx_buffer_fixed(p, d->weights, &bind[KX_WEIGHTS])) < 0 ||
            (d->bias && (st = kx_buffer_fixed(p, d->bias, &bind[KX_BIAS])) < 0) ||
            (st = kx_step_prim(p, u, prim, bind, &s)) < 0)
            return st;
    } else {
        if ((st = kx_step_new(p, KX_STEP_DENSE, u, &s)) < 0)
            return st;
        s->buf[KX_SRC] = bind[KX_SRC];
        if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s->buf[KX_DST])) < 0)
            return st;
        kx_step_done(p, s);
    }
    remember(kx_place_of(p, u->out), layout, s->buf[KX_DST]);
    return KLDVE_OK;
}

static kldve_status forward_view(kx_planner *p, kx_unit *u)
{
    const kx_layout *layout = NULL;
    int32_t buffer;
    kldve_status st = kx_value_in(p, u, u->x, NULL, &buffer);

    if (st < 0)
        return st;
    if (u->out->dtype == KX_F32 && !(layout = kx_layout_plain(p->plan->accel, &u->out->shape)))
        return kx_plan_nomem(p);
    if (u->out == p->options.layer && /* feature maps from outside go there, and there only */
        (st = kx_reorder(p, u, buffer, layout, layout, &buffer)) < 0)
        return st;
    remember(kx_place_of(p, u->out), layout, buffer);
    return KLDVE_OK;
}

static kldve_status forward_node(kx_planner *p, kx_unit *u)
{
    const kx_node *n = u->node;
    size_t scratch = n->op->scratch_size ? n->op->scratch_size(n) : 0;
    size_t slots = (size_t)n->nin + 2 * (size_t)n->nout;
    int32_t *list = kx_new(p->g, slots, sizeof *list);
    kx_step *s;
    kldve_status st;

    if (!list)
        return kx_plan_nomem(p);
    for (size_t i = 0; i < slots; i++)
        list[i] = -1;
    for (int32_t i = 0; i < n->nin; i++)
        if (n->in[i] && (st = kx_value_in(p, u, n->in[i], NULL, &list[i])) < 0)
            return st;
    if ((st = kx_step_new(p, KX_STEP_NODE, u, &s)) < 0)
        return st;
    s->list = list;
    if (scratch && (st = kx_buffer_new(p, scratch, &s->buf[KX_SCRATCH])) < 0)
        return st;
    for (int32_t i = 0; i < n->nout; i++) {
        const kx_value *v = n->out[i];
        const kx_layout *layout = NULL;

        if (!v)
            continue;
        if (v->dtype == KX_F32 && !(layout = kx_layout_plain(p->plan->accel, &v->shape)))
            return kx_plan_nomem(p);
        if ((st = kx_buffer_new(p, v->count * kx_dtype_size(v->dtype), &list[n->nin + i])) < 0)
            return st;
        remember(kx_place_of(p, v), layout, list[n->nin + i]);
    }
    kx_step_done(p, s);
    return KLDVE_OK;
}

static kldve_status forward_unit(kx_planner *p, kx_unit *u)
{
    static kldve_status (*const forward[])(kx_planner *, kx_unit *) = {
        [KX_UNIT_NODE] = forward_node,     [KX_UNIT_VIEW] = forward_view,
        [KX_UNIT_CONV] = forward_conv,     [KX_UNIT_AFFINE] = forward_affine,
        [KX_UNIT_POOL] = forward_window,   [KX_UNIT_LRN] = forward_window,
        [KX_UNIT_ACT] = forward_act,       [KX_UNIT_BINARY] = forward_binary,
        [KX_UNIT_CONCAT] = forward_concat, [KX_UNIT_DENSE] = forward_dense};
    kldve_status st = forward[u->kind](p, u);

    /* Units of one node can always run as that node. */
    if (st == KLDVE_E_UNSUPPORTED &&
        (u->kind == KX_UNIT_POOL || u->kind == KX_UNIT_LRN || u->kind == KX_UNIT_CONCAT ||
         (u->kind == KX_UNIT_BINARY && u->act.kind == KX_ACT_NONE))) {
        u->kind = KX_UNIT_NODE;
        st = forward_node(p, u);
    }
    return st == KLDVE_E_UNSUPPORTED ? failed(p, u, st) : st;
}

/* ---- which nodes, and how values are used
 * -------------------------------------------------------------- */

static kldve_status find_needed(kx_planner *p)
{
    kx_graph *g = p->g;

    p->needed = kx_new(g, (size_t)g->nnode, sizeof *p->needed);
    p->place = kx_new(g, (size_t)g->nvalue, sizeof *p->place);
    p->plan->unit = kx_new(g, (size_t)g->nnode, sizeof *p->plan->unit);
    if (!p->needed || !p->place || !p->plan->unit)
        return kx_plan_nomem(p);
    for (int32_t i = 0; i < g->nvalue; i++) {
        p->place[i].producer = -1;
        p->place[i].grad = -1;
    }
    kx_place_of(p, p->options.logits)->keep = true;
    if (p->options.layer)
        kx_place_of(p, p->options.layer)->keep = true;
    for (int32_t i = g->nnode - 1; i >= 0; i--) {
        const kx_node *n = &g->node[i];

        for (int32_t k = 0; k < n->nout; k++)
            if (n->out[k] &&
                (kx_place_of(p, n->out[k])->uses > 0 || kx_place_of(p, n->out[k])->keep))
                p->needed[i] = true;
        for (int32_t k = 0; p->needed[i] && k < n->nin; k++)
            if (n->in[k])
                kx_place_of(p, n->in[k])->uses++;
    }
    return KLDVE_OK;
}

static void find_last_uses(kx_planner *p)
{
    for (int32_t i = 0; i < p->plan->nunit; i++) {
        const kx_unit *u = &p->plan->unit[i];

        if (u->kind == KX_UNIT_NODE || u->kind == KX_UNIT_CONCAT) {
            for (int32_t k = 0; k < u->node->nin; k++)
                if (u->node->in[k])
                    kx_place_of(p, u->node->in[k])->last_use = u->order;
            continue;
        }
        if (u->x)
            kx_place_of(p, u->x)->last_use = u->order;
        if (u->y)
            kx_place_of(p, u->y)->last_use = u->order;
    }
}

/* ---- from the layer on
 * ---------------------------------------------------------------------------------------- */

/* Which units and values depend on the layer. */
static void mark_after(kx_planner *p)
{
    if (p->options.layer)
        kx_place_of(p, p->options.layer)->after = true;
    for (int32_t i = 0; i < p->plan->nunit; i++) {
        kx_unit *u = &p->plan->unit[i];
        bool every = u->kind == KX_UNIT_NODE || u->kind == KX_UNIT_CONCAT;

        if (every)
            for (int32_t k = 0; k < u->node->nin; k++)
                u->after = u->after || (u->node->in[k] && kx_place_of(p, u->node->in[k])->after);
        else
            u->after = kx_place_of(p, u->x)->after || (u->y && kx_place_of(p, u->y)->after);
        if (!u->after)
            continue;
        kx_place_of(p, u->out)->after = true;
        for (int32_t k = 0; u->kind == KX_UNIT_NODE && k < u->node->nout; k++)
            if (u->node->out[k])
                kx_place_of(p, u->node->out[k])->after = true;
    }
}

/* A step from the layer on reads a buffer: what steps before the layer wrote must stay, and must
 * have its place to itself when the first of those steps, `head`, runs again. */
static void keep_for_head(kx_planner *p, int32_t buffer, int32_t layer, int32_t head)
{
    kx_plan *plan = p->plan;
    kx_buffer *b = &plan->buffer[buffer];

    if (buffer == layer) {
        b->last = plan->nstep;
        return;
    }
    if (b->fixed || (buffer != plan->input.buffer && plan->step[b->first].head))
        return;
    b->first = b->first < head ? b->first : head;
    b->last = plan->nstep;
    plan->aside = true;
}

/* Steps that put feature maps in the layer's place, and what the steps behind it need to run by
 * themselves.  `outputs`: the first of the steps that only hand out features and logits. */
static kldve_status plan_entry(kx_planner *p, int32_t outputs)
{
    kx_plan *plan = p->plan;
    const struct kx_copy *at = primary(p, p->options.layer);
    const kx_layout *plain = kx_layout_plain(plan->accel, &p->options.layer->shape);
    int32_t bind[KX_SLOTS], layer = at->buffer;
    bool *read = kx_new(p->g, (size_t)plan->nbuffer, sizeof *read);
    int32_t nbuffer = plan->nbuffer, head = 0;
    kx_prim *prim;
    kx_step *s;
    kldve_status st;

    if (!plain || !read)
        return kx_plan_nomem(p);
    for (int32_t i = 0; i < plan->forward; i++)
        plan->step[i].head = plan->step[i].unit ? plan->step[i].unit->after : i >= outputs;
    plan->entry = (kx_port){layer, p->options.layer->count};
    if (!kx_layout_equal(at->layout, plain)) {
        if ((st = kx_accel_reorder(plan->accel, plain, at->layout, &prim)) < 0)
            return failed(p, NULL, st);
        unbound(bind);
        if ((st = kx_buffer_new(p, plan->entry.count * sizeof(float), &bind[KX_SRC])) < 0)
            return st;
        bind[KX_DST] = layer;
        plan->entry.buffer = bind[KX_SRC];
        if ((st = kx_step_prim(p, NULL, prim, bind, &s)) < 0)
            return st;
    }
    while (head < plan->forward && !plan->step[head].head)
        head++;
    read[layer] = true;
    for (int32_t i = 0; i < plan->forward; i++) {
        const kx_step *step = &plan->step[i];

        if (!step->head)
            continue;
        for (int k = 0; k < KX_SLOTS; k++)
            if (step->buf[k] >= 0)
                read[step->buf[k]] = true;
        for (int32_t k = 0; step->list && k < step->node->nin; k++)
            if (step->list[k] >= 0)
                read[step->list[k]] = true;
    }
    /* Who reads a concatenation in place reads its parts, which were planned before it. */
    for (int32_t i = nbuffer - 1; i >= 0; i--) {
        int32_t whole = plan->buffer[i].whole;

        if (whole >= 0 && whole != layer && read[whole])
            read[i] = true;
    }
    for (int32_t i = 0; i < nbuffer; i++)
        if (plan->buffer[i].whole >= 0 && plan->buffer[i].whole != layer)
            read[plan->buffer[i].whole] = false;
    for (int32_t i = 0; i < nbuffer; i++)
        if (read[i])
            keep_for_head(p, i, layer, head);
    return KLDVE_OK;
}

/* ---- memory
 * ------------------------------------------------------------------------------------------------
 */

/* A concatenation in place, which was planned behind its parts, lives from the first of them to the
 * last reader of any. */
static void extend_wholes(kx_plan *plan)
{
    for (int32_t i = 0; i < plan->nbuffer; i++) {
        const kx_buffer *b = &plan->buffer[i];
        kx_buffer *whole = b->whole < 0 ? NULL : &plan->buffer[b->whole];

        if (whole && b->first < whole->first)
            whole->first = b->first;
        if (whole && b->last > whole->last)
            whole->last = b->last;
    }
}

/* Of the forward pass: read by a VJP, which may run again. */
static bool outlives_forward(const kx_plan *plan, const kx_buffer *b)
{
    return b->first < plan->forward && b->last >= plan->forward;
}

static kldve_status place_buffers(kx_planner *p)
{
    kx_plan *plan = p->plan;
    size_t n = (size_t)plan->nbuffer;
    kx_lifetime *life = kx_new(p->g, n, sizeof *life);
    size_t *offset = kx_new(p->g, n, sizeof *offset);
    int32_t *index = kx_new(p->g, n, sizeof *index), count = 0; /* of those that have a place */
    int32_t *scratch = kx_new(p->g, n, 2 * sizeof *scratch);

    if (!life || !offset || !index || !scratch)
        return kx_plan_nomem(p);
    extend_wholes(plan);
    for (int32_t i = 0; i < plan->nbuffer; i++) {
        const kx_buffer *b = &plan->buffer[i];

        if (b->fixed || b->whole >= 0)
            continue;
        life[count] = (kx_lifetime){b->bytes, b->first,
                                    outlives_forward(plan, b) ? plan->nstep : b->last};
        index[count++] = i;
    }
    if (!kx_place_buffers(life, count, scratch, offset, &plan->state_bytes))
        return kldve_ctx_fail(p->ctx, KLDVE_E_LIMIT,
                              "the network needs more working memory than can be addressed");
    for (int32_t k = 0; k < count; k++)
        plan->buffer[index[k]].offset = offset[k];
    for (int32_t i = plan->nbuffer - 1; i >= 0; i--)
        if (plan->buffer[i].whole >= 0)
            plan->buffer[i].offset += plan->buffer[plan->buffer[i].whole].offset;
    if (p->options.max_bytes && plan->state_bytes > p->options.max_bytes)
        return kldve_ctx_failf(p->ctx, KLDVE_E_LIMIT,
                               "the network needs %zu MiB of working memory, the limit is %zu MiB",
                               plan->state_bytes >> 20, p->options.max_bytes >> 20);
    return KLDVE_OK;
}

/* ---- the whole
 * -----------------------------------------------------------------------------------------------
 */

/* A size that no plan should even try: refused before oneDNN is asked for anything. */
static kldve_status check_sizes(kx_planner *p)
{
    for (int32_t i = 0; i < p->g->nvalue; i++) {
        const kx_value *v = p->g->value[i];
        const kx_place *at = &p->place[i];

        if ((at->uses || at->keep) && !v->raw && p->options.max_bytes &&
            v->count > p->options.max_bytes / kx_dtype_size(v->dtype))
            return kldve_ctx_failf(p->ctx, KLDVE_E_LIMIT,
                                   "tensor '%.80s' has %zu elements, more than %zu MiB", v->name,
                                   v->count, p->options.max_bytes >> 20);
    }
    return KLDVE_OK;
}

static kldve_status plan_input(kx_planner *p)
{
    const kx_value *v = p->options.input;
    const kx_layout *plain = kx_layout_plain(p->plan->accel, &v->shape);
    kldve_status st;

    if (!plain)
        return kx_plan_nomem(p);
    p->plan->input.count = v->count;
    if ((st = kx_buffer_new(p, v->count * sizeof(float), &p->plan->input.buffer)) < 0)
        return st;
    remember(kx_place_of(p, v), plain, p->plan->input.buffer);
    return KLDVE_OK;
}

static kldve_status plan_output(kx_planner *p, const kx_value *v, kx_port *port)
{
    kldve_status st = kx_value_in(p, NULL, v, NULL, &port->buffer);

    port->count = v->count;
    touch(p, port->buffer);
    return st;
}

static kldve_status build(kx_planner *p)
{
    kx_plan *plan = p->plan;
    kx_value *deepest = p->options.vjp_input ? p->options.input : p->options.layer;
    int32_t outputs;
    kldve_status st;

    if ((st = find_needed(p)) < 0 || (st = check_sizes(p)) < 0 || (st = kx_fuse(p)) < 0)
        return st;
    find_last_uses(p);
    mark_after(p);
    if ((p->options.vjp || p->options.vjp_input) && (st = kx_mark_active(p, deepest)) < 0)
        return st;
    if ((st = plan_input(p)) < 0)
        return st;
    for (int32_t i = 0; i < plan->nunit; i++)
        if ((st = forward_unit(p, &plan->unit[i])) < 0)
            return st;
    outputs = plan->nstep;
    if (p->options.layer && (st = plan_output(p, p->options.layer, &plan->features)) < 0)
        return st;
    if (p->options.layer != p->options.logits) /* else what hands out one hands out both */
        outputs = plan->nstep;
    if ((st = plan_output(p, p->options.logits, &plan->logits)) < 0)
        return st;
    plan->forward = plan->nstep;
    touch(p, plan->logits.buffer);
    touch(p, plan->features.buffer);
    if (p->options.vjp &&
        (st = kx_plan_backward(p, p->options.layer, &plan->cotangent[0], &plan->gradient[0])) < 0)
        return st;
    plan->backward[0] = plan->nstep;
    if (p->options.vjp_input &&
        (st = kx_plan_backward(p, p->options.input, &plan->cotangent[1], &plan->gradient[1])) < 0)
        return st;
    plan->backward[1] = plan->nstep;
    if (p->options.layer && (st = plan_entry(p, outputs)) < 0)
        return st;
    return place_buffers(p);
}

kldve_status kx_plan_new(kldve_ctx *ctx, kx_graph *g, const kx_plan_options *options, kx_plan **out)
{
    kx_planner p = {.ctx = ctx, .g = g, .options = *options};
    int threads = omp_get_max_threads();
    kldve_status st;

    p.plan = kldve_ctx_alloc(ctx, 1, sizeof *p.plan);
    if (!p.plan)
        return kx_plan_nomem(&p);
    memset(p.plan, 0, sizeof *p.plan);
    p.plan->ctx = ctx;
    p.plan->graph = g;
    p.plan->threads = options->threads;
    p.plan->input.buffer = p.plan->logits.buffer = p.plan->features.buffer = -1;
    p.plan->entry.buffer = -1;
    for (int i = 0; i < 2; i++)
        p.plan->gradient[i].buffer = p.plan->cotangent[i].buffer = -1;
    omp_set_num_threads(options->threads); /* oneDNN plans for the threads it will find */
    /* Relevance divides by sums that may be near 0, which Winograd's rounding would change. */
    if ((st = kx_accel_new(ctx, options->direct || kx_rule_is_lrp(options->rule),
                           &p.plan->accel)) == KLDVE_OK)
        st = build(&p);
    omp_set_num_threads(threads);
    if (st < 0) {
        kx_plan_free(p.plan);
        return st;
    }
    *out = p.plan;
    return KLDVE_OK;
}

void kx_plan_free(kx_plan *plan)
{
    if (!plan)
        return;
    for (int32_t i = 0; i < plan->npacked; i++)
        kldve_ctx_release(plan->ctx, plan->packed[i].memory);
    kldve_ctx_release(plan->ctx, plan->packed);
    kldve_ctx_release(plan->ctx, plan->step);
    kldve_ctx_release(plan->ctx, plan->buffer);
    kx_accel_free(plan->accel);
    kldve_ctx_release(plan->ctx, plan);
}
