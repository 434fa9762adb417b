/* planner.c - see planner.h.
 *
 * Time is the number of a step.  A buffer lives from the step that writes it to the last one that
 * reads it. */
#include "planner.h"

#include <assert.h>
#include <string.h>

#include "graph/final.h"

kldve_status kx_plan_nomem(kx_planner *p)
{
    return kldve_ctx_fail(p->ctx, KLDVE_E_NOMEM, "out of memory while planning the network");
}

void *kx_plan_alloc(kx_planner *p, size_t count, size_t size)
{
    return kx_arena_alloc(&p->plan->arena, count, size);
}

void *kx_scratch(kx_planner *p, size_t count, size_t size)
{
    return kx_arena_alloc(&p->scratch, count, size);
}

kx_place *kx_place_of(kx_planner *p, const kx_value *v)
{
    return &p->place[v->id];
}

/* ---- buffers and steps ----------------------------------------------------------------------- */

/* Room for one more item in an array of the plan: doubled when full. */
kldve_status kx_grow(kx_planner *p, void **array, int32_t used, int32_t *room, size_t item)
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
    kldve_status st = kx_grow(p, &array, plan->nbuffer, &p->buffer_room, sizeof b);

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

kldve_status kx_buffer_part(kx_planner *p, int32_t whole, size_t offset, size_t bytes, int32_t *out)
{
    const int32_t now = p->plan->nstep;

    assert(offset + bytes <= p->plan->buffer[whole].bytes);
    return add_buffer(
        p, (kx_buffer){.bytes = bytes, .first = now, .last = now, .offset = offset, .whole = whole},
        out);
}

kldve_status kx_buffer_fixed(kx_planner *p, const void *memory, int32_t *out)
{
    return add_buffer(p, (kx_buffer){.fixed = (void *)(uintptr_t)memory, .whole = -1},
                      out); /* only read */
}

void kx_touch(kx_planner *p, int32_t buffer)
{
    if (buffer >= 0)
        p->plan->buffer[buffer].last = p->plan->nstep;
}

static int32_t list_of(const int32_t *from, int32_t n, int32_t *to)
{
    memcpy(to, from, (size_t)n * sizeof *to);
    return n;
}

int32_t kx_step_buffers(const kx_step *s, int32_t buffer[KX_STEP_BUFFERS])
{
    const kx_node_step *n = &s->as.node_kernel;
    int32_t count;

#define LIST(...)                                                                                  \
    list_of((const int32_t[]){__VA_ARGS__},                                                        \
            (int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), buffer)
    switch (s->kind) {
    case KX_STEP_PRIM:
        return list_of(s->as.prim.buf, KX_SLOTS, buffer);
    case KX_STEP_NODE:
    case KX_STEP_NODE_VJP:
        count = list_of(n->list, s->node->nin + 2 * s->node->nout, buffer);
        buffer[count++] = n->scratch;
        buffer[count++] = n->din;
        return count;
    case KX_STEP_DENSE:
    case KX_STEP_DENSE_VJP:
    case KX_STEP_DENSE_PART:
    case KX_STEP_DENSE_PART_VJP:
        return LIST(s->as.dense.from, s->as.dense.to, s->as.dense.bias);
    case KX_STEP_ACT:
    case KX_STEP_ACT_VJP:
        return LIST(s->as.act.seen, s->as.act.from, s->as.act.to);
    case KX_STEP_ROWS:
    case KX_STEP_ROWS_VJP:
        return LIST(s->as.rows.seen, s->as.rows.from, s->as.rows.to);
    case KX_STEP_BYTES:
        return LIST(s->as.bytes.from, s->as.bytes.second, s->as.bytes.to, s->as.bytes.scratch);
    case KX_STEP_TILES_IN:
    case KX_STEP_TILES_OUT:
        return LIST(s->as.tiles.from, s->as.tiles.to, s->as.tiles.bias);
    case KX_STEP_ADD:
        return LIST(s->as.add.a, s->as.add.b, s->as.add.to);
    case KX_STEP_ZERO:
        return LIST(s->as.zero.to);
    case KX_STEP_VISIT:
        return LIST(s->as.visit.bias, s->as.visit.gradient, s->as.visit.turned);
    case KX_STEP_ATTEND:
        return LIST(s->as.attend.weights, s->as.attend.gradient, s->as.attend.read);
    case KX_STEP_CLAMP:
        return LIST(s->as.clamp.from, s->as.clamp.to);
    case KX_STEP_SHARE:
        return LIST(s->as.share.z, s->as.share.z1, s->as.share.from, s->as.share.to);
    case KX_STEP_TAKE:
        return LIST(s->as.take.x, s->as.take.g, s->as.take.addend, s->as.take.to);
    }
#undef LIST
    return 0;
}

