/* pair.c - see pair.h. */
#include "pair.h"
#include "got.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const tiny_config pair_linear = {CHANNELS, H, W, MAPS, CLASSES, 40, false};
const tiny_config pair_curved = {CHANNELS, H, W, MAPS, CLASSES, 40, true};
const tiny_config pair_colour = {3, 8, 8, 4, 3, 17, true};

float pair_inputs[MOST][INPUTS];
const char *pair_about;

static void draw_inputs(void)
{
    uint64_t seed = 9;

    for (int32_t i = 0; i < MOST; i++)
        for (int c = 0; c < CHANNELS; c++) {
            double level = 3 * test_normal(&seed); /* so that not all have one class */

            for (int j = c * INPUTS / CHANNELS; j < (c + 1) * INPUTS / CHANNELS; j++)
                pair_inputs[i][j] = (float)(level + test_normal(&seed));
        }
}

void pair_open_table(struct pair *f, const kldve_backend *table, batched_config config,
                     const tiny_config *net)
{
    memset(f, 0, sizeof *f);
    draw_inputs();
    f->ctx = test_ctx(&f->heap);
    f->config = config;
    f->config.inner = &tiny_backend;
    f->config.inner_config = net;
    f->config.counts = &f->counts;
    if (f->config.batch == 0)
        f->config.batch = BATCH;
    assert_int_equal(kldve_explainer_new(f->ctx, table, &f->config, &f->ex), KLDVE_OK);
    assert_int_equal(kldve_explainer_new(f->ctx, &tiny_backend, net, &f->plain), KLDVE_OK);
}

void pair_open(struct pair *f, const tiny_config *net)
{
    pair_open_table(f, &batched_backend, (batched_config){.batch = BATCH}, net);
}

void pair_close(struct pair *f)
{
    kldve_explainer_free(f->ex);
    kldve_explainer_free(f->plain);
    kldve_ctx_free(f->ctx);
    assert_int_equal(f->heap.live, 0);
}

/* -- what is compared ------------------------------------------------------------------------- */

void pair_same_number(const char *what, size_t i, double got, double want)
{
    if (isnan(got) && isnan(want))
        return;
    if (!(fabs(got - want) <= 1e-6 * (1 + fabs(want))))
        fail_msg("%s: %s %zu: %.9g, one by one %.9g", pair_about, what, i, got, want);
}

static void same_doubles(const char *what, const kldve_heatmap *got, const kldve_heatmap *want,
                         kldve_status (*get)(const kldve_heatmap *, const double **, int32_t *))
{
    const double *a = NULL, *b = NULL;
    int32_t count = 0, expected = 0;

    assert_int_equal(get(got, &a, &count), get(want, &b, &expected));
    assert_int_equal(count, expected);
    for (int32_t i = 0; i < count; i++)
        pair_same_number(what, (size_t)i, a[i], b[i]);
}

static void same_floats(const char *what, const kldve_heatmap *got, const kldve_heatmap *want,
                        kldve_status (*get)(const kldve_heatmap *, const float **, int32_t *))
{
    const float *a = NULL, *b = NULL;
    int32_t count = 0, expected = 0;

    assert_int_equal(get(got, &a, &count), get(want, &b, &expected));
    assert_int_equal(count, expected);
    for (int32_t i = 0; i < count; i++)
        pair_same_number(what, (size_t)i, (double)a[i], (double)b[i]);
}

static void same_records(const kldve_record *a, const kldve_record *b)
{
    assert_string_equal(a->method, b->method);
    assert_int_equal(a->target, b->target);
    assert_int_equal(a->reading, b->reading);
    assert_int_equal(a->classes, b->classes);
    assert_int_equal(a->maps, b->maps);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->sign, b->sign);
    pair_same_number("logit", 0, (double)a->logit, (double)b->logit);
    pair_same_number("probability", 0, (double)a->probability, (double)b->probability);
    pair_same_number("KL", 0, a->kl, b->kl);
    pair_same_number("class sensitivity", 0, a->class_sensitivity, b->class_sensitivity);
    assert_true(a->seen_x == b->seen_x && a->seen_y == b->seen_y);
    assert_true(a->seen_width == b->seen_width && a->seen_height == b->seen_height);
}

