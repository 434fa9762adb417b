/* test_choose_tail.c - the scores behind what a network ends in: softmax(scores) or sigmoid(scores)
 * is what the file itself prints. */
#include "onnx/networks/opened.h"
#include "onnx/got_note.h"

#include <math.h>
#include <stdio.h>
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

#define TWO_HEADS SCORES "t by f32 1,5 3,-2,1,0,-1; n Mul y,by v; n Softmax y a; n Softmax v b; "
#define ONE_BY_ONE SCORES "n Split y y1,y2,y3,y4,y5 axis=1; "

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
    {"softmax by hand, the sum by Einstein's convention",
     SCORES "n Exp y e; n Einsum e s equation='bc->b'; n Unsqueeze s,last u; n Div e,u p; out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax by hand, the sum by a column of ones",
     SCORES "t ones f32 5,1 1; n Exp y e; n MatMul e,ones s; n Div e,s p; out p", "y",
     KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax by hand, the sum by a matrix of ones",
     SCORES "t ones f32 5,5 1; n Exp y e; n MatMul e,ones s; n Div e,s p; out p", "y",
     KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax by hand, the sum by a convolution with ones",
     SCORES "t ones f32 1,5,1,1 1; i four 1,5,1,1; n Reshape y,four r; n Exp r e; n Conv e,ones s; "
            "n Div e,s q; n Flatten q p; out p",
     "r", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax by hand, divided by the sum of sizes, which is kept from 0",
     SCORES "n Exp y e; n ReduceL1 e s axes=[1]; n Constant - lo value_float=0.000000000001; "
            "n Clip s,lo c2; n Shape y k2; n Expand c2,k2 b; n Div e,b p; out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax by hand, a small number added to the sum",
     SCORES "n Constant - eps value_float=0.00000001; " EXP "n Add s,eps u; n Div e,u p; out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax of a column of cells",
     SCORES "i four 1,5,1,1; n Reshape y,four r; n Softmax r q "
            "axis=1; n Flatten q p; out p",
     "r", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"softmax over all axes, as before opset 13",
     "opset 11; in x 1,3,4,4; w w 5,3,1,1; n Conv x,w c; n GlobalAveragePool c y; "
     "n Softmax y q axis=1; n Flatten q p; out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"in half precision and back", SCORES "n Cast y h to=10; n Softmax h a; n Cast a p to=1; out p",
     "h", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"quantised and back",
     SCORES "t zp u8 - 0; n Constant - qs value_float=0.00390625; n Softmax y a; "
            "n QuantizeLinear a,qs,zp b; n DequantizeLinear b,qs,zp p; out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"the logarithm of a little more",
     SCORES "n Softmax y a; n Constant - eps "
            "value_float=0.0000001; n Add a,eps b; n Log b p; "
            "out p",
     "y", KLDVE_SCORES_SOFTMAX, LOGARITHM},
    {"kept from 0 by the larger of two",
     SCORES "n Constant - eps value_float=0.00001; n Softmax y a; n Max a,eps b; n Min b,one p; "
            "out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"kept from 0 by a comparison",
     SCORES "n Constant - eps value_float=0.000001; n Softmax y a; n Less a,eps b; "
            "n Where b,eps,a p; out p",
     "y", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"the logarithm of a sigmoid by one node", SCORES "n Neg y a; n Softplus a b; n Neg b p; out p",
     "y", KLDVE_SCORES_SIGMOID, LOGARITHM},
    {"one less a sigmoid", SCORES "n Sigmoid y a; n Sub one,a p; out p", "y", KLDVE_SCORES_SIGMOID,
     AS_IS},
    {"sigmoids one by one",
     ONE_BY_ONE "n Sigmoid y1 s1; n Sigmoid y2 s2; n Sigmoid y3 s3; n Sub one,s3 m3; "
                "n Sigmoid y4 s4; n Sigmoid y5 s5; n Concat s1,s2,m3,s4,s5 p axis=1; out p",
     "p", KLDVE_SCORES_SIGMOID, AS_IS},
    {"the logarithm of one less a sigmoid", SCORES "n Sigmoid y a; n Sub one,a b; n Log b p; out p",
     "y", KLDVE_SCORES_SIGMOID, LOGARITHM},
    {"a weighted mean of softmaxes",
     TWO_HEADS "n Constant - third value_float=0.3; n Constant - rest value_float=0.7; "
               "n Mul a,third c1; n Mul b,rest c2; n Sum c1,c2 p; out p",
     "p", KLDVE_SCORES_SOFTMAX, AS_IS},
    {"a mean of softmaxes side by side",
     TWO_HEADS "n Concat a,b q axis=0; n ReduceMean q p axes=[0]; out p", "p", KLDVE_SCORES_SOFTMAX,
     AS_IS},
    {"a product of sigmoids", TWO_HEADS "n Sigmoid y e; n Sigmoid v f2; n Mul e,f2 p; out p", "p",
     KLDVE_SCORES_SIGMOID, AS_IS},
    {"a map from names of classes",
     SCORES "n Softmax y a; n ai.onnx.ml:ZipMap a p classlabels_int64s=[0,1,2,3,4]; out p", "y",
     KLDVE_SCORES_SOFTMAX, AS_IS},
    {"a softmax divided by its sum",
     SCORES "n Softmax y a; n ReduceSum a,last s keepdims=1; n Div a,s p; out p", "y",
     KLDVE_SCORES_SOFTMAX, AS_IS},
    {"sigmoids divided by their sum",
     SCORES "n Sigmoid y a; n ReduceL1 a s axes=[1]; n Div a,s p; out p", "p", KLDVE_SCORES_SOFTMAX,
     AS_IS},
    {"a sum of softmaxes is none", TWO_HEADS "n Add a,b p; out p", "p", KLDVE_SCORES_RAW, AS_IS},
    {"an exponential of a softmax", SCORES "n Softmax y a; n Exp a p; out p", "p", KLDVE_SCORES_RAW,
     AS_IS},
    {"a power of a softmax", SCORES "n LogSoftmax y a; n Mul a,half b; n Exp b p; out p", "p",
     KLDVE_SCORES_RAW, AS_IS},
    {"weights of classes", SCORES "t by f32 1,5 3,2,1,4,1; n Softmax y a; n Mul a,by p; out p", "p",
     KLDVE_SCORES_RAW, AS_IS},
    {"a hard sigmoid is not undone", SCORES "n HardSigmoid y p; out p", "p", KLDVE_SCORES_RAW,
     AS_IS},
    {"a clip that cuts is not undone", SCORES "n Softmax y a; n Clip a,half p; out p", "p",
     KLDVE_SCORES_RAW, AS_IS},
    {"a quotient that is no softmax",
     SCORES "n Exp y e; n ReduceSum y,last s keepdims=1; n Div e,s p; out p", "p", KLDVE_SCORES_RAW,
     AS_IS},
};

