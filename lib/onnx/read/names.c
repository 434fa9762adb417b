/* names.c - see names.h.  FNV-1a, linear probing. */
#include "names.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static uint64_t hash(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return h;
}

bool kx_names_init(kx_names *names, kx_arena *arena, size_t count)
{
    size_t size = 16;

    while (size / 4 * 3 <= count)
        size *= 2;
    names->slot = kx_arena_alloc(arena, size, sizeof *names->slot);
    names->size = size;
    names->used = 0;
    return names->slot != NULL;
}

static struct kx_name_slot *lookup(const kx_names *names, const char *name)
{
    size_t at = (size_t)hash(name) & (names->size - 1);

    assert((names->size & (names->size - 1)) == 0 && names->used < names->size);
    while (names->slot[at].name && strcmp(names->slot[at].name, name) != 0)
        at = (at + 1) & (names->size - 1);
    return &names->slot[at];
}

void *kx_names_find(const kx_names *names, const char *name)
{
    return lookup(names, name)->item;
}

void kx_names_set(kx_names *names, const char *name, void *item)
{
    struct kx_name_slot *slot = lookup(names, name);

    assert(item);
    if (!slot->name) {
        names->used++;
        assert(names->used < names->size); /* lookup() ends at a free slot */
    }
    slot->name = name;
    slot->item = item;
}
