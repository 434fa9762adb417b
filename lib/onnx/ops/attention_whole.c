/* attention_whole.c - ONNX's own Attention (opset 23 to 25) and RotaryEmbedding, taken apart.
 *
 *     y = softmax(softcap(scale q k^T) + bias) v     for each head, groups of heads sharing a key
 *
 * The bias is the sum of the mask, of -infinity for keys behind the query, and of -infinity for
 * keys that are not in use.  A query that may look at no key gives 0. */
#include "emit_attention.h"

#include <math.h>

#include "basic.h"
#include "emit.h"
#include "families.h"

enum { QUERY, KEY, VALUE, MASK, PAST_KEY, PAST_VALUE, USED };

/* ---- heads ----------------------------------------------------------------------------------- */

/* Input i as [batch][heads][tokens][size]; its heads, of the attribute or of the array. */
static kldve_status split(kx_expander *e, int32_t i, const char *attr, kx_value **out)
{
    kx_value *x = e->n->in[i];
    int64_t heads = kx_attr_int(e->n, attr, 0);

    if (x->shape.rank != e->n->in[QUERY]->shape.rank || x->shape.rank < 3 || x->shape.rank > 4)
        return kx_invalid(e->g, e->n, "input %d has rank %d; all of Q, K, V have 3 or all have 4",
                          i, x->shape.rank);
    if (!kx_is_float(x))
        return kx_invalid(e->g, e->n, "input %d must be of floating point", i);
    *out = x;
    if (x->shape.rank == 4)
        return x->shape.dim[1] < 1 ? kx_invalid(e->g, e->n, "input %d has no heads", i) : KLDVE_OK;
    if (heads < 1 || x->shape.dim[2] % heads != 0)
        return kx_invalid(e->g, e->n, "attribute '%s' is %lld for %lld channels", attr,
                          (long long)heads, (long long)x->shape.dim[2]);
    *out = kx_emit_heads(e, x, heads, false);
    return e->status;
}

/* The state of earlier calls in front of keys or values. */
static kldve_status with_past(kx_expander *e, int32_t past, kx_value **x)
{
    const kx_attr tokens = kx_attr_of_int("axis", 2);

    if (kx_input(e, past))
        *x = kx_emit(e, "Concat", (kx_value *[]){kx_input(e, past), *x}, 2, &tokens, 1);
    return e->status;
}

static kldve_status check(kx_expander *e, const kx_attention *a, const kx_value *keys)
{
    const kx_shape *q = &a->q->shape, *k = &keys->shape, *v = &a->v->shape;

    if (q->dim[0] != k->dim[0] || k->dim[0] != v->dim[0] || k->dim[1] != v->dim[1] ||
        k->dim[2] != v->dim[2] || q->dim[3] != k->dim[3] || q->dim[1] % k->dim[1] != 0)
        return kx_invalid(e->g, e->n, "queries, keys and values do not fit each other");
    return KLDVE_OK;
}

/* ---- the bias -------------------------------------------------------------------------------- */

/* A mask that is shorter than the keys: those behind it are out of sight. */
static kx_value *lengthened(kx_expander *e, kx_value *bias, int64_t keys)
{
    int32_t rank = bias ? bias->shape.rank : 0;
    int64_t pads[2 * KX_MAX_RANK] = {0}, have = rank ? bias->shape.dim[rank - 1] : keys;

    if (have >= keys || have == 1 || rank == 0)
        return bias;
    pads[2 * rank - 1] = keys - have;
    return kx_emit(
        e, "Pad",
        (kx_value *[]){bias, kx_emit_ints(e, pads, 2 * (size_t)rank), kx_emit_float(e, -INFINITY)},
        3, NULL, 0);
}

static kx_value *plus(kx_expander *e, kx_value *a, kx_value *b)
{
    return !a ? b : b ? kx_emit2(e, "Add", a, b) : a;
}

