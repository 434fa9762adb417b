/* test_gradients.c - what must hold for gradient methods at the pixels, whatever the network:
 * completeness, limits, repeatability, and correct standard errors.
 *
 * A probe wraps the method and keeps its map from before normalisation. */
#include "support.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>

#include "methods/methods.h"
#include "backends/tiny.h"

enum { H = 3, W = 4, MAPS = 5, CLASSES = 6, MOST_CHANNELS = 2 };
enum { PIXELS = H * W * TINY_PATCH * TINY_PATCH };

static const tiny_config two_channels = {2, H, W, MAPS, CLASSES, 101, true};
static const tiny_config one_channel = {1, H, W, MAPS, CLASSES, 77, true};

/* What the probed method made. */
struct probe {
    const kldve_method *method;
    float map[PIXELS], error[PIXELS];
    double change; /* f(x) - f(0) */
};

struct bench {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *ex;
    kldve_method method;
    struct probe probe;
    float input[MOST_CHANNELS * PIXELS];
};

static kldve_status look(const kldve_job *job, float *map)
{
    struct probe *p = (struct probe *)(uintptr_t)job->method->opaque;
    const float nothing[MOST_CHANNELS * PIXELS] = {0};
    float logits[CLASSES];
    kldve_status st = p->method->map(job, map);

    if (st < 0)
        return st;
    memcpy(p->map, map, sizeof p->map);
    if (job->error)
        memcpy(p->error, job->error, sizeof p->error);
    if ((st = kldve_job_forward(job, nothing, logits)) < 0)
        return st;
    p->change = kldve_job_score(job, job->logits, KLDVE_SCORE_LOGIT) -
                kldve_job_score(job, logits, KLDVE_SCORE_LOGIT);
    return KLDVE_OK;
}

static void open_bench(struct bench *b, const tiny_config *net, const kldve_method *method)
{
    uint64_t seed = 8;

    b->ctx = test_ctx(&b->heap);
    for (int i = 0; i < MOST_CHANNELS * PIXELS; i++)
        b->input[i] = 3 * (float)test_normal(&seed);
    b->probe.method = method;
    b->method = *method;
    b->method.name = "probe";
    b->method.opaque = &b->probe;
    b->method.map = look;
    b->method.needs |= KLDVE_NEED_FORWARDS;
    assert_int_equal(kldve_explainer_new(b->ctx, &tiny_backend, net, &b->ex), KLDVE_OK);
    assert_int_equal(kldve_method_register(b->ctx, &b->method), KLDVE_OK);
}

static void close_bench(struct bench *b)
{
    kldve_explainer_free(b->ex);
    kldve_ctx_free(b->ctx);
    assert_int_equal(b->heap.live, 0);
}

/* The raw map, in b->probe. */
static void raw(struct bench *b, kldve_options o)
{
    kldve_heatmap *map = NULL;

    o.struct_size = sizeof o;
    o.method = "probe";
    if (o.sign == KLDVE_SIGN_DEFAULT)
        o.sign = KLDVE_SIGN_SIGNED;
    assert_int_equal(kldve_explain_input(b->ex, b->input, &o, &map), KLDVE_OK);
    kldve_heatmap_free(map);
}

static double sum(const float *v)
{
    double s = 0;

    for (int i = 0; i < PIXELS; i++)
        s += (double)v[i];
    return s;
}

static double largest(const float *v)
{
    double m = 0;

    for (int i = 0; i < PIXELS; i++)
        m = fmax(m, fabs((double)v[i]));
    return m;
}

/* -- completeness ----------------------------------------------------------------------------- */

/* How far the sum of the map is from the change of the score, relative to the sum of magnitudes: of
 * what speaks for and against the target, which nearly cancel in this network. */
static double gap(struct bench *b, kldve_options o)
{
    double magnitudes = 0;

    raw(b, o);
    for (int i = 0; i < PIXELS; i++)
        magnitudes += fabs((double)b->probe.map[i]);
    return fabs(sum(b->probe.map) - b->probe.change) / magnitudes;
}

