/* quantised.c - see quantised.h.
 *
 * A quantiser and the dequantiser behind it round a real value to a level of the type:
 *
 *     y = scale min(max(round(x / scale), lo), hi),   lo, hi: the type's range less the zero point
 *
 * which is an activation, merged into the convolution or sum in front of it where no cotangent
 * flows: its derivative reads x.  oneDNN then computes it on the numbers in registers. */
#include "quantised.h"

#include "fuse.h"
#include "read/proto.h"

/* One scale and zero point for all elements, both constant. */
typedef struct scaling {
    float scale, zero;
} scaling;

static bool read_scaling(kx_planner *p, const kx_node *n, scaling *out)
{
    const kx_value *zero = n->nin > 2 ? n->in[2] : NULL;
    const void *s, *z = NULL;

    if (!kx_constant_f32(n->in[1]) || n->in[1]->count != 1 ||
        (zero && (!zero->raw || zero->count != 1)))
        return false;
    s = kx_value_read(n->in[1], &p->plan->arena);
    z = zero ? kx_value_read(zero, &p->plan->arena) : NULL;
    if (!s || (zero && !z))
        return false; /* out of memory: the node runs by itself, or planning fails elsewhere */
    *out = (scaling){*(const float *)s, 0};
    if (zero)
        out->zero = zero->dtype == KX_F32 ? *(const float *)z : (float)*(const int64_t *)z;
    return true;
}

/* The smallest level of the type; false: not one of 8 or 16 bits. */
static bool lowest_level(int32_t onnx_type, kx_act_kind *kind, float *lo)
{
    *kind =
        onnx_type == KX_ONNX_INT8 || onnx_type == KX_ONNX_UINT8 ? KX_ACT_ROUND8 : KX_ACT_ROUND16;
    *lo = onnx_type == KX_ONNX_INT8 ? INT8_MIN : onnx_type == KX_ONNX_INT16 ? INT16_MIN : 0;
    return onnx_type == KX_ONNX_INT8 || onnx_type == KX_ONNX_UINT8 || onnx_type == KX_ONNX_INT16 ||
           onnx_type == KX_ONNX_UINT16;
}

bool kx_quantiser_act(kx_planner *p, const kx_node *n, kx_act *act)
{
    scaling s;

    if (!n->op->traits.rounds || n->nout != 1 || n->nin < 2 || !read_scaling(p, n, &s) ||
        !lowest_level(n->out[0]->onnx_type, &act->kind, &act->b))
        return false;
    act->a = s.scale;
    act->b -= s.zero;
    return true;
}

/* The quantiser in front of n, if nothing else reads what it makes. */
static kx_unit *quantiser_of(kx_planner *p, const kx_node *n, const scaling *s)
{
    const kx_place *at = kx_place_of(p, n->in[0]);
    kx_unit *q = at->producer < 0 || at->uses != 1 || at->keep ? NULL : &p->unit[at->producer];
    scaling same;

    if (!q || q->kind != KX_UNIT_NODE || !q->node->op->traits.rounds || q->node->nout != 1 ||
        q->node->nin < 2 || !read_scaling(p, q->node, &same) || same.scale != s->scale ||
        same.zero != s->zero)
        return NULL;
    return q;
}

/* What lies between 0 and the lowest level is rounded to it in any case: a rectifier is redundant
 * then, except for the derivative. */
static void drop_rectifier(kx_planner *p, const kx_value *x, kx_act act)
{
    const kx_place *at = kx_place_of(p, x);
    kx_unit *u =
        at->producer < 0 || at->uses != 1 || at->keep || at->flows ? NULL : &p->unit[at->producer];

    if (u && act.b == 0 && u->act.kind == KX_ACT_RELU &&
        (u->kind == KX_UNIT_CONV || u->kind == KX_UNIT_BINARY))
        u->act = (kx_act){KX_ACT_NONE, 0, 0};
}

kldve_status kx_fuse_dequantiser(kx_planner *p, kx_unit *u, const kx_node *n, int unused)
{
    kx_act act = {KX_ACT_NONE, 0, 0};
    scaling s;
    kx_unit *q;

    (void)unused;
    if (p->options.biases || !kx_varying_f32(n->in[0]) || !read_scaling(p, n, &s))
        return KLDVE_OK; /* by itself: it may be asked for a bias, which levels hide */
    q = quantiser_of(p, n, &s);
    if (!q || !lowest_level(n->in[0]->onnx_type, &act.kind, &act.b))
        return kx_fuse_act(p, u, n, n->in[0], (kx_act){KX_ACT_LINEAR, s.scale, -s.zero * s.scale});
    act.a = s.scale;
    act.b -= s.zero;
    q->dead = true;
    drop_rectifier(p, q->node->in[0], act);
    return kx_fuse_act(p, u, n, q->node->in[0], act);
}
