/* test_many.c - several inputs at once: each map equals that of a backend that runs one input after
 * another, whatever the method, the number of inputs and the batch; all or none are returned.  The
 * backend under test (batched.h) refuses calls in the wrong order and counts them. */
#include "backends/pair.h"
#include "got.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <kldve/method.h>

#include "base/clock.h"

/* -- every method ----------------------------------------------------------------------------- */

/* Does a method work on the results of one forward pass and one VJP?  Then that many calls. */
static void check_counts(struct pair *f, const kldve_options *o, bool together, bool gradient,
                         int32_t count)
{
    kldve_heatmap *maps[MOST];
    long factor = o->flags & KLDVE_FLAG_CHECK ? 2 : 1;

    memset(&f->counts, 0, sizeof f->counts);
    assert_int_equal(kldve_explain_inputs(f->ex, pair_inputs[0], count, o, maps), KLDVE_OK);
    pair_free_maps(maps, count);
    if (!together) {
        assert_int_equal(f->counts.vjp_many, 0);
        return;
    }
    assert_int_equal(f->counts.forward_many, count / BATCH);
    assert_int_equal(f->counts.forward, count % BATCH);
    assert_int_equal(f->counts.vjp_many, gradient ? factor * (count / BATCH) : 0);
    assert_int_equal(f->counts.vjp, gradient ? factor * (count % BATCH) : 0);
}

static void test_methods(void **state)
{
    static const int32_t counts[] = {1, BATCH - 1, BATCH, BATCH + 1, MOST};
    int32_t together = 0, apart = 0;

    (void)state;
    for (int head = 0; head < 2; head++)
        for (int32_t m = 0; got_method(NULL, m); m++) {
            const kldve_method *method = got_method(NULL, m);
            kldve_options o = {.struct_size = sizeof o,
                               .method = method->name,
                               .samples = method->options & KLDVE_OPTION_SAMPLES ? 30 : 0,
                               .window = method->options & KLDVE_OPTION_WINDOW ? 8 : 0};
            bool one_pass = tiny_from_arrays(m);
            struct pair f;

            pair_about = method->name;
            pair_open(&f, head ? &pair_curved : &pair_linear);
            *(one_pass ? &together : &apart) += 1;
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                o.flags = one_pass ? (uint64_t)(c % 2) : 0;
                o.check_passes = o.flags ? -1 : 0; /* counted below */
                pair_check(&f, &o, counts[c]);
                if (!head) /* that of CAM */
                    check_counts(&f, &o, one_pass, method->needs & KLDVE_NEED_GRADIENT, counts[c]);
            }
            pair_close(&f);
        }
    assert_true(together >= 2 * 10 && apart >= 2 * 20);
}

/* -- every option ----------------------------------------------------------------------------- */

static void test_options(void **state)
{
    static const int32_t set[] = {3, 1};
    static const double truth[CLASSES] = {1, -2, 0.5, 3, 0};
#define SIZED .struct_size = sizeof(kldve_options)
    const kldve_options options[] = {
        {SIZED},
        {SIZED, .target = 2},
        {SIZED, .target_kind = KLDVE_TARGET_INDEX, .target = 4},
        {SIZED, .target_kind = KLDVE_TARGET_SET, .targets = set, .target_count = 2},
        {SIZED, .target_kind = KLDVE_TARGET_VERSUS, .target = 1, .rival = 3},
        {SIZED, .temperature = 2.5f, .perplexity = 2},
        {SIZED, .truth = truth},
        {SIZED, .sign = KLDVE_SIGN_SIGNED},
        {SIZED, .smooth = 1},
    };
    struct pair f;

    (void)state;
    pair_open(&f, &pair_curved);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        for (int32_t reading = 1; reading <= KLDVE_READING_NEIGHBOURS + 1; reading++)
            for (uint64_t flags = 0; flags <= KLDVE_FLAG_CHECK; flags++) {
                kldve_options o = options[i];
                char name[80];

                o.check_passes = flags ? -1 : 0;
                if (reading > KLDVE_READING_NEIGHBOURS)
                    o.method = "grad-cam";
                else
                    o.reading = reading;
                if (o.truth && o.reading >= KLDVE_READING_RIVALS)
                    continue;
                o.flags = flags;
                snprintf(name, sizeof name, "options %zu, %s, flags %d", i,
                         o.method ? o.method : kldve_reading_name(reading), (int)flags);
                pair_about = name;
                pair_check(&f, &o, MOST);
                check_counts(&f, &o, !o.smooth, reading != KLDVE_READING_PAPER, MOST);
            }
    pair_close(&f);
}

