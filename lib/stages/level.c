/* level.c - the value of a map above which a part of it lies.
 *
 * Without sorting: floats above 0 are in the order of their bits, read as integers.  Three passes
 * over the values, for the upper 11 bits, the 10 below and the last 10, each add up what lies in
 * each bin and go down from the largest until enough is found; the next pass looks into that bin
 * alone.
 *
 * Sums are rounded (float64), and where they are too close to what is needed to tell, as with many
 * equal values, the level is the one that 31 halvings of the range of bit patterns find, each with
 * a sum in the order of the values.  Takes no memory. */
#include "level.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BITS_OF_INFINITY = 0x7f800000, PASSES = 3, BINS = 1 << 11 };

static float from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t to_bits(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float kldve_magnitude(float value, bool is_signed)
{
    return is_signed ? fabsf(2 * value - 1) : value;
}

double kldve_sum_from(const kldve_values *values, float t, size_t *above, double *sum_above)
{
    double equal = 0;

    *above = 0;
    *sum_above = 0;
    for (size_t i = 0; i < values->count; i++) {
        float value = kldve_magnitude(values->value[i], values->is_signed);

        if (value > t) {
            *sum_above += (double)value;
            ++*above;
        } else if (value == t) {
            equal += (double)value;
        }
    }
    return *sum_above + equal;
}

/* ---- by bins -------------------------------------------------------------------------------- */

/* The largest bit pattern with which enough is found. */
typedef struct found {
    uint32_t bits;
    double above, with; /* what lies above it; and with those equal to it */
} found;

/* What the values with the upper bits `upper` have in each bin of the bits below: how many they
 * are, or their sum. */
static void fill(const kldve_values *values, bool sum, int pass, uint32_t upper, double bin[BINS])
{
    const int shift[PASSES] = {20, 10, 0};

    memset(bin, 0, BINS * sizeof *bin);
    for (size_t i = 0; i < values->count; i++) {
        float value = kldve_magnitude(values->value[i], values->is_signed);
        uint32_t bits = to_bits(value) >> shift[pass];

        if (value > 0 && (pass == 0 || bits >> 10 == upper))
            bin[pass == 0 ? bits : bits & 0x3ff] += sum ? (double)value : 1;
    }
}

/* False: all of them are less than `need`. */
static bool find(const kldve_values *values, bool sum, double need, found *out)
{
    double bin[BINS], above = 0;
    uint32_t upper = 0;

    for (int pass = 0; pass < PASSES; pass++) {
        uint32_t i = pass == 0 ? BINS - 1 : 0x3ff;

        fill(values, sum, pass, upper, bin);
        while (i > 0 && !(above + bin[i] >= need))
            above += bin[i--];
        if (!(above + bin[i] >= need))
            return false;
        upper = pass == 0 ? i : upper << 10 | i;
        *out = (found){upper, above, above + bin[i]};
    }
    return true;
}

/* ---- by sum --------------------------------------------------------------------------------- */

static float halve(const kldve_values *values, double need)
{
    uint32_t low = 0,
             high = BITS_OF_INFINITY; /* enough lies above `low`, too little above `high` */
    double sum_above;
    size_t above;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (kldve_sum_from(values, from_bits(middle), &above, &sum_above) >= need)
            low = middle;
        else
            high = middle;
    }
    return from_bits(low);
}

float kldve_level_of_sum(const kldve_values *values, double part)
{
    double need, sum_above, total, slack;
    size_t above;
    found f;

    assert(part >= 0 && part <= 1);
    total = kldve_sum_from(values, 0, &above, &sum_above);
    need = part * total;
    if (need == 0)
        return 0;
    slack = 4 * DBL_EPSILON * (double)values->count * total; /* beyond any rounding of the sums */
    if (find(values, true, need, &f) && f.above < need - slack && f.with >= need + slack)
        return from_bits(f.bits);
    return halve(values, need);
}

/* ---- by count ------------------------------------------------------------------------------- */

static size_t count_nonzero(const kldve_values *values)
{
    size_t count = 0;

    for (size_t i = 0; i < values->count; i++)
        count += kldve_magnitude(values->value[i], values->is_signed) > 0;
    return count;
}

float kldve_level_of_count(const kldve_values *values, double part)
{
    double most = part * (double)count_nonzero(values);
    found f;

    assert(part >= 0 && part < 1);
    return find(values, false, floor(most) + 1, &f) ? from_bits(f.bits) : 0;
}
