/* half.h - float32 to float16 and back: 1 bit of sign, 5 of exponent, 10 of fraction (IEEE 754). */
#ifndef HALF_H
#define HALF_H

#include <stddef.h>
#include <stdint.h>

/* value[i] * 2^-e, rounded to the nearest, with the e that puts the largest below 2^15: none
 * overflows, and what is smaller than the largest by up to 2^28 keeps 11 bits.  Returns e.  All
 * values are finite. */
int32_t half_pack(const float *value, size_t count, uint16_t *packed);

/* packed[i] * 2^e */
void half_unpack(const uint16_t *packed, size_t count, int32_t e, float *value);

#endif
