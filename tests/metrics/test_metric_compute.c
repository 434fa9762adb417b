/* test_metric_compute.c - what a metric is given of a subject, and what is refused before it. */
#include "backends/fixture.h"

#include <math.h>
#include <string.h>

#include <kldve/method.h>
#include <kldve/metrics.h>

static const kldve_options grad_cam = {.struct_size = sizeof grad_cam, .method = "grad-cam"};

static kldve_metric_subject subject_of(const fixture *f)
{
    return (kldve_metric_subject){.struct_size = sizeof(kldve_metric_subject),
                                  .explainer = f->ex,
                                  .input = f->input,
                                  .explained_with = &grad_cam};
}

/* ---- a host's metric that looks at everything --------------------------------------------- */

static kldve_status scores_of_input(const kldve_metric_job *job, double *value)
{
    double score[3];

    assert_int_equal(job->width, IN_W);
    assert_int_equal(job->shape->classes, CLASSES);
    assert_int_equal(job->explained_with->target_kind, KLDVE_TARGET_INDEX);
    assert_true(job->options->steps == 7 && job->options->samples == 9);
    for (int32_t kind = 0; kind < 3; kind++) {
        kldve_status st = kldve_metric_scores(job, kind, job->input, 1, score + kind);

        if (st < 0)
            return st;
    }
    assert_true(fabs(score[2] - log2(score[1] / (1 - score[1]))) < 1e-9);
    *value = score[1];
    return KLDVE_OK;
}

static kldve_status same_map(const kldve_metric_job *job, double *value)
{
    float values[PIXELS];
    kldve_status st = kldve_metric_explain(job, job->input, NULL, values);

    *value = 0;
    for (int i = 0; st == KLDVE_OK && i < PIXELS; i++)
        *value = fmax(*value, fabs((double)values[i] - (double)job->values[i]));
    return st;
}

static const kldve_metric_options host_defaults = {
    .struct_size = sizeof host_defaults, .steps = 3, .samples = 9};

static void register_host(kldve_ctx *ctx, const char *name, uint64_t needs,
                          kldve_status (*compute)(const kldve_metric_job *, double *))
{
    const kldve_metric metric = {.struct_size = sizeof metric,
                                 .name = name,
                                 .low = -10,
                                 .high = 10,
                                 .compute = compute,
                                 .needs = needs,
                                 .options = KLDVE_METRIC_OPTION_STEPS,
                                 .defaults = &host_defaults};

    assert_int_equal(kldve_metric_register(ctx, &metric), KLDVE_OK);
}

/* The score is the probability in the record, whatever the temperature of the explanation. */
static void test_job(void **state)
{
    fixture *f = *state;
    const kldve_metric_options options = {.struct_size = sizeof options, .steps = 7};
    const kldve_options warm = {
        .struct_size = sizeof warm, .method = "grad-cam", .temperature = 5, .target = 2};
    kldve_metric_subject subject = subject_of(f);
    kldve_heatmap *map = fixture_explain(f, warm);
    double value = 0;

    subject.explained_with = &warm;
    subject.options = &options;
    register_host(f->ctx, "scores", KLDVE_METRIC_NEED_NETWORK, scores_of_input);
    register_host(f->ctx, "same", KLDVE_METRIC_NEED_EXPLANATIONS, same_map);
    assert_int_equal(kldve_metric_compute(f->ctx, map, "scores", &subject, &value), KLDVE_OK);
    assert_true(fabs(value - (double)fixture_record(map).probability) < 1e-6);
    assert_int_equal(kldve_metric_compute(f->ctx, map, "same", &subject, &value), KLDVE_OK);
    assert_true(value == 0);
    kldve_heatmap_free(map);
}

/* ---- refusals ----------------------------------------------------------------------------- */

static void refuse(fixture *f, const kldve_heatmap *map, const char *name,
                   const kldve_metric_subject *subject, kldve_status st, const char *text)
{
    double value = 7;

    assert_int_equal(kldve_metric_compute(f->ctx, map, name, subject, &value), st);
    test_says(f->ctx, text);
    assert_true(value == 7);
}

