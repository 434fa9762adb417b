/* common.h - what every other header of libkldve needs: status values, the version, the context.
 *
 * These rules hold for the whole library:
 *
 *   - A function that can fail returns a kldve_status: KLDVE_OK (0) or a negative value.  Its last
 *     parameter is the result.  The result is written on KLDVE_OK only, so it keeps its value after
 *     a failure.  The context says why the call failed: kldve_ctx_message().
 *   - Where there is nothing to hand out - an index past the last, a name that nothing has, an
 * array that this map lacks - a call returns KLDVE_E_NOT_FOUND.  A list is gone through with `for
 * (i = 0; kldve_..._at(x, i, &item) == KLDVE_OK; i++)`.  These calls leave no message unless
 * they say so.  What every object has - a size, a count, a name - is the value that is returned; of
 * a NULL object it is 0 or NULL.
 *   - NULL is answered, not followed: KLDVE_E_ARG, except where a parameter says what NULL means.
 *   - Classes, maps, cells, pixels of a side, frames, inputs and their counts are int32_t; bytes
 * are size_t, with a sign ptrdiff_t; values of an enum int32_t; sets of bits uint64_t; numbers from
 *     files and products that may pass 2^31 int64_t.  An array comes before its count.
 *   - `T **out` hands over an object that you own.  Free it with the function named at its type.
 *     A returned `const T *` is borrowed: it lives as long as the object that you asked.
 *   - Functions that return nothing - that free, cancel or set a callback - ignore a NULL object.
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

/** The version of these headers.  A release with another MAJOR breaks programs, one with another
 *  MINOR adds something, one with another PATCH only mends.  Below 1.0 any MINOR may break.
 *  @since 0.1 */
#define KLDVE_VERSION_MAJOR 0
#define KLDVE_VERSION_MINOR 1
#define KLDVE_VERSION_PATCH 0

/** The same as one number that grows, for `#if` and for kldve_version_number().  @since 0.1 */
#define KLDVE_VERSION_NUMBER                                                                       \
    (KLDVE_VERSION_MAJOR * 1000000 + KLDVE_VERSION_MINOR * 1000 + KLDVE_VERSION_PATCH)

/* On Windows: programs import from a .dll unless they define KLDVE_STATIC; the build of the library
 * defines KLDVE_BUILDING. */
#if defined(_WIN32) && defined(KLDVE_BUILDING) && !defined(KLDVE_STATIC)
#define KLDVE_API __declspec(dllexport)
#elif defined(_WIN32) && !defined(KLDVE_STATIC)
#define KLDVE_API __declspec(dllimport)
#elif defined(__GNUC__)
#define KLDVE_API __attribute__((visibility("default")))
#else
#define KLDVE_API
#endif

#if defined(__GNUC__)
#define KLDVE_MUST_CHECK __attribute__((warn_unused_result))
#define KLDVE_PRINTF(string, first) __attribute__((format(printf, string, first)))
#else
#define KLDVE_MUST_CHECK
#define KLDVE_PRINTF(string, first)
#endif

/* Memory that is written and not read need not be set before the call. */
#if defined(__GNUC__) && __GNUC__ >= 11 && !defined(__clang__)
#define KLDVE_MAY_BE_UNSET(argument) __attribute__((access(none, argument)))
#else
#define KLDVE_MAY_BE_UNSET(argument)
#endif

/* Stands before what a later release will no longer have; `message` says what takes its place. */
#if defined(__GNUC__)
#define KLDVE_DEPRECATED(message) __attribute__((deprecated(message)))
#elif defined(_MSC_VER)
#define KLDVE_DEPRECATED(message) __declspec(deprecated(message))
#else
#define KLDVE_DEPRECATED(message)
#endif

/** An initialiser of any public struct, which sets its size and leaves the rest at the default:
 *  `kldve_options o = KLDVE_OPTIONS_INIT;`  Each struct has its own, named after it.  Without a
 *  warning from C99 and C++11 on.  @since 0.1 */
