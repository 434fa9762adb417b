/* follow_parts.h - the pass that follows the picture, and the rules of it that are a file of their
 * own. */
#ifndef KLDVE_ONNX_BUILD_FOLLOW_PARTS_H
#define KLDVE_ONNX_BUILD_FOLLOW_PARTS_H

#include "follow.h"

typedef struct kx_follower {
    const kx_graph *g;
    kx_meaning *meaning; /* by value id */
    bool *known;         /* by value id: computed from the input */
    kx_followed *found;
} kx_follower;

/* Operand k, where it is computed from the picture. */
static inline const kx_meaning *kx_operand(const kx_follower *f, const kx_node *n, int32_t k)
{
    return k < n->nin && n->in[k] && f->known[n->in[k]->id] ? &f->meaning[n->in[k]->id] : NULL;
}

/* What the axes of a result are, by what the operator does to them: *m has no parts before. */

void kx_follow_sliced(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m);
/** Of output o. */
void kx_follow_padded(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m);
void kx_follow_split(const kx_follower *f, const kx_node *n, int32_t o, kx_meaning *m);
void kx_follow_joined(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m);
/** By indices, which are read if they are constant. */
void kx_follow_taken(const kx_follower *f, const kx_node *n, kx_arena *arena, kx_meaning *m);

#endif
