/* metrics.c - the metrics by name and number, and those that a host registers. */
#include "metrics.h"

#include <string.h>

#include "base/ctx.h"

/* One a line. */
/* clang-format off */
static const kldve_metric *const metrics[] = {
    &kldve_energy_area_metric,
    &kldve_entropy_metric,
    &kldve_gini_metric,
    &kldve_deletion_metric,
    &kldve_insertion_metric,
    &kldve_ties_metric,
    &kldve_average_drop_metric,
    &kldve_increase_metric,
    &kldve_coherency_metric,
    &kldve_complexity_metric,
    &kldve_adcc_metric,
    &kldve_pixel_flipping_metric,
    &kldve_comprehensiveness_metric,
    &kldve_sufficiency_metric,
    &kldve_road_metric,
    &kldve_road_morf_metric,
    &kldve_road_lerf_metric,
    &kldve_infidelity_metric,
    &kldve_max_sensitivity_metric,
    &kldve_pointing_game_metric,
    &kldve_energy_inside_metric,
    &kldve_relevance_rank_metric,
    &kldve_top_inside_metric,
    &kldve_best_iou_metric,
    &kldve_class_second_metric,
    &kldve_class_median_metric,
    &kldve_random_spearman_metric,
    &kldve_random_spearman_abs_metric,
    &kldve_random_ssim_metric,
    &kldve_pearson_metric,
    &kldve_spearman_metric,
    &kldve_ssim_metric,
    &kldve_top_overlap_metric,
    &kldve_mean_difference_metric,
    &kldve_max_difference_metric,
};
/* clang-format on */

static const uint64_t known_needs = KLDVE_METRIC_NEED_NETWORK | KLDVE_METRIC_NEED_EXPLANATIONS |
                                    KLDVE_METRIC_NEED_TRUTH | KLDVE_METRIC_NEED_OTHER |
                                    KLDVE_METRIC_NEED_RANDOMISED;
static const uint64_t known_options = KLDVE_METRIC_OPTION_STEPS | KLDVE_METRIC_OPTION_SAMPLES |
                                      KLDVE_METRIC_OPTION_SEED | KLDVE_METRIC_OPTION_PART |
                                      KLDVE_METRIC_OPTION_NOISE | KLDVE_METRIC_OPTION_BASELINE |
                                      KLDVE_METRIC_OPTION_NORMALISE | KLDVE_METRIC_OPTION_TOLERANCE;

enum { METRICS = sizeof metrics / sizeof *metrics };

static const kldve_metric *number(const kldve_ctx *ctx, int32_t index)
{
    if (index < 0)
        return NULL;
    return index < METRICS ? metrics[index] : kldve_ctx_metric(ctx, index - METRICS);
}

const kldve_metric *kldve_metric_named(const kldve_ctx *ctx, const char *name)
{
    const kldve_metric *metric = NULL;

    for (int32_t i = 0; (metric = number(ctx, i)) != NULL; i++)
        if (strcmp(metric->name, name) == 0)
            break;
    return metric;
}

static kldve_status hand_out(const kldve_metric *metric, const kldve_metric **out)
{
    if (!metric)
        return KLDVE_E_NOT_FOUND;
    *out = metric;
    return KLDVE_OK;
}

kldve_status kldve_metric_at(const kldve_ctx *ctx, int32_t index, const kldve_metric **out)
{
    return out ? hand_out(number(ctx, index), out) : KLDVE_E_ARG;
}

kldve_status kldve_metric_find(const kldve_ctx *ctx, const char *name, const kldve_metric **out)
{
    return name && out ? hand_out(kldve_metric_named(ctx, name), out) : KLDVE_E_ARG;
}

static kldve_status check_entry(kldve_ctx *ctx, const kldve_metric *m)
{
    if (!m->compute)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "register: the metric %s has no compute()",
                               m->name);
    if (!(m->low < m->high))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: the metric %s: set low below high, not %g and %g",
                               m->name, m->low, m->high);
    if (m->better < KLDVE_BETTER_NEITHER || m->better > KLDVE_BETTER_HIGHER)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: the metric %s: `better` is %d, not a kldve_better",
                               m->name, (int)m->better);
    if (m->needs & ~known_needs || m->options & ~known_options)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "register: the metric %s: unknown %s 0x%jx",
                               m->name, m->needs & ~known_needs ? "needs" : "options",
                               (uintmax_t)(m->needs & ~known_needs ? m->needs & ~known_needs
                                                                   : m->options & ~known_options));
    return KLDVE_OK;
}

kldve_status kldve_metric_register(kldve_ctx *ctx, const kldve_metric *metric)
{
    kldve_metric known;
    const char *name;
    kldve_status st;

    if (!ctx || !metric)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "register: the %s is NULL",
                               ctx ? "metric" : "context");
    st = kldve_struct_load(ctx, "kldve_metric", metric, &known, sizeof known);
    if (st < 0)
        return st;
    name = known.name;
    if (!name || !*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: the metric name \"%s\" is not [a-z0-9_]+",
                               name ? name : "");
    if (kldve_metric_named(ctx, name))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: a metric \"%s\" already exists, choose another name",
                               name);
    if ((st = check_entry(ctx, &known)) < 0)
        return st;
    return kldve_ctx_add_metric(ctx, &known);
}
