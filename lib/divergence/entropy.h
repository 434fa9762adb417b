/* entropy.h - the search for the width of a kernel that gives a wanted perplexity. */
#ifndef KLDVE_LIB_DIVERGENCE_ENTROPY_H
#define KLDVE_LIB_DIVERGENCE_ENTROPY_H

/* Entropy - log(perplexity) of the kernel at log beta, and its derivative by log beta. */
typedef double (*kldve_entropy_fn)(void *of, double log_beta, double *slope);

/* The same from the sums of a kernel: sums[0..2] of t, t x and t x^2, t = exp(-x), x = beta e. */
double kldve_entropy_gap(const double sums[3], double perplexity, double *slope);

/* The log beta at which gap_at() is 0, within -700..700; `log_beta` is where to start.  It ends
 * where |gap| <= tolerance, or where no number is left in between.  What it returns is what it
 * asked gap_at() last; *gap is the answer. */
double kldve_entropy_root(kldve_entropy_fn gap_at, void *of, double log_beta, double tolerance,
                          double *gap);

#endif
