/* test_rollout.c - rollout and grad-rollout of attentions that this file makes up, against products
 * of whole matrices; and what a backend may hand out wrongly. */
#include "backends/contract.h"
#include "got.h"
#include "hosted.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAD = 2, TOKENS = LEAD + CELLS, HEADS = 3, LAYERS = 4, ONE = HEADS * TOKENS * TOKENS };

/* What the backend of this file hands out beside what tiny_backend does. */
static struct made {
    float weights[LAYERS][ONE], gradient[LAYERS][ONE], read[TOKENS];
    float class_gradient[CLASSES]; /* gradients are these, times the cotangent */
    void (*spoil)(kldve_attention *a, int layer);
    int32_t visits;
} made;

static kldve_status attentions(void *state, const float *cotangent, kldve_attention_fn visit,
                               void *opaque)
{
    static float gradient[ONE];
    float factor = 0;
    kldve_status st = KLDVE_OK;

    (void)state;
    made.visits = 0;
    for (int32_t j = 0; cotangent && j < CLASSES; j++)
        factor += cotangent[j] * made.class_gradient[j];
    for (int32_t layer = LAYERS - 1; layer >= 0 && st == KLDVE_OK; layer--) {
        kldve_attention a = {.struct_size = sizeof a,
                             .name = "made up",
                             .weights = made.weights[layer],
                             .gradient = cotangent ? gradient : NULL,
                             .read = layer == LAYERS - 1 ? made.read : NULL,
                             .heads = HEADS,
                             .queries = TOKENS,
                             .keys = TOKENS,
                             .lead = LEAD,
                             .height = H,
                             .width = W};

        for (size_t i = 0; i < ONE; i++)
            gradient[i] = factor * made.gradient[layer][i];
        if (made.spoil)
            made.spoil(&a, layer);
        made.visits++;
        st = visit(opaque, &a);
    }
    return st;
}

static void make(uint64_t seed)
{
    memset(&made, 0, sizeof made);
    for (int layer = 0; layer < LAYERS; layer++)
        for (size_t row = 0; row < HEADS * TOKENS; row++) {
            float *w = made.weights[layer] + row * TOKENS, sum = 0;

            for (size_t k = 0; k < TOKENS; k++) {
                w[k] = (float)exp(2 * test_normal(&seed));
                sum += w[k];
                made.gradient[layer][row * TOKENS + k] = (float)test_normal(&seed);
            }
            for (size_t k = 0; k < TOKENS; k++)
                w[k] /= sum;
        }
    for (int32_t j = 0; j < CLASSES; j++)
        made.class_gradient[j] = j % 2 ? -1 : 1;
    made.read[0] = 1;
}

static void open_made(fixture *f)
{
    kldve_backend backend = tiny_backend;

    backend.attentions = attentions;
    make(31);
    fixture_open(f, &backend);
}

/* The backend of this file keeps to what backend.h says. */
static void test_contract(void **state)
{
    const tiny_config net = {CHANNELS, H, W, MAPS, CLASSES, 11, true};
    kldve_backend backend = tiny_backend;
    const contract c = {.backend = &backend, .config = &net};

    (void)state;
    backend.attentions = attentions;
    make(32);
    contract_check(&c);
}

/* -- whole matrices, from the input to the logits --------------------------------------------- */

typedef double matrix[TOKENS][TOKENS];

/* A: the mean over heads of the weights, or of the positive part of weights times `factor` times
 * gradient. */
static void mean_of_heads(int layer, bool weighted, double factor, matrix a)
{
    for (int q = 0; q < TOKENS; q++)
        for (int k = 0; k < TOKENS; k++) {
            a[q][k] = 0;
            for (int h = 0; h < HEADS; h++) {
                int i = (h * TOKENS + q) * TOKENS + k;
                double w = (double)made.weights[layer][i];
                double g = factor * (double)made.gradient[layer][i];

                a[q][k] += weighted ? fmax(w * g, 0) / HEADS : w / HEADS;
            }
        }
}