/* Where queries stand: behind the past keys, or such that the last one is the last key in use. */
static kx_value *stands(kx_expander *e, const kx_attention *a)
{
    const int64_t each[4] = {a->q->shape.dim[0], 1, 1, 1};
    const kx_value *past = kx_input(e, PAST_KEY);
    int64_t queries = a->q->shape.dim[2];

    if (!kx_input(e, USED))
        return kx_emit_stands(e, queries, past ? past->shape.dim[2] : 0);
    return kx_emit2(e, "Add", kx_emit_stands(e, queries, -queries),
                    kx_emit_reshape(e, kx_input(e, USED), each, 4));
}

/* Keys too far before or behind a query. */
static kldve_status add_band(kx_expander *e, kx_attention *a, int64_t keys)
{
    bool windowed = e->g->opset >= 25;
    int64_t left = windowed ? kx_attr_int(e->n, "left_window_size", -1) : -1;
    int64_t right = windowed ? kx_attr_int(e->n, "right_window_size", -1) : -1;

    if (left < -1 || right < -1 || left > INT32_MAX || right > INT32_MAX)
        return kx_invalid(e->g, e->n, "a window of %lld and %lld keys", (long long)left,
                          (long long)right);
    if (kx_attr_int(e->n, "is_causal", 0) != 0)
        right = 0;
    if (left >= 0 || right >= 0)
        a->bias = plus(e, a->bias, kx_emit_band(e, stands(e, a), keys, left, right));
    return e->status;
}

static kldve_status make_bias(kx_expander *e, kx_attention *a, int64_t keys)
{
    int64_t batch = a->q->shape.dim[0];
    kx_value *mask = kx_input(e, MASK), *used = kx_input(e, USED);
    kldve_status st;

    if (mask && mask->shape.rank > 4)
        return kx_invalid(e->g, e->n, "the mask has rank %d, at most 4 is allowed",
                          mask->shape.rank);
    if (mask && mask->dtype == KX_I64)
        return kx_invalid(e->g, e->n, "the mask must be of bools or floats");
    if (used && (used->dtype != KX_I64 || used->shape.rank != 1 || used->shape.dim[0] != batch))
        return kx_invalid(e->g, e->n, "input %d must be one integer for each sequence", USED);
    if (mask)
        a->bias = lengthened(e, kx_is_float(mask) ? mask : kx_emit_allowed(e, mask), keys);
    if ((st = add_band(e, a, keys)) < 0)
        return st;
    if (used)
        a->bias = plus(e, a->bias, kx_emit_used_keys(e, used, batch, keys));
    return e->status;
}

/* ---- Attention ------------------------------------------------------------------------------- */

static kldve_status read_numbers(kx_expander *e, kx_attention *a)
{
    int64_t size = a->q->shape.dim[3];

    a->scale = kx_attr_float(e->n, "scale", 1.0f / sqrtf((float)(size > 0 ? size : 1)));
    a->softcap = kx_attr_float(e->n, "softcap", 0);
    kx_attr_ignore(e->n, "softmax_precision");
    if (!(a->softcap >= 0) || !isfinite(a->softcap) || !isfinite(a->scale))
        return kx_invalid(e->g, e->n,
                          "softcap %g and scale %g must be finite, softcap not negative",
                          (double)a->softcap, (double)a->scale);
    return KLDVE_OK;
}

static kldve_status expand_attention(kx_expander *e)
{
    static const int64_t turned[4] = {0, 1, 3, 2};
    kx_attention a = {.bias = NULL};
    kx_value *keys, *y;
    int64_t times, mode = kx_attr_int(e->n, "qk_matmul_output_mode", 0);
    kldve_status st = kx_expect(e->g, e->n, 3, e->g->opset < 24 ? 6 : 7, 4);

    if (st < 0 || (st = split(e, QUERY, "q_num_heads", &a.q)) < 0 ||
        (st = split(e, KEY, "kv_num_heads", &keys)) < 0 ||
        (st = split(e, VALUE, "kv_num_heads", &a.v)) < 0 || (st = read_numbers(e, &a)) < 0)
        return st;
    if (mode < 0 || mode > 3)
        return kx_invalid(e->g, e->n, "attribute 'qk_matmul_output_mode' is %lld, expected 0 to 3",
                          (long long)mode);
    if (!kx_input(e, PAST_KEY) != !kx_input(e, PAST_VALUE) ||
        (kx_input(e, USED) && kx_input(e, PAST_KEY)))
        return kx_invalid(e->g, e->n, "past keys go with past values, and without key counts");
    if ((st = with_past(e, PAST_KEY, &keys)) < 0 || (st = with_past(e, PAST_VALUE, &a.v)) < 0)
        return st;
    e->out[1] = keys;
    e->out[2] = a.v;
    if ((st = check(e, &a, keys)) < 0 || (st = make_bias(e, &a, keys->shape.dim[2])) < 0)
        return st;
    times = a.q->shape.dim[1] / keys->shape.dim[1];
    a.columns = kx_emit_transpose(e, kx_emit_repeated_heads(e, keys, times), turned, 4);
    a.v = kx_emit_repeated_heads(e, a.v, times);
    y = kx_emit_attention(e, &a);
    e->out[0] = e->n->in[QUERY]->shape.rank == 3 ? kx_emit_joined_heads(e, y) : y;
    e->out[3] = a.stages[mode];
    return e->status;
}

