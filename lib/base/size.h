/* size.h - sizes that come from outside are multiplied and added only through these.  Both return
 * false, with *out untouched, when the result does not fit. */
#ifndef KLDVE_LIB_SIZE_H
#define KLDVE_LIB_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool kldve_size_mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

static inline bool kldve_size_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

#endif
