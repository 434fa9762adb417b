/* image.h - pictures in and out.  A picture is 8-bit RGB; alpha is dropped, grey is spread to three
 * channels, 16 bit is rounded to 8 (v / 257), CMYK is converted as Adobe stores it, the EXIF
 * orientation is applied.  Gamma and colour profiles are not looked at.
 *
 * A picture holds on to the context it was made from: functions that take a picture leave their
 * message there, and the rule of one thread at a time covers both. */
#ifndef KLDVE_IMAGE_H
#define KLDVE_IMAGE_H

#include <kldve/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A picture: [height][width][3], R,G,B, 8 bits each, sRGB, rows without gaps. */
typedef struct kldve_image kldve_image;

/** Limits for pictures from outside; all zero = defaults.  What is larger is refused with
 *  KLDVE_E_LIMIT before memory is allocated for it. */
typedef struct kldve_image_limits {
    size_t struct_size;
    int64_t pixels; /**< width * height; 0 means 100 million */
    int64_t bytes;  /**< size of the file; 0 means 256 MiB */
} kldve_image_limits;

/** Make a black picture of width x height pixels, each 1..65535.
 *  @param out  On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_new(kldve_ctx *ctx, int32_t width,
                                                        int32_t height, kldve_image **out);

/** Make a picture from the caller's pixels, which are copied.
 *  @param rgb     interleaved R,G,B, 8 bits each.
 *  @param stride  BYTES from one row to the next, at least 3 * width.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_from_rgb(kldve_ctx *ctx, const uint8_t *rgb,
                                                             int32_t width, int32_t height,
                                                             size_t stride, kldve_image **out);

/** Read a PNG or JPEG file; the format is recognised by its first bytes.  A file that is cut off or
 *  damaged is refused as far as it can be told (JPEG has no checksums), even where other programs
 *  show what is left of it.
 *  @param limits  NULL means defaults.
 *  @return KLDVE_OK, KLDVE_E_IO, KLDVE_E_FORMAT (broken), KLDVE_E_UNSUPPORTED (another format, or
 *          one that this build leaves out), KLDVE_E_LIMIT, KLDVE_E_NOMEM, KLDVE_E_ARG.  The message
 *          begins with the path.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_load(kldve_ctx *ctx, const char *path,
                                                         const kldve_image_limits *limits,
                                                         kldve_image **out);

/** The same from memory; the bytes are not needed any more afterwards.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_decode(kldve_ctx *ctx, const void *bytes,
                                                           size_t nbytes,
                                                           const kldve_image_limits *limits,
                                                           kldve_image **out);

/** Write a picture; `path` ends in .png, .jpg or .jpeg, in any case.  The file appears whole or not
 *  at all; one that was there keeps its permissions.  The bytes may change between versions.
 *  @param quality  of JPEG, 1..100; 0 means 92.  From 90 on, colours keep the full resolution.
 *                  Ignored for PNG.
 *  @return KLDVE_OK, KLDVE_E_IO, KLDVE_E_UNSUPPORTED (another ending, or a format that this build
 *          leaves out), KLDVE_E_NOMEM, KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_save(const kldve_image *image, const char *path,
                                                         int32_t quality);

/** Resize with an antialiased bilinear (triangle) filter, within 1 of 255 of Pillow's
 *  `Image.resize((width, height), Image.BILINEAR)`.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG (a side outside of 1..65535).  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_resize(const kldve_image *image, int32_t width,
                                                           int32_t height, kldve_image **out);

/** Cut out a rectangle, which lies inside the picture (KLDVE_E_ARG else), into a new picture.
 *  @param x,y  its upper left pixel.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_crop(const kldve_image *image, int32_t x,
                                                         int32_t y, int32_t width, int32_t height,
                                                         kldve_image **out);

/** Sizes in pixels, and the pixels, [height][width][3]: borrowed, they live as long as the picture.
 *  @since 0.1 */
KLDVE_API int32_t kldve_image_width(const kldve_image *image);
KLDVE_API int32_t kldve_image_height(const kldve_image *image);
KLDVE_API const uint8_t *kldve_image_pixels(const kldve_image *image);
KLDVE_API uint8_t *kldve_image_edit(kldve_image *image);
KLDVE_API void kldve_image_free(kldve_image *image);

/** Colour maps, 256 colours within 1 of 255 of those of matplotlib by the same name (grey is "gray"
 *  there; diverging is our own).  viridis and inferno keep their order in grey and for colour-blind
 *  readers. */
typedef enum kldve_colormap {
    KLDVE_COLORMAP_DEFAULT = 0, /**< inferno */
    KLDVE_COLORMAP_VIRIDIS = 1,
    KLDVE_COLORMAP_INFERNO = 2,
    KLDVE_COLORMAP_TURBO = 3,
    KLDVE_COLORMAP_JET = 4,
    KLDVE_COLORMAP_GREY = 5,
    KLDVE_COLORMAP_DIVERGING = 6 /**< blue - white - red, 0.5 is white; for signed maps */
} kldve_colormap;

/** The number of a colour map from its name ("viridis", ...), or -1.  @since 0.1 */
KLDVE_API int32_t kldve_colormap_from_name(const char *name);

/** The colour of one value 0..1 (clamped; NaN counts as 0) as 3 bytes R,G,B.  A number that is no
 *  kldve_colormap is taken as the default.  @since 0.1 */
KLDVE_API void kldve_colormap_rgb(int32_t colormap, float value, uint8_t rgb[3]);

#ifdef __cplusplus
}
#endif
#endif
