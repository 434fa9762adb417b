/* pixel_format.h - where the numbers of a pixel lie in the caller's memory. */
#ifndef KLDVE_LIB_IMAGE_PIXEL_FORMAT_H
#define KLDVE_LIB_IMAGE_PIXEL_FORMAT_H

#include <stdbool.h>

#include <kldve/image.h>

enum { KLDVE_IMAGE_SIDE_MAX = 65535 };

/** KLDVE_E_ARG, with a message, if a side is outside 1..65535. */
kldve_status kldve_image_check_size(kldve_ctx *ctx, int64_t width, int64_t height);

enum { KLDVE_COMPONENTS = 4, KLDVE_PLANES = 4 };

/** One component of every pixel: that of pixel x is number `first + x * step` of its plane's row,
 *  counted in samples.  `step` 0: the format has none. */
typedef struct kldve_component {
    int8_t plane, step, first;
} kldve_component;

/** What an arrangement of pixels is: R, G, B and alpha, or Y, U and V. */
typedef struct kldve_arrangement {
    const char *name;
    int8_t planes;
    bool yuv;
    int8_t shift_x, shift_y; /**< U and V: 1 where two pixels of a row, or two rows, share one */
    kldve_component component[KLDVE_COMPONENTS];
} kldve_arrangement;

/** The arrangement of a format that kldve_pixels_load() has let pass. */
const kldve_arrangement *kldve_arrangement_of(int32_t format);

/** Bytes of one sample: 1, 2, or 4 for float. */
size_t kldve_sample_nbytes(int32_t format);

/** Check a caller's description and fill in planes and strides that it leaves out.  `what` begins
 *  the message of a failure.  *dst is written on success only.
 *  @return KLDVE_OK, KLDVE_E_ARG, KLDVE_E_UNSUPPORTED. */
kldve_status kldve_pixels_load(kldve_ctx *ctx, const char *what, const kldve_pixels *src,
                               kldve_pixels *dst);

/** Row y as R, G, B of 8 bits: rgb [width][3]. */
void kldve_pixels_read(const kldve_pixels *pixels, int32_t y, uint8_t *rgb);

/** The alpha of row y: alpha [width].  False: the format has none, nothing is written. */
bool kldve_pixels_read_alpha(const kldve_pixels *pixels, int32_t y, uint8_t *alpha);

/** R, G, B of 8 bits and alpha -> row y, in place of what is there.  Not for YUV.
 *  @param rgb    [width][3].
 *  @param alpha  [width]; NULL: opaque. */
void kldve_pixels_write(const kldve_pixels *pixels, int32_t y, const uint8_t *rgb,
                        const uint8_t *alpha);

/** Y, U and V of one row -> rgb [width][3]; formulas in pixel_yuv.c. */
void kldve_yuv_to_rgb(const kldve_pixels *pixels, int32_t y, uint8_t *rgb);

/** Where component c of row y begins. */
uint8_t *kldve_component_row(const kldve_pixels *pixels, const kldve_arrangement *arrangement,
                             int c, int32_t y);

#endif
