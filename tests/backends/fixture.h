/* fixture.h - an explainer of a small reference network and an input for it, on an allocator that
 * counts and can be made to fail. */
#ifndef KLDVE_TESTS_CORE_FIXTURE_H
#define KLDVE_TESTS_CORE_FIXTURE_H

#include <kldve/kldve.h>

#include "support.h"
#include "tiny.h"

enum { CHANNELS = 2, H = 3, W = 4, CELLS = H * W, MAPS = 5, CLASSES = 6 };
enum { IN_H = H * TINY_PATCH, IN_W = W * TINY_PATCH, PIXELS = IN_H * IN_W };

typedef struct fixture {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *ex;
    float input[CHANNELS * PIXELS];
} fixture;

/** The curved network through `backend`, a tiny_backend or a copy of one. */
void fixture_open(fixture *f, const kldve_backend *backend);
/** Fails the test if an allocation is left. */
void fixture_close(fixture *f);

#endif
