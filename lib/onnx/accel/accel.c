/* accel.c - the engine, and what primitives have in common: operands, post-ops, compiling. */
#include "accel/onednn.h"

#include <assert.h>
#include <string.h>

kldve_status kx_status_of(dnnl_status_t st)
{
    return st == dnnl_success         ? KLDVE_OK
           : st == dnnl_out_of_memory ? KLDVE_E_NOMEM
                                      : KLDVE_E_UNSUPPORTED;
}

static bool has_instructions(dnnl_cpu_isa_t isa)
{
    return (dnnl_get_effective_cpu_isa() & isa) == isa;
}

int kx_accel_release(void)
{
    return dnnl_version()->major;
}

bool kx_accel_has_bytes(void)
{
    return has_instructions(dnnl_cpu_isa_avx2);
}

bool kx_accel_has_long_vectors(void)
{
    return has_instructions(dnnl_cpu_isa_avx512_core);
}

bool kx_accel_has_dot_products(void)
{
    return has_instructions(dnnl_cpu_isa_avx512_core_vnni);
}

kldve_status kx_accel_new(kldve_ctx *ctx, bool direct, bool measure, kx_accel **out)
{
    kx_accel *a = kldve_ctx_alloc(ctx, 1, sizeof *a);
    dnnl_status_t st;

    if (!a)
        goto nomem;
    memset(a, 0, sizeof *a);
    a->ctx = ctx;
    a->direct = direct;
    a->measure = measure;
    a->blocked = kx_accel_has_long_vectors();
    st = kx_dnnl.engine_create(&a->engine, dnnl_cpu, 0);
    if (st == dnnl_out_of_memory)
        goto nomem;
    if (st != dnnl_success) {
        kx_accel_free(a);
        return kldve_ctx_fail(ctx, KLDVE_E_BACKEND, "oneDNN has no engine for this processor");
    }
    if (kx_attr_new(NULL, false, (kx_act){KX_ACT_NONE, 0, 0}, &a->bare) != dnnl_success)
        goto nomem;
    *out = a;
    return KLDVE_OK;
nomem:
    kx_accel_free(a);
    return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory while planning the network");
}

void kx_accel_free(kx_accel *a)
{
    if (!a)
        return;
    while (a->prims) {
        kx_prim *p = a->prims;

        a->prims = p->next;
        if (p->prim)
            dnnl_primitive_destroy(p->prim);
        dnnl_primitive_desc_destroy(p->pd);
        kldve_ctx_release(a->ctx, p);
    }
    kx_layouts_free(a);
    dnnl_primitive_attr_destroy(a->bare);
    if (a->engine)
        dnnl_engine_destroy(a->engine);
    kldve_ctx_release(a->ctx, a);
}

/* ---- operands ---- */

static const struct {
    int slot, arg;
    dnnl_query_t query;
} operands[] = {
    {KX_SRC, DNNL_ARG_SRC, dnnl_query_src_md},
    {KX_WEIGHTS, DNNL_ARG_WEIGHTS, dnnl_query_weights_md},
    {KX_DST, DNNL_ARG_DST, dnnl_query_dst_md},
    {KX_DIFF_SRC, DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md},
    {KX_DIFF_DST, DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md},
    {KX_WORKSPACE, DNNL_ARG_WORKSPACE, dnnl_query_workspace_md},
    {KX_SCRATCH, DNNL_ARG_SCRATCHPAD, dnnl_query_scratchpad_md},
};

int kx_slot_arg(int slot)
{
    assert(slot >= 0 && slot < KX_SLOTS);
    for (size_t i = 0; i < sizeof operands / sizeof operands[0]; i++)
        if (operands[i].slot == slot)
            return operands[i].arg;
    switch (slot) {
    case KX_SRC1:
        return DNNL_ARG_SRC_1;
    case KX_BIAS:
        return DNNL_ARG_BIAS;
    case KX_ADDEND:
        return DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;
    default:
        assert(slot >= KX_MULTI);
        return DNNL_ARG_MULTIPLE_SRC + (slot - KX_MULTI);
    }
}

