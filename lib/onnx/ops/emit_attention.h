/* emit_attention.h - what the operators share that stand for attention: ONNX's own, and those of
 * ONNX Runtime. */
#ifndef KLDVE_ONNX_OPS_EMIT_ATTENTION_H
#define KLDVE_ONNX_OPS_EMIT_ATTENTION_H

#include "graph/expand.h"

/** x [batch][tokens][heads * size] as [batch][heads][tokens][size], or, with `columns`, as
 * [batch][heads][size][tokens], which is how a product takes keys. */
kx_value *kx_emit_heads(kx_expander *e, kx_value *x, int64_t heads, bool columns);
/** [batch][heads][tokens][size] back as [batch][tokens][heads * size]. */
kx_value *kx_emit_joined_heads(kx_expander *e, kx_value *x);
/** x [batch][heads][...] with each head `times` times in a row: groups of queries share a key. */
kx_value *kx_emit_repeated_heads(kx_expander *e, kx_value *x, int64_t times);

/** Where the queries stand among the keys, [queries][1]: the first one at `offset`. */
kx_value *kx_emit_stands(kx_expander *e, int64_t queries, int64_t offset);
/** 0 where a query may look, -infinity elsewhere: from `left` keys before where it stands to
 *  `right` keys behind; a negative number is no limit, and not both are. */
kx_value *kx_emit_band(kx_expander *e, kx_value *stands, int64_t keys, int64_t left, int64_t right);
/** The same from a bool array: 0 where it is true. */
kx_value *kx_emit_allowed(kx_expander *e, kx_value *allowed);
/** [batch][1][1][keys] from the number of keys in use, one for each sequence. */
kx_value *kx_emit_used_keys(kx_expander *e, kx_value *used, int64_t batch, int64_t keys);

/** softmax(softcap(scale q k) + bias) v. */
typedef struct kx_attention {
    kx_value *q;       /**< [batch][heads][tokens][size] */
    kx_value *columns; /**< keys [batch][heads][size][keys] */
    kx_value *v;       /**< [batch][heads][keys][any] */
    kx_value *bias;    /**< broadcast to [batch][heads][tokens][keys]; NULL: none */
    bool sees;         /**< every query may look somewhere, whatever the bias is at run time */
    float scale;
    float softcap;       /**< c tanh(x / c); 0: none */
    kx_value *stages[4]; /**< out: the product, capped, with bias, probabilities */
} kx_attention;

/** [batch][heads][tokens][any].  A query that may look at no key gives 0. */
kx_value *kx_emit_attention(kx_expander *e, kx_attention *a);

/** Pairs of features turned by an angle: (x1, x2) -> (c x1 - s x2, s x1 + c x2), the first `dim` of
 *  x [...][size], in halves or, interleaved, neighbours.  c, s [...][dim / 2], broadcast. */
kx_value *kx_emit_rotated(kx_expander *e, kx_value *x, kx_value *c, kx_value *s, int64_t dim,
                          bool interleaved);

#endif
