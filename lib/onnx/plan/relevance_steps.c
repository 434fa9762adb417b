/* relevance_steps.c - see relevance_steps.h. */
#include "relevance_steps.h"

/* range of a buffer, in a new one unless the range changes nothing. */
kldve_status kx_clamp_step(kx_planner *p, const kx_unit *u, int32_t x, const kx_layout *layout,
                          kx_range range, int32_t *out)
{
    kx_step *s;
    kldve_status st;

    *out = x;
    if (range.lo == -INFINITY && range.hi == INFINITY)
        return KLDVE_OK;
    if ((st = kx_step_new(p, KX_STEP_CLAMP, u, &s)) < 0)
        return st;
    s->range = range;
    s->count = kx_layout_bytes(layout) / sizeof(float);
    s->buf[KX_SRC] = x;
    if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s->buf[KX_DST])) < 0)
        return st;
    *out = s->buf[KX_DST];
    kx_step_done(p, s);
    return KLDVE_OK;
}

/* factor r / <z + z1>, all in r's layout; z1 -1: none. */
kldve_status kx_share_step(kx_planner *p, const kx_unit *u, const int32_t z[2], float factor,
                          kx_grad r, kx_grad *out)
{
    kx_step *s;
    kldve_status st = kx_step_new(p, KX_STEP_SHARE, u, &s);

    if (st < 0)
        return st;
    s->factor = factor;
    s->off = u->act.kind == KX_ACT_RELU;
    s->count = kx_layout_bytes(r.layout) / sizeof(float);
    s->buf[KX_SRC] = z[0];
    s->buf[KX_SRC1] = z[1];
    s->buf[KX_DIFF_DST] = s->buf[KX_DST] = r.buffer;
    if (r.shared && (st = kx_buffer_new(p, kx_layout_bytes(r.layout), &s->buf[KX_DST])) < 0)
        return st;
    *out = (kx_grad){s->buf[KX_DST], r.layout, false};
    kx_step_done(p, s);
    return KLDVE_OK;
}

/* range of v times g, added to what *total holds (buffer -1: nothing yet). */
kldve_status kx_take_step(kx_planner *p, const kx_unit *u, const kx_value *v, kx_range range,
                         kx_grad g, kx_grad *total)
{
    kx_step *s;
    int32_t x;
    kldve_status st;

    if (total->buffer >= 0 && (st = kx_grad_in(p, u, v, g.layout, total)) < 0)
        return st;
    if ((st = kx_value_in(p, u, v, g.layout, &x)) < 0 ||
        (st = kx_step_new(p, KX_STEP_TAKE, u, &s)) < 0)
        return st;
    s->range = range;
    s->count = kx_layout_bytes(g.layout) / sizeof(float);
    s->buf[KX_SRC] = x;
    s->buf[KX_DIFF_SRC] = g.buffer;
    s->buf[KX_ADDEND] = total->buffer;
    s->buf[KX_DST] = g.buffer;
    if (g.shared && (st = kx_buffer_new(p, kx_layout_bytes(g.layout), &s->buf[KX_DST])) < 0)
        return st;
    *total = (kx_grad){s->buf[KX_DST], g.layout, false};
    kx_step_done(p, s);
    return KLDVE_OK;
}
