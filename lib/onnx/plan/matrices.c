/* matrices.c - z = x y:  dx = dz y^T,  dy = x^T dz.  See matrices.h. */
#include "matrices.h"

#include "packed.h"

/* ---- constant weights ---- */

kldve_status kx_dense_prim(kx_planner *p, kx_unit *u, const kx_dense *d, bool back,
                           int32_t bind[KX_SLOTS])
{
    const kx_act act = back ? (kx_act){KX_ACT_NONE, 0, 0} : u->act;
    bool packed;
    kx_prim *prim;
    kldve_status st = kx_accel_dense(p->plan->accel, d, act, &packed, &prim);

    if (st < 0)
        return st;
    st = packed ? kx_pack_dense(p, u, d, back, kx_prim_layout(prim, KX_WEIGHTS), &bind[KX_WEIGHTS])
                : kx_buffer_fixed(p, d->weights, &bind[KX_WEIGHTS]);
    if (st < 0 || (d->bias && (st = kx_buffer_fixed(p, d->bias, &bind[KX_BIAS])) < 0))
        return st;
    return kx_step_prim(p, u, prim, bind);
}

/* ---- both vary ---- */

/* A factor: a value, as it lies or plain, or a cotangent; perhaps transposed. */
typedef struct factor {
    const kx_value *value; /* NULL: a cotangent */
    struct kx_copy copy;
    bool transposed;
} factor;

/* The same memory with the last two axes exchanged. */
static const kx_layout *exchange(kx_planner *p, const kx_layout *layout, int32_t rank)
{
    int32_t perm[KX_MAX_RANK];

    for (int32_t i = 0; i < rank; i++)
        perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return kx_layout_permuted(p->plan->accel, layout, perm);
}

/* Where the elements of a factor of that rank lie. */
static kldve_status find(kx_planner *p, const kx_unit *u, factor *f, bool plain, int32_t rank)
{
    int32_t buffer;
    kldve_status st;

    if (f->value) { /* a constant has no place before somebody asks for it */
        if ((plain || f->value->raw) && (st = kx_value_in(p, u, f->value, NULL, &buffer)) < 0)
            return st;
        f->copy = *kx_primary(p, f->value);
        if (plain && !(f->copy.layout = kx_layout_plain(p->plan->accel, &f->value->shape)))
            return kx_plan_nomem(p);
        if (plain)
            f->copy.buffer = buffer;
    }
    if (f->transposed && !(f->copy.layout = exchange(p, f->copy.layout, rank)))
        return kx_plan_nomem(p);
    return KLDVE_OK;
}

/* x y, first as the values lie, which may be transposed, then from plain copies. */
static kldve_status multiply(kx_planner *p, const kx_unit *u, factor x, factor y,
                             const kx_shape *out, struct kx_copy *result)
{
    int32_t bind[KX_SLOTS];
    kldve_status st = KLDVE_E_UNSUPPORTED;

    for (int plain = 0; plain < 2 && st == KLDVE_E_UNSUPPORTED; plain++) {
        factor a = x, b = y;
        kx_prim *prim;

        if ((st = find(p, u, &a, plain, out->rank)) < 0 ||
            (st = find(p, u, &b, plain, out->rank)) < 0)
            return st;
        st = kx_accel_product(p->plan->accel, a.copy.layout, b.copy.layout, out, &prim);
        if (st < 0)
            continue;
        kx_unbound(bind);
        bind[KX_SRC] = a.copy.buffer;
        bind[KX_WEIGHTS] = b.copy.buffer;
        if ((st = kx_step_prim(p, u, prim, bind)) < 0)
            return st;
        *result = (struct kx_copy){kx_prim_layout(prim, KX_DST), bind[KX_DST]};
    }
    return st;
}

kldve_status kx_product_forward(kx_planner *p, kx_unit *u)
{
    struct kx_copy result;
    kldve_status st = multiply(p, u, (factor){.value = u->in[0]}, (factor){.value = u->in[1]},
                               &u->out[0]->shape, &result);

    if (st == KLDVE_OK)
        kx_remember(kx_place_of(p, u->out[0]), result.layout, result.buffer);
    return st;
}

kldve_status kx_product_vjp(kx_planner *p, kx_unit *u, kx_grad g, int32_t which, kx_grad *out)
{
    const factor other = {.value = u->in[1 - which], .transposed = true};
    struct kx_copy result;
    factor dz = {.value = NULL};
    kldve_status st = kx_grad_in(p, u, u->out[0], NULL, &g);

    if (st < 0)
        return st;
    dz.copy = (struct kx_copy){g.layout, g.buffer};
    st = which == 0 ? multiply(p, u, dz, other, &u->in[0]->shape, &result)
                    : multiply(p, u, other, dz, &u->in[1]->shape, &result);
    if (st == KLDVE_OK)
        *out = (kx_grad){result.buffer, result.layout, false};
    return st;
}
