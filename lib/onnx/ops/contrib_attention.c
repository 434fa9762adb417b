/* contrib_attention.c - Attention, QAttention, MultiHeadAttention of ONNX Runtime (domain
 * com.microsoft), taken apart:
 *
 *     y = softmax(scale q k^T + bias + mask) v   for each head
 *
 * with q, k, v [batch][tokens][heads * size] brought to [batch][heads][tokens][size] and back.
 * Where a mask is 0, the bias is `mask_filter_value`, a finite number. */
#include <math.h>

#include "basic.h"
#include "emit.h"
#include "emit_attention.h"
#include "families.h"
#include "quantise.h"

static const char ours[] = "com.microsoft";

typedef struct heads {
    int64_t count;
    float scale, filter; /* filter: added where the mask is 0 */
    bool causal;
} heads;

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

/* ---- the mask -------------------------------------------------------------------------------- */

static kx_value *filtered(kx_expander *e, const heads *h, kx_value *keep)
{
    kx_value *drop = kx_emit2(e, "Sub", kx_emit_float(e, 1), kx_emit_cast(e, keep, KX_ONNX_FLOAT));

    return kx_emit2(e, "Mul", drop, kx_emit_float(e, h->filter));
}

static kldve_status check_mask(kx_expander *e, const kx_value *mask)
{
    if (mask && (mask->shape.rank < 1 || mask->shape.rank > 3 || mask->dtype == KX_F32))
        return kx_refuse(e->g, e->n,
                         "a mask is supported as integers [batch][keys], [batch][queries][keys] or "
                         "as numbers of keys [batch]");
    return KLDVE_OK;
}

/* Numbers of keys [batch], or 0 and 1 for each key, or for each query and key. */
static kx_value *mask_bias(kx_expander *e, const heads *h, kx_value *mask, int64_t keys)
{
    const int64_t *d = mask->shape.dim, each[4] = {d[0], 1, 1, 1}, key[4] = {d[0], 1, 1, -1};
    const int64_t both[4] = {d[0], 1, mask->shape.rank == 3 ? d[1] : 1, -1};

    if (mask->shape.rank == 1)
        return filtered(
            e, h,
            kx_emit2(e, "Less", kx_emit_range(e, 0, keys), kx_emit_reshape(e, mask, each, 4)));
    return filtered(e, h, kx_emit_reshape(e, mask, mask->shape.rank == 2 ? key : both, 4));
}

/* `filter` behind the query. */
static kx_value *causal_bias(kx_expander *e, const heads *h, int64_t tokens)
{
    int64_t dim[2] = {tokens, tokens};
    kx_value *all = kx_emit2(e, "Expand", kx_emit_float(e, h->filter), kx_emit_ints(e, dim, 2));

    return kx_emit(e, "Trilu", (kx_value *[]){all, kx_emit_int(e, 1)}, 2, NULL, 0);
}

static kx_value *plus(kx_expander *e, kx_value *a, kx_value *b)
{
    return !a ? b : b ? kx_emit2(e, "Add", a, b) : a;
}

/* ---- attention ------------------------------------------------------------------------------- */

