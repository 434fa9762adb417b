/* ctx_struct.h - the context from the inside, for ctx.c, message.c and limits.c. */
#ifndef KLDVE_LIB_CTX_STRUCT_H
#define KLDVE_LIB_CTX_STRUCT_H

#include <stdatomic.h>
#include <stdbool.h>

#include <kldve/common.h>

enum {
    KLDVE_MESSAGE_SIZE = 512,
    KLDVE_ADVICE_SIZE = 192,
    KLDVE_LIMITS = KLDVE_LIMIT_PICTURE_PIXELS + 1
};

/* What a host registered: copies, each a struct of the same type. */
typedef struct kldve_host_list {
    void **item;
    int32_t count;
} kldve_host_list;

struct kldve_ctx {
    kldve_allocator allocator;
    kldve_progress_fn progress;
    void *progress_opaque;
    kldve_host_list methods, metrics;
    int64_t limit[KLDVE_LIMITS]; /* 0: the default */
    /* Of `room`, so that allocating leaves the context itself as it is.  Atomic: an object may be
     * used in another thread than its context. */
    struct kldve_held {
        atomic_size_t now, most; /* bytes from the allocator */
        atomic_bool refused;     /* KLDVE_LIMIT_MEMORY refused some, and no message says so yet */
    } * held, room;
    char message[KLDVE_MESSAGE_SIZE];
};

#endif