/* Fill in the layouts that the primitive descriptor chose; an operand that it does not have keeps
 * NULL. */
static kldve_status read_operands(kx_accel *a, kx_prim *p)
{
    for (size_t i = 0; i < sizeof operands / sizeof operands[0]; i++) {
        kx_md md = dnnl_primitive_desc_query_md(p->pd, operands[i].query, 0);

        if (kx_md_rank(md) == 0)
            continue;
        if (!(p->slot[operands[i].slot] = kx_layout_copy(a, md)))
            return KLDVE_E_NOMEM;
    }
    return KLDVE_OK;
}

const kx_layout *kx_prim_layout(const kx_prim *p, int slot)
{
    assert(slot >= 0 && slot < KX_SLOTS);
    return p->slot[slot];
}

/* ---- primitives ---- */

const char *kx_code_of(const_dnnl_primitive_desc_t pd)
{
    const char *name = "";

    return dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name) == dnnl_success
               ? name
               : "";
}

kldve_status kx_prim_new(kx_accel *a, dnnl_status_t st, dnnl_primitive_desc_t pd, kx_prim **out)
{
    kx_prim *p;
    kldve_status result;

    if (st != dnnl_success)
        return kx_status_of(st);
    assert(pd);
    p = kldve_ctx_alloc(a->ctx, 1, sizeof *p);
    if (!p) {
        dnnl_primitive_desc_destroy(pd);
        return KLDVE_E_NOMEM;
    }
    memset(p, 0, sizeof *p);
    p->pd = pd;
    p->room = strstr(kx_code_of(pd), "gemm") ? KX_ROOM_PRODUCT : KX_ROOM_RUN;
    p->next = a->prims;
    a->prims = p;
    if ((result = read_operands(a, p)) < 0)
        return result;
    *out = p;
    if (a->measure)
        return KLDVE_OK;
    return kx_status_of(kx_dnnl.primitive_create(&p->prim, pd));
}

/* ---- activations and post-ops ---- */

bool kx_accel_has_act(kx_act act)
{
    return act.kind != KX_ACT_ERF && act.kind != KX_ACT_LEVEL && act.kind != KX_ACT_HARDSIGMOID;
}

kx_eltwise kx_eltwise_of(kx_act act)
{
    assert(kx_accel_has_act(act));
    switch (act.kind) {
    case KX_ACT_RELU:
        return (kx_eltwise){dnnl_eltwise_relu, 0, 0};
    case KX_ACT_LEAKY:
        return (kx_eltwise){dnnl_eltwise_relu, act.a, 0};
    case KX_ACT_CLIP:
        return (kx_eltwise){dnnl_eltwise_clip, act.a, act.b};
    case KX_ACT_SIGMOID:
        return (kx_eltwise){dnnl_eltwise_logistic, 0, 0};
    case KX_ACT_TANH:
        return (kx_eltwise){dnnl_eltwise_tanh, 0, 0};
    case KX_ACT_ELU:
        return (kx_eltwise){dnnl_eltwise_elu, act.a, 0};
    case KX_ACT_SWISH:
        return (kx_eltwise){dnnl_eltwise_swish, act.a, 0};
    case KX_ACT_HARDSWISH: /* oneDNN 2 needs neither number */
        return (kx_eltwise){dnnl_eltwise_hardswish, 1.0f / 6, 0.5f};
    case KX_ACT_GELU:
        return (kx_eltwise){dnnl_eltwise_gelu_erf, 0, 0};
    case KX_ACT_GELU_TANH:
        return (kx_eltwise){dnnl_eltwise_gelu_tanh, 0, 0};
    case KX_ACT_EXP:
        return (kx_eltwise){dnnl_eltwise_exp, 0, 0};
    case KX_ACT_POW:
        return (kx_eltwise){dnnl_eltwise_pow, 1, act.a};
    case KX_ACT_ROUND8:
    case KX_ACT_ROUND16: /* see post_act() */
    case KX_ACT_LEVEL:
    case KX_ACT_ERF:
    case KX_ACT_HARDSIGMOID: /* see kx_accel_has_act() */
    case KX_ACT_LINEAR:
    case KX_ACT_NONE:
        break;
    }
    return (kx_eltwise){dnnl_eltwise_linear, act.a, act.b};
}

