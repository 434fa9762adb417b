/* codec.h - the private side of pictures: the object, and what format files provide. */
#ifndef KLDVE_LIB_IMAGE_CODEC_H
#define KLDVE_LIB_IMAGE_CODEC_H

#include <kldve/backend.h>
#include <kldve/image.h>

#include "base/file.h"
#include "pixel_format.h"

#include <stdbool.h>

struct kldve_image {
    kldve_ctx *ctx;
    int32_t width, height;
    int32_t orientation; /* that its file had before it was turned upright, 2..8; 0: none */
    kldve_image *alpha;  /* the alpha channel as a grey picture of the same size, GREY or RGB;
                            NULL: none, or in borrowed pixels */
    kldve_pixels layout; /* every plane and stride filled in */
    /* Of a picture that is drawn while it is written: fills in row y, [width][3]; NULL: it has
     * pixels.  Called with `opaque`. */
    void (*row)(void *opaque, int32_t y, uint8_t *rgb);
    bool borrowed;            /* the pixels are the caller's, else those below */
    kldve_release_fn release; /* of borrowed pixels; NULL: nobody is told */
    void *opaque;
    uint8_t pixels[]; /* [height][width][3]; of a picture that is kept grey [height][width] */
};

/** A file in memory, and what becomes of it. */
typedef struct kldve_coded {
    const uint8_t *bytes;
    size_t nbytes;
    bool keep_grey; /* a grey picture has one byte a pixel */
} kldve_coded;

/** Room for one row of any picture, which kldve_image_row() may use; release it. */
uint8_t *kldve_image_row_room(kldve_ctx *ctx, const kldve_image *image);

/** Row y, [width][3], R, G, B of 8 bits: in place, or converted into `room`. */
const uint8_t *kldve_image_row(const kldve_image *image, int32_t y, uint8_t *room);

/** The alpha of row y spread to three channels, room [width][3]; false: there is none. */
bool kldve_image_alpha_row(const kldve_image *image, int32_t y, uint8_t *room);

/** A picture whose pixels are not set yet, RGB or GREY without gaps.  KLDVE_E_ARG if a side is
 *  outside 1..65535. */
kldve_status kldve_image_alloc_as(kldve_ctx *ctx, kldve_pixel_format format, int64_t width,
                                  int64_t height, kldve_image **out);

/** The same, RGB. */
kldve_status kldve_image_alloc(kldve_ctx *ctx, int64_t width, int64_t height, kldve_image **out);

/** Bytes of a pixel of a picture that is not borrowed: 3, or 1. */
size_t kldve_image_step(const kldve_image *image);

/** The same for a size that a file claims.  Before anything is allocated, KLDVE_E_LIMIT if it
 *  is above KLDVE_LIMIT_PICTURE_PIXELS, KLDVE_E_UNSUPPORTED if a side is above the largest. */
kldve_status kldve_image_admit(kldve_ctx *ctx, kldve_pixel_format format, int64_t width,
                               int64_t height, kldve_image **out);

/** Hand `image` (may be NULL) over on KLDVE_OK, else free it.  Returns `status`. */
kldve_status kldve_image_finish(kldve_status status, kldve_image *image, kldve_image **out);

/** Decode a file.  *orientation is set to the EXIF orientation, 1..8, which the caller
 *  applies.  Fails with KLDVE_E_FORMAT, _UNSUPPORTED, _LIMIT, _NOMEM. */
kldve_status kldve_png_decode(kldve_ctx *ctx, const kldve_coded *file, int32_t *orientation,
                              kldve_image **out);
kldve_status kldve_jpeg_decode(kldve_ctx *ctx, const kldve_coded *file, int32_t *orientation,
                               kldve_image **out);

/** Append the encoded picture to `out`, whose context takes the message of a failure.  `quality`
 * is 1..100, for JPEG.  Fails with KLDVE_E_NOMEM, _UNSUPPORTED. */
kldve_status kldve_png_encode(const kldve_image *image, int32_t quality, kldve_buffer *out);
kldve_status kldve_jpeg_encode(const kldve_image *image, int32_t quality, kldve_buffer *out);

/** The orientation, 1..8, in an EXIF block that starts with its TIFF header; 1 if there is none or
 *  the block is damaged.  Never reads outside the block, whatever it holds. */
int32_t kldve_exif_orientation(const uint8_t *tiff, size_t nbytes);

/** Find the EXIF block of a JPEG file, its first APP1 segment that starts with "Exif".  Returns its
 *  TIFF header and sets *nbytes, or NULL. */
const uint8_t *kldve_exif_find_jpeg(const uint8_t *file, size_t file_nbytes, size_t *nbytes);

/** Turn a picture that is stored with `orientation` (2..8) upright, into a new picture. */
kldve_status kldve_image_orient(const kldve_image *image, int32_t orientation, kldve_image **out);

#endif