#ifdef __cplusplus
extern "C++" {
template <class T> inline T kldve_init()
{
    T made = T();

    made.struct_size = sizeof made;
    return made;
}
}
#define KLDVE_INIT(type) kldve_init<type>()
#else
#define KLDVE_INIT(type)                                                                           \
    {                                                                                              \
        .struct_size = sizeof(type)                                                                \
    }
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
    KLDVE_OK = 0,              /**< the call did what it says */
    KLDVE_E_NOMEM = -1,        /**< an allocation failed */
    KLDVE_E_ARG = -2,          /**< the caller broke a documented precondition */
    KLDVE_E_IO = -3,           /**< a file could not be read or written */
    KLDVE_E_FORMAT = -4,       /**< the bytes are not a valid picture, model or card */
    KLDVE_E_UNSUPPORTED = -5,  /**< valid, but not handled by this library or this build */
    KLDVE_E_BACKEND = -6,      /**< the network backend reported a failure */
    KLDVE_E_NUMERIC = -7,      /**< NaN or infinity reached a result */
    KLDVE_E_NO_VJP = -8,       /**< the reading or method needs a gradient, the backend has none */
    KLDVE_E_UNATTAINABLE = -9, /**< no kernel width gives the wanted perplexity */
    KLDVE_E_CANCELLED = -10,   /**< kldve_ctx_cancel() or the progress callback asked to stop */
    KLDVE_E_LIMIT = -11,       /**< above a limit of the context: kldve_ctx_set_limit() */
    KLDVE_E_DEADLINE = -12,    /**< the time that the caller gave has passed */
    KLDVE_E_NOT_FOUND = -13    /**< there is no such entry, name or array */
};

/** The name of a status in lower-case English, for example "out of memory"; "unknown status" for
 * any other number.  Never NULL.  Static storage.  Safe from any thread.
 *  @param status  Any number.
 *  @since 0.1 */
KLDVE_API const char *kldve_status_name(kldve_status status);

/** Make text from outside fit to be shown on a terminal: a label, a file's name, the name of a
 * node. What the library itself says (kldve_ctx_message(), the log) has been through this; names
 * that it hands out are those of the file.
 *
 *  Control characters (C0, DEL, C1) and separators of lines and paragraphs become spaces.  U+FFFD
 *  stands for each byte that is not UTF-8, and for each character that nobody sees: those that turn
 *  the direction of writing, join or separate without a width, or are tags.  Safe from any thread.
 *  @param text  NULL is "".
 *  @param out   [size], the caller's; text that is too long is cut between two characters.  NULL:
 *               nothing happens.
 *  @param size  Bytes of it; 3 * strlen(text) + 1 are always enough.  0: nothing happens.
 *  @since 0.1 */
KLDVE_API void kldve_printable(const char *text, char *out, size_t size);

/** The version of the loaded library, "MAJOR.MINOR.PATCH".  Static storage.  Safe from any thread.
 *  @since 0.1 */
KLDVE_API const char *kldve_version(void);

/** KLDVE_VERSION_NUMBER of the loaded library.  Safe from any thread.  @since 0.1 */
KLDVE_API int32_t kldve_version_number(void);

/** What the loaded library has; bits of kldve_features(). */
enum {
    KLDVE_FEATURE_PNG = 1,    /**< reads and writes PNG */
    KLDVE_FEATURE_JPEG = 2,   /**< reads and writes JPEG */
    KLDVE_FEATURE_AVX2 = 4,   /**< the divergence runs AVX2 and FMA on this processor */
    KLDVE_FEATURE_AVX512 = 8, /**< the divergence runs AVX-512 on this processor */
    KLDVE_FEATURE_BLAS = 16   /**< a cblas weighs the maps; without it a loop of the library's own
                                   does: the same values within rounding */
};

/** KLDVE_FEATURE_* of the loaded library on this processor; later releases may have more bits.
 *  Safe from any thread.  @since 0.1 */
KLDVE_API uint64_t kldve_features(void);

/** Where objects get their memory. */
typedef struct kldve_allocator {
    size_t struct_size;
    /** Required.  At least `nbytes` bytes, aligned as malloc aligns them, or NULL. */
    void *(*alloc)(void *opaque, size_t nbytes);
    /** Required.  Frees what alloc() returned; never called with NULL. */
    void (*free)(void *opaque, void *memory);
    void *opaque; /**< handed to both calls; the library never looks at it */
} kldve_allocator;
#define KLDVE_ALLOCATOR_INIT KLDVE_INIT(kldve_allocator)

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

