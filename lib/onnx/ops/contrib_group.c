/* contrib_group.c - GroupQueryAttention and RotaryEmbedding of ONNX Runtime (domain com.microsoft).
 *
 * GroupQueryAttention: causal attention in which a group of heads shares its keys and values, of a
 * whole prompt: there is no past. */
#include <math.h>

#include "basic.h"
#include "emit.h"
#include "emit_attention.h"
#include "families.h"

static const char ours[] = "com.microsoft";

/* Angles of the positions [batch][tokens] or 0 .. tokens - 1 out of a table [positions][dim / 2],
 * as [batch or 1][1][tokens][dim / 2]. */
static kx_value *angles(kx_expander *e, kx_value *table, kx_value *position, int64_t tokens)
{
    int64_t dim[4] = {1, 1, tokens, table->shape.dim[1]};

    if (!position)
        return kx_emit_reshape(e, kx_emit_slice(e, table, 0, 0, tokens), dim, 4);
    dim[0] = position->shape.dim[0];
    return kx_emit_reshape(e, kx_emit2(e, "Gather", table, position), dim, 4);
}

static kldve_status check_table(kx_expander *e, int32_t i, int64_t tokens, int64_t size)
{
    const kx_shape *s = &e->n->in[i]->shape;

    if (s->rank != 2 || s->dim[0] < tokens || s->dim[1] < 1 || 2 * s->dim[1] > size)
        return kx_invalid(e->g, e->n,
                          "input %d must hold angles of %lld positions for at most "
                          "%lld features",
                          i, (long long)tokens, (long long)size);
    return KLDVE_OK;
}

/* ---- RotaryEmbedding: input, position_ids, cos, sin ------------------------------------------ */

/* One position is where the first token stands; else there is one for each token. */
static kx_value *positions(kx_expander *e, kx_value *given, int64_t tokens)
{
    static const int64_t row[2] = {1, -1};

    if (given->count != 1)
        return given;
    return kx_emit2(e, "Add", kx_emit_reshape(e, kx_emit_range(e, 0, tokens), row, 2), given);
}

static kldve_status expand_rotary(kx_expander *e)
{
    kldve_status st = kx_expect(e->g, e->n, 4, 4, 1);
    int64_t heads, tokens, size, dim;
    kx_value *x, *at, *y;
    bool interleaved;

    if (st < 0)
        return st;
    x = e->n->in[0];
    kx_attr_ignore(e->n, "scale"); /* ONNX Runtime does not read it either */
    heads = kx_attr_int(e->n, "num_heads", 0);
    dim = kx_attr_int(e->n, "rotary_embedding_dim", 0);
    interleaved = kx_attr_int(e->n, "interleaved", 0) != 0;
    if (kx_attr_int(e->n, "is_packed_batching", 0) != 0)
        return kx_refuse(e->g, e->n, "attribute 'is_packed_batching' is not supported");
    if (x->shape.rank < 3 || x->shape.rank > 4 || e->n->in[2]->shape.rank != 2)
        return kx_invalid(e->g, e->n, "inputs 0 and 2 have rank %d and %d, expected 3 or 4, and 2",
                          x->shape.rank, e->n->in[2]->shape.rank);
    tokens = x->shape.dim[x->shape.rank - 2];
    dim = dim ? dim : 2 * e->n->in[2]->shape.dim[1];
    if (x->shape.rank == 3 && heads == 0)
        heads = dim > 0 ? x->shape.dim[2] / dim : 0;
    if (x->shape.rank == 3 && (heads < 1 || x->shape.dim[2] % heads != 0))
        return kx_invalid(e->g, e->n, "attribute 'num_heads' is %lld for %lld channels",
                          (long long)heads, (long long)x->shape.dim[2]);
    size = x->shape.rank == 4 ? x->shape.dim[3] : x->shape.dim[2] / heads;
    if ((st = check_table(e, 2, 1, size)) < 0 || (st = check_table(e, 3, 1, size)) < 0)
        return st;
    if (dim != 2 * e->n->in[2]->shape.dim[1])
        return kx_invalid(e->g, e->n, "attribute 'rotary_embedding_dim' is %lld for %lld angles",
                          (long long)dim, (long long)e->n->in[2]->shape.dim[1]);
    at = positions(e, e->n->in[1], tokens);
    if (at && (at->shape.rank != 2 || at->shape.dim[1] != tokens))
        return kx_invalid(e->g, e->n, "input 1 must have a position for each token");
    if (e->status < 0)
        return e->status;
    y = x->shape.rank == 3 ? kx_emit_heads(e, x, heads, false) : x;
    y = kx_emit_rotated(e, y, angles(e, e->n->in[2], at, tokens),
                        angles(e, e->n->in[3], at, tokens), dim, interleaved);
    e->out[0] = x->shape.rank == 3 ? kx_emit_joined_heads(e, y) : y;
    return e->status;
}

