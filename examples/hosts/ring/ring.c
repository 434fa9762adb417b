#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "half.h"

static const char magic[8] = "KLDVRING";
enum { BYTE_ORDER_MARK = 0x01020304, MOST_NUMBERS = 1 << 28 /* in a slot: 512 MiB */ };

struct ring {
    int fd;
    unsigned char *mapped; /* the file */
    size_t nbytes;
    struct ring_header header; /* a copy: who maps the file may be handed other bytes later */
    uint64_t newest;
    unsigned char *slot; /* [slot_bytes], a copy of one that is read or made */
};

const char *ring_text(enum ring_status status)
{
    switch (status) {
    case RING_OK:
        return "success";
    case RING_IO:
        return strerror(errno);
    case RING_FORMAT:
        return "no ring of this release, or damaged at its beginning";
    case RING_OTHER:
        return "is there already, for another network or with another number of slots";
    case RING_BUSY:
        return "another program writes to it";
    case RING_NUMBER:
        return "a number is not finite";
    case RING_NONE:
        return "there is no such entry";
    case RING_TORN:
        return "the entry is not whole: it was being written when something stopped";
    }
    return "unknown status";
}

uint64_t ring_check(uint64_t check, const void *bytes, size_t nbytes)
{
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < nbytes; i++)
        check = (check ^ byte[i]) * UINT64_C(0x100000001b3);
    return check;
}

enum ring_status ring_check_file(const char *path, uint64_t *check)
{
    unsigned char block[1 << 14];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t sum = RING_CHECK;
    ssize_t got = fd < 0 ? -1 : 1;
    int why;

    while (got > 0 && (got = read(fd, block, sizeof block)) > 0)
        sum = ring_check(sum, block, (size_t)got);
    why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    if (got < 0)
        return RING_IO;
    *check = sum;
    return RING_OK;
}

static size_t numbers_of(const struct ring_shape *shape)
{
    return shape->classes + (size_t)shape->maps * shape->height * shape->width;
}

/* 1: the sizes of a slot and of the file are sizes that can be, however a file gives them. */
static int sane(const struct ring_shape *s, uint32_t slots)
{
    const uint32_t most = 1 << 20;

    return s->classes >= 1 && s->classes <= most && s->maps >= 1 && s->maps <= most &&
           s->height >= 1 && s->height <= most && s->width >= 1 && s->width <= most && slots >= 1 &&
           slots <= RING_MOST_SLOTS && (uint64_t)s->maps * s->height <= MOST_NUMBERS / s->width;
}

static struct ring_header header_of(const struct ring_shape *shape, uint32_t slots)
{
    struct ring_header h;

    memset(&h, 0, sizeof h);
    memcpy(h.magic, magic, sizeof h.magic);
    h.order = BYTE_ORDER_MARK;
    h.slots = slots;
    h.shape = *shape;
    h.slot_bytes = (sizeof(struct ring_slot) + 2 * numbers_of(shape) + 7) / 8 * 8;
    h.check = ring_check(RING_CHECK, &h, offsetof(struct ring_header, check));
    return h;
}

static uint64_t file_size(const struct ring_header *h)
{
    return sizeof *h + h->slot_bytes * h->slots;
}

/* The check of a slot in memory of its own. */
static uint64_t check_of(const struct ring *ring)
{
    const size_t before = offsetof(struct ring_slot, check), after = sizeof(struct ring_slot);
    const uint64_t check = ring_check(RING_CHECK, ring->slot, before);

    return ring_check(check, ring->slot + after, ring->header.slot_bytes - after);
}

static unsigned char *slot_at(const struct ring *ring, uint64_t number)
{
    return ring->mapped + sizeof ring->header +
           number % ring->header.slots * ring->header.slot_bytes;
}

/* Copy a slot out of the file, into which another program may be writing; its head. */
static enum ring_status copy_slot(const struct ring *ring, uint64_t number, struct ring_slot *head)
{
    memcpy(ring->slot, slot_at(ring, number), ring->header.slot_bytes);
    memcpy(head, ring->slot, sizeof *head);
    if (head->number == 0 && head->check == 0)
        return RING_NONE; /* never written */
    if (head->check != check_of(ring) || head->name[RING_NAME - 1])
        return RING_TORN;
    return head->number == number ? RING_OK : RING_NONE;
}

