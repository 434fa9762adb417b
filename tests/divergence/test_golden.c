/* test_golden.c - against float64 results made with an independent implementation. */
#include "support.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/divergence.h>

/* Largest |got - expected| relative to the largest |expected|. */
static double distance(const double *got, const test_npy *expected)
{
    double worst = 0, scale = 0;

    for (size_t i = 0; i < expected->count; i++) {
        worst = fmax(worst, fabs(got[i] - expected->value[i]));
        scale = fmax(scale, fabs(expected->value[i]));
        if (isnan(got[i]))
            return INFINITY;
    }
    return worst / scale;
}

static void check(const char *folder, const char *name, const double *got)
{
    test_npy expected = test_npy_load(test_path("%s/%s.npy", folder, name));
    double off = distance(got, &expected);

    if (!(off <= 1e-9))
        fail_msg("%s/%s is off by %g of its largest value", folder, name, off);
    test_npy_free(&expected);
}

static double case_number(const char *folder, const char *key)
{
    size_t nbytes;
    char *json = test_file_load(test_path("%s/case.json", folder), &nbytes);
    double value = 0;

    assert_true(test_json_number(json, key, &value));
    free(json);
    return value;
}

static kldve_divergence *open_case(kldve_ctx *ctx, const test_npy *logits, double perplexity,
                                   int32_t summation)
{
    kldve_divergence_options o = {
        .struct_size = sizeof o, .perplexity = perplexity, .summation = summation};
    kldve_divergence *d = NULL;

    assert_int_equal(kldve_divergence_new(ctx, logits->count, &o, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, logits->value), KLDVE_OK);
    return d;
}

/* One-hot truth: every file that the divergence alone can make. */
static void check_onehot_case(const char *folder, int32_t summation)
{
    test_npy logits = test_npy_load(test_path("%s/logits.npy", folder));
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    /* The files were made for a perplexity of at most n - 2: which one does not matter. */
    kldve_divergence *d = open_case(ctx, &logits, logits.count < 32 ? 5 : 30, summation);
    size_t target = (size_t)case_number(folder, "target"), n = logits.count;
    double *z = malloc(n * sizeof *z), kl;

    assert_int_equal(kldve_divergence_onehot(d, target, z, &kl), KLDVE_OK);
    check(folder, "z", z);
    check(folder, "kl", &kl);
    assert_int_equal(kldve_standardise(z, n, z), 0);
    check(folder, "alpha_logits", z);
    assert_int_equal(kldve_divergence_base(d, z), KLDVE_OK);
    check(folder, "base", z);
    assert_int_equal(kldve_divergence_delta(d, target, z), KLDVE_OK);
    check(folder, "delta", z);
    assert_int_equal(kldve_divergence_contrast(d, target, z), KLDVE_OK);
    check(folder, "contrast_cotangent", z);
    assert_int_equal(kldve_divergence_rivals(d, target, z), KLDVE_OK);
    check(folder, "rivals_cotangent", z);
    free(z);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    test_npy_free(&logits);
}

static void check_truth_case(const char *folder, int32_t summation)
{
    test_npy logits = test_npy_load(test_path("%s/logits.npy", folder));
    test_npy truth = test_npy_load(test_path("%s/truth.npy", folder));
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_divergence *d = open_case(ctx, &logits, case_number(folder, "perplexity"), summation);
    double *z = malloc(logits.count * sizeof *z), kl;

    assert_int_equal(kldve_divergence_truth(d, truth.value, z, &kl), KLDVE_OK);
    check(folder, "z", z);
    check(folder, "kl", &kl);
    assert_int_equal(kldve_divergence_rows(d, z, NULL, NULL), KLDVE_OK);
    check(folder, "beta", z);
    free(z);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    test_npy_free(&logits);
    test_npy_free(&truth);
}

/* Calls visit for every folder below `where` and returns their number. */
static int each_folder(const char *where, void (*visit)(const char *, int32_t), int32_t summation)
{
    char path[1024]; /* `where` may be a buffer that test_path() uses again */
    struct dirent *entry;
    int count = 0;
    DIR *dir;

    assert_in_range(snprintf(path, sizeof path, "%s", where), 0, sizeof path - 1);
    dir = opendir(path);
    if (!dir)
        fail_msg("%s: not a folder", path);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && !strstr(entry->d_name, ".md")) {
            char folder[1024];

            assert_in_range(snprintf(folder, sizeof folder, "%s/%s", path, entry->d_name), 0,
                            sizeof folder - 1);
            visit(folder, summation);
            count++;
        }
    closedir(dir);
    return count;
}

static void visit_model(const char *folder, int32_t summation)
{
    if (!strstr(folder, "/divergence"))
        each_folder(folder, check_onehot_case, summation);
}

static void test_onehot(void **state)
{
    const char *shared = test_shared_or_skip();

    (void)state;
    for (int32_t s = KLDVE_SUM_AUTO; s <= KLDVE_SUM_CHEBYSHEV; s++)
        assert_true(each_folder(test_path("%s/golden", shared), visit_model, s) >= 9);
}

static void test_truth(void **state)
{
    const char *shared = test_shared_or_skip();

    (void)state;
    for (int32_t s = KLDVE_SUM_AUTO; s <= KLDVE_SUM_CHEBYSHEV; s++)
        assert_true(each_folder(test_path("%s/golden/divergence", shared), check_truth_case, s) >=
                    7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_onehot),
        cmocka_unit_test(test_truth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
