/* ranks.h - the values of a map in falling order, and what is told from it. */
#ifndef KLDVE_LIB_RANKS_H
#define KLDVE_LIB_RANKS_H

#include <stddef.h>
#include <stdint.h>

/** A value and where in the map it lies. */
typedef struct kldve_ranked {
    float value;
    int32_t place;
} kldve_ranked;

/** Sort finite values: the largest first, equal ones in the order of their places; -0 counts as 0.
 *  @param sorted, scratch  [count] each; count at most INT32_MAX. */
void kldve_rank(const float *values, size_t count, kldve_ranked *sorted, kldve_ranked *scratch);

/** One past the last that is equal to sorted[first]. */
size_t kldve_ranked_tie(const kldve_ranked *sorted, size_t count, size_t first);

/** The share of values that have an equal one. */
double kldve_ranked_ties(const kldve_ranked *sorted, size_t count);

/** The k largest values of a map as a set.  Where several equal values compete for the last places,
 *  each belongs to it with the share of them that has a place: the mean over all ways to choose. */
typedef struct kldve_top {
    float least;  /**< the smallest value that belongs to it */
    double share; /**< of each value equal to it, above 0 and at most 1; larger ones belong whole */
} kldve_top;

/** @param k  In 1..count. */
kldve_top kldve_top_of(const kldve_ranked *sorted, size_t count, size_t k);

/** How far a value belongs to it, 0 to 1; over a map the sum is k. */
static inline double kldve_top_holds(kldve_top top, float value)
{
    return value > top.least ? 1 : value == top.least ? top.share : 0;
}

/** How many values `part` of a map are: rounded, 1 at least. */
size_t kldve_top_count(double part, size_t count);

/** Overlap of the k largest values of two maps [count], 0 to 1: 1 where both have them in the same
 *  places, ties included.
 *  @param work  [2][count]. */
double kldve_top_overlap(const float *a, const float *b, size_t count, size_t k,
                         kldve_ranked *work);

/** Spearman's correlation of two maps [count]: Pearson's of their ranks, of which equal values
 * share the mean.  NaN where one map is constant.
 *  @param work, ranks  [2][count] each. */
double kldve_spearman(const float *a, const float *b, size_t count, kldve_ranked *work,
                      float *ranks);

#endif
