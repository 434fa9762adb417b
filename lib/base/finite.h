/* finite.h - look for NaN and infinity. */
#ifndef KLDVE_LIB_FINITE_H
#define KLDVE_LIB_FINITE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <kldve/common.h>

/** The index of the first item that is NaN or infinite; n if all are finite. */
static inline size_t kldve_finite(const float *value, size_t n)
{
    uint32_t bits, bad = 0;

    /* All exponent bits set; without a branch, so that the loop can run several items at once. */
    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, value + i, sizeof bits);
        bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    if (!bad)
        return n;
    for (size_t i = 0;; i++)
        if (!isfinite(value[i]))
            return i;
}

/** Whether value is 0 or more, infinity included; NaN is not.  By its bits, because outside of our
 *  own environment no comparison may raise an exception, and clang makes one of isgreaterequal()
 *  that does. */
static inline bool kldve_at_least_zero(double value)
{
    const uint64_t infinity = 0x7ff0000000000000u, minus_zero = 0x8000000000000000u;
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits <= infinity || bits == minus_zero;
}

/** What a message calls such a number. */
static inline const char *kldve_finite_name(double value)
{
    return isnan(value) ? "not a number" : value > 0 ? "infinite" : "minus infinity";
}

/** KLDVE_OK, or KLDVE_E_NUMERIC with the message "WHERE: WHAT 3 of N is not a number". */
kldve_status kldve_finite_check(kldve_ctx *ctx, const char *where, const char *what,
                                const float *value, size_t n);

#endif
