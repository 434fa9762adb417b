/* spelled.h - functions that networks spell out in several operators, recognised by their algebra:
 *
 *     x (1 + erf(x / sqrt 2)) / 2, x sigmoid(a x), ...    an activation
 *     (x - mean) / sqrt(mean of (x - mean)^2 + epsilon)   a normalisation of rows
 *
 * Whatever the order of the factors, and however the polynomials are written.  Values in between
 * must be read by nobody else; their units are dead afterwards. */
#ifndef KLDVE_ONNX_SPELLED_H
#define KLDVE_ONNX_SPELLED_H

#include "planner.h"

/** v, a factor, c: is c times the product of `factors` values an activation of one of them, *x? */
bool kx_spelled_act(kx_planner *p, const kx_value *const *factor, int32_t factors, float c,
                    const kx_value **x, kx_act *act);
/** Is x / y, or x times y with `inverse`, a normalisation of rows?  Then u becomes it. */
bool kx_spelled_norm(kx_planner *p, kx_unit *u, const kx_value *x, const kx_value *y, bool inverse);

#endif
