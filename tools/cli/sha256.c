/* sha256.c - SHA-256 by FIPS 180-4, sections 5.1.1 and 6.2.1. */
#include "sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/tool.h"
#include "sha256_blocks.h"

enum { BLOCK = SHA256_BLOCK, FILE_BYTES = 1 << 16 };

void sha256_begin(sha256 *s)
{
    /* Of the square roots of the first 8 primes. */
    static const uint32_t square_roots[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(s->state, square_roots, sizeof s->state);
    s->nbytes = 0;
    s->blocks = sha256_blocks_x86();
    if (!s->blocks)
        s->blocks = sha256_blocks_plain;
}

void sha256_add(sha256 *s, const void *bytes, size_t nbytes)
{
    const unsigned char *at = bytes;
    size_t used = (size_t)(s->nbytes % BLOCK);

    s->nbytes += nbytes;
    if (used > 0) {
        size_t n = BLOCK - used < nbytes ? BLOCK - used : nbytes;

        memcpy(s->block + used, at, n);
        if (used + n < BLOCK)
            return;
        s->blocks(s->state, s->block, 1);
        at += n;
        nbytes -= n;
    }
    s->blocks(s->state, at, nbytes / BLOCK);
    if (nbytes % BLOCK > 0)
        memcpy(s->block, at + nbytes - nbytes % BLOCK, nbytes % BLOCK);
}

void sha256_end(sha256 *s, char text[SHA256_TEXT])
{
    static const unsigned char end[BLOCK] = {0x80};
    uint64_t bits = 8 * s->nbytes;
    size_t used = (size_t)(s->nbytes % BLOCK);
    unsigned char length[8];

    sha256_add(s, end, used < BLOCK - 8 ? BLOCK - 8 - used : 2 * BLOCK - 8 - used);
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(bits >> (56 - 8 * i));
    sha256_add(s, length, sizeof length);
    for (int i = 0; i < 8; i++)
        snprintf(text + 8 * i, 9, "%08x", (unsigned)s->state[i]);
}

bool sha256_file(const char *path, char text[SHA256_TEXT])
{
    unsigned char bytes[FILE_BYTES];
    int fd = input_open(path);
    ssize_t n = 1;
    sha256 s;

    if (fd < 0)
        return false;
    sha256_begin(&s);
    while (n > 0) {
        n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            sha256_add(&s, bytes, (size_t)n);
    }
    if (n < 0)
        complain("%s: cannot read: %s", path, strerror(errno));
    close(fd);
    if (n == 0)
        sha256_end(&s, text);
    return n == 0;
}
