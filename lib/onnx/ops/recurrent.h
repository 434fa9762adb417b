/* recurrent.h - between the files of RNN, GRU and LSTM. */
#ifndef KLDVE_ONNX_OPS_RECURRENT_H
#define KLDVE_ONNX_OPS_RECURRENT_H

#include "emit.h"

enum { KX_GATES = 4, KX_ACTIVATIONS = 3 };

typedef struct kx_recurrent_activation {
    const char *type; /**< as the attribute spells it */
    float alpha, beta;
} kx_recurrent_activation;

/** The activations of direction d, `each` of them: as the attributes say, else the usual ones.
 *  @param out  [each]. */
kldve_status kx_recurrent_activations(kx_expander *e, int32_t each, const char *const *usual,
                                      int32_t directions, int32_t d, kx_recurrent_activation *out);

/** One direction of one node: weights, and the state that a step reads and writes. */
typedef struct kx_recurrent {
    int64_t steps, batch, hidden;
    int32_t gates; /**< RNN 1, GRU 3, LSTM 4 */
    float clip;    /**< of what enters an activation; 0: none */
    bool input_forget, reset_after;
    bool rounds; /**< the state is rounded before it meets R (recurrent_quantised.c) */
    kx_recurrent_activation activation[KX_ACTIVATIONS];
    kx_value *r;        /**< [gates * hidden][hidden] */
    kx_value *r_bias;   /**< [gates * hidden] or NULL */
    kx_value *peephole; /**< LSTM: [3 * hidden], in the order input, output, forget; or NULL */
    kx_value *h, *c;    /**< [batch][hidden] */
} kx_recurrent;

/** One step: x [batch][gates * hidden] is the part of the gates that comes from the input, with
 * both biases except for the recurrent one of a GRU that resets behind the product.  New h, and c.
 */
typedef void kx_cell(kx_expander *e, kx_recurrent *s, kx_value *x);
kx_cell kx_rnn_step, kx_gru_step, kx_lstm_step;

/** The expansion of LSTM; see `rounds`. */
kldve_status kx_expand_lstm(kx_expander *e, bool rounds);

/** Whether the activation is known. */
bool kx_recurrent_known(const char *type);

#endif