/* Rounding takes four: to levels, to whole ones, into the type's range, and back.  The first is
 * written as a power, x^1 / a: of two linear post-ops oneDNN 2.6 gives both the first one's
 * numbers. */
static dnnl_status_t post_act(dnnl_post_ops_t ops, kx_act act)
{
    const kx_eltwise steps[] = {{dnnl_eltwise_pow, 1 / act.a, 1},
                                {dnnl_eltwise_round, 0, 0},
                                {dnnl_eltwise_clip, act.b, kx_act_top(act)},
                                {dnnl_eltwise_linear, act.a, 0}};
    dnnl_status_t st = dnnl_success;

    if (act.kind != KX_ACT_ROUND8 && act.kind != KX_ACT_ROUND16)
        return kx_post_eltwise(ops, kx_eltwise_of(act));
    for (size_t i = 0; i < sizeof steps / sizeof *steps && st == dnnl_success; i++)
        st = kx_post_eltwise(ops, steps[i]);
    return st;
}

dnnl_status_t kx_attr_scaled(const kx_layout *factor, kx_act act, dnnl_primitive_attr_t *out)
{
    const kx_eltwise steps[] = {{dnnl_eltwise_round, 0, 0},
                                {dnnl_eltwise_clip, act.b, kx_act_top(act)},
                                {dnnl_eltwise_linear, act.a, 0}};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t st = kx_dnnl.primitive_attr_create(&attr);

    if (st == dnnl_success)
        st = kx_dnnl.primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (st == dnnl_success)
        st = kx_dnnl.post_ops_create(&ops);
    if (st == dnnl_success)
        st = kx_dnnl.post_ops_append_binary(ops, dnnl_binary_mul, factor->md);
    for (size_t i = 0; i < sizeof steps / sizeof *steps && st == dnnl_success; i++)
        st = kx_post_eltwise(ops, steps[i]);
    if (st == dnnl_success)
        st = kx_dnnl.primitive_attr_set_post_ops(attr, ops);
    dnnl_post_ops_destroy(ops);
    if (st != dnnl_success) {
        dnnl_primitive_attr_destroy(attr);
        return st;
    }
    *out = attr;
    return dnnl_success;
}

static dnnl_status_t set_post_ops(dnnl_primitive_attr_t attr, dnnl_post_ops_t ops,
                                  const kx_layout *addend, bool sum, kx_act act)
{
    dnnl_status_t st = dnnl_success;

    if (addend)
        st = kx_dnnl.post_ops_append_binary(ops, dnnl_binary_add, addend->md);
    if (st == dnnl_success && sum)
        st = kx_post_sum(ops);
    if (st == dnnl_success && act.kind != KX_ACT_NONE)
        st = post_act(ops, act);
    return st == dnnl_success ? kx_dnnl.primitive_attr_set_post_ops(attr, ops) : st;
}

dnnl_status_t kx_attr_new(const kx_layout *addend, bool sum, kx_act act, dnnl_primitive_attr_t *out)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t st = kx_dnnl.primitive_attr_create(&attr);

    if (st == dnnl_success) /* scratch memory is ours */
        st = kx_dnnl.primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (st == dnnl_success)
        st = kx_dnnl.post_ops_create(&ops);
    if (st == dnnl_success)
        st = set_post_ops(attr, ops, addend, sum, act);
    dnnl_post_ops_destroy(ops);
    if (st != dnnl_success) {
        dnnl_primitive_attr_destroy(attr);
        return st;
    }
    *out = attr;
    return dnnl_success;
}
