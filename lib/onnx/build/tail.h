/* tail.h - what a network does to its scores at its end: a softmax, a sigmoid, by one node or by
 * hand, and what it does to the probabilities afterwards. */
#ifndef KLDVE_ONNX_BUILD_TAIL_H
#define KLDVE_ONNX_BUILD_TAIL_H

#include "graph/graph.h"

/** How the scores follow from the tensors that enter softmaxes and sigmoids. */
typedef enum kx_tail_form {
    KX_TAIL_PLAIN,    /**< the scores are that tensor */
    KX_TAIL_OPPOSITE, /**< its negative: the file prints 1 - sigmoid(x) */
    KX_TAIL_JOINED,   /**< those of several sigmoids, one behind the other */
    KX_TAIL_PAIR,     /**< -x/2 and x/2, of which the softmax is 1 - sigmoid(x), sigmoid(x) */
    KX_TAIL_MIXED     /**< there is no such tensor, as behind a mean of softmaxes: of probabilities
                           p the scores are log p (SOFTMAX) or log p - log(1 - p) (SIGMOID) */
} kx_tail_form;

/** The elements that one softmax turns into probabilities: n of them, `step` apart in memory. */
typedef struct kx_line {
    int64_t n, step;
} kx_line;

typedef struct kx_tail {
    kx_value *scores; /**< what enters the softmax or sigmoid, MIXED: what comes out; else what was
                           asked for */
    int32_t kind;     /**< a kldve_scores: SOFTMAX, SIGMOID or RAW */
    kx_tail_form form;
    kx_line line;            /**< of `scores`, where they are those of a softmax */
    bool best;               /**< the output says which class is best; the scores are what it looks
                                  at */
    const kx_node *squashes; /**< scores that are RAW come from this node, which puts them into
                                  [0, 1] and is not undone; else NULL */
    /** The output prints factor * p + offset of each probability p, or of its logarithm. */
    double factor, offset;
    bool logarithm;
    int32_t parts; /**< of JOINED and PAIR */
    kx_value *part[KX_MAX_IN];
    bool opposite[KX_MAX_IN]; /**< JOINED: the negative of this part; PAIR: this one is -x/2 */
} kx_tail;

/** Go back from `output` to the scores, so that softmax(scores) or sigmoid(scores) is what the
 *  output prints: through casts, reshapes, logarithms, a factor, and clipping that keeps 0..1.  The
 *  form is never MIXED. */
void kx_find_tail(const kx_graph *g, kx_value *output, kx_tail *out);

/** Where kx_find_tail() has found RAW scores: whether they are a mixture of probabilities, whose
 *  sum, or each of which, is at most 1 whatever the picture.
 *  @param arena  for what is only needed during the call.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_find_mixture(const kx_graph *g, kx_arena *arena, kx_value *output, kx_tail *t);

/** The scores of a tail as a tensor: nodes are put into the graph where the file has none.  A stage
 *  of building: before kx_choose().
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_tail_scores(kx_graph *g, const kx_tail *t, kx_value **out);

#endif
