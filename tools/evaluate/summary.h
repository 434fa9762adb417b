/* summary.h - what a database says as a whole: means and paired differences of every metric. */
#ifndef KLDVE_TOOLS_SUMMARY_H
#define KLDVE_TOOLS_SUMMARY_H

#include "statistics.h"
#include "store.h"

enum { SUMMARY_FLAGS = 64 };

/** The maps of one method and network. */
typedef struct map_count {
    int32_t maps, none;          /**< that were made; and that could not be made */
    int32_t flag[SUMMARY_FLAGS]; /**< of those made, how many have each bit of kldve_record.flags */
} map_count;

typedef struct summary {
    const store_plan *plan; /**< borrowed from the store */
    bootstrap how;
    int32_t pictures; /**< that the questions of the plan are about */
    store_counts count;
    map_count *maps; /**< [networks][methods] */
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

const map_count *summary_maps(const summary *m, int32_t net, int32_t method);
/** How many networks the next two have: of several one more, all of them together. */
int32_t summary_networks(const summary *m);
const estimate *summary_mean(const summary *m, int32_t net, int32_t metric, int32_t method);
const estimate *summary_method_minus(const summary *m, int32_t net, int32_t metric, int32_t method,
                                     int32_t other);
const estimate *summary_network_minus(const summary *m, int32_t net, int32_t other, int32_t metric,
                                      int32_t method);

#endif
