/* arena.h - many small objects that are freed together. */
#ifndef KLDVE_ONNX_ARENA_H
#define KLDVE_ONNX_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include <kldve/backend.h>

typedef struct kx_arena {
    const kldve_ctx *ctx; /**< whose allocator is used; outlives the arena */
    struct kx_chunk *chunk;
    size_t bytes; /**< taken */
    size_t most;  /**< that may be taken; 0: there is no limit */
    bool full;    /**< some was refused for that */
} kx_arena;

void kx_arena_init(kx_arena *arena, const kldve_ctx *ctx);
/** Zeroed memory, aligned to 64 bytes; NULL on overflow, beyond `most`, or out of memory.  0 items
 * are fine. */
void *kx_arena_alloc(kx_arena *arena, size_t count, size_t size);
void kx_arena_free(kx_arena *arena);

#endif
