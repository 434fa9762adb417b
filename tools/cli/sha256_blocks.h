/* sha256_blocks.h - the blocks of SHA-256, in C and with the instructions that some processors have
 * for them. */
#ifndef KLDVE_TOOLS_SHA256_BLOCKS_H
#define KLDVE_TOOLS_SHA256_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BLOCK = 64, SHA256_ROUNDS = 64 };

/** FIPS 180-4, section 4.2.2. */
extern const uint32_t sha256_constants[SHA256_ROUNDS];

/** Take `count` blocks of SHA256_BLOCK bytes into the state. */
typedef void sha256_blocks(uint32_t state[8], const unsigned char *blocks, size_t count);

sha256_blocks sha256_blocks_plain;

/** The same with the SHA instructions of x86.  NULL: this processor has none. */
sha256_blocks *sha256_blocks_x86(void);

#endif
