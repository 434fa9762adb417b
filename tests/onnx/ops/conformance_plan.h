/* conformance_plan.h - a conformance case through the planned engine. */
#ifndef KLDVE_TESTS_ONNX_CONFORMANCE_PLAN_H
#define KLDVE_TESTS_ONNX_CONFORMANCE_PLAN_H

#include "conformance_data.h"

typedef struct planned_counts {
    int forward, vjp; /* runs compared: with the data, with the plain kernels */
    int not_planned;  /* the plan refuses, after the graph did not */
} planned_counts;

/** Each float input in turn is the picture, the others are constants; the first output is the
 *  logits.  Forward against the data, the VJP down to the input against that of the plain kernels.
 *  `room` as for data_promote(). */
bool planned_agrees(kldve_ctx *ctx, const char *name, const kx_model *m, const data_set *d,
                    kx_proto_tensor *room, planned_counts *counts, char *why);

#endif
