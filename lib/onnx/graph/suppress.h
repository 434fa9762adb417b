/* suppress.h - non-maximum suppression: of boxes that overlap the one with the highest score. */
#ifndef KLDVE_ONNX_GRAPH_SUPPRESS_H
#define KLDVE_ONNX_GRAPH_SUPPRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct kx_suppression {
    const float *box; /**< [rows][4]: two opposite corners, or centre and size */
    int32_t rows;
    bool centre;
    float
        overlap; /**< boxes whose intersection is a larger part of their union exclude each other */
    float least; /**< scores have to be above it; -INFINITY: any */
    int64_t most; /**< boxes that are kept */
} kx_suppression;

/** The rows that one class keeps, by falling score; of equal scores the first row comes first.
 *  @param score  of row r: score[r * step].  NaN counts as none.
 *  @param order  [rows], for the call.
 *  @param kept   [rows].
 *  @return how many are kept. */
int32_t kx_suppress(const kx_suppression *s, const float *score, int64_t step, int32_t *order,
                    int32_t *kept);

#endif