/* What is printed is factor * p + offset; what is said of it, or NULL: nothing that is asked. */
static const struct scaled {
    struct tail tail;
    double factor, offset;
    const char *note;
} scaled[] = {
    {{"percentages", SCORES "n Constant - k2 value_float=100.0; n Softmax y a; n Mul a,k2 p; out p",
      "y", KLDVE_SCORES_SOFTMAX, AS_IS},
     100,
     0,
     "'p' is 100 times the probability"},
    {{"divided, and less one", SCORES "n Softmax y a; n Div a,half b; n Sub b,one p; out p", "y",
      KLDVE_SCORES_SOFTMAX, AS_IS},
     2,
     -1,
     "'p' is 2 times the probability, less 1"},
    {{"the negative logarithm", SCORES "n LogSoftmax y a; n Neg a p; out p", "y",
      KLDVE_SCORES_SOFTMAX, LOGARITHM},
     -1,
     0,
     "the smaller the output, the larger it is"},
    {{"the logarithm by another base", SCORES "n Softmax y a; n Log a b; n Div b,k p; out p", "y",
      KLDVE_SCORES_SOFTMAX, LOGARITHM},
     1 / 9.0,
     0,
     "times the logarithm of the probability"},
    {{"a mean of softmaxes", TWO_HEADS "n Add a,b q; n Mul q,half p; out p", "p",
      KLDVE_SCORES_SOFTMAX, AS_IS},
     1,
     0,
     "no scores stand behind the probabilities 'p'"},
    {{"percentages of a mean",
      TWO_HEADS "n Constant - k2 value_float=100.0; n Mean a,b q; "
                "n Mul q,k2 p; out p",
      "q", KLDVE_SCORES_SOFTMAX, AS_IS},
     100,
     0,
     NULL},
    {{"a mean of sigmoids", TWO_HEADS "n Sigmoid y e; n Sigmoid v f2; n Mean e,f2 p; out p", "p",
      KLDVE_SCORES_SIGMOID, AS_IS},
     1,
     0,
     "log p - log(1 - p) of each is explained"},
    {{"a softmax of one score each", SCORES "n Softmax y p axis=0; out p", "p", KLDVE_SCORES_RAW,
      AS_IS},
     1,
     0,
     "runs over 1 scores, not over all classes"},
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

/* Half a step of what is quantised to 256 levels, or to half precision. */
static double rounding(const char *text)
{
    return strstr(text, "QuantizeLinear") ? 1 / 512.0 : strstr(text, "to=10") ? 0x1p-11 : 0;
}

static bool has_note(const kldve_onnx *net, const char *text)
{
    const char *note;

    for (int32_t i = 0; (note = got_note(net, i)); i++)
        if (strstr(note, text))
            return true;
    return false;
}

static void check_scaled(void **state)
{
    const struct scaled *s = *state;
    const struct tail *t = &s->tail;
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
    assert_true(!s->note || has_note(o.net, s->note));
    opened_close(&o);
    for (size_t i = 0; i < 5; i++) {
        double p = probability(t, score, 5, i);
        double says = s->factor * (t->printed == LOGARITHM ? log(p) : p) + s->offset;

        if (!(fabs((double)printed[i] - says) <
              1e-5 * fmax(1, fabs(s->factor)) + rounding(t->text)))
            fail_msg("class %d: the file prints %g, not %g", (int)i, (double)printed[i], says);
    }
}

static void check_tail(void **state)
{
    const struct tail *t = *state;
    struct scaled s = {*t, 1, 0, NULL};
    void *as_scaled = &s;

    check_scaled(&as_scaled);
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
    {"a pair of probabilities of one score",
     SCORES "w o 5,1; n MatMul y,o a; n Sigmoid a q; n Sub one,q b; n Concat b,q p axis=1; out p",
     NULL, "two classes with the scores -x/2 and x/2", NULL, KLDVE_SCORES_SOFTMAX},
    {"a pair in the other order",
     SCORES "w o 5,1; n MatMul y,o a; n Sigmoid a q; n Sub one,q b; n Concat q,b p axis=1; out p",
     NULL, "two classes with the scores x/2 and -x/2", NULL, KLDVE_SCORES_SOFTMAX},
    {"probabilities beside the scores", SCORES "n Sigmoid y p; out y; out p", NULL,
     "the output 'p' has the probabilities of the scores 'y'", NULL, KLDVE_SCORES_SIGMOID},
    {"texts beside the scores",
     SCORES "type s 8; n ArgMax y j; n ai.onnx.ml:ArrayFeatureExtractor s,j l; n Softmax y p; "
            "out l; out p",
     NULL, "output 'l' is left out", NULL, KLDVE_SCORES_SOFTMAX},
    {"two columns", SCORES "w o 5,2; n MatMul y,o a; n Softmax a p; out p", NULL, NULL, NULL,
     KLDVE_SCORES_SOFTMAX},
    {"probabilities by name", SCORES "n Softmax y p; out p", "p",
     "the logits 'p' are probabilities already", NULL, KLDVE_SCORES_RAW},
    {"a mean of probabilities by name", TWO_HEADS "n Mean a,b p; out p", "p",
     "probabilities already, computed from several", NULL, KLDVE_SCORES_RAW},
    {"a sum that something else replaces",
     SCORES "n Softmax y e; n ReduceSum e,last s0 keepdims=1; n Greater s0,two big; "
            "n Where big,one,s0 s; n Div e,s p; out p",
     NULL, NULL, NULL, KLDVE_SCORES_RAW},
    {"a sum unless it is 0",
     SCORES "n Softmax y e; n ReduceSum e,last s0 keepdims=1; n Greater s0,zero big; "
            "n Where big,s0,one s; n Div e,s p; out p",
     NULL, NULL, NULL, KLDVE_SCORES_SOFTMAX},
    {"the best class", SCORES "n Softmax y a; n ArgMax a p axis=1; out p", NULL,
     "says which class is best", NULL, KLDVE_SCORES_SOFTMAX},
    {"the class of the least probability",
     SCORES "n Softmax y a; n Neg a b; n ArgMax b p axis=1; out p", NULL,
     "says which class is best: the scores that it looks at, 'b'", NULL, KLDVE_SCORES_RAW},
    {"the smallest", SCORES "i n 3; n TopK y,n p,q largest=0; out p", NULL, NULL, NULL,
     KLDVE_SCORES_RAW},
    {"one probability, repeated",
     SCORES "w o 5,1; n MatMul y,o a; n Sigmoid a s; t by f32 1,4 1,1,1,1; n Mul s,by p; out p",
     NULL, NULL, NULL, KLDVE_SCORES_RAW},
    {"probabilities behind other numbers",
     SCORES "n Tanh y t; n Sigmoid y s; n Concat t,s p axis=1; out p", NULL, NULL, NULL,
     KLDVE_SCORES_RAW},
    {"half the sum of the exponentials",
     SCORES "n Exp y e; t ones f32 5,1 1,1,1,1,1; n Gemm e,ones s alpha=0.5; n Div e,s p; out p",
     NULL, NULL, NULL, KLDVE_SCORES_RAW},
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
    {"truth values", SCORES "n Cast y p to=9; out p", NULL, NULL,
     "the logits 'p' are whole numbers or truth values, which no score is: --logits NAME", 0},
    {"a map by name", SCORES "out y", "c", NULL, "outputs: 'y' [1][5]", 0},
};

static void check_said(void **state)
{
    const struct said *t = *state;
    const kldve_onnx_options options = {.struct_size = sizeof options, .logits = t->logits};
    opened o;
    kldve_status st = opened_text(&o, t->text, &options);

    if (t->refusal) {
        assert_int_equal(st, KLDVE_E_UNSUPPORTED);
        if (!strstr(kldve_ctx_message(o.ctx), t->refusal))
            fail_msg("'%s' is not in '%s'", t->refusal, kldve_ctx_message(o.ctx));
    } else {
        opened_state(&o, st);
        assert_int_equal(o.shape.scores, t->kind);
        assert_true(t->note ? has_note(o.net, t->note) : !got_note(o.net, 0));
    }
    opened_close(&o);
}

/* Each tensor is asked for what makes it: the way through a long row of nodes that compute nothing
 * is not gone from each of them. */
static void test_long_row(void **state)
{
    enum { MOVES = 40000, EACH = 40 };
    const size_t room = sizeof SCORES + (size_t)MOVES * EACH + 100;
    char *text = malloc(room);
    size_t used;
    opened o;

    (void)state;
    assert_non_null(text);
    used = (size_t)snprintf(text, room, "%s", SCORES "n Flatten y f0; ");
    for (int i = 0; i < MOVES; i++)
        used += (size_t)snprintf(text + used, room - used, "n Flatten f%d f%d; ", i, i + 1);
    snprintf(text + used, room - used, "n Tanh f%d p; out p", (int)MOVES);
    opened_state(&o, opened_text(&o, text, NULL));
    assert_int_equal(o.shape.scores, KLDVE_SCORES_RAW);
    opened_close(&o);
    free(text);
}

enum {
    TAILS = sizeof tails / sizeof *tails,
    SCALED = sizeof scaled / sizeof *scaled,
    SAID = sizeof said / sizeof *said
};

int main(void)
{
    struct CMUnitTest tests[TAILS + SAID + SCALED + 1];

    for (size_t i = 0; i < TAILS; i++)
        tests[i] = (struct CMUnitTest){tails[i].name, check_tail, NULL, NULL,
                                       (void *)(uintptr_t)&tails[i]};
    for (size_t i = 0; i < SAID; i++)
        tests[TAILS + i] =
            (struct CMUnitTest){said[i].name, check_said, NULL, NULL, (void *)(uintptr_t)&said[i]};
    for (size_t i = 0; i < SCALED; i++)
        tests[TAILS + SAID + i] = (struct CMUnitTest){scaled[i].tail.name, check_scaled, NULL, NULL,
                                                      (void *)(uintptr_t)&scaled[i]};
    tests[TAILS + SAID + SCALED] = (struct CMUnitTest)cmocka_unit_test(test_long_row);
    return cmocka_run_group_tests_name("choose tail", tests, NULL, NULL);
}