/* 0 where one is constant, all zeros, and 1 where both are. */
static double pearson(const float *a, const float *b, size_t count)
{
    double n = (double)count, sa = 0, sb = 0, ab = 0, aa = 0, bb = 0;

    for (size_t i = 0; i < count; i++) {
        sa += (double)a[i];
        sb += (double)b[i];
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    if (sa == 0 || sb == 0)
        return sa == sb;
    return (n * ab - sa * sb) / sqrt((n * aa - sa * sa) * (n * bb - sb * sb));
}

/* The best class that is not asked about. */
static int32_t other_class(const kldve_options *o, const kldve_heatmap *map)
{
    const float *k = got_logits(map, NULL);
    kldve_record r = {.struct_size = sizeof r};
    int32_t best = -1;

    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    for (int32_t c = 0; c < CLASSES; c++) {
        bool asked = c == r.target;

        for (int32_t i = 0; o->target_kind == KLDVE_TARGET_SET && i < o->target_count; i++)
            asked |= o->targets[i] == c;
        if (!asked && (best < 0 || k[c] > k[best]))
            best = c;
    }
    return best;
}

/* Of whatever is asked about, the check compares the map with that of the best other class. */
static void test_sensitivity(void **state)
{
    static const int32_t set[] = {3, 1};
    const kldve_options asked[] = {
        {SIZED},
        {SIZED, .target_kind = KLDVE_TARGET_SET, .targets = set, .target_count = 2},
        {SIZED, .target_kind = KLDVE_TARGET_VERSUS, .target = 1, .rival = 3},
        {SIZED, .method = "grad-cam", .target_kind = KLDVE_TARGET_SET, .targets = set,
         .target_count = 2},
    };
    struct pair f;

    (void)state;
    pair_open(&f, &pair_curved);
    for (size_t q = 0; q < sizeof asked / sizeof *asked; q++) {
        kldve_options o = asked[q];
        kldve_heatmap *checked[MOST];

        o.flags = KLDVE_FLAG_CHECK;
        assert_int_equal(kldve_explain_inputs(f.ex, pair_inputs[0], MOST, &o, checked), KLDVE_OK);
        for (int32_t i = 0; i < MOST; i++) {
            kldve_options one = {SIZED, .method = o.method, .target_kind = KLDVE_TARGET_INDEX};
            kldve_heatmap *map = NULL, *other = NULL;
            kldve_record r = {.struct_size = sizeof r};

            assert_int_equal(kldve_explain_input(f.plain, pair_inputs[i], &asked[q], &map),
                             KLDVE_OK);
            one.target = other_class(&asked[q], map);
            assert_int_equal(kldve_explain_input(f.plain, pair_inputs[i], &one, &other), KLDVE_OK);
            assert_int_equal(kldve_heatmap_record(checked[i], &r), KLDVE_OK);
            for (size_t v = 0; v < H * W; v++)
                pair_same_number("value beside a check", v, (double)got_values(checked[i])[v],
                                 (double)got_values(map)[v]);
            assert_true(fabs(r.class_sensitivity - 1 +
                             pearson(got_values(map), got_values(other), H * W)) < 1e-5);
            kldve_heatmap_free(map);
            kldve_heatmap_free(other);
        }
        pair_free_maps(checked, MOST);
    }
    pair_close(&f);
}

/* r and ms [count]. */
static void explain_records(struct pair *f, const kldve_options *o, int32_t count, kldve_record *r,
                            kldve_timings *ms)
{
    kldve_heatmap *maps[MOST];

    assert_int_equal(kldve_explain_inputs(f->ex, pair_inputs[0], count, o, maps), KLDVE_OK);
    for (int32_t i = 0; i < count; i++) {
        ms[i] = pair_times(maps[i]);
        r[i].struct_size = sizeof r[i];
        assert_int_equal(kldve_heatmap_record(maps[i], &r[i]), KLDVE_OK);
    }
    pair_free_maps(maps, count);
}

/* Each input has its own class. */
static void test_classes(void **state)
{
    kldve_record r[MOST];
    kldve_timings ms[MOST];
    bool differ = false;
    struct pair f;

    (void)state;
    pair_open(&f, &pair_curved);
    explain_records(&f, NULL, MOST, r, ms);
    for (int32_t i = 1; i < MOST; i++)
        differ |= r[i].target != r[0].target;
    assert_true(differ);
    pair_close(&f);
}

/* -- times ------------------------------------------------------------------------------------ */

/* Each forward and backward pass takes 2 ms; `spent` is what those of the check took. */
struct slow {
    bool check;
    int32_t backwards;
    double spent;
};

static int32_t nap(void *opaque, const char *stage, int64_t done, int64_t total)
{
    struct slow *s = opaque;
    double start = kldve_clock_ms();

    (void)done;
    (void)total;
    if (strcmp(stage, "inputs") == 0)
        return 0;
    while (kldve_clock_ms() - start < 2)
        continue;
    if (strcmp(stage, "backward") == 0 && s->check && s->backwards++ % 2 == 0)
        s->spent += kldve_clock_ms() - start;
    return 0;
}

/* The times of a batch are shared out: together they are no more than the call took, without what
 * the check took. */
static void test_times(void **state)
{
    struct pair f;

    (void)state;
    pair_open(&f, &pair_curved);
    for (uint64_t flags = 0; flags <= KLDVE_FLAG_CHECK; flags++) {
        const kldve_options o = {
            .struct_size = sizeof o, .flags = flags, .check_passes = flags ? -1 : 0};
        struct slow slow = {flags != 0, 0, 0};
        double start = kldve_clock_ms(), sum = 0;
        kldve_record r[2 * BATCH];
        kldve_timings ms[2 * BATCH];

        kldve_ctx_set_progress(f.ctx, nap, &slow);
        explain_records(&f, &o, 2 * BATCH, r, ms);
        for (int32_t i = 0; i < 2 * BATCH; i++) {
            const kldve_timings *t = &ms[i], *first = &ms[i / BATCH * BATCH];

            assert_true(t->forward == first->forward && t->backward == first->backward);
            assert_true(t->forward >= 2.0 / BATCH && t->backward >= 2.0 / BATCH);
            assert_true(t->divergence > 0 && t->reduce > 0);
            sum += t->forward + t->divergence + t->backward + t->reduce;
        }
        /* On a busy machine a poll repeats a report, and the passes of the check are no longer
         * every other one. */
        if (slow.backwards == (flags ? 4 : 0))
            assert_true(sum + slow.spent <= kldve_clock_ms() - start);
        assert_int_equal(slow.spent > 0, flags != 0);
    }
    pair_close(&f);
}

/* -- pictures --------------------------------------------------------------------------------- */

static void test_pictures(void **state)
{
    const kldve_input_spec spec = {.struct_size = sizeof spec, .scale = 1 / 255.0f};
    kldve_image *pictures[MOST];
    struct pair f;

    (void)state;
    pair_about = "pictures";
    pair_open(&f, &pair_colour);
    pair_draw_pictures(f.ctx, pictures);
    assert_int_equal(kldve_explainer_set_input(f.ex, &spec), KLDVE_OK);
    assert_int_equal(kldve_explainer_set_input(f.plain, &spec), KLDVE_OK);
    for (int32_t count = 1; count <= MOST; count++) {
        kldve_heatmap *got[MOST], *want = NULL;

        assert_int_equal(
            kldve_explain_many(f.ex, (const kldve_image *const *)pictures, count, NULL, got),
            KLDVE_OK);
        for (int32_t i = 0; i < count; i++) {
            assert_int_equal(kldve_explain(f.plain, pictures[i], NULL, &want), KLDVE_OK);
            pair_same(got[i], want);
            kldve_heatmap_free(want);
        }
        pair_free_maps(got, count);
    }
    for (int32_t i = 0; i < MOST; i++)
        kldve_image_free(pictures[i]);
    pair_close(&f);
}

/* A picture that cannot be prepared, at every place. */
static void test_bad_picture(void **state)
{
    kldve_image *pictures[MOST];
    const kldve_image *list[MOST];
    kldve_image *narrow = NULL;
    kldve_heatmap *maps[MOST];
    struct pair f;

    (void)state;
    pair_open(&f, &pair_colour);
    pair_draw_pictures(f.ctx, pictures);
    assert_int_equal(kldve_image_new(f.ctx, 4, 20000, &narrow), KLDVE_OK);
    pair_reset(maps);
    for (int32_t bad = 0; bad < MOST; bad++) {
        char message[200];

        for (int32_t i = 0; i < MOST; i++)
            list[i] = i == bad ? narrow : pictures[i];
        assert_int_equal(kldve_explain_many(f.ex, list, MOST, NULL, maps), KLDVE_E_UNSUPPORTED);
        snprintf(message, sizeof message,
                 "input %d: a picture of 4 x 20000 pixels is too narrow: it would be resized to 32 "
                 "x 160000; crop it first, or pad or squash it",
                 bad);
        assert_string_equal(kldve_ctx_message(f.ctx), message);
        list[bad] = NULL;
        memset(&f.counts, 0, sizeof f.counts);
        assert_int_equal(kldve_explain_many(f.ex, list, MOST, NULL, maps), KLDVE_E_ARG);
        snprintf(message, sizeof message, "input %d: the picture is NULL", bad);
        assert_string_equal(kldve_ctx_message(f.ctx), message);
        assert_int_equal(f.counts.forward + f.counts.forward_many, 0);
        pair_untouched(maps);
    }
    kldve_image_free(narrow);
    for (int32_t i = 0; i < MOST; i++)
        kldve_image_free(pictures[i]);
    pair_close(&f);
}

/* -- failures --------------------------------------------------------------------------------- */

/* One input that is not finite, at every place, with and without what comes after. */
static void test_bad_input(void **state)
{
    struct pair f;
    kldve_heatmap *maps[MOST], *map = NULL;

    (void)state;
    pair_open(&f, &pair_linear);
    for (int32_t bad = 0; bad < MOST; bad++)
        for (int32_t count = bad + 1; count <= MOST; count++) {
            char message[600];
            float kept = pair_inputs[bad][0];
            long live;

            pair_reset(maps);
            assert_int_equal(kldve_explain_inputs(f.ex, pair_inputs[0], MOST, NULL, maps),
                             KLDVE_OK);
            pair_free_maps(maps, MOST);
            live = f.heap.live; /* with the divergences, which stay */
            pair_reset(maps);
            pair_inputs[bad][0] = INFINITY;
            assert_int_equal(kldve_explain_input(f.ex, pair_inputs[bad], NULL, &map),
                             KLDVE_E_NUMERIC);
            assert_non_null(strstr(kldve_ctx_message(f.ctx), "explain: number of the input 0 of "));
            snprintf(message, sizeof message, "input %d: %s", bad, kldve_ctx_message(f.ctx));
            assert_int_equal(kldve_explain_inputs(f.ex, pair_inputs[0], count, NULL, maps),
                             KLDVE_E_NUMERIC);
            assert_string_equal(kldve_ctx_message(f.ctx), message);
            pair_untouched(maps);
            assert_int_equal(f.heap.live, live);
            pair_inputs[bad][0] = kept;
        }
    pair_close(&f);
}

static const struct failure {
    const char *name;
    batched_config config;
    kldve_status status;
    const char *message;
} failures[] = {
    {"forward pass of the second batch",
     {.step = BROKEN_FORWARD, .after = 1, .status = KLDVE_E_BACKEND, .message = "no driver"},
     KLDVE_E_BACKEND,
     "inputs 3 to 5: batched: forward of a batch: no driver"},
    {"forward pass without a reason",
     {.step = BROKEN_FORWARD, .status = KLDVE_E_IO},
     KLDVE_E_IO,
     "inputs 0 to 2: batched: forward of a batch: input or output error"},
    {"forward pass that returns what is no status",
     {.step = BROKEN_FORWARD, .status = (kldve_status)1},
     KLDVE_E_BACKEND,
     "inputs 0 to 2: batched: forward of a batch: returned 1, which is not a status"},
    {"logit",
     {.step = BROKEN_LOGITS, .after = 1, .row = 1, .poison = NAN},
     KLDVE_E_NUMERIC,
     "input 4: batched: logit 1 of 5 is not a number"},
    {"feature",
     {.step = BROKEN_FEATURES, .row = 2, .poison = -INFINITY},
     KLDVE_E_NUMERIC,
     "input 2: batched: feature 71 of 72 is minus infinity"},
    {"VJP",
     {.step = BROKEN_VJP, .after = 1, .status = KLDVE_E_UNSUPPORTED, .message = "no such VJP"},
     KLDVE_E_UNSUPPORTED,
     "inputs 3 to 5: batched: backward of a batch: no such VJP"},
    {"gradient",
     {.step = BROKEN_GRADIENT, .after = 1, .row = 2, .poison = INFINITY},
     KLDVE_E_NUMERIC,
     "input 5: batched: gradient 0 of 72 is infinite"},
};

static void check_failure(void **state)
{
    const struct failure *x = *state;
    kldve_heatmap *maps[MOST];
    struct pair f;

    pair_reset(maps);
    pair_open_table(&f, &batched_backend, x->config, &pair_curved);
    kldve_ctx_fail(f.ctx, KLDVE_E_IO, "an older failure");
    assert_int_equal(kldve_explain_inputs(f.ex, pair_inputs[0], MOST, NULL, maps), x->status);
    assert_string_equal(kldve_ctx_message(f.ctx), x->message);
    pair_untouched(maps);
    /* One by one it still works, and does not take up what the batch left. */
    pair_about = x->name;
    pair_check(&f, NULL, 1);
    pair_close(&f);
}

/* Bad options are not blamed on an input and cost no pass. */
static void test_bad_options(void **state)
{
    const kldve_options bad[] = {
        {SIZED, .reading = 7},
        {SIZED, .method = "magic"},
        {SIZED, .target_kind = KLDVE_TARGET_INDEX, .target = CLASSES},
    };
    kldve_heatmap *maps[MOST], *map = NULL;
    struct pair f;

    (void)state;
    pair_reset(maps);
    pair_open(&f, &pair_curved);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[600];
        kldve_status st = kldve_explain_input(f.ex, pair_inputs[0], &bad[i], &map);

        snprintf(message, sizeof message, "%s", kldve_ctx_message(f.ctx));
        assert_true(st < 0);
        assert_int_equal(kldve_explain_inputs(f.ex, pair_inputs[0], MOST, &bad[i], maps), st);
        assert_string_equal(kldve_ctx_message(f.ctx), message);
        pair_untouched(maps);
    }
    assert_int_equal(f.counts.forward + f.counts.forward_many, 0);
    pair_close(&f);
}

