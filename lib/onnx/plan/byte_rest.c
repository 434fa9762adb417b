/* byte_rest.c - see byte_rest.h. */
#include "byte_rest.h"

#include <stdlib.h>
#include <string.h>

/* By how much w is outside of -128..127. */
static int outside(int w)
{
    return w > INT8_MAX ? w - INT8_MAX : w < INT8_MIN ? w - INT8_MIN : 0;
}

/* By how much the sum of two weights of one sign is: 255 x 128 fits 16 bits with either sign, 255 x
 * 129 does not. */
static int too_much(int a, int b)
{
    enum { MOST = INT16_MAX / UINT8_MAX };

    if ((a > 0) != (b > 0))
        return 0;
    return a + b > MOST ? a + b - MOST : a + b < -MOST ? a + b + MOST : 0;
}

/* Few pairs do not fit, so that one jump decides. */
static bool fits(int a, int b)
{
    int above = (a > 0 ? a : 0) + (b > 0 ? b : 0), below = (a < 0 ? a : 0) + (b < 0 ? b : 0);

    return (above <= INT8_MAX) & (below >= INT8_MIN);
}

static void fit_pair(int16_t w[2], int16_t rest[2])
{
    int at, by;

    for (int i = 0; i < 2; i++) {
        rest[i] = (int16_t)outside(w[i]);
        w[i] = (int16_t)(w[i] - rest[i]);
    }
    at = abs(w[0]) > abs(w[1]) ? 0 : 1;
    by = too_much(w[0], w[1]);
    rest[at] = (int16_t)(rest[at] + by);
    w[at] = (int16_t)(w[at] - by);
}

int64_t kx_byte_fit(int16_t *w, int64_t n, int16_t *rest)
{
    int64_t changed = 0;

    memset(rest, 0, (size_t)n * sizeof *rest);
    for (int64_t i = 0; i + 1 < n; i += 2)
        if (!fits(w[i], w[i + 1])) {
            fit_pair(w + i, rest + i);
            changed += (rest[i] != 0) + (rest[i + 1] != 0);
        }
    if (n % 2 == 1) { /* the last one has none beside it */
        rest[n - 1] = (int16_t)outside(w[n - 1]);
        w[n - 1] = (int16_t)(w[n - 1] - rest[n - 1]);
        changed += rest[n - 1] != 0;
    }
    return changed;
}

/* Time for one cell in units of a sum of bytes for 16 channels and 88 terms, measured on Zen 3
 * (AVX2): of numbers of 16 bits, 107 for 88 terms; of a pair of rests for one cell and channel; of
 * bringing the sums of rests of 16 channels into order; of turning the bytes of a term. */
bool kx_byte_rests_pay(const kx_conv_desc *d, int64_t pairs)
{
    double terms = (double)(d->in_channels / d->groups * d->kernel[0] * d->kernel[1]);
    double blocks = (double)(kx_byte_blocks(d) * d->groups);
    double wide = 107 * terms * blocks;
    double bytes =
        (88 * terms + 1152) * blocks + 54 * (double)pairs + 36 * terms * (double)d->groups;

    return bytes < wide && pairs < INT32_MAX;
}

kx_byte_rest *kx_byte_put_rests(const int16_t *rest, int64_t n, kx_byte_rest *to)
{
    int place = 0;

    for (int64_t i = 0; i < n; i++) {
        if (rest[i] == 0)
            continue;
        if (place == 0)
            *to = (kx_byte_rest){.at = {(uint16_t)i, (uint16_t)i}, .weight = {0, 0}};
        to->at[place] = (uint16_t)i;
        to->weight[place] = rest[i];
        to += place;
        place = !place;
    }
    return to + place;
}
