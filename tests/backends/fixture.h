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

/** Setup and teardown of cmocka tests: *state is a fixture with every slot. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/** The map of the fixture's input; fails the test if there is none.  o.struct_size need not be set.
 */
kldve_heatmap *fixture_explain(fixture *f, kldve_options o);
kldve_record fixture_record(const kldve_heatmap *map);

#endif
