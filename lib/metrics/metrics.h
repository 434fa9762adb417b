/* metrics.h - the table of metrics, and what several of them share.
 *
 * A metric is one file of this folder with one `const kldve_metric`, one line below, one in
 * metrics.c and one in meson.build. */
#ifndef KLDVE_LIB_METRICS_H
#define KLDVE_LIB_METRICS_H

#include <kldve/method.h>
#include <kldve/metrics.h>

extern const kldve_metric kldve_energy_area_metric;
extern const kldve_metric kldve_deletion_metric;
extern const kldve_metric kldve_insertion_metric;
extern const kldve_metric kldve_ties_metric;
extern const kldve_metric kldve_average_drop_metric;
extern const kldve_metric kldve_increase_metric;
extern const kldve_metric kldve_coherency_metric;
extern const kldve_metric kldve_complexity_metric;
extern const kldve_metric kldve_adcc_metric;
extern const kldve_metric kldve_pixel_flipping_metric;
extern const kldve_metric kldve_comprehensiveness_metric;
extern const kldve_metric kldve_sufficiency_metric;
extern const kldve_metric kldve_road_metric;
extern const kldve_metric kldve_road_morf_metric;
extern const kldve_metric kldve_road_lerf_metric;
extern const kldve_metric kldve_infidelity_metric;
extern const kldve_metric kldve_max_sensitivity_metric;
extern const kldve_metric kldve_pointing_game_metric;
extern const kldve_metric kldve_energy_inside_metric;
extern const kldve_metric kldve_relevance_rank_metric;
extern const kldve_metric kldve_top_inside_metric;
extern const kldve_metric kldve_best_iou_metric;
extern const kldve_metric kldve_entropy_metric;
extern const kldve_metric kldve_gini_metric;
extern const kldve_metric kldve_class_second_metric;
extern const kldve_metric kldve_class_median_metric;
extern const kldve_metric kldve_random_spearman_metric;
extern const kldve_metric kldve_random_spearman_abs_metric;
extern const kldve_metric kldve_random_ssim_metric;
extern const kldve_metric kldve_pearson_metric;
extern const kldve_metric kldve_spearman_metric;
extern const kldve_metric kldve_ssim_metric;
extern const kldve_metric kldve_top_overlap_metric;
extern const kldve_metric kldve_mean_difference_metric;
extern const kldve_metric kldve_max_difference_metric;

/** What kldve_metric_find() finds, NULL if there is none. */
const kldve_metric *kldve_metric_named(const kldve_ctx *ctx, const char *name);

#endif
