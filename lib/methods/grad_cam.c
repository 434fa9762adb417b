/* grad_cam.c - Grad-CAM: R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks
 * via Gradient-based Localization", ICCV 2017, arXiv:1610.02391, Eq. 1 and 2.
 *
 *     a_m = mean over space of d logit_c / d x_m,     E = ReLU(sum over m of a_m x_m) */
#include "methods.h"
#include "methods/parts/mean_gradient.h"

const kldve_method kldve_method_grad_cam = {
    .struct_size = sizeof(kldve_method),
    .name = "grad-cam",
    .title = "Grad-CAM",
    .summary = "weights each feature map by the mean of its gradient",
    .source = "Selvaraju et al. 2017, arXiv:1610.02391",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .weights = kldve_weights_mean_gradient,
};
