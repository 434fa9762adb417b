/* statistics.h - means over pictures with bootstrap confidence intervals. */
#ifndef KLDVE_TOOLS_STATISTICS_H
#define KLDVE_TOOLS_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How intervals are made.  The same numbers give the same interval on every machine. */
typedef struct bootstrap {
    int32_t samples; /**< drawn with replacement, 1 or more */
    double level;    /**< part of the samples within the interval, 0.95 */
    uint64_t seed;
} bootstrap;

typedef struct estimate {
    double mean;       /**< over all questions that have the number; NaN: none has */
    double low, high;  /**< of the interval; NaN with fewer than two pictures */
    int32_t questions; /**< that have the number */
    int32_t pictures;  /**< that these are about */
    int32_t undefined; /**< measured questions that have no such number, left out */
} estimate;

/** What one picture adds to one series of numbers. */
typedef struct picture_sum {
    double sum;   /**< over the questions about it that have the number */
    double count; /**< of these questions */
} picture_sum;

/** Estimate the mean of several series over the same pictures.  A sample draws as many pictures as
 *  there are, each with all questions about it, and is the same for all series; the interval is
 *  that between the percentiles (1 - level) / 2 and (1 + level) / 2 of the means of the samples,
 *  interpolated linearly between neighbours (Efron's percentile interval, Efron and Tibshirani,
 *  An Introduction to the Bootstrap, 1993, chapter 13).
 *  @param at   [pictures][series].
 *  @param out  [series]; `undefined` is left alone.
 *  False: out of memory; there is no message. */
bool statistics_estimate(const picture_sum *at, int32_t pictures, int32_t series,
                         const bootstrap *how, estimate *out);

/** Whether an interval says that the mean is not zero. */
bool statistics_excludes_zero(const estimate *e);

#endif
