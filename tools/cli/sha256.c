/* sha256.c - SHA-256 by FIPS 180-4, sections 4.1.2, 5.1.1 and 6.2. */
#include "sha256.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/tool.h"

enum { BLOCK = 64, ROUNDS = 64, FILE_BYTES = 1 << 16 };

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t cube_roots[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, int bits)
{
    return x >> bits | x << (32 - bits);
}

static void expand(const unsigned char block[BLOCK], uint32_t w[ROUNDS])
{
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < ROUNDS; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
               (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
}

static void take_block(uint32_t state[8], const unsigned char block[BLOCK])
{
    uint32_t w[ROUNDS], v[8];

    expand(block, w);
    memcpy(v, state, sizeof v);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t t1 = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & v[5]) ^ (~e & v[6])) +
                      cube_roots[i] + w[i];
        uint32_t t2 =
            (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

void sha256_begin(sha256 *s)
{
    /* Of the square roots of the first 8 primes. */
    static const uint32_t square_roots[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(s->state, square_roots, sizeof s->state);
    s->nbytes = 0;
}

void sha256_add(sha256 *s, const void *bytes, size_t nbytes)
{
    const unsigned char *at = bytes;

    while (nbytes > 0) {
        size_t used = (size_t)(s->nbytes % BLOCK),
               n = BLOCK - used < nbytes ? BLOCK - used : nbytes;

        memcpy(s->block + used, at, n);
        if (used + n == BLOCK)
            take_block(s->state, s->block);
        s->nbytes += n;
        at += n;
        nbytes -= n;
    }
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