static void refuse(struct pair *f, kldve_status st, const char *message)
{
    assert_int_equal(st, KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(f->ctx), message);
}

static void test_arguments(void **state)
{
    const kldve_image *pictures[1] = {NULL};
    kldve_heatmap *maps[MOST];
    struct pair f;

    (void)state;
    pair_reset(maps);
    pair_open(&f, &pair_curved);
    assert_int_equal(kldve_explain_inputs(NULL, pair_inputs[0], 1, NULL, maps), KLDVE_E_ARG);
    assert_int_equal(kldve_explain_many(NULL, pictures, 1, NULL, maps), KLDVE_E_ARG);
    refuse(&f, kldve_explain_inputs(f.ex, NULL, 1, NULL, maps), "explain: the inputs are NULL");
    refuse(&f, kldve_explain_inputs(f.ex, pair_inputs[0], 1, NULL, NULL),
           "explain: the results are NULL");
    refuse(&f, kldve_explain_inputs(f.ex, pair_inputs[0], 0, NULL, maps),
           "explain: the number of inputs is 0, it must be at least 1");
    refuse(&f, kldve_explain_many(f.ex, NULL, 1, NULL, maps), "explain: the pictures are NULL");
    refuse(&f, kldve_explain_many(f.ex, pictures, 1, NULL, NULL), "explain: the results are NULL");
    refuse(&f, kldve_explain_many(f.ex, pictures, -1, NULL, maps),
           "explain: the number of pictures is -1, it must be at least 1");
    pair_untouched(maps);
    pair_close(&f);
}

