/* attentions.h - what one row of a product of attentions says of the cells of the picture. */
#ifndef KLDVE_LIB_METHODS_ATTENTIONS_H
#define KLDVE_LIB_METHODS_ATTENTIONS_H

#include <kldve/method.h>

/** What one head's share w of a token counts, g its gradient (0 where there are none). */
typedef double kldve_attention_term(double w, double g);

/** How the rows of the attentions are combined:
 *
 *     R = (keep I + take A_L) ... (keep I + take A_1),   A = mean over heads of term(W, G)
 *
 * for the L attentions from the input to the logits. */
typedef struct kldve_attention_rule {
    double keep, take;
    kldve_attention_term *term;
} kldve_attention_rule;

/** map [height][width]: the mean of the rows of R of the tokens that the scores read, at the tokens
 *  of the grid.
 *  @param cotangent  [classes], for the gradients; NULL: without them.
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (no usable attention, or the layer has another grid than
 *          the tokens); KLDVE_E_NOMEM; or what the backend returned. */
kldve_status kldve_attentions_row(const kldve_job *job, const float *cotangent,
                                  const kldve_attention_rule *rule, float *map);

#endif
