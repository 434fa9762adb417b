/* image.h - pictures in and out.
 *
 * A picture is 8-bit RGB.  Reading brings other kinds to that: grey is spread to three channels, 16
 * bit is rounded to 8 (v / 257), CMYK is converted as Adobe stores it, and the EXIF orientation is
 * applied.  Alpha is kept aside, for networks that take it; everything else shows the colours as if
 * there were none.  Gamma and colour profiles are ignored.
 *
 * Threads may read the same picture at the same time, each with a context of its own.  Its memory
 * comes from the context that it was made from, which is freed after it. */
#ifndef KLDVE_IMAGE_H
#define KLDVE_IMAGE_H

#include <kldve/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A picture: [height][width][3], R,G,B, 8 bits each, sRGB, rows without gaps.  Free it with
 *  kldve_image_free(). */
typedef struct kldve_image kldve_image;

/** Make a black picture.
 *  @param width,height  In pixels, each 1..65535.
 *  @param out           On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_new(kldve_ctx *ctx, int32_t width,
                                                        int32_t height, kldve_image **out);

/** Make a picture from the caller's pixels.
 *  @param rgb     Copied.  Interleaved R,G,B, 8 bits each.
 *  @param stride  BYTES from one row to the next, at least 3 * width.
 *  @param out     On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_from_rgb(kldve_ctx *ctx, const uint8_t *rgb,
                                                             int32_t width, int32_t height,
                                                             size_t stride, kldve_image **out);

/** Read a PNG or JPEG file.  Its first bytes say which it is, not its name.  A file that is cut off
 *  or damaged is refused as far as that can be told (JPEG has no checksums), even where other
 *  programs show what is left of it.
 *  @param path    The message of a failure begins with it.
 *  @param out     On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK; KLDVE_E_IO; KLDVE_E_FORMAT (damaged); KLDVE_E_UNSUPPORTED (another format, one
 *          that this build leaves out, or a side of more than 65535 pixels); KLDVE_E_LIMIT (above
 *          KLDVE_LIMIT_PICTURE_FILE or KLDVE_LIMIT_PICTURE_PIXELS, before memory is taken for it);
 *          KLDVE_E_NOMEM; KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_load(kldve_ctx *ctx, const char *path,
                                                         kldve_image **out);

/** kldve_image_load() from memory.
 *  @param bytes  [nbytes], borrowed for the call.
 *  @return As kldve_image_load(), but never KLDVE_E_IO.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_decode(kldve_ctx *ctx, const void *bytes,
                                                           size_t nbytes, kldve_image **out);

/** Write a picture as PNG or JPEG.  The file appears whole or not at all; an existing file keeps
 *  its permissions.  The bytes may change between versions of the library.
 *  @param path     Ends in .png, .jpg or .jpeg, in upper or lower case.
 *  @param quality  Of JPEG, 1..100; 0 means 92.  From 90 on, colours keep the full resolution.
 *                  Ignored for PNG.
 *  @return KLDVE_OK; KLDVE_E_IO; KLDVE_E_UNSUPPORTED (another ending, or a format that this build
 *          leaves out); KLDVE_E_NOMEM; KLDVE_E_ARG.  After a failure an existing file is unchanged.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_save(kldve_ctx *ctx, const kldve_image *image,
                                                         const char *path, int32_t quality);

/** Resize a picture with an antialiased bilinear (triangle) filter.  Every value is within 1 of 255
 *  of Pillow's `Image.resize((width, height), Image.BILINEAR)`.
 *  @param width,height  In pixels, each 1..65535.
 *  @param out           On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG (a side outside of 1..65535).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_resize(kldve_ctx *ctx, const kldve_image *image,
                                                           int32_t width, int32_t height,
                                                           kldve_image **out);

/** Cut a rectangle out of a picture.
 *  @param x,y           The upper left pixel of the rectangle.
 *  @param width,height  Its sides in pixels.
 *  @param out           On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG (part of the rectangle lies outside the picture).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_crop(kldve_ctx *ctx, const kldve_image *image,
                                                         int32_t x, int32_t y, int32_t width,
                                                         int32_t height, kldve_image **out);

/** Sizes in pixels.  @since 0.1 */
KLDVE_API int32_t kldve_image_width(const kldve_image *image);
KLDVE_API int32_t kldve_image_height(const kldve_image *image);

/** The pixels, [height][width][3], to read.  Borrowed: they live as long as the picture.
 *  @since 0.1 */
KLDVE_API const uint8_t *kldve_image_pixels(const kldve_image *image);

/** The alpha channel as a grey picture of the same size; NULL: the picture has none.  Resizing and
 *  cutting keep it.  Borrowed: it lives as long as the picture.  @since 0.1 */
KLDVE_API const kldve_image *kldve_image_alpha(const kldve_image *image);

/** The same pixels, to change in place.  @since 0.1 */
KLDVE_API uint8_t *kldve_image_edit(kldve_image *image);

/** Accepts NULL.  @since 0.1 */
KLDVE_API void kldve_image_free(kldve_image *image);

/** Colour maps of 256 colours.  All but `diverging` are within 1 of 255 of matplotlib's maps of the
 *  same name (grey is "gray" there).  viridis and inferno keep their order in grey and for
 *  colour-blind readers. */
typedef enum kldve_colormap {
    KLDVE_COLORMAP_DEFAULT = 0, /**< inferno */
    KLDVE_COLORMAP_VIRIDIS = 1,
    KLDVE_COLORMAP_INFERNO = 2,
    KLDVE_COLORMAP_TURBO = 3,
    KLDVE_COLORMAP_JET = 4,
    KLDVE_COLORMAP_GREY = 5,
    KLDVE_COLORMAP_DIVERGING = 6 /**< blue - white - red; 0.5 is white; for signed maps */
} kldve_colormap;

/** The kldve_colormap of a name ("viridis", ...), or -1 if there is none.  @since 0.1 */
KLDVE_API int32_t kldve_colormap_from_name(const char *name);

/** The colour of one value.
 *  @param colormap  A kldve_colormap; any other number means the default.
 *  @param value     0..1; values outside are clamped, NaN counts as 0.
 *  @param rgb       Filled in: R, G, B.
 *  @since 0.1 */
KLDVE_API void kldve_colormap_rgb(int32_t colormap, float value, uint8_t rgb[3]);

#ifdef __cplusplus
}
#endif
#endif
