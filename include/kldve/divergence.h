/* divergence.h - the KL divergence between two sets of pairwise affinities and its gradient.
 *
 * n scores k are read as n points on a line.  Their joint probabilities are Student-t affinities
 * (Eq. 1 of arXiv:1711.06431), those of the truth y Gaussian affinities of a given perplexity
 * (van der Maaten and Hinton 2008):
 *
 *     q_ij = w_ij / sum_{u != v} w_uv,   w_ij = 1 / (1 + (k_i - k_j)^2)
 *     KL = sum_{i != j} p_ij log(p_ij / q_ij),   z_i = dKL/dk_i = 4 sum_j (p_ij - q_ij) w_ij (k_i - k_j)
 *
 * Usable without the rest of the library.  Everything is float64. */
#ifndef KLDVE_DIVERGENCE_H
#define KLDVE_DIVERGENCE_H

#include <kldve/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the sums over all pairs are computed. */
typedef enum kldve_summation {
    KLDVE_SUM_AUTO = 0,     /**< whichever the cost model expects to be faster */
    KLDVE_SUM_DIRECT = 1,   /**< O(n^2), exact to rounding */
    KLDVE_SUM_CHEBYSHEV = 2 /**< O(n), to `tolerance` */
} kldve_summation;

/** Options; all zero = defaults. */
typedef struct kldve_divergence_options {
    size_t struct_size;
    double perplexity;  /**< of the truth's affinities, > 1; 0 means 30 */
    double temperature; /**< scores are divided by it, > 0; 0 means 1 */
    double tolerance;   /**< of the fast summation, relative to max |z|; 0 means 1e-10 */
    int32_t summation;  /**< a kldve_summation */
    int32_t reserved;   /**< 0 */
} kldve_divergence_options;

/** Scores and the working memory for them.  Not safe from two threads at once. */
typedef struct kldve_divergence kldve_divergence;

/** Make the working memory for n scores, O(n).
 *  @param options  NULL means defaults.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG (n < 3: with two scores P = Q; an option out of
 *          range).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_new(kldve_ctx *ctx, size_t n,
                                                             const kldve_divergence_options *options,
                                                             kldve_divergence **out);

/** @since 0.1 */
KLDVE_API void kldve_divergence_free(kldve_divergence *d);

/** Give the scores and do the part of the work that no class enters (the base pass).
 *  @param scores  [n], copied.
 *  @return KLDVE_OK, KLDVE_E_NUMERIC (a score is NaN or infinite; the object then has no scores).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_set_scores(kldve_divergence *d,
                                                                    const double *scores);

/** KL and its gradient for one-hot truth at class `target`, O(n) after the base pass.
 *  @param z   [n], may be NULL.
 *  @param kl  one number, may be NULL.
 *  @return KLDVE_OK, KLDVE_E_ARG (no scores yet, target >= n).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_onehot(const kldve_divergence *d,
                                                                size_t target, double *z,
                                                                double *kl);

/** KL and its gradient for any truth vector y [n] (soft labels, another network's scores).
 *  @return KLDVE_OK, KLDVE_E_ARG, KLDVE_E_NUMERIC (NaN or infinity in y), KLDVE_E_NOMEM,
 *          KLDVE_E_UNATTAINABLE (a row cannot reach the perplexity; the message says which).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_truth(kldve_divergence *d,
                                                               const double *truth, double *z,
                                                               double *kl);

/** The cotangents of the readings `contrast` and `rivals` (docs/method.md): with d_ic = k_i - k_c,
 *
 *     contrast:  t_i = -w_ic |d_ic|     rivals:  t_i = -w_ic^2 |d_ic|     (i != c),   t_c = -sum t_i
 *
 *  divided by the population standard deviation; all zeros if that is 0.  t [n].
 *  @return KLDVE_OK, KLDVE_E_ARG (no scores yet, target >= n).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_contrast(const kldve_divergence *d,
                                                                  size_t target, double *t);
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_rivals(const kldve_divergence *d,
                                                                size_t target, double *t);

/** Standardise (Eq. 2): alpha = (z - mean) / population standard deviation; zeros if that is 0.
 *  z and alpha are [n] and may be the same array.
 *  @return 1 if the deviation was 0 ("flat"), else 0.
 *  @since 0.1 */
KLDVE_API int32_t kldve_standardise(const double *z, size_t n, double *alpha);

#ifdef __cplusplus
}
#endif
#endif
