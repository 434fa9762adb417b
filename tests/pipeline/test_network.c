/* test_network.c - a backend's table and its state: tables that are none, every call that fails or
 * lies, tables of older releases, and which forward pass the state holds. */
#include "backends/pair.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "backends/broken.h"
#include "pipeline/network.h"

static const tiny_config net = {CHANNELS, H, W, MAPS, CLASSES, 77, true};

/* -- one broken step -------------------------------------------------------------------------- */

/* What happens with one broken step. */
struct failure {
    const char *name;
    broken_config config;
    kldve_status status;
    const char *message; /* all of it */
};

#define INNER .inner = &tiny_backend, .inner_config = &net
#define SHAPE(c, y, x, n, m, h, w, ...)                                                            \
    {                                                                                              \
        .struct_size = sizeof(kldve_shape), .in_channels = (c), .in_height = (y), .in_width = (x), \
        .classes = (n), .maps = (m), .height = (h), .width = (w), __VA_ARGS__                      \
    }

static const struct failure failures[] = {
    {"open fails with a reason",
     {INNER, .step = BROKEN_OPEN, .status = KLDVE_E_FORMAT, .message = "the file is damaged"},
     KLDVE_E_FORMAT,
     "broken: open: the file is damaged"},
    {"open fails without a reason",
     {INNER, .step = BROKEN_OPEN, .status = KLDVE_E_IO},
     KLDVE_E_IO,
     "broken: open: input or output error"},
    {"open returns what is no status",
     {INNER, .step = BROKEN_OPEN, .status = (kldve_status)1},
     KLDVE_E_BACKEND,
     "broken: open: returned 1, which is not a status"},
    {"input of no height",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 0, 8, 5, 6, 3, 4, )},
     KLDVE_E_ARG,
     "broken: shape: the input is 3 x 0 x 8, all sizes must be at least 1"},
    {"negative number of maps",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 8, 8, 5, -6, 3, 4, )},
     KLDVE_E_ARG,
     "broken: shape: the feature maps are -6 x 3 x 4, all sizes must be at least 1, or all 0"},
    {"no class",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 8, 8, 0, 6, 3, 4, )},
     KLDVE_E_ARG,
     "broken: shape: 0 classes, there must be at least 1"},
    {"one number of five scores",
     {INNER, .step = BROKEN_SHAPE,
      .shape = SHAPE(3, 8, 8, 5, 6, 3, 4, .scores = KLDVE_SCORES_NUMBER)},
     KLDVE_E_ARG,
     "broken: shape: 5 scores are not one number"},
    {"what the library sets",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 8, 8, 5, 6, 3, 4, .single = 1)},
     KLDVE_E_ARG,
     "broken: shape: `single` is for the library to set"},
    {"sizes that overflow",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(INT32_MAX, INT32_MAX, INT32_MAX, 5, 6, 3, 4, )},
     KLDVE_E_ARG,
     "broken: shape: an array has more values than can be addressed"},
    {"more cells than BLAS can count",
     {INNER, .step = BROKEN_SHAPE, .shape = SHAPE(3, 8, 8, 5, 1, 65536, 65536, )},
     KLDVE_E_ARG,
     "broken: shape: an array has more values than can be addressed"},
    {"forward fails with a reason",
     {INNER, .step = BROKEN_FORWARD, .status = KLDVE_E_BACKEND, .message = "the driver is gone"},
     KLDVE_E_BACKEND,
     "broken: forward: the driver is gone"},
    {"forward fails without a reason",
     {INNER, .step = BROKEN_FORWARD, .status = KLDVE_E_BACKEND},
     KLDVE_E_BACKEND,
     "broken: forward: backend failure"},
    {"logit that is not a number",
     {INNER, .step = BROKEN_LOGITS, .poison = NAN},
     KLDVE_E_NUMERIC,
     "broken: logit 1 of 5 is not a number"},
    {"infinite logit",
     {INNER, .step = BROKEN_LOGITS, .poison = INFINITY},
     KLDVE_E_NUMERIC,
     "broken: logit 1 of 5 is infinite"},
    {"infinite feature",
     {INNER, .step = BROKEN_FEATURES, .poison = -INFINITY},
     KLDVE_E_NUMERIC,
     "broken: feature 71 of 72 is minus infinity"},
    {"backward fails",
     {INNER, .step = BROKEN_VJP, .status = KLDVE_E_UNSUPPORTED, .message = "Gelu has no VJP"},
     KLDVE_E_UNSUPPORTED,
     "broken: backward: Gelu has no VJP"},
    {"gradient that is not a number",
     {INNER, .step = BROKEN_GRADIENT, .poison = NAN},
     KLDVE_E_NUMERIC,
     "broken: gradient 0 of 72 is not a number"},
};

