/* wild.c - see wild.h. */
#include "wild.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

unsigned choose(choices *c, unsigned n)
{
    return c->at < c->end ? *c->at++ % n : 0;
}

static bool reaches(const wild *w, size_t offset, size_t nbytes)
{
    return offset + nbytes <= w->size;
}

/* What a member may be: numbers that are nearly right, and those that never are. */
static uint64_t any_value(choices *c)
{
    static const uint64_t odd[] = {0x7fffffff,
                                   0x80000000,
                                   UINT32_MAX,
                                   UINT64_MAX,
                                   0x7fffffffffffffff,
                                   0x8000000000000000,
                                   0x7ff0000000000000,
                                   0x7ff8000000000000,
                                   0x3ff8000000000000,
                                   0xbff0000000000000,
                                   0x3fc00000,
                                   0xbf800000,
                                   0x7f800000,
                                   0x7fc00000,
                                   1,
                                   0x10000};

    return choose(c, 2) ? choose(c, 256) : odd[choose(c, sizeof odd / sizeof *odd)];
}

static size_t any_size(choices *c, size_t size)
{
    switch (choose(c, 8)) {
    case 0:
        return choose(c, 256);
    case 1:
        return size + 8 * choose(c, 8);
    case 2:
        return size - 8 * choose(c, 8) % size;
    default:
        return size;
    }
}

wild wild_struct(choices *c, size_t size)
{
    wild w = {NULL, any_size(c, size)};
    size_t said = w.size;

    if (w.size < sizeof w.size)
        w.size = sizeof w.size;
    w.bytes = calloc(1, w.size);
    watch_that(w.bytes != NULL, "no memory for a struct");
    /* A size that cuts a pointer in two, which no compiler makes, comes with zeros. */
    for (unsigned changes = w.size % 8 ? 0 : choose(c, 8); changes > 0; changes--) {
        size_t width = choose(c, 2) ? 4 : 8, offset = choose(c, 256) * width;
        uint64_t value = any_value(c);

        if (reaches(&w, offset, width))
            memcpy((uint8_t *)w.bytes + offset, &value, width); /* as little-endian machines do */
    }
    memcpy(w.bytes, &said, sizeof said);
    return w;
}

void wild_pointer(choices *c, const wild *w, size_t offset, const void *to)
{
    if (choose(c, 3) == 0)
        to = NULL;
    if (reaches(w, offset, sizeof to))
        memcpy((uint8_t *)w->bytes + offset, &to, sizeof to);
}

void wild_text(choices *c, const wild *w, size_t offset, const char *const *text, unsigned n)
{
    wild_pointer(c, w, offset, choose(c, 2) ? text[choose(c, n)] : NULL);
}

void wild_bound(const wild *w, size_t offset, int32_t n)
{
    int32_t value;

    if (!reaches(w, offset, sizeof value))
        return;
    memcpy(&value, (uint8_t *)w->bytes + offset, sizeof value);
    value %= n;
    memcpy((uint8_t *)w->bytes + offset, &value, sizeof value);
}

void wild_free(wild *w)
{
    free(w->bytes);
    w->bytes = NULL;
}
