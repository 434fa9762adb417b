/* mutate_png.c - change a PNG within one chunk and set its checksum right, or else libpng refuses
 * nearly everything before it looks at it. */
#include <string.h>

#include "mutator.h"

enum { SIGNATURE = 8, HEAD = 8, SUM = 4 };

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put_big_endian(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The CRC of PNG (ISO/IEC 15948, annex D), bit by bit. */
static uint32_t checksum(const uint8_t *bytes, size_t nbytes)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < nbytes; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? UINT32_C(0xedb88320) ^ sum >> 1 : sum >> 1;
    }
    return ~sum;
}

/* The bytes of a whole chunk that begins at `at`, 0: there is none. */
static size_t chunk_at(const uint8_t *bytes, size_t nbytes, size_t at)
{
    size_t length;

    if (at > nbytes || nbytes - at < HEAD + SUM)
        return 0;
    length = big_endian(bytes + at);
    return length <= nbytes - at - HEAD - SUM ? HEAD + length + SUM : 0;
}

static size_t count_chunks(const uint8_t *bytes, size_t nbytes)
{
    size_t n, count = 0;

    for (size_t at = SIGNATURE; (n = chunk_at(bytes, nbytes, at)) > 0; at += n)
        count++;
    return count;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t nbytes, size_t room, unsigned seed)
{
    size_t count = count_chunks(bytes, nbytes), at = SIGNATURE, n, rest, length;
    uint8_t data[65536];

    if (count == 0 || seed % 16 == 0)
        return LLVMFuzzerMutate(bytes, nbytes, room);
    for (size_t i = seed / 16 % count; i > 0; i--)
        at += chunk_at(bytes, nbytes, at);
    n = chunk_at(bytes, nbytes, at);
    rest = nbytes - at - n;
    length = n - HEAD - SUM;
    if (length > sizeof data)
        return LLVMFuzzerMutate(bytes, nbytes, room);
    memcpy(data, bytes + at + HEAD, length);
    length = LLVMFuzzerMutate(data, length, sizeof data);
    if (nbytes - n + HEAD + length + SUM > room)
        return nbytes;
    memmove(bytes + at + HEAD + length + SUM, bytes + at + n, rest);
    memcpy(bytes + at + HEAD, data, length);
    put_big_endian(bytes + at, (uint32_t)length);
    put_big_endian(bytes + at + HEAD + length, checksum(bytes + at + 4, 4 + length));
    return at + HEAD + length + SUM + rest;
}
