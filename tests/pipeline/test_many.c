/* test_many.c - several inputs at once: each map equals that of a backend that runs one input after
 * another, whatever the method, the number of inputs and the batch; all or none are returned.  The
 * backend under test (batched.h) refuses calls in the wrong order and counts them. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <kldve/method.h>

#include "backends/batched.h"
#include "base/clock.h"
#include "backends/tiny.h"

enum { CHANNELS = 2, H = 3, W = 4, MAPS = 6, CLASSES = 5, BATCH = 3, MOST = 2 * BATCH + 1 };
enum { INPUTS = CHANNELS * H * W * TINY_PATCH * TINY_PATCH };

static const tiny_config linear = {CHANNELS, H, W, MAPS, CLASSES, 40, false};
static const tiny_config curved = {CHANNELS, H, W, MAPS, CLASSES, 40, true};

static float inputs[MOST][INPUTS];

static void draw_inputs(void)
{
    uint64_t seed = 9;

    for (int32_t i = 0; i < MOST; i++)
        for (int c = 0; c < CHANNELS; c++) {
            double level = 3 * test_normal(&seed); /* so that not all have one class */

            for (int j = c * INPUTS / CHANNELS; j < (c + 1) * INPUTS / CHANNELS; j++)
                inputs[i][j] = (float)(level + test_normal(&seed));
        }
}

/* One context with the backend under test and the one that it is compared with. */
struct fixture {
    test_heap heap;
    kldve_ctx *ctx;
    batched_counts counts;
    batched_config config;
    kldve_explainer *ex, *plain;
};

static void open_table(struct fixture *f, const kldve_backend *table, batched_config config,
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

static void open_fixture(struct fixture *f, const tiny_config *net)
{
    open_table(f, &batched_backend, (batched_config){.batch = BATCH}, net);
}

static void close_fixture(struct fixture *f)
{
    kldve_explainer_free(f->ex);
    kldve_explainer_free(f->plain);
    kldve_ctx_free(f->ctx);
    assert_int_equal(f->heap.live, 0);
}

/* -- what is compared ------------------------------------------------------------------------- */

static const char *about; /* at the head of messages */

static void same_number(const char *what, size_t i, double got, double want)
{
    if (isnan(got) && isnan(want))
        return;
    if (!(fabs(got - want) <= 1e-6 * (1 + fabs(want))))
        fail_msg("%s: %s %zu: %.9g, one by one %.9g", about, what, i, got, want);
}

static void same_doubles(const char *what, const kldve_heatmap *got, const kldve_heatmap *want,
                         const double *(*get)(const kldve_heatmap *map, size_t *count))
{
    size_t count, expected;
    const double *a = get(got, &count), *b = get(want, &expected);

    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++)
        same_number(what, i, a[i], b[i]);
}

static void same_floats(const char *what, const kldve_heatmap *got, const kldve_heatmap *want,
                        const float *(*get)(const kldve_heatmap *map, size_t *count))
{
    size_t count, expected;
    const float *a = get(got, &count), *b = get(want, &expected);

    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++)
        same_number(what, i, (double)a[i], (double)b[i]);
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
    assert_int_equal(a->flat, b->flat);
    assert_int_equal(a->sign, b->sign);
    same_number("logit", 0, (double)a->logit, (double)b->logit);
    same_number("probability", 0, (double)a->probability, (double)b->probability);
    same_number("KL", 0, a->kl, b->kl);
    same_number("class sensitivity", 0, a->class_sensitivity, b->class_sensitivity);
    assert_true(a->seen_x == b->seen_x && a->seen_y == b->seen_y);
    assert_true(a->seen_width == b->seen_width && a->seen_height == b->seen_height);
}

static kldve_timings times_of(const kldve_heatmap *map)
{
    kldve_timings ms = {.struct_size = sizeof ms};

    assert_int_equal(kldve_heatmap_timings(map, &ms), KLDVE_OK);
    return ms;
}

/* The same stages ran. */
static void same_stages(const kldve_heatmap *got, const kldve_heatmap *want)
{
    const kldve_timings a = times_of(got), b = times_of(want);

    assert_true(a.forward > 0);
    assert_int_equal(a.preprocess > 0, b.preprocess > 0);
    assert_int_equal(a.backward > 0, b.backward > 0);
}

