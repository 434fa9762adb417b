/* metrics.h - figures that describe a heat map. */
#ifndef KLDVE_METRICS_H
#define KLDVE_METRICS_H

#include <kldve/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How small the salient area is: the smallest set of values that holds `part` of the map's energy
 *  (the sum of all its values), as a share of all values.  Near `part` for a map that is almost the
 *  same everywhere, near 0 for one with a single spot.
 *
 *  For pictures of different networks and methods take maps upsampled with kldve_heatmap_upsample()
 *  to the same size: the share is then one of the area that the network saw.  For a map with signs
 *  take the distance of each value from its zero.
 *  @param ctx     For the message of a failure; nothing is allocated.
 *  @param values  [count], finite, none below 0; in any order.  Read only.
 *  @param part    Of the energy, above 0 and at most 1: 0.5 for "half of the energy".
 *  @param area    In 1/count..1 on KLDVE_OK; NaN if all values are 0: there is no energy to hold.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, no values, a negative value, a part outside its range);
 *          KLDVE_E_NUMERIC (a value is NaN or infinite).  *area is unchanged after a failure.
 *  Threads: as for every call with a context.  Source: the "smaller salient area" of
 *  arXiv:1711.06431, which names the property without a measure; the measure is ours.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_energy_area(kldve_ctx *ctx, const float *values,
                                                          size_t count, double part, double *area);

#ifdef __cplusplus
}
#endif
#endif
