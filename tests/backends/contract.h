/* contract.h - what every backend must do, as one test.  See docs/adding-a-backend.md. */
#ifndef KLDVE_TESTS_CONTRACT_H
#define KLDVE_TESTS_CONTRACT_H

#include <kldve/kldve.h>

typedef struct contract {
    const kldve_backend *backend;
    const void *config;
    const float *input; /**< one plausible input; NULL: standard normal noise */
    double step;        /**< of central differences, relative to the input's spread; 0: 1e-2 */
    double tolerance;   /**< of the VJP against them, relative; 0: 1e-2 */
    int32_t smooth;     /**< central differences from the features through forward_features, where
                             the backend has it: 1 unless the head has kinks everywhere */
    int32_t piecewise;  /**< linear but for kinks, and all constants are biases: 1 */
    long allocations;   /**< fail at most this many allocations of opening and explaining, spread
                             over all of them; 0: every one */
} contract;

/** Fails the running cmocka test, naming what was broken. */
void contract_check(const contract *c);

#endif