/* What the whole slots say. */
static uint64_t find_newest(const struct ring *ring)
{
    struct ring_slot head;
    uint64_t newest = 0;

    for (uint32_t i = 0; i < ring->header.slots; i++)
        if (copy_slot(ring, i, &head) != RING_TORN && head.number > newest)
            newest = head.number;
    return newest;
}

/* Map the file, whose header is known to be right. */
static enum ring_status map(struct ring *ring, int protection)
{
    ring->nbytes = (size_t)file_size(&ring->header);
    ring->slot = malloc(ring->header.slot_bytes);
    if (!ring->slot)
        return RING_IO;
    ring->mapped = mmap(NULL, ring->nbytes, protection, MAP_SHARED, ring->fd, 0);
    if (ring->mapped == MAP_FAILED) {
        ring->mapped = NULL;
        return RING_IO;
    }
    ring->newest = find_newest(ring);
    return RING_OK;
}

/* Read the header of a file of `size` bytes and check what it says. */
static enum ring_status read_header(struct ring *ring, off_t size)
{
    struct ring_header *h = &ring->header, expected;
    const ssize_t got = pread(ring->fd, h, sizeof *h, 0);

    if (got < 0)
        return RING_IO;
    if ((size_t)got < sizeof *h || !sane(&h->shape, h->slots))
        return RING_FORMAT;
    expected = header_of(&h->shape, h->slots);
    if (memcmp(h, &expected, sizeof expected) || (uint64_t)size != file_size(h))
        return RING_FORMAT;
    return RING_OK;
}

/* A new file has its whole size before its header: a full disk is found here, not in the middle of
 * an entry. */
static enum ring_status write_header(struct ring *ring, const struct ring_header *header)
{
    const int failed = posix_fallocate(ring->fd, 0, (off_t)file_size(header));

    if (failed) {
        errno = failed;
        return RING_IO;
    }
    if (pwrite(ring->fd, header, sizeof *header, 0) != (ssize_t)sizeof *header)
        return RING_IO;
    ring->header = *header;
    return RING_OK;
}

/* The file is new, or was left before its header was written. */
static int is_new(const struct ring *ring, off_t size)
{
    char first[sizeof magic] = "";

    return size == 0 || (pread(ring->fd, first, sizeof first, 0) == sizeof first && !first[0]);
}

static enum ring_status lock_for_writing(const struct ring *ring)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(ring->fd, F_SETLK, &whole) == 0)
        return RING_OK;
    return errno == EACCES || errno == EAGAIN ? RING_BUSY : RING_IO;
}

static enum ring_status prepare(struct ring *ring, const struct ring_shape *shape, uint32_t slots)
{
    const struct ring_header header = header_of(shape, slots);
    struct stat file;
    enum ring_status status = lock_for_writing(ring);

    if (status == RING_OK && fstat(ring->fd, &file))
        status = RING_IO;
    if (status == RING_OK)
        status = is_new(ring, file.st_size) ? write_header(ring, &header)
                                            : read_header(ring, file.st_size);
    if (status == RING_OK && memcmp(&ring->header, &header, sizeof header))
        status = RING_OTHER;
    return status;
}

static enum ring_status open_file(const char *path, int flags, struct ring **out)
{
    struct ring *ring = calloc(1, sizeof *ring);

    if (!ring)
        return RING_IO;
    ring->fd = open(path, flags | O_CLOEXEC, 0644);
    if (ring->fd < 0) {
        free(ring);
        return RING_IO;
    }
    *out = ring;
    return RING_OK;
}

/* Hand a ring over, or close it and keep errno. */
static enum ring_status finish(struct ring *ring, enum ring_status status, struct ring **out)
{
    const int why = errno;

