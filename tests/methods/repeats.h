/* repeats.h - methods that repeat forward passes: a linear network, whose map is known, and small
 * curved ones; the map before normalisation, and what its standard error claims. */
#ifndef KLDVE_TESTS_METHODS_REPEATS_H
#define KLDVE_TESTS_METHODS_REPEATS_H

#include <kldve/method.h>

#include "support.h"
#include "backends/tiny.h"

enum { CHANNELS = 2, HEIGHT = 12, WIDTH = 16, PIXELS = HEIGHT * WIDTH };
enum { INPUTS = CHANNELS * PIXELS, CLASSES = 4, TARGET = 2, RIVAL = 1 };

/** k = W x + b, b = 0.1 c; there is one feature map of one cell.  No config. */
extern const kldve_backend linear_backend;
extern float linear_weights[CLASSES][INPUTS];

/** Of tiny_backend, with the same shape. */
extern const tiny_config curved, pooled;

/** Draw an input [INPUTS], and linear_weights. */
void draw_input(float *input);

/** What the last run_raw() made. */
struct raw {
    const kldve_method *inner;
    float map[PIXELS], error[PIXELS];
};
extern struct raw raw;

/** Run a method that makes a map of pixels; the outcome is in `raw`. */
void run_raw(const char *name, const kldve_backend *backend, const void *config, const float *input,
             kldve_options o);
/** The library's method; fails the test without it. */
const kldve_method *method_named(const char *name);

/** p of the target, of logits in float64. */
double probability(const double *k);
double linear_probability(const float *input);

#define TARGET_IS .target_kind = KLDVE_TARGET_INDEX, .target = TARGET

/* Makes what methods measure, the difference of two probabilities, linear in the logits up to
 * 1e-4: (k_target - k_rival) / (classes * temperature). */
#define NEARLY_LINEAR                                                                              \
    .target_kind = KLDVE_TARGET_VERSUS, .target = TARGET, .rival = RIVAL, .temperature = 1e5f

/** The share of input i in that score. */
double share(const float *input, int i);

/** The map of the curved network varies from seed to seed as its standard error claims. */
void check_errors(const char *name, int32_t samples, int32_t window);

/** Cut an input into superpixels: label [PIXELS], and how many there are. */
int32_t find_superpixels(const float *input, int32_t rows, int32_t columns, int32_t *label);

#endif
