/* image.h - pictures in and out.
 *
 * A picture that the library makes is R, G, B of 8 bits.  Reading brings other kinds to that: grey
 * is spread to three channels, 16 bit is rounded to 8 (v / 257), CMYK is converted as Adobe stores
 * it, and the EXIF orientation is applied.  Alpha is kept aside, for networks that take it;
 * everything else shows the colours as if there were none.  Gamma and colour profiles are ignored.
 *
 * A picture may also lie in the caller's memory, in one of many formats (kldve_image_borrow()).  It
 * is then read in place, one row after the other, with the same conversions.
 *
 * Threads may read the same picture at the same time, each with a context of its own.  Its memory
 * comes from the context that it was made from, which is freed after it. */
#ifndef KLDVE_IMAGE_H
#define KLDVE_IMAGE_H

#include <kldve/common.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A picture.  Free it with kldve_image_free(). */
typedef struct kldve_image kldve_image;

/** Make a black picture.
 *  @param width,height  In pixels, each 1..65535.
 *  @param out           On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_new(kldve_ctx *ctx, int32_t width,
                                                        int32_t height, kldve_image **out);

/** How pixels lie in memory.  The name says which numbers follow each other, from the lowest
 * address on, 8 bits each.  Add KLDVE_PIXEL_16 or KLDVE_PIXEL_FLOAT for wider numbers.  Colours are
 * not multiplied by alpha; an X is ignored, and left as it is where the library writes. */
typedef enum kldve_pixel_format {
    KLDVE_PIXEL_RGB = 0, /**< as Pillow, PNG and most others have it */
    KLDVE_PIXEL_BGR = 1, /**< as OpenCV has it */
    KLDVE_PIXEL_RGBA = 2,
    KLDVE_PIXEL_BGRA = 3, /**< as Windows has it, and cairo on a PC, which multiplies by alpha */
    KLDVE_PIXEL_ARGB = 4,
    KLDVE_PIXEL_ABGR = 5,
    KLDVE_PIXEL_RGBX = 6,
    KLDVE_PIXEL_BGRX = 7,
    KLDVE_PIXEL_XRGB = 8,
    KLDVE_PIXEL_XBGR = 9,
    KLDVE_PIXEL_GREY = 10, /**< written as ITU-R 601 luma */
    KLDVE_PIXEL_GREY_ALPHA = 11,
    KLDVE_PIXEL_RGB_PLANAR = 12,  /**< planes R, G, B, in this order */
    KLDVE_PIXEL_RGBA_PLANAR = 13, /**< planes R, G, B, A */
    /* Of cameras and films, 8 bits, to read only; see kldve_yuv.  Sides may be odd: the last U and
     * V are then those of one pixel. */
    KLDVE_PIXEL_NV12 = 14,  /**< plane Y, plane U,V of half the width and height */
    KLDVE_PIXEL_NV21 = 15,  /**< plane Y, plane V,U */
    KLDVE_PIXEL_I420 = 16,  /**< planes Y, U, V; U and V of half the width and height */
    KLDVE_PIXEL_I422 = 17,  /**< U and V of half the width */
    KLDVE_PIXEL_I444 = 18,  /**< U and V of the full size */
    KLDVE_PIXEL_YUY2 = 19,  /**< Y0, U, Y1, V, for two pixels */
    KLDVE_PIXEL_UYVY = 20,  /**< U, Y0, V, Y1 */
    KLDVE_PIXEL_16 = 32,    /**< to add: numbers of 16 bits in the machine's byte order */
    KLDVE_PIXEL_FLOAT = 64, /**< to add: float, 0..1 */
    KLDVE_PIXEL_RGB16 = KLDVE_PIXEL_RGB + KLDVE_PIXEL_16,
    KLDVE_PIXEL_BGR16 = KLDVE_PIXEL_BGR + KLDVE_PIXEL_16,
    KLDVE_PIXEL_GREY16 = KLDVE_PIXEL_GREY + KLDVE_PIXEL_16,
    KLDVE_PIXEL_RGB_FLOAT = KLDVE_PIXEL_RGB + KLDVE_PIXEL_FLOAT,
    KLDVE_PIXEL_RGB_PLANAR_FLOAT = KLDVE_PIXEL_RGB_PLANAR + KLDVE_PIXEL_FLOAT
} kldve_pixel_format;

