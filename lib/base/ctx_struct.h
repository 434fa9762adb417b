/* ctx_struct.h - the context from the inside, for ctx.c and message.c. */
#ifndef KLDVE_LIB_CTX_STRUCT_H
#define KLDVE_LIB_CTX_STRUCT_H

#include <kldve/common.h>

enum { KLDVE_MESSAGE_SIZE = 512 };

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
    char message[KLDVE_MESSAGE_SIZE];
};

#endif
