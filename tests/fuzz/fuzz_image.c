/* fuzz_image.c - any bytes as a picture, the targets `png` and `jpeg`.  The files of their folders
 * were made with tests/image/pillow.py --seeds. */
#include <string.h>

#include <kldve/image.h>

#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

static size_t pixel_bytes(const kldve_image *image)
{
    return 3 * (size_t)kldve_image_width(image) * (size_t)kldve_image_height(image);
}

/* Touch every pixel: a sanitizer then tells of memory that was never set. */
static void touch(const kldve_image *image)
{
    const uint8_t *pixel = kldve_image_pixels(image);
    volatile unsigned sum = 0;

    for (size_t i = 0; i < pixel_bytes(image); i++)
        sum += pixel[i];
    (void)sum;
}

/* A PNG of it is the same picture. */
static void write_and_read(kldve_ctx *ctx, const kldve_image *image)
{
    kldve_image *again = NULL;
    void *file = NULL;
    size_t n = 0;
    kldve_status status = kldve_image_encode(ctx, image, KLDVE_FILE_FORMAT_PNG, 0, &file, &n);

    watch_call(ctx, status, file != NULL);
    if (!file)
        return;
    status = kldve_image_decode(ctx, file, n, &again);
    watch_call(ctx, status, again != NULL);
    watch_that(status == KLDVE_OK || status == KLDVE_E_NOMEM, "what was written cannot be read");
    if (again)
        watch_that(pixel_bytes(again) == pixel_bytes(image) &&
                       memcmp(kldve_image_pixels(again), kldve_image_pixels(image),
                              pixel_bytes(image)) == 0,
                   "a PNG changed its pixels");
    kldve_image_free(again);
    kldve_ctx_release(ctx, file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    enum { SMALL = 3 * 64 * 64 };
    kldve_ctx *ctx = watch_open();
    kldve_image *image = NULL;
    kldve_status status = kldve_image_decode(ctx, bytes, nbytes, &image);

    watch_call(ctx, status, image != NULL);
    if (image) {
        touch(image);
        if (pixel_bytes(image) <= SMALL)
            write_and_read(ctx, image);
    }
    kldve_image_free(image);
    watch_close(ctx);
    return 0;
}