/* ---- GroupQueryAttention --------------------------------------------------------------------- */

enum {
    QUERY,
    KEY,
    VALUE,
    PAST_KEY,
    PAST_VALUE,
    LAST_KEYS, /* of each sequence, the number of its last key */
    TOTAL,
    COSINE,
    SINE,
    POSITIONS,
    BIAS,
    INPUTS
};

typedef struct group {
    int64_t heads, key_heads, size, tokens, batch;
    kx_value *q, *k, *v; /* [batch][heads][tokens][size] */
} group;

static kldve_status check_group(kx_expander *e, group *t)
{
    const kx_shape *q = &e->n->in[QUERY]->shape;
    int64_t all;

    t->heads = kx_attr_int(e->n, "num_heads", 0);
    t->key_heads = kx_attr_int(e->n, "kv_num_heads", 0);
    for (int32_t i = PAST_KEY; i <= PAST_VALUE; i++)
        if (kx_input(e, i) && kx_input(e, i)->count > 0)
            return kx_refuse(e->g, e->n, "a past state is not supported, only a whole prompt");
    if (kx_attr_int(e->n, "smooth_softmax", 0) != 0 || e->n->nin > INPUTS)
        return kx_refuse(e->g, e->n, "a smooth softmax or a sink is not supported");
    if (t->heads < 1 || t->key_heads < 1 || t->heads % t->key_heads != 0 ||
        t->heads > INT32_MAX / 3)
        return kx_invalid(e->g, e->n, "%lld heads share the keys of %lld", (long long)t->heads,
                          (long long)t->key_heads);
    all = kx_input(e, KEY) ? t->heads : t->heads + 2 * t->key_heads;
    if (q->rank != 3 || q->dim[2] % all != 0)
        return kx_invalid(e->g, e->n, "input 0 must have the shape [batch][tokens][%lld * size]",
                          (long long)all);
    t->batch = q->dim[0];
    t->tokens = q->dim[1];
    t->size = q->dim[2] / all;
    for (int32_t i = KEY; i <= VALUE && kx_input(e, KEY); i++) {
        const kx_shape *s = kx_input(e, i) ? &e->n->in[i]->shape : NULL;

        if (!s || s->rank != 3 || s->dim[0] != t->batch || s->dim[1] != t->tokens ||
            s->dim[2] != t->key_heads * t->size)
            return kx_refuse(e->g, e->n, "keys and values must have the shape [%lld][%lld][%lld]",
                             (long long)t->batch, (long long)t->tokens,
                             (long long)(t->key_heads * t->size));
    }
    return KLDVE_OK;
}

/* Queries, keys and values, apart or side by side. */
static kldve_status split_group(kx_expander *e, group *t)
{
    int64_t q = t->heads * t->size, k = t->key_heads * t->size;
    kx_value *all = e->n->in[QUERY], *key = kx_input(e, KEY), *value = kx_input(e, VALUE);

    t->q = kx_emit_heads(e, key ? all : kx_emit_slice(e, all, 2, 0, q), t->heads, false);
    t->k = kx_emit_heads(e, key ? key : kx_emit_slice(e, all, 2, q, q + k), t->key_heads, false);
    t->v = kx_emit_heads(e, key ? value : kx_emit_slice(e, all, 2, q + k, q + 2 * k), t->key_heads,
                         false);
    return e->status;
}

