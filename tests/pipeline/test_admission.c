/* test_admission.c - what a method needs and the backend, or the arrays, cannot give is refused by
 * name before any work. */
#include "backends/fixture.h"

#include <stdio.h>
#include <string.h>

#include <kldve/method.h>

#define SIZED .struct_size = sizeof(kldve_options)

/* -- without a VJP ---------------------------------------------------------------------------- */

static void test_no_vjp(void **state)
{
    static const struct {
        const char *method;
        int32_t reading;
        const char *message; /* NULL: works */
    } cases[] = {
        {NULL, KLDVE_READING_PAPER, NULL},
        {"lafam", 0, NULL},
        {"eigen-cam", 0, NULL},
        {NULL, KLDVE_READING_CHANNEL,
         "plain: the reading channel needs a gradient, which this backend cannot give (the reading "
         "paper needs none)"},
        {NULL, 0,
         "plain: the reading neighbours needs a gradient, which this backend cannot give (the "
         "reading "
         "paper needs none)"},
        {"grad-cam", 0,
         "plain: the method grad-cam needs a gradient, which this backend cannot give (the reading "
         "paper needs none)"},
    };
    fixture f;

    (void)state;
    fixture_open(&f, &tiny_backend_plain);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kldve_options o = {SIZED, .method = cases[i].method, .reading = cases[i].reading};
        kldve_heatmap *map = NULL;
        kldve_status st = kldve_explain_input(f.ex, f.input, &o, &map);

        assert_int_equal(st, cases[i].message ? KLDVE_E_NO_VJP : KLDVE_OK);
        if (cases[i].message)
            assert_string_equal(kldve_ctx_message(f.ctx), cases[i].message);
        kldve_heatmap_free(map);
    }
    fixture_close(&f);
}

/* -- from arrays ------------------------------------------------------------------------------ */

static void test_smooth_needs_a_network(void **state)
{
    fixture *f = *state;
    float logits[CLASSES] = {1, 2, 3, 4, 5, 6}, features[MAPS * CELLS] = {0};
    kldve_arrays a = {.struct_size = sizeof a,
                      .logits = logits,
                      .features = features,
                      .gradient = features,
                      .classes = CLASSES,
                      .maps = MAPS,
                      .height = H,
                      .width = W};
    kldve_options o = {.struct_size = sizeof o, .smooth = 1};
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain_arrays(f->ctx, &a, &o, &map), KLDVE_E_UNSUPPORTED);
    assert_null(map);
}

/* -- every need ------------------------------------------------------------------------------- */

static kldve_status no_map(const kldve_job *job, float *map)
{
    (void)map;
    fail_msg("%s ran, although what it needs is missing", job->method->name);
    return KLDVE_E_BACKEND;
}

static const struct need {
    uint64_t needs;
    size_t slot;                  /* of kldve_backend */
    kldve_status status;          /* from the network */
    const char *network, *arrays; /* the ends of messages; network NULL: every one has it */
} needs[] = {
    {KLDVE_NEED_GRADIENT, offsetof(kldve_backend, vjp), KLDVE_E_NO_VJP,
     "a gradient, which this backend cannot give (the reading paper needs none)",
     "kldve_arrays.gradient (the reading paper needs no gradient)"},
    {KLDVE_NEED_INPUT_GRADIENT, offsetof(kldve_backend, vjp_input), KLDVE_E_NO_VJP,
     "a gradient at the pixels, which this backend cannot give",
     "the network itself, not only its arrays"},
    {KLDVE_NEED_FEATURE_FORWARDS, offsetof(kldve_backend, forward_features), KLDVE_E_UNSUPPORTED,
     "to run from changed feature maps, which this backend cannot",
     "the network itself, not only its arrays"},
    {KLDVE_NEED_BIAS_GRADIENT, offsetof(kldve_backend, vjp_biases), KLDVE_E_UNSUPPORTED,
     "the gradients at the biases, which this backend cannot give",
     "the network itself, not only its arrays"},
    {KLDVE_NEED_ATTENTION, offsetof(kldve_backend, attentions), KLDVE_E_UNSUPPORTED,
     "the attentions, which this backend cannot give", "the network itself, not only its arrays"},
    {KLDVE_NEED_FORWARDS, 0, KLDVE_E_UNSUPPORTED, NULL, "the network itself, not only its arrays"},
};

enum { NEEDS = sizeof needs / sizeof *needs };

static kldve_method needy(const struct need *n)
{
    return (kldve_method){.struct_size = sizeof(kldve_method),
                          .name = "needy",
                          .source = "this test",
                          .needs = KLDVE_NEED_FEATURES | n->needs,
                          .map = no_map};
}

static void assert_refused(kldve_ctx *ctx, const char *where, const char *what)
{
    char message[300];

    snprintf(message, sizeof message, "%s: the method needy needs %s", where, what);
    assert_string_equal(kldve_ctx_message(ctx), message);
}

/* A backend with every slot but the one that is needed. */
static void test_needs_of_network(void **state)
{
    (void)state;
    for (int i = 0; i < NEEDS && needs[i].network; i++) {
        const kldve_options o = {SIZED, .method = "needy"};
        const kldve_method method = needy(&needs[i]);
        kldve_backend backend = tiny_backend;
        kldve_heatmap *map = NULL;
        fixture f;

        memset((char *)&backend + needs[i].slot, 0, sizeof backend.vjp);
        fixture_open(&f, &backend);
        assert_int_equal(kldve_method_register(f.ctx, &method), KLDVE_OK);
        assert_int_equal(kldve_explain_input(f.ex, f.input, &o, &map), needs[i].status);
        assert_refused(f.ctx, "tiny", needs[i].network);
        assert_null(map);
        fixture_close(&f);
    }
}

/* Arrays without a gradient have features, and that is all. */
static void test_needs_of_arrays(void **state)
{
    const float logits[CLASSES] = {1, 2, 3, 4, 5, 6}, features[MAPS * CELLS] = {0};
    const kldve_arrays a = {.struct_size = sizeof a,
                            .logits = logits,
                            .features = features,
                            .gradient = NULL,
                            .classes = CLASSES,
                            .maps = MAPS,
                            .height = H,
                            .width = W};

    (void)state;
    for (int i = 0; i < NEEDS; i++) {
        const kldve_options o = {SIZED, .method = "needy"};
        const kldve_method method = needy(&needs[i]);
        kldve_heatmap *map = NULL;
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);

        assert_int_equal(kldve_method_register(ctx, &method), KLDVE_OK);
        assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map),
                         needs[i].needs == KLDVE_NEED_GRADIENT ? KLDVE_E_NO_VJP
                                                               : KLDVE_E_UNSUPPORTED);
        assert_refused(ctx, "arrays", needs[i].arrays);
        assert_null(map);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_smooth_needs_a_network),
        cmocka_unit_test(test_needs_of_arrays),
        cmocka_unit_test(test_no_vjp),
        cmocka_unit_test(test_needs_of_network),
    };

    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
