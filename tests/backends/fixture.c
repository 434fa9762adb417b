/* fixture.c - see fixture.h. */
#include "fixture.h"

static const tiny_config net = {CHANNELS, H, W, MAPS, CLASSES, 101, true};

void fixture_open(fixture *f, const kldve_backend *backend)
{
    uint64_t seed = 8;

    f->ctx = test_ctx(&f->heap);
    f->ex = NULL;
    for (int i = 0; i < CHANNELS * PIXELS; i++)
        f->input[i] = 3 * (float)test_normal(&seed);
    assert_int_equal(kldve_explainer_new(f->ctx, backend, &net, &f->ex), KLDVE_OK);
}

void fixture_close(fixture *f)
{
    kldve_explainer_free(f->ex);
    kldve_ctx_free(f->ctx);
    assert_int_equal(f->heap.live, 0);
}
