/* pairs.h - pairs of maps made of whole numbers, and what other programs say about them.
 *
 *     v_i = max((i mul + add) mod mod - cap, 0) / (mod - 1 - cap)
 *
 * in float32, [13][17]; a cap above 0 makes many ties.  SciPy 1.17 (pearsonr(), spearmanr()) and
 * scikit-image 0.26 (structural_similarity() with gaussian_weights=True, sigma=1.5,
 * use_sample_covariance=False, data_range=1), in float64. */
#ifndef KLDVE_TESTS_PAIRS_H
#define KLDVE_TESTS_PAIRS_H

enum { PAIR_HEIGHT = 13, PAIR_WIDTH = 17, PAIR_COUNT = PAIR_HEIGHT * PAIR_WIDTH, PAIRS = 4 };

typedef struct pair_rule {
    int mul, add, mod, cap;
} pair_rule;

static const struct {
    pair_rule a, b;
    double pearson, spearman, ssim;
} pairs[PAIRS] = {
    {{37, 11, 101, 0}, {53, 7, 97, 0}, 0.0523837233387, 0.0525942142759, 0.108132680023},
    {{37, 11, 101, 60}, {37, 12, 101, 60}, 0.95200105109, 0.959780123856, 0.939978456592},
    {{37, 11, 101, 60}, {53, 7, 97, 30}, 0.0309064290853, 0.0245273091694, 0.0833218458837},
    {{37, 11, 101, 0}, {37, 11, 101, 20}, 0.98976775037, 0.99577991253, 0.958072231072},
};

static inline void pair_make(pair_rule r, float out[PAIR_COUNT])
{
    for (int i = 0; i < PAIR_COUNT; i++) {
        int v = (i * r.mul + r.add) % r.mod - r.cap;

        out[i] = (float)(v > 0 ? v : 0) / (float)(r.mod - 1 - r.cap);
    }
}

#endif
