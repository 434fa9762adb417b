/* single.h - a network with one score x as one with two classes: "yes" with score x and "no" with
 * score 0.  The second is a constant, so nothing is propagated back from it:
 *
 *     forward   [count]     x           ->  [count][2]  (x, 0)
 *     backward  [count][2]  (t, t_no)   ->  [count]     t
 *
 * The softmax of (x, 0) is (sigmoid(x), sigmoid(-x)). */
#ifndef KLDVE_LIB_SINGLE_H
#define KLDVE_LIB_SINGLE_H

#include <kldve/kldve.h>

/** Read the scores of a shape as the library understands them: one becomes two classes.  Messages
 *  begin with `where`, "" or with a colon and a space at its end.
 *  @return KLDVE_OK; KLDVE_E_ARG (no score, an unknown kind, a kind that does not fit the number of
 *          scores, members set that are not the caller's). */
kldve_status kldve_single_read(kldve_ctx *ctx, const char *where, kldve_shape *shape);

/** In place: the scores at the head of scores [count][2] become the first of each pair. */
void kldve_single_expand(float *scores, size_t count);

/** cotangents [count][2] -> out [count]. */
void kldve_single_contract(const float *cotangents, size_t count, float *out);

#endif
