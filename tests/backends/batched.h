/* batched.h - a backend that runs several inputs at once, each on a separate state of another
 * backend, so that results cannot depend on neighbours.  It refuses what backend.h forbids: a
 * backward pass without its forward pass, forward_many where no batch was announced. */
#ifndef KLDVE_TESTS_BATCHED_H
#define KLDVE_TESTS_BATCHED_H

#include "broken.h"

/** Calls so far. */
typedef struct batched_counts {
    long forward, vjp, forward_many, vjp_many;
} batched_counts;

typedef struct batched_config {
    const kldve_backend *inner; /**< with every slot */
    const void *inner_config;
    int32_t batch;          /**< 1 or more */
    batched_counts *counts; /**< may be NULL */
    broken_step step;       /**< from BROKEN_FORWARD on, of batches only; see broken.h */
    kldve_status status;
    const char *message;
    float poison;
    int32_t row;   /**< the input of the batch that is poisoned */
    int32_t after; /**< calls of forward_many or vjp_many that still succeed */
} batched_config;

extern const kldve_backend batched_backend; /**< config: a batched_config, borrowed until closed */

#endif