static void test_lacks(void **state)
{
    fixture *f = *state;
    kldve_metric_subject s = subject_of(f);
    kldve_heatmap *map = fixture_explain(f, grad_cam);

    register_host(f->ctx, "truth", KLDVE_METRIC_NEED_TRUTH, same_map);
    register_host(f->ctx, "other", KLDVE_METRIC_NEED_OTHER, same_map);
    register_host(f->ctx, "randomised", KLDVE_METRIC_NEED_RANDOMISED, same_map);
    refuse(f, map, "deletion", NULL, KLDVE_E_UNSUPPORTED,
           "metric deletion needs the network that made the map (kldve_metric_subject.explainer)");
    s.input = NULL;
    refuse(f, map, "deletion", &s, KLDVE_E_UNSUPPORTED, "kldve_metric_subject.input");
    refuse(f, map, "truth", &s, KLDVE_E_UNSUPPORTED, "kldve_metric_subject.truth");
    refuse(f, map, "other", &s, KLDVE_E_UNSUPPORTED, "kldve_metric_subject.other");
    refuse(f, map, "randomised", &s, KLDVE_E_UNSUPPORTED, "kldve_metric_subject.randomised");
    kldve_heatmap_free(map);
}

static void test_does_not_fit(void **state)
{
    fixture *f = *state, other;
    const kldve_options hires = {.struct_size = sizeof hires, .method = "hires-cam"};
    const kldve_options no_class = {.struct_size = sizeof no_class,
                                    .method = "grad-cam",
                                    .target_kind = KLDVE_TARGET_INDEX,
                                    .target = CLASSES};
    const tiny_config narrow = {CHANNELS, H, W - 1, MAPS, CLASSES, 101, true};
    const tiny_config fewer = {CHANNELS, H, W, MAPS, CLASSES - 1, 101, true};
    kldve_metric_subject s = subject_of(f);
    kldve_heatmap *map = fixture_explain(f, grad_cam);
    kldve_options another = no_class;

    fixture_open(&other, &tiny_backend);
    register_host(f->ctx, "same", KLDVE_METRIC_NEED_EXPLANATIONS, same_map);
    s.explainer = other.ex;
    refuse(f, map, "deletion", &s, KLDVE_E_ARG, "is one of another context");
    fixture_close(&other);
    assert_int_equal(kldve_explainer_new(f->ctx, &tiny_backend, &narrow, &s.explainer), KLDVE_OK);
    refuse(
        f, map, "deletion", &s, KLDVE_E_ARG,
        "the map is for inputs of 16 x 12 pixels in 1 frames, those of the network have 12 x 12");
    kldve_explainer_free(s.explainer);
    assert_int_equal(kldve_explainer_new(f->ctx, &tiny_backend, &fewer, &s.explainer), KLDVE_OK);
    refuse(f, map, "deletion", &s, KLDVE_E_ARG, "a network of 6 classes, this one has 5");
    kldve_explainer_free(s.explainer);
    s = subject_of(f);
    s.explained_with = &hires;
    refuse(f, map, "same", &s, KLDVE_E_ARG,
           "the method grad-cam made the map, explained_with says hires-cam");
    s.explained_with = &no_class;
    refuse(f, map, "deletion", &s, KLDVE_E_ARG,
           "explained_with: target index 6 is not among the 6 classes");
    another.target = fixture_record(map).target ? 0 : 1;
    s.explained_with = &another;
    refuse(f, map, "deletion", &s, KLDVE_E_ARG, "the map is about class");
    kldve_heatmap_free(map);
}

static void test_options(void **state)
{
    const struct {
        kldve_metric_options o;
        const char *text;
    } bad[] = {
        {{.steps = -1}, "steps is -1, it must be at least 1"},
        {{.samples = -2}, "samples is -2, it must be at least 1"},
        {{.part = 1.5}, "part is 1.5, it must be above 0 and at most 1"},
        {{.part = (double)NAN}, "part is "},
        {{.noise = -1}, "noise is -1, it must be above 0"},
        {{.noise = (double)INFINITY}, "noise is inf"},
        {{.baseline = 6}, "unknown baseline 6"},
        {{.normalise = 2}, "normalise is 2, it must be 0 or 1"},
        {{.tolerance = -1}, "tolerance is -1, it must be 0 or more"},
        {{.tolerance = (double)INFINITY}, "tolerance is inf"},
        {{.samples = 2}, "samples is set, but the metric deletion does not read it"},
        {{.part = 0.5}, "part is set, but the metric deletion does not read it"},
        {{.noise = 1}, "noise is set, but"},
        {{.normalise = 1}, "normalise is set, but"},
        {{.tolerance = 1}, "tolerance is set, but"},
    };
    fixture *f = *state;
    kldve_metric_subject s = subject_of(f);
    kldve_heatmap *map = fixture_explain(f, grad_cam);

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kldve_metric_options o = bad[i].o;

        o.struct_size = sizeof o;
        s.options = &o;
        refuse(f, map, "deletion", &s, KLDVE_E_ARG, bad[i].text);
    }
    kldve_heatmap_free(map);
}