/* -- memory ----------------------------------------------------------------------------------- */

/* Open and explain pictures with `budget` allocations that succeed. */
static kldve_status explain_within(long budget, long *calls)
{
    static const int32_t set[] = {2, 0};
    const batched_config config = {
        .inner = &tiny_backend, .inner_config = &pair_colour, .batch = BATCH};
    const kldve_options o = {SIZED, .flags = KLDVE_FLAG_CHECK, .target_kind = KLDVE_TARGET_SET,
                             .targets = set, .target_count = 2};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *pictures[MOST];
    kldve_heatmap *maps[MOST];
    kldve_explainer *ex = NULL;
    kldve_status st;

    pair_reset(maps);
    pair_draw_pictures(ctx, pictures);
    heap.calls = 0;
    heap.budget = budget;
    st = kldve_explainer_new(ctx, &batched_backend, &config, &ex);
    if (st == KLDVE_OK)
        st = kldve_explain_many(ex, (const kldve_image *const *)pictures, BATCH + 1, &o, maps);
    *calls = heap.calls;
    if (st == KLDVE_OK) {
        pair_free_maps(maps, BATCH + 1);
    } else {
        assert_string_not_equal(kldve_ctx_message(ctx), "");
        pair_untouched(maps);
    }
    for (int32_t i = 0; i < MOST; i++)
        kldve_image_free(pictures[i]);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    return st;
}

