/* common.h - what every other header of libkldve needs: status values, the version, the context.
 *
 * Rules that hold for the whole library:
 *   - A function that can fail returns a kldve_status: KLDVE_OK (0) or a negative value.  Its last
 *     parameter is the result; the result is written on KLDVE_OK only.
 *   - `T **out` hands over an owned object: free it with the function named at its type.  A
 *     returned `const T *` is borrowed and lives as long as the object it was asked from.
 *   - A function that frees accepts NULL.
 *   - Nothing is printed, nothing exits, no global or thread-local state exists.  Two threads may
 *     use the library at the same time as long as they do not share a kldve_ctx or an object made
 *     from one, unless an object says otherwise.
 *   - Public structs begin with `struct_size` (the caller's sizeof), zero bytes mean "default",
 *     members are only ever appended. */
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

/** Whether the public struct at `object` reaches as far as `member`, as the other side of the border
 *  compiled it.  For structs that were not made by the code that reads them: a method that reads a
 *  member of kldve_job newer than 0.1 asks first. */
#define KLDVE_HAS(object, member)                                                                  \
    ((size_t)((const char *)(&(object)->member + 1) - (const char *)(object)) <=                   \
     (object)->struct_size)

#ifdef __cplusplus
extern "C" {
#endif

/** Success is 0, errors are negative.  The numbers are ABI: never renumbered, never reused. */
typedef enum kldve_status {
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
    KLDVE_E_LIMIT = -11        /**< larger than a limit that the caller can raise */
} kldve_status;

/** A constant lower-case English name, for example "out of memory"; "unknown status" for a number
 *  that is none.  Never NULL.  Static storage.  @since 0.1 */
KLDVE_API const char *kldve_status_name(kldve_status status);

/** The version of the library that is loaded, "MAJOR.MINOR.PATCH".  Static storage.  @since 0.1 */
KLDVE_API const char *kldve_version(void);

/** Where objects get their memory.  `alloc` returns memory aligned as malloc's, or NULL. */
typedef struct kldve_allocator {
    size_t struct_size;
    void *(*alloc)(void *opaque, size_t nbytes);
    void (*free)(void *opaque, void *memory);
    void *opaque; /**< handed to both, never touched */
} kldve_allocator;

/** A context: the allocator, the message of the last failure, the progress callback.  Every object
 *  is made from one and must be freed before it. */
typedef struct kldve_ctx kldve_ctx;

/** Make a context.
 *  @param allocator  Copied; NULL means malloc and free.  Must be callable from every thread that
 *                    uses an object made from this context.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG (out is NULL, or an allocator without both calls).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_ctx_new(const kldve_allocator *allocator,
                                                      kldve_ctx **out);

/** Free a context; every object made from it must be gone.  @since 0.1 */
KLDVE_API void kldve_ctx_free(kldve_ctx *ctx);

/** Why the last failed call on this context failed, one line without a newline; "" if none did.
 *  Borrowed, overwritten by the next failure.  For people, not programs.  @since 0.1 */
KLDVE_API const char *kldve_ctx_message(const kldve_ctx *ctx);

/** Called during long work with what is done (`done` of `total` steps of `stage`).  A return value
 *  other than 0 stops the work: the call then returns KLDVE_E_CANCELLED.  Called from the thread
 *  that made the call. */
typedef int32_t (*kldve_progress)(void *opaque, const char *stage, int64_t done, int64_t total);

/** Set or, with NULL, remove the progress callback.  @since 0.1 */
KLDVE_API void kldve_ctx_set_progress(kldve_ctx *ctx, kldve_progress progress, void *opaque);

#ifdef __cplusplus
}
#endif
#endif
