/* common.h - what every other header of libkldve needs: status values, the version, the context.
 *
 * These rules hold for the whole library:
 *
 *   - A function that can fail returns a kldve_status: KLDVE_OK (0) or a negative value.  Its last
 *     parameter is the result.  The result is written on KLDVE_OK only, so it keeps its value after
 *     a failure.  The context says why the call failed: kldve_ctx_message().
 *   - `T **out` hands over an object that you own.  Free it with the function named at its type.
 *     A returned `const T *` is borrowed: it lives as long as the object that you asked.
 *   - Every function that frees accepts NULL.
 *   - The library prints nothing, never exits, and keeps no global or thread-local state.  Two
 *     threads may use it at the same time as long as they do not share a kldve_ctx.
 *   - Networks, pictures, labels, cards and heat maps do not change once they are made.  Any number
 *     of threads may read the same one, each with a context of its own: a call that takes one as
 *     `const` and can fail takes the caller's context for the message and for memory.  An explainer
 *     works, and so belongs to one thread at a time.
 *   - Every public struct begins with `struct_size`, which you set to sizeof.  Zero bytes mean
 *     "default".  Later releases only append members.  A member that you set and that the loaded
 *     library does not have is refused with KLDVE_E_UNSUPPORTED; docs/abi.md has all cases.
 *   - Arrays are row-major without gaps.  Their shape is written [height][width]. */
#ifndef KLDVE_COMMON_H
#define KLDVE_COMMON_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define KLDVE_API __attribute__((visibility("default")))
#define KLDVE_MUST_CHECK __attribute__((warn_unused_result))
#define KLDVE_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define KLDVE_API
#define KLDVE_MUST_CHECK
#define KLDVE_PRINTF(string, first)
#endif

/** Whether the struct at `object` reaches as far as `member`, as the other side compiled it.  Use
 *  it before you read a member newer than 0.1 of a struct that you did not make, such as the
 *  kldve_job of a method.  Evaluates `object` several times.  @since 0.1 */
#define KLDVE_HAS(object, member)                                                                  \
    ((size_t)((const char *)(&(object)->member + 1) - (const char *)(object)) <=                   \
     (object)->struct_size)

#ifdef __cplusplus
extern "C" {
#endif

/** What a call returns: 0 for success, else a negative number.  A number and not an enum, whose
 * size compilers choose: callbacks of a host return it, too. */
typedef int32_t kldve_status;

/** The values of a kldve_status.  They are part of the ABI: never renumbered and never reused, but
 *  later releases may add some. */
enum {
    KLDVE_OK = 0,
    KLDVE_E_NOMEM = -1,        /**< an allocation failed */
    KLDVE_E_ARG = -2,          /**< the caller broke a documented precondition */
    KLDVE_E_IO = -3,           /**< a file could not be read or written */
    KLDVE_E_FORMAT = -4,       /**< the bytes are not a valid picture, model or card */
    KLDVE_E_UNSUPPORTED = -5,  /**< valid, but not handled by this library or this build */
    KLDVE_E_BACKEND = -6,      /**< the network backend reported a failure */
    KLDVE_E_NUMERIC = -7,      /**< NaN or infinity reached a result */
    KLDVE_E_NO_VJP = -8,       /**< the reading or method needs a gradient, the backend has none */
    KLDVE_E_UNATTAINABLE = -9, /**< no kernel width gives the wanted perplexity */
    KLDVE_E_CANCELLED = -10,   /**< the progress callback asked to stop */
    KLDVE_E_LIMIT = -11,       /**< larger than a limit that the caller can raise */
    KLDVE_E_NOT_FOUND = -13 /**< no such entry: an index past the last, an array that this map does
                                 not have.  Getters return it without a message */
};

/** The name of a status in lower-case English, for example "out of memory"; "unknown status" for
 * any other number.  Never NULL.  Static storage.  Safe from any thread.  @since 0.1 */
KLDVE_API const char *kldve_status_name(kldve_status status);

/** The version of the loaded library, "MAJOR.MINOR.PATCH".  Static storage.  Safe from any thread.
 *  @since 0.1 */
KLDVE_API const char *kldve_version(void);

/** Where objects get their memory. */
typedef struct kldve_allocator {
    size_t struct_size;
    /** Required.  At least `nbytes` bytes, aligned as malloc aligns them, or NULL. */
    void *(*alloc)(void *opaque, size_t nbytes);
    /** Required.  Frees what alloc() returned; never called with NULL. */
    void (*free)(void *opaque, void *memory);
    void *opaque; /**< handed to both calls; the library never looks at it */
} kldve_allocator;

/** A context: the allocator, the message of the last failure, the progress callback.  Every object
 *  is made from a context and must be freed before it. */
typedef struct kldve_ctx kldve_ctx;

/** Make a context.
 *  @param allocator  Copied; NULL means malloc and free.  Both calls must be safe from every thread
 *                    that uses an object made from this context.
 *  @param out        On KLDVE_OK a new context; free it with kldve_ctx_free().
 *  @return KLDVE_OK; KLDVE_E_NOMEM; KLDVE_E_ARG (`out` is NULL, an allocator without both calls or
 *          without struct_size); KLDVE_E_UNSUPPORTED (the allocator sets a member that this library
 *          does not have).  There is no message: there is no context yet.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_ctx_new(const kldve_allocator *allocator,
                                                      kldve_ctx **out);

/** Free a context.  Free every object made from it first.  Accepts NULL.  @since 0.1 */
KLDVE_API void kldve_ctx_free(kldve_ctx *ctx);

/** Why the last failed call on this context failed: one line without a newline, "" if no call has
 *  failed.  Written for people, not for programs, which look at the status.  Borrowed; the next
 *  failure overwrites it.  "" for NULL.  @since 0.1 */
KLDVE_API const char *kldve_ctx_message(const kldve_ctx *ctx);

/** Called during long work: `done` of `total` steps of `stage` are done.  To stop the work return
 *  anything but 0; the call then returns KLDVE_E_CANCELLED.  Runs in the thread that made the call.
 */
typedef int32_t (*kldve_progress_fn)(void *opaque, const char *stage, int64_t done, int64_t total);

/** Set the progress callback, or remove it with NULL.
 *  @param opaque  Handed to the callback; borrowed until it is replaced.
 *  @since 0.1 */
KLDVE_API void kldve_ctx_set_progress(kldve_ctx *ctx, kldve_progress_fn progress, void *opaque);

#ifdef __cplusplus
}
#endif
#endif
