/* ring.h - the last entries of an endless record, in a file of a fixed size.
 *
 * An entry is what one pass of a network left behind: logits and feature maps as float16.  The
 * newest replaces the oldest.  Every entry has a checksum: one that was being written when the
 * program or the machine stopped is told from a whole one.  One program writes; others may read at
 * the same time.
 *
 * The file: a struct ring_header, then `slots` times a struct ring_slot with logits [classes] and
 * features [maps][height][width] as float16 behind it, filled up to `slot_bytes`.  Entry n is in
 * slot n % slots.  All numbers have the byte order of the machine, which the header tells. */
#ifndef RING_H
#define RING_H

#include <stddef.h>
#include <stdint.h>

enum { RING_NAME = 56, RING_MOST_SLOTS = 1 << 20 };

/* What the entries have in common. */
struct ring_shape {
    uint32_t classes, maps, height, width;
    uint64_t network; /* the check of its file: entries are explained with the same */
};

struct ring_header {
    char magic[8];  /* "KLDVRING" */
    uint32_t order; /* 0x01020304 */
    uint32_t slots;
    struct ring_shape shape;
    uint64_t slot_bytes;
    uint64_t check; /* ring_check() of what comes before it */
};

struct ring_slot {
    uint64_t number; /* of the entry, from 1; 0: there is none, or it is being written */
    int64_t time;    /* milliseconds since 1970 */
    int32_t logits_exponent, features_exponent; /* float16 times 2 to the power of it */
    char name[RING_NAME];                       /* ends with a NUL */
    uint64_t check; /* ring_check() of the slot without this member, and of what follows it */
};

enum ring_status {
    RING_OK,
    RING_IO,     /* errno says why */
    RING_FORMAT, /* not such a file, or of another release */
    RING_OTHER,  /* of another network, or with another number of slots */
    RING_BUSY,   /* another program writes it */
    RING_NUMBER, /* a number is not finite */
    RING_NONE,   /* there is no such entry, or there is none any more */
    RING_TORN    /* the entry is not whole */
};

/* In words; for RING_IO those of errno. */
const char *ring_text(enum ring_status status);

struct ring;

/* Open a file to write to it; make it if there is none.  A file that is there must fit. */
enum ring_status ring_create(const char *path, const struct ring_shape *shape, uint32_t slots,
                             struct ring **out);

/* Open a file to read. */
enum ring_status ring_open(const char *path, struct ring **out);

/* Accepts NULL. */
void ring_close(struct ring *ring);

const struct ring_shape *ring_shape(const struct ring *ring);

/* The number of the newest entry, 0 without one, and of the oldest that can still be there. */
uint64_t ring_newest(const struct ring *ring);
uint64_t ring_oldest(const struct ring *ring);

/* Add an entry.  logits [classes], features [maps][height][width]; `name` is cut to fit. */
enum ring_status ring_append(struct ring *ring, const char *name, const float *logits,
                             const float *features);

/* Read an entry.  `logits` and `features` may be NULL.  Nothing is written unless it is RING_OK. */
enum ring_status ring_read(const struct ring *ring, uint64_t number, struct ring_slot *entry,
                           float *logits, float *features);

/* ring_check() of a whole file, for ring_shape.network; RING_OK or RING_IO. */
enum ring_status ring_check_file(const char *path, uint64_t *check);

/* FNV-1a, 64 bits, continued from `check`; begin with RING_CHECK. */
#define RING_CHECK UINT64_C(0xcbf29ce484222325)
uint64_t ring_check(uint64_t check, const void *bytes, size_t nbytes);

#endif
