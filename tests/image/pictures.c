/* pictures.c - see pictures.h. */
#include "pictures.h"

#include <string.h>

static void fill(kldve_image *image)
{
    uint64_t seed = 5;

    for (int32_t i = 0; i < 3 * image->width * image->height; i++)
        kldve_image_edit(image)[i] = (uint8_t)(256 * test_random(&seed));
}

kldve_image *make(kldve_ctx *ctx, int32_t width, int32_t height)
{
    kldve_image *image;

    assert_int_equal(kldve_image_new(ctx, width, height, &image), KLDVE_OK);
    fill(image);
    return image;
}

void done(kldve_ctx *ctx, test_heap *heap)
{
    kldve_ctx_free(ctx);
    assert_int_equal(heap->live, 0);
}

long fail_each(kldve_ctx *ctx, test_heap *heap, kldve_status (*call)(void *), void *opaque)
{
    long live = heap->live;

    for (long budget = 0;; budget++) {
        kldve_status status;

        heap->budget = budget;
        status = call(opaque);
        heap->budget = -1;
        if (status == KLDVE_OK)
            return budget;
        assert_int_equal(status, KLDVE_E_NOMEM);
        assert_non_null(strstr(kldve_ctx_message(ctx), "out of memory"));
        assert_int_equal(heap->live, live);
        assert_true(budget < 1000);
    }
}

void check_out(struct call *c, long least, long took)
{
    assert_true(took >= least);
    assert_non_null(c->out);
    kldve_image_free(c->out);
    c->out = NULL;
}