    if (status == RING_OK) {
        *out = ring;
    } else {
        ring_close(ring);
        errno = why;
    }
    return status;
}

enum ring_status ring_create(const char *path, const struct ring_shape *shape, uint32_t slots,
                             struct ring **out)
{
    struct ring *ring = NULL;
    enum ring_status status;

    if (!sane(shape, slots)) {
        errno = EINVAL;
        return RING_IO;
    }
    if ((status = open_file(path, O_RDWR | O_CREAT, &ring)) != RING_OK)
        return status;
    status = prepare(ring, shape, slots);
    if (status == RING_OK)
        status = map(ring, PROT_READ | PROT_WRITE);
    return finish(ring, status, out);
}

enum ring_status ring_open(const char *path, struct ring **out)
{
    struct ring *ring = NULL;
    struct stat file;
    enum ring_status status = open_file(path, O_RDONLY, &ring);

    if (status != RING_OK)
        return status;
    status = fstat(ring->fd, &file) ? RING_IO : read_header(ring, file.st_size);
    if (status == RING_OK)
        status = map(ring, PROT_READ);
    return finish(ring, status, out);
}

void ring_close(struct ring *ring)
{
    if (!ring)
        return;
    if (ring->mapped)
        munmap(ring->mapped, ring->nbytes);
    close(ring->fd);
    free(ring->slot);
    free(ring);
}

const struct ring_shape *ring_shape(const struct ring *ring)
{
    return &ring->header.shape;
}

uint64_t ring_newest(const struct ring *ring)
{
    return ring->newest;
}

uint64_t ring_oldest(const struct ring *ring)
{
    if (ring->newest == 0)
        return 0;
    return ring->newest > ring->header.slots ? ring->newest - ring->header.slots + 1 : 1;
}

/* Put an entry into the file so that it is never taken for whole before it is. */
static void publish(struct ring *ring, const struct ring_slot *head)
{
    const size_t number = sizeof head->number;
    unsigned char *to = slot_at(ring, head->number);

    memset(to, 0, number);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(to + sizeof *head, ring->slot + sizeof *head, ring->header.slot_bytes - sizeof *head);
    memcpy(to + number, (const char *)head + number, sizeof *head - number);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(to, &head->number, number);
}

static int all_finite(const float *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(value[i]))
            return 0;
    return 1;
}

enum ring_status ring_append(struct ring *ring, const char *name, const float *logits,
                             const float *features)
{
    const size_t classes = ring->header.shape.classes;
    const size_t cells = numbers_of(&ring->header.shape) - classes;
    uint16_t *packed = (uint16_t *)(void *)(ring->slot + sizeof(struct ring_slot));
    struct ring_slot head = {.number = ring->newest + 1};
    struct timespec now;

    if (!all_finite(logits, classes) || !all_finite(features, cells))
        return RING_NUMBER;
    clock_gettime(CLOCK_REALTIME, &now);
    head.time = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    strncpy(head.name, name, sizeof head.name - 1);
    memset(ring->slot, 0, ring->header.slot_bytes);
    head.logits_exponent = half_pack(logits, classes, packed);
    head.features_exponent = half_pack(features, cells, packed + classes);
    memcpy(ring->slot, &head, sizeof head);
    head.check = check_of(ring);
    publish(ring, &head);
    ring->newest = head.number;
    return RING_OK;
}

enum ring_status ring_read(const struct ring *ring, uint64_t number, struct ring_slot *entry,
                           float *logits, float *features)
{
    const size_t classes = ring->header.shape.classes;
    const uint16_t *packed = (const uint16_t *)(const void *)(ring->slot + sizeof *entry);
    struct ring_slot head;
    enum ring_status status;

    if (number < 1 || number > ring->newest)
        return RING_NONE;
    if ((status = copy_slot(ring, number, &head)) != RING_OK)
        return status;
    *entry = head;
    if (logits)
        half_unpack(packed, classes, head.logits_exponent, logits);
    if (features)
        half_unpack(packed + classes, numbers_of(&ring->header.shape) - classes,
                    head.features_exponent, features);
    return RING_OK;
}