static void same(const kldve_heatmap *got, const kldve_heatmap *want)
{
    kldve_record a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};

    assert_int_equal(kldve_heatmap_record(got, &a), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(want, &b), KLDVE_OK);
    same_records(&a, &b);
    same_stages(got, want);
    for (size_t i = 0; i < (size_t)a.height * (size_t)a.width; i++)
        same_number("value", i, (double)kldve_heatmap_values(got)[i],
                    (double)kldve_heatmap_values(want)[i]);
    same_floats("logit", got, want, kldve_heatmap_logits);
    same_floats("error", got, want, kldve_heatmap_error);
    same_doubles("z", got, want, kldve_heatmap_z);
    same_doubles("alpha", got, want, kldve_heatmap_alpha);
    same_doubles("cotangent", got, want, kldve_heatmap_cotangent);
    same_doubles("weight", got, want, kldve_heatmap_weights);
}

static kldve_heatmap *const no_map = (kldve_heatmap *)(void *)inputs;

static void untouched(kldve_heatmap *const *maps)
{
    for (int32_t i = 0; i < MOST; i++)
        assert_ptr_equal(maps[i], no_map);
}

static void reset(kldve_heatmap **maps)
{
    for (int32_t i = 0; i < MOST; i++)
        maps[i] = no_map;
}

static void free_maps(kldve_heatmap **maps, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        kldve_heatmap_free(maps[i]);
}

/* `count` inputs at once against one by one, also where that fails. */
static void check(struct fixture *f, const kldve_options *o, int32_t count)
{
    kldve_heatmap *got[MOST], *want = NULL;
    char message[600];
    kldve_status st, expected = KLDVE_OK;

    reset(got);
    st = kldve_explain_inputs(f->ex, count, inputs[0], o, got);
    snprintf(message, sizeof message, "%s", kldve_ctx_message(f->ctx));
    for (int32_t i = 0; expected == KLDVE_OK && i < count; i++) {
        expected = kldve_explain_input(f->plain, inputs[i], o, &want);
        if (expected < 0)
            break;
        if (st != KLDVE_OK)
            fail_msg("%s: %s", about, message);
        same(got[i], want);
        kldve_heatmap_free(want);
    }
    assert_int_equal(st, expected);
    if (st == KLDVE_OK) {
        free_maps(got, count);
    } else {
        char first[600];

        snprintf(first, sizeof first, "input 0: %s", kldve_ctx_message(f->ctx));
        assert_string_equal(message, first);
        untouched(got);
    }
}

/* -- every method ----------------------------------------------------------------------------- */

