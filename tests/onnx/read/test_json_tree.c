/* test_json_tree.c - JSON: values and faults; texts that random changes made, read as json-c reads
 * them; memory that runs out. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/json_tree.h"

#ifdef HAVE_JSON_C
#include <json-c/json.h>
#endif

static const kx_json *read_text(kx_arena *arena, const char *text, kx_json_fault *fault)
{
    const kx_json *root = NULL;

    return kx_json_read(arena, text, strlen(text), &root, fault) ? root : NULL;
}

static void test_values(void **state)
{
    static const char text[] =
        " {\"a\": [1, -2.5e3, [], {}], \"b\": \"x\\n\\u00e9\\ud83d\\ude00\xc3\xa9\", \"a\": true, "
        "\"c\": null}\r\n";
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_json_fault fault;
    kx_arena arena;
    const kx_json *root, *list, *b;

    (void)state;
    kx_arena_init(&arena, ctx);
    root = read_text(&arena, text, &fault);
    assert_non_null(root);
    assert_int_equal(root->kind, KX_JSON_OBJECT);
    assert_int_equal(root->count, 4);
    list = root->first;
    assert_string_equal(list->name, "a");
    assert_int_equal(list->count, 4);
    assert_true(list->first->number == 1 && list->first->next->number == -2500);
    assert_int_equal(list->first->next->next->next->kind, KX_JSON_OBJECT);
    assert_null(list->first->next->next->next->next);
    b = kx_json_find(root, "b");
    assert_string_equal(b->text, "x\n\xc3\xa9\xf0\x9f\x98\x80\xc3\xa9");
    assert_int_equal(b->count, 10);
    assert_int_equal(kx_json_find(root, "a")->kind, KX_JSON_BOOLEAN); /* the last of its name */
    assert_int_equal(kx_json_find(root, "c")->kind, KX_JSON_NULL);
    assert_null(kx_json_find(root, "d"));
    assert_null(kx_json_find(b, "d"));
    kx_arena_free(&arena);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static const struct {
    const char *text, *reason; /* NULL: it ends too early */
    int line;
} faults[] = {
    {"", NULL, 1},
    {"{\"a\": 1", NULL, 1},
    {"\"a", NULL, 1},
    {"\"a\\", NULL, 1},
    {"[1,\n", NULL, 2},
    {"-", NULL, 1},
    {"1.", NULL, 1},
    {"1e+", NULL, 1},
    {"[1,\n]", "a value was expected", 2},
    {"{\"a\": 1,}", "a name in quotation marks was expected", 1},
    {"{1: 1}", "a name in quotation marks was expected", 1},
    {"{\"a\" 1}", "a colon was expected", 1},
    {"{\"a\\u0000b\": 1}", "a name holds a NUL character", 1},
    {"[1 2]", "a comma or the end of a list or an object was expected", 1},
    {"[1}", "a comma or the end of a list or an object was expected", 1},
    {"{} {}", "more text follows the value", 1},
    {"01", "a number begins with 0", 1},
    {"-.5", "a number lacks digits", 1},
    {"+1", "a value was expected", 1},
    {"NaN", "a value was expected", 1},
    {"'a'", "a value was expected", 1},
    {"\"\t\"", "a control character in a string", 1},
    {"\"\\x\"", "an unknown character behind a backslash", 1},
    {"\"\\u12g4\"", "\\u needs four hexadecimal digits", 1},
    {"\"\\udc00\"", "half a character", 1},
    {"\"\\ud800\\u0041\"", "half a character", 1},
    {"\"\xc0\x80\"", "not UTF-8", 1},
    {"\"\xed\xa0\x80\"", "not UTF-8", 1},
    {"\"\xf4\x90\x80\x80\"", "not UTF-8", 1},
    {"\"\xe2\x82\"", "not UTF-8", 1},
};

