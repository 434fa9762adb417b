/* json_number.h - a number as JSON writes it. */
#ifndef KLDVE_ONNX_JSON_NUMBER_H
#define KLDVE_ONNX_JSON_NUMBER_H

#include <stdbool.h>

/** @param at      Moves behind the number, or to where it is wrong.
 *  @param out     What is too large becomes infinite.
 *  @param reason  Of a failure, in static storage.
 *  @return false: a failure. */
bool kx_json_number(const char **at, const char *end, double *out, const char **reason);

#endif