/* Does a method work on the results of one forward pass and one VJP?  Then that many calls. */
static void check_counts(struct fixture *f, const kldve_options *o, bool together, bool gradient,
                         int32_t count)
{
    kldve_heatmap *maps[MOST];
    long factor = o->flags & KLDVE_FLAG_CHECK ? 2 : 1;

    memset(&f->counts, 0, sizeof f->counts);
    assert_int_equal(kldve_explain_inputs(f->ex, count, inputs[0], o, maps), KLDVE_OK);
    free_maps(maps, count);
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
        for (int32_t m = 0; kldve_method_at(NULL, m); m++) {
            const kldve_method *method = kldve_method_at(NULL, m);
            kldve_options o = {
                .struct_size = sizeof o, .method = method->name, .samples = 30, .window = 8};
            bool one_pass = tiny_from_arrays(m);
            struct fixture f;

            about = method->name;
            open_fixture(&f, head ? &curved : &linear);
            *(one_pass ? &together : &apart) += 1;
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                o.flags = one_pass ? (uint64_t)(c % 2) : 0;
                check(&f, &o, counts[c]);
                if (!head) /* that of CAM */
                    check_counts(&f, &o, one_pass, method->needs & KLDVE_NEED_GRADIENT, counts[c]);
            }
            close_fixture(&f);
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
    struct fixture f;

    (void)state;
    open_fixture(&f, &curved);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        for (int32_t reading = 1; reading <= KLDVE_READING_RIVALS + 1; reading++)
            for (uint64_t flags = 0; flags <= KLDVE_FLAG_CHECK; flags++) {
                kldve_options o = options[i];
                char name[80];

                if (reading > KLDVE_READING_RIVALS)
                    o.method = "grad-cam";
                else
                    o.reading = reading;
                if (o.truth && o.reading == KLDVE_READING_RIVALS)
                    continue;
                o.flags = flags;
                snprintf(name, sizeof name, "options %zu, %s, flags %d", i,
                         o.method ? o.method : kldve_reading_name(reading), (int)flags);
                about = name;
                check(&f, &o, MOST);
                check_counts(&f, &o, !o.smooth, reading != KLDVE_READING_PAPER, MOST);
            }
    close_fixture(&f);
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
    const float *k = kldve_heatmap_logits(map, NULL);
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
    struct fixture f;

    (void)state;
    open_fixture(&f, &curved);
    for (size_t q = 0; q < sizeof asked / sizeof *asked; q++) {
        kldve_options o = asked[q];
        kldve_heatmap *checked[MOST];

        o.flags = KLDVE_FLAG_CHECK;
        assert_int_equal(kldve_explain_inputs(f.ex, MOST, inputs[0], &o, checked), KLDVE_OK);
        for (int32_t i = 0; i < MOST; i++) {
            kldve_options one = {SIZED, .method = o.method, .target_kind = KLDVE_TARGET_INDEX};
            kldve_heatmap *map = NULL, *other = NULL;
            kldve_record r = {.struct_size = sizeof r};

            assert_int_equal(kldve_explain_input(f.plain, inputs[i], &asked[q], &map), KLDVE_OK);
            one.target = other_class(&asked[q], map);
            assert_int_equal(kldve_explain_input(f.plain, inputs[i], &one, &other), KLDVE_OK);
            assert_int_equal(kldve_heatmap_record(checked[i], &r), KLDVE_OK);
            for (size_t v = 0; v < H * W; v++)
                same_number("value beside a check", v, (double)kldve_heatmap_values(checked[i])[v],
                            (double)kldve_heatmap_values(map)[v]);
            assert_true(fabs(r.class_sensitivity - 1 +
                             pearson(kldve_heatmap_values(map), kldve_heatmap_values(other),
                                     H * W)) < 1e-5);
            kldve_heatmap_free(map);
            kldve_heatmap_free(other);
        }
        free_maps(checked, MOST);
    }
    close_fixture(&f);
}

/* r and ms [count]. */
static void explain_records(struct fixture *f, const kldve_options *o, int32_t count,
                            kldve_record *r, kldve_timings *ms)
{
    kldve_heatmap *maps[MOST];

    assert_int_equal(kldve_explain_inputs(f->ex, count, inputs[0], o, maps), KLDVE_OK);
    for (int32_t i = 0; i < count; i++) {
        ms[i] = times_of(maps[i]);
        r[i].struct_size = sizeof r[i];
        assert_int_equal(kldve_heatmap_record(maps[i], &r[i]), KLDVE_OK);
    }
    free_maps(maps, count);
}

/* Each input has its own class. */
static void test_classes(void **state)
{
    kldve_record r[MOST];
    kldve_timings ms[MOST];
    bool differ = false;
    struct fixture f;

    (void)state;
    open_fixture(&f, &curved);
    explain_records(&f, NULL, MOST, r, ms);
    for (int32_t i = 1; i < MOST; i++)
        differ |= r[i].target != r[0].target;
    assert_true(differ);
    close_fixture(&f);
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
    struct fixture f;

    (void)state;
    open_fixture(&f, &curved);
    for (uint64_t flags = 0; flags <= KLDVE_FLAG_CHECK; flags++) {
        const kldve_options o = {.struct_size = sizeof o, .flags = flags};
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
        assert_true(sum + slow.spent <= kldve_clock_ms() - start);
        assert_int_equal(slow.spent > 0, flags != 0);
    }
    close_fixture(&f);
}

/* -- methods of repeated passes --------------------------------------------------------------- */

