/* ctx_struct.h - the context from the inside, for the files of this folder. */
#ifndef KLDVE_LIB_CTX_STRUCT_H
#define KLDVE_LIB_CTX_STRUCT_H

#include <fenv.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <kldve/common.h>

enum { KLDVE_MESSAGE_SIZE = 512, KLDVE_ADVICE_SIZE = 192, KLDVE_LIMITS = KLDVE_LIMIT_WORK + 1 };

/* What a host registered: copies, each a struct of the same type. */
typedef struct kldve_host_list {
    void **item;
    int32_t count;
} kldve_host_list;

/* The calls under way: who is told, and when they have to end.  Times are those of
 * kldve_clock_ms().  Everything but the two atomic members belongs to the thread of the call. */
typedef struct kldve_control {
    kldve_progress_fn progress;
    void *progress_opaque;
    const char *call;  /* the outermost one */
    const char *stage; /* what runs; NULL: no call */
    int64_t done, total;
    fenv_t host;            /* the floating-point environment of the outermost call */
    double entered;         /* when the outermost call began */
    double reported;        /* when the callback was called last */
    double time;            /* milliseconds that each call may take; 0: any */
    double deadline;        /* of the calls under way; INFINITY: none */
    double polled, longest; /* the last poll; the longest time between two in the outermost call */
    int64_t polls;          /* in the outermost call */
    int32_t depth;          /* calls within each other */
    int32_t reporting;      /* 1: the callback is running */
    int32_t hosted;         /* the depth at which a callback runs; 0: none does */
    atomic_int cancelled;   /* 1: by kldve_ctx_cancel() */
    atomic_int stopped;     /* the status that the calls under way have to return; 0: none */
} kldve_control;

struct kldve_ctx {
    kldve_allocator allocator;
    kldve_control control;
    kldve_log_fn log;
    void *log_opaque;
    int32_t log_level; /* a kldve_log_level */
    kldve_host_list methods, metrics;
    int64_t limit[KLDVE_LIMITS]; /* 0: the default */
    /* Of `room`, so that allocating leaves the context itself as it is.  Atomic: an object may be
     * used in another thread than its context. */
    struct kldve_held {
        atomic_size_t now, most; /* bytes from the allocator */
        atomic_size_t ceiling;   /* of `now`, budget.h; SIZE_MAX: none */
        atomic_int refused;      /* 1 + the limit that refused some and that no message names yet */
        atomic_bool over;        /* it was the ceiling, during this budget */
        struct kldve_scratch
            *scratch; /* the one that is open, of the thread of the call; or NULL */
    } * held, room;
    char message[KLDVE_MESSAGE_SIZE];
};

#endif
