/* fuzz_image.c - any bytes as a picture.  An entry for libFuzzer:
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fuzz_image.c \
 *         BUILD/lib/libkldve_core.a -lpng -ljpeg -lopenblas -lm -o fuzz_image
 *     ./fuzz_image NEW_FOLDER tests/fuzz/image
 *
 * The build links it with driver.c instead, as a short test.  The files of image/ were made with
 * tests/image/pillow.py --seeds. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

/* Touch every pixel: a sanitizer then tells of memory that was never set. */
static unsigned sum_of(const kldve_image *image)
{
    size_t count = 3 * (size_t)kldve_image_width(image) * (size_t)kldve_image_height(image);
    unsigned sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += kldve_image_pixels(image)[i];
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    enum { PIXELS = 1000000 };
    kldve_image *image = NULL;
    kldve_status status;
    kldve_ctx *ctx;

    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return 0;
    if (kldve_ctx_set_limit(ctx, KLDVE_LIMIT_PICTURE_PIXELS, PIXELS) != KLDVE_OK)
        abort();
    status = kldve_image_decode(ctx, bytes, nbytes, &image);
    if ((status == KLDVE_OK) != (image != NULL))
        abort();
    if (status != KLDVE_OK && !*kldve_ctx_message(ctx))
        abort();
    if (image && sum_of(image) > 255u * 3 * PIXELS)
        abort();
    kldve_image_free(image);
    kldve_ctx_free(ctx);
    return 0;
}
