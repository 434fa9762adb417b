/* test_single.c - networks with one score: explained as the two classes "yes" and "no" by every
 * method, alone and in batches, with and without a backend; numbers; networks with two scores. */
#include "support.h"
#include "got.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>

#include "backends/batched.h"
#include "backends/tiny.h"

enum { CHANNELS = 2, H = 3, W = 4, MAPS = 5, BATCH = 3 };
enum { CELLS = H * W, PIXELS = CELLS * TINY_PATCH * TINY_PATCH, INPUTS = CHANNELS * PIXELS };

/* -- one score in other clothes ----------------------------------------------------------------
 *
 * The same small network with its score x as it is, as -x, or as the logits (x, 0) of two classes.
 */
typedef enum clothes_kind { BARE, NEGATED, PAIRED } clothes_kind;

typedef struct dressed_config {
    clothes_kind clothes;
    int32_t scores; /* a kldve_scores */
    bool curved;
} dressed_config;

struct dressed {
    kldve_ctx *ctx;
    clothes_kind clothes;
    int32_t scores;
    void *inner;
};

static kldve_status dressed_open(kldve_ctx *ctx, const void *config, void **state)
{
    const dressed_config *c = config;
    const tiny_config net = {CHANNELS, H, W, MAPS, 1, 4242, c->curved};
    struct dressed *d = kldve_ctx_alloc(ctx, 1, sizeof *d);
    kldve_status st;

    if (!d)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "no memory for the state");
    *d = (struct dressed){ctx, c->clothes, c->scores, NULL};
    if ((st = tiny_backend.open(ctx, &net, &d->inner)) == KLDVE_OK)
        *state = d;
    else
        kldve_ctx_release(ctx, d);
    return st;
}

static void dressed_close(void *state)
{
    struct dressed *d = state;

    if (!d)
        return;
    tiny_backend.close(d->inner);
    kldve_ctx_release(d->ctx, d);
}

static void dressed_shape(const void *state, kldve_shape *out)
{
    const struct dressed *d = state;

    tiny_backend.shape(d->inner, out);
    out->classes = d->clothes == PAIRED ? 2 : 1;
    out->scores = d->scores;
}

static void dress(const struct dressed *d, float x, float *logits)
{
    logits[0] = d->clothes == NEGATED ? -x : x;
    if (d->clothes == PAIRED)
        logits[1] = 0;
}

static float undress(const struct dressed *d, const float *cotangent)
{
    return d->clothes == NEGATED ? -cotangent[0] : cotangent[0];
}

static kldve_status dressed_forward(void *state, const float *input, float *logits, float *features)
{
    struct dressed *d = state;
    float x = 0;
    kldve_status st = tiny_backend.forward(d->inner, input, &x, features);

    dress(d, x, logits);
    return st;
}

static kldve_status dressed_vjp(void *state, const float *cotangent, float *gradient)
{
    struct dressed *d = state;
    float t = undress(d, cotangent);

    return tiny_backend.vjp(d->inner, &t, gradient);
}

/* Relevance of the score: a changed sign of the last weights does not change it. */
static kldve_status dressed_vjp_input(void *state, const float *cotangent, int32_t rule,
                                      float *gradient)
{
    struct dressed *d = state;
    bool relevance = rule >= KLDVE_RULE_LRP_EPSILON && rule <= KLDVE_RULE_LRP_COMPOSITE;
    float t = relevance ? cotangent[0] : undress(d, cotangent);

    return tiny_backend.vjp_input(d->inner, &t, rule, gradient);
}

static kldve_status dressed_vjp_biases(void *state, const float *cotangent, float *gradient,
                                       kldve_bias_fn visit, void *opaque)
{
    struct dressed *d = state;
    float t = undress(d, cotangent);

    return tiny_backend.vjp_biases(d->inner, &t, gradient, visit, opaque);
}

static kldve_status dressed_attentions(void *state, const float *cotangent,
                                       kldve_attention_fn visit, void *opaque)
{
    struct dressed *d = state;
    float t = cotangent ? undress(d, cotangent) : 0;

    return tiny_backend.attentions(d->inner, cotangent ? &t : NULL, visit, opaque);
}