/* Every allocation of every metric, failed once; and a cancel. */
static void test_failures(void **state)
{
    const uint64_t had = KLDVE_METRIC_NEED_NETWORK | KLDVE_METRIC_NEED_EXPLANATIONS |
                         KLDVE_METRIC_NEED_TRUTH | KLDVE_METRIC_NEED_OTHER;
    const uint8_t truth[PIXELS] = {1};
    fixture *f = *state;
    kldve_metric_subject s = subject_of(f);
    kldve_heatmap *map = fixture_explain(f, grad_cam);
    const kldve_metric *m;
    double value = 7;
    long live = f->heap.live;

    s.truth = truth;
    s.other = map;

    for (int32_t i = 0; kldve_metric_at(NULL, i, &m) == KLDVE_OK; i++) {
        if (m->needs & ~had)
            continue;
        if (kldve_metric_compute(f->ctx, map, m->name, &s, &value) == KLDVE_E_UNSUPPORTED) {
            test_says(f->ctx, "was built without a sparse solver");
            continue;
        }
        assert_string_equal(kldve_ctx_message(f->ctx), "");
        live = f->heap.live;
        value = 7;
        for (long n = 0; f->heap.budget = n, kldve_metric_compute(f->ctx, map, m->name, &s, &value);
             n++) {
            assert_true(value == 7 && f->heap.live == live);
            test_says(f->ctx, "out of memory");
        }
        f->heap.budget = -1;
        kldve_ctx_cancel(f->ctx);
        value = 7;
        assert_int_equal(kldve_metric_compute(f->ctx, map, m->name, &s, &value), KLDVE_E_CANCELLED);
        assert_true(value == 7 && f->heap.live == live);
    }
    kldve_heatmap_free(map);
}

/* ---- stopped halfway ---------------------------------------------------------------------- */

struct stop {
    kldve_ctx *ctx;
    const char *stage; /* of the metric */
    int reports;
};

static int32_t cancel_second(void *opaque, const char *stage, int64_t done, int64_t total)
{
    struct stop *stop = opaque;

    (void)done;
    assert_true(total >= 1);
    if (strcmp(stage, stop->stage) == 0 && ++stop->reports == 2)
        kldve_ctx_cancel(stop->ctx);
    return 0;
}

/* Metrics of many passes report them, and end where they are cancelled. */
static void test_cancel(void **state)
{
    static const char *const names[] = {"deletion",          "insertion",  "pixel_flipping",
                                        "comprehensiveness", "infidelity", "max_sensitivity"};
    fixture *f = *state;
    const kldve_metric_subject s = subject_of(f);
    kldve_heatmap *map = fixture_explain(f, grad_cam);
    double value;

    /* The explainer keeps what its first passes take. */
    assert_int_equal(kldve_metric_compute(f->ctx, map, "adcc", &s, &value), KLDVE_OK);
    value = 7;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stop stop = {.ctx = f->ctx, .stage = names[i]};
        long live = f->heap.live;

        kldve_ctx_set_progress(f->ctx, cancel_second, &stop);
        assert_int_equal(kldve_metric_compute(f->ctx, map, names[i], &s, &value),
                         KLDVE_E_CANCELLED);
        assert_int_equal(stop.reports, 2);
        assert_true(value == 7 && f->heap.live == live);
        kldve_ctx_set_progress(f->ctx, NULL, NULL);
        assert_int_equal(kldve_ctx_set_deadline(f->ctx, 1e-6), KLDVE_OK);
        assert_int_equal(kldve_metric_compute(f->ctx, map, names[i], &s, &value), KLDVE_E_DEADLINE);
        assert_int_equal(kldve_ctx_set_deadline(f->ctx, 0), KLDVE_OK);
        assert_true(value == 7 && f->heap.live == live);
    }
    kldve_heatmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_job, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_lacks, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_does_not_fit, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_options, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_failures, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(test_cancel, fixture_set_up, fixture_tear_down),
    };

    return cmocka_run_group_tests_name("metrics applied", tests, NULL, NULL);
}
