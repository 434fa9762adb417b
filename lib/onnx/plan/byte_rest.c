/* byte_rest.c - see byte_rest.h. */
#include "byte_rest.h"

#include <stdlib.h>

static int64_t take(int16_t *w, int by, int16_t *rest)
{
    *w = (int16_t)(*w - by);
    *rest = (int16_t)(*rest + by);
    return by != 0;
}

/* By how much w is outside of -128..127. */
static int outside(int w)
{
    return w > INT8_MAX ? w - INT8_MAX : w < INT8_MIN ? w - INT8_MIN : 0;
}

/* 255 x 128 fits 16 bits with either sign, 255 x 129 does not. */
static int too_much(int a, int b)
{
    enum { MOST = INT16_MAX / UINT8_MAX };

    if ((a > 0) != (b > 0))
        return 0;
    return a + b > MOST ? a + b - MOST : a + b < -MOST ? a + b + MOST : 0;
}

int64_t kx_byte_fit(int16_t *w, int64_t n, int16_t *rest)
{
    int64_t changed = 0;

    for (int64_t i = 0; i < n; i++) {
        rest[i] = 0;
        changed += take(&w[i], outside(w[i]), &rest[i]);
    }
    for (int64_t i = 0; i + 1 < n; i += 2) {
        int64_t at = abs(w[i]) > abs(w[i + 1]) ? i : i + 1;

        changed += rest[at] == 0 && too_much(w[i], w[i + 1]);
        take(&w[at], too_much(w[i], w[i + 1]), &rest[at]);
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
