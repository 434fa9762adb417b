#include "pool.h"

#include <stdalign.h>
#include <stdint.h>

/* What stands before each block.  A free one is in the list. */
struct pool_block {
    alignas(max_align_t) size_t size; /* bytes with this header, a multiple of it */
    struct pool_block *next;
};

void pool_init(struct pool *pool, void *memory, size_t nbytes)
{
    struct pool_block *all = memory;

    *pool = (struct pool){.size = nbytes / sizeof *all * sizeof *all};
    pthread_mutex_init(&pool->lock, NULL);
    if (pool->size == 0)
        return;
    all->size = pool->size;
    all->next = NULL;
    pool->free = all;
}

/* Take `size` bytes from the end of the first block that has them; NULL: none has. */
static struct pool_block *take(struct pool *pool, size_t size)
{
    for (struct pool_block **link = &pool->free; *link; link = &(*link)->next) {
        struct pool_block *block = *link;

        if (block->size < size)
            continue;
        if (block->size == size) {
            *link = block->next;
            return block;
        }
        block->size -= size;
        block = (struct pool_block *)((char *)block + block->size);
        block->size = size;
        return block;
    }
    return NULL;
}

void *pool_alloc(void *opaque, size_t nbytes)
{
    struct pool *pool = opaque;
    const size_t unit = sizeof(struct pool_block);
    struct pool_block *block = NULL;

    pthread_mutex_lock(&pool->lock);
    pool->calls++;
    if (nbytes < pool->size) /* so that rounding up cannot overflow */
        block = take(pool, (nbytes + unit - 1) / unit * unit + unit);
    if (block) {
        pool->blocks++;
        pool->used += block->size;
        if (pool->most_used < pool->used)
            pool->most_used = pool->used;
    } else {
        pool->refused++;
    }
    pthread_mutex_unlock(&pool->lock);
    return block ? block + 1 : NULL;
}

/* Make one block of two that touch. */
static void join(struct pool_block *left)
{
    struct pool_block *right = left->next;

    if (right && (char *)left + left->size == (char *)right) {
        left->size += right->size;
        left->next = right->next;
    }
}

void pool_free(void *opaque, void *memory)
{
    struct pool *pool = opaque;
    struct pool_block *block = (struct pool_block *)memory - 1, *before = NULL;

    pthread_mutex_lock(&pool->lock);
    pool->blocks--;
    pool->used -= block->size;
    for (struct pool_block *b = pool->free; b && (uintptr_t)b < (uintptr_t)block; b = b->next)
        before = b;
    block->next = before ? before->next : pool->free;
    *(before ? &before->next : &pool->free) = block;
    join(block);
    if (before)
        join(before);
    pthread_mutex_unlock(&pool->lock);
}

void pool_destroy(struct pool *pool)
{
    pthread_mutex_destroy(&pool->lock);
}