static void test_completeness(void **state)
{
    const int32_t set[] = {0, 3, 4};
    const kldve_options what[] = {
        {.target_kind = KLDVE_TARGET_INDEX, .target = 1},
        {.target_kind = KLDVE_TARGET_RANK, .target = 0},
        {.target_kind = KLDVE_TARGET_SET, .targets = set, .target_count = 3},
        {.target_kind = KLDVE_TARGET_VERSUS, .target = 2, .rival = 5},
    };
    struct bench b;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_integrated_gradients);
    for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
        kldve_options o = what[i];
        double coarse, fine;

        o.samples = 2;
        coarse = gap(&b, o);
        o.samples = 64;
        fine = gap(&b, o);
        if (!(fine <= 0.002 && fine < coarse))
            fail_msg("target %zu: off by %g with 2 steps, by %g with 64", i, coarse, fine);
    }
    close_bench(&b);
}

/* One step is the gradient at half the input; many are more than one. */
static void test_default_steps(void **state)
{
    struct bench b;
    float map[PIXELS];

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_integrated_gradients);
    raw(&b, (kldve_options){.samples = 32});
    memcpy(map, b.probe.map, sizeof map);
    raw(&b, (kldve_options){.samples = 0});
    assert_memory_equal(map, b.probe.map, sizeof map);
    raw(&b, (kldve_options){.samples = 31});
    assert_memory_not_equal(map, b.probe.map, sizeof map);
    close_bench(&b);
}

/* -- noise ------------------------------------------------------------------------------------ */

static void test_little_noise(void **state)
{
    struct bench smooth, plain;

    (void)state;
    open_bench(&smooth, &two_channels, &kldve_method_smooth_grad);
    open_bench(&plain, &two_channels, &kldve_method_saliency);
    raw(&smooth, (kldve_options){.noise = 1e-6});
    raw(&plain, (kldve_options){0});
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabs((double)smooth.probe.map[i] - (double)plain.probe.map[i]) <=
                    1e-4 * largest(plain.probe.map));
    raw(&smooth, (kldve_options){.noise = 0.3});
    assert_memory_not_equal(smooth.probe.map, plain.probe.map, sizeof plain.probe.map);
    close_bench(&smooth);
    close_bench(&plain);
}

static const kldve_method *const random_methods[] = {&kldve_method_smooth_grad,
                                                     &kldve_method_var_grad};

static void test_seeds(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        struct probe first;

        open_bench(&b, &two_channels, random_methods[i]);
        raw(&b, (kldve_options){.seed = 5});
        first = b.probe;
        raw(&b, (kldve_options){.seed = 6});
        assert_memory_not_equal(first.map, b.probe.map, sizeof first.map);
        raw(&b, (kldve_options){.seed = 5, .samples = 25, .noise = 0.15}); /* the defaults */
        assert_memory_equal(first.map, b.probe.map, sizeof first.map);
        assert_memory_equal(first.error, b.probe.error, sizeof first.error);
        raw(&b, (kldve_options){.seed = 5, .samples = 1}); /* two at least */
        first = b.probe;
        raw(&b, (kldve_options){.seed = 5, .samples = 2});
        assert_memory_equal(first.map, b.probe.map, sizeof first.map);
        assert_memory_equal(first.error, b.probe.error, sizeof first.error);
        close_bench(&b);
    }
}

static void test_error_shrinks(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench b;
        double few, many;

        open_bench(&b, &one_channel, random_methods[i]);
        raw(&b, (kldve_options){.samples = 200});
        few = sum(b.probe.error);
        raw(&b, (kldve_options){.samples = 3200});
        many = sum(b.probe.error);
        if (!(fabs(few / many - 4) <= 0.4))
            fail_msg("%s: error %g with 200 draws, %g with 3200", random_methods[i]->name, few,
                     many);
        close_bench(&b);
    }
}

/* The error is what the map really varies by from seed to seed. */
static void test_error_is_right(void **state)
{
    enum { SEEDS = 60 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        double mean[PIXELS] = {0}, squares[PIXELS] = {0}, said = 0, found = 0;
        struct bench b;

        open_bench(&b, &one_channel, random_methods[i]);
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            raw(&b, (kldve_options){.samples = 64, .seed = seed});
            for (int p = 0; p < PIXELS; p++) {
                double v = (double)b.probe.map[p], error = (double)b.probe.error[p];

                mean[p] += v / SEEDS;
                squares[p] += v * v / SEEDS;
                said += error * error / SEEDS;
            }
        }
        for (int p = 0; p < PIXELS; p++)
            found += (squares[p] - mean[p] * mean[p]) * SEEDS / (SEEDS - 1);
        if (!(fabs(sqrt(said / found) - 1) <= 0.15))
            fail_msg("%s: standard error %g, from seed to seed %g", random_methods[i]->name,
                     sqrt(said), sqrt(found));
        close_bench(&b);
    }
}

