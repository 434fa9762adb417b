/* float_env_host.h - a host that calls everything that computes with floats, for test_float_env.c.
 */
#ifndef KLDVE_TESTS_FLOAT_ENV_HOST_H
#define KLDVE_TESTS_FLOAT_ENV_HOST_H

#include <stddef.h>
#include <stdint.h>

/* Everything that calls put out, one behind the other. */
typedef struct results {
    unsigned char *bytes;
    size_t count;
    uint64_t (*read_control)(void);
    uint64_t control; /* in which the host called */
    int heard, other; /* callbacks; those that found another environment */
} results;

/* @param read_control  The words of the processor that the library must not change. */
results float_env_host(uint64_t (*read_control)(void), int threads);

#endif
