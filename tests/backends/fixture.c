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

int fixture_set_up(void **state)
{
    static fixture f;

    fixture_open(&f, &tiny_backend);
    *state = &f;
    return 0;
}

int fixture_tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

kldve_heatmap *fixture_explain(fixture *f, kldve_options o)
{
    kldve_heatmap *map = NULL;

    o.struct_size = sizeof o;
    if (kldve_explain_input(f->ex, f->input, &o, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(f->ctx));
    return map;
}

kldve_record fixture_record(const kldve_heatmap *map)
{
    kldve_record r = {.struct_size = sizeof r};

    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    return r;
}
