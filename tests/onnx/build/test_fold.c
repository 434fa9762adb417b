/* test_fold.c - nodes of constants: computed when the graph is built, unless that takes much
 * memory; and the same numbers as when they run. */
#include "onnx/networks/built.h"

#include <stdio.h>

#include "onnx/ops/plain.h"

#define IN "in x 1,3; "

/* The value of tensor `what` is `is`, and so many nodes are left. */
static const struct folded {
    const char *name, *text, *what;
    int32_t left;
    int64_t count;
    double is[4];
} folds[] = {
    {"a node of constants",
     IN "t a f32 2 1,2; t b f32 2 10,20; n Add a,b c; n Relu x y; out y; out c",
     "c",
     1,
     2,
     {11, 22}},
    {"a chain of them",
     IN "t a f32 3 1,2,3; n Neg a b; n Abs b c; n Add c,c d; n Add x,d y; out y",
     "d",
     1,
     3,
     {2, 4, 6}},
    {"two outputs",
     IN "t a f32 4 1,2,3,4; i s 1,3; n Split a,s b,c axis=0; n Relu x y; out y; out c",
     "c",
     1,
     3,
     {2, 3, 4}},
    {"the shape of what is not constant",
     IN "n Shape x s; n Relu x y; out y; out s",
     "s",
     1,
     2,
     {1, 3}},
    {"arithmetic of a shape",
     IN "n Shape x s; i o 1; n Gather s,o g; i t 2; n Mul g,t m; "
        "n Relu x y; out y; out m",
     "m",
     1,
     1,
     {6}},
    {"integers", IN "i a 7,-7; i b 2,2; n Div a,b c; n Relu x y; out y; out c", "c", 1, 2, {3, -3}},
    {"a comparison",
     IN "i a 1,5; i b 2,2; n Less a,b c; n Cast c d to=7; n Relu x y; out y; out d",
     "d",
     1,
     2,
     {1, 0}},
    {"nothing at all", IN "t a f32 0 1; n Neg a b; n Relu x y; out y; out b", "b", 1, 0, {0}},
};

static double element(const kx_value *v, size_t i)
{
    return v->dtype == KX_F32   ? (double)((const float *)v->raw)[i]
           : v->dtype == KX_I64 ? (double)((const int64_t *)v->raw)[i]
                                : (double)((const uint8_t *)v->raw)[i];
}

static void check_fold(void **state)
{
    const struct folded *c = *state;
    const kx_value *v;
    built b;

    built_open(&b, c->text);
    assert_int_equal(b.graph->nnode, c->left);
    v = built_value(&b, c->what);
    assert_non_null(v->raw);
    assert_int_equal(v->producer, -1);
    assert_int_equal(v->count, c->count);
    for (size_t i = 0; i < v->count; i++)
        assert_true(element(v, i) == c->is[i]);
    built_close(&b);
}

/* ---- what is left for run time --------------------------------------------------------------- */

/* 32 MiB of float32 are 2^23 elements: folded up to there, and 128 MiB in all. */
static const struct limit {
    const char *name, *text;
    int32_t left;
} limits[] = {
    {"32 MiB", IN "w a 1; i s 2048,4096; n Expand a,s b; n Relu x y; out y; out b", 1},
    {"a row more", IN "w a 1; i s 2049,4096; n Expand a,s b; n Relu x y; out y; out b", 2},
    {"what reads it runs as well",
     IN
     "w a 1; i s 2049,4096; n Expand a,s b; n ReduceSum b c keepdims=0; n Relu x y; out y; out c",
     3},
    {"four times 32 MiB",
     IN "w a 1; i s 2048,4096; n Expand a,s b; n Neg b c; n Abs c d; n Neg d e; n Relu x y; out y; "
        "out e",
     1},
    {"a fifth time",
     IN "w a 1; i s 2048,4096; n Expand a,s b; n Neg b c; n Abs c d; n Neg d e; n Abs e f; "
        "n Relu x y; out y; out f",
     2},
    {"2^40 bytes from 30", IN "w a 1; i s 1048576,262144; n Expand a,s b; n Relu x y; out y; out b",
     2},
};

static void check_limit(void **state)
{
    const struct limit *c = *state;
    built b;

    built_open(&b, c->text);
    assert_int_equal(b.graph->nnode, c->left);
    built_close(&b);
}

/* ---- the same numbers as at run time --------------------------------------------------------- */

/* Networks whose only input is a tensor "c" [2][3]: as an input, and as a constant. */
static const struct twin {
    const char *name, *nodes;
} twins[] = {
    {"elementwise", "n Exp c a; n Sigmoid a y; out y"},
    {"a convolution", "i s 1,1,2,3; n Reshape c,s d; w k 2,1,2,2; n Conv d,k y; out y"},
    {"a matrix product", "n Transpose c t; n MatMul c,t y; out y"},
    {"a sum along an axis", "n ReduceMean c y axes=[1]; out y"},
    {"a softmax", "n Softmax c y axis=0; out y"},
    {"the largest", "i k 2; n TopK c,k y,i axis=1; out y"},
    {"moved and cut", "n Transpose c t; i b 1; i e 3; n Slice t,b,e y; out y"},
    {"normalised", "opset 17; w g 3; n LayerNormalization c,g y; out y"},
};

static void check_twin(void **state)
{
    const struct twin *t = *state;
    char text[400];
    built run, folded;
    const kx_value *y;
    plain *p;

    snprintf(text, sizeof text, "in c 2,3; %s", t->nodes);
    built_open(&run, text);
    snprintf(text, sizeof text, "in x 1,3; w c 2,3; n Relu x z; %s; out z", t->nodes);
    built_open(&folded, text);
    assert_int_equal(folded.graph->nnode, 1);
    assert_true(run.graph->nnode >= 1);

    p = plain_new(run.graph);
    for (size_t i = 0; i < 6; i++) /* what "w c 2,3" writes */
        ((float *)plain_value(p, run.graph->input[0])->data)[i] = (float)(i + 1) * 0.01f;
    plain_forward(p);
    y = built_value(&folded, "y");
    assert_int_equal(y->count, run.graph->output[0]->count);
    assert_memory_equal(y->raw, plain_value(p, run.graph->output[0])->data,
                        y->count * sizeof(float));
    plain_free(p);
    built_close(&run);
    built_close(&folded);
}

int main(void)
{
    return TEST_RUN_CASES("folded", folds, check_fold) +
           TEST_RUN_CASES("limits of folding", limits, check_limit) +
           TEST_RUN_CASES("folded as if run", twins, check_twin);
}
