/* golden.c - see golden.h. */
#include "golden.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void golden_check(const char *folder, const char *name, const double *got)
{
    test_npy expected = test_npy_load(test_path("%s/%s.npy", folder, name));
    double off = distance(got, &expected);

    if (!(off <= 1e-9))
        fail_msg("%s/%s is off by %g of its largest value", folder, name, off);
    test_npy_free(&expected);
}

double golden_number(const char *folder, const char *key)
{
    size_t nbytes;
    char *json = test_file_load(test_path("%s/case.json", folder), &nbytes);
    double value = 0;

    assert_true(test_json_number(json, key, &value));
    free(json);
    return value;
}

kldve_divergence *golden_open(kldve_ctx *ctx, const test_npy *logits, double perplexity,
                              int32_t summation)
{
    kldve_divergence_options o = {
        .struct_size = sizeof o, .perplexity = perplexity, .summation = summation};
    kldve_divergence *d = NULL;

    assert_int_equal(kldve_divergence_new(ctx, (int32_t)logits->count, &o, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, logits->value), KLDVE_OK);
    return d;
}

kldve_divergence *golden_open_onehot(kldve_ctx *ctx, const char *folder, int32_t summation,
                                     size_t *n)
{
    test_npy logits = test_npy_load(test_path("%s/logits.npy", folder));
    /* The files were made for a perplexity of at most n - 2: which one does not matter. */
    kldve_divergence *d = golden_open(ctx, &logits, logits.count < 32 ? 5 : 30, summation);

    *n = logits.count;
    test_npy_free(&logits);
    return d;
}

/* Calls visit for every folder below `where`; models: for those inside of them. */
static int each_folder(const char *where, bool models, golden_visit *visit, int32_t summation)
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
            if (!models)
                visit(folder, summation);
            else if (!strstr(folder, "/divergence"))
                each_folder(folder, false, visit, summation);
            count++;
        }
    closedir(dir);
    return count;
}

int golden_each(const char *where, golden_visit *visit, int32_t summation)
{
    return each_folder(where, false, visit, summation);
}

void golden_models(golden_visit *visit)
{
    const char *shared = test_shared_or_skip();

    for (int32_t s = KLDVE_SUMMATION_AUTO; s <= KLDVE_SUMMATION_CHEBYSHEV; s++)
        assert_true(each_folder(test_path("%s/golden", shared), true, visit, s) >= 9);
}
