/* broken.h - a backend that wraps another one and fails or lies at one step. */
#ifndef KLDVE_TESTS_BROKEN_H
#define KLDVE_TESTS_BROKEN_H

#include <stdbool.h>

#include <kldve/backend.h>

typedef enum broken_step {
    BROKEN_NOWHERE,
    BROKEN_OPEN,
    BROKEN_SHAPE, /**< hands out `shape` */
    BROKEN_FORWARD,
    BROKEN_VJP,
    BROKEN_LOGITS,   /**< writes `poison` into logit 1 */
    BROKEN_FEATURES, /**< writes `poison` into the last feature */
    BROKEN_GRADIENT  /**< writes `poison` into the first gradient */
} broken_step;

typedef struct broken_config {
    const kldve_backend *inner;
    const void *inner_config;
    broken_step step;
    kldve_status status; /**< what the failing call returns; 1 is allowed */
    const char *message; /**< set before it fails; NULL: none */
    float poison;
    kldve_shape shape;
    int32_t after;     /**< forward passes or VJPs that still succeed */
    long *open_states; /**< counted up by open, down by close; may be NULL */
    long *vjps;        /**< counts VJPs; may be NULL */
} broken_config;

extern const kldve_backend broken_backend; /**< config: a broken_config, borrowed until closed */

#endif
