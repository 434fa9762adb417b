/* test_labels.c - labels: reading the file, finding a class, the messages when nothing matches. */
#include "support.h"

#include <string.h>

#include <kldve/labels.h>

/* A little of everything: synsets, several names, two classes of one name, an empty line. */
static const char text[] = "n00000001 tench, Tinca tinca\n"
                           "n00000002 Egyptian cat\n"
                           "\n"
                           "n00000004 crane\r\n"
                           "n00000005 maillot\n"
                           "n00000006 maillot, tank suit\n"
                           "  n00000007\tcrane  \n"
                           "n0000008 not a synset\n"
                           "tabby, tabby cat\n"
                           "n00000010\n"
                           "\n \r\n";
enum { LABELS = 10 };

/* In place of an index: no class fits, or the question does not say which. */
enum { NONE = -1, MANY = -2 };

struct find_case {
    const char *name, *what;
    int32_t index;       /* -1: fails */
    const char *message; /* part of the message then */
};

static const struct find_case cases[] = {
    {"an index", "8", 8, NULL},
    {"an index with zeros in front", "008", 8, NULL},
    {"a synset", "n00000002", 1, NULL},
    {"a synset in capitals", "N00000002", 1, NULL},
    {"a synset whose line has no name", "n00000010", 9, NULL},
    {"a whole label", "tench, tinca tinca", 0, NULL},
    {"the first name", "TENCH", 0, NULL},
    {"the second name", "Tinca Tinca", 0, NULL},
    {"a whole label before a name", "maillot", 4, NULL},
    {"a name that another label begins with", "tabby", 8, NULL},
    {"what only looks like a synset", "n0000008 not a synset", 7, NULL},
    {"two whole labels", "crane", MANY,
     "'crane' names 2 classes: 3 'crane', 6 'crane'; give the index"},
    {"a word of one label", "cat", NONE, "no class is called 'cat'; did you mean 1 'Egyptian cat'"},
    {"a misspelling", "tenhc", NONE, "did you mean 0 'tench, Tinca tinca'"},
    {"half a synset", "n0000000", NONE, "no class is called"},
    {"an index past the end", "10", NONE, "class 10: there are 10 classes, give 0 to 9"},
    {"an index past 32 bit", "99999999999999999999", NONE, "there are 10 classes"},
    {"a negative index", "-1", NONE, "no class is called '-1'"},
    {"nothing", "", MANY, "a label of 0 bytes"},
    {"a comma", ",", NONE, "no class is called ','"},
};

static const char *name_of(const kldve_labels *labels, int32_t index)
{
    const char *name = NULL;

    assert_int_equal(kldve_labels_name(labels, index, &name), KLDVE_OK);
    return name;
}

static const char *synset_of(const kldve_labels *labels, int32_t index)
{
    const char *synset = NULL;

    assert_int_equal(kldve_labels_synset(labels, index, &synset), KLDVE_OK);
    return synset;
}

