/* superpixels.h - the input in regions of similar colour. */
#ifndef KLDVE_LIB_METHODS_SUPERPIXELS_H
#define KLDVE_LIB_METHODS_SUPERPIXELS_H

#include <kldve/method.h>

/** What to cut into regions, and the number of regions to start from. */
typedef struct kldve_superpixel_grid {
    const float *input; /**< [channels][height][width] */
    int32_t channels, height, width;
    int32_t rows, columns; /**< the regular grid that the regions grow from, 1 or more */
} kldve_superpixel_grid;

/** SLIC; formulas in superpixels.c.  The same input always gives the same regions.
 *  @param label  [height][width], 0 to *count - 1; every region is connected.
 *  @param count  Usually near rows * columns; 1 or more.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kldve_superpixels(kldve_ctx *ctx, const kldve_superpixel_grid *grid, int32_t *label,
                               int32_t *count);

#endif