static kldve_status dressed_forward_features(void *state, const float *features, float *logits)
{
    struct dressed *d = state;
    float x = 0;
    kldve_status st = tiny_backend.forward_features(d->inner, features, &x);

    dress(d, x, logits);
    return st;
}

static const kldve_backend dressed_backend = {
    .struct_size = sizeof(kldve_backend),
    .name = "dressed",
    .open = dressed_open,
    .shape = dressed_shape,
    .forward = dressed_forward,
    .close = dressed_close,
    .vjp = dressed_vjp,
    .vjp_input = dressed_vjp_input,
    .forward_features = dressed_forward_features,
    .attentions = dressed_attentions,
    .vjp_biases = dressed_vjp_biases,
};

/* -- two networks side by side ---------------------------------------------------------------- */

struct side {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *ex;
    float input[INPUTS];
};

static void side_open(struct side *s, clothes_kind clothes, int32_t scores, bool curved)
{
    const dressed_config config = {clothes, scores, curved};
    uint64_t seed = 12;

    s->ctx = test_ctx(&s->heap);
    for (int i = 0; i < INPUTS; i++)
        s->input[i] = 3 * (float)test_normal(&seed);
    assert_int_equal(kldve_explainer_new(s->ctx, &dressed_backend, &config, &s->ex), KLDVE_OK);
}

static void side_close(struct side *s)
{
    kldve_explainer_free(s->ex);
    kldve_ctx_free(s->ctx);
    assert_int_equal(s->heap.live, 0);
}

static kldve_heatmap *made(struct side *s, kldve_options o)
{
    kldve_heatmap *map = NULL;

    o.struct_size = sizeof o;
    for (int32_t i = 0; o.method && got_method(NULL, i); i++)
        if (strcmp(got_method_name(i), o.method) == 0 &&
            got_method(NULL, i)->options & KLDVE_OPTION_SAMPLES)
            o.samples = 60;
    if (kldve_explain_input(s->ex, s->input, &o, &map) != KLDVE_OK)
        fail_msg("%s: %s", o.method ? o.method : "kl-dve", kldve_ctx_message(s->ctx));
    return map;
}

static kldve_record record_of(const kldve_heatmap *map)
{
    kldve_record r = {.struct_size = sizeof r};

    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    return r;
}

static double farthest(const kldve_heatmap *a, const kldve_heatmap *b)
{
    kldve_record ra = record_of(a), rb = record_of(b);
    double far = 0;

    assert_true(ra.height == rb.height && ra.width == rb.width);
    for (int32_t i = 0; i < ra.height * ra.width; i++)
        far = fmax(far, fabs((double)got_values(a)[i] - (double)got_values(b)[i]));
    return far;
}

static bool is_lrp(const char *method)
{
    return strncmp(method, "lrp", 3) == 0;
}

/* -- every method ----------------------------------------------------------------------------- */

/* "Yes" of one score is the first class of the logits (x, 0). */
static void test_as_two_classes(void **state)
{
    const char *name;

    (void)state;
    for (int32_t i = 0; (name = got_method_name(i)) != NULL; i++) {
        bool curved = strcmp(name, "cam") != 0;
        struct side one, two;
        kldve_heatmap *a, *b;

        side_open(&one, BARE, KLDVE_SCORES_SIGMOID, curved);
        side_open(&two, PAIRED, KLDVE_SCORES_SOFTMAX, curved);
        for (int32_t reading = 0; reading <= (i == 0 ? KLDVE_READING_NEIGHBOURS : 0); reading++) {
            const kldve_options o = {
                .method = name, .reading = reading, .target_kind = KLDVE_TARGET_INDEX};

            a = made(&one, o);
            b = made(&two, o);
            if (!(farthest(a, b) <= 1e-6))
                fail_msg("%s, reading %d: the maps differ by %g", name, (int)reading,
                         farthest(a, b));
            assert_int_equal(record_of(a).flags, record_of(b).flags);
            assert_true(record_of(a).probability == record_of(b).probability);
            kldve_heatmap_free(a);
            kldve_heatmap_free(b);
        }
        side_close(&one);
        side_close(&two);
    }
}