static void test_faults(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        kx_json_fault fault = {"", false, 0};
        kx_arena arena;

        kx_arena_init(&arena, ctx);
        if (read_text(&arena, faults[i].text, &fault))
            fail_msg("taken: %s", faults[i].text);
        assert_int_equal(fault.early, faults[i].reason == NULL);
        assert_int_equal(fault.line, faults[i].line);
        if (faults[i].reason)
            assert_string_equal(fault.reason, faults[i].reason);
        kx_arena_free(&arena);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* 32 deep, and one more. */
static void test_depth(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (int depth = KX_JSON_DEPTH; depth <= KX_JSON_DEPTH + 1; depth++) {
        char text[2 * KX_JSON_DEPTH + 3] = "";
        kx_json_fault fault;
        kx_arena arena;

        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        kx_arena_init(&arena, ctx);
        assert_int_equal(read_text(&arena, text, &fault) != NULL, depth == KX_JSON_DEPTH);
        kx_arena_free(&arena);
    }
    kldve_ctx_free(ctx);
}

/* As strtod() reads them in the locale "C": usual numbers to the bit. */
static void test_numbers(void **state)
{
    static const char *const exact[] = {"0",      "-0",     "1",     "255",         "0.1",
                                        "-0.225", "1e22",   "1e-22", "123.456",     "0.485",
                                        "1E+5",   "58.395", "4.5e2", "3.4028235e38"};
    static const char *const near[] = {"0.48235294117647054",
                                       "1.7976931348623157e308",
                                       "2.2250738585072014e-308",
                                       "123456789012345678901234567890",
                                       "0.000000000000000000000000000000123456789012345678901",
                                       "9999999999999999999e-10"};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_json_fault fault;
    kx_arena arena;

    (void)state;
    kx_arena_init(&arena, ctx);
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        const kx_json *read = read_text(&arena, exact[i], &fault);

        assert_non_null(read);
        assert_true(read->number == strtod(exact[i], NULL));
        assert_int_equal(signbit(read->number) != 0, exact[i][0] == '-');
    }
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        double want = strtod(near[i], NULL);

        assert_true(fabs(read_text(&arena, near[i], &fault)->number - want) <= 4e-16 * want);
    }
    assert_true(isinf(read_text(&arena, "1e999", &fault)->number));
    assert_true(read_text(&arena, "1e-999999999999", &fault)->number == 0);
    kx_arena_free(&arena);
    kldve_ctx_free(ctx);
}

/* Every allocation failed once: no tree, and no reason. */
static void test_memory(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    static char text[70000];
    bool done = false;
    long failed = 0;

    (void)state;
    strcpy(text, "[\"");
    memset(text + 2, 'x', 69000); /* has a chunk of the arena to itself */
    strcat(text, "\", 1, [2, {\"a\": 3}]]");
    for (long budget = 0; !done; budget++) {
        kx_json_fault fault = {"", false, 0};
        kx_arena arena;

        kx_arena_init(&arena, ctx);
        heap.budget = budget;
        done = read_text(&arena, text, &fault) != NULL;
        heap.budget = -1;
        if (!done) {
            assert_null(fault.reason);
            failed++;
        }
        kx_arena_free(&arena);
        assert_int_equal(heap.live, 1);
    }
    assert_true(failed >= 2);
    kldve_ctx_free(ctx);
}

#ifdef HAVE_JSON_C
/* Everything that both have, in both. */
static bool alike(const kx_json *a, json_object *b)
{
    switch (json_object_get_type(b)) {
    case json_type_null:
        return a->kind == KX_JSON_NULL;
    case json_type_boolean:
        return a->kind == KX_JSON_BOOLEAN && a->number == json_object_get_boolean(b);
    case json_type_int:
    case json_type_double:
        return a->kind == KX_JSON_NUMBER &&
               (fabs(a->number - json_object_get_double(b)) <= 1e-15 * fabs(a->number) ||
                fabs(a->number) > 9e18); /* where json-c stops to count */
    case json_type_string:
        return a->kind == KX_JSON_STRING && strcmp(a->text, json_object_get_string(b)) == 0;
    case json_type_array:
        if (a->kind != KX_JSON_LIST || a->count != json_object_array_length(b))
            return false;
        a = a->first;
        for (size_t i = 0; i < json_object_array_length(b); i++, a = a->next)
            if (!alike(a, json_object_array_get_idx(b, i)))
                return false;
        return a == NULL;
    case json_type_object:
        if (a->kind != KX_JSON_OBJECT)
            return false;
        json_object_object_foreach(b, name, value)
        {
            if (!kx_json_find(a, name) || !alike(kx_json_find(a, name), value))
                return false;
        }
        return true;
    }
    return false;
}

