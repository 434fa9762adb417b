/* level.c - the value of a map above which a part of it lies.
 *
 * Without sorting: floats that are not negative are in the order of their bits, read as integers,
 * so that 32 halvings of the range of bit patterns find the level, each in one pass.  Takes no
 * memory, and the result does not depend on the order of the values but for the rounding of the
 * sums (float64). */
#include "level.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BITS_OF_INFINITY = 0x7f800000 };

static float from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
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

float kldve_level_of_sum(const kldve_values *values, double part)
{
    uint32_t low = 0,
             high = BITS_OF_INFINITY; /* enough lies above `low`, too little above `high` */
    double need, sum_above;
    size_t above;

    assert(part >= 0 && part <= 1);
    need = part * kldve_sum_from(values, 0, &above, &sum_above);
    if (need == 0)
        return 0;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (kldve_sum_from(values, from_bits(middle), &above, &sum_above) >= need)
            low = middle;
        else
            high = middle;
    }
    return from_bits(low);
}

static size_t count_above(const kldve_values *values, float t)
{
    size_t above = 0;

    for (size_t i = 0; i < values->count; i++)
        above += kldve_magnitude(values->value[i], values->is_signed) > t;
    return above;
}

float kldve_level_of_count(const kldve_values *values, double part)
{
    uint32_t low = 0, high = BITS_OF_INFINITY; /* too many lie above `low` - or none at all */
    double most = part * (double)count_above(values, 0);

    assert(part >= 0 && part < 1);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if ((double)count_above(values, from_bits(middle)) > most)
            low = middle;
        else
            high = middle;
    }
    return count_above(values, 0) > 0 ? from_bits(high) : 0;
}
