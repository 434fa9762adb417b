/* methods.h - the table of methods and what their slots default to.
 *
 * A method is one file in this folder with one `const kldve_method`, plus one line below, one in
 * table.c and one in meson.build. */
#ifndef KLDVE_LIB_METHODS_H
#define KLDVE_LIB_METHODS_H

#include <stdbool.h>

#include <kldve/method.h>

#include "methods/parts/job.h"

extern const kldve_method kldve_method_kl_dve;
extern const kldve_method kldve_method_cam;
extern const kldve_method kldve_method_grad_cam;
extern const kldve_method kldve_method_grad_cam_pp;
extern const kldve_method kldve_method_xgrad_cam;
extern const kldve_method kldve_method_hires_cam;
extern const kldve_method kldve_method_layer_cam;
extern const kldve_method kldve_method_eigen_cam;
extern const kldve_method kldve_method_eigengrad_cam;
extern const kldve_method kldve_method_lafam;
extern const kldve_method kldve_method_saliency;
extern const kldve_method kldve_method_gradient_x_input;
extern const kldve_method kldve_method_integrated_gradients;
extern const kldve_method kldve_method_smooth_grad;
extern const kldve_method kldve_method_var_grad;
extern const kldve_method kldve_method_deconvolution;
extern const kldve_method kldve_method_guided_backprop;
extern const kldve_method kldve_method_guided_grad_cam;
extern const kldve_method kldve_method_salient_deconvolution;
extern const kldve_method kldve_method_guided_kl_dve;
extern const kldve_method kldve_method_full_grad;
extern const kldve_method kldve_method_lrp_epsilon;
extern const kldve_method kldve_method_lrp_zplus;
extern const kldve_method kldve_method_lrp_alphabeta;
extern const kldve_method kldve_method_lrp_composite;
extern const kldve_method kldve_method_rollout;
extern const kldve_method kldve_method_grad_rollout;
extern const kldve_method kldve_method_occlusion;
extern const kldve_method kldve_method_prediction_difference;
extern const kldve_method kldve_method_rise;
extern const kldve_method kldve_method_score_cam;
extern const kldve_method kldve_method_ablation_cam;
extern const kldve_method kldve_method_recipro_cam;
extern const kldve_method kldve_method_kernel_shap;
extern const kldve_method kldve_method_lime;
extern const kldve_method kldve_method_random;
extern const kldve_method kldve_method_centre;
extern const kldve_method kldve_method_edges;

/** What kldve_method_at() and kldve_method_find() find, NULL if there is none. */
const kldve_method *kldve_method_number(const kldve_ctx *ctx, int32_t index);
const kldve_method *kldve_method_named(const kldve_ctx *ctx, const char *name);

/** Whether it asks of feature maps and gradient only the sums of job.h, which read them wherever
 * they lie. */
bool kldve_method_sums(const kldve_method *method);

/** Every reading of Eq. (3), for kldve_method.readings. */
enum {
    KLDVE_READINGS = 1u << KLDVE_READING_PAPER | 1u << KLDVE_READING_CHANNEL |
                     1u << KLDVE_READING_CONTRAST | 1u << KLDVE_READING_RIVALS |
                     1u << KLDVE_READING_NEIGHBOURS
};

/** Calls a slot, or its default if it is NULL. */
kldve_status kldve_method_cotangent(const kldve_job *job, double *cotangent);
kldve_status kldve_method_map(const kldve_job *job, float *map);

#endif
