/* superpixels.h - the input in regions of like colour. */
#ifndef KLDVE_LIB_METHODS_SUPERPIXELS_H
#define KLDVE_LIB_METHODS_SUPERPIXELS_H

#include <kldve/method.h>

/** SLIC; formulas in superpixels.c.  The same for the same input.
 *  @param input  [channels][height][width].
 *  @param rows, columns  The regular grid that the regions grow from, 1 or more.
 *  @param label  [height][width], 0 to *count - 1; every region is connected.
 *  @param count  Mostly near rows * columns; 1 or more.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kldve_superpixels(kldve_ctx *ctx, const float *input, int32_t channels, int32_t height,
                               int32_t width, int32_t rows, int32_t columns, int32_t *label,
                               int32_t *count);

#endif
