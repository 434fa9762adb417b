/* table.c - methods by name and number, including those that a host registers. */
#include "methods.h"

#include <string.h>

#include "base/ctx.h"
#include "stages/target.h"

static const kldve_method *const methods[] = {
    &kldve_method_kl_dve,
    &kldve_method_cam,
    &kldve_method_grad_cam,
    &kldve_method_grad_cam_pp,
    &kldve_method_xgrad_cam,
    &kldve_method_hires_cam,
    &kldve_method_layer_cam,
    &kldve_method_eigen_cam,
    &kldve_method_eigengrad_cam,
    &kldve_method_lafam,
    &kldve_method_saliency,
    &kldve_method_gradient_x_input,
    &kldve_method_integrated_gradients,
    &kldve_method_smooth_grad,
    &kldve_method_var_grad,
    &kldve_method_deconvolution,
    &kldve_method_guided_backprop,
    &kldve_method_guided_grad_cam,
    &kldve_method_salient_deconvolution,
    &kldve_method_guided_kl_dve,
    &kldve_method_full_grad,
    &kldve_method_lrp_epsilon,
    &kldve_method_lrp_zplus,
    &kldve_method_lrp_alphabeta,
    &kldve_method_lrp_composite,
    &kldve_method_rollout,
    &kldve_method_grad_rollout,
    &kldve_method_occlusion,
    &kldve_method_prediction_difference,
    &kldve_method_rise,
    &kldve_method_score_cam,
    &kldve_method_ablation_cam,
    &kldve_method_recipro_cam,
    &kldve_method_kernel_shap,
    &kldve_method_lime,
    &kldve_method_random,
    &kldve_method_centre,
    &kldve_method_edges,
};

enum {
    METHODS = sizeof methods / sizeof *methods,
    KNOWN_NEEDS = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT | KLDVE_NEED_INPUT_GRADIENT |
                  KLDVE_NEED_FORWARDS | KLDVE_NEED_FEATURE_FORWARDS | KLDVE_NEED_BIAS_GRADIENT |
                  KLDVE_NEED_ATTENTION,
    KNOWN_OPTIONS = 2 * KLDVE_OPTION_TRUTH - 1
};

const kldve_method *kldve_method_number(const kldve_ctx *ctx, int32_t index)
{
    if (index < 0)
        return NULL;
    return index < METHODS ? methods[index] : kldve_ctx_method(ctx, index - METHODS);
}

const kldve_method *kldve_method_named(const kldve_ctx *ctx, const char *name)
{
    const kldve_method *method = NULL;

    for (int32_t i = 0; (method = kldve_method_number(ctx, i)) != NULL; i++)
        if (strcmp(method->name, name) == 0)
            break;
    return method;
}

static kldve_status hand_out(const kldve_method *method, const kldve_method **out)
{
    if (!method)
        return KLDVE_E_NOT_FOUND;
    *out = method;
    return KLDVE_OK;
}

kldve_status kldve_method_at(const kldve_ctx *ctx, int32_t index, const kldve_method **out)
{
    return out ? hand_out(kldve_method_number(ctx, index), out) : KLDVE_E_ARG;
}

kldve_status kldve_method_find(const kldve_ctx *ctx, const char *name, const kldve_method **out)
{
    return name && out ? hand_out(kldve_method_named(ctx, name), out) : KLDVE_E_ARG;
}

kldve_status kldve_method_name(int32_t index, const char **name)
{
    const kldve_method *method;
    kldve_status st = name ? kldve_method_at(NULL, index, &method) : KLDVE_E_ARG;

    if (st == KLDVE_OK)
        *name = method->name;
    return st;
}

bool kldve_method_sums(const kldve_method *method)
{
    return method == &kldve_method_kl_dve || method == &kldve_method_grad_cam;
}

static kldve_status check(kldve_ctx *ctx, const kldve_method *m)
{
    const char *name = m->name;

    if (!name || !*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789+-")])
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: the name \"%s\" must be made of a-z, 0-9, + and -",
                               name ? name : "");
    if (kldve_method_named(ctx, name))
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: a method \"%s\" already exists, choose another name",
                               name);
    if (!m->weights && !m->map)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: %s has neither weights nor map: set one", name);
    if (m->needs & ~(uint64_t)KNOWN_NEEDS || m->readings & ~(uint64_t)KLDVE_READINGS ||
        m->resolution < KLDVE_RESOLUTION_CELLS || m->resolution > KLDVE_RESOLUTION_PIXELS ||
        m->sign < KLDVE_SIGN_DEFAULT || m->sign > KLDVE_SIGN_ABSOLUTE)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: %s: unknown needs, readings, resolution or sign", name);
    if (m->options & ~(uint64_t)KNOWN_OPTIONS || m->rule < KLDVE_RULE_GRADIENT ||
        m->rule > KLDVE_RULE_SALIENT_DECONVOLUTION || m->flags & ~(uint64_t)KLDVE_METHOD_CONTROL)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG, "register: %s: unknown options, rule or flags",
                               name);
    if (m->resolution == KLDVE_RESOLUTION_PIXELS && !m->map)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "register: %s: a map of pixels needs the slot map, not weights",
                               name);
    return KLDVE_OK;
}

kldve_status kldve_method_register(kldve_ctx *ctx, const kldve_method *method)
{
    kldve_method own;
    kldve_status st;

    if (!ctx || !method)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "register: NULL argument");
    if ((st = kldve_struct_load(ctx, "kldve_method", method, &own, sizeof own)) < 0 ||
        (st = check(ctx, &own)) < 0)
        return st;
    return kldve_ctx_add_method(ctx, &own);
}

/* ---- what stands in for a slot ----------------------------------------------------------- */

kldve_status kldve_method_cotangent(const kldve_job *job, double *cotangent)
{
    if (job->method->cotangent)
        return job->method->cotangent(job, cotangent);
    kldve_target_weights(job->options, job->shape, job->target, cotangent);
    return KLDVE_OK;
}

kldve_status kldve_method_map(const kldve_job *job, float *map)
{
    if (job->method->map)
        return job->method->map(job, map);
    kldve_job_weighted_sum(job, job->weights, map);
    kldve_job_rectify(job, map, kldve_job_cells(job));
    return KLDVE_OK;
}
