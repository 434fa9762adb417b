/* names.h - a hash table from names to pointers; it owns neither. */
#ifndef KLDVE_ONNX_NAMES_H
#define KLDVE_ONNX_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"

typedef struct kx_names {
    size_t size, used; /* slots: a power of 2, at most three quarters used */
    struct kx_name_slot {
        const char *name;
        void *item;
    } * slot;
} kx_names;

/** Room for `count` names from the arena; false: out of memory. */
bool kx_names_init(kx_names *names, kx_arena *arena, size_t count);
/** The item of a name, or NULL. */
void *kx_names_find(const kx_names *names, const char *name);
/** Add or replace; at most `count` different names. */
void kx_names_set(kx_names *names, const char *name, void *item);

#endif