/* Whatever the batch is to the number of passes. */
static void test_repeats(void **state)
{
    static const char *const methods[] = {"rise",        "lime",        "kernel-shap",
                                          "occlusion",   "score-cam",   "prediction-difference",
                                          "recipro-cam", "ablation-cam"};
    static const int32_t batches[] = {2, 3, 5, 16, 17, 40};

    (void)state;
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        struct fixture f;

        open_table(&f, &batched_backend, (batched_config){.batch = batches[b]}, &curved);
        for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
            kldve_options o = {.struct_size = sizeof o, .method = methods[m], .samples = 50};
            bool features = m >= 6;

            about = methods[m];
            memset(&f.counts, 0, sizeof f.counts);
            check(&f, &o, 1);
            /* Samples are 50 where there are any; the input's own pass comes first. */
            if (m < 2) {
                assert_int_equal(f.counts.forward_many, 50 / batches[b]);
                assert_int_equal(f.counts.forward, 1 + 50 % batches[b]);
            } else if (features) {
                assert_int_equal(f.counts.forward_many, 0);
            } else if (batches[b] <= MAPS / 2) { /* of Score-CAM's masks */
                assert_true(f.counts.forward_many > 0);
            }
        }
        close_fixture(&f);
    }
}

/* A batch that is larger than the number of passes costs no memory. */
static void test_repeats_in_part(void **state)
{
    static const int32_t batches[] = {60, 6000};
    const kldve_options o = {SIZED, .method = "rise", .samples = 50};
    size_t bytes[2];

    (void)state;
    for (int b = 0; b < 2; b++) {
        struct fixture f;

        open_table(&f, &batched_backend, (batched_config){.batch = batches[b]}, &curved);
        about = "rise";
        bytes[b] = f.heap.bytes;
        check(&f, &o, 1);
        bytes[b] = f.heap.bytes - bytes[b];
        assert_int_equal(f.counts.forward_many, 0);
        close_fixture(&f);
    }
    assert_int_equal(bytes[0], bytes[1]);
}

/* -- a host's own method ---------------------------------------------------------------------- */

/* Methods that run the network although it is in a batch: on another input, and back from their
 * own... */
static kldve_status wander(const kldve_job *job, double *t)
{
    float logits[CLASSES];

    for (int c = 0; c < CLASSES; c++)
        t[c] = job->alpha[c];
    return kldve_job_forward(job, inputs[0], logits);
}

static kldve_status second_gradient(const kldve_job *job, float *map)
{
    float t[CLASSES] = {0}, g[MAPS * H * W];
    kldve_status st;

    t[(job->target + 1) % CLASSES] = 1;
    if ((st = kldve_job_vjp(job, t, g)) < 0)
        return st;
    for (int i = 0; i < H * W; i++) {
        map[i] = 0;
        for (int m = 0; m < MAPS; m++)
            map[i] += job->features[m * H * W + i] * g[m * H * W + i] -
                      0.5f * job->gradient[m * H * W + i];
    }
    return KLDVE_OK;
}

static const kldve_method wanderer = {
    .struct_size = sizeof(kldve_method),
    .name = "wanderer",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .cotangent = wander,
    .map = second_gradient,
};

/* ... and back from the other. */
static kldve_status gradient_elsewhere(const kldve_job *job, float *map)
{
    float logits[CLASSES];
    kldve_status st = kldve_job_forward(job, inputs[1], logits);

    return st < 0 ? st : second_gradient(job, map);
}

static const kldve_method follower = {
    .struct_size = sizeof(kldve_method),
    .name = "follower",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .map = gradient_elsewhere,
};

/* Or the network on a separate batch, with inputs other than the explained ones. */
static kldve_status wander_together(const kldve_job *job, double *t)
{
    float others[BATCH * INPUTS], logits[BATCH * CLASSES];

    for (int c = 0; c < CLASSES; c++)
        t[c] = job->alpha[c];
    for (int i = 0; i < BATCH * INPUTS; i++)
        others[i] = inputs[MOST - 1][i % INPUTS];
    return kldve_job_forward_many(job, BATCH, others, logits);
}

static kldve_status mean_gradient(const kldve_job *job, double *weights)
{
    for (int m = 0; m < MAPS; m++) {
        weights[m] = 0;
        for (int i = 0; i < H * W; i++)
            weights[m] += (double)job->gradient[m * H * W + i] / (H * W);
    }
    return KLDVE_OK;
}

static const kldve_method company = {
    .struct_size = sizeof(kldve_method),
    .name = "company",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .cotangent = wander_together,
    .weights = mean_gradient,
};

