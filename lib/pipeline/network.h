/* network.h - a backend and its state: every call to the host's table goes through here, which
 * names the step in messages, refuses NaN and infinity and remembers what the state holds. */
#ifndef KLDVE_LIB_NETWORK_H
#define KLDVE_LIB_NETWORK_H

#include <stdbool.h>

#include <kldve/backend.h>

typedef struct kldve_network {
    kldve_ctx *ctx;        /**< NULL: closed */
    kldve_backend backend; /**< every slot of this release, NULL where the host's table has none */
    void *state;
    kldve_shape shape;              /**< `batch` is 1 where inputs cannot be run together */
    size_t inputs, cells, features; /**< channels*height*width; height*width; maps*height*width */
    bool moved;    /**< the last forward pass was not that of the explained input */
    bool together; /**< it was that of a batch, which kldve_network_vjp_many() looks back on */
    float *spare;  /**< [features] of passes that only want logits; NULL before */
} kldve_network;

/** Check the table, open it and read the sizes.  On failure *net is closed again. */
kldve_status kldve_network_open(kldve_ctx *ctx, const kldve_backend *backend, const void *config,
                                kldve_network *net);
/** Accepts what kldve_network_open() left behind, also after a failure. */
void kldve_network_close(kldve_network *net);

bool kldve_network_has_vjp(const kldve_network *net);
bool kldve_network_has_vjp_input(const kldve_network *net);
bool kldve_network_has_forward_features(const kldve_network *net);
bool kldve_network_has_vjp_biases(const kldve_network *net);
bool kldve_network_has_vjp_many(const kldve_network *net);

/** The forward pass of the input that is explained.  Logits and features are finite on KLDVE_OK. */
kldve_status kldve_network_forward(kldve_network *net, const float *input, float *logits,
                                   float *features);
/** Another forward pass; its features are dropped. */
kldve_status kldve_network_forward_again(kldve_network *net, const float *input, float *logits);
kldve_status kldve_network_vjp(kldve_network *net, const float *cotangent, float *gradient);
kldve_status kldve_network_vjp_input(kldve_network *net, const float *cotangent, int32_t rule,
                                     float *gradient);
kldve_status kldve_network_vjp_biases(kldve_network *net, const float *cotangent, float *gradient,
                                      kldve_bias_visitor visit, void *opaque);
kldve_status kldve_network_forward_features(kldve_network *net, const float *features,
                                            float *logits);

/** A batch, where shape.batch is more than 1; features may be NULL.  *refused, when it fails, is
 * the input of the batch whose numbers are not finite, -1 if it was something else. */
kldve_status kldve_network_forward_many(kldve_network *net, const float *inputs, float *logits,
                                        float *features, int32_t *refused);
/** Only while net->together. */
kldve_status kldve_network_vjp_many(kldve_network *net, const float *cotangents, float *gradients,
                                    int32_t *refused);

/** KLDVE_OK, or KLDVE_E_NUMERIC with "WHERE: WHAT 3 is not a number ..." */
kldve_status kldve_network_check(kldve_ctx *ctx, const char *where, const char *what,
                                 const float *value, size_t count);

#endif
