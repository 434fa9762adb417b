/* held.h - what this process holds, as Linux says it. */
#ifndef KLDVE_TESTS_HELD_H
#define KLDVE_TESTS_HELD_H

#include <stdbool.h>
#include <stdint.h>

typedef struct held {
    long memory; /**< kB, resident */
    int32_t descriptors, threads;
} held;

/** False: /proc does not say it. */
bool held_look(held *out);

#endif