static void test_allocations(void **state)
{
    long total, calls;

    (void)state;
    assert_int_equal(explain_within(-1, &total), KLDVE_OK);
    assert_true(total > 30);
    for (long budget = 0; budget < total; budget++)
        assert_int_equal(explain_within(budget, &calls), KLDVE_E_NOMEM);
}

/* If there is no room for a batch, what exists for one input stays. */
static void test_no_room(void **state)
{
    const kldve_options o = {SIZED};
    kldve_status st = KLDVE_E_NOMEM;
    kldve_heatmap *maps[MOST];
    struct pair f;

    (void)state;
    pair_open(&f, &pair_curved);
    pair_about = "after there was no room";
    for (long budget = 0; st != KLDVE_OK; budget++) {
        pair_reset(maps);
        f.heap.budget = budget;
        st = kldve_explain_inputs(f.ex, pair_inputs[0], BATCH, &o, maps);
        f.heap.budget = -1;
        assert_true(st == KLDVE_OK || st == KLDVE_E_NOMEM);
        if (st < 0)
            pair_untouched(maps);
        pair_check(&f, &o, 1);
        assert_true(budget < 1000);
    }
    pair_free_maps(maps, BATCH);
    pair_close(&f);
}

/* From the second call on only the heat maps are allocated. */
static void test_nothing_else_allocated(void **state)
{
    struct pair f;

    (void)state;
    pair_open(&f, &pair_linear);
    for (int32_t m = 0; got_method_name(m); m++) {
        kldve_options o = {.struct_size = sizeof o,
                           .method = got_method_name(m),
                           .flags = KLDVE_FLAG_CHECK,
                           .check_passes = -1};
        kldve_heatmap *maps[MOST];

        if (strncmp(o.method, "eigen", 5) == 0 || !tiny_from_arrays(m))
            continue; /* they use their own memory */
        for (int call = 0; call < 2; call++) {
            f.heap.calls = 0;
            assert_int_equal(kldve_explain_inputs(f.ex, pair_inputs[0], MOST, &o, maps), KLDVE_OK);
            pair_free_maps(maps, MOST);
        }
        assert_int_equal(f.heap.calls, MOST);
    }
    pair_close(&f);
}

