/* bench.h - methods at the pixels on small networks, wrapped by a probe that keeps the map from
 * before normalisation. */
#ifndef KLDVE_TESTS_METHODS_BENCH_H
#define KLDVE_TESTS_METHODS_BENCH_H

#include <kldve/method.h>

#include "support.h"
#include "backends/tiny.h"

enum { H = 3, W = 4, MAPS = 5, CLASSES = 6, MOST_CHANNELS = 2 };
enum { PIXELS = H * W * TINY_PATCH * TINY_PATCH };

extern const tiny_config two_channels, one_channel;

/* What the probed method made. */
struct probe {
    const kldve_method *method;
    float map[PIXELS], error[PIXELS];
    double change; /* f(x) - f(0) */
};

struct bench {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *ex;
    kldve_method method;
    struct probe probe;
    float input[MOST_CHANNELS * PIXELS];
};

void open_bench(struct bench *b, const tiny_config *net, const kldve_method *method);
void close_bench(struct bench *b);

/** Make the raw map, in b->probe. */
void run_probe(struct bench *b, kldve_options o);

/** Of a map, [PIXELS]. */
double map_sum(const float *v);
double map_largest(const float *v);

/** Cancelled after three steps, the method `name` of the library stops and makes no map. */
void check_cancel(struct bench *b, const char *name);

#endif