static void input_of(float *input)
{
    uint64_t seed = 9;

    for (int i = 0; i < INPUTS; i++)
        input[i] = (float)test_normal(&seed);
}

static void check_failure(void **state)
{
    const struct failure *f = *state;
    broken_config config = f->config;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *const no_explainer = (kldve_explainer *)(void *)&heap;
    kldve_heatmap *const no_map = (kldve_heatmap *)(void *)&heap;
    kldve_explainer *ex = no_explainer;
    kldve_heatmap *map = no_map;
    float input[INPUTS];
    long open_states = 0;
    kldve_status st;

    input_of(input);
    config.open_states = &open_states;
    st = kldve_explainer_new(ctx, &broken_backend, &config, &ex);
    if (st == KLDVE_OK) {
        st = kldve_explain_input(ex, input, NULL, &map);
        assert_ptr_equal(map, no_map);
        kldve_explainer_free(ex);
    } else {
        assert_ptr_equal(ex, no_explainer);
    }
    assert_int_equal(st, f->status);
    assert_string_equal(kldve_ctx_message(ctx), f->message);
    assert_int_equal(open_states, 0);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- tables that are not backends ------------------------------------------------------------- */

static void refuse_table(const kldve_backend *backend, kldve_status status, const char *message)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    assert_int_equal(kldve_explainer_new(ctx, backend, &net, &ex), status);
    assert_string_equal(kldve_ctx_message(ctx), message);
    assert_null(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void accept_table(const kldve_backend *backend)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    assert_int_equal(kldve_explainer_new(ctx, backend, &net, &ex), KLDVE_OK);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Each of the required slots, and the first that an older table may lack. */
static void test_tables(void **state)
{
    static const struct {
        size_t offset;
        const char *name;
    } slots[] = {{offsetof(kldve_backend, open), "open"},
                 {offsetof(kldve_backend, shape), "shape"},
                 {offsetof(kldve_backend, forward), "forward"},
                 {offsetof(kldve_backend, close), "close"}};
    kldve_backend b = tiny_backend;
    char message[64];

    (void)state;
    refuse_table(NULL, KLDVE_E_ARG, "the backend is NULL");
    b.name = NULL;
    refuse_table(&b, KLDVE_E_ARG, "backend without a name: the table has no name");
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
        snprintf(message, sizeof message, "backend tiny: the table has no %s", slots[i].name);
        b = tiny_backend;
        memset((char *)&b + slots[i].offset, 0, sizeof(void (*)(void)));
        refuse_table(&b, KLDVE_E_ARG, message);
        b = tiny_backend;
        b.struct_size = slots[i].offset; /* the table ends before it */
        memset((char *)&b + slots[i].offset, 0xaa, sizeof b - slots[i].offset);
        refuse_table(&b, KLDVE_E_ARG, message);
    }
}

static void test_table_sizes(void **state)
{
    static const size_t never_set[] = {0, sizeof(size_t), SIZE_MAX};
    struct {
        kldve_backend known;
        void (*later)(void);
    } newer = {tiny_backend, NULL};
    kldve_backend b = tiny_backend;
    char message[200];

    (void)state;
    for (size_t i = 0; i < sizeof never_set / sizeof *never_set; i++) {
        b.struct_size = never_set[i];
        snprintf(message, sizeof message,
                 "kldve_backend: struct_size is %zu; set it to sizeof(kldve_backend)",
                 never_set[i]);
        refuse_table(&b, KLDVE_E_ARG, message);
    }

    newer.known.struct_size = sizeof newer;
    accept_table(&newer.known);
    memset(&newer.later, 1, sizeof newer.later);
    snprintf(message, sizeof message,
             "kldve_backend: byte %zu is set, but the struct of libkldve %s ends at %zu; leave "
             "newer members zero or use a newer libkldve",
             sizeof(kldve_backend), kldve_version(), sizeof(kldve_backend));
    refuse_table(&newer.known, KLDVE_E_UNSUPPORTED, message);
}

/* -- messages --------------------------------------------------------------------------------- */

/* A backend without a reason must not be given that of an older failure, and after a success there
 * is no message. */
static void test_messages_do_not_mix(void **state)
{
    broken_config config = {INNER, .step = BROKEN_FORWARD, .status = KLDVE_E_BACKEND, .after = 1};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    float input[INPUTS];

    (void)state;
    input_of(input);
    kldve_ctx_fail(ctx, KLDVE_E_IO, "an older failure");
    assert_int_equal(kldve_explainer_new(ctx, &broken_backend, &config, &ex), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_OK);
    assert_string_equal(kldve_ctx_message(ctx), "");
    kldve_heatmap_free(map);
    map = NULL;
    kldve_ctx_fail(ctx, KLDVE_E_IO, "an older failure");
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_E_BACKEND);
    assert_string_equal(kldve_ctx_message(ctx), "broken: forward: backend failure");
    assert_null(map);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- backends that cannot --------------------------------------------------------------------- */

#define SIZED .struct_size = sizeof(kldve_options)

static int32_t batch_of(const kldve_explainer *ex)
{
    kldve_shape shape = {.struct_size = sizeof shape};

    assert_int_equal(kldve_explainer_shape(ex, &shape), KLDVE_OK);
    return shape.batch;
}

static kldve_shape claimed;

static void claimed_shape(const void *state, kldve_shape *out)
{
    (void)state;
    *out = claimed;
}

/* Tables of before there were batches, or only half of them. */
static void test_older_backends(void **state)
{
    kldve_options paper = {SIZED, .reading = KLDVE_READING_PAPER};
    kldve_backend older = batched_backend;
    struct pair f;

    (void)state;
    pair_about = "older backend";
    older.struct_size = offsetof(kldve_backend, forward_many);
    pair_open_table(&f, &older, (batched_config){.batch = BATCH}, &pair_curved);
    assert_int_equal(batch_of(f.ex), 1);
    pair_check(&f, NULL, MOST);
    assert_int_equal(f.counts.forward_many + f.counts.vjp_many, 0);
    assert_int_equal(f.counts.forward, MOST);
    pair_close(&f);

    pair_about = "no vjp_many";
    older.struct_size = offsetof(kldve_backend, vjp_many);
    pair_open_table(&f, &older, (batched_config){.batch = BATCH}, &pair_curved);
    assert_int_equal(batch_of(f.ex), BATCH);
    pair_check(&f, NULL, MOST);
    assert_int_equal(f.counts.forward_many + f.counts.vjp_many, 0);
    pair_check(&f, &paper, MOST);
    assert_int_equal(f.counts.forward_many, 2);
    pair_close(&f);

    pair_about = "a batch of 0";
    older.struct_size = sizeof older;
    older.shape = claimed_shape;
    claimed = (kldve_shape)SHAPE(CHANNELS, H * TINY_PATCH, W * TINY_PATCH, CLASSES, MAPS, H, W, );
    pair_open_table(&f, &older, (batched_config){.batch = BATCH}, &pair_curved);
    assert_int_equal(batch_of(f.ex), 1);
    pair_check(&f, NULL, MOST);
    assert_int_equal(f.counts.forward_many + f.counts.vjp_many, 0);
    pair_close(&f);

    pair_about = "a batch of 1";
    pair_open_table(&f, &batched_backend, (batched_config){.batch = 1}, &pair_curved);
    assert_int_equal(batch_of(f.ex), 1);
    pair_check(&f, NULL, MOST);
    assert_int_equal(f.counts.forward_many + f.counts.vjp_many, 0);
    pair_close(&f);
}

static void refuse_shape(kldve_shape shape, kldve_status status, const char *message)
{
    const batched_config config = {
        .inner = &tiny_backend, .inner_config = &pair_curved, .batch = BATCH};
    kldve_backend liar = batched_backend;
    kldve_explainer *ex = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    liar.shape = claimed_shape;
    claimed = shape;
    assert_int_equal(kldve_explainer_new(ctx, &liar, &config, &ex), status);
    assert_string_equal(kldve_ctx_message(ctx), message);
    assert_null(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_shapes(void **state)
{
    const char *large = "batched: shape: an array has more values than can be addressed";

    (void)state;
    refuse_shape((kldve_shape)SHAPE(3, 8, 8, 5, 6, 3, 4, .batch = -2), KLDVE_E_ARG,
                 "batched: shape: batch is -2, it must be 0 or more");
    refuse_shape((kldve_shape)SHAPE(3, 8, 8, 5, 6, 3, 4, .scores = 4), KLDVE_E_ARG,
                 "batched: shape: there are no scores of kind 4");
    refuse_shape((kldve_shape)SHAPE(3, 8, 8, 5, 6, 3, 4, .all_paths = 2), KLDVE_E_ARG,
                 "batched: shape: all_paths is 2, it must be -1, 0 or 1");
    refuse_shape((kldve_shape)SHAPE(3, INT32_MAX, 1, 5, 6, 3, 4, .batch = INT32_MAX), KLDVE_E_ARG,
                 large);
    refuse_shape((kldve_shape)SHAPE(3, 8, 8, 5, 3, INT32_MAX, 1, .batch = INT32_MAX), KLDVE_E_ARG,
                 large);
}

/* -- the pass that the state holds ------------------------------------------------------------ */

/* A network of batches that counts its passes, and room for what it answers. */
struct holder {
    test_heap heap;
    kldve_ctx *ctx;
    batched_counts counts;
    batched_config config;
    kldve_network net;
    float logits[BATCH * CLASSES], features[BATCH * MAPS * H * W], gradients[BATCH * MAPS * H * W];
    float cotangents[BATCH * CLASSES];
    int32_t refused;
};

static void holder_open(struct holder *h, batched_config config)
{
    memset(h, 0, sizeof *h);
    h->ctx = test_ctx(&h->heap);
    h->config = config;
    h->config.inner = &tiny_backend;
    h->config.inner_config = &pair_curved;
    h->config.counts = &h->counts;
    h->config.batch = BATCH;
    for (int i = 0; i < MOST * INPUTS; i++)
        pair_inputs[i / INPUTS][i % INPUTS] = (float)(i % 17) / 8;
    h->cotangents[0] = 1;
    assert_int_equal(kldve_network_open(h->ctx, &batched_backend, &h->config, &h->net), KLDVE_OK);
    assert_int_equal(h->net.held, KLDVE_HELD_NOTHING);
}

static void holder_close(struct holder *h)
{
    kldve_network_close(&h->net);
    kldve_ctx_free(h->ctx);
    assert_int_equal(h->heap.live, 0);
}

static void pass(struct holder *h, int32_t count)
{
    assert_int_equal(
        kldve_network_forward(&h->net, count, pair_inputs[0], h->logits, h->features, &h->refused),
        KLDVE_OK);
}

/* Restores the pass and fails unless that took exactly so many passes. */
static void restore(struct holder *h, int32_t count, const float *inputs, long passes)
{
    long before = h->counts.forward + h->counts.forward_many;

    assert_int_equal(
        kldve_network_restore(&h->net, count, inputs, h->logits, h->features, &h->refused),
        KLDVE_OK);
    assert_int_equal(h->counts.forward + h->counts.forward_many - before, passes);
    assert_int_equal(h->net.held, count == 1 ? KLDVE_HELD_INPUT : KLDVE_HELD_BATCH);
    assert_ptr_equal(h->net.held_for, inputs);
    assert_int_equal(kldve_network_vjp(&h->net, count, h->cotangents, h->gradients, &h->refused),
                     KLDVE_OK);
}

/* What methods run in between, and what the state holds afterwards. */
enum between { NOTHING, CHANGED, LET_GO, CHANGED_BATCH, FEATURES, BACKWARD, BETWEEN_END };

static void run_between(struct holder *h, enum between what)
{
    static const kldve_held held[] = {[CHANGED] = KLDVE_HELD_CHANGED,
                                      [LET_GO] = KLDVE_HELD_NOTHING,
                                      [CHANGED_BATCH] = KLDVE_HELD_NOTHING,
                                      [FEATURES] = KLDVE_HELD_CHANGED};
    float logits[BATCH * CLASSES];
    kldve_held before = h->net.held;
    kldve_status st = KLDVE_OK;

    if (what == CHANGED || what == LET_GO || what == CHANGED_BATCH)
        st = kldve_network_forward_changed(
            &h->net, pair_inputs[0], what == CHANGED_BATCH ? BATCH : 1, pair_inputs[4], logits);
    if (what == FEATURES)
        st = kldve_network_forward_features(&h->net, pair_inputs[0], h->features, logits);
    if (what == BACKWARD)
        st = kldve_network_vjp(&h->net, before == KLDVE_HELD_BATCH ? BATCH : 1, h->cotangents,
                               h->gradients, &h->refused);
    if (what == NOTHING || what == LET_GO)
        kldve_network_let_go(&h->net);
    assert_int_equal(st, KLDVE_OK);
    assert_int_equal(h->net.held, what == NOTHING || what == BACKWARD ? before : held[what]);
}

static void test_held(void **state)
{
    (void)state;
    for (int32_t count = 1; count <= BATCH; count += BATCH - 1)
        for (int what = NOTHING; what < BETWEEN_END; what++) {
            bool stays = what == NOTHING || what == BACKWARD;
            struct holder h;

            if (count > 1 && what == FEATURES)
                continue; /* a batch is nothing to change features of */
            holder_open(&h, (batched_config){0});
            restore(&h, count, pair_inputs[0], 1); /* from nothing */
            run_between(&h, (enum between)what);
            restore(&h, count, pair_inputs[0], stays ? 0 : 1);
            restore(&h, count, pair_inputs[0], 0);
            holder_close(&h);
        }
}

/* An input is not its batch, nor another input. */
static void test_restore_for_another(void **state)
{
    struct holder h;

    (void)state;
    holder_open(&h, (batched_config){0});
    pass(&h, BATCH);
    restore(&h, 1, pair_inputs[0], 1);
    restore(&h, BATCH, pair_inputs[0], 1);
    restore(&h, BATCH, pair_inputs[BATCH], 1);
    restore(&h, 1, pair_inputs[1], 1);
    restore(&h, 1, pair_inputs[2], 1);
    restore(&h, 1, pair_inputs[2], 0);
    holder_close(&h);
}

/* After a pass that failed, or whose numbers are refused, there is nothing to look back on. */
static void test_restore_after_failure(void **state)
{
    static const batched_config broken[] = {
        {.step = BROKEN_FORWARD, .after = 1, .status = KLDVE_E_BACKEND},
        {.step = BROKEN_LOGITS, .after = 1, .row = 1, .poison = NAN},
        {.step = BROKEN_FEATURES, .after = 1, .row = 2, .poison = INFINITY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct holder h;

        holder_open(&h, broken[i]);
        pass(&h, BATCH);
        assert_true(kldve_network_forward(&h.net, BATCH, pair_inputs[0], h.logits, h.features,
                                          &h.refused) < 0);
        assert_int_equal(h.refused, broken[i].row > 0 ? broken[i].row : -1);
        assert_int_equal(h.net.held, KLDVE_HELD_NOTHING);
        restore(&h, 1, pair_inputs[0], 1);
        holder_close(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_table_sizes),
        cmocka_unit_test(test_messages_do_not_mix),
        cmocka_unit_test(test_older_backends),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_restore_after_failure),
        cmocka_unit_test(test_restore_for_another),
    };
    int failed = TEST_RUN_CASES("failures by stage", failures, check_failure);

    return failed + cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