/* R = (keep I + take A) R, layer by layer. */
static void product(bool weighted, double factor, matrix r)
{
    static matrix a, next;
    double keep = weighted ? 1 : 0.5, take = weighted ? 1 : 0.5;

    for (int q = 0; q < TOKENS; q++)
        for (int k = 0; k < TOKENS; k++)
            r[q][k] = q == k;
    for (int layer = 0; layer < LAYERS; layer++) {
        mean_of_heads(layer, weighted, factor, a);
        for (int q = 0; q < TOKENS; q++)
            for (int k = 0; k < TOKENS; k++) {
                next[q][k] = keep * r[q][k];
                for (int t = 0; t < TOKENS; t++)
                    next[q][k] += take * a[q][t] * r[t][k];
            }
        memcpy(r, next, sizeof next);
    }
}

/* The map is what R says, brought to 0..1. */
static void assert_row(const kldve_heatmap *map, bool weighted, double factor)
{
    static matrix r;
    double e[CELLS] = {0}, least, most;

    product(weighted, factor, r);
    for (int i = 0; i < CELLS; i++)
        for (int q = 0; q < TOKENS; q++)
            e[i] += (double)made.read[q] * r[q][LEAD + i];
    least = most = e[0];
    for (int i = 1; i < CELLS; i++) {
        least = fmin(least, e[i]);
        most = fmax(most, e[i]);
    }
    assert_true(most > least);
    for (int i = 0; i < CELLS; i++)
        assert_true(fabs((double)got_values(map)[i] - (e[i] - least) / (most - least)) < 1e-5);
}

static void check(const char *method, int32_t target, double factor)
{
    fixture f;
    kldve_heatmap *map;
    kldve_record r = {.struct_size = sizeof r};

    for (int all = 0; all < 2; all++) {
        open_made(&f);
        for (int i = 0; all && i < TOKENS; i++)
            made.read[i] = 1.0f / TOKENS;
        map = fixture_explain(
            &f,
            (kldve_options){.method = method, .target_kind = KLDVE_TARGET_INDEX, .target = target});
        assert_int_equal(made.visits, LAYERS);
        assert_row(map, factor != 0, factor);
        assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
        assert_int_equal((r.flags & KLDVE_RESULT_CLASS_INDIFFERENT) != 0, factor == 0);
        kldve_heatmap_free(map);
        fixture_close(&f);
    }
}

static void test_rollout(void **state)
{
    (void)state;
    check("rollout", 0, 0);
    check("rollout", 1, 0);
}

/* Even classes have the gradient, odd ones its opposite. */
static void test_grad_rollout(void **state)
{
    (void)state;
    check("grad-rollout", 2, 1);
    check("grad-rollout", 3, -1);
}

/* -- what a backend may do wrong -------------------------------------------------------------- */

static float other[ONE];

static void too_many_keys(kldve_attention *a, int layer)
{
    (void)layer;
    a->keys++;
}

static void no_heads(kldve_attention *a, int layer)
{
    (void)layer;
    a->heads = 0;
}

static void grid_too_small(kldve_attention *a, int layer)
{
    (void)layer;
    a->lead--;
}

static void no_read(kldve_attention *a, int layer)
{
    (void)layer;
    a->read = NULL;
}

static void late_read(kldve_attention *a, int layer)
{
    (void)layer;
    a->read = made.read;
}

static void no_gradient(kldve_attention *a, int layer)
{
    (void)layer;
    a->gradient = NULL;
}

static void no_name(kldve_attention *a, int layer)
{
    (void)layer;
    a->name = NULL;
}

static void not_a_number(kldve_attention *a, int layer)
{
    memcpy(other, a->weights, sizeof other);
    other[3] = layer == 1 ? NAN : other[3];
    a->weights = other;
}

static void infinite_gradient(kldve_attention *a, int layer)
{
    (void)layer;
    memcpy(other, a->gradient, sizeof other);
    other[ONE - 1] = INFINITY;
    a->gradient = other;
}

static void another_grid(kldve_attention *a, int layer)
{
    (void)layer;
    a->height = W;
    a->width = H;
}