/* What a program gets: the error in units of its map. */
static void test_error_of_heatmap(void **state)
{
    kldve_options o = {.struct_size = sizeof o, .method = "smooth-grad"};
    kldve_heatmap *map = NULL;
    struct bench b;
    const float *error;
    size_t count;
    double low = INFINITY, high = 0;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_smooth_grad);
    raw(&b, (kldve_options){.sign = KLDVE_SIGN_ABSOLUTE});
    for (int i = 0; i < PIXELS; i++) {
        low = fmin(low, (double)b.probe.map[i]);
        high = fmax(high, (double)b.probe.map[i]);
    }
    assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &map), KLDVE_OK);
    error = kldve_heatmap_error(map, &count);
    assert_int_equal(count, PIXELS);
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabs((double)error[i] - (double)b.probe.error[i] / (high - low)) <= 1e-6);
    kldve_heatmap_free(map);
    close_bench(&b);
}

static int32_t stop_at_3(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)total;
    return strcmp(stage, opaque) == 0 && done == 3;
}

static void test_cancel(void **state)
{
    char names[][24] = {"integrated-gradients", "smooth-grad", "var-grad"};
    struct bench b;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_saliency);
    for (size_t i = 0; i < 3; i++) {
        kldve_options o = {.struct_size = sizeof o, .method = names[i]};
        kldve_heatmap *map = NULL;

        kldve_ctx_set_progress(b.ctx, stop_at_3, names[i]);
        assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &map), KLDVE_E_CANCELLED);
        assert_null(map);
    }
    close_bench(&b);
}

/* -- signs ------------------------------------------------------------------------------------ */

/* What each shows by default, and that there would be signs to show. */
static void test_signs(void **state)
{
    const struct {
        const kldve_method *method;
        int32_t sign;
    } same[] = {
        {&kldve_method_gradient_x_input, KLDVE_SIGN_SIGNED},
        {&kldve_method_integrated_gradients, KLDVE_SIGN_POSITIVE},
        {&kldve_method_saliency, KLDVE_SIGN_ABSOLUTE},
        {&kldve_method_smooth_grad, KLDVE_SIGN_ABSOLUTE},
        {&kldve_method_guided_backprop, KLDVE_SIGN_ABSOLUTE},
        {&kldve_method_guided_grad_cam, KLDVE_SIGN_ABSOLUTE},
    };
    struct bench b;

    (void)state;
    open_bench(&b, &two_channels, &kldve_method_saliency);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        kldve_options o = {.struct_size = sizeof o,
                           .method = same[i].method->name,
                           .target_kind = KLDVE_TARGET_INDEX,
                           .target = 5};
        kldve_heatmap *by_default = NULL, *asked = NULL, *with_sign = NULL;
        const float *v;
        int negative = 0;

        assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &by_default), KLDVE_OK);
        o.sign = same[i].sign;
        assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &asked), KLDVE_OK);
        o.sign = KLDVE_SIGN_SIGNED;
        assert_int_equal(kldve_explain_input(b.ex, b.input, &o, &with_sign), KLDVE_OK);
        assert_memory_equal(kldve_heatmap_values(by_default), kldve_heatmap_values(asked),
                            PIXELS * sizeof(float));
        v = kldve_heatmap_values(with_sign);
        for (int p = 0; p < PIXELS; p++)
            negative += v[p] < 0.5f;
        if (negative == 0 || negative == PIXELS)
            fail_msg("%s: %d of %d values are negative", o.method, negative, PIXELS);
        kldve_heatmap_free(by_default);
        kldve_heatmap_free(asked);
        kldve_heatmap_free(with_sign);
    }
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_completeness),
        cmocka_unit_test(test_default_steps),
        cmocka_unit_test(test_little_noise),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_error_shrinks),
        cmocka_unit_test(test_error_is_right),
        cmocka_unit_test(test_error_of_heatmap),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_signs),
    };

    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
