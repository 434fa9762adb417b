/* resample.h - a part of a resized picture, for the library itself. */
#ifndef KLDVE_LIB_IMAGE_RESAMPLE_H
#define KLDVE_LIB_IMAGE_RESAMPLE_H

#include <kldve/image.h>

/** A picture at another size, and the window of that which is wanted; pixels. */
typedef struct kldve_resized {
    int32_t width, height;
    int32_t x, y, window_width, window_height; /**< inside of it */
} kldve_resized;

/** What kldve_image_resize_by() and then kldve_image_crop() give.  Memory and time follow the
 *  window and not the size of the whole.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, or what a poll says. */
kldve_status kldve_image_resize_window(kldve_ctx *ctx, const kldve_image *image,
                                       int32_t interpolation, const kldve_resized *to,
                                       kldve_image **out);

#endif
