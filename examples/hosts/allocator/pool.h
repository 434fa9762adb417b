/* pool.h - memory of a fixed size for a program that must not take more: the first free block that
 * is large enough, in one array that the program owns.  It knows nothing about libkldve. */
#ifndef POOL_H
#define POOL_H

#include <pthread.h>
#include <stddef.h>

struct pool_block;

struct pool {
    pthread_mutex_t
        lock; /* two threads may use objects of one context after each other, or free them */
    struct pool_block *free; /* in the order of addresses */
    size_t size;             /* bytes that the pool can hand out, headers included */
    size_t used, most_used;  /* bytes handed out, headers included */
    size_t blocks;           /* handed out and not yet returned */
    size_t calls, refused;
};

/* `memory` has `nbytes` bytes, is aligned for any type and outlives the pool. */
void pool_init(struct pool *pool, void *memory, size_t nbytes);

/* For kldve_allocator, whose `opaque` is the pool. */
void *pool_alloc(void *pool, size_t nbytes);
void pool_free(void *pool, void *memory);

void pool_destroy(struct pool *pool);

#endif
