/* wild.h - a public struct with bytes of the fuzzer in it, whose struct_size may lie: it is as long
 * as it says and not a byte longer, so a sanitizer tells of a library that reads further. */
#ifndef KLDVE_TESTS_FUZZ_WILD_H
#define KLDVE_TESTS_FUZZ_WILD_H

#include <stddef.h>
#include <stdint.h>

typedef struct choices {
    const uint8_t *at, *end;
} choices;

/** The next byte modulo n; 0 at the end. */
unsigned choose(choices *c, unsigned n);

typedef struct wild {
    void *bytes; /**< [size], from malloc() */
    size_t size; /**< what struct_size says, but for one below that of a size_t */
} wild;

/** A struct of `size` bytes, most of them zero; struct_size is right, too small or too large. */
wild wild_struct(choices *c, size_t size);
/** Members that the struct reaches: a pointer becomes NULL or one of texts [n], or NULL or `to`; an
 *  int32_t is kept within -n + 1 to n - 1. */
void wild_text(choices *c, const wild *w, size_t offset, const char *const *text, unsigned n);
void wild_pointer(choices *c, const wild *w, size_t offset, const void *to);
void wild_bound(const wild *w, size_t offset, int32_t n);
void wild_free(wild *w);

#endif