/* Gradients after a batch are about the explained input, also where that is not in a batch. */
static kldve_status gradient_after_batch(const kldve_job *job, float *map)
{
    double unused[CLASSES];
    kldve_status st = wander_together(job, unused);

    return st < 0 ? st : second_gradient(job, map);
}

static const kldve_method returner = {
    .struct_size = sizeof(kldve_method),
    .name = "returner",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .map = gradient_after_batch,
};

static void test_own_methods(void **state)
{
    const kldve_method *const methods[] = {&wanderer, &follower, &company, &returner};
    struct fixture f;

    (void)state;
    open_fixture(&f, &curved);
    for (int m = 0; m < 4; m++) {
        kldve_options o = {.struct_size = sizeof o, .method = methods[m]->name};

        about = methods[m]->name;
        assert_int_equal(kldve_method_register(f.ctx, methods[m]), KLDVE_OK);
        for (o.flags = 0; o.flags <= KLDVE_FLAG_CHECK; o.flags++) {
            memset(&f.counts, 0, sizeof f.counts);
            check(&f, &o, MOST);
            assert_true(f.counts.forward_many >= 2 && f.counts.vjp_many >= 2);
        }
    }
    close_fixture(&f);
}

/* -- pictures --------------------------------------------------------------------------------- */

static const tiny_config colour = {3, 8, 8, 4, 3, 17, true};
static const int32_t sizes[MOST][2] = {{200, 100}, {32, 32}, {100, 200}, {40, 40},
                                       {33, 90},   {32, 32}, {128, 64}};

static void draw_pictures(kldve_ctx *ctx, kldve_image **pictures)
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

static void test_pictures(void **state)
{
    const kldve_input_spec spec = {.struct_size = sizeof spec, .scale = 1 / 255.0f};
    kldve_image *pictures[MOST];
    struct fixture f;

    (void)state;
    about = "pictures";
    open_fixture(&f, &colour);
    draw_pictures(f.ctx, pictures);
    assert_int_equal(kldve_explainer_set_input(f.ex, &spec), KLDVE_OK);
    assert_int_equal(kldve_explainer_set_input(f.plain, &spec), KLDVE_OK);
    for (int32_t count = 1; count <= MOST; count++) {
        kldve_heatmap *got[MOST], *want = NULL;

        assert_int_equal(
            kldve_explain_many(f.ex, count, (const kldve_image *const *)pictures, NULL, got),
            KLDVE_OK);
        for (int32_t i = 0; i < count; i++) {
            assert_int_equal(kldve_explain(f.plain, pictures[i], NULL, &want), KLDVE_OK);
            same(got[i], want);
            kldve_heatmap_free(want);
        }
        free_maps(got, count);
    }
    for (int32_t i = 0; i < MOST; i++)
        kldve_image_free(pictures[i]);
    close_fixture(&f);
}

/* A picture that cannot be prepared, at every place. */
static void test_bad_picture(void **state)
{
    kldve_image *pictures[MOST];
    const kldve_image *list[MOST];
    kldve_image *narrow = NULL;
    kldve_heatmap *maps[MOST];
    struct fixture f;

    (void)state;
    open_fixture(&f, &colour);
    draw_pictures(f.ctx, pictures);
    assert_int_equal(kldve_image_new(f.ctx, 4, 20000, &narrow), KLDVE_OK);
    reset(maps);
    for (int32_t bad = 0; bad < MOST; bad++) {
        char message[200];

        for (int32_t i = 0; i < MOST; i++)
            list[i] = i == bad ? narrow : pictures[i];
        assert_int_equal(kldve_explain_many(f.ex, MOST, list, NULL, maps), KLDVE_E_LIMIT);
        snprintf(message, sizeof message,
                 "input %d: a picture of 4 x 20000 pixels is too narrow: it would be resized to 32 "
                 "x 160000; crop it first",
                 bad);
        assert_string_equal(kldve_ctx_message(f.ctx), message);
        list[bad] = NULL;
        memset(&f.counts, 0, sizeof f.counts);
        assert_int_equal(kldve_explain_many(f.ex, MOST, list, NULL, maps), KLDVE_E_ARG);
        snprintf(message, sizeof message, "input %d: the picture is NULL", bad);
        assert_string_equal(kldve_ctx_message(f.ctx), message);
        assert_int_equal(f.counts.forward + f.counts.forward_many, 0);
        untouched(maps);
    }
    kldve_image_free(narrow);
    for (int32_t i = 0; i < MOST; i++)
        kldve_image_free(pictures[i]);
    close_fixture(&f);
}

