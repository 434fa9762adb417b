/* rollout.c - attention rollout: S. Abnar and W. Zuidema, "Quantifying Attention Flow in
 * Transformers", ACL 2020, arXiv:2005.00928.
 *
 *     A'_l = (A_l + I) / 2,   A_l = mean over heads of attention l      R = A'_L ... A'_1
 *
 * The identity stands for the residual around each attention.  A network without a class token
 * reads the mean of its tokens: the map is the mean of their rows of R. */
#include "methods.h"

#include "parts/attentions.h"

static double share(double w, double g)
{
    (void)g;
    return w;
}

static kldve_status map(const kldve_job *job, float *e)
{
    static const kldve_attention_rule rule = {.keep = 0.5, .take = 0.5, .term = share};

    return kldve_attentions_row(job, NULL, &rule, e);
}

const kldve_method kldve_method_rollout = {
    .struct_size = sizeof(kldve_method),
    .name = "rollout",
    .title = "Attention rollout",
    .summary = "multiplies the attentions of all layers, mean over heads; ignores the class",
    .source = "Abnar and Zuidema 2020, ACL, arXiv:2005.00928",
    .needs = KLDVE_NEED_ATTENTION,
    .map = map,
    .result_flags = kldve_job_class_indifferent,
};
