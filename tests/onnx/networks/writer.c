/* writer.c - see writer.h. */
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 16 };

struct writer {
    bool counting, failed;
    size_t n;     /* bytes so far */
    size_t *size; /* of each message, in the order of write_begin() */
    size_t nsize, room;
    size_t open[DEPTH], start[DEPTH]; /* messages begun and not ended: index, first byte */
    int depth;
    FILE *file;           /* either */
    unsigned char *bytes; /* or, of known size */
};

bool writer_counts(const writer *w)
{
    return w->counting;
}

void write_plain(writer *w, const void *bytes, size_t n)
{
    if (!w->counting && n > 0) {
        if (w->bytes)
            memcpy(w->bytes + w->n, bytes, n);
        else if (fwrite(bytes, 1, n, w->file) != n)
            w->failed = true;
    }
    w->n += n;
}

static void plain_varint(writer *w, uint64_t value)
{
    unsigned char bytes[10];
    size_t n = 0;

    do {
        bytes[n++] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    write_plain(w, bytes, n);
}

void write_varint(writer *w, uint32_t field, uint64_t value)
{
    plain_varint(w, (uint64_t)field << 3);
    plain_varint(w, value);
}

void write_fix32(writer *w, uint32_t field, float value)
{
    plain_varint(w, (uint64_t)field << 3 | 5);
    write_plain(w, &value, 4);
}

void write_bytes(writer *w, uint32_t field, const void *bytes, size_t n)
{
    plain_varint(w, (uint64_t)field << 3 | 2);
    plain_varint(w, n);
    write_plain(w, bytes, n);
}

void write_string(writer *w, uint32_t field, const char *text)
{
    write_bytes(w, field, text, strlen(text));
}

void write_begin(writer *w, uint32_t field)
{
    plain_varint(w, (uint64_t)field << 3 | 2);
    if (w->counting && w->nsize == w->room) {
        size_t *more = realloc(w->size, (w->room + 1024) * sizeof *more);

        if (!more)
            abort();
        w->size = more;
        w->room += 1024;
    }
    if (!w->counting)
        plain_varint(w, w->size[w->nsize]);
    if (w->depth == DEPTH)
        abort();
    w->open[w->depth] = w->nsize++;
    w->start[w->depth++] = w->n;
}

void write_end(writer *w)
{
    size_t size = w->n - w->start[--w->depth];

    if (w->counting) {
        w->size[w->open[w->depth]] = size;
        plain_varint(w, size); /* the length itself, for the sizes of what is around */
    }
}

static void count(writer *w, writer_make make, const void *arg)
{
    memset(w, 0, sizeof *w);
    w->counting = true;
    make(w, arg);
    w->counting = false;
    w->nsize = 0;
}

bool writer_file(const char *path, writer_make make, const void *arg)
{
    writer w;
    bool ok;

    count(&w, make, arg);
    w.n = 0;
    w.file = fopen(path, "wb");
    if (!w.file) {
        perror(path);
        free(w.size);
        return false;
    }
    make(&w, arg);
    free(w.size);
    ok = fclose(w.file) == 0 && !w.failed;
    if (!ok)
        perror(path);
    return ok;
}

unsigned char *writer_memory(writer_make make, const void *arg, size_t *n)
{
    writer w;

    count(&w, make, arg);
    w.bytes = malloc(w.n + 1);
    if (!w.bytes) {
        free(w.size);
        return NULL;
    }
    w.n = 0;
    make(&w, arg);
    free(w.size);
    *n = w.n;
    return w.bytes;
}