/** What Y, U and V mean: the matrix of a standard, in the limited range (Y is 16..235), or in the
 *  full one (0..255), as JPEG has it.  Pixels that share U and V have the same ones. */
typedef enum kldve_yuv {
    KLDVE_YUV_BT601 = 0, /**< ITU-R BT.601, limited: most cameras, films of up to 576 rows */
    KLDVE_YUV_BT601_FULL = 1,
    KLDVE_YUV_BT709 = 2, /**< films of more rows */
    KLDVE_YUV_BT709_FULL = 3,
    KLDVE_YUV_BT2020 = 4,
    KLDVE_YUV_BT2020_FULL = 5
} kldve_yuv;

/** Pixels in the caller's memory.  kldve_pixels_of() fills in the usual case. */
typedef struct kldve_pixels {
    size_t struct_size;
    int32_t format;        /**< a kldve_pixel_format */
    int32_t width, height; /**< pixels, 1..65535 */
    int32_t yuv;           /**< a kldve_yuv, for those formats; else 0 */
    /** Where the upper row of each plane begins; most formats have one plane.  A later plane may be
     *  NULL: it then follows the one before it.  Any alignment will do. */
    void *plane[4];
    /** BYTES from one row to the next; negative: the rows below lie before the first, as in
     *  bottom-up bitmaps; 0: without gaps. */
    ptrdiff_t stride[4];
} kldve_pixels;
#define KLDVE_PIXELS_INIT KLDVE_INIT(kldve_pixels)

/** Pixels of one plane, or of several that follow each other.
 *  @param format  A kldve_pixel_format.
 *  @param pixels  The upper row.  The library writes there only where a function says so.
 *  @param stride  BYTES from one row to the next, see kldve_pixels.
 *  @since 0.1 */
KLDVE_MAY_BE_UNSET(4)
static inline kldve_pixels kldve_pixels_of(int32_t format, int32_t width, int32_t height,
                                           const void *pixels, ptrdiff_t stride)
{
    kldve_pixels made;

    memset(&made, 0, sizeof made);
    made.struct_size = sizeof made;
    made.format = format;
    made.width = width;
    made.height = height;
    memcpy(&made.plane[0], &pixels, sizeof pixels);
    made.stride[0] = stride;
    return made;
}

/** Make a picture from the caller's pixels.
 *  @param pixels  Copied, as R, G, B of 8 bits, and alpha where the format has it.
 *  @param out     On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK; KLDVE_E_NOMEM; KLDVE_E_ARG (NULL, an unknown format, a side outside 1..65535,
 * a stride shorter than a row); KLDVE_E_UNSUPPORTED (YUV of more than 8 bits, or a member that this
 * library does not have).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_from_pixels(kldve_ctx *ctx,
                                                                const kldve_pixels *pixels,
                                                                kldve_image **out);

/** Called when a borrowed picture is freed, in the thread that frees it. */
typedef void (*kldve_release_fn)(void *opaque);

/** kldve_image_from_pixels() without a copy: the picture reads the caller's memory in place.
 *  @param pixels   The struct is copied; what it points to must stay, and must not change during a
 *                  call that takes the picture, until the picture is freed.
 *  @param release  Called once, when kldve_image_free() has let go of the pixels; NULL: nobody is
 *                  told.  It is not called after a failure: the pixels are the caller's then.
 *  @param opaque   Handed to release().
 *  @return As kldve_image_from_pixels().
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_borrow(kldve_ctx *ctx,
                                                           const kldve_pixels *pixels,
                                                           kldve_release_fn release, void *opaque,
                                                           kldve_image **out);

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

/** kldve_image_load() that keeps a grey picture grey: one byte a pixel in place of three.  All
 * calls that take a picture take it; kldve_image_pixels() and kldve_image_edit() give NULL for it,
 * and kldve_image_layout() says KLDVE_PIXEL_GREY.  A picture with colours or alpha is as
 *  kldve_image_load() gives it.
 *  @param path    The message of a failure begins with it.
 *  @param out     On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return As kldve_image_load().
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_load_compact(kldve_ctx *ctx, const char *path,
                                                                 kldve_image **out);

/** kldve_image_load() from memory.
 *  @param bytes  [nbytes], borrowed for the call.
 *  @return As kldve_image_load(), but never KLDVE_E_IO.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_decode(kldve_ctx *ctx, const void *bytes,
                                                           size_t nbytes, kldve_image **out);

/** Formats of files. */
typedef enum kldve_file_format {
    KLDVE_FILE_FORMAT_PNG = 1,
    KLDVE_FILE_FORMAT_JPEG = 2
} kldve_file_format;

