/* levels.c - see levels.h.
 *
 *     y = a clip(round(f sum of (q - z) (w - v) + b)),   f = s t / a for each channel
 *
 * with input q, weights w, bias b in integers, their scales s, t and s t, and scale a of the
 * result. The integers are held as float32, whose sums are exact up to 2^24; f is multiplied out as
 * other engines do, so that a value in the middle between two levels comes to lie on the same side.
 */
#include "levels.h"

#include <math.h>

#include "accel/rule.h"
#include "packed.h"
#include "read/proto.h"

static bool is_narrow(const kx_value *levels)
{
    return levels && (levels->onnx_type == KX_ONNX_INT8 || levels->onnx_type == KX_ONNX_UINT8);
}

/* Feature maps from outside are no levels: nothing behind the layer is rounded on their behalf. */
static bool has_levels(const kx_planner *p, const kx_unit *u)
{
    const kx_value *x = u->in[0], *w = u->node->in[1];

    return !kx_rule_is_lrp(p->options.rule) && !p->options.biases && u->nin == 1 && !u->after &&
           !u->active && !u->scale && !u->shift && u->act.kind == KX_ACT_ROUND8 &&
           is_narrow(x->levels) && x->scale->raw && x->scale->count == 1 && is_narrow(w->levels) &&
           w->scale->raw && (w->scale->count == 1 || w->scale_axis == 0);
}

/* x / scale in a layout, made once. */
static kldve_status levels_in(kx_planner *p, const kx_unit *u, float scale, const kx_layout *layout,
                              int32_t *out)
{
    const kx_value *x = u->in[0];
    kx_place *at = kx_place_of(p, x);
    kx_act_step s = {{KX_ACT_LEVEL, scale, 0}, kx_layout_bytes(layout) / sizeof(float), -1, -1, -1};
    kldve_status st;

    if (at->levels.layout && kx_layout_equal(at->levels.layout, layout)) {
        *out = at->levels.buffer;
        return KLDVE_OK;
    }
    if ((st = kx_value_in(p, u, x, layout, &s.from)) < 0 ||
        (st = kx_buffer_new(p, kx_layout_bytes(layout), &s.to)) < 0 ||
        (st = kx_step_add(p, u, (kx_step){.kind = KX_STEP_ACT, .as.act = s})) < 0)
        return st;
    at->levels = (struct kx_copy){layout, s.to};
    *out = s.to;
    return KLDVE_OK;
}

/* What the sums are multiplied by, and the scale of the bias. */
static kldve_status factors(kx_planner *p, const kx_unit *u, float s, const float *t,
                            float **factor, float **product)
{
    size_t channels = (size_t)u->conv.out_channels;
    bool one = u->node->in[1]->scale->count == 1;

    *factor = kx_plan_alloc(p, channels, sizeof **factor);
    *product = kx_plan_alloc(p, channels, sizeof **product);
    if (!*factor || !*product)
        return kx_plan_nomem(p);
    for (size_t c = 0; c < channels; c++) {
        (*product)[c] = s * t[one ? 0 : c];
        (*factor)[c] = (*product)[c] / u->act.a;
    }
    return KLDVE_OK;
}

/* b / (s t), whole where the file has whole numbers. */
static kldve_status whole_bias(kx_planner *p, const kx_unit *u, const float *product, int32_t *out)
{
    const kx_node *n = u->node;
    const kx_value *v = kx_has(n, 2) ? n->in[2] : NULL;
    const float *bias = v ? kx_value_read(v, &p->plan->arena) : NULL;
    float *whole = kx_plan_alloc(p, (size_t)u->conv.out_channels, sizeof *whole);

    if (!whole || (v && !bias))
        return kx_plan_nomem(p);
    for (int64_t c = 0; bias && c < u->conv.out_channels; c++)
        whole[c] = v->levels ? nearbyintf(bias[c] / product[c]) : bias[c] / product[c];
    return kx_buffer_fixed(p, whole, out);
}

kldve_status kx_forward_levels(kx_planner *p, kx_unit *u)
{
    const kx_layout *channels;
    const float *s, *t;
    float *factor, *product;
    int32_t bind[KX_SLOTS];
    kx_conv_desc d = u->conv;
    kx_prim *prim;
    kldve_status st;

    if (!has_levels(p, u))
        return KLDVE_E_UNSUPPORTED;
    d.act = u->act;
    s = kx_value_read(u->in[0]->scale, &p->plan->arena);
    t = kx_value_read(u->node->in[1]->scale, &p->plan->arena);
    channels = kx_channel_layout(p, u->out[0]);
    if (!s || !t || !channels)
        return kx_plan_nomem(p);
    if ((st = kx_accel_conv_scaled(p->plan->accel, &d, channels, &prim)) < 0)
        return st == KLDVE_E_NOMEM ? kx_plan_nomem(p) : st;
    kx_unbound(bind);
    if ((st = factors(p, u, *s, t, &factor, &product)) < 0 ||
        (st = levels_in(p, u, *s, kx_prim_layout(prim, KX_SRC), &bind[KX_SRC])) < 0 ||
        (st = kx_pack_whole(p, u, t, kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])) < 0 ||
        (st = whole_bias(p, u, product, &bind[KX_BIAS])) < 0 ||
        (st = kx_buffer_fixed(p, factor, &bind[KX_ADDEND])) < 0 ||
        (st = kx_step_prim(p, u, prim, bind)) < 0)
        return st;
    kx_remember(kx_place_of(p, u->out[0]), kx_prim_layout(prim, KX_DST), bind[KX_DST]);
    return KLDVE_OK;
}