/* "No" of a score x is "yes" of -x: for a probability and for a number. */
static void test_no_is_yes_of_the_opposite(void **state)
{
    const char *name;

    (void)state;
    for (int32_t i = 0; (name = got_method_name(i)) != NULL; i++)
        for (int32_t kind = KLDVE_SCORES_SIGMOID; kind <= KLDVE_SCORES_NUMBER; kind++) {
            bool curved = strcmp(name, "cam") != 0;
            kldve_options o = {.method = name, .target_kind = KLDVE_TARGET_INDEX, .target = 1};
            struct side as_it_is, opposite;
            kldve_heatmap *no, *yes;

            if (is_lrp(name))
                continue; /* its relevance is that of -x, but x has other contributions */
            side_open(&as_it_is, BARE, kind, curved);
            side_open(&opposite, NEGATED, kind, curved);
            no = made(&as_it_is, o);
            o.target = 0;
            yes = made(&opposite, o);
            if (!(farthest(no, yes) <= 1e-5))
                fail_msg("%s, kind %d: the maps differ by %g", name, (int)kind, farthest(no, yes));
            assert_int_equal(record_of(no).target, 1);
            kldve_heatmap_free(no);
            kldve_heatmap_free(yes);
            side_close(&as_it_is);
            side_close(&opposite);
        }
}

/* Every method also runs with the check, and both classes have a map; two that do not look at the
 * class apart, and the readings whose z is 0. */
static void test_check(void **state)
{
    const char *name;

    (void)state;
    for (int32_t i = 0; (name = got_method_name(i)) != NULL; i++)
        for (int clothes = BARE; clothes <= PAIRED; clothes++) {
            bool classless = strcmp(name, "eigen-cam") == 0 || strcmp(name, "lafam") == 0 ||
                             got_method(NULL, i)->flags & KLDVE_METHOD_CONTROL;
            struct side s;
            kldve_heatmap *map;
            kldve_record r;

            side_open(&s, (clothes_kind)clothes, KLDVE_SCORES_SIGMOID, strcmp(name, "cam") != 0);
            map = made(&s, (kldve_options){.method = name, .flags = KLDVE_FLAG_CHECK});
            r = record_of(map);
            if (!(classless ? r.class_sensitivity == 0 : r.class_sensitivity >= 0))
                fail_msg("%s: class sensitivity %g", name, r.class_sensitivity);
            kldve_heatmap_free(map);
            side_close(&s);
        }
}

/* -- what the record says --------------------------------------------------------------------- */

static float score_of(struct side *s)
{
    const tiny_config net = {CHANNELS, H, W, MAPS, 1, 4242, true};
    float features[MAPS * CELLS], x;
    void *state = NULL;

    assert_int_equal(tiny_backend.open(s->ctx, &net, &state), KLDVE_OK);
    assert_int_equal(tiny_backend.forward(state, s->input, &x, features), KLDVE_OK);
    tiny_backend.close(state);
    return x;
}

static void check_record(int32_t given, int32_t understood, int32_t target)
{
    struct side s;
    kldve_shape shape = {.struct_size = sizeof shape};
    kldve_heatmap *map;
    const double *p;
    kldve_record r;
    double x, sigmoid;
    size_t count;

    side_open(&s, BARE, given, true);
    x = (double)score_of(&s);
    sigmoid = 1 / (1 + exp(-x));
    assert_int_equal(kldve_explainer_shape(s.ex, &shape), KLDVE_OK);
    assert_true(shape.classes == 2 && shape.single == 1 && shape.scores == understood);
    map = made(&s, (kldve_options){.target_kind = KLDVE_TARGET_INDEX, .target = target});
    r = record_of(map);
    p = got_probabilities(map, &count);
    assert_true(r.classes == 2 && r.single == 1 && r.scores == understood && r.target == target);
    assert_true(fabs((double)r.sigmoid - sigmoid) < 1e-7);
    assert_true(r.kl == 0);
    assert_true((double)got_logits(map, NULL)[0] == x && got_logits(map, NULL)[1] == 0);
    if (understood == KLDVE_SCORES_NUMBER) {
        assert_true(isnan(r.probability) && !p && count == 0);
        assert_true((double)r.logit == x);
    } else {
        assert_true(count == 2 && fabs(p[0] - sigmoid) < 1e-14 && fabs(p[0] + p[1] - 1) < 1e-14);
        assert_true(r.probability == (float)p[target]);
        assert_true((double)r.logit == (target == 0 ? x : 0));
    }
    assert_true(got_cotangent(map, NULL)[target] == 1);
    assert_true(got_cotangent(map, NULL)[1 - target] == -1);
    kldve_heatmap_free(map);
    side_close(&s);
}

