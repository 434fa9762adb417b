/* summary.h - what a database says as a whole: means and paired differences of every metric. */
#ifndef KLDVE_TOOLS_SUMMARY_H
#define KLDVE_TOOLS_SUMMARY_H

#include "statistics.h"
#include "store.h"

typedef struct summary {
    const store_plan *plan; /**< borrowed from the store */
    bootstrap how;
    int32_t pictures; /**< that the questions of the plan are about */
    store_counts count;
    /** Mean of each [networks + 1][metrics][methods].  Behind the networks: over all of them
     *  together, with all that they say of a picture kept together. */
    estimate *mean;
    /** [networks + 1][metrics][methods][methods]: the row's method minus the column's, on the
     * questions that have both numbers. */
    estimate *method_minus;
    /** [networks][networks][metrics][methods]: the first network minus the second, in the same
     *  way. */
    estimate *network_minus;
} summary;

/** False after a message; nothing is written then.  Free it with summary_free(), before the store
 *  is closed. */
bool summary_make(store *s, const bootstrap *how, summary *out);
/** Accepts one of zero bytes. */
void summary_free(summary *m);

/** How many networks the first two have: of several one more, all of them together. */
int32_t summary_networks(const summary *m);
const estimate *summary_mean(const summary *m, int32_t net, int32_t metric, int32_t method);
const estimate *summary_method_minus(const summary *m, int32_t net, int32_t metric, int32_t method,
                                     int32_t other);
const estimate *summary_network_minus(const summary *m, int32_t net, int32_t other, int32_t metric,
                                      int32_t method);

#endif
