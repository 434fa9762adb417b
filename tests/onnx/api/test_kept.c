/* test_kept.c - detectors that choose among their rows in the file: which rows they keep, in which
 * order, and what is refused.  The networks only move the input about.  The rows that are kept were
 * worked out by hand. */
#include "onnx/networks/opened.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Six rows: boxes [1][6][4] in pixels, scores [1][2][6]. */
#define ROWS                                                                                       \
    "in x 1,6,2,3; n Relu x a; i s 1,6,6; n Reshape a,s o; i n0 0; i n4 4; i n6 6; i ax 1; "       \
    "n Slice o,n0,n4,ax bt; n Slice o,n4,n6,ax scores; n Transpose bt boxes perm=[0,2,1]; "        \
    "i most 3; t iou f32 1 0.5; t least f32 1 0.3; "
#define KEEP "n NonMaxSuppression boxes,scores,most,iou,least k; "
/* Best class, rows above a score, boxes moved apart by class. */
#define MASKED(compare, than, count)                                                               \
    ROWS "n ReduceMax scores m axes=[1] keepdims=0; i six 6; n Reshape m,six best; "               \
         "t th f32 1 " #than "; n " #compare                                                       \
         " best,th g; n NonZero g z; i flat -1; n Reshape z,flat at; "                             \
         "n Gather best,at bs axis=0; i row 6,4; n Reshape boxes,row br; "                         \
         "n Gather br,at bb axis=0; i of " #count "; i u0 0; i u1 0,1; n Unsqueeze bb,u0 b3; "     \
         "n Unsqueeze bs,u1 s3; n NonMaxSuppression b3,s3,of,iou k; n Gather bb,k r; "             \
         "out r; out bs"

enum { ROWS_COUNT = 6, CLASSES = 2 };

/* Rows 0 and 1 overlap by 9 / 11, rows 2 and 3 are the same box, 4 and 5 stand alone. */
static const float box[ROWS_COUNT][4] = {{0, 0, 1, 1},       {0.1f, 0, 1.1f, 1}, {1.5f, 0, 2.5f, 1},
                                         {1.5f, 0, 2.5f, 1}, {0, 1.5f, 0.5f, 2}, {2, 1.5f, 3, 2}};
static const float score[ROWS_COUNT][CLASSES] = {{0.6f, 0.5f}, {0.7f, 0.4f},  {0.2f, 0.9f},
                                                 {0.1f, 0.9f}, {0.35f, 0.2f}, {0.25f, 0.31f}};

static const struct kept_case {
    const char *name, *network;
    int32_t kept[8]; /* rows in order; -1 ends them */
} cases[] = {
    /* class 0: 1, then 0 goes, 4; class 1: of 2 and 3 the first, 0, then 1 goes, 5 */
    {"class by class", ROWS KEEP "out k", {1, 4, 2, 0, 5, -1}},
    {"a few of each class",
     ROWS "i two 1; n NonMaxSuppression boxes,scores,two,iou,least k; out k",
     {1, 2, -1}},
    {"the best first",
     ROWS KEEP "n Cast k f to=1; i n 2; n TopK f,n v,w axis=1; out v",
     {2, 1, 0, 4, 5, -1}},
    /* all classes together, at most 3: 5 would be the fourth */
    {"of each row its best class, above a score", MASKED(Greater, 0.3, 3), {2, 1, 4, -1}},
    {"not those below that score", MASKED(Greater, 0.33, 6), {2, 1, 4, -1}},
    {"nor those at it", MASKED(Greater, 0.35, 6), {2, 1, -1}},
    {"those at it", MASKED(GreaterOrEqual, 0.35, 6), {2, 1, 4, -1}},
};

static float *new_input(void)
{
    float *input = calloc(6 * ROWS_COUNT, sizeof *input);

    assert_non_null(input);
    for (int r = 0; r < ROWS_COUNT; r++) {
        for (int i = 0; i < 4; i++)
            input[i * ROWS_COUNT + r] = box[r][i];
        for (int c = 0; c < CLASSES; c++)
            input[(4 + c) * ROWS_COUNT + r] = score[r][c];
    }
    return input;
}

/* In pixels of an input of 2 x 3. */
static void check_picked(const kldve_pick *pick, const float *logits, int32_t row)
{
    assert_int_equal(pick->row, row);
    assert_true(pick->has_box);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(pick->box[i] - box[row][i] / (i % 2 ? 2 : 3)) < 1e-6f);
    for (int c = 0; c < CLASSES; c++)
        assert_true(logits[c] == score[row][c]);
}

static void open_rows(opened *o, const char *network)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .flags = KLDVE_ONNX_FLAG_PICK_ROW, .layer = "a"};

    opened_state(o, opened_text(o, network, &options));
    assert_int_equal(o->shape.picks, KLDVE_PICKS_ROW);
    assert_int_equal(o->classes, CLASSES);
}

