/* byte_units.c - see byte_units.h.
 *
 * In front of the layer no cotangent flows, and what lies between two quantisers can be computed
 * with integers.  A value has a form if all its numbers are levels of 8 bits; units that read such
 * values and round what they make write bytes.  Where another unit reads a value too, numbers are
 * made from the bytes (byte_steps.c).
 *
 * Quantisers that stand by themselves are merged here, into the unit in front of them: it then
 * writes bytes at once. */
#include "byte_units.h"

#include <math.h>
#include <string.h>

#include "accel/rule.h"
#include "byte_pack.h"
#include "quantised.h"
#include "read/proto.h"

/* ---- forms ---- */

/* Of an activation that rounds to 8 bits. */
static kx_byte_out out_of(kx_act act)
{
    return (kx_byte_out){{act.a, (int32_t)-act.b}, act.b, kx_act_top(act)};
}

static bool form_of(kx_planner *p, const kx_value *v, kx_byte_form *form)
{
    const kx_place *at = kx_place_of(p, v);

    *form = at->form;
    return at->has_form;
}

static void give_form(kx_planner *p, const kx_value *v, kx_byte_form form)
{
    kx_place *at = kx_place_of(p, v);

    at->has_form = true;
    at->form = form;
}

static bool same_form(kx_byte_form a, kx_byte_form b)
{
    return a.scale == b.scale && a.zero == b.zero;
}

/* ---- who reads what ---- */

/* The only unit that reads v, if nothing else needs it; NULL: none. */
static kx_unit *only_reader(kx_planner *p, const kx_value *v)
{
    const kx_place *at = kx_place_of(p, v);
    kx_unit *u = at->reader >= 0 ? &p->unit[at->reader] : NULL;

    return at->keep || at->uses != 1 || !u || u->dead || u->active || u->after ? NULL : u;
}

static void find_readers(kx_planner *p)
{
    for (int32_t i = 0; i < p->g->nvalue; i++)
        p->place[i].reader = -1;
    for (int32_t i = 0; i < p->nunit; i++)
        for (int32_t k = 0; k < p->unit[i].nin; k++)
            kx_place_of(p, p->unit[i].in[k])->reader = i;
}

/* ---- what rounds ---- */

/* Is u a quantiser to 8 bits with what it makes in `out`?  The results of one that stands without
 * its dequantiser are the integers themselves: *form is that of its results. */
static bool is_rounder(kx_planner *p, const kx_unit *u, kx_byte_out *out, kx_byte_form *form)
{
    kx_act act;

    if (u->kind == KX_UNIT_ACT && u->act.kind == KX_ACT_ROUND8) {
        *out = out_of(u->act);
        *form = out->form;
        return true;
    }
    if (u->kind != KX_UNIT_NODE || !kx_quantiser_act(p, u->node, &act) || act.kind != KX_ACT_ROUND8)
        return false;
    *out = out_of(act);
    *form = (kx_byte_form){1, u->node->out[0]->onnx_type == KX_ONNX_INT8 ? -INT8_MIN : 0};
    return true;
}

/* Clipping before rounding to the same levels. */
static bool clip_first(kx_act act, kx_byte_out *out)
{
    float lo = -INFINITY, hi = INFINITY;

    if (act.kind == KX_ACT_RELU)
        lo = 0;
    else if (act.kind == KX_ACT_CLIP && act.a <= act.b)
        lo = act.a, hi = act.b;
    else if (act.kind != KX_ACT_NONE)
        return false;
    lo = nearbyintf(fmaxf(lo / out->form.scale, out->lo));
    hi = nearbyintf(fminf(hi / out->form.scale, out->hi));
    out->lo = fminf(lo, out->hi);
    out->hi = fmaxf(hi, out->lo);
    return true;
}

/* Does u round what it makes, by itself or by a quantiser behind it, which is merged then? */
static bool take_rounder(kx_planner *p, kx_unit *u, kx_byte_out *out)
{
    kx_unit *next = only_reader(p, u->out[0]);
    kx_byte_form form;

    if (u->act.kind == KX_ACT_ROUND8) {
        *out = out_of(u->act);
        give_form(p, u->out[0], out->form);
        return true;
    }
    if (!next || !is_rounder(p, next, out, &form) || !clip_first(u->act, out))
        return false;
    next->dead = true;
    u->out[0] = next->out[0];
    kx_place_of(p, u->out[0])->producer = (int32_t)(u - p->unit);
    give_form(p, u->out[0], form);
    return true;
}

/* ---- one kind of unit after the other ---- */

static kldve_status mark(kx_planner *p, kx_unit *u, kx_bytes b)
{
    if (!(u->bytes = kx_plan_alloc(p, 1, sizeof *u->bytes)))
        return kx_plan_nomem(p);
    *u->bytes = b;
    return KLDVE_OK;
}

