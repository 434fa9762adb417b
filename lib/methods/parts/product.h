/* product.h - gradient times feature, cell by cell. */
#ifndef KLDVE_LIB_METHODS_PRODUCT_H
#define KLDVE_LIB_METHODS_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

/** E[i] = sum over m of f(G[m][i]) x[m][i], f the identity or, if `rectify`, max(., 0).
 *  gradient, features [maps][cells], map [cells]. */
void kldve_product_sum(const float *gradient, const float *features, size_t maps, size_t cells,
                       bool rectify, float *map);

#endif
