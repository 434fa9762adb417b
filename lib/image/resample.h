/* resample.h - a part of a picture at another size. */
#ifndef KLDVE_LIB_RESAMPLE_H
#define KLDVE_LIB_RESAMPLE_H

#include <kldve/image.h>

/** What kldve_image_crop() would cut out of what kldve_image_resize_by() makes, without the rest of
 *  it.  Arguments are checked by the caller.
 *  @param size  Width and height of the whole picture after resizing.
 *  @param at    The upper left pixel of the part.
 *  @param part  Its width and height. */
kldve_status kldve_image_resize_part(kldve_ctx *ctx, const kldve_image *image,
                                     int32_t interpolation, const int32_t size[2],
                                     const int32_t at[2], const int32_t part[2], kldve_image **out);

#endif