/* Of q, k, v [batch][tokens][heads * size]. */
static kx_value *attend(kx_expander *e, const heads *h, kx_value *const qkv[3], kx_value *mask,
                        kx_value *bias)
{
    int64_t size = qkv[0]->shape.dim[2] / h->count;
    kx_attention a = {.bias = bias, .sees = true};

    a.scale = h->scale != 0.0f ? h->scale : 1.0f / sqrtf((float)(size > 0 ? size : 1));
    a.q = kx_emit_heads(e, qkv[0], h->count, false);
    a.columns = kx_emit_heads(e, qkv[1], h->count, true);
    a.v = kx_emit_heads(e, qkv[2], h->count, false);
    if (mask)
        a.bias = plus(e, a.bias, mask_bias(e, h, mask, qkv[1]->shape.dim[1]));
    if (h->causal)
        a.bias = plus(e, a.bias, causal_bias(e, h, qkv[0]->shape.dim[1]));
    return kx_emit_joined_heads(e, kx_emit_attention(e, &a));
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

/* Of the product with the weights of all three. */
static kldve_status attend_all(kx_expander *e, const heads *h, kx_value *all, kx_value *mask,
                               kx_value *bias)
{
    kx_value *qkv[3];
    kldve_status st = e->status;

    if (st < 0 || (st = check_tokens(e, all, 1)) < 0 || (st = cut(e, all, qkv)) < 0)
        return st;
    for (int i = 0; i < 3; i++)
        if ((st = check_tokens(e, qkv[i], h->count)) < 0)
            return st;
    e->out[0] = attend(e, h, qkv, mask, bias);
    return e->status;
}

/* input, weights, bias, mask_index, past, attention_bias */
static kldve_status expand_attention(kx_expander *e)
{
    kx_value *all;
    heads h;
    kldve_status st = kx_expect(e->g, e->n, 2, 7, KX_MAX_OUT);

    if (st < 0 || (st = read_heads(e, &h)) < 0 || (st = check_mask(e, kx_input(e, 3))) < 0)
        return st;
    if (kx_input(e, 4) || kx_input(e, 6))
        return kx_refuse(e->g, e->n, "a past state is not supported");
    if ((st = check_tokens(e, e->n->in[0], 1)) < 0)
        return st;
    all = plus(e, kx_emit2(e, "MatMul", e->n->in[0], e->n->in[1]), kx_input(e, 2));
    return attend_all(e, &h, all, kx_input(e, 3), kx_input(e, 5));
}

/* input, weights, bias, input_scale, weight_scale, mask_index, input_zero, weight_zero, past */
static kldve_status expand_quantised(kx_expander *e)
{
    kx_value *x, *w;
    heads h;
    kldve_status st = kx_expect(e->g, e->n, 5, 9, KX_MAX_OUT);

    if (st < 0 || (st = read_heads(e, &h)) < 0 || (st = check_mask(e, kx_input(e, 5))) < 0)
        return st;
    if (kx_input(e, 8))
        return kx_refuse(e->g, e->n, "a past state is not supported");
    if ((st = check_tokens(e, e->n->in[0], 1)) < 0)
        return st;
    x = kx_emit_dequantised(e, e->n->in[0], e->n->in[3], kx_input(e, 6), -1);
    w = kx_emit_dequantised(e, e->n->in[1], e->n->in[4], kx_input(e, 7), -1);
    return attend_all(e, &h, plus(e, kx_emit2(e, "MatMul", x, w), e->n->in[2]), kx_input(e, 5),
                      NULL);
}

/* ---- MultiHeadAttention: query, key, value, bias, key_padding_mask, attention_bias, past... ---
 */

/* Part k of [batch][tokens][heads][parts][size], as [batch][tokens][heads * size]. */
static kx_value *unpacked(kx_expander *e, kx_value *x, int64_t k)
{
    static const int64_t joined[3] = {0, 0, -1};
    const kx_attr axis = kx_attr_of_int("axis", 3);

    x = kx_emit(e, "Gather", (kx_value *[]){x, kx_emit_int(e, k)}, 2, &axis, 1);
    return kx_emit_reshape(e, x, joined, 3);
}

/* What the inputs hold, apart or packed; keys and values also as [batch][heads][tokens][size]. */
static kldve_status read_operands(kx_expander *e, kx_value *qkv[3])
{
    kx_value *key = kx_input(e, 1), *value = kx_input(e, 2);
    int64_t packed = !key ? 3 : !value ? 2 : 0;
    kx_value *pack = !key ? e->n->in[0] : key;

    qkv[0] = e->n->in[0];
    qkv[1] = key;
    qkv[2] = value;
    if (packed && (pack->shape.rank != 5 || pack->shape.dim[3] != packed || (!key && value)))
        return kx_refuse(e->g, e->n,
                         "what is packed must have the shape [batch][tokens][heads][%lld][size]",
                         (long long)packed);
    for (int i = 0; i < 3 && packed; i++)
        if (packed == 3 || i > 0)
            qkv[i] = unpacked(e, pack, packed == 3 ? i : i - 1);
    for (int i = 1; i < 3; i++)
        if (e->status == KLDVE_OK && qkv[i]->shape.rank == 4)
            qkv[i] = kx_emit_joined_heads(e, qkv[i]);
    return e->status;
}

static kldve_status expand_multi_head(kx_expander *e)
{
    kx_value *qkv[3], *bias;
    int64_t at = 0;
    heads h;
    kldve_status st = kx_expect(e->g, e->n, 1, 10, KX_MAX_OUT);

    if (st < 0 || (st = read_heads(e, &h)) < 0 || (st = check_mask(e, kx_input(e, 4))) < 0)
        return st;
    for (int32_t i = 6; i < e->n->nin; i++)
        if (e->n->in[i])
            return kx_refuse(e->g, e->n, "a past state is not supported");
    if ((st = read_operands(e, qkv)) < 0)
        return st;
    bias = kx_input(e, 3);
    for (int32_t i = 0; i < 3; i++) {
        int64_t width = qkv[i]->shape.rank == 3 ? qkv[i]->shape.dim[2] : 0;

        if ((st = check_tokens(e, qkv[i], h.count)) < 0)
            return st;
        if (bias)
            qkv[i] = kx_emit2(e, "Add", qkv[i], kx_emit_slice(e, bias, 0, at, at + width));
        at += width;
        if (e->status < 0)
            return e->status;
    }
    e->out[0] = attend(e, &h, qkv, kx_input(e, 4), kx_input(e, 5));
    return e->status;
}

#define MICROSOFT .domain = ours, .since = 1

const kx_op kx_contrib_attention_ops[] = {
    {.type = "Attention", MICROSOFT, .expand = expand_attention},
    {.type = "QAttention", MICROSOFT, .expand = expand_quantised},
    {.type = "MultiHeadAttention", MICROSOFT, .expand = expand_multi_head},
    {0},
};
