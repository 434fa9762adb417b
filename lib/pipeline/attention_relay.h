/* attention_relay.h - attentions on their way from a backend to a visitor. */
#ifndef KLDVE_LIB_ATTENTION_RELAY_H
#define KLDVE_LIB_ATTENTION_RELAY_H

#include <stdbool.h>

#include <kldve/backend.h>

/** To whom they go. */
typedef struct kldve_attention_relay {
    kldve_ctx *ctx;
    const char *backend; /**< its name, for messages */
    bool gradients;      /**< a cotangent was given */
    int32_t visited;     /**< so far */
    kldve_attention_fn visit;
    void *opaque; /**< of visit */
} kldve_attention_relay;

/** A kldve_attention_fn for the backend; `relay` is a kldve_attention_relay.  What it hands on
 *  is of this release, finite, and as backend.h says: methods need not check it again. */
kldve_status kldve_attention_pass_on(void *relay, const kldve_attention *theirs);

#endif
