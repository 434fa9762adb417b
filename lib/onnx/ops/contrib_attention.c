/* contrib_attention.c - Attention and MultiHeadAttention of ONNX Runtime (domain com.microsoft),
 * taken apart:
 *
 *     y = softmax(scale q k^T + mask) v   for each head
 *
 * with q, k, v [batch][tokens][heads * size] brought to [batch][heads][tokens][size] and back. */
#include <math.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

static const char ours[] = "com.microsoft";

typedef struct heads {
    int64_t count;
    float scale, filter; /* filter: added where the mask is 0 */
    bool causal;
} heads;

static kx_value *input(const kx_expander *e, int32_t i)
{
    return kx_has(e->n, i) ? e->n->in[i] : NULL;
}

static kldve_status read_heads(kx_expander *e, heads *h)
{
    h->count = kx_attr_int(e->n, "num_heads", 0);
    h->scale = kx_attr_float(e->n, "scale", 0);
    h->filter = kx_attr_float(e->n, "mask_filter_value", -10000.0f);
    h->causal = kx_attr_int(e->n, "unidirectional", 0) != 0;
    if (h->count < 1)
        return kx_invalid(e->g, e->n, "attribute 'num_heads' is %lld", (long long)h->count);
    if (kx_attr_int(e->n, "do_rotary", 0) != 0)
        return kx_refuse(e->g, e->n, "attribute 'do_rotary' is not supported");
    return e->n->nout > 1 ? kx_refuse(e->g, e->n, "only output 0 is supported, no past or present")
                          : KLDVE_OK;
}

static kldve_status check_tokens(kx_expander *e, const kx_value *v, int64_t count)
{
    if (v->shape.rank != 3)
        return kx_refuse(e->g, e->n,
                         "'%.80s' has rank %d, only [batch][tokens][channels] is supported",
                         v->name, v->shape.rank);
    if (v->shape.dim[2] % count != 0)
        return kx_invalid(e->g, e->n, "%lld channels cannot be split into %lld heads",
                          (long long)v->shape.dim[2], (long long)count);
    return KLDVE_OK;
}

/* [batch][tokens][heads * size] -> [batch][heads][tokens][size], or [..][size][tokens] for keys */
static kx_value *split(kx_expander *e, const heads *h, kx_value *x, bool key)
{
    static const int64_t rows[4] = {0, 2, 1, 3}, columns[4] = {0, 2, 3, 1};
    const int64_t dim[4] = {0, 0, h->count, -1};

    return kx_emit_transpose(e, kx_emit_reshape(e, x, dim, 4), key ? columns : rows, 4);
}

/* 0 where a token may look, `filter` where it may not: -inf would make a row without any token NaN.
 */
static kx_value *causal_mask(kx_expander *e, const heads *h, int64_t tokens)
{
    int64_t dim[2] = {tokens, tokens};
    kx_value *all = kx_emit2(e, "Expand", kx_emit_float(e, h->filter), kx_emit_ints(e, dim, 2));

    return kx_emit(e, "Trilu", (kx_value *[]){all, kx_emit_int(e, 1)}, 2, NULL, 0);
}

/* A mask [batch][tokens] of 0 and 1. */
static kx_value *token_mask(kx_expander *e, const heads *h, kx_value *mask)
{
    const int64_t dim[4] = {mask->shape.dim[0], 1, 1, mask->shape.dim[1]};
    kx_attr to = kx_attr_of_int("to", KX_ONNX_FLOAT);
    kx_value *keep = kx_emit(e, "Cast", &mask, 1, &to, 1);
    kx_value *drop = kx_emit2(e, "Sub", kx_emit_float(e, 1), keep);

    return kx_emit_reshape(e, kx_emit2(e, "Mul", drop, kx_emit_float(e, h->filter)), dim, 4);
}

static kx_value *attend(kx_expander *e, const heads *h, kx_value *const qkv[3], kx_value *mask,
                        kx_value *bias)
{
    static const int64_t back[4] = {0, 2, 1, 3}, joined[3] = {0, 0, -1};
    int64_t size = qkv[0]->shape.dim[2] / h->count;
    float scale = h->scale != 0.0f ? h->scale : 1.0f / sqrtf((float)(size > 0 ? size : 1));
    kx_attr last = kx_attr_of_int("axis", -1);
    kx_value *p = kx_emit2(e, "MatMul", split(e, h, qkv[0], false), split(e, h, qkv[1], true));

    p = kx_emit2(e, "Mul", p, kx_emit_float(e, scale));
    if (bias)
        p = kx_emit2(e, "Add", p, bias);
    if (mask)
        p = kx_emit2(e, "Add", p, token_mask(e, h, mask));
    if (h->causal)
        p = kx_emit2(e, "Add", p, causal_mask(e, h, qkv[0]->shape.dim[1]));
    p = kx_emit(e, "Softmax", &p, 1, &last, 1);
    p = kx_emit2(e, "MatMul", p, split(e, h, qkv[2], false));
    return kx_emit_reshape(e, kx_emit_transpose(e, p, back, 4), joined, 3);
}