/* What json-c takes and RFC 8259 does not: NaN and infinities, numbers such as 01 and 1., control
 * characters and halves of characters. */
static bool is_dialect(const char *text, const char *reason)
{
    static const char *const ours[] = {"a number lacks digits", "a number begins with 0",
                                       "a control character in a string", "half a character"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(reason, ours[i]) == 0)
            return true;
    return strpbrk(text, "NI");
}

static void compare(const char *text, long *both)
{
    json_tokener *tokener = json_tokener_new_ex(KX_JSON_DEPTH + 1);
    kldve_ctx *ctx;
    test_heap heap;
    kx_json_fault fault;
    kx_arena arena;
    const kx_json *ours;
    json_object *theirs;
    bool taken;

    assert_non_null(tokener);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    theirs = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    taken = json_tokener_get_error(tokener) == json_tokener_success &&
            json_tokener_get_parse_end(tokener) + 1 >= strlen(text);
    ctx = test_ctx(&heap);
    kx_arena_init(&arena, ctx);
    ours = read_text(&arena, text, &fault);
    if (ours && !taken)
        fail_msg("only we take: %s", text);
    if (!ours && taken && !is_dialect(text, fault.reason))
        fail_msg("we refuse: %s: %s", text, fault.reason);
    if (ours && !alike(ours, theirs))
        fail_msg("another value: %s", text);
    *both += ours != NULL;
    kx_arena_free(&arena);
    kldve_ctx_free(ctx);
    json_object_put(theirs);
    json_tokener_free(tokener);
}

/* A character in place of another, one more or one less. */
static void change(char *text, size_t room, uint64_t *seed)
{
    static const char letters[] = "{}[]\",:\\u0123456789abntrufalse-+.eE \n\xc3\xa9/";
    size_t n = strlen(text), at = (size_t)(test_random(seed) * (double)(n + 1));
    char c = letters[(size_t)(test_random(seed) * (double)(sizeof letters - 1))];
    double how = test_random(seed);

    if (how < 0.4 && n + 2 < room) {
        memmove(text + at + 1, text + at, n - at + 1);
        text[at] = c;
    } else if (how < 0.7 && at < n) {
        memmove(text + at, text + at + 1, n - at);
    } else if (at < n) {
        text[at] = c;
    }
}

static void test_json_c(void **state)
{
    static const char *const seeds[] = {
        "{\"input\": {\"shape\": [1, 3, 224], \"mean\": [123.675, 116.28]}, \"logits\": \"a/b\"}",
        "[1, -2.5e3, \"x\\n\\u00e9\", true, false, null, {}, [], {\"a\": [[\"b\"]]}]",
        "{\"a\": {\"b\": {\"c\": [1, 2, {\"d\": \"\xc3\xa9\"}]}}, \"e\": 0.5}"};
    enum { ROUNDS = 30000, ROOM = 200 };
    uint64_t seed = 20261129;
    long both = 0;

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        char text[ROOM];

        snprintf(text, sizeof text, "%s", seeds[i % 3]);
        for (int k = 0; k <= i % 4; k++)
            change(text, sizeof text, &seed);
        compare(text, &both);
    }
    assert_true(both > ROUNDS / 20 && both < ROUNDS);
}
#endif

TEST_MAIN(json_tree)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),  cmocka_unit_test(test_faults), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_memory),
#ifdef HAVE_JSON_C
        cmocka_unit_test(test_json_c),
#endif
    };

    return cmocka_run_group_tests_name("json tree", tests, NULL, NULL);
}
