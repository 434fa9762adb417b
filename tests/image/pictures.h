/* pictures.h - pictures of noise, and calls whose every allocation fails once. */
#ifndef KLDVE_TESTS_IMAGE_PICTURES_H
#define KLDVE_TESTS_IMAGE_PICTURES_H

#include <kldve/image.h>

#include "support.h"
#include "image/codec.h"

kldve_image *make(kldve_ctx *ctx, int32_t width, int32_t height);
/** Free the context; fails the test if an allocation is left. */
void done(kldve_ctx *ctx, test_heap *heap);

/** What a call under test reads and makes. */
struct call {
    kldve_ctx *ctx;
    kldve_image *image, *out;
};

/** Allow 0, 1, 2, ... allocations until the call succeeds; returns how many it took. */
long fail_each(kldve_ctx *ctx, test_heap *heap, kldve_status (*call)(void *), void *opaque);
/** The call took at least so many, and made a picture, which is freed. */
void check_out(struct call *c, long least, long took);

#endif
