/* tiny.h - the reference backend of the tests: small enough to derive by hand, with every slot.
 *
 *     feature   x[m][cell] = ReLU(b1_m + sum_c W1[m][c] * mean of the 4 x 4 patch of channel c)
 *     logit     k[j] = b2_j + sum_m W2[j][m] * mean over the cells of h(x[m][cell], cell)
 *     h         x (a GAP and linear head), or "curved": p[cell] * tanh(x)
 *
 * W1, b1, W2, b2, p are drawn from the seed. */
#ifndef KLDVE_TESTS_TINY_H
#define KLDVE_TESTS_TINY_H

#include <stdbool.h>

#include <kldve/backend.h>

enum { TINY_PATCH = 4 };

typedef struct tiny_config {
    int32_t channels, height, width; /**< of the layer in cells; the input has 4 times the size */
    int32_t maps, classes;
    uint64_t seed; /**< not 0 */
    bool curved;
} tiny_config;

extern const kldve_backend tiny_backend;       /**< every slot */
extern const kldve_backend tiny_backend_plain; /**< required slots only */

/** Can method number `index` of the library work from arrays, without a network?  Those that cannot
 *  also allocate their own working memory. */
bool tiny_from_arrays(int32_t index);

#endif
