/* follower.h - what the files that follow the picture share.
 *
 *     follow.c           the pass over the nodes, and operators that keep or permute axes
 *     follow_axes.c      axes that stay, perhaps of another length, and operands that meet
 *     follow_pieces.c    tensors taken apart and put together: Slice, Split, Concat, Gather */
#ifndef KLDVE_ONNX_BUILD_FOLLOWER_H
#define KLDVE_ONNX_BUILD_FOLLOWER_H

#include "follow.h"

typedef struct kx_follower {
    const kx_graph *g;
    kx_meaning *meaning; /**< by value id */
    bool *known;         /**< by value id: computed from the input */
    kx_followed *found;
} kx_follower;

/** Operand k of a node, where it is computed from the picture; else NULL. */
const kx_meaning *kx_operand(const kx_follower *f, const kx_node *n, int32_t k);
static inline bool kx_is_spatial(const kx_part *part)
{
    return part->label == KX_ROWS || part->label == KX_COLUMNS || part->label == KX_FRAMES;
}
/** Whether a tensor has rows, columns, frames or tokens. */
bool kx_has_places(const kx_meaning *m);
/** Append an axis of `from` whose length was `before` and is `size`: rows stay rows, channels
 *  channels. */
void kx_add_resized(kx_meaning *m, int32_t axis, const kx_meaning *from, int32_t from_axis,
                    int64_t before, int64_t size);
/** Where operands see the picture in different senses, the result is mixed. */
void kx_mix(kx_meaning *m, const kx_meaning *other);

/** The result of a node that takes its operand apart, output `o` of a Split, or puts operands
 *  together. */
void kx_follow_sliced(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m);
void kx_follow_split(const kx_follower *f, const kx_node *n, int32_t o, kx_meaning *m);
void kx_follow_joined(const kx_follower *f, const kx_node *n, const kx_shape *out, kx_meaning *m);
void kx_follow_taken(const kx_follower *f, const kx_node *n, kx_arena *arena, kx_meaning *m);

#endif