/* -- progress --------------------------------------------------------------------------------- */

struct stop {
    long calls, at; /* 0: never */
    int64_t inputs; /* the last that was reported */
};

static int32_t stop_at(void *opaque, const char *stage, int64_t done, int64_t total)
{
    struct stop *s = opaque;

    assert_true(done >= 0 && done < total);
    if (strcmp(stage, "inputs") == 0) {
        assert_int_equal(total, MOST);
        assert_true(done == 0 || done > s->inputs);
        s->inputs = done;
    }
    return ++s->calls == s->at;
}

static void test_cancel(void **state)
{
    const kldve_options o = {SIZED, .flags = KLDVE_FLAG_CHECK, .check_passes = -1};
    struct stop all = {0, 0, 0};
    kldve_heatmap *maps[MOST];
    struct pair f;
    long live;

    (void)state;
    pair_open(&f, &pair_curved);
    kldve_ctx_set_progress(f.ctx, stop_at, &all);
    assert_int_equal(kldve_explain_inputs(f.ex, pair_inputs[0], MOST, &o, maps), KLDVE_OK);
    pair_free_maps(maps, MOST);
    assert_int_equal(all.calls, 3 * (1 + 1 + 2)); /* 2 batches and 1: inputs, forward, backward */
    assert_int_equal(all.inputs, 2 * BATCH);
    live = f.heap.live;
    pair_reset(maps);
    for (long at = 1; at <= all.calls; at++) {
        struct stop stop = {0, at, 0};

        kldve_ctx_set_progress(f.ctx, stop_at, &stop);
        assert_int_equal(kldve_explain_inputs(f.ex, pair_inputs[0], MOST, &o, maps),
                         KLDVE_E_CANCELLED);
        assert_non_null(strstr(kldve_ctx_message(f.ctx), "cancelled during "));
        assert_int_equal(stop.calls, at);
        pair_untouched(maps);
        assert_int_equal(f.heap.live, live);
    }
    kldve_ctx_set_progress(f.ctx, NULL, NULL);
    pair_about = "after it was cancelled";
    pair_check(&f, &o, MOST);
    pair_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_sensitivity),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_bad_picture),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_nothing_else_allocated),
        cmocka_unit_test(test_cancel),
    };
    int failed = TEST_RUN_CASES("batches that fail", failures, check_failure);

    return failed + cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