/* A dense layer is a convolution of as many cells as it has rows. */
static kx_conv_desc conv_of(const kx_unit *u)
{
    const kx_dense *e = &u->dense;

    if (u->kind == KX_UNIT_CONV)
        return u->conv;
    return (kx_conv_desc){.batch = 1,
                          .in_channels = e->k,
                          .out_channels = e->n,
                          .groups = 1,
                          .in = {e->m, 1},
                          .out = {e->m, 1},
                          .kernel = {1, 1},
                          .stride = {1, 1},
                          .dilation = {1, 1}};
}

static kldve_status mark_conv(kx_planner *p, kx_unit *u)
{
    kx_bytes b = {.kind = KX_BYTES_CONV};
    kx_byte_form in;
    kldve_status st;

    if (!form_of(p, u->in[0], &in) || u->nin != 1 || u->scale || u->shift || !kx_byte_packable(u) ||
        !take_rounder(p, u, &b.as.conv.out))
        return KLDVE_OK;
    b.as.conv.d = conv_of(u);
    if ((st = mark(p, u, b)) < 0)
        return st;
    return kx_byte_pack(p, u, in);
}

static bool same_shape(const kx_value *a, const kx_value *b)
{
    return a->shape.rank == b->shape.rank &&
           memcmp(a->shape.dim, b->shape.dim, (size_t)a->shape.rank * sizeof a->shape.dim[0]) == 0;
}

/* One number for each channel of a picture. */
static bool is_by_channel(const kx_value *y, const kx_value *x)
{
    return x->shape.rank == 4 && y->shape.rank == 4 && x->shape.dim[0] == 1 &&
           y->shape.dim[1] == x->shape.dim[1] && (int64_t)y->count == y->shape.dim[1];
}

static kldve_status mark_binary(kx_planner *p, kx_unit *u)
{
    kx_bytes b = {.kind = KX_BYTES_BINARY};
    kx_byte_binary *d = &b.as.binary;
    const kx_value *x = u->in[0], *y = u->in[1];

    if (!form_of(p, x, &d->x) || !form_of(p, y, &d->y) ||
        (u->binary != KX_BINARY_ADD && u->binary != KX_BINARY_SUB && u->binary != KX_BINARY_MUL) ||
        (!same_shape(x, y) && !is_by_channel(y, x)) || !take_rounder(p, u, &d->out))
        return KLDVE_OK;
    d->op = u->binary;
    d->by_channel = !same_shape(x, y);
    d->channels = d->by_channel ? x->shape.dim[1] : 1;
    d->cells = (int64_t)x->count / d->channels;
    return mark(p, u, b);
}

static kldve_status mark_pool(kx_planner *p, kx_unit *u)
{
    kx_bytes b = {.kind = u->pool.kind == KX_POOL_MAX ? KX_BYTES_MAX : KX_BYTES_MEAN};

    if (!form_of(p, u->in[0], &b.as.pool.in) || u->in[0]->shape.rank != 4)
        return KLDVE_OK;
    if (u->pool.kind == KX_POOL_MAX)
        give_form(p, u->out[0], b.as.pool.in);
    b.as.pool.d = u->pool;
    return mark(p, u, b);
}

/* The unit that makes v, if it is an activation that only v's reader needs. */
static kx_unit *act_before(kx_planner *p, const kx_value *v)
{
    const kx_place *at = kx_place_of(p, v);
    kx_unit *u = at->producer >= 0 ? &p->unit[at->producer] : NULL;

    return u && u->kind == KX_UNIT_ACT && !u->dead && !u->active && at->uses == 1 && !at->keep
               ? u
               : NULL;
}

/* A quantiser of levels, or of functions of levels. */
static kldve_status mark_rounder(kx_planner *p, kx_unit *u)
{
    kx_bytes b = {.kind = KX_BYTES_TABLE};
    kx_byte_table *t = &b.as.table;
    kx_unit *chain[KX_BYTE_ACTS], *before;
    const kx_value *x = u->in[0];
    kx_byte_form form;
    int32_t n = 0;

    if (!is_rounder(p, u, &t->out, &form))
        return KLDVE_OK;
    give_form(p, u->out[0], form);
    while (!form_of(p, x, &t->in) && n < KX_BYTE_ACTS && (before = act_before(p, x))) {
        chain[n++] = before;
        x = before->in[0];
    }
    if (!form_of(p, x, &t->in)) {
        b = (kx_bytes){.kind = KX_BYTES_FROM_FLOAT, .as.cast = {t->out, u->out[0]->count}};
        return mark(p, u, b);
    }
    for (t->nact = 0; t->nact < n; t->nact++) {
        t->act[t->nact] = chain[n - 1 - t->nact]->act;
        chain[t->nact]->dead = true;
    }
    u->in[0] = x;
    t->cells = 1;
    t->channels = t->stride = (int64_t)x->count;
    return mark(p, u, b);
}

