/* arena.c - see arena.h.  Blocks are cut from chunks of 64 KiB; larger ones get their own chunk. */
#include "arena.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { CHUNK_SIZE = 65536, ALIGN = 64 };

struct kx_chunk {
    struct kx_chunk *next;
    size_t size, used; /* bytes after the header */
};

/* The header is padded so that the first block is aligned, as the chunk itself is. */
enum { HEADER = (sizeof(struct kx_chunk) + ALIGN - 1) / ALIGN * ALIGN };

void kx_arena_init(kx_arena *arena, const kldve_ctx *ctx)
{
    *arena = (kx_arena){.ctx = ctx};
}

static struct kx_chunk *new_chunk(kx_arena *arena, size_t size)
{
    struct kx_chunk *chunk;

    assert(size % ALIGN == 0);
    if (arena->most && (arena->bytes > arena->most || size > arena->most - arena->bytes)) {
        arena->full = true;
        return NULL;
    }
    chunk = kldve_ctx_alloc(arena->ctx, 1, HEADER + size);
    if (!chunk)
        return NULL;
    arena->bytes += size;
    chunk->size = size;
    chunk->used = 0;
    /* A full chunk goes behind the current one, so that the rest of that stays usable. */
    if (size > CHUNK_SIZE && arena->chunk) {
        chunk->next = arena->chunk->next;
        arena->chunk->next = chunk;
    } else {
        chunk->next = arena->chunk;
        arena->chunk = chunk;
    }
    return chunk;
}

void *kx_arena_alloc(kx_arena *arena, size_t count, size_t size)
{
    struct kx_chunk *chunk = arena->chunk;
    size_t need;
    void *block;

    assert(arena->ctx); /* kx_arena_init() came first */
    if (size != 0 && count > (SIZE_MAX / 2) / size)
        return NULL;
    need = (count * size + ALIGN - 1) / ALIGN * ALIGN;
    if (need == 0)
        need = ALIGN;
    if (!chunk || chunk->size - chunk->used < need) {
        chunk = new_chunk(arena, need > CHUNK_SIZE ? need : CHUNK_SIZE);
        if (!chunk)
            return NULL;
    }
    block = (unsigned char *)chunk + HEADER + chunk->used;
    chunk->used += need;
    assert(chunk->used <= chunk->size && (uintptr_t)block % ALIGN == 0);
    memset(block, 0, need);
    return block;
}

void kx_arena_free(kx_arena *arena)
{
    struct kx_chunk *chunk = arena->chunk;

    while (chunk) {
        struct kx_chunk *next = chunk->next;

        kldve_ctx_release(arena->ctx, chunk);
        chunk = next;
    }
    arena->chunk = NULL;
}
