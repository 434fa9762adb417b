/* byte_steps.c - see byte_steps.h. */
#include "byte_steps.h"

/* How the numbers lie that bytes are made from, or made of. */
static const kx_layout *layout_of(kx_planner *p, const kx_value *v)
{
    return v->shape.rank == 4 ? kx_layout_channels_last(p->plan->accel, &v->shape)
                              : kx_layout_plain(p->plan->accel, &v->shape);
}

static kldve_status add(kx_planner *p, const kx_unit *u, const kx_bytes *work, int32_t from,
                        int32_t second, int32_t to)
{
    kx_bytes_step s = {work, from, second, to, -1};
    size_t each = work->kind == KX_BYTES_CONV ? kx_byte_conv_scratch(&work->as.conv) : 0;
    kldve_status st;

    if (each && (st = kx_buffer_new(p, each * (size_t)p->options.threads, &s.scratch)) < 0)
        return st;
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_BYTES, .as.bytes = s});
}

/* A step that turns numbers to bytes or bytes to numbers. */
static kldve_status add_cast(kx_planner *p, const kx_unit *u, kx_bytes_kind kind, const kx_value *v,
                             int32_t from, int32_t to)
{
    kx_byte_form form = kx_place_of(p, v)->form;
    kx_bytes *work = kx_plan_alloc(p, 1, sizeof *work);

    if (!work)
        return kx_plan_nomem(p);
    *work = (kx_bytes){
        .kind = kind,
        .as.cast = {{form, (float)-form.zero, (float)(UINT8_MAX - form.zero)}, v->count}};
    return add(p, u, work, from, -1, to);
}

/* The bytes of a value that has a form. */
static kldve_status bytes_of(kx_planner *p, const kx_unit *u, const kx_value *v, int32_t *out)
{
    kx_place *at = kx_place_of(p, v);
    const kx_layout *layout;
    int32_t numbers;
    kldve_status st;

    if (at->bytes < 0) {
        if (!(layout = layout_of(p, v)))
            return kx_plan_nomem(p);
        if ((st = kx_value_in(p, u, v, layout, &numbers)) < 0 ||
            (st = kx_buffer_new(p, v->count, &at->bytes)) < 0 ||
            (st = add_cast(p, u, KX_BYTES_FROM_FLOAT, v, numbers, at->bytes)) < 0)
            return st;
    }
    *out = at->bytes;
    return KLDVE_OK;
}

/* ---- by kind ---- */

static kldve_status from_numbers(kx_planner *p, const kx_unit *u, int32_t to)
{
    const kx_layout *layout = layout_of(p, u->in[0]);
    int32_t from;
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    if ((st = kx_value_in(p, u, u->in[0], layout, &from)) < 0)
        return st;
    return add(p, u, u->bytes, from, -1, to);
}

/* Each part goes where it belongs in every cell. */
static kldve_status parts(kx_planner *p, const kx_unit *u, int32_t to)
{
    const kx_shape *s = &u->out[0]->shape;
    int64_t at = 0;
    kldve_status st;

    for (int32_t i = 0; i < u->nin; i++) {
        kx_bytes *part = kx_plan_alloc(p, 1, sizeof *part);
        int64_t channels = u->in[i]->shape.dim[1];
        int32_t from;

        if (!part)
            return kx_plan_nomem(p);
        *part = *u->bytes;
        part->as.table.in = kx_place_of(p, u->in[i])->form;
        part->as.table.cells = s->dim[0] * s->dim[2] * s->dim[3];
        part->as.table.channels = channels;
        part->as.table.at = at;
        part->as.table.stride = s->dim[1];
        at += channels;
        if ((st = bytes_of(p, u, u->in[i], &from)) < 0 || (st = add(p, u, part, from, -1, to)) < 0)
            return st;
    }
    return KLDVE_OK;
}

static kldve_status work(kx_planner *p, const kx_unit *u, int32_t to)
{
    int32_t from, second = -1;
    kldve_status st;

    if (u->bytes->kind == KX_BYTES_FROM_FLOAT)
        return from_numbers(p, u, to);
    if (u->kind == KX_UNIT_CONCAT)
        return parts(p, u, to);
    if ((st = bytes_of(p, u, u->in[0], &from)) < 0 ||
        (u->bytes->kind == KX_BYTES_BINARY && (st = bytes_of(p, u, u->in[1], &second)) < 0))
        return st;
    return add(p, u, u->bytes, from, second, to);
}

/* Means are numbers; without the axes of one cell each they lie row-major. */
static kldve_status means(kx_planner *p, kx_unit *u)
{
    const kx_value *v = u->out[0];
    const kx_layout *layout = layout_of(p, v);
    int32_t to;
    kldve_status st;

    if (!layout)
        return kx_plan_nomem(p);
    if ((st = kx_buffer_new(p, v->count * sizeof(float), &to)) < 0 || (st = work(p, u, to)) < 0)
        return st;
    kx_remember(kx_place_of(p, v), layout, to);
    return KLDVE_OK;
}

/* For units that read them as numbers. */
static kldve_status numbers_too(kx_planner *p, const kx_unit *u)
{
    const kx_value *v = u->out[0];
    kx_place *at = kx_place_of(p, v);
    const kx_layout *layout = layout_of(p, v);
    int32_t to;
    kldve_status st;

    if (!at->as_numbers && !at->keep)
        return KLDVE_OK;
    if (!layout)
        return kx_plan_nomem(p);
    if ((st = kx_buffer_new(p, v->count * sizeof(float), &to)) < 0 ||
        (st = add_cast(p, u, KX_BYTES_TO_FLOAT, v, at->bytes, to)) < 0)
        return st;
    kx_remember(at, layout, to);
    return KLDVE_OK;
}

kldve_status kx_byte_forward(kx_planner *p, kx_unit *u)
{
    kx_place *at = kx_place_of(p, u->out[0]);
    kldve_status st;

    if (u->bytes->kind == KX_BYTES_MEAN)
        return means(p, u);
    if (u->bytes->kind == KX_BYTES_RENAMED)
        st = bytes_of(p, u, u->in[0], &at->bytes);
    else if ((st = kx_buffer_new(p, u->out[0]->count, &at->bytes)) == KLDVE_OK)
        st = work(p, u, at->bytes);
    return st < 0 ? st : numbers_too(p, u);
}
