/* picture.h - pictures of noise, and explainers of the reference network for them. */
#ifndef KLDVE_TESTS_PICTURE_H
#define KLDVE_TESTS_PICTURE_H

#include <kldve/kldve.h>

#include "support.h"
#include "tiny.h"

kldve_image *picture_noise(kldve_ctx *ctx, int32_t width, int32_t height);
kldve_explainer *picture_explainer(kldve_ctx *ctx, const tiny_config *config);

#endif
