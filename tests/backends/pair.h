/* pair.h - an explainer of batches beside a plain one of the same network, on one counting
 * allocator: several inputs at once are compared with one after another. */
#ifndef KLDVE_TESTS_PAIR_H
#define KLDVE_TESTS_PAIR_H

#include <kldve/kldve.h>

#include "batched.h"
#include "support.h"
#include "tiny.h"

enum { CHANNELS = 2, H = 3, W = 4, MAPS = 6, CLASSES = 5, BATCH = 3, MOST = 2 * BATCH + 1 };
enum { INPUTS = CHANNELS * H * W * TINY_PATCH * TINY_PATCH };

extern const tiny_config pair_linear, pair_curved, pair_colour; /**< the last one for pictures */
extern float pair_inputs[MOST][INPUTS];                         /**< drawn when a pair is opened */
extern const char *pair_about;                                  /**< at the head of messages */

/** One context with the backend under test and the one that it is compared with. */
struct pair {
    test_heap heap;
    kldve_ctx *ctx;
    batched_counts counts;
    batched_config config;
    kldve_explainer *ex, *plain;
};

/** With a copy of batched_backend as the table. */
void pair_open_table(struct pair *f, const kldve_backend *table, batched_config config,
                     const tiny_config *net);
void pair_open(struct pair *f, const tiny_config *net);
/** Fails the test if an allocation is left. */
void pair_close(struct pair *f);

void pair_same_number(const char *what, size_t i, double got, double want);
kldve_timings pair_times(const kldve_heatmap *map);
/** The two maps have the same values, vectors and records, and the same stages ran. */
void pair_same(const kldve_heatmap *got, const kldve_heatmap *want);

/** Results that nothing may touch after a failure. */
void pair_reset(kldve_heatmap **maps);
void pair_untouched(kldve_heatmap *const *maps);
void pair_free_maps(kldve_heatmap **maps, int32_t count);

/** `count` inputs at once against one by one, also where that fails. */
void pair_check(struct pair *f, const kldve_options *o, int32_t count);

/** MOST pictures of different sizes. */
void pair_draw_pictures(kldve_ctx *ctx, kldve_image **pictures);

#endif
