/* test_choose_scores.c - what kind of scores the logits are: as the file says, as the caller asks,
 * and what is refused. */
#include "support.h"

#include <string.h>

#include "api/choose.h"

enum { AS_FILE = 0, ASK = 1 };

static const struct reading {
    const char *name;
    int32_t count;
    int32_t file;  /* what the end of the file says, a kldve_scores */
    int32_t asked; /* 0, or ASK + kind */
    bool named;
    int32_t found;       /* a kldve_scores, -1: refused */
    const char *message; /* a part of the note or of the refusal; NULL: there is no note */
} readings[] = {
    {"several, softmax", 10, KLDVE_SCORES_SOFTMAX, AS_FILE, false, KLDVE_SCORES_SOFTMAX, NULL},
    {"several, sigmoid", 10, KLDVE_SCORES_SIGMOID, AS_FILE, true, KLDVE_SCORES_SIGMOID, NULL},
    {"several, raw", 2, KLDVE_SCORES_RAW, AS_FILE, true, KLDVE_SCORES_RAW, NULL},
    {"several, read as sigmoid", 10, KLDVE_SCORES_RAW, ASK + KLDVE_SCORES_SIGMOID, false,
     KLDVE_SCORES_SIGMOID, NULL},
    {"several, read as softmax", 10, KLDVE_SCORES_SIGMOID, ASK + KLDVE_SCORES_SOFTMAX, false,
     KLDVE_SCORES_SOFTMAX, "ends in a sigmoid: the scores before it are read as \"softmax\""},
    {"several are no number", 10, KLDVE_SCORES_RAW, ASK + KLDVE_SCORES_NUMBER, false, -1,
     "scores: 'out' has 10 scores, so it is not one number: give softmax, sigmoid or raw"},
    {"one, sigmoid", 1, KLDVE_SCORES_SIGMOID, AS_FILE, false, KLDVE_SCORES_SIGMOID,
     "one score with a sigmoid: it is explained as yes against no; scores \"number\""},
    {"one, bare", 1, KLDVE_SCORES_RAW, AS_FILE, false, KLDVE_SCORES_NUMBER,
     "one score without a sigmoid: it is explained as a number; scores \"sigmoid\""},
    {"one, bare, with labels", 1, KLDVE_SCORES_RAW, AS_FILE, true, KLDVE_SCORES_RAW,
     "because there are labels, it is explained as yes against no"},
    {"one behind a softmax", 1, KLDVE_SCORES_SOFTMAX, AS_FILE, false, KLDVE_SCORES_NUMBER,
     "its softmax, which is always 1"},
    {"one, bare, read as sigmoid", 1, KLDVE_SCORES_RAW, ASK + KLDVE_SCORES_SIGMOID, false,
     KLDVE_SCORES_SIGMOID, NULL},
    {"one, sigmoid, read as a number", 1, KLDVE_SCORES_SIGMOID, ASK + KLDVE_SCORES_NUMBER, true,
     KLDVE_SCORES_NUMBER, "are read as \"number\" because that was asked for"},
    {"no softmax of one", 1, KLDVE_SCORES_RAW, ASK + KLDVE_SCORES_SOFTMAX, false, -1,
     "scores: 'out' has one score, of which a softmax is always 1: give sigmoid, raw or number"},
};

static void check_reading(void **state)
{
    const struct reading *r = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_value logits = {.name = "out", .count = (size_t)r->count};
    kx_arena arena;
    kx_choice c = {.notes = {.arena = &arena}, .logits = &logits, .scores = r->file};
    kldve_status st;

    kx_arena_init(&arena, ctx);
    st = kx_choose_scores(ctx, r->asked, r->named, r->count, &c);
    if (r->found < 0) {
        assert_int_equal(st, KLDVE_E_ARG);
        assert_string_equal(kldve_ctx_message(ctx), r->message);
        assert_int_equal(c.scores, r->file);
    } else {
        const char *note = kx_note_at(&c.notes, 0);

        assert_int_equal(st, KLDVE_OK);
        assert_int_equal(c.scores, r->found);
        assert_int_equal(note != NULL, r->message != NULL);
        assert_true(!note || strstr(note, r->message));
        assert_null(kx_note_at(&c.notes, 1));
    }
    kx_arena_free(&arena);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_memory(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_value logits = {.name = "out", .count = 1};
    kx_arena arena;
    kx_choice c = {.notes = {.arena = &arena}, .logits = &logits};

    (void)state;
    kx_arena_init(&arena, ctx);
    heap.budget = 0;
    assert_int_equal(kx_choose_scores(ctx, 0, false, 1, &c), KLDVE_E_NOMEM);
    assert_string_equal(kldve_ctx_message(ctx), "out of memory while choosing the scores");
    heap.budget = -1;
    kx_arena_free(&arena);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

enum { READINGS = sizeof readings / sizeof *readings };

int main(void)
{
    struct CMUnitTest tests[READINGS + 1];

    for (size_t i = 0; i < READINGS; i++)
        tests[i] = (struct CMUnitTest){readings[i].name, check_reading, NULL, NULL,
                                       (void *)(uintptr_t)&readings[i]};
    tests[READINGS] = (struct CMUnitTest){"memory", test_memory, NULL, NULL, NULL};
    return cmocka_run_group_tests_name("choose scores", tests, NULL, NULL);
}