static void test_record(void **state)
{
    (void)state;
    for (int32_t target = 0; target < 2; target++) {
        check_record(KLDVE_SCORES_SOFTMAX, KLDVE_SCORES_SIGMOID, target);
        check_record(KLDVE_SCORES_SIGMOID, KLDVE_SCORES_SIGMOID, target);
        check_record(KLDVE_SCORES_RAW, KLDVE_SCORES_RAW, target);
        check_record(KLDVE_SCORES_NUMBER, KLDVE_SCORES_NUMBER, target);
    }
}

/* The top class is the sign of a score; a number is explained as high, whatever its sign. */
static void test_default_target(void **state)
{
    (void)state;
    for (int clothes = BARE; clothes <= NEGATED; clothes++)
        for (int32_t kind = KLDVE_SCORES_SIGMOID; kind <= KLDVE_SCORES_NUMBER; kind++) {
            struct side s;
            kldve_heatmap *map;
            float x;

            side_open(&s, (clothes_kind)clothes, kind, true);
            map = made(&s, (kldve_options){0});
            x = got_logits(map, NULL)[0];
            assert_int_equal(record_of(map).target, kind == KLDVE_SCORES_NUMBER ? 0
                                                    : x < 0                     ? 1
                                                                                : 0);
            kldve_heatmap_free(map);
            side_close(&s);
        }
}

/* paper, channel and a truth are flat with two classes and say why; the other readings are not. */
static void test_readings(void **state)
{
    const double truth[2] = {0.9, 0.1};

    (void)state;
    for (int clothes = BARE; clothes <= PAIRED; clothes++)
        for (int with = 0; with < 2; with++)
            for (int guided = 0; guided < (clothes == NEGATED ? 1 : 2); guided++)
                for (int32_t r = KLDVE_READING_PAPER; r <= KLDVE_READING_NEIGHBOURS; r++) {
                    bool zero = r <= KLDVE_READING_CHANNEL || with;
                    struct side s;
                    kldve_heatmap *map;

                    if (with && r >= KLDVE_READING_RIVALS)
                        continue; /* not about a truth */
                    side_open(&s, (clothes_kind)clothes, KLDVE_SCORES_SIGMOID, true);
                    map = made(&s, (kldve_options){.method = guided ? "guided-kl-dve" : "kl-dve",
                                                   .reading = r,
                                                   .sign = guided ? 0 : KLDVE_SIGN_SIGNED,
                                                   .target_kind = KLDVE_TARGET_INDEX,
                                                   .truth = with ? truth : NULL});
                    assert_int_equal((record_of(map).flags & KLDVE_RESULT_FLAT) != 0, zero);
                    assert_int_equal(kldve_heatmap_remark(map) != NULL, zero);
                    assert_true(!zero || strstr(kldve_heatmap_remark(map), "P = Q"));
                    kldve_heatmap_free(map);
                    side_close(&s);
                }
}

/* -- batches and arrays ----------------------------------------------------------------------- */

