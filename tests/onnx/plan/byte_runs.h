/* byte_runs.h - small quantised networks, run in several ways. */
#ifndef KLDVE_TESTS_ONNX_BYTE_RUNS_H
#define KLDVE_TESTS_ONNX_BYTE_RUNS_H

#include "support.h"

#include "plan/plan.h"
#include "read/proto.h"

/** A network written down as text.h says. */
typedef struct opened {
    test_heap heap;
    kldve_ctx *ctx;
    kx_model *model;
    kx_graph *g;
    unsigned char *bytes;
} opened;

void byte_open(opened *o, const char *text);
void byte_close(opened *o);
/** NULL: none. */
const kx_value *byte_value(const opened *o, const char *name);
/** Normal, for the input; release with free(). */
float *byte_input(const opened *o, uint64_t seed);

typedef struct result {
    float *y;
    int32_t steps, on_bytes; /* forward; on_bytes without turning numbers to bytes and back */
    size_t memory;
} result;

/** A plan, which gets input, logits and, if none are given, one thread; release y with free(). */
result byte_run(const opened *o, kx_plan_options options, const float *x);
/** Fails the test where results differ by more. */
void byte_compare(const char *text, result fast, result slow, size_t count, float tolerance);

#endif
