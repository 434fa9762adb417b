/* test_randomise.c - random parameters through the library: what is refused, which pass is looked
 * back on, and that maps follow. */
#include "got.h"
#include "backends/fixture.h"

#include <stddef.h>
#include <string.h>

static kldve_heatmap *explained(fixture *f)
{
    kldve_heatmap *map = NULL;

    assert_int_equal(kldve_explain_input(f->ex, f->input, NULL, &map), KLDVE_OK);
    return map;
}

static bool same(const kldve_heatmap *a, const kldve_heatmap *b)
{
    return memcmp(got_logits(a, NULL), got_logits(b, NULL), CLASSES * sizeof(float)) == 0 &&
           memcmp(got_values(a), got_values(b), CELLS * sizeof(float)) == 0;
}

static void test_maps_follow(void **state)
{
    kldve_heatmap *own, *random, *again;
    fixture f;

    (void)state;
    fixture_open(&f, &tiny_backend);
    own = explained(&f);
    assert_int_equal(kldve_explainer_randomise(f.ex, KLDVE_RANDOMISE_CASCADE, 1, 5), KLDVE_OK);
    assert_string_equal(kldve_ctx_message(f.ctx), "");
    random = explained(&f);
    assert_false(same(own, random));
    assert_int_equal(kldve_explainer_randomise(f.ex, KLDVE_RANDOMISE_NONE, 0, 0), KLDVE_OK);
    again = explained(&f);
    assert_true(same(own, again));
    kldve_heatmap_free(own);
    kldve_heatmap_free(random);
    kldve_heatmap_free(again);
    fixture_close(&f);
}

static void test_layers(void **state)
{
    const char *name = NULL;
    fixture f;

    (void)state;
    fixture_open(&f, &tiny_backend);
    assert_int_equal(kldve_explainer_parameters(f.ex, 0, &name), KLDVE_OK);
    assert_string_equal(name, "last");
    assert_int_equal(kldve_explainer_parameters(f.ex, 1, &name), KLDVE_OK);
    assert_string_equal(name, "first");
    assert_int_equal(kldve_explainer_parameters(f.ex, 2, &name), KLDVE_E_NOT_FOUND);
    assert_string_equal(name, "first");
    assert_int_equal(kldve_explainer_parameters(f.ex, -1, &name), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_parameters(f.ex, 0, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_explainer_parameters(NULL, 0, &name), KLDVE_E_ARG);
    fixture_close(&f);
}

static void test_refused(void **state)
{
    static const struct {
        int32_t kind, layer;
        uint64_t seed;
        const char *message;
    } cases[] = {
        {3, 0, 0, "random parameters: kind 3, it must be a kldve_randomise, 0 to 2"},
        {-1, 0, 0, "random parameters: kind -1, it must be a kldve_randomise, 0 to 2"},
        {KLDVE_RANDOMISE_CASCADE, -1, 0, "random parameters: layer -1: they are counted from 0"},
        {KLDVE_RANDOMISE_CASCADE, 2, 0, "tiny: random parameters: layer 2: there are two"},
        {KLDVE_RANDOMISE_NONE, 1, 0,
         "random parameters: KLDVE_RANDOMISE_NONE takes no layer and no seed: both must be 0"},
        {KLDVE_RANDOMISE_NONE, 0, 1,
         "random parameters: KLDVE_RANDOMISE_NONE takes no layer and no seed: both must be 0"},
    };
    fixture f;

    (void)state;
    fixture_open(&f, &tiny_backend);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            kldve_explainer_randomise(f.ex, cases[i].kind, cases[i].layer, cases[i].seed),
            KLDVE_E_ARG);
        assert_string_equal(kldve_ctx_message(f.ctx), cases[i].message);
    }
    assert_int_equal(kldve_explainer_randomise(NULL, KLDVE_RANDOMISE_NONE, 0, 0), KLDVE_E_ARG);
    fixture_close(&f);
}

/* A backend of before there were random parameters. */
static void test_cannot(void **state)
{
    kldve_backend older = tiny_backend;
    const char *name = NULL;
    fixture f;

    (void)state;
    older.struct_size = offsetof(kldve_backend, parameters);
    fixture_open(&f, &older);
    assert_int_equal(kldve_explainer_parameters(f.ex, 0, &name), KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(f.ctx), "tiny: does not know its parameters");
    assert_int_equal(kldve_explainer_randomise(f.ex, KLDVE_RANDOMISE_CASCADE, 0, 0),
                     KLDVE_E_UNSUPPORTED);
    assert_string_equal(kldve_ctx_message(f.ctx), "tiny: cannot have random parameters");
    assert_null(name);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps_follow),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cannot),
    };

    return cmocka_run_group_tests_name("randomise", tests, NULL, NULL);
}
