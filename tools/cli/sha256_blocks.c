/* sha256_blocks.c - see sha256_blocks.h: in plain C, by FIPS 180-4, sections 4.1.2 and 6.2.2. */
#include "sha256_blocks.h"

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const uint32_t sha256_constants[SHA256_ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t turn(uint32_t x, int bits)
{
    return x >> bits | x << (32 - bits);
}

static void expand(const unsigned char block[SHA256_BLOCK], uint32_t w[SHA256_ROUNDS])
{
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < SHA256_ROUNDS; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
               (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
}

static void take_block(uint32_t state[8], const unsigned char block[SHA256_BLOCK])
{
    enum { A, B, C, D, E, F, G, H };
    uint32_t w[SHA256_ROUNDS], v[8];

    expand(block, w);
    for (int i = 0; i < 8; i++)
        v[i] = state[i];
    for (int i = 0; i < SHA256_ROUNDS; i++) {
        /* Instead of moving the eight variables on, the names move. */
#define V(name) v[(unsigned)((name)-i) % 8]
        uint32_t t1 = V(H) + (turn(V(E), 6) ^ turn(V(E), 11) ^ turn(V(E), 25)) +
                      ((V(E) & V(F)) ^ (~V(E) & V(G))) + sha256_constants[i] + w[i];
        uint32_t t2 = (turn(V(A), 2) ^ turn(V(A), 13) ^ turn(V(A), 22)) +
                      ((V(A) & V(B)) ^ (V(A) & V(C)) ^ (V(B) & V(C)));

        V(D) += t1;
        V(H) = t1 + t2;
#undef V
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

void sha256_blocks_plain(uint32_t state[8], const unsigned char *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        take_block(state, blocks + i * SHA256_BLOCK);
}