static kldve_status rotate_group(kx_expander *e, group *t)
{
    bool interleaved = kx_attr_int(e->n, "rotary_interleaved", 0) != 0;
    kx_value *at = kx_input(e, POSITIONS), *c, *s;
    kldve_status st;

    if (kx_attr_int(e->n, "do_rotary", 0) == 0)
        return KLDVE_OK;
    if (!kx_input(e, COSINE) || !kx_input(e, SINE))
        return kx_invalid(e->g, e->n, "attribute 'do_rotary' needs inputs %d and %d", COSINE, SINE);
    if ((st = check_table(e, COSINE, at ? 1 : t->tokens, t->size)) < 0 ||
        (st = check_table(e, SINE, at ? 1 : t->tokens, t->size)) < 0)
        return st;
    if (at && (at->shape.rank != 2 || at->shape.dim[1] != t->tokens))
        return kx_invalid(e->g, e->n, "input %d must have a position for each token", POSITIONS);
    c = angles(e, e->n->in[COSINE], at, t->tokens);
    s = angles(e, e->n->in[SINE], at, t->tokens);
    t->q = kx_emit_rotated(e, t->q, c, s, 2 * e->n->in[COSINE]->shape.dim[1], interleaved);
    t->k = kx_emit_rotated(e, t->k, c, s, 2 * e->n->in[COSINE]->shape.dim[1], interleaved);
    return e->status;
}

/* Keys before the query, not too far, and of the sequence. */
static kx_value *group_bias(kx_expander *e, const group *t, int64_t window)
{
    kx_value *bias = kx_emit_band(e, kx_emit_stands(e, t->tokens, 0), t->tokens,
                                  window > 0 ? window - 1 : -1, 0);
    kx_value *last = kx_input(e, LAST_KEYS);

    if (kx_input(e, BIAS))
        bias = kx_emit2(e, "Add", kx_input(e, BIAS), bias);
    if (last && (int64_t)last->count == t->batch && t->batch > 1) /* of one, all are in use */
        bias = kx_emit2(
            e, "Add", bias,
            kx_emit_used_keys(e, kx_emit2(e, "Add", last, kx_emit_int(e, 1)), t->batch, t->tokens));
    return bias;
}

static kldve_status expand_group(kx_expander *e)
{
    static const int64_t turned[4] = {0, 1, 3, 2};
    group t = {0};
    kx_attention a = {.sees = true};
    int64_t times, window;
    kldve_status st = kx_expect(e->g, e->n, 1, INPUTS + 1, 3);

    if (st < 0 || (st = check_group(e, &t)) < 0 || (st = split_group(e, &t)) < 0 ||
        (st = rotate_group(e, &t)) < 0)
        return st;
    window = kx_attr_int(e->n, "local_window_size", -1);
    a.scale = kx_attr_float(e->n, "scale", 0);
    a.scale = a.scale != 0.0f ? a.scale : 1.0f / sqrtf((float)(t.size > 0 ? t.size : 1));
    a.softcap = kx_attr_float(e->n, "softcap", 0);
    if (!(a.softcap >= 0) || window > INT32_MAX)
        return kx_invalid(e->g, e->n, "softcap %g or local_window_size %lld", (double)a.softcap,
                          (long long)window);
    times = t.heads / t.key_heads;
    a.q = t.q;
    a.columns = kx_emit_transpose(e, kx_emit_repeated_heads(e, t.k, times), turned, 4);
    a.v = kx_emit_repeated_heads(e, t.v, times);
    a.bias = group_bias(e, &t, window);
    e->out[0] = kx_emit_joined_heads(e, kx_emit_attention(e, &a));
    e->out[1] = t.k;
    e->out[2] = t.v;
    return e->status;
}

const kx_op kx_contrib_group_ops[] = {
    {.type = "RotaryEmbedding", .domain = ours, .since = 1, .expand = expand_rotary},
    {.type = "GroupQueryAttention", .domain = ours, .since = 1, .expand = expand_group},
    {0},
};