kldve_timings pair_times(const kldve_heatmap *map)
{
    kldve_timings ms = {.struct_size = sizeof ms};

    assert_int_equal(kldve_heatmap_timings(map, &ms), KLDVE_OK);
    return ms;
}

/* The same stages ran. */
static void same_stages(const kldve_heatmap *got, const kldve_heatmap *want)
{
    const kldve_timings a = pair_times(got), b = pair_times(want);

    assert_true(a.forward > 0);
    assert_int_equal(a.preprocess > 0, b.preprocess > 0);
    assert_int_equal(a.backward > 0, b.backward > 0);
}

void pair_same(const kldve_heatmap *got, const kldve_heatmap *want)
{
    kldve_record a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};

    assert_int_equal(kldve_heatmap_record(got, &a), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(want, &b), KLDVE_OK);
    same_records(&a, &b);
    same_stages(got, want);
    for (size_t i = 0; i < (size_t)a.height * (size_t)a.width; i++)
        pair_same_number("value", i, (double)got_values(got)[i], (double)got_values(want)[i]);
    same_floats("logit", got, want, kldve_heatmap_logits);
    same_floats("error", got, want, kldve_heatmap_error);
    same_doubles("z", got, want, kldve_heatmap_z);
    same_doubles("alpha", got, want, kldve_heatmap_alpha);
    same_doubles("cotangent", got, want, kldve_heatmap_cotangent);
    same_doubles("weight", got, want, kldve_heatmap_weights);
}

static kldve_heatmap *const no_map = (kldve_heatmap *)(void *)pair_inputs;

void pair_untouched(kldve_heatmap *const *maps)
{
    for (int32_t i = 0; i < MOST; i++)
        assert_ptr_equal(maps[i], no_map);
}

void pair_reset(kldve_heatmap **maps)
{
    for (int32_t i = 0; i < MOST; i++)
        maps[i] = no_map;
}

void pair_free_maps(kldve_heatmap **maps, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        kldve_heatmap_free(maps[i]);
}

/* `count` inputs at once against one by one, also where that fails. */
void pair_check(struct pair *f, const kldve_options *o, int32_t count)
{
    kldve_heatmap *got[MOST], *want = NULL;
    char message[600];
    kldve_status st, expected = KLDVE_OK;

    pair_reset(got);
    st = kldve_explain_inputs(f->ex, pair_inputs[0], count, o, got);
    snprintf(message, sizeof message, "%s", kldve_ctx_message(f->ctx));
    for (int32_t i = 0; expected == KLDVE_OK && i < count; i++) {
        expected = kldve_explain_input(f->plain, pair_inputs[i], o, &want);
        if (expected < 0)
            break;
        if (st != KLDVE_OK)
            fail_msg("%s: %s", pair_about, message);
        pair_same(got[i], want);
        kldve_heatmap_free(want);
    }
    assert_int_equal(st, expected);
    if (st == KLDVE_OK) {
        pair_free_maps(got, count);
    } else {
        char first[600];

        snprintf(first, sizeof first, "input 0: %s", kldve_ctx_message(f->ctx));
        assert_string_equal(message, first);
        pair_untouched(got);
    }
}

/* -- pictures --------------------------------------------------------------------------------- */

static const int32_t sizes[MOST][2] = {{200, 100}, {32, 32}, {100, 200}, {40, 40},
                                       {33, 90},   {32, 32}, {128, 64}};

void pair_draw_pictures(kldve_ctx *ctx, kldve_image **pictures)
{
    uint64_t seed = 2;

    for (int32_t i = 0; i < MOST; i++) {
        uint8_t *rgb;

        assert_int_equal(kldve_image_new(ctx, sizes[i][0], sizes[i][1], &pictures[i]), KLDVE_OK);
        rgb = kldve_image_edit(pictures[i]);
        for (int32_t p = 0; p < 3 * sizes[i][0] * sizes[i][1]; p++)
            rgb[p] = (uint8_t)(40 + 200 * test_random(&seed));
    }
}
