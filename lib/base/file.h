/* file.h - read and write whole files, and a byte buffer that grows. */
#ifndef KLDVE_LIB_FILE_H
#define KLDVE_LIB_FILE_H

#include <stdbool.h>

#include <kldve/common.h>

/** Bytes from the context's allocator.  Start with {ctx, NULL, 0, 0}. */
typedef struct kldve_buffer {
    kldve_ctx *ctx;
    uint8_t *bytes;
    size_t length;   /**< bytes in use */
    size_t capacity; /**< bytes allocated */
} kldve_buffer;

/** Make room for at least `more` bytes after the length.  On failure returns false and leaves the
 *  buffer as it was. */
bool kldve_buffer_reserve(kldve_buffer *buffer, size_t more);

/** Append a copy of `nbytes` bytes; returns false like kldve_buffer_reserve(). */
bool kldve_buffer_append(kldve_buffer *buffer, const void *bytes, size_t nbytes);

/** Free the bytes; the buffer is then empty and may be reused. */
void kldve_buffer_free(kldve_buffer *buffer);

/** Read a whole file, or a pipe that is open already (open_input.h), into *out, which must be empty
 * with its `ctx` set.
 *  @param limit  The kldve_limit of the context for its bytes.
 *  @return KLDVE_OK; KLDVE_E_IO (the message has the system's reason; what is no file is refused);
 *          KLDVE_E_LIMIT; KLDVE_E_NOMEM.  *out is empty on failure. */
kldve_status kldve_file_read(kldve_ctx *ctx, const char *path, int32_t limit, kldve_buffer *out);

/** Write a whole file (whole_file.h).  A reader sees either the old bytes or the new ones, and a
 *  failure leaves nothing behind.  A
 *  replaced file keeps its permissions; symbolic links are followed.  Anything that exists but is
 *  not a regular file (/dev/stdout, a pipe) is written to directly.
 *  @return KLDVE_OK; KLDVE_E_IO (the message has the system's reason); KLDVE_E_ARG (path empty or
 *          too long). */
kldve_status kldve_file_write_atomic(kldve_ctx *ctx, const char *path, const void *bytes,
                                     size_t nbytes);

#endif