/* A dequantiser of bytes only gives them another form. */
static kldve_status mark_linear(kx_planner *p, kx_unit *u)
{
    kx_byte_form form;
    float zero;

    if (u->act.kind != KX_ACT_LINEAR || !(u->act.a > 0) || !form_of(p, u->in[0], &form))
        return KLDVE_OK;
    zero = (float)form.zero - u->act.b / (u->act.a * form.scale);
    form = (kx_byte_form){u->act.a * form.scale, (int32_t)lrintf(fminf(fmaxf(zero, 0), UINT8_MAX))};
    if (fabsf(zero - (float)form.zero) > 1e-3f)
        return KLDVE_OK;
    give_form(p, u->out[0], form);
    return mark(p, u, (kx_bytes){.kind = KX_BYTES_RENAMED});
}

static kldve_status mark_act(kx_planner *p, kx_unit *u)
{
    return u->act.kind == KX_ACT_LINEAR ? mark_linear(p, u) : mark_rounder(p, u);
}

/* Parts of one form, or rounded to one behind the concatenation. */
static kldve_status mark_concat(kx_planner *p, kx_unit *u)
{
    const kx_unit *next = only_reader(p, u->out[0]);
    kx_bytes b = {.kind = KX_BYTES_TABLE};
    kx_byte_out *out = &b.as.table.out;
    kx_byte_form form, first;
    bool same = true;

    for (int32_t i = 0; i < u->nin; i++) {
        if (!form_of(p, u->in[i], &form))
            return KLDVE_OK;
        first = i == 0 ? form : first;
        same = same && same_form(form, first);
    }
    if (u->axis != 1 || u->out[0]->shape.rank != 4)
        return KLDVE_OK;
    *out = (kx_byte_out){first, (float)-first.zero, (float)(UINT8_MAX - first.zero)};
    if (next && is_rounder(p, next, out, &form))
        (void)take_rounder(p, u, out);
    else if (same)
        give_form(p, u->out[0], first);
    else
        return KLDVE_OK;
    return mark(p, u, b);
}

/* The same bytes under another shape, where both lie row-major. */
static kldve_status mark_view(kx_planner *p, kx_unit *u)
{
    kx_byte_form form;

    if (!form_of(p, u->in[0], &form) || u->in[0]->shape.rank == 4 || u->out[0]->shape.rank == 4)
        return KLDVE_OK;
    give_form(p, u->out[0], form);
    return mark(p, u, (kx_bytes){.kind = KX_BYTES_RENAMED});
}

static kldve_status mark_unit(kx_planner *p, kx_unit *u)
{
    switch (u->kind) {
    case KX_UNIT_CONV:
    case KX_UNIT_DENSE:
        return mark_conv(p, u);
    case KX_UNIT_BINARY:
        return mark_binary(p, u);
    case KX_UNIT_POOL:
        return mark_pool(p, u);
    case KX_UNIT_CONCAT:
        return mark_concat(p, u);
    case KX_UNIT_VIEW:
        return mark_view(p, u);
    case KX_UNIT_ACT:
        return mark_act(p, u);
    case KX_UNIT_NODE:
        return mark_rounder(p, u);
    default:
        return KLDVE_OK;
    }
}

/* ---- what is not worth it ---- */

/* How values are read, from the last unit on.  Bytes made of numbers that would only be made
 * numbers again are not made. */
static void find_forms(kx_planner *p)
{
    for (int32_t i = p->nunit - 1; i >= 0; i--) {
        kx_unit *u = &p->unit[i];

        if (u->dead)
            continue;
        if (u->bytes && u->bytes->kind == KX_BYTES_FROM_FLOAT &&
            !kx_place_of(p, u->out[0])->as_bytes)
            u->bytes = NULL;
        for (int32_t k = 0; k < u->nin; k++) {
            kx_place *at = kx_place_of(p, u->in[k]);

            if (u->bytes && u->bytes->kind != KX_BYTES_FROM_FLOAT)
                at->as_bytes = true;
            else
                at->as_numbers = true;
        }
    }
}

kldve_status kx_byte_units(kx_planner *p)
{
    kldve_status st;

    if (!kx_accel_has_bytes() || p->options.plain || p->options.biases ||
        kx_rule_is_lrp(p->options.rule))
        return KLDVE_OK;
    find_readers(p);
    for (int32_t i = 0; i < p->nunit; i++) {
        kx_unit *u = &p->unit[i];

        if (u->dead || u->active || u->after)
            continue;
        if ((st = mark_unit(p, u)) < 0)
            return st;
        if (!u->bytes && u->kind != KX_UNIT_NODE && u->act.kind == KX_ACT_ROUND8)
            give_form(p, u->out[0], out_of(u->act).form);
    }
    find_forms(p);
    return KLDVE_OK;
}
