/* sha256.h - SHA-256 (FIPS 180-4), to say which file of a network a result belongs to: what
 * sha256sum prints. */
#ifndef KLDVE_TOOLS_SHA256_H
#define KLDVE_TOOLS_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_TEXT = 65 };

/** Begin with sha256_begin(). */
typedef struct sha256 {
    uint32_t state[8];
    uint64_t nbytes; /**< taken in */
    unsigned char block[64];
    /** What takes blocks in, for this processor: sha256_blocks.h. */
    void (*blocks)(uint32_t state[8], const unsigned char *blocks, size_t count);
} sha256;

void sha256_begin(sha256 *s);
void sha256_add(sha256 *s, const void *bytes, size_t nbytes);
/** In hexadecimal digits. */
void sha256_end(sha256 *s, char text[SHA256_TEXT]);

/** Of a whole file.  False after a message. */
bool sha256_file(const char *path, char text[SHA256_TEXT]);

#endif
