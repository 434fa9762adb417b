/* test_selection.c - which elements a selection means, where they are computed, and what is
 * refused. */
#include "onnx/networks/built.h"

#include "api/selection.h"

/* y has the elements of [2][3][4] in places 0 to 23. */
#define CUBE "in x 2,3,4; n Relu x y; out y"
/* Two parts of a row behind a Sigmoid, one not; rows last. */
#define PARTS                                                                                      \
    "in x 1,4,3; n Sigmoid x s; n Relu x r; n Concat r,s c axis=1; n Transpose c t perm=[0,2,1]; " \
    "out t"
/* Two tensors behind a Softmax each, one behind the other. */
#define TWO                                                                                        \
    "in x 1,2,3; n Relu x a; n Exp x b; n Softmax a p axis=2; n Softmax b q axis=2; "              \
    "n Concat p,q c axis=1; out c"

/* A softmax over 3 maps of 2 x 4, written by hand. */
#define BY_HAND                                                                                    \
    "in x 1,3,2,4; i one 1; n Relu x a; n ReduceMax a m axes=[1]; n Sub a,m d; n Exp d e; "        \
    "n ReduceSum e,one s; n Div e,s p; out p"

static const struct selected {
    const char *name, *network, *text;
    const char *whole; /* name of the tensor */
    int32_t scores;    /* a kldve_scores */
    int32_t count;     /* class scores */
    int32_t places;
    int32_t at[26];      /* of the last place; -1 ends it */
    const char *message; /* NULL: not refused */
} cases[] = {
    {"an index drops its axis",
     CUBE,
     "y[0, 1]",
     "y",
     KLDVE_SCORES_RAW,
     4,
     1,
     {4, 5, 6, 7, -1},
     NULL},
    {"without a name", CUBE, "[1, :, 2]", "y", KLDVE_SCORES_RAW, 3, 1, {14, 18, 22, -1}, NULL},
    {"from the end", CUBE, " y [-1, -3, -1]", "y", KLDVE_SCORES_RAW, 1, 1, {15, -1}, NULL},
    {"all axes left",
     CUBE,
     "[..., -1]",
     "y",
     KLDVE_SCORES_RAW,
     6,
     1,
     {3, 7, 11, 15, 19, 23, -1},
     NULL},
    {"axes around", CUBE, "[1, ..., 0]", "y", KLDVE_SCORES_RAW, 3, 1, {12, 16, 20, -1}, NULL},
    {"nothing left for the dots",
     CUBE,
     "[1, ..., 0, 1]",
     "y",
     KLDVE_SCORES_RAW,
     1,
     1,
     {13, -1},
     NULL},
    {"backwards",
     CUBE,
     "[0, ::-1, 1:3]",
     "y",
     KLDVE_SCORES_RAW,
     6,
     1,
     {9, 10, 5, 6, 1, 2, -1},
     NULL},
    {"ends beyond the axis",
     CUBE,
     "[-1, 5:0:-2, -9:99:3]",
     "y",
     KLDVE_SCORES_RAW,
     2,
     1,
     {20, 23, -1},
     NULL},
    {"past the first, backwards",
     CUBE,
     "[0, 0, 2:-9:-1]",
     "y",
     KLDVE_SCORES_RAW,
     3,
     1,
     {2, 1, 0, -1},
     NULL},
    {"huge ends",
     CUBE,
     "[0, 0, -99999999999999999999:99999999999999999999]",
     "y",
     KLDVE_SCORES_RAW,
     4,
     1,
     {0, 1, 2, 3, -1},
     NULL},
    {"a map of scores", CUBE, "[:, y, x]", "y", KLDVE_SCORES_RAW, 2, 12, {11, 23, -1}, NULL},
    {"rows", CUBE, "[1, n, 2:]", "y", KLDVE_SCORES_RAW, 2, 3, {22, 23, -1}, NULL},
    {"before a Sigmoid",
     PARTS,
     "[0, 2, 4:]",
     "x",
     KLDVE_SCORES_SIGMOID,
     4,
     1,
     {2, 5, 8, 11, -1},
     NULL},
    {"rows before a Sigmoid",
     PARTS,
     "[0, n, -1:3:-1]",
     "x",
     KLDVE_SCORES_SIGMOID,
     4,
     3,
     {11, 8, 5, 2, -1},
     NULL},
    {"aside of the Sigmoid",
     PARTS,
     "[0, 1, :4]",
     "r",
     KLDVE_SCORES_RAW,
     4,
     1,
     {1, 4, 7, 10, -1},
     NULL},
    {"before a Softmax", TWO, "[0, 3]", "b", KLDVE_SCORES_SOFTMAX, 3, 1, {3, 4, 5, -1}, NULL},
    {"two tensors as one", TWO, "[0, n]", "c", KLDVE_SCORES_SOFTMAX, 3, 4, {9, 10, 11, -1}, NULL},
    {"another tensor by name", TWO, "a[0, 1]", "a", KLDVE_SCORES_RAW, 3, 1, {3, 4, 5, -1}, NULL},
    {"some probabilities, some not",
     PARTS,
     "[0, 1, 3:]",
     NULL,
     0,
     0,
     0,
     {0},
     "some of these are probabilities and some are not"},
    {"before a softmax by hand, of a map",
     BY_HAND,
     "[0, :, y, x]",
     "a",
     KLDVE_SCORES_SOFTMAX,
     3,
     8,
     {7, 15, 23, -1},
     NULL},
    {"along another axis than a softmax by hand",
     BY_HAND,
     "[0, 0, 0:1, 1:4]",
     NULL,
     0,
     0,
     0,
     {0},
     "makes probabilities of 3 scores together"},
    {"before a sigmoid by hand that is clipped",
     "in x 1,2,3; n Constant - one value_float=1.0; n Constant - lo value_float=0.0001; n Relu x "
     "a; "
     "n Neg a b; n Exp b c; n Add c,one d; n Reciprocal d e; n Clip e,lo p; out p",
     "[0, 1]",
     "a",
     KLDVE_SCORES_SIGMOID,
     3,
     1,
     {3, 4, 5, -1},
     NULL},
    {"a part of a Softmax",
     TWO,
     "[0, 3, :2]",
     NULL,
     0,
     0,
     0,
     {0},
     "node 'q' (Softmax) makes probabilities of 3 scores together: select all 3 of one place"},
    {"two lines of a Softmax", TWO, "[0, 1:3, 0]", NULL, 0, 0, 0, {0}, "select all 3 of one place"},
    {"no brackets", CUBE, "y", NULL, 0, 0, 0, {0}, "select 'y': cannot be read at 'y'"},
    {"not closed", CUBE, "[0", NULL, 0, 0, 0, {0}, "cannot be read at ''"},
    {"text behind", CUBE, "[0]]", NULL, 0, 0, 0, {0}, "cannot be read at ']'"},
    {"not a number", CUBE, "[0, first]", NULL, 0, 0, 0, {0}, "cannot be read at 'first]'"},
    {"a float", CUBE, "[0, 1.5]", NULL, 0, 0, 0, {0}, "cannot be read at '.5]'"},
    {"dots twice", CUBE, "[..., ...]", NULL, 0, 0, 0, {0}, "'...' stands there twice"},
    {"out of range",
     CUBE,
     "[2]",
     NULL,
     0,
     0,
     0,
     {0},
     "2 is outside of axis 0, which has 2 elements"},
    {"out of range below",
     CUBE,
     "[0, -4]",
     NULL,
     0,
     0,
     0,
     {0},
     "-4 is outside of axis 1, which has 3 elements"},
    {"nothing",
     CUBE,
     "[0, 2:1]",
     NULL,
     0,
     0,
     0,
     {0},
     "selects nothing of axis 1, which has 3 elements"},
    {"a step of 0", CUBE, "[::0]", NULL, 0, 0, 0, {0}, "a step of 0 selects nothing"},
    {"too many axes",
     CUBE,
     "[0, 0, 0, 0]",
     NULL,
     0,
     0,
     0,
     {0},
     "4 axes are given, the tensor has 3"},
    {"a row without a column", CUBE, "[0, y]", NULL, 0, 0, 0, {0}, "y and x go together"},
    {"two numbers", CUBE, "[n, n]", NULL, 0, 0, 0, {0}, "n stands alone"},
    {"no such tensor",
     CUBE,
     "z[0]",
     NULL,
     0,
     0,
     0,
     {0},
     "no tensor or node is called 'z' (given as the selection)"},
    {"two outputs",
     "in x 1,3; n Relu x a; n Exp x b; out a; out b",
     "[0]",
     NULL,
     0,
     0,
     0,
     {0},
     "the network has 2 outputs: say which, as in 'a[0]'"},
    {"integers",
     "in x 1,3; n ArgMax x a axis=1; out a",
     "[0]",
     NULL,
     0,
     0,
     0,
     {0},
     "'a' does not hold scores"},
};

static void check_selected(const struct selected *c, const kx_selection *s)
{
    assert_string_equal(s->whole->name, c->whole);
    assert_int_equal(s->scores, c->scores);
    assert_int_equal(s->count, c->count);
    assert_int_equal(s->height * s->width, c->places);
    for (int32_t i = 0; i < c->count; i++)
        assert_int_equal(kx_selected(s, c->places - 1, i), c->at[i]);
    assert_int_equal(c->at[c->count], -1);
}

static void check_case(void **state)
{
    const struct selected *c = *state;
    kx_selection s = {0};
    built b;

    built_open(&b, c->network);
    if (c->message) {
        assert_int_equal(kx_select(b.graph, &b.arena, c->text, &s), KLDVE_E_ARG);
        test_says(b.ctx, c->message);
        assert_null(s.whole);
    } else {
        if (kx_select(b.graph, &b.arena, c->text, &s) < 0)
            fail_msg("%s", kldve_ctx_message(b.ctx));
        check_selected(c, &s);
    }
    built_close(&b);
}

int main(void)
{
    return TEST_RUN_CASES("selection", cases, check_case);
}
