/* network.h - a backend and its state: every call to the host's table goes through here, which
 * names the step in messages, refuses NaN and infinity and remembers what the state holds. */
#ifndef KLDVE_LIB_NETWORK_H
#define KLDVE_LIB_NETWORK_H

#include <kldve/backend.h>

/** The forward pass that the backend's state holds.  Its backward calls look back on it. */
typedef enum kldve_held {
    KLDVE_HELD_NOTHING, /**< none to look back on: at first, after a failure, and after a batch that
                             a method ran */
    KLDVE_HELD_INPUT,   /**< the pass of the input that is explained */
    KLDVE_HELD_BATCH,   /**< the pass of the batch that is explained */
    KLDVE_HELD_CHANGED  /**< a pass that the method ran on something it had changed */
} kldve_held;

typedef struct kldve_network {
    kldve_ctx *ctx;        /**< NULL: closed */
    kldve_backend backend; /**< every slot of this release, NULL where the host's table has none */
    void *state;
    kldve_shape shape; /**< `batch` is 1 where inputs cannot be run together, one score
                            is two classes (single.h) */
    size_t inputs;     /**< what one pass takes: channels*height*width, or of a head shape.head */
    size_t cells, features; /**< height*width; maps*height*width */
    kldve_held held;
    const float *held_for; /**< the explained input that the pass is about; of a batch the first */
    float *spare;          /**< [features] of passes that only want logits; NULL before */
    float *contracted;     /**< [batch] what is propagated back from one score; NULL: of several */
} kldve_network;

/** Check the table, open it and read the sizes.  On failure *net is closed again. */
kldve_status kldve_network_open(kldve_ctx *ctx, const kldve_backend *backend, const void *config,
                                kldve_network *net);
/** Accepts what kldve_network_open() left behind, also after a failure. */
void kldve_network_close(kldve_network *net);

/** Does the backend fill in this slot, a member of kldve_backend? */
#define kldve_network_has(net, slot) ((net)->backend.slot != NULL)

/** Whether the backend can give what `method` needs, KLDVE_NEED_*, where the slots are there. */
kldve_status kldve_network_can(kldve_network *net, const char *method, uint64_t needs,
                               int32_t rule);

/** The layers with parameters, from 0; KLDVE_E_NOT_FOUND past the last. */
kldve_status kldve_network_parameters(kldve_network *net, int32_t index, const char **name);
/** Other parameters, a kldve_randomise; afterwards there is no pass to look back on. */
kldve_status kldve_network_randomise(kldve_network *net, int32_t kind, int32_t layer,
                                     uint64_t seed);

/* The explained inputs: one, or shape.batch of them at once.
 *
 * `inputs` [count][in_channels][in_height][in_width], logits [count][classes], features and
 * gradients [count][maps][height][width], cotangents [count][classes].  *refused is set when a call
 * fails: to the input whose numbers are not finite, or to -1 if the failure is about all. */

/** The forward pass.  Logits and features are finite on KLDVE_OK. */
kldve_status kldve_network_forward(kldve_network *net, int32_t count, const float *inputs,
                                   float *logits, float *features, int32_t *refused);
/** After the forward pass of one explained input: pick the scores, of which its logits are written
 *  again. */
kldve_status kldve_network_pick(kldve_network *net, kldve_pick *pick, float *logits);
/** See that the state holds that pass, the last one that kldve_network_forward() ran: if something
 *  else ran since, run it again.  The arguments are those of the forward pass. */
kldve_status kldve_network_restore(kldve_network *net, int32_t count, const float *inputs,
                                   float *logits, float *features, int32_t *refused);
/** The gradients at the layer, of the pass that the state holds: that of the batch or, for one
 *  input, its own or a changed one. */
kldve_status kldve_network_vjp(kldve_network *net, int32_t count, const float *cotangents,
                               float *gradients, int32_t *refused);

/* Further calls, for one explained input. */

/** A forward pass of `count` changed inputs, 1 or shape.batch, made for the explained input
 *  `held_for`; their features are dropped. */
kldve_status kldve_network_forward_changed(kldve_network *net, const float *held_for, int32_t count,
                                           const float *inputs, float *logits);
/** What the method ran is nothing to look back on: the next backward call is about the explained
 *  input.  An explained pass stays. */
void kldve_network_let_go(kldve_network *net);
/** A forward pass from changed feature maps of the explained input `held_for`. */
kldve_status kldve_network_forward_features(kldve_network *net, const float *held_for,
                                            const float *features, float *logits);
/** Backward to the pixels, of the pass that the state holds. */
kldve_status kldve_network_vjp_input(kldve_network *net, const float *cotangent, int32_t rule,
                                     float *gradient);
kldve_status kldve_network_vjp_biases(kldve_network *net, const float *cotangent, float *gradient,
                                      kldve_bias_fn visit, void *opaque);
kldve_status kldve_network_attentions(kldve_network *net, const float *cotangent,
                                      kldve_attention_fn visit, void *opaque);

#endif