/** Why the last call on this context failed: one line without a newline; "" if it did not.  Written
 *  for people, not for programs, which look at the status.  Borrowed; the next call overwrites it.
 *  "" for NULL.  @since 0.1 */
KLDVE_API const char *kldve_ctx_message(const kldve_ctx *ctx);

/** Called during long work: `done` of `total` steps of `stage` are done; the same numbers come
 * again while a long step runs, several times a second.  To stop the work return anything but 0;
 * the call then returns KLDVE_E_CANCELLED.
 *
 *  Runs in the thread that made the call.  It may use other contexts as it likes, and of this one
 *  kldve_ctx_cancel(), kldve_ctx_message(), kldve_ctx_set_progress() and calls on objects that the
 *  call under way does not use; no progress is reported from within those.  It must return: neither
 *  longjmp() nor an exception may cross the library.  It finds the floating-point environment in
 *  which the call was made; the library itself computes in the default one.
 *  @param done,total  Steps of this stage.
 *  @param stage  Borrowed for the call. */
typedef int32_t (*kldve_progress_fn)(void *opaque, const char *stage, int64_t done, int64_t total);

/** Set the progress callback, or remove it with NULL.
 *  @param progress  NULL: nobody.
 *  @param ctx     NULL: nothing happens.
 *  @param opaque  Handed to the callback; borrowed until it is replaced.
 *  @since 0.1 */
KLDVE_API void kldve_ctx_set_progress(kldve_ctx *ctx, kldve_progress_fn progress, void *opaque);

/** Stop the call that runs on this context: it returns KLDVE_E_CANCELLED, as a rule within 50 ms
 *  (docs/threads.md has the exceptions), its outputs are not written, and every object stays
 *  usable.
 *
 *  May be called from any thread and from a signal handler, as long as the context lives.  A cancel
 *  is not lost: one that comes while no call runs, or too late for the one that does, ends the next
 *  call that can return KLDVE_E_CANCELLED.  The call that returns it has used it up.
 *  @param ctx  NULL: nothing happens.
 *  @since 0.1 */
KLDVE_API void kldve_ctx_cancel(kldve_ctx *ctx);

/** Forget a cancel that no call has used up, before a new job is begun on this context.  Safe from
 *  any thread.
 *  @param ctx  NULL: nothing happens.
 *  @since 0.1 */
KLDVE_API void kldve_ctx_resume(kldve_ctx *ctx);

/** How long every later call on this context may take that can return KLDVE_E_DEADLINE.  The
 *  options of a call (kldve_options.deadline_ms and others) can set an earlier end.
 *  @param milliseconds  From the start of the call; 0: as long as it needs.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, negative, not a number; what was set stays).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_ctx_set_deadline(kldve_ctx *ctx, double milliseconds);

/** How important a line of the log is. */
typedef enum kldve_log_level {
    KLDVE_LOG_NONE = 0,    /**< no line at all */
    KLDVE_LOG_WARNING = 1, /**< the result may not be what it looks like: notes of a network */
    KLDVE_LOG_INFO = 2,    /**< what was chosen for the caller: layer, scores, size, labels */
    KLDVE_LOG_DEBUG = 3    /**< how long each call took, and nodes that run slowly */
} kldve_log_level;

/** Called with one line without a newline.  Runs in the thread that made the call, under the rules
 *  of kldve_progress_fn.
 *  @param level    a kldve_log_level.
 *  @param message  Borrowed for the call. */
typedef void (*kldve_log_fn)(void *opaque, int32_t level, const char *message);

/** Set who gets the log, or remove it with NULL.  Nothing depends on it: what is logged is also in
 *  notes, records and timings.  The library writes to no stream by itself.
 *  @param log        NULL: nobody.
 *  @param ctx        NULL: nothing happens.
 *  @param max_level  The least important kldve_log_level that is wanted.
 *  @param opaque     Handed to the callback; borrowed until it is replaced.
 *  @since 0.1 */