/* -- failures --------------------------------------------------------------------------------- */

/* One input that makes an infinite logit, at every place, with and without what comes after. */
static void test_bad_input(void **state)
{
    struct fixture f;
    kldve_heatmap *maps[MOST], *map = NULL;

    (void)state;
    open_fixture(&f, &linear);
    for (int32_t bad = 0; bad < MOST; bad++)
        for (int32_t count = bad + 1; count <= MOST; count++) {
            char message[600];
            float kept = inputs[bad][0];
            long live;

            reset(maps);
            assert_int_equal(kldve_explain_inputs(f.ex, MOST, inputs[0], NULL, maps), KLDVE_OK);
            free_maps(maps, MOST);
            live = f.heap.live; /* with the divergences, which stay */
            reset(maps);
            inputs[bad][0] = INFINITY;
            assert_int_equal(kldve_explain_input(f.ex, inputs[bad], NULL, &map), KLDVE_E_NUMERIC);
            assert_non_null(strstr(kldve_ctx_message(f.ctx), "batched: logit "));
            snprintf(message, sizeof message, "input %d: %s", bad, kldve_ctx_message(f.ctx));
            assert_int_equal(kldve_explain_inputs(f.ex, count, inputs[0], NULL, maps),
                             KLDVE_E_NUMERIC);
            assert_string_equal(kldve_ctx_message(f.ctx), message);
            untouched(maps);
            assert_int_equal(f.heap.live, live);
            inputs[bad][0] = kept;
        }
    close_fixture(&f);
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
    struct fixture f;

    reset(maps);
    open_table(&f, &batched_backend, x->config, &curved);
    kldve_ctx_fail(f.ctx, KLDVE_E_IO, "an older failure");
    assert_int_equal(kldve_explain_inputs(f.ex, MOST, inputs[0], NULL, maps), x->status);
    assert_string_equal(kldve_ctx_message(f.ctx), x->message);
    untouched(maps);
    /* One by one it still works, and does not take up what the batch left. */
    about = x->name;
    check(&f, NULL, 1);
    close_fixture(&f);
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
    struct fixture f;

    (void)state;
    reset(maps);
    open_fixture(&f, &curved);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[600];
        kldve_status st = kldve_explain_input(f.ex, inputs[0], &bad[i], &map);

        snprintf(message, sizeof message, "%s", kldve_ctx_message(f.ctx));
        assert_true(st < 0);
        assert_int_equal(kldve_explain_inputs(f.ex, MOST, inputs[0], &bad[i], maps), st);
        assert_string_equal(kldve_ctx_message(f.ctx), message);
        untouched(maps);
    }
    assert_int_equal(f.counts.forward + f.counts.forward_many, 0);
    close_fixture(&f);
}

static void refuse(struct fixture *f, kldve_status st, const char *message)
{
    assert_int_equal(st, KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(f->ctx), message);
}

static void test_arguments(void **state)
{
    const kldve_image *pictures[1] = {NULL};
    kldve_heatmap *maps[MOST];
    struct fixture f;

    (void)state;
    reset(maps);
    open_fixture(&f, &curved);
    assert_int_equal(kldve_explain_inputs(NULL, 1, inputs[0], NULL, maps), KLDVE_E_ARG);
    assert_int_equal(kldve_explain_many(NULL, 1, pictures, NULL, maps), KLDVE_E_ARG);
    refuse(&f, kldve_explain_inputs(f.ex, 1, NULL, NULL, maps), "explain: the inputs are NULL");
    refuse(&f, kldve_explain_inputs(f.ex, 1, inputs[0], NULL, NULL),
           "explain: the results are NULL");
    refuse(&f, kldve_explain_inputs(f.ex, 0, inputs[0], NULL, maps), "explain: the number of inputs is 0, it must be at least 1");
    refuse(&f, kldve_explain_many(f.ex, 1, NULL, NULL, maps), "explain: the pictures are NULL");
    refuse(&f, kldve_explain_many(f.ex, 1, pictures, NULL, NULL), "explain: the results are NULL");
    refuse(&f, kldve_explain_many(f.ex, -1, pictures, NULL, maps), "explain: the number of pictures is -1, it must be at least 1");
    untouched(maps);
    close_fixture(&f);
}

