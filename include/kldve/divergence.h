/* divergence.h - the KL divergence between two sets of pairwise affinities and its gradient.
 *
 * n scores k are read as n points on a line.  Their joint probabilities are Student-t affinities
 * (Eq. 1 of arXiv:1711.06431), those of the truth y Gaussian affinities of a given perplexity
 * (van der Maaten and Hinton 2008):
 *
 *     q_ij = w_ij / sum_{u != v} w_uv,        w_ij = 1 / (1 + (k_i - k_j)^2)
 *     KL   = sum_{i != j} p_ij log(p_ij / q_ij)
 *     z_i  = dKL/dk_i = 4 sum_j (p_ij - q_ij) w_ij (k_i - k_j)
 *
 * Two scores make one pair, and P = Q: KL and z are exactly 0, whatever the scores and the truth.
 *
 * You can use it without the rest of the library; docs/divergence.md is its guide.  All numbers are
 * float64. */
#ifndef KLDVE_DIVERGENCE_H
#define KLDVE_DIVERGENCE_H

#include <kldve/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the sums over all pairs are computed. */
typedef enum kldve_summation {
    KLDVE_SUMMATION_AUTO = 0,     /**< whichever the cost model expects to be faster */
    KLDVE_SUMMATION_DIRECT = 1,   /**< O(n^2), exact to rounding */
    KLDVE_SUMMATION_CHEBYSHEV = 2 /**< O(n), to `tolerance` */
} kldve_summation;

/** What kldve_divergence_truth() does with a row that cannot reach the wanted perplexity. */
typedef enum kldve_unattainable {
    KLDVE_UNATTAINABLE_FAIL = 0, /**< KLDVE_E_UNATTAINABLE */
    KLDVE_UNATTAINABLE_LIMIT = 1 /**< the nearest that it can reach: uniform over its nearest
                                      neighbours (beta infinite) or over all (beta 0) */
} kldve_unattainable;

/** Options; all zero = defaults. */
typedef struct kldve_divergence_options {
    size_t struct_size;
    double perplexity;    /**< of the truth's affinities, > 1; 0 means 30 */
    double temperature;   /**< scores are divided by it, > 0; 0 means 1 */
    double tolerance;     /**< of the fast summation, relative to max |z|; 1e-14..1e-4; 0: 1e-10 */
    int32_t summation;    /**< a kldve_summation */
    int32_t unattainable; /**< a kldve_unattainable */
    /** Of kldve_divergence_neighbours(), > 1; 0 means kldve_divergence_neighbour_perplexity(n). */
    double neighbour_perplexity;
} kldve_divergence_options;
#define KLDVE_DIVERGENCE_OPTIONS_INIT KLDVE_INIT(kldve_divergence_options)

/** Scores and the working memory for them.  Not safe from two threads at once. */
typedef struct kldve_divergence kldve_divergence;

/** Make an object for n scores.  It takes 32 bytes a score and at least 20 kB.  The fast method
 *  adds 28 bytes a score when it is first used, and up to 150 more for scores that are spread wide.
 *  @param n        How many scores, 2 or more.
 *  @param options  NULL means defaults.
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_ARG (n < 2, or an option out of range),
 *          KLDVE_E_UNSUPPORTED (an option that this library does not have).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_new(
    kldve_ctx *ctx, int32_t n, const kldve_divergence_options *options, kldve_divergence **out);

/** Accepts NULL.  @since 0.1 */
KLDVE_API void kldve_divergence_free(kldve_divergence *d);

