/* grad_rollout.c - gradient-weighted rollout: H. Chefer, S. Gur and L. Wolf, "Generic
 * Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers", ICCV
 * 2021, arXiv:2103.15679, Eq. 5 and 6 for self-attention alone.
 *
 *     A_l = mean over heads of ReLU(W_l * G_l)      R = I,  then  R = R + A_l R  for l = 1 ... L
 *
 * W: the weights of attention l, G: the gradient of the target's score there.  A network without a
 * class token reads the mean of its tokens: the map is the mean of their rows of R. */
#include "methods.h"

#include "parts/attentions.h"

static double positive_part(double w, double g)
{
    return w * g > 0 ? w * g : 0;
}

static kldve_status map(const kldve_job *job, float *e)
{
    static const kldve_attention_rule rule = {.keep = 1, .take = 1, .term = positive_part};

    return kldve_attentions_row(job, job->cotangent, &rule, e);
}

const kldve_method kldve_method_grad_rollout = {
    .struct_size = sizeof(kldve_method),
    .name = "grad-rollout",
    .title = "Grad-rollout",
    .summary = "multiplies the attentions of all layers, weighted by the score's gradient there",
    .source = "Chefer, Gur and Wolf 2021, ICCV, arXiv:2103.15679",
    .needs = KLDVE_NEED_ATTENTION,
    .map = map,
};
