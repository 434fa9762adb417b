/* grid_likeness.c - how much a map is like that of the first network.
 *
 *     r = sum (a - mean a)(b - mean b) / sqrt(sum (a - mean a)^2 sum (b - mean b)^2)
 *
 * (Pearson) over SIDE x SIDE places of the two maps, which may have different numbers of cells:
 * what a quantised network, say, has lost against the one that it was made from. */
#include "grid_likeness.h"

#include <math.h>

enum { SIDE = 64, PLACES = SIDE * SIDE };

static double mean_of(const float *value)
{
    double sum = 0;

    for (int i = 0; i < PLACES; i++)
        sum += (double)value[i];
    return sum / PLACES;
}

double grid_likeness(kldve_ctx *ctx, const kldve_heatmap *first, const kldve_heatmap *second)
{
    static const double none = (double)NAN;
    float a[PLACES], b[PLACES];
    double ab = 0, aa = 0, bb = 0, mean_a, mean_b;

    if (!first || !second || kldve_heatmap_upsample(ctx, first, SIDE, SIDE, 0, a) != KLDVE_OK ||
        kldve_heatmap_upsample(ctx, second, SIDE, SIDE, 0, b) != KLDVE_OK)
        return none;
    mean_a = mean_of(a);
    mean_b = mean_of(b);
    for (int i = 0; i < PLACES; i++) {
        double da = (double)a[i] - mean_a, db = (double)b[i] - mean_b;

        ab += da * db;
        aa += da * da;
        bb += db * db;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : none;
}
