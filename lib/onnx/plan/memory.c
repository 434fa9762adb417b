/* memory.c - see memory.h. */
#include "memory.h"

#include "place.h"
#include "read/limit.h"

/* A concatenation in place, which was planned behind its parts, lives from the first of them to the
 * last reader of any. */
static void extend_wholes(kx_plan *plan)
{
    for (int32_t i = 0; i < plan->nbuffer; i++) {
        const kx_buffer *b = &plan->buffer[i];
        kx_buffer *whole = b->whole < 0 ? NULL : &plan->buffer[b->whole];

        if (whole && b->first < whole->first)
            whole->first = b->first;
        if (whole && b->last > whole->last)
            whole->last = b->last;
    }
}

/* Of the forward pass: read by a VJP, which may run again. */
static bool outlives_forward(const kx_plan *plan, const kx_buffer *b)
{
    return b->first < plan->forward.to && b->last >= plan->forward.to;
}

kldve_status kx_plan_memory(kx_planner *p)
{
    kx_plan *plan = p->plan;
    size_t n = (size_t)plan->nbuffer;
    kx_lifetime *life = kx_scratch(p, n, sizeof *life);
    size_t *offset = kx_scratch(p, n, sizeof *offset);
    int32_t *index = kx_scratch(p, n, sizeof *index), count = 0; /* of those that have a place */
    int32_t *scratch = kx_scratch(p, n, 2 * sizeof *scratch);

    if (!life || !offset || !index || !scratch)
        return kx_plan_nomem(p);
    extend_wholes(plan);
    for (int32_t i = 0; i < plan->nbuffer; i++) {
        const kx_buffer *b = &plan->buffer[i];

        if (b->fixed || b->whole >= 0)
            continue;
        life[count] =
            (kx_lifetime){b->bytes, b->first, outlives_forward(plan, b) ? plan->nstep : b->last};
        index[count++] = i;
    }
    if (!kx_place_buffers(life, count, scratch, offset, &plan->state_bytes))
        return kldve_ctx_fail_limit(p->ctx, KLDVE_LIMIT_WORKING_MEMORY,
                                    "the network needs more working memory than can be addressed");
    for (int32_t k = 0; k < count; k++)
        plan->buffer[index[k]].offset = offset[k];
    for (int32_t i = plan->nbuffer - 1; i >= 0; i--)
        if (plan->buffer[i].whole >= 0)
            plan->buffer[i].offset += plan->buffer[plan->buffer[i].whole].offset;
    if (plan->state_bytes > kx_limit(p->ctx, KLDVE_LIMIT_WORKING_MEMORY))
        return kldve_ctx_fail_limit(p->ctx, KLDVE_LIMIT_WORKING_MEMORY,
                                    "the network needs %zu MiB of working memory",
                                    plan->state_bytes >> 20);
    return KLDVE_OK;
}
