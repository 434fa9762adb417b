/* test_callback.c - what a progress callback may do: use other objects of the same context, in the
 * host's floating-point environment, and keep what it made. */
#include "support.h"

#include <fenv.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>
#include <kldve/onnx.h>

enum { WIDE = 6000, SMALL = 80, KEPT = 3, CELLS = 1024 };

typedef struct result {
    float value[CELLS];
    int32_t count;
} result;

typedef struct host {
    kldve_ctx *ctx;
    kldve_explainer *other;
    const kldve_image *small;
    const result *small_map;
    kldve_image *kept[KEPT];
    int32_t calls, explained, wrong;
    bool inside;
} host;

static kldve_image *photo(kldve_ctx *ctx, int32_t side)
{
    uint8_t *pixels = malloc((size_t)side * (size_t)side * 3);
    kldve_image *image = NULL;
    kldve_pixels p;

    assert_non_null(pixels);
    for (int32_t i = 0; i < side * side * 3; i++)
        pixels[i] = (uint8_t)(i * 7 % 251 + i / side % 5);
    p = kldve_pixels_of(KLDVE_PIXEL_RGB, side, side, pixels, (ptrdiff_t)side * 3);
    assert_int_equal(kldve_image_from_pixels(ctx, &p, &image), KLDVE_OK);
    free(pixels);
    return image;
}

static void keep(const kldve_heatmap *map, result *out)
{
    const float *value;

    assert_int_equal(kldve_heatmap_values(map, &value, &out->count), KLDVE_OK);
    assert_true(out->count <= CELLS);
    memcpy(out->value, value, (size_t)out->count * sizeof *value);
}

static void explain(kldve_explainer *ex, const kldve_image *picture, result *out)
{
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain(ex, picture, NULL, &map), KLDVE_OK);
    keep(map, out);
    kldve_heatmap_free(map);
}

static bool same(const result *a, const result *b)
{
    return a->count == b->count &&
           memcmp(a->value, b->value, (size_t)a->count * sizeof *a->value) == 0;
}

static int32_t use_others(void *opaque, const char *stage, int64_t done, int64_t total)
{
    host *h = opaque;
    result got;

    (void)stage, (void)done, (void)total;
    h->wrong += fegetround() != FE_UPWARD;
    h->calls++;
    if (h->inside)
        return 0;
    h->inside = true;
    explain(h->other, h->small, &got);
    h->wrong += !same(&got, h->small_map) || fegetround() != FE_UPWARD;
    if (h->explained < KEPT)
        h->kept[h->explained] = photo(h->ctx, SMALL);
    h->explained++;
    h->inside = false;
    return 0;
}

static void nothing_logged(void *opaque, int32_t level, const char *line)
{
    (void)opaque, (void)level, (void)line;
}

static void test_other_objects(void **state)
{
    const kldve_onnx_options o = {.struct_size = sizeof o, .threads = 1};
    host h = {.calls = 0};
    test_heap heap;
    kldve_explainer *ex = NULL;
    kldve_image *wide, *small;
    result wide_map, small_map, got;

    (void)state;
    h.ctx = test_ctx(&heap);
    wide = photo(h.ctx, WIDE);
    h.small = small = photo(h.ctx, SMALL);
    assert_int_equal(kldve_onnx_explainer(h.ctx, NULL, &o, &ex), KLDVE_OK);
    assert_int_equal(kldve_onnx_explainer(h.ctx, NULL, &o, &h.other), KLDVE_OK);
    explain(h.other, small, &small_map);
    explain(ex, wide, &wide_map); /* from the second time on there is a scratch */
    h.small_map = &small_map;

    kldve_ctx_set_progress(h.ctx, use_others, &h);
    kldve_ctx_set_log(h.ctx, KLDVE_LOG_DEBUG, nothing_logged, NULL);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    explain(ex, wide, &got);
    assert_int_equal(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    assert_true(same(&got, &wide_map));
    assert_true(h.explained > 0);
    assert_int_equal(h.wrong, 0);

    kldve_ctx_set_progress(h.ctx, NULL, NULL);
    explain(ex, wide, &got); /* over what the callback kept, if that were in the scratch */
    assert_true(same(&got, &wide_map));
    for (int32_t i = 0; i < KEPT && h.kept[i]; i++) {
        kldve_image *again = photo(h.ctx, SMALL);

        assert_memory_equal(kldve_image_pixels(h.kept[i]), kldve_image_pixels(again),
                            (size_t)SMALL * SMALL * 3);
        kldve_image_free(again);
        kldve_image_free(h.kept[i]);
    }
    kldve_explainer_free(ex);
    kldve_explainer_free(h.other);
    kldve_image_free(wide);
    kldve_image_free(small);
    kldve_ctx_free(h.ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_other_objects)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