static kldve_status check_mask(kx_expander *e, const kx_value *mask)
{
    if (mask && (mask->shape.rank != 2 || mask->dtype == KX_F32))
        return kx_refuse(e->g, e->n, "a mask is supported as integers [batch][tokens] only");
    return KLDVE_OK;
}

/* q, k and v side by side in the last axis. */
static kldve_status cut(kx_expander *e, kx_value *all, kx_value *qkv[3])
{
    size_t sizes;
    const int64_t *size = kx_attr_ints(e->n, "qkv_hidden_sizes", &sizes);
    int64_t width = all->shape.dim[2], at = 0;

    if (sizes ? sizes != 3 || size[0] < 1 || size[1] != size[0] || size[2] < 1 || size[0] > width ||
                    size[2] > width || size[0] + size[1] + size[2] != width
              : width % 3 != 0)
        return kx_invalid(e->g, e->n, "%lld channels cannot be cut into queries, keys and values",
                          (long long)width);
    for (int i = 0; i < 3; i++) {
        int64_t n = sizes ? size[i] : width / 3;

        qkv[i] = kx_emit_slice(e, all, 2, at, at + n);
        at += n;
    }
    return e->status;
}

/* input, weights, bias, mask_index, past, attention_bias */
static kldve_status expand_attention(kx_expander *e)
{
    kx_value *all, *qkv[3];
    heads h;
    kldve_status st = kx_expect(e->g, e->n, 2, 7, KX_MAX_OUT);

    if (st < 0 || (st = read_heads(e, &h)) < 0 || (st = check_mask(e, input(e, 3))) < 0)
        return st;
    if (input(e, 4) || input(e, 6))
        return kx_refuse(e->g, e->n, "a past state is not supported");
    if ((st = check_tokens(e, e->n->in[0], 1)) < 0)
        return st;
    all = kx_emit2(e, "MatMul", e->n->in[0], e->n->in[1]);
    if (input(e, 2))
        all = kx_emit2(e, "Add", all, input(e, 2));
    if (e->status < 0 || (st = check_tokens(e, all, 1)) < 0 || (st = cut(e, all, qkv)) < 0)
        return e->status < 0 ? e->status : st;
    for (int i = 0; i < 3; i++)
        if ((st = check_tokens(e, qkv[i], h.count)) < 0)
            return st;
    e->out[0] = attend(e, &h, qkv, input(e, 3), input(e, 5));
    return e->status;
}

/* query, key, value, bias, key_padding_mask, attention_bias, past... */
static kldve_status expand_multi_head(kx_expander *e)
{
    kx_value *qkv[3];
    int64_t at = 0;
    heads h;
    kldve_status st = kx_expect(e->g, e->n, 1, 10, KX_MAX_OUT);

    if (st < 0 || (st = read_heads(e, &h)) < 0 || (st = check_mask(e, input(e, 4))) < 0)
        return st;
    if (!input(e, 1) || !input(e, 2))
        return kx_refuse(e->g, e->n, "queries, keys and values in one array are not supported");
    for (int32_t i = 6; i < e->n->nin; i++)
        if (e->n->in[i])
            return kx_refuse(e->g, e->n, "a past state is not supported");
    for (int32_t i = 0; i < 3; i++) {
        qkv[i] = e->n->in[i];
        if ((st = check_tokens(e, qkv[i], h.count)) < 0)
            return st;
        if (input(e, 3))
            qkv[i] = kx_emit2(e, "Add", qkv[i],
                              kx_emit_slice(e, input(e, 3), 0, at, at + e->n->in[i]->shape.dim[2]));
        at += e->n->in[i]->shape.dim[2];
        if (e->status < 0)
            return e->status;
    }
    e->out[0] = attend(e, &h, qkv, input(e, 4), input(e, 5));
    return e->status;
}

const kx_op kx_contrib_attention_ops[] = {
    {.type = "Attention", .domain = ours, .since = 1, .expand = expand_attention},
    {.type = "MultiHeadAttention", .domain = ours, .since = 1, .expand = expand_multi_head},
    {0},
};