/** Write a picture as the bytes of a PNG or JPEG file, without alpha.  The bytes may change between
 *  versions of the library.
 *  @param format   A kldve_file_format.
 *  @param quality  Of JPEG, 1..100; 0 means 92.  From 90 on, colours keep the full resolution.
 *                  Of PNG 0: it loses nothing.
 *  @param bytes    On KLDVE_OK the file, from the memory of `ctx`; free it with kldve_ctx_release()
 *                  (backend.h).
 *  @param nbytes   On KLDVE_OK how many.
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (a format that this build leaves out, a side of a JPEG
 *          above 65500); KLDVE_E_NOMEM; KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_encode(kldve_ctx *ctx, const kldve_image *image,
                                                           int32_t format, int32_t quality,
                                                           void **bytes, size_t *nbytes);

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

/** How a picture of another size is computed.  Names and results are Pillow's: every value is
 *  within 1 of 255 of its Image.resize(). */
typedef enum kldve_interpolation {
    KLDVE_INTERPOLATION_BILINEAR = 0, /**< a triangle, antialiased: of torchvision's weights most */
    KLDVE_INTERPOLATION_BICUBIC = 1,  /**< a = -1/2, antialiased: ViT, Swin, EfficientNet, timm */
    KLDVE_INTERPOLATION_LANCZOS = 2,  /**< of three lobes, antialiased */
    KLDVE_INTERPOLATION_NEAREST = 3,
    KLDVE_INTERPOLATION_BOX = 4, /**< the mean of the pixels below */
    KLDVE_INTERPOLATION_HAMMING = 5,
    /** Not antialiased, so most pixels of a large picture do not count: as OpenCV's INTER_LINEAR,
     *  tf.image.resize() and torch's interpolate(mode="bilinear"), on which many detectors were
     *  trained. */
    KLDVE_INTERPOLATION_BILINEAR_PLAIN = 6
} kldve_interpolation;

/** "bilinear", "bicubic", "lanczos", "nearest", "box", "hamming", "bilinear-plain".
 *  @return Static storage; NULL: there is no such kldve_interpolation, so that names can be listed
 *          from 0 on.  Safe from any thread.  @since 0.1 */
KLDVE_API const char *kldve_interpolation_name(int32_t interpolation);

/** kldve_image_resize() by another interpolation.
 *  @param interpolation  A kldve_interpolation.
 *  @param width,height   In pixels, each 1..65535.
 *  @return As kldve_image_resize(); KLDVE_E_ARG also for an unknown interpolation.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_resize_by(kldve_ctx *ctx,
                                                              const kldve_image *image,
                                                              int32_t interpolation, int32_t width,
                                                              int32_t height, kldve_image **out);

/** Cut a rectangle out of a picture.
 *  @param x,y           The upper left pixel of the rectangle.
 *  @param width,height  Its sides in pixels.
 *  @param out           On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG (part of the rectangle lies outside the picture).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_crop(kldve_ctx *ctx, const kldve_image *image,
                                                         int32_t x, int32_t y, int32_t width,
                                                         int32_t height, kldve_image **out);

/** Sizes in pixels, 1..65535; 0 for NULL.  Safe from any thread, as all that asks a picture without
 *  changing it.
 *  @since 0.1 */
