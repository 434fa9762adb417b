/* similarity.h - structural similarity of two maps. */
#ifndef KLDVE_LIB_SIMILARITY_H
#define KLDVE_LIB_SIMILARITY_H

#include <stddef.h>

enum {
    KLDVE_SSIM_WINDOW = 11, /**< side of the window; smaller maps have no SSIM */
    KLDVE_SSIM_SUMS = 5     /**< rows of work */
};

/** Mean SSIM of two maps [height][width], over all windows that lie wholly inside: -1 to 1, 1 for
 *  equal maps; NaN where no window fits.  Formula in similarity.c.
 *  @param range  L: what the values can differ by, above 0; 1 for maps in 0..1.
 *  @param work   [KLDVE_SSIM_SUMS][width]. */
double kldve_ssim(const float *a, const float *b, size_t height, size_t width, double range,
                  double *work);

#endif
