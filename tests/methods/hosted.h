/* hosted.h - methods that a host registers, one of each kind, and a call for one of them. */
#ifndef KLDVE_TESTS_METHODS_HOSTED_H
#define KLDVE_TESTS_METHODS_HOSTED_H

#include <kldve/method.h>

#include "backends/fixture.h"

extern const kldve_method map_0; /**< "map-0": weights only, 1 for the first map */
extern const kldve_method
    occlusion;                      /**< "cell-occlusion": repeated forward passes, with progress */
extern const kldve_method saliency; /**< "pixel-saliency": gradients at the pixels */
extern const kldve_method ablation; /**< "map-ablation": changed feature maps */

/** The map of `occlusion`. */
kldve_status occlude(const kldve_job *job, float *map);

/** Explain the fixture's input with a method. */
kldve_status explain(fixture *f, const char *method, uint64_t flags, kldve_heatmap **map);

/** A method of the library makes a map of pixels that is not flat and depends on the class. */
void check_pixel_map(const char *method);

#endif
