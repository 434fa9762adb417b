/* clock.h - how long a stage takes. */
#ifndef KLDVE_LIB_CLOCK_H
#define KLDVE_LIB_CLOCK_H

#include <time.h>

/** Milliseconds since some fixed moment, never going back. */
static inline double kldve_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

#endif