/* -- memory ----------------------------------------------------------------------------------- */

/* Open and explain pictures with `budget` allocations that succeed. */
static kldve_status explain_within(long budget, long *calls)
{
    static const int32_t set[] = {2, 0};
    const batched_config config = {.inner = &tiny_backend, .inner_config = &colour, .batch = BATCH};
    const kldve_options o = {SIZED, .flags = KLDVE_FLAG_CHECK, .target_kind = KLDVE_TARGET_SET,
                             .targets = set, .target_count = 2};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *pictures[MOST];
    kldve_heatmap *maps[MOST];
    kldve_explainer *ex = NULL;
    kldve_status st;

    reset(maps);
    draw_pictures(ctx, pictures);
    heap.calls = 0;
    heap.budget = budget;
    st = kldve_explainer_new(ctx, &batched_backend, &config, &ex);
    if (st == KLDVE_OK)
        st = kldve_explain_many(ex, BATCH + 1, (const kldve_image *const *)pictures, &o, maps);
    *calls = heap.calls;
    if (st == KLDVE_OK) {
        free_maps(maps, BATCH + 1);
    } else {
        assert_string_not_equal(kldve_ctx_message(ctx), "");
        untouched(maps);
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
    struct fixture f;

    (void)state;
    open_fixture(&f, &curved);
    about = "after there was no room";
    for (long budget = 0; st != KLDVE_OK; budget++) {
        reset(maps);
        f.heap.budget = budget;
        st = kldve_explain_inputs(f.ex, BATCH, inputs[0], &o, maps);
        f.heap.budget = -1;
        assert_true(st == KLDVE_OK || st == KLDVE_E_NOMEM);
        if (st < 0)
            untouched(maps);
        check(&f, &o, 1);
        assert_true(budget < 1000);
    }
    free_maps(maps, BATCH);
    close_fixture(&f);
}

/* From the second call on only the heat maps are allocated. */
static void test_nothing_else_allocated(void **state)
{
    struct fixture f;

    (void)state;
    open_fixture(&f, &linear);
    for (int32_t m = 0; kldve_method_name(m); m++) {
        kldve_options o = {
            .struct_size = sizeof o, .method = kldve_method_name(m), .flags = KLDVE_FLAG_CHECK};
        kldve_heatmap *maps[MOST];

        if (strncmp(o.method, "eigen", 5) == 0 || !tiny_from_arrays(m))
            continue; /* they use their own memory */
        for (int call = 0; call < 2; call++) {
            f.heap.calls = 0;
            assert_int_equal(kldve_explain_inputs(f.ex, MOST, inputs[0], &o, maps), KLDVE_OK);
            free_maps(maps, MOST);
        }
        assert_int_equal(f.heap.calls, MOST);
    }
    close_fixture(&f);
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
    const kldve_options o = {SIZED, .flags = KLDVE_FLAG_CHECK};
    struct stop all = {0, 0, 0};
    kldve_heatmap *maps[MOST];
    struct fixture f;
    long live;

    (void)state;
    open_fixture(&f, &curved);
    kldve_ctx_set_progress(f.ctx, stop_at, &all);
    assert_int_equal(kldve_explain_inputs(f.ex, MOST, inputs[0], &o, maps), KLDVE_OK);
    free_maps(maps, MOST);
    assert_int_equal(all.calls, 3 * (1 + 1 + 2)); /* 2 batches and 1: inputs, forward, backward */
    assert_int_equal(all.inputs, 2 * BATCH);
    live = f.heap.live;
    reset(maps);
    for (long at = 1; at <= all.calls; at++) {
        struct stop stop = {0, at, 0};

        kldve_ctx_set_progress(f.ctx, stop_at, &stop);
        assert_int_equal(kldve_explain_inputs(f.ex, MOST, inputs[0], &o, maps), KLDVE_E_CANCELLED);
        assert_non_null(strstr(kldve_ctx_message(f.ctx), "cancelled during "));
        assert_int_equal(stop.calls, at);
        untouched(maps);
        assert_int_equal(f.heap.live, live);
    }
    kldve_ctx_set_progress(f.ctx, NULL, NULL);
    about = "after it was cancelled";
    check(&f, &o, MOST);
    close_fixture(&f);
}

/* -- backends that cannot --------------------------------------------------------------------- */

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
    struct fixture f;

    (void)state;
    about = "older backend";
    older.struct_size = offsetof(kldve_backend, forward_many);
    open_table(&f, &older, (batched_config){.batch = BATCH}, &curved);
    assert_int_equal(batch_of(f.ex), 1);
    check(&f, NULL, MOST);
    assert_int_equal(f.counts.forward_many + f.counts.vjp_many, 0);
    assert_int_equal(f.counts.forward, MOST);
    close_fixture(&f);

    about = "no vjp_many";
    older.struct_size = offsetof(kldve_backend, vjp_many);
    open_table(&f, &older, (batched_config){.batch = BATCH}, &curved);
    assert_int_equal(batch_of(f.ex), BATCH);
    check(&f, NULL, MOST);
    assert_int_equal(f.counts.forward_many + f.counts.vjp_many, 0);
    check(&f, &paper, MOST);
    assert_int_equal(f.counts.forward_many, 2);
    close_fixture(&f);

    about = "a batch of 0";
    older.struct_size = sizeof older;
    older.shape = claimed_shape;
    claimed = (kldve_shape){
        sizeof claimed, CHANNELS, H * TINY_PATCH, W * TINY_PATCH, CLASSES, MAPS, H, W, 0};
    open_table(&f, &older, (batched_config){.batch = BATCH}, &curved);
    assert_int_equal(batch_of(f.ex), 1);
    check(&f, NULL, MOST);
    assert_int_equal(f.counts.forward_many + f.counts.vjp_many, 0);
    close_fixture(&f);

    about = "a batch of 1";
    open_table(&f, &batched_backend, (batched_config){.batch = 1}, &curved);
    assert_int_equal(batch_of(f.ex), 1);
    check(&f, NULL, MOST);
    assert_int_equal(f.counts.forward_many + f.counts.vjp_many, 0);
    close_fixture(&f);
}