KLDVE_API int32_t kldve_image_width(const kldve_image *image);
KLDVE_API int32_t kldve_image_height(const kldve_image *image);

/** Copy rows into the caller's memory, converted to any format but YUV.
 *  @param y     The first row.
 *  @param dest  Its width is that of the picture, its height how many rows.  Written: alpha is 255
 *               where the picture has none.
 *  @return KLDVE_OK; KLDVE_E_ARG (as kldve_image_from_pixels(); other sizes; rows past the last);
 *          KLDVE_E_UNSUPPORTED (YUV); KLDVE_E_NOMEM (room for one row).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_read(kldve_ctx *ctx, const kldve_image *image,
                                                         int32_t y, const kldve_pixels *dest);

/** Where the pixels lie and in which format: of a borrowed picture as the caller described them,
 *  every plane and stride filled in; of any other RGB without gaps.  To read only.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, or struct_size is not set; nothing is written then, and
 *          there is no message: threads may share the picture).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_image_layout(const kldve_image *image,
                                                           kldve_pixels *out);

/** The pixels, [height][width][3], R, G, B, to read.  NULL: `image` is NULL, or borrowed in another
 *  format or with gaps, or kept grey; kldve_image_read() reads every picture.  Borrowed: they live
 * as long as the picture.  @since 0.1 */
KLDVE_API const uint8_t *kldve_image_pixels(const kldve_image *image);

/** The same pixels, to change in place before anybody else reads the picture.  NULL also for a
 *  borrowed picture, whose pixels are the caller's, and one that is kept grey.  @since 0.1 */
KLDVE_API uint8_t *kldve_image_edit(kldve_image *image);

/** 1: the picture has alpha, which kldve_image_read() hands out and networks can take; else 0.
 *  Resizing and cutting keep it.  @since 0.1 */
KLDVE_API int32_t kldve_image_has_alpha(const kldve_image *image);

/** How the file of a picture was stored before kldve_image_load() or kldve_image_decode() turned it
 *  upright: its EXIF orientation, for boxes and masks that count in pixels as they are stored. From
 *  5 on rows and columns were swapped.
 *  @return 2..8; 1: it was stored upright, or is not as it came from a file; 0 for NULL.
 *  @since 0.1 */
KLDVE_API int32_t kldve_image_orientation(const kldve_image *image);

/** Free a picture; of a borrowed one release() is called.  Accepts NULL.  @since 0.1 */
KLDVE_API void kldve_image_free(kldve_image *image);

/** Colour maps of 256 colours.  All but `diverging` are within 1 of 255 of matplotlib's maps of the
 *  same name (grey is "gray" there).  viridis, inferno and plasma keep their order in grey and for
 *  colour-blind readers; plasma alone ends in a saturated colour. */
typedef enum kldve_colormap {
    KLDVE_COLORMAP_DEFAULT = 0, /**< plasma */
    KLDVE_COLORMAP_VIRIDIS = 1,
    KLDVE_COLORMAP_INFERNO = 2,
    KLDVE_COLORMAP_TURBO = 3,
    KLDVE_COLORMAP_JET = 4,
    KLDVE_COLORMAP_GREY = 5,
    KLDVE_COLORMAP_DIVERGING = 6, /**< blue - white - red; 0.5 is white; for signed maps */
    KLDVE_COLORMAP_PLASMA = 7
} kldve_colormap;

/** The kldve_colormap of a name: "viridis", "inferno", "turbo", "jet", "grey", "diverging",
 *  "plasma".
 *  @param name      In lower case.
 *  @param colormap  On KLDVE_OK a kldve_colormap.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (another name), KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_colormap_from_name(const char *name, int32_t *colormap);

/** The colour of one value.
 *  @param colormap  A kldve_colormap.
 *  @param value     0..1; values outside are clamped, NaN counts as 0.
 *  @param rgb       Filled in: R, G, B.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, no such colour map).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_colormap_rgb(int32_t colormap, float value, uint8_t rgb[3]);

#ifdef __cplusplus
}
#endif
#endif
