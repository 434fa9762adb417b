/* byte_rest.h - weights that do not fit bytes, as ones that do and a rest (run/byte_kernels.h). */
#ifndef KLDVE_ONNX_BYTE_REST_H
#define KLDVE_ONNX_BYTE_REST_H

#include "accel/byte_desc.h"

/** Let every two weights in a half of a word fit 16 bits when they are multiplied with bytes and
 *  added: 255 times the sum of those of one sign, at most 2^15 - 1, and -128 to 127 each.
 *  @param w     [n], changed.
 *  @param rest  [n], what is taken away from each.
 *  @return how many are changed. */
int64_t kx_byte_fit(int16_t *w, int64_t n, int16_t *rest);

/** Is it faster to multiply as bytes and the rests of all channels, `pairs` of them, by themselves
 *  than all as numbers of 16 bits? */
bool kx_byte_rests_pay(const kx_conv_desc *d, int64_t pairs);

/** Put the rests [n] that are not 0 into `to`, two at a time; returns the end. */
kx_byte_rest *kx_byte_put_rests(const int16_t *rest, int64_t n, kx_byte_rest *to);

#endif
