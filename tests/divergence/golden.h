/* golden.h - float64 results made with an independent implementation, in the shared folder. */
#ifndef KLDVE_TESTS_DIVERGENCE_GOLDEN_H
#define KLDVE_TESTS_DIVERGENCE_GOLDEN_H

#include <kldve/divergence.h>

#include "support.h"

/** Compare with FOLDER/NAME.npy, to 1e-9 of its largest value. */
void golden_check(const char *folder, const char *name, const double *got);
/** A number of FOLDER/case.json. */
double golden_number(const char *folder, const char *key);

/** With the scores set. */
kldve_divergence *golden_open(kldve_ctx *ctx, const test_npy *logits, double perplexity,
                              int32_t summation);
/** The same with FOLDER/logits.npy, for one-hot truth. */
kldve_divergence *golden_open_onehot(kldve_ctx *ctx, const char *folder, int32_t summation,
                                     size_t *n);

typedef void golden_visit(const char *folder, int32_t summation);

/** Call visit for every folder below `where`; returns their number. */
int golden_each(const char *where, golden_visit *visit, int32_t summation);
/** Call visit for every case of every model, with every method of summation; skips the test without
 *  the shared folder. */
void golden_models(golden_visit *visit);

#endif