/** Set the scores and do the part of the work that is the same for every class (the base pass).
 *
 *  Below, k means the scores divided by the temperature, and z the gradient with respect to k.
 *  Divide z by the temperature for the gradient with respect to the scores.
 *  @param scores  [n], copied.
 *  @return KLDVE_OK; KLDVE_E_ARG; KLDVE_E_NUMERIC (a score is NaN or infinite, or they span more
 *          than 1e75 temperatures); KLDVE_E_NOMEM.  After a failure the object has no scores.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_set_scores(kldve_divergence *d,
                                                                    const double *scores);

/** KL and its gradient for one-hot truth at class `target`, O(n) after the base pass (the first KL
 *  after new scores costs about a base pass more).
 *
 *  The affinities of one-hot truth have a closed form.  A perplexity of n - 2 or less (the usual
 *  case) makes the other classes each other's only neighbours, whatever it is exactly; one of n - 1
 *  or more makes P uniform, which no longer depends on the target.  Any truth vector with two
 *  values of which one occurs once gives the same, label smoothing too.
 *  @param target  0..n-1.
 *  @param z   [n], may be NULL.
 *  @param kl  one number, may be NULL.
 *  @return KLDVE_OK, KLDVE_E_ARG (no scores yet, target not in 0..n-1).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_onehot(const kldve_divergence *d,
                                                                int32_t target, double *z,
                                                                double *kl);

/** KL and its gradient for any truth vector y [n] (probabilities, another network's scores), in
 *  O(n) memory: row i is a Gaussian kernel exp(-beta_i (y_i - y_j)^2) whose beta_i gives it the
 *  wanted perplexity, to 1e-10 of its logarithm.  A row can have the perplexities from the number
 *  of its nearest neighbours (those tied at the smallest distance) to n - 1: y with few distinct
 *  values needs KLDVE_UNATTAINABLE_LIMIT, or the closed forms for labels here.
 *
 *  Time O(n perplexity); values that many entries share are met as a whole, for about two base
 *  passes each, where that is faster.
 *  @param truth  [n], y.
 *  @param z   [n], may be NULL.
 *  @param kl  one number, may be NULL.
 *  @return KLDVE_OK, KLDVE_E_ARG, KLDVE_E_NUMERIC (NaN or infinity in y), KLDVE_E_NOMEM,
 *          KLDVE_E_UNATTAINABLE (a row cannot reach the perplexity; the message says which;
 *          kldve_divergence_rows() has them all), KLDVE_E_CANCELLED.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_truth(kldve_divergence *d,
                                                               const double *truth, double *z,
                                                               double *kl);

/** The cotangents of the readings `contrast` and `rivals` (docs/method.md): with d_ic = k_i - k_c,
 *
 *     contrast:  t_i = -w_ic |d_ic|       for i != c,     t_c = -sum over i != c of t_i
 *     rivals:    t_i = -w_ic^2 |d_ic|
 *
 *  divided by the population standard deviation; all zeros if that is 0.  With two scores t is 1
 *  at the target and -1 at the other for any scores; that is also its limit where they are equal,
 *  so it is their t too.  t [n].
 *  @param target  The class c, 0..n-1.
 *  @param t       [n].
 *  @return KLDVE_OK, KLDVE_E_ARG (no scores yet, target not in 0..n-1).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_contrast(const kldve_divergence *d,
                                                                  int32_t target, double *t);
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_rivals(const kldve_divergence *d,
                                                                int32_t target, double *t);

/** The cotangent of the reading `neighbours` (docs/method.md): the target against its nearest
 *  rivals, as many as a perplexity says.  With d_i = |k_i - k_c| and m the smallest of them,
 *
 *     p_i ~ exp(-beta (d_i - m)),  i != c,  sum p_i = 1,  entropy of p = log(perplexity)
 *     t_i = -p_i,  t_c = 1
 *
 *  divided by the population standard deviation.  Neither a shift of the scores nor their unit
 *  changes t, and so the temperature does not either.  O(n): a few passes over the scores.
 *
 *  p can have the perplexities from the number of rivals tied at the smallest distance to n - 1;
 *  beyond these it is uniform over the tied ones, or over all.  With two scores t is 1 and -1.
 *  @param target      The class c, 0..n-1.
 *  @param perplexity  > 1; 0 means that of the options.
 *  @param t           [n].
 *  @return KLDVE_OK, KLDVE_E_ARG (no scores yet, target not in 0..n-1, perplexity out of range, t
 *          is NULL).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_neighbours(const kldve_divergence *d,
                                                                    int32_t target,
                                                                    double perplexity, double *t);

/** The perplexity of kldve_divergence_neighbours() for n scores where none is given: min(100,
 * max(3, (n - 1) / 10)).
 *  @param n  2 or more.
 *  @since 0.1 */
KLDVE_API double kldve_divergence_neighbour_perplexity(int32_t n);

/** Standardise (Eq. 2): alpha = (z - mean) / population standard deviation; zeros if that is 0.
 *  z and alpha are [n] and may be the same array.
 *  @param z      [n], finite.
 *  @param alpha  [n].
 *  @param n     At least 1.
 *  @param flat  Becomes 1 if the deviation was 0, else 0; may be NULL.
 *  @return KLDVE_OK, KLDVE_E_ARG; there is no message, as there is no object.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_standardise(const double *z, int32_t n,
                                                                     double *alpha, int32_t *flat);

/* More truths. */

/** KL and its gradient for `count` equal positive labels: y is one value at `targets` and another
 *  elsewhere.  Closed form; a perplexity out of a row's reach takes the nearest limit, as for
 *  one-hot truth, to which this is equal for count = 1.  O(n count), or about one base pass if
 *  that is less.
 *  @param targets  [count], each once; 1 <= count < n.
 *  @param z, kl    as above.
 *  @return KLDVE_OK; KLDVE_E_ARG (no scores yet, a target not in 0..n-1 or given twice, a count out
 * of range); KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_positives(kldve_divergence *d,
                                                                   const int32_t *targets,
                                                                   int32_t count, double *z,
                                                                   double *kl);

/** What the last kldve_divergence_truth() found for each row, also when it returned
 *  KLDVE_E_UNATTAINABLE.
 *  @param beta         [n], may be NULL: 1 / (2 sigma^2), sigma in units of y; infinite or 0 in
 *                      the limits.
 *  @param perplexity   [n], may be NULL: the one that was reached.
 *  @param unattainable [n], may be NULL: 1 where the wanted one is out of reach, else 0.
 *  @return KLDVE_OK, KLDVE_E_ARG (no truth yet).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_rows(const kldve_divergence *d,
                                                              double *beta, double *perplexity,
                                                              int32_t *unattainable);

/* Many classes: z = base + delta(c). */

