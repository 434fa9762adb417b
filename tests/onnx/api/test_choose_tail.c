/* test_choose_tail.c - the scores behind what a network ends in: softmax(scores) or sigmoid(scores)
 * is what the file itself prints. */
#include "onnx/networks/opened.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Five scores y of different size. */
#define SCORES                                                                                     \
    "in x 1,3,4,4; w w 6,3,1,1; w d 6,5; n Conv x,w c; n GlobalAveragePool c g; n Flatten g f; "   \
    "n Gemm f,d z; n Constant - k value_float=9.0; n Mul z,k y; "                                  \
    "n Constant - one value_float=1.0; n Constant - minus value_float=-1.0; "                      \
    "n Constant - half value_float=0.5; n Constant - two value_float=2.0; "                        \
    "n Constant - zero value_float=0.0; i last -1; "
#define EXP "n Exp y e; n ReduceSum e,last s keepdims=1; "
#define STABLE "n ReduceMax y m axes=[-1] keepdims=1; n Sub y,m h; "

typedef enum form { AS_IS, LOGARITHM } form;

static const struct tail {
    const char *name, *text, *found;
    int32_t kind;
    form printed; /* what the file prints of the probabilities */
} tails[] = {
    {"raw", SCORES "n Identity y p; out p", "p", KLDVE_SCORES_RAW, AS_IS},
    {"softmax", SCORES "n Softmax y p; out p", "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"log-softmax", SCORES "n LogSoftmax y p; out p", "y", KLDVE_SCORES_SOFTMAX, LOGARITHM},
    {"softmax and its logarithm", SCORES "n Softmax y a; n Log a p; out p", "y",
     KLDVE_SCORES_SOFTMAX, LOGARITHM},
    {"log-softmax and back", SCORES "n LogSoftmax y a; n Exp a p; out p", "y", KLDVE_SCORES_SOFTMAX,
     AS_IS},
    {"softmax, cast, clipped, reshaped",
     SCORES "i r 5; n Softmax y a; n Cast a b to=11; n Constant - lo value_float=0.0000001; n "
            "Constant - hi value_float=0.9999999; n Clip b,lo,hi o; "
            "n Reshape o,r q; n Identity q p; out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"with a temperature", SCORES "n Div y,two t; n Softmax t p; out p", "t", KLDVE_SCORES_SOFTMAX,
     AS_IS},
    {"softmax by hand", SCORES EXP "n Div e,s p; out p", "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax by hand, without the maximum",
     SCORES STABLE "n Exp h e; n ReduceSum e,last s keepdims=1; n Div e,s p; out p", "y",
     KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax by hand, times the inverse", SCORES EXP "n Reciprocal s i; n Mul e,i p; out p", "y",
     KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax by hand, the sum without its axis",
     SCORES "n Exp y e; n ReduceSum e,last s keepdims=0; n Unsqueeze s,last u; n Div e,u p; out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"log-softmax by hand", SCORES "n ReduceLogSumExp y l axes=[1]; n Sub y,l p; out p", "y",
     KLDVE_SCORES_SOFTMAX, LOGARITHM},
    {"log-softmax by hand, spelled out",
     SCORES STABLE "n Exp h e; n ReduceSum e,last s keepdims=1; n Log s l; n Sub h,l p; out p", "y",
     KLDVE_SCORES_SOFTMAX, LOGARITHM},
    {"log-softmax by hand, the maximum added again",
     SCORES STABLE "n Exp h e; n ReduceSum e,last s keepdims=1; n Log s l; n Add l,m a; "
                   "n Sub y,a p; out p",
     "y", KLDVE_SCORES_SOFTMAX, LOGARITHM},
    {"sigmoid", SCORES "n Sigmoid y p; out p", "y", KLDVE_SCORES_SIGMOID, AS_IS},
    {"sigmoid, and means of one element each",
     SCORES "n Sigmoid y a; n ReduceMean a p axes=[0] keepdims=0; out p", "y", KLDVE_SCORES_SIGMOID,
     AS_IS},
    {"sigmoid by hand", SCORES "n Neg y a; n Exp a e; n Add e,one b; n Div one,b p; out p", "y",
     KLDVE_SCORES_SIGMOID, AS_IS},
    {"sigmoid by hand, inverse",
     SCORES "n Mul y,minus a; n Exp a e; n Add one,e b; n Reciprocal b p; out p", "y",
     KLDVE_SCORES_SIGMOID, AS_IS},
    {"sigmoid by hand, zero minus",
     SCORES "n Sub zero,y a; n Exp a e; n Add one,e b; n Reciprocal b p; out p", "y",
     KLDVE_SCORES_SIGMOID, AS_IS},
    {"sigmoid by hand, from the other side", SCORES "n Exp y e; n Add one,e b; n Div e,b p; out p",
     "y", KLDVE_SCORES_SIGMOID, AS_IS},
    {"sigmoid by tanh", SCORES "n Div y,two a; n Tanh a t; n Add t,one b; n Mul b,half p; out p",
     "y", KLDVE_SCORES_SIGMOID, AS_IS},
    {"sigmoid by tanh, halves",
     SCORES "n Mul y,half a; n Tanh a t; n Mul t,half b; n Add b,half p; out p", "y",
     KLDVE_SCORES_SIGMOID, AS_IS},
    {"a hard sigmoid is not undone", SCORES "n HardSigmoid y p; out p", "p", KLDVE_SCORES_RAW,
     AS_IS},
    {"a clip that cuts is not undone", SCORES "n Softmax y a; n Clip a,half p; out p", "p",
     KLDVE_SCORES_RAW, AS_IS},
    {"a quotient that is no softmax",
     SCORES "n Exp y e; n ReduceSum y,last s keepdims=1; n Div e,s p; out p", "p", KLDVE_SCORES_RAW,
     AS_IS},
};

static double probability(const struct tail *t, const float *score, size_t n, size_t i)
{
    double sum = 0;

    if (t->kind == KLDVE_SCORES_RAW)
        return (double)score[i];
    if (t->kind == KLDVE_SCORES_SIGMOID)
        return 1 / (1 + exp(-(double)score[i]));
    for (size_t k = 0; k < n; k++)
        sum += exp((double)score[k] - (double)score[i]);
    return 1 / sum;
}

static void run(opened *o, const char *text, const kldve_onnx_options *options, float out[5])
{
    const kldve_backend *b = kldve_onnx_backend();
    float *input, *features;

    opened_state(o, opened_text(o, text, options));
    assert_int_equal(o->classes, 5);
    input = malloc(o->inputs * sizeof *input);
    features = malloc(o->features * sizeof *features);
    assert_true(input && features);
    for (size_t i = 0; i < o->inputs; i++)
        input[i] = (float)sin((double)i);
    assert_int_equal(b->forward(o->state, input, out, features), KLDVE_OK);
    free(input);
    free(features);
}

static void check_tail(void **state)
{
    const struct tail *t = *state;
    const kldve_onnx_options file = {.struct_size = sizeof file, .logits = "p", .layer = "c"};
    const kldve_onnx_options scores = {.struct_size = sizeof scores, .layer = "c"};
    kldve_onnx_choice choice = {.struct_size = sizeof choice};
    float printed[5], score[5];
    opened o;

    run(&o, t->text, &file, printed);
    opened_close(&o);
    run(&o, t->text, &scores, score);
    assert_int_equal(kldve_onnx_chosen(o.net, &choice), KLDVE_OK);
    assert_string_equal(choice.logits, t->found);
    assert_int_equal(choice.scores, t->kind);
    assert_int_equal(o.shape.scores, t->kind);
    opened_close(&o);
    for (size_t i = 0; i < 5; i++) {
        double p = probability(t, score, 5, i);

        assert_true(fabs((double)printed[i] - (t->printed == LOGARITHM ? log(p) : p)) < 1e-5);
    }
}

/* What is said, and what is refused. */
static const struct said {
    const char *name, *text, *logits, *note, *refusal;
    int32_t kind;
} said[] = {
    {"one number", SCORES "w o 5,1; n MatMul y,o p; out p", NULL,
     "explained as a number; scores \"sigmoid\"", NULL, KLDVE_SCORES_NUMBER},
    {"one probability", SCORES "w o 5,1; n MatMul y,o a; n Sigmoid a p; out p", NULL,
     "explained as yes against no; scores \"number\"", NULL, KLDVE_SCORES_SIGMOID},
    {"two columns", SCORES "w o 5,2; n MatMul y,o a; n Softmax a p; out p", NULL, NULL, NULL,
     KLDVE_SCORES_SOFTMAX},
    {"probabilities by name", SCORES "n Softmax y p; out p", "p",
     "the logits 'p' are probabilities already", NULL, KLDVE_SCORES_RAW},
    {"the best class", SCORES "n Softmax y a; n ArgMax a p axis=1; out p", NULL,
     "says which class is best", NULL, KLDVE_SCORES_SOFTMAX},
    {"the five best", SCORES "i n 3; n TopK y,n p,q; out q; out p", NULL,
     "says which class is best", NULL, KLDVE_SCORES_RAW},
    {"a hard sigmoid", SCORES "n HardSigmoid y p; out p", NULL, "is not undone", NULL,
     KLDVE_SCORES_RAW},
    {"two outputs", SCORES "n Relu y p; out p; out z", NULL,
     "has 2 outputs ('p' [1][5], 'z' [1][5]): the scores are those of 'p'", NULL, KLDVE_SCORES_RAW},
    {"a map, then a vector", SCORES "out c; out y", NULL, "the scores are those of 'y'", NULL,
     KLDVE_SCORES_RAW},
    {"a map", SCORES "out c", NULL, NULL,
     "'c' is [1][6][4][4], not a vector of class scores: pick the scores, for example the classes "
     "at row 2 and column 2: --select 'c[0, :, 2, 2]'",
     0},
    {"rows", SCORES "i r 1,6,16; n Reshape c,r p; out p", NULL, NULL,
     "'p' is [1][6][16], not a vector of class scores", 0},
    {"a map by name", SCORES "out y", "c", NULL, "outputs: 'y' [1][5]", 0},
};

static void check_said(void **state)
{
    const struct said *t = *state;
    const kldve_onnx_options options = {.struct_size = sizeof options, .logits = t->logits};
    const char *note;
    opened o;
    kldve_status st = opened_text(&o, t->text, &options);

    if (t->refusal) {
        assert_int_equal(st, KLDVE_E_UNSUPPORTED);
        if (!strstr(kldve_ctx_message(o.ctx), t->refusal))
            fail_msg("'%s' is not in '%s'", t->refusal, kldve_ctx_message(o.ctx));
    } else {
        opened_state(&o, st);
        assert_int_equal(o.shape.scores, t->kind);
        note = kldve_onnx_note(o.net, 0);
        for (int32_t i = 0; t->note && note && !strstr(note, t->note); i++)
            note = kldve_onnx_note(o.net, i);
        assert_int_equal(note != NULL, t->note != NULL);
    }
    opened_close(&o);
}

enum { TAILS = sizeof tails / sizeof *tails, SAID = sizeof said / sizeof *said };

int main(void)
{
    struct CMUnitTest tests[TAILS + SAID];

    for (size_t i = 0; i < TAILS; i++)
        tests[i] = (struct CMUnitTest){tails[i].name, check_tail, NULL, NULL,
                                       (void *)(uintptr_t)&tails[i]};
    for (size_t i = 0; i < SAID; i++)
        tests[TAILS + i] =
            (struct CMUnitTest){said[i].name, check_said, NULL, NULL, (void *)(uintptr_t)&said[i]};
    return cmocka_run_group_tests_name("choose tail", tests, NULL, NULL);
}
