/* traits.h - what the engine asks of an operator instead of its name.
 *
 * Each entry of the operator table states its traits beside its kernels.  A trait is true of the
 * operator in general; what depends on one node (a Cast that changes nothing, say) is a function
 * of that node.  Except for `bias`, the zero value claims nothing: a pass that needs more refuses
 * the node. */
#ifndef KLDVE_ONNX_GRAPH_TRAITS_H
#define KLDVE_ONNX_GRAPH_TRAITS_H

#include <stdbool.h>
#include <stdint.h>

/** How output 0 comes from the operands.  Relevance propagation shares out accordingly. */
typedef enum kx_effect {
    KX_EFFECT_OTHER = 0,  /**< in none of the ways below: refused */
    KX_EFFECT_MOVES,      /**< every result is one element of an operand */
    KX_EFFECT_ADDS,       /**< linear, with factors that are no operand */
    KX_EFFECT_WEIGHS,     /**< linear in input 0, with weights from the other inputs */
    KX_EFFECT_ACTIVATES,  /**< results correspond to the elements of input 0 one by one */
    KX_EFFECT_MULTIPLIES, /**< elementwise product of inputs 0 and 1 */
    KX_EFFECT_DIVIDES     /**< elementwise quotient of inputs 0 and 1 */
} kx_effect;

/** Whether the results contain a constant that the operator adds.  Methods that sum the gradients
 *  at all biases refuse what they cannot hand out. */
typedef enum kx_bias {
    KX_BIAS_UNDECLARED = 0, /**< nobody has thought about it yet: refused, as if it had one */
    KX_BIAS_NONE,           /**< it adds no constant */
    KX_BIAS_OPERAND,        /**< it adds its operands, of which some may be constant */
    KX_BIAS_OWN             /**< an input or attribute of its own is a bias */
} kx_bias;

/** Where the axes of output 0 come from. */
typedef enum kx_axes {
    KX_AXES_STAY = 0, /**< from the same axes, counted from the last, perhaps of another length */
    KX_AXES_CHANNELS_FIRST, /**< [n][channels][space]..., which is how the operator reads input 0 */
    KX_AXES_PERMUTED,       /**< kx_transpose_params */
    KX_AXES_REGROUPED,      /**< the same order with another shape */
    KX_AXES_SLICED,         /**< kx_slice_params */
    KX_AXES_SPLIT,          /**< kx_split_params */
    KX_AXES_PADDED,         /**< kx_pad_params */
    KX_AXES_JOINED,         /**< kx_concat_params */
    KX_AXES_TAKEN,   /**< kx_gather_params: the axes of the indices stand for one of input 0 */
    KX_AXES_REDUCED, /**< kx_reduce_params */
    KX_AXES_MATRIX   /**< rows of input 0, columns of input 1 */
} kx_axes;

/** Which elements of its operands a result depends on.  A part of the results can then be computed
 *  from a part of the operands. */
typedef enum kx_local {
    KX_LOCAL_ANY = 0, /**< nothing is known beside what the axes say */
    KX_LOCAL_PLACE,   /**< those at its own place, operands broadcast as numpy does */
    KX_LOCAL_LINE,    /**< its line of input 0, kx_axis_params */
    KX_LOCAL_ROW /**< its row of input 0, and scale and bias by place in the row: kx_norm_params */
} kx_local;

/** Whether the operator is a layer that mixes channels by weights. */
typedef enum kx_mixing {
    KX_MIXING_NONE = 0,
    KX_MIXING_CONV, /**< window by window */
    KX_MIXING_DENSE /**< row by row */
} kx_mixing;

/** What is computed, where the structure of several nodes has a meaning: a softmax written by hand.
 */
typedef enum kx_formula {
    KX_FORMULA_OTHER = 0,
    KX_FORMULA_EXP,
    KX_FORMULA_LOG,
    KX_FORMULA_NEGATIVE,
    KX_FORMULA_RECIPROCAL,
    KX_FORMULA_LOGISTIC,
    KX_FORMULA_TANH,
    KX_FORMULA_SOFTPLUS,
    KX_FORMULA_CLIP,    /**< kx_clip_params */
    KX_FORMULA_CAST,    /**< of floats to floats of another precision, among others */
    KX_FORMULA_SUM,     /**< of two operands or more, elementwise */
    KX_FORMULA_MEAN,    /**< of several operands, elementwise */
    KX_FORMULA_LARGER,  /**< of several operands, elementwise */
    KX_FORMULA_SMALLER, /**< of several operands, elementwise */
    KX_FORMULA_CHOICE,  /**< input 1 where input 0 is true, else input 2 */
    KX_FORMULA_DIFFERENCE,
    KX_FORMULA_PRODUCT,
    KX_FORMULA_QUOTIENT,
    KX_FORMULA_SPREAD,   /**< input 0 along further axes, again and again */
    KX_FORMULA_TOTAL,    /**< kx_reduce_params: the sum along axes */
    KX_FORMULA_SIZES,    /**< kx_reduce_params: the sum of absolute values along axes */
    KX_FORMULA_AVERAGE,  /**< kx_reduce_params: the mean along axes */
    KX_FORMULA_MOST,     /**< kx_reduce_params: the largest along axes */
    KX_FORMULA_LOG_SUM,  /**< kx_reduce_params: the logarithm of the sum of exponentials */
    KX_FORMULA_BEST,     /**< which elements are largest, or they themselves */
    KX_FORMULA_ABOVE,    /**< whether input 0 is larger than input 1 */
    KX_FORMULA_AT_LEAST, /**< whether input 0 is larger than input 1 or equal */
    KX_FORMULA_EQUAL     /**< whether input 0 is input 1 */
} kx_formula;

typedef struct kx_traits {
    kx_effect effect;
    kx_bias bias;
    kx_axes axes;
    kx_local local;
    kx_mixing mixing;
    kx_formula formula;
    uint64_t settings;  /**< bits of the inputs that say how it computes: constants of all others
                             are parameters, if they are more than one number */
    bool copies;        /**< output 0 is input 0 in the same order, perhaps in another shape */
    bool rearranges;    /**< every result is one element of a float operand, each in one place only
                             or, of a Gather, in several; shapes and integer inputs alone say which */
    bool unit_interval; /**< every result lies in [0, 1] */
    bool probabilities; /**< turns scores into probabilities or their logarithms */
    bool shares;     /**< results along one axis are shares of 1; the axis is kx_shares_last()'s */
    bool windows;    /**< reads windows; its parameters begin with a kx_window */
    bool normalises; /**< brings the channels of each cell to one size, all in one operator */
    bool response;   /**< divides by the response of neighbours: reversed networks pass over it */
    bool counts;     /**< how many results there are depends on the values of its operands */
    bool suppresses; /**< keeps boxes by their scores: boxes, scores, how many, overlap, least score
                      */
    bool alike;      /**< all operands have one type, bool conditions aside; integers may be held as
                          float32 */
    bool warps;      /**< reads input 0 at places that another input computes */
    bool rounds; /**< to the levels of a quantised type: its derivative is a straight-through one */
} kx_traits;

#endif
