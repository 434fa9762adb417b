/* writer.h - write protobuf messages of any size without holding them in memory.
 *
 * A message is preceded by its length, so it is produced twice: the first pass counts, the second
 * writes.  The producer must do the same both times. */
#ifndef KLDVE_TESTS_NETWORKS_WRITER_H
#define KLDVE_TESTS_NETWORKS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct writer writer;
typedef void (*writer_make)(writer *w, const void *arg);

/** False, after a message on standard error, when the file cannot be written. */
bool writer_file(const char *path, writer_make make, const void *arg);
/** Allocated with malloc(); NULL without memory. */
unsigned char *writer_memory(writer_make make, const void *arg, size_t *n);

/** True in the pass that counts, when the bytes given do not matter. */
bool writer_counts(const writer *w);

void write_varint(writer *w, uint32_t field, uint64_t value);
void write_fix32(writer *w, uint32_t field, float value);
void write_bytes(writer *w, uint32_t field, const void *bytes, size_t n);
void write_string(writer *w, uint32_t field, const char *text);
/** A message, or a long run of bytes, as a field: everything up to write_end(). */
void write_begin(writer *w, uint32_t field);
void write_end(writer *w);
/** Raw bytes, without a field. */
void write_plain(writer *w, const void *bytes, size_t n);

#endif
