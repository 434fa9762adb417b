/* json_number.c - see json_number.h.  strtod() would read it by the locale of the host. */
#include "read/json_number.h"

#include <stdint.h>

/* m 10^e.  Powers are exact up to 10^27 where a long double has 64 bits, so that the usual numbers
 * are rounded once; others are within some units of the last place of a double. */
static double scaled(uint64_t m, int e)
{
    enum { LARGEST = 400, STEP = 27 };
    static const long double steps[] = {1e1L, 1e2L, 1e4L, 1e8L, 1e16L};
    long double value = (long double)m;

    e = e > LARGEST ? LARGEST : e < -LARGEST ? -LARGEST : e;
    while (e != 0 && m != 0) {
        int n = e < -STEP ? STEP : e < 0 ? -e : e > STEP ? STEP : e;
        long double power = 1;

        for (int i = 0; i < 5; i++)
            if (n >> i & 1)
                power *= steps[i];
        value = e < 0 ? value / power : value * power;
        e += e < 0 ? n : -n;
    }
    return (double)value;
}

/* The number is m 10^e. */
typedef struct digits {
    uint64_t m;
    int e;
} digits;

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static bool is(const char *at, const char *end, char c)
{
    return at < end && *at == c;
}

/* `fraction`: behind the point.  Digits that 64 bits have no room for count as 0. */
static const char *read_digits(const char *at, const char *end, bool fraction, digits *d)
{
    for (; is_digit(at, end); at++) {
        bool fits = d->m < UINT64_MAX / 10 - 1;

        if (fits)
            d->m = 10 * d->m + (uint64_t)(*at - '0');
        d->e += fraction && fits ? -1 : !fraction && !fits ? 1 : 0;
    }
    return at;
}

static const char *read_exponent(const char *at, const char *end, int *out)
{
    enum { MOST = 100000 }; /* far beyond what a double holds */
    bool negative = is(at, end, '-');
    int e = 0;

    if (negative || is(at, end, '+'))
        at++;
    for (; is_digit(at, end); at++)
        e = e < MOST ? 10 * e + (*at - '0') : e;
    *out = negative ? -e : e;
    return at;
}

bool kx_json_number(const char **at, const char *end, double *out, const char **reason)
{
    const char *from = *at;
    bool negative = is(from, end, '-');
    digits d = {0, 0};
    int e = 0;

    *at += negative;
    *reason = "a number lacks digits";
    if (!is_digit(*at, end))
        return false;
    if (**at == '0' && is_digit(*at + 1, end)) {
        *reason = "a number begins with 0";
        return false;
    }
    *at = read_digits(*at, end, false, &d);
    if (is(*at, end, '.')) {
        if (!is_digit(++*at, end))
            return false;
        *at = read_digits(*at, end, true, &d);
    }
    if (is(*at, end, 'e') || is(*at, end, 'E')) {
        *at = read_exponent(*at + 1, end, &e);
        if (!is_digit(*at - 1, *at))
            return false;
    }
    *out = scaled(d.m, d.e + e);
    *out = negative ? -*out : *out;
    return true;
}