/* Fewer tokens at one attention than at those behind it. */
static void fewer_tokens(kldve_attention *a, int layer)
{
    if (layer == 1) {
        a->queries = a->keys = TOKENS - LEAD;
        a->lead = 0;
    }
}

static void test_wrong(void **state)
{
    static const char *const missing = "is NULL where it must not be, or set where it must be NULL";
    static const struct {
        void (*spoil)(kldve_attention *a, int layer);
        kldve_status status;
        const char *words;
    } cases[] = {
        {too_many_keys, KLDVE_E_ARG, "14 queries and 15 keys do not fit 2 tokens"},
        {no_heads, KLDVE_E_ARG, "0 heads"},
        {grid_too_small, KLDVE_E_ARG, "do not fit 1 tokens and a grid of 3 x 4"},
        {no_read, KLDVE_E_ARG, missing},
        {late_read, KLDVE_E_ARG, missing},
        {no_gradient, KLDVE_E_ARG, missing},
        {no_name, KLDVE_E_ARG, missing},
        {not_a_number, KLDVE_E_NUMERIC, "attention weight 3 of 588 is not a number"},
        {infinite_gradient, KLDVE_E_NUMERIC, "attention gradient 587 of 588 is infinite"},
        {another_grid, KLDVE_E_UNSUPPORTED,
         "the tokens of the attentions are a grid of 4 x 3, but the layer has 3 x 4 cells"},
        {fewer_tokens, KLDVE_E_UNSUPPORTED, "has 12 tokens, the one behind it 14"},
    };
    fixture f;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kldve_heatmap *map = NULL;

        open_made(&f);
        made.spoil = cases[i].spoil;
        assert_int_equal(explain(&f, "grad-rollout", 0, &map), cases[i].status);
        if (!strstr(kldve_ctx_message(f.ctx), cases[i].words))
            fail_msg("%s, it should say %s", kldve_ctx_message(f.ctx), cases[i].words);
        assert_null(map);
        fixture_close(&f);
    }
}

static kldve_status nothing(void *state, const float *cotangent, kldve_attention_fn visit,
                            void *opaque)
{
    (void)state, (void)cotangent, (void)visit, (void)opaque;
    return KLDVE_OK;
}

static void test_none(void **state)
{
    kldve_backend backend = tiny_backend;
    kldve_heatmap *map = NULL;
    fixture f;

    (void)state;
    backend.attentions = nothing;
    fixture_open(&f, &backend);
    assert_int_equal(explain(&f, "rollout", 0, &map), KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(f.ctx), "tiny: attentions: the network has none");
    fixture_close(&f);
    fixture_open(&f, &tiny_backend_plain);
    assert_int_equal(explain(&f, "rollout", 0, &map), KLDVE_E_UNSUPPORTED);
    assert_string_equal(
        kldve_ctx_message(f.ctx),
        "plain: the method rollout needs the attentions, which this backend cannot give");
    assert_null(map);
    fixture_close(&f);
}

/* Each allocation failed once, and cancelled. */
static int32_t stop(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)opaque, (void)done, (void)total;
    return strcmp(stage, "rollout") == 0;
}

static void test_failures(void **state)
{
    kldve_heatmap *map = NULL;
    fixture f;

    (void)state;
    open_made(&f);
    for (long budget = 0;; budget++) {
        kldve_status st;

        f.heap.budget = budget;
        st = explain(&f, "grad-rollout", 0, &map);
        f.heap.budget = -1;
        if (st == KLDVE_OK)
            break;
        assert_int_equal(st, KLDVE_E_NOMEM);
        assert_null(map);
    }
    kldve_heatmap_free(map);
    map = NULL;
    kldve_ctx_set_progress(f.ctx, stop, NULL);
    assert_int_equal(explain(&f, "rollout", 0, &map), KLDVE_E_CANCELLED);
    assert_null(map);
    fixture_close(&f);
}

TEST_MAIN(rollout)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract),     cmocka_unit_test(test_rollout),
        cmocka_unit_test(test_grad_rollout), cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_none),         cmocka_unit_test(test_failures),
    };

    return cmocka_run_group_tests_name("rollout", tests, NULL, NULL);
}