static void test_batches(void **state)
{
    const dressed_config inner = {BARE, KLDVE_SCORES_SIGMOID, true};
    const batched_config config = {
        .inner = &dressed_backend, .inner_config = &inner, .batch = BATCH};
    float inputs[2 * BATCH + 1][INPUTS];
    kldve_heatmap *many[2 * BATCH + 1], *alone = NULL;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL, *plain = NULL;
    uint64_t seed = 5;

    (void)state;
    for (int i = 0; i < (2 * BATCH + 1) * INPUTS; i++)
        inputs[i / INPUTS][i % INPUTS] = (float)(3 * test_normal(&seed));
    assert_int_equal(kldve_explainer_new(ctx, &batched_backend, &config, &ex), KLDVE_OK);
    assert_int_equal(kldve_explainer_new(ctx, &dressed_backend, &inner, &plain), KLDVE_OK);
    for (int32_t target = 0; target < 2; target++)
        for (int occlude = 0; occlude < 2; occlude++) {
            const kldve_options o = {.struct_size = sizeof o,
                                     .method = occlude ? "occlusion" : "grad-cam",
                                     .target_kind = KLDVE_TARGET_INDEX,
                                     .target = target};

            assert_int_equal(kldve_explain_inputs(ex, inputs[0], 2 * BATCH + 1, &o, many),
                             KLDVE_OK);
            for (int i = 0; i < 2 * BATCH + 1; i++) {
                assert_int_equal(kldve_explain_input(plain, inputs[i], &o, &alone), KLDVE_OK);
                assert_true(farthest(many[i], alone) <= 1e-6);
                assert_memory_equal(got_logits(many[i], NULL), got_logits(alone, NULL),
                                    2 * sizeof(float));
                kldve_heatmap_free(alone);
                kldve_heatmap_free(many[i]);
            }
        }
    kldve_explainer_free(ex);
    kldve_explainer_free(plain);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* One score and two, from arrays: the map that the backend's explainer makes. */
static void check_arrays(clothes_kind clothes, int32_t scores, kldve_options o)
{
    const dressed_config config = {clothes, scores, true};
    float logits[2], t[2], features[MAPS * CELLS], gradient[MAPS * CELLS];
    kldve_arrays arrays = {.struct_size = sizeof arrays,
                           .logits = logits,
                           .features = features,
                           .gradient = gradient,
                           .classes = clothes == PAIRED ? 2 : 1,
                           .maps = MAPS,
                           .height = H,
                           .width = W,
                           .scores = scores};
    struct side s;
    kldve_heatmap *from_arrays = NULL, *from_backend;
    kldve_record a, b;
    void *state = NULL;

    o.struct_size = sizeof o;
    side_open(&s, clothes, scores, true);
    assert_int_equal(dressed_backend.open(s.ctx, &config, &state), KLDVE_OK);
    assert_int_equal(dressed_backend.forward(state, s.input, logits, features), KLDVE_OK);
    assert_int_equal(kldve_arrays_cotangent(s.ctx, logits, arrays.classes, &o, t), KLDVE_OK);
    assert_int_equal(dressed_backend.vjp(state, t, gradient), KLDVE_OK);
    assert_int_equal(kldve_explain_arrays(s.ctx, &arrays, &o, &from_arrays), KLDVE_OK);
    from_backend = made(&s, o);
    assert_memory_equal(got_values(from_arrays), got_values(from_backend), CELLS * sizeof(float));
    a = record_of(from_arrays);
    b = record_of(from_backend);
    assert_true(a.target == b.target && a.scores == b.scores && a.single == b.single &&
                a.logit == b.logit);
    assert_memory_equal(&a.probability, &b.probability, sizeof a.probability); /* NaN, too */
    kldve_heatmap_free(from_arrays);
    kldve_heatmap_free(from_backend);
    dressed_backend.close(state);
    side_close(&s);
}

static void test_arrays(void **state)
{
    static const char *const methods[] = {"kl-dve", "grad-cam", "layer-cam", "lafam"};

    (void)state;
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
        for (int32_t target = 0; target < 2; target++) {
            const kldve_options o = {
                .method = methods[m], .target_kind = KLDVE_TARGET_INDEX, .target = target};

            check_arrays(PAIRED, KLDVE_SCORES_SOFTMAX, o);
            check_arrays(PAIRED, KLDVE_SCORES_SIGMOID, o);
            for (int32_t kind = KLDVE_SCORES_SIGMOID; kind <= KLDVE_SCORES_NUMBER; kind++)
                check_arrays(BARE, kind, o);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_two_classes), cmocka_unit_test(test_no_is_yes_of_the_opposite),
        cmocka_unit_test(test_check),          cmocka_unit_test(test_record),
        cmocka_unit_test(test_default_target), cmocka_unit_test(test_readings),
        cmocka_unit_test(test_batches),        cmocka_unit_test(test_arrays),
    };

    return cmocka_run_group_tests_name("single", tests, NULL, NULL);
}
