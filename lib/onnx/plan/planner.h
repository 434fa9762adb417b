/* planner.h - what the planning files share: what is known of values, and how buffers, steps and
 * values in layouts come into a plan.
 *
 *     units.c      graph -> units: what is computed together
 *     match.c      what a node becomes          fuse.c     merged into the unit before it
 *     spelled.c    functions that are written as several operators
 *     matrices.c   matrix products
 *     byte_units.c units on integers of 8 bits    byte_pack.c, byte_steps.c   their weights and
 * steps usage.c      who reads a value, what depends on the layer, what a cotangent flows through
 *     forward.c    units -> forward steps
 *     join.c       concatenations in place      packed.c   weights
 *     tiled.c      convolutions by transforms of our own
 *     backward.c   the loop in reverse
 *     gradient.c   ... cotangents     bias.c   at biases     relevance*.c   ... relevance
 *     attention.c  which values are attentions, and their cotangents
 *     flow.c       what cotangents and relevance have in common
 *     entry.c      the steps from the layer on, by themselves
 *     memory.c     buffers -> places in memory
 */
#ifndef KLDVE_ONNX_PLANNER_H
#define KLDVE_ONNX_PLANNER_H

#include "step_list.h"
#include "unit.h"

enum { KX_COPIES = 4 };

/** What the planner knows of a value. */
typedef struct kx_place {
    int32_t uses;     /**< inputs of needed nodes that name it */
    int32_t producer; /**< unit, or -1 */
    int32_t last_use; /**< order of the last unit that reads it */
    bool keep;        /**< layer, logits or given: must exist on its own */
    bool given;       /**< handed in: nothing has to make it */
    bool active;      /**< a cotangent flows to it */
    bool flows;       /**< a cotangent may flow to it: known before there are units */
    bool after;       /**< the layer, or depends on it */
    uint8_t traits;   /**< of relevance_traits.h */
    int32_t ncopy;
    struct kx_copy {
        const kx_layout *layout; /**< NULL: not float32, plain */
        int32_t buffer;
    } copy[KX_COPIES];     /**< copy[0] is what the producer wrote */
    struct kx_copy levels; /**< the integers that were dequantised; layout NULL: not made */
    bool has_form;         /**< all numbers are levels of 8 bits, see byte_units.c: */
    kx_byte_form form;
    int32_t reader;            /**< one of the units that read it, or -1 */
    bool as_bytes, as_numbers; /**< how units read it */
    int32_t bytes;             /**< buffer of the integers; -1: none yet */
    int32_t grad;              /**< buffer in the layout of copy[0]; -1: none yet */
    bool grad_shared;          /**< somebody else reads that buffer too: never write to it */
} kx_place;

typedef struct kx_planner {
    kldve_ctx *ctx;
    const kx_graph *g;
    kx_plan *plan;
    kx_plan_options options;
    kx_arena scratch; /**< for what dies with the planner */
    kx_unit *unit;    /**< [nunit], in the order in which they can run */
    int32_t nunit;
    kx_place *place; /**< by value id */
    bool *needed;    /**< by node index */
    int32_t step_room, buffer_room, packed_room;
} kx_planner;

/** What is known of a value. */
kx_place *kx_place_of(kx_planner *p, const kx_value *v);
/** KLDVE_E_NOMEM with its message. */
kldve_status kx_plan_nomem(kx_planner *p);
/** Zeroed memory that lives as long as the plan, or as the planner; NULL: out of memory. */
void *kx_plan_alloc(kx_planner *p, size_t count, size_t size);
void *kx_scratch(kx_planner *p, size_t count, size_t size);
/** Describe what oneDNN could not do for a unit, which may be NULL. */
kldve_status kx_plan_failed(kx_planner *p, const kx_unit *u, kldve_status st);

/* ---- buffers and steps ---- */

/** Room for one more item in an array of the plan: doubled when full. */
kldve_status kx_grow(kx_planner *p, void **array, int32_t used, int32_t *room, size_t item);
/** A new buffer that lives from the next step on. */
kldve_status kx_buffer_new(kx_planner *p, size_t bytes, int32_t *out);
/** A part of another buffer, which lives at least as long. */
kldve_status kx_buffer_part(kx_planner *p, int32_t whole, size_t offset, size_t bytes,
                            int32_t *out);
/** A buffer that is memory shared by all states. */
kldve_status kx_buffer_fixed(kx_planner *p, const void *memory, int32_t *out);
/** Keep a buffer until the next step; -1: none. */
void kx_touch(kx_planner *p, int32_t buffer);
/** Append a step of a unit (NULL: of none), which tells node and head.  The buffers that the step
 *  names are kept alive until it. */
kldve_status kx_step_add(kx_planner *p, const kx_unit *unit, kx_step step);
/** The buffers that a step names, -1 among them: at most KX_STEP_BUFFERS. */
enum { KX_STEP_BUFFERS = KX_SLOTS + KX_MAX_IN + 2 * KX_MAX_OUT };
int32_t kx_step_buffers(const kx_step *s, int32_t buffer[KX_STEP_BUFFERS]);
/** Every slot -1. */
static inline void kx_unbound(int32_t bind[KX_SLOTS])
{
    for (int i = 0; i < KX_SLOTS; i++)
        bind[i] = -1;
}
/** A step that runs a primitive on the buffers of `bind`; makes its scratch and, if not bound, its
 *  output buffers, and writes them there. */
kldve_status kx_step_prim(kx_planner *p, const kx_unit *unit, const kx_prim *prim,
                          int32_t bind[KX_SLOTS]);

/* ---- values in layouts ---- */

/** Note that a buffer holds the value in a layout. */
void kx_remember(kx_place *at, const kx_layout *layout, int32_t buffer);
/** What the producer of v wrote. */
const struct kx_copy *kx_primary(kx_planner *p, const kx_value *v);
/** The buffer that holds a value in a layout (NULL: plain), reordering if need be. */
kldve_status kx_value_in(kx_planner *p, const kx_unit *u, const kx_value *v,
                         const kx_layout *layout, int32_t *out);
/** Reorder a buffer into a new one. */
kldve_status kx_reorder(kx_planner *p, const kx_unit *u, int32_t from, const kx_layout *from_layout,
                        const kx_layout *to_layout, int32_t *out);
/** [1][C][1]... of the rank of v, plain: for a vector by channel. */
const kx_layout *kx_channel_layout(kx_planner *p, const kx_value *v);

#endif
