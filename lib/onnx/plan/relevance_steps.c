/* relevance_steps.c - see relevance_steps.h. */
#include "relevance_steps.h"

/* range of a buffer, in a new one unless the range changes nothing. */
kldve_status kx_add_clamp(kx_planner *p, const kx_unit *u, int32_t x, const kx_layout *layout,
                          kx_range range, int32_t *out)
{
    kx_clamp_step s = {range, kx_layout_bytes(layout) / sizeof(float), x, -1};
    kldve_status st;

    *out = x;
    if (range.lo == -INFINITY && range.hi == INFINITY)
        return KLDVE_OK;
    if ((st = kx_buffer_new(p, kx_layout_bytes(layout), &s.to)) < 0)
        return st;
    *out = s.to;
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_CLAMP, .as.clamp = s});
}

/* factor r / <z + z1>, all in r's layout; z1 -1: none. */
kldve_status kx_add_share(kx_planner *p, const kx_unit *u, const int32_t z[2], float factor,
                          kx_grad r, kx_grad *out)
{
    kx_share_step s = {.factor = factor,
                       .off = u->act.kind == KX_ACT_RELU,
                       .count = kx_layout_bytes(r.layout) / sizeof(float),
                       .z = z[0],
                       .z1 = z[1],
                       .from = r.buffer,
                       .to = r.buffer};
    kldve_status st;

    if (r.shared && (st = kx_buffer_new(p, kx_layout_bytes(r.layout), &s.to)) < 0)
        return st;
    *out = (kx_grad){s.to, r.layout, false};
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_SHARE, .as.share = s});
}

/* range of v times g, added to what *total holds (buffer -1: nothing yet). */
kldve_status kx_add_take(kx_planner *p, const kx_unit *u, const kx_value *v, kx_range range,
                         kx_grad g, kx_grad *total)
{
    kx_take_step s = {.range = range,
                      .count = kx_layout_bytes(g.layout) / sizeof(float),
                      .g = g.buffer,
                      .to = g.buffer};
    kldve_status st;

    if (total->buffer >= 0 && (st = kx_grad_in(p, u, v, g.layout, total)) < 0)
        return st;
    s.addend = total->buffer;
    if ((st = kx_value_in(p, u, v, g.layout, &s.x)) < 0 ||
        (g.shared && (st = kx_buffer_new(p, kx_layout_bytes(g.layout), &s.to)) < 0))
        return st;
    *total = (kx_grad){s.to, g.layout, false};
    return kx_step_add(p, u, (kx_step){.kind = KX_STEP_TAKE, .as.take = s});
}