static void refuse_shape(kldve_shape shape, kldve_status status, const char *message)
{
    const batched_config config = {.inner = &tiny_backend, .inner_config = &curved, .batch = BATCH};
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
    const size_t size = sizeof(kldve_shape);
    const char *large = "batched: shape: an array has more values than can be addressed";

    (void)state;
    refuse_shape((kldve_shape){size, 3, 8, 8, 5, 6, 3, 4, -2}, KLDVE_E_ARG,
                 "batched: shape: batch is -2, it must be 0 or more");
    refuse_shape((kldve_shape){size, 3, INT32_MAX, 1, 5, 6, 3, 4, INT32_MAX}, KLDVE_E_LIMIT, large);
    refuse_shape((kldve_shape){size, 3, 8, 8, 5, 3, INT32_MAX, 1, INT32_MAX}, KLDVE_E_LIMIT, large);
}

enum { FAILURES = sizeof failures / sizeof *failures };

int main(void)
{
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(test_methods),         cmocka_unit_test(test_options),
        cmocka_unit_test(test_sensitivity),     cmocka_unit_test(test_classes),
        cmocka_unit_test(test_times),           cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_repeats_in_part), cmocka_unit_test(test_own_methods),
        cmocka_unit_test(test_pictures),        cmocka_unit_test(test_bad_picture),
        cmocka_unit_test(test_bad_input),       cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_arguments),       cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_no_room),         cmocka_unit_test(test_nothing_else_allocated),
        cmocka_unit_test(test_cancel),          cmocka_unit_test(test_older_backends),
        cmocka_unit_test(test_shapes),
    };
    struct CMUnitTest named[FAILURES];
    int failed;

    memset(named, 0, sizeof named);
    for (size_t i = 0; i < FAILURES; i++) {
        named[i].name = failures[i].name;
        named[i].test_func = check_failure;
        named[i].initial_state = (void *)(uintptr_t)&failures[i];
    }
    failed = cmocka_run_group_tests_name("batches that fail", named, NULL, NULL);
    return failed + cmocka_run_group_tests_name("batches", rest, NULL, NULL);
}
