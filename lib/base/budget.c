/* budget.c - see budget.h.  A ceiling for the bytes that a context holds; SIZE_MAX: there is none.
 */
#include "budget.h"

#include "ctx.h"
#include "ctx_struct.h"
#include "limits.h"
#include "size.h"

static size_t held_by(const kldve_ctx *ctx)
{
    return atomic_load(&ctx->held->now);
}

static void set(const kldve_ctx *ctx, size_t room)
{
    size_t ceiling;

    if (!kldve_size_add(held_by(ctx), room, &ceiling))
        ceiling = SIZE_MAX;
    atomic_store(&ctx->held->ceiling, ceiling);
}

void kldve_budget_open(kldve_ctx *ctx, int32_t inputs, size_t taken)
{
    uint64_t limit = (uint64_t)kldve_limit_of(ctx, KLDVE_LIMIT_WORKING_MEMORY);
    size_t each = limit < SIZE_MAX ? (size_t)limit : SIZE_MAX, all;

    if (!kldve_size_mul(each, (size_t)inputs, &all))
        all = SIZE_MAX;
    set(ctx, all > taken ? all - taken : 0);
}

kldve_status kldve_budget_close(kldve_ctx *ctx, kldve_status status)
{
    atomic_store(&ctx->held->ceiling, SIZE_MAX);
    return kldve_ctx_over_budget(ctx, status);
}

size_t kldve_budget_pause(kldve_ctx *ctx)
{
    size_t ceiling = atomic_exchange(&ctx->held->ceiling, SIZE_MAX), now = held_by(ctx);

    if (ceiling == SIZE_MAX)
        return SIZE_MAX;
    return ceiling > now ? ceiling - now : 0;
}

void kldve_budget_resume(kldve_ctx *ctx, size_t room)
{
    if (room != SIZE_MAX)
        set(ctx, room);
}