KLDVE_API void kldve_ctx_set_log(kldve_ctx *ctx, int32_t max_level, kldve_log_fn log, void *opaque);

/** What a context takes in and spends.  A file that asks for more is refused with KLDVE_E_LIMIT
 *  before the memory is taken; the message names the limit.  The numbers are part of the ABI. */
typedef enum kldve_limit {
    KLDVE_LIMIT_MEMORY = 0, /**< bytes that all objects of the context hold at a time; the default
                                 is no limit.  What is more fails as where the allocator has no
                                 more: KLDVE_E_NOMEM, with this limit in the message */
    KLDVE_LIMIT_WORKING_MEMORY = 1, /**< bytes of working memory for one input of a network, of each
                                         plan (explaining, relevance ...): 1 GiB */
    KLDVE_LIMIT_WEIGHTS = 2,  /**< bytes of weights that a network packs beside those in its file;
                                 the  default is no limit */
    KLDVE_LIMIT_GRAPH = 3,    /**< bytes of a network's nodes and of the constants that are computed
                                   from it: 1 GiB, or 12 times the bytes of its files where that is
                                   more */
    KLDVE_LIMIT_MODEL = 4,    /**< bytes of an .onnx file: 2 GiB */
    KLDVE_LIMIT_EXTERNAL = 5, /**< bytes of all files with a network's external data: 4 GiB */
    KLDVE_LIMIT_UNPACKED = 6, /**< bytes of what is read of an .onnx file, other than the weights,
                                   which stay in it: 768 MiB */
    KLDVE_LIMIT_NODES = 7,    /**< nodes of a network, with those of its functions: 1 million */
    KLDVE_LIMIT_CARD = 8,     /**< bytes of a model card: 1 MiB */
    KLDVE_LIMIT_LABELS = 9,   /**< bytes of a list of labels: 16 MiB */
    KLDVE_LIMIT_PICTURE_FILE = 10,   /**< bytes of a picture's file: 256 MiB */
    KLDVE_LIMIT_PICTURE_PIXELS = 11, /**< width * height of a picture from a file: 100 million */
    KLDVE_LIMIT_WORK = 12 /**< multiplications of one forward pass of a network, or elements that it
                               touches where those are more, as the engine estimates them; ten times
                               as many where it has plain loops only.  2^36, or 2^18 for each byte
                               of the network's files where that is more, but at most 10^13 */
} kldve_limit;

/** The name of a limit as messages and the command have it: "working-memory" for
 *  KLDVE_LIMIT_WORKING_MEMORY.
 *  @param limit  A kldve_limit.
 *  @return Static storage; NULL for any other number, so that a loop from 0 on lists all.
 *  @since 0.1 */
KLDVE_API const char *kldve_limit_name(int32_t limit);

/** Set a limit for everything that is made from the context from now on.
 *  @param limit  A kldve_limit.
 *  @param value  In the unit of the limit; 0 for its default, INT64_MAX for none.
 *  @return KLDVE_OK; KLDVE_E_ARG (`ctx` is NULL, or a negative value); KLDVE_E_UNSUPPORTED (a limit
 *          that this library does not have).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_ctx_set_limit(kldve_ctx *ctx, int32_t limit,
                                                            int64_t value);

/** What a limit is.
 *  @param limit  A kldve_limit.
 *  @param value  On KLDVE_OK its value, or the default where none was set.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, or no such limit; there is no message).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_ctx_limit(const kldve_ctx *ctx, int32_t limit,
                                                        int64_t *value);

/** How much memory the objects of a context hold: what was asked of its allocator, the context
 *  itself aside.  docs/memory.md says what libraries below this one take from elsewhere.  Safe from
 *  any thread.
 *  @param now,most  In bytes: at the moment, and at most since the context was made.  Each may be
 *                   NULL.
 *  @return KLDVE_OK; KLDVE_E_ARG (`ctx` is NULL).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_ctx_memory(const kldve_ctx *ctx, size_t *now,
                                                         size_t *most);

#ifdef __cplusplus
}
#endif
#endif
