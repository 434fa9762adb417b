/* alloc.c - memory of a context: from its allocator, counted and limited, or from a scratch. */
#include <kldve/backend.h>

#include <assert.h>
#include <string.h>

#include "ctx_struct.h"
#include "limits.h"
#include "scratch.h"
#include "size.h"

enum { ALIGNMENT = 64 };

/* In front of every block. */
typedef struct header {
    unsigned char *raw; /* the allocator's own pointer; NULL: in a scratch */
    size_t size;        /* bytes asked of it */
} header;

/* Count `size` more bytes; false: they would be more than the context may hold. */
static bool hold(const kldve_ctx *ctx, size_t size)
{
    uint64_t limit = (uint64_t)kldve_limit_of(ctx, KLDVE_LIMIT_MEMORY);
    size_t now = atomic_fetch_add(&ctx->held->now, size) + size;
    size_t most = atomic_load(&ctx->held->most);
    bool over = now > atomic_load(&ctx->held->ceiling);

    if (now < size || now > limit || over) {
        atomic_fetch_sub(&ctx->held->now, size);
        atomic_store(&ctx->held->refused,
                     1 + (over ? KLDVE_LIMIT_WORKING_MEMORY : KLDVE_LIMIT_MEMORY));
        if (over)
            atomic_store(&ctx->held->over, true);
        return false;
    }
    while (now > most && !atomic_compare_exchange_weak(&ctx->held->most, &most, now))
        continue;
    return true;
}

static void let_go(const kldve_ctx *ctx, size_t size)
{
    assert(atomic_load(&ctx->held->now) >= size);
    atomic_fetch_sub(&ctx->held->now, size);
}

/* A block of the scratch that is open, behind one unit of alignment for its header; NULL: there is
 * none, or no room in it. */
static void *from_scratch(const kldve_ctx *ctx, size_t size)
{
    kldve_scratch *s = ctx->held->scratch;
    header h = {NULL, 0};
    unsigned char *block;
    size_t need;

    if (!s || !kldve_size_add(size, 2 * ALIGNMENT - 1, &need))
        return NULL;
    need = need / ALIGNMENT * ALIGNMENT;
    if (!kldve_size_add(s->wanted, need, &s->wanted))
        s->wanted = SIZE_MAX;
    if (need > s->size - s->used)
        return NULL;
    block = s->bytes + s->used + ALIGNMENT;
    s->used += need;
    s->live++;
    memcpy(block - sizeof h, &h, sizeof h);
    return block;
}

/* The block starts at the first multiple of 64 that leaves room for the header in front of it. */
void *kldve_ctx_alloc(const kldve_ctx *ctx, size_t count, size_t nbytes)
{
    header h;
    unsigned char *block;

    if (!ctx || !kldve_size_mul(count, nbytes, &h.size))
        return NULL;
    if ((block = from_scratch(ctx, h.size)))
        return block;
    if (!kldve_size_add(h.size, ALIGNMENT + sizeof h, &h.size) || !hold(ctx, h.size))
        return NULL;
    h.raw = ctx->allocator.alloc(ctx->allocator.opaque, h.size);
    if (!h.raw) {
        let_go(ctx, h.size);
        return NULL;
    }
    block = h.raw + sizeof h;
    block += (ALIGNMENT - (uintptr_t)block % ALIGNMENT) % ALIGNMENT;
    assert((uintptr_t)block % ALIGNMENT == 0 && block + count * nbytes <= h.raw + h.size);
    memcpy(block - sizeof h, &h, sizeof h);
    return block;
}

void kldve_ctx_release(const kldve_ctx *ctx, void *memory)
{
    header h;

    if (!ctx || !memory)
        return;
    memcpy(&h, (unsigned char *)memory - sizeof h, sizeof h);
    if (!h.raw) {
        ctx->held->scratch->live--;
        return;
    }
    let_go(ctx, h.size);
    ctx->allocator.free(ctx->allocator.opaque, h.raw);
}

kldve_status kldve_ctx_memory(const kldve_ctx *ctx, size_t *now, size_t *most)
{
    if (!ctx)
        return KLDVE_E_ARG;
    if (now)
        *now = atomic_load(&ctx->held->now);
    if (most)
        *most = atomic_load(&ctx->held->most);
    return KLDVE_OK;
}

/* ---- scratches ----------------------------------------------------------------------------- */

kldve_status kldve_scratch_open(kldve_ctx *ctx, kldve_scratch *s)
{
    enum { MOST = 64 << 20 }; /* more is given back after each run */

    assert(!ctx->held->scratch && s->live == 0);
    if (s->wanted > s->size && s->wanted <= MOST) {
        kldve_ctx_release(ctx, s->bytes);
        *s = (kldve_scratch){.wanted = s->wanted};
        if (!(s->bytes = kldve_ctx_alloc(ctx, s->wanted, 1)))
            return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for preparing pictures");
        s->size = s->wanted;
    }
    s->used = s->wanted = 0;
    ctx->held->scratch = s;
    return KLDVE_OK;
}

void kldve_scratch_close(kldve_ctx *ctx)
{
    assert(ctx->held->scratch && ctx->held->scratch->live == 0);
    ctx->held->scratch = NULL;
}

void kldve_scratch_free(kldve_ctx *ctx, kldve_scratch *s)
{
    kldve_ctx_release(ctx, s->bytes);
    *s = (kldve_scratch){NULL, 0, 0, 0, 0};
}