static void check_kept(void **state)
{
    const struct kept_case *c = *state;
    const kldve_backend *b = kldve_onnx_backend();
    float *input = new_input(), *features, logits[CLASSES];
    kldve_pick pick = {.struct_size = sizeof pick, .kind = KLDVE_PICK_ROW};
    opened o;

    open_rows(&o, c->network);
    features = calloc(o.features, sizeof *features);
    assert_int_equal(b->forward(o.state, input, logits, features), KLDVE_OK);
    for (int32_t k = 0; c->kept[k] >= 0; k++) {
        pick.row = k;
        if (b->pick(o.state, &pick, logits) < 0)
            fail_msg("%s", kldve_ctx_message(o.ctx));
        check_picked(&pick, logits, c->kept[k]);
        pick.row = k + 1;
    }
    assert_int_equal(b->pick(o.state, &pick, logits), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "of this picture, 0 to"));
    opened_close(&o);
    free(features);
    free(input);
}

static void test_best_and_place(void **state)
{
    static const struct {
        int32_t kind;
        float x, y;
        int32_t row; /* -1: none */
    } picks[] = {
        {KLDVE_PICK_BEST, 0, 0, 2},
        {KLDVE_PICK_BOX_AT, 0.2f, 0.2f, 1},
        {KLDVE_PICK_BOX_AT, 0.1f, 0.9f, 4},
        {KLDVE_PICK_BOX_AT, 0.45f, 0.9f, -1},
    };
    const kldve_backend *b = kldve_onnx_backend();
    float *input = new_input(), *features, logits[CLASSES];
    opened o;

    (void)state;
    open_rows(&o, cases[0].network);
    features = calloc(o.features, sizeof *features);
    assert_int_equal(b->forward(o.state, input, logits, features), KLDVE_OK);
    for (size_t i = 0; i < sizeof picks / sizeof *picks; i++) {
        kldve_pick pick = {
            .struct_size = sizeof pick, .kind = picks[i].kind, .x = picks[i].x, .y = picks[i].y};
        kldve_status st = b->pick(o.state, &pick, logits);

        assert_int_equal(st, picks[i].row < 0 ? KLDVE_E_ARG : KLDVE_OK);
        if (picks[i].row >= 0)
            check_picked(&pick, logits, picks[i].row);
    }
    for (int i = 4 * ROWS_COUNT; i < 6 * ROWS_COUNT; i++)
        input[i] = 0.1f;
    assert_int_equal(b->forward(o.state, input, logits, features), KLDVE_OK);
    assert_int_equal(
        b->pick(o.state, &(kldve_pick){.struct_size = sizeof(kldve_pick), .kind = KLDVE_PICK_BEST},
                logits),
        KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "keeps no box of this picture"));
    opened_close(&o);
    free(features);
    free(input);
}

static const struct refused {
    const char *name, *network, *message;
    uint64_t flags;
} refused[] = {
    {"a second stage", ROWS KEEP "n Cast k f to=1; w q 4,3; n Gemm f,q h transB=1; out h",
     "proposals, whose scores a second stage computes", KLDVE_ONNX_FLAG_PICK_ROW},
    {"boxes of two levels",
     MASKED(Greater, 0.3,
            3) "; i r0 0; i r3 3; i a0 0; n Slice br,r0,r3,a0 half; n Gather half,at e; out e",
     "the file sorts out boxes level by level", KLDVE_ONNX_FLAG_PICK_ROW},
    {"without a pick", ROWS KEEP "out k", "explain one box with --box", 0},
    {"no suppression", ROWS "n NonZero scores z; out z", "not by non-maximum suppression",
     KLDVE_ONNX_FLAG_PICK_ROW},
    {"no boxes",
     ROWS "n ReduceMax o m; n NonZero m z; n Cast z f to=1; i q 1,1,4; n Expand f,q b; "
          "n NonMaxSuppression b,b k; out k",
     "are not found", KLDVE_ONNX_FLAG_PICK_ROW},
    {"scores behind a node whose first result is left out",
     ROWS "n DynamicQuantizeLinear scores _,sc; i one 1,1,1; n Reshape sc,one b; "
          "n NonMaxSuppression boxes,b k; out k",
     "are not found", KLDVE_ONNX_FLAG_PICK_ROW},
};

static void check_refused(void **state)
{
    const struct refused *c = *state;
    const kldve_onnx_options options = {.struct_size = sizeof options, .flags = c->flags};
    opened o;

    assert_int_equal(opened_text(&o, c->network, &options), KLDVE_E_UNSUPPORTED);
    if (!strstr(kldve_ctx_message(o.ctx), c->message))
        fail_msg("'%s' is not in '%s'", c->message, kldve_ctx_message(o.ctx));
    opened_close(&o);
}

enum { CASES = sizeof cases / sizeof *cases, REFUSED = sizeof refused / sizeof *refused };

int main(void)
{
    struct CMUnitTest tests[CASES + REFUSED + 1];

    for (size_t i = 0; i < CASES; i++)
        tests[i] = (struct CMUnitTest){cases[i].name, check_kept, NULL, NULL,
                                       (void *)(uintptr_t)&cases[i]};
    for (size_t i = 0; i < REFUSED; i++)
        tests[CASES + i] = (struct CMUnitTest){refused[i].name, check_refused, NULL, NULL,
                                               (void *)(uintptr_t)&refused[i]};
    tests[CASES + REFUSED] =
        (struct CMUnitTest){"the best, and by a place", test_best_and_place, NULL, NULL, NULL};
    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