kldve_status kx_step_add(kx_planner *p, const kx_unit *unit, kx_step step)
{
    kx_plan *plan = p->plan;
    void *array = plan->step;
    kldve_status st = kx_grow(p, &array, plan->nstep, &p->step_room, sizeof step);
    int32_t buffer[KX_STEP_BUFFERS], n;

    plan->step = array;
    if (st < 0 || (st = kldve_ctx_poll(p->ctx)) < 0)
        return st;
    step.node = unit ? unit->node : NULL;
    step.head = unit && unit->after;
    n = kx_step_buffers(&step, buffer);
    for (int32_t i = 0; i < n; i++)
        kx_touch(p, buffer[i]);
    plan->step[plan->nstep++] = step;
    return KLDVE_OK;
}

kldve_status kx_step_prim(kx_planner *p, const kx_unit *unit, const kx_prim *prim,
                          int32_t bind[KX_SLOTS])
{
    static const int made[] = {KX_DST, KX_DIFF_SRC, KX_WORKSPACE, KX_SCRATCH};
    int32_t *buf = kx_plan_alloc(p, KX_SLOTS, sizeof *buf);
    kldve_status st;

    if (!buf)
        return kx_plan_nomem(p);
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        const kx_layout *layout = kx_prim_layout(prim, made[i]);

        if (!layout)
            bind[made[i]] = -1;
        else if (bind[made[i]] < 0 &&
                 (st = kx_buffer_new(p, kx_layout_bytes(layout), &bind[made[i]])) < 0)
            return st;
    }
    memcpy(buf, bind, KX_SLOTS * sizeof *buf);
    return kx_step_add(p, unit, (kx_step){.kind = KX_STEP_PRIM, .as.prim = {prim, buf}});
}

/* ---- values in layouts ---- */

kldve_status kx_plan_failed(kx_planner *p, const kx_unit *u, kldve_status st)
{
    if (st == KLDVE_E_NOMEM)
        return kx_plan_nomem(p);
    if (kx_is_stop(st))
        return st;
    return kldve_ctx_failf(p->ctx, st, "node '%.80s' (%.40s): oneDNN cannot run it",
                           u && u->node ? u->node->name : "", u && u->node ? u->node->type : "");
}

kldve_status kx_reorder(kx_planner *p, const kx_unit *u, int32_t from, const kx_layout *from_layout,
                        const kx_layout *to_layout, int32_t *out)
{
    int32_t bind[KX_SLOTS];
    kx_prim *prim;
    kldve_status st = kx_accel_reorder(p->plan->accel, from_layout, to_layout, &prim);

    if (st < 0)
        return kx_plan_failed(p, u, st);
    kx_unbound(bind);
    bind[KX_SRC] = from;
    if ((st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    *out = bind[KX_DST];
    return KLDVE_OK;
}

void kx_remember(kx_place *at, const kx_layout *layout, int32_t buffer)
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
        const void *data = kx_value_read(v, &p->plan->arena);
        const kx_layout *plain =
            v->dtype == KX_F32 ? kx_layout_plain(p->plan->accel, &v->shape) : NULL;
        int32_t buffer;

        if (!data || (v->dtype == KX_F32 && !plain))
            return kx_plan_nomem(p);
        if ((st = kx_buffer_fixed(p, data, &buffer)) < 0)
            return st;
        kx_remember(at, plain, buffer);
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
    kx_remember(at, layout, *out);
    return KLDVE_OK;
}

const kx_layout *kx_channel_layout(kx_planner *p, const kx_value *v)
{
    kx_shape s = {.rank = v->shape.rank};

    for (int32_t i = 0; i < s.rank; i++)
        s.dim[i] = i == 1 ? v->shape.dim[1] : 1;
    return kx_layout_plain(p->plan->accel, &s);
}

const struct kx_copy *kx_primary(kx_planner *p, const kx_value *v)
{
    return &kx_place_of(p, v)->copy[0];
}