/** The part of the one-hot gradient that is the same for every class.
 *  @param base  [n].
 *  @return KLDVE_OK, KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_base(const kldve_divergence *d,
                                                              double *base);

/** The part that class `target` adds; 0 if the perplexity is n - 1 or more.
 *  @param target  0..n-1.
 *  @param delta  [n].
 *  @return KLDVE_OK, KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_delta(const kldve_divergence *d,
                                                               int32_t target, double *delta);

/** What kldve_divergence_many() computes for each target. */
typedef enum kldve_class_term {
    KLDVE_CLASS_TERM_ONEHOT = 0,    /**< kldve_divergence_onehot() */
    KLDVE_CLASS_TERM_DELTA = 1,     /**< kldve_divergence_delta() */
    KLDVE_CLASS_TERM_CONTRAST = 2,  /**< kldve_divergence_contrast() */
    KLDVE_CLASS_TERM_RIVALS = 3,    /**< kldve_divergence_rivals() */
    KLDVE_CLASS_TERM_NEIGHBOURS = 4 /**< kldve_divergence_neighbours() at the perplexity of the
                                         options */
} kldve_class_term;

/** One cotangent for each of `count` targets.
 *  @param kind     a kldve_class_term.
 *  @param targets  [count].
 *  @param t        [count][n].
 *  @return KLDVE_OK, KLDVE_E_ARG (nothing is written then).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_many(const kldve_divergence *d,
                                                              int32_t kind, const int32_t *targets,
                                                              int32_t count, double *t);

/* Temperature. */

/** Change the temperature and, if scores are set, do their base pass again.
 *  @param temperature  Above 0.
 *  @return KLDVE_OK, KLDVE_E_ARG (not above 0), or as kldve_divergence_set_scores().
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_set_temperature(kldve_divergence *d,
                                                                         double temperature);

/** kldve_divergence_onehot() at each of `count` temperatures; the object keeps its own.
 *  @param target        0..n-1.
 *  @param temperatures  [count], each above 0.
 *  @param z   [count][n], may be NULL.
 *  @param kl  [count], may be NULL.
 *  @return KLDVE_OK; as kldve_divergence_set_temperature() and kldve_divergence_onehot();
 *          KLDVE_E_CANCELLED.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_sweep(kldve_divergence *d, int32_t target,
                                                               const double *temperatures,
                                                               int32_t count, double *z,
                                                               double *kl);

/* The plain divergences of two probability vectors. */

/** Between the truth y, a probability vector, and s = softmax(k). */
typedef enum kldve_plain {
    KLDVE_PLAIN_KL = 0,            /**< sum y log(y / s): cross entropy less the entropy of y */
    KLDVE_PLAIN_REVERSE_KL = 1,    /**< sum s log(s / y) */
    KLDVE_PLAIN_JENSEN_SHANNON = 2 /**< mean of the KL of y and of s to (y + s) / 2, <= log 2 */
} kldve_plain;

/** A plain divergence, in nats, and its gradient with respect to k.  No pairs, no perplexity: this
 *  is what a loss function calls KL.  O(n).
 *  @param kind   a kldve_plain.
 *  @param y      [n], not negative, sum 1 (within 1e-6; it is divided by its sum).
 *  @param z      [n], may be NULL.
 *  @param value  one number, may be NULL.
 *  @return KLDVE_OK; KLDVE_E_ARG (no scores yet, y is no probability vector); KLDVE_E_NUMERIC (NaN
 *          or infinity in y; the reverse KL is infinite because y has a 0).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_plain(const kldve_divergence *d,
                                                               int32_t kind, const double *y,
                                                               double *z, double *value);

/** How it was computed. */
typedef struct kldve_divergence_info {
    size_t struct_size;
    const char *kernels; /**< instruction set: "avx512", "avx2", "baseline"; static storage */
    double range;        /**< largest - smallest k */
    double pairs;        /**< sum over i != j of w_ij */
    double error;        /**< estimate of the largest error of z, relative to max |z|; one-hot */
    double temperature;  /**< that the scores were divided by */
    int64_t clusters;    /**< of the fast summation; 0: direct */
    int32_t nodes;       /**< Chebyshev nodes of a cluster; 0: direct */
    int32_t summation;   /**< KLDVE_SUMMATION_DIRECT or KLDVE_SUMMATION_CHEBYSHEV */
} kldve_divergence_info;
#define KLDVE_DIVERGENCE_INFO_INIT KLDVE_INIT(kldve_divergence_info)

/** Fill in how the last scores were computed.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK; KLDVE_E_ARG (no scores yet, NULL, or struct_size is not set; nothing is
 *          written then).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_get_info(const kldve_divergence *d,
                                                                  kldve_divergence_info *out);

/** Measure the error of the base pass: compare it with direct sums at `count` scores, the outermost
 *  ones and others spread evenly over the classes.  O(n count).
 *  @param error  the largest difference of base relative to max |base|.
 *  @return KLDVE_OK, KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_divergence_measure(const kldve_divergence *d,
                                                                 int32_t count, double *error);

#ifdef __cplusplus
}
#endif
#endif
