/* sort.h - a stable order of numbers, O(n). */
#ifndef KLDVE_LIB_DIVERGENCE_SORT_H
#define KLDVE_LIB_DIVERGENCE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* A key that orders like the double; -0 orders like 0. */
uint64_t kldve_sort_key(double x);

/* Sort order[n] by keys[n], of which only the lowest `bits` differ from 0; both are permuted.  The
 * spare arrays are scratch. */
void kldve_sort(uint64_t *keys, uint32_t *order, size_t n, int bits, uint64_t *spare_keys,
                uint32_t *spare_order);

#endif
