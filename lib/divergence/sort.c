/* sort.c - radix sort, least significant digit first (stable, so repeatable): Knuth, The Art of
 * Computer Programming 3, 5.2.5. */
#include "sort.h"

#include <assert.h>
#include <string.h>

enum { DIGIT = 11 };

uint64_t kldve_sort_key(double x)
{
    uint64_t bits;

    x += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &x, sizeof bits);
    /* Negative numbers are stored as sign and magnitude: reverse them and put the others after
     * them. */
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* One pass by the digit at `shift`; false, with nothing moved, if all digits are equal. */
static int scatter(const uint64_t *keys, const uint32_t *order, size_t n, int shift, int digit,
                   uint64_t *to_keys, uint32_t *to_order)
{
    uint64_t mask = ((uint64_t)1 << digit) - 1;
    size_t start[1 << DIGIT], next = 0;

    assert(n > 0 && digit > 0 && digit <= DIGIT && shift + digit <= 64 + DIGIT);
    memset(start, 0, sizeof *start << digit);
    for (size_t i = 0; i < n; i++)
        start[keys[i] >> shift & mask]++;
    if (start[keys[0] >> shift & mask] == n)
        return 0;
    for (size_t d = 0; d <= mask; d++) {
        size_t count = start[d];

        start[d] = next;
        next += count;
    }
    assert(next == n);
    for (size_t i = 0; i < n; i++) {
        size_t at = start[keys[i] >> shift & mask]++;

        to_keys[at] = keys[i];
        to_order[at] = order[i];
    }
    return 1;
}

void kldve_sort(uint64_t *keys, uint32_t *order, size_t n, int bits, uint64_t *spare_keys,
                uint32_t *spare_order)
{
    int passes = (bits + DIGIT - 1) / DIGIT, digit = passes ? (bits + passes - 1) / passes : 0;
    uint64_t *k = keys, *other_k = spare_keys;
    uint32_t *o = order, *other_o = spare_order;

    assert(bits >= 0 && bits <= 64 && keys != spare_keys && order != spare_order);
    for (int pass = 0; pass < passes && n > 0; pass++)
        if (scatter(k, o, n, pass * digit, digit, other_k, other_o)) {
            uint64_t *swap_k = k;
            uint32_t *swap_o = o;

            k = other_k;
            o = other_o;
            other_k = swap_k;
            other_o = swap_o;
        }
    if (k != keys) {
        memcpy(keys, k, n * sizeof *keys);
        memcpy(order, o, n * sizeof *order);
    }
}
