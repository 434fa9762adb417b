/* grid_likeness.c - how much a map is like that of the first network: Pearson's correlation over
 * SIDE x SIDE places of the two maps, which may have different numbers of cells.  What a quantised
 * network, say, has lost against the one that it was made from. */
#include "grid_likeness.h"

#include <math.h>

#include <kldve/metrics.h>

enum { SIDE = 64, PLACES = SIDE * SIDE };

double grid_likeness(kldve_ctx *ctx, const kldve_heatmap *first, const kldve_heatmap *second)
{
    static const double none = (double)NAN;
    float a[PLACES], b[PLACES];
    const float *const maps[2] = {a, b};
    double r;

    if (!first || !second || kldve_heatmap_upsample(ctx, first, SIDE, SIDE, 0, a) != KLDVE_OK ||
        kldve_heatmap_upsample(ctx, second, SIDE, SIDE, 0, b) != KLDVE_OK ||
        kldve_agreement(ctx, "pearson", maps, SIDE, SIDE, NULL, &r) != KLDVE_OK)
        return none;
    return r;
}