static void check_find(void **state)
{
    const struct find_case *c = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_labels *labels = NULL;
    int32_t index = -7;

    assert_int_equal(kldve_labels_parse(ctx, text, sizeof text - 1, &labels), KLDVE_OK);
    if (c->index >= 0) {
        assert_int_equal(kldve_labels_find(ctx, labels, c->what, &index), KLDVE_OK);
        assert_int_equal(index, c->index);
    } else {
        assert_int_equal(kldve_labels_find(ctx, labels, c->what, &index),
                         c->index == NONE ? KLDVE_E_NOT_FOUND : KLDVE_E_ARG);
        assert_int_equal(index, -7);
        if (!strstr(kldve_ctx_message(ctx), c->message))
            fail_msg("message: %s", kldve_ctx_message(ctx));
    }
    kldve_labels_free(labels);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_names(void **state)
{
    static const char *const names[LABELS] = {"tench, Tinca tinca",
                                              "Egyptian cat",
                                              "",
                                              "crane",
                                              "maillot",
                                              "maillot, tank suit",
                                              "crane",
                                              "n0000008 not a synset",
                                              "tabby, tabby cat",
                                              ""};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_labels *labels = NULL;
    const char *got = NULL;

    (void)state;
    assert_int_equal(kldve_labels_parse(ctx, text, sizeof text - 1, &labels), KLDVE_OK);
    assert_int_equal(kldve_labels_count(labels), LABELS);
    for (int32_t i = 0; i < LABELS; i++)
        assert_string_equal(name_of(labels, i), names[i]);
    assert_string_equal(synset_of(labels, 0), "n00000001");
    assert_string_equal(synset_of(labels, 7), "");
    assert_int_equal(kldve_labels_name(labels, LABELS, &got), KLDVE_E_NOT_FOUND);
    assert_int_equal(kldve_labels_name(labels, -1, &got), KLDVE_E_NOT_FOUND);
    assert_int_equal(kldve_labels_synset(labels, LABELS, &got), KLDVE_E_NOT_FOUND);
    assert_null(got);
    kldve_labels_free(labels);
    kldve_labels_free(NULL);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_bad_text(void **state)
{
    static const struct {
        const char *bytes;
        size_t nbytes;
        const char *message;
    } bad[] = {{"", 0, "no labels"},
               {"\xef\xbb\xbf", 3, "no labels"},
               {"\n \r\n\t", 5, "no labels"},
               {"a\0b", 3, "not a text file"}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_labels *labels = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(kldve_labels_parse(ctx, bad[i].bytes, bad[i].nbytes, &labels),
                         KLDVE_E_FORMAT);
        assert_null(labels);
        assert_non_null(strstr(kldve_ctx_message(ctx), bad[i].message));
    }
    assert_int_equal(kldve_labels_parse(ctx, "x", (size_t)64 << 20, &labels), KLDVE_E_LIMIT);
    test_says(ctx, "67108864 bytes of labels: the limit 'labels' is 16 MiB; raise it with");
    assert_int_equal(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_LABELS, 3), KLDVE_OK);
    assert_int_equal(kldve_labels_parse(ctx, "four", 4, &labels), KLDVE_E_LIMIT);
    assert_int_equal(kldve_labels_parse(ctx, "two", 3, &labels), KLDVE_OK);
    kldve_labels_free(labels);
    labels = NULL;
    assert_int_equal(kldve_labels_load(ctx, "no/such/labels.txt", &labels), KLDVE_E_IO);
    assert_non_null(strstr(kldve_ctx_message(ctx), "no/such/labels.txt: "));
    assert_int_equal(kldve_labels_load(ctx, "/", &labels), KLDVE_E_IO);
    assert_int_equal(kldve_labels_load(ctx, NULL, &labels), KLDVE_E_ARG);
    assert_int_equal(kldve_labels_parse(ctx, NULL, 0, &labels), KLDVE_E_ARG);
    assert_null(labels);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_no_memory(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_labels *labels = NULL;
    long budget = 0;
    kldve_status status;

    (void)state;
    test_file_save("labels.tmp", text, sizeof text - 1);
    do {
        heap.budget = budget++;
        status = kldve_labels_load(ctx, "labels.tmp", &labels);
        if (status != KLDVE_OK) {
            assert_int_equal(status, KLDVE_E_NOMEM);
            assert_null(labels);
            assert_true(strlen(kldve_ctx_message(ctx)) > 0);
        }
    } while (status != KLDVE_OK);
    assert_true(budget > 2); /* the file's bytes, the labels */
    heap.budget = -1;
    kldve_labels_free(labels);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* The thousand classes of ImageNet: every synset and every index leads back to its class. */
static void test_imagenet(void **state)
{
    const char *shared = test_shared_or_skip();
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_labels *labels = NULL;
    int32_t index;

    (void)state;
    assert_int_equal(
        kldve_labels_load(ctx, test_path("%s/assets/labels/synset_words.txt", shared), &labels),
        KLDVE_OK);
    assert_int_equal(kldve_labels_count(labels), 1000);
    for (int32_t i = 0; i < 1000; i++) {
        assert_int_equal(kldve_labels_find(ctx, labels, synset_of(labels, i), &index), KLDVE_OK);
        assert_int_equal(index, i);
    }
    assert_int_equal(kldve_labels_find(ctx, labels, "bull mastiff", &index), KLDVE_OK);
    assert_int_equal(index, 243);
    assert_int_equal(kldve_labels_find(ctx, labels, "crane", &index), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(ctx), "134 'crane', 517 'crane'"));
    kldve_labels_free(labels);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names), cmocka_unit_test(test_bad_text),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_imagenet)};
    int failed = TEST_RUN_CASES("classes that are found", cases, check_find);

    return failed + cmocka_run_group_tests_name("labels", tests, NULL, NULL);
}