/* ---- RotaryEmbedding ------------------------------------------------------------------------- */

typedef struct rotary {
    int64_t dim;
    bool interleaved, heads_first; /* x [batch][heads][tokens][size], else the tokens first */
} rotary;

/* Angles [batch][tokens][dim / 2], or of all positions and picked by number, as x lies. */
static kx_value *angles(kx_expander *e, const rotary *r, int32_t i)
{
    kx_value *c = e->n->in[i];
    const kx_shape *s;
    int64_t dim[4];

    if (kx_input(e, 3))
        c = kx_emit2(e, "Gather", c, kx_input(e, 3));
    if (!c)
        return NULL;
    s = &c->shape;
    if (s->rank != 3 || s->dim[2] != r->dim / 2) {
        e->status = kx_invalid(e->g, e->n, "input %d does not hold %lld angles for each token", i,
                               (long long)(r->dim / 2));
        return NULL;
    }
    dim[0] = s->dim[0];
    dim[1] = r->heads_first ? 1 : s->dim[1];
    dim[2] = r->heads_first ? s->dim[1] : 1;
    dim[3] = s->dim[2];
    return kx_emit_reshape(e, c, dim, 4);
}

static kldve_status expand_rotary(kx_expander *e)
{
    static const int64_t flat[3] = {0, 0, -1};
    kldve_status st = kx_expect(e->g, e->n, 3, 4, 1);
    int64_t heads, apart[4] = {0, 0, 1, -1};
    rotary r;
    kx_value *x, *y;

    if (st < 0)
        return st;
    x = e->n->in[0];
    heads = kx_attr_int(e->n, "num_heads", 0);
    r.interleaved = kx_attr_int(e->n, "interleaved", 0) != 0;
    r.heads_first = x->shape.rank == 4;
    r.dim = kx_attr_int(e->n, "rotary_embedding_dim", 0);
    if (x->shape.rank != 3 && x->shape.rank != 4)
        return kx_invalid(e->g, e->n, "input 0 has rank %d, expected 3 or 4", x->shape.rank);
    if (!r.heads_first) {
        if (heads < 1 || x->shape.dim[2] % heads != 0)
            return kx_invalid(e->g, e->n, "attribute 'num_heads' is %lld for %lld channels",
                              (long long)heads, (long long)x->shape.dim[2]);
        apart[2] = heads;
        x = kx_emit_reshape(e, x, apart, 4);
        if (!x)
            return e->status;
    }
    r.dim = r.dim ? r.dim : x->shape.dim[3];
    if (r.dim < 2 || r.dim % 2 != 0 || r.dim > x->shape.dim[3])
        return kx_invalid(e->g, e->n, "%lld of %lld features cannot be turned in pairs",
                          (long long)r.dim, (long long)x->shape.dim[3]);
    y = kx_emit_rotated(e, x, angles(e, &r, 1), angles(e, &r, 2), r.dim, r.interleaved);
    e->out[0] = r.heads_first ? y : kx_emit_reshape(e, y, flat, 3);
    return e->status;
}

const kx_op kx_attention_ops[] = {
    {.type = "Attention", .since = 23, .expand = expand_attention},
    {.type = "RotaryEmbedding", .since = 23, .expand = expand_rotary},
    {0},
};
