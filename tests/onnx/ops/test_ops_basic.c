/* test_ops_basic.c - the basic operators: values, derivatives, refusals, failing allocations.
 *
 * Elementwise functions of one array are compared with torch (unary_reference.h), the others with
 * numbers worked out by hand; the conformance test also runs all of them on ONNX's own data.
 * Every differentiable operator is compared with central differences.  The cases are text, see
 * op_case.h: a new operator needs a line in `values` and one in `derivatives`. */
#include <assert.h>
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_case.h"
#include "ops/families.h"
#include "unary_reference.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- functions of one array against torch ---------------------------------------------------- */

static void check_unary(void **state)
{
    const struct unary_case *u = *state;
    op_case c = {u->type, u->opset, u->type, u->attributes, "7:0,0,0,0,0,0,0", 1};
    op_model *m = op_model_new(&c);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_graph *g = NULL;
    float one[7] = {1, 1, 1, 1, 1, 1, 1}, slope[7] = {0};
    kx_tensor dout;
    plain *p;

    if (op_model_graph(m, ctx, &g) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    p = plain_new(g);
    for (int i = 0; i < 7; i++)
        ((float *)plain_value(p, g->input[0])->data)[i] = (float)u->x[i];
    plain_forward(p);
    dout = *plain_value(p, g->output[0]);
    dout.data = one;
    plain_vjp(p, &g->node[0], 0, &dout, slope);
    for (int i = 0; i < 7; i++) {
        double y = (double)((float *)plain_value(p, g->output[0])->data)[i];

        /* The input was rounded to float32, which counts where the slope is large. */
        if (!(fabs(y - u->y[i]) <= 3e-7 * (1 + fabs(u->y[i]) + fabs(u->x[i] * u->slope[i]))))
            fail_msg("%s(%g) is %.9g, torch has %.9g", u->type, u->x[i], y, u->y[i]);
        if (!(fabs((double)slope[i] - u->slope[i]) <= 1e-5 * (0.1 + fabs(u->slope[i]))))
            fail_msg("%s'(%g) is %.9g, torch has %.9g", u->type, u->x[i], (double)slope[i],
                     u->slope[i]);
    }
    plain_free(p);
    kx_graph_free(g);
    op_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Outputs are separated by ';'. */
struct value_case {
    op_case c;
    const char *expected;
};

struct refusal_case {
    op_case c;
    kldve_status status;
    const char *message; /* a part of it */
};

#include "newer_cases.h"
#include "contrib_cases.h"

static const struct value_case values[] = {
    /* not numbers */
    {{"Relu keeps NaN", 14, "Relu", "", "3:nan,-inf,inf", 1}, "3:nan,0,inf"},
    {{"Relu of integers", 14, "Relu", "", "i,3:-2,0,5", 1}, "i3:0,0,5"},
    {{"Abs of int8 wraps", 13, "Abs", "", "i8,3:-128,-5,7", 1}, "i3:-128,5,7"},
    {{"Neg of int64", 13, "Neg", "", "i3:-2,0,5", 1}, "i3:2,0,-5"},
    {{"Sign of int64", 13, "Sign", "", "i3:-2,0,5", 1}, "i3:-1,0,1"},
    {{"Round halves to even", 11, "Round", "", "6:-2.5,-1.5,-0.5,0.5,1.5,2.5", 1},
     "6:-2,-2,0,0,2,2"},
    {{"Sigmoid far out", 13, "Sigmoid", "", "4:-inf,-200,200,nan", 1}, "4:0,0,1,nan"},
    {{"Softplus far out", 1, "Softplus", "", "4:-200,200,1000,inf", 1}, "4:0,200,1000,inf"},
    {{"Mish far out", 18, "Mish", "", "3:-200,200,1000", 1}, "3:0,200,1000"},
    {{"IsNaN", 13, "IsNaN", "", "3:nan,1,inf", 1}, "b3:1,0,0"},
    {{"IsInf", 10, "IsInf", "", "4:nan,1,inf,-inf", 1}, "b4:0,0,1,1"},
    {{"IsInf below", 10, "IsInf", "detect_positive=0", "4:nan,1,inf,-inf", 1}, "b4:0,0,0,1"},
    {{"IsInf above", 10, "IsInf", "detect_negative=0", "4:nan,1,inf,-inf", 1}, "b4:0,0,1,0"},
    /* Clip, of every opset */
    {{"Clip 6", 6, "Clip", "min=-1.0f max=2.0f", "4:-3,0,3,nan", 1}, "4:-1,0,2,nan"},
    {{"Clip 10 max", 10, "Clip", "max=2.0f", "3:-3e38,0,3", 1}, "3:-3e38,0,2"},
    {{"Clip 11", 11, "Clip", "", "3:-3,0,3 cs:-1 cs:2", 1}, "3:-1,0,2"},
    {{"Clip no min", 13, "Clip", "", "3:-3,0,3 _ cs:2", 1}, "3:-3,0,2"},
    {{"Clip no max", 13, "Clip", "", "3:-3,0,3 cs:-1", 1}, "3:-1,0,3"},
    {{"Clip bounds at run time", 13, "Clip", "", "3:-3,0,3 s:-1 s:2", 1}, "3:-1,0,2"},
    {{"Clip min above max", 13, "Clip", "", "3:-3,0,3 cs:2 cs:1", 1}, "3:1,1,1"},
    {{"Clip of integers", 12, "Clip", "", "i3:-3,0,3 cis:-1 cis:2", 1}, "i3:-1,0,2"},
    {{"Clip of int8", 12, "Clip", "", "i8,3:-3,0,3 ci8,s:-1", 1}, "i3:-1,0,3"},
    /* two arrays */
    {{"Add same shape", 14, "Add", "", "2x2:1,2,3,4 2x2:10,20,30,40", 1}, "2x2:11,22,33,44"},
    {{"Add per channel", 14, "Add", "", "1x2x2x2:1,2,3,4,5,6,7,8 2x1x1:10,20", 1},
     "1x2x2x2:11,12,13,14,25,26,27,28"},
    {{"Add outer", 14, "Add", "", "3x1:1,2,3 1x2:10,20", 1}, "3x2:11,21,12,22,13,23"},
    {{"Add scalar", 14, "Add", "", "s:1 2:10,20", 1}, "2:11,21"},
    {{"Add empty", 14, "Add", "", "0x2 1x2:1,2", 1}, "0x2"},
    {{"Add 6 at an axis", 6, "Add", "broadcast=1 axis=0", "2x2:1,2,3,4 2:10,20", 1},
     "2x2:11,12,23,24"},
    {{"Add 6 at the end", 6, "Add", "broadcast=1", "2x2:1,2,3,4 2:10,20", 1}, "2x2:11,22,13,24"},
    {{"Add uint8 wraps", 14, "Add", "", "u8,2:250,1 u8,2:10,2", 1}, "i2:4,3"},
    {{"Add int64 wraps", 14, "Add", "", "i1:0x7fffffffffffffff i1:1", 1}, "i1:-0x8000000000000000"},
    {{"Sub uint16 wraps", 14, "Sub", "", "u16,1:1 u16,1:2", 1}, "i1:65535"},
    {{"Mul int32 wraps", 14, "Mul", "", "i32,1:65536 i32,1:65536", 1}, "i1:0"},
    {{"Div", 14, "Div", "", "3:1,-6,0 3:4,2,0", 1}, "3:0.25,-3,nan"},
    {{"Div truncates", 14, "Div", "", "i4:7,-7,7,-7 i4:2,2,-2,-2", 1}, "i4:3,-3,-3,3"},
    {{"Div by 0 and overflow", 14, "Div", "", "i2:7,-0x8000000000000000 i2:0,-1", 1},
     "i2:0,-0x8000000000000000"},
    {{"Div uint64", 14, "Div", "", "u64,1:0xfffffffffffffffe u64,1:2", 1}, "i1:0x7fffffffffffffff"},
    {{"Pow", 15, "Pow", "", "4:2,3,-2,4 4:3,0,2,0.5", 1}, "4:8,1,4,2"},
    {{"Pow of integers", 15, "Pow", "", "i5:2,-3,5,1,-1 i5:10,3,0,-2,-3", 1}, "i5:1024,-27,1,1,-1"},
    {{"Pow float by integer", 15, "Pow", "", "2:1.5,-2 i1:2", 1}, "2:2.25,4"},
    {{"Pow integer by float", 15, "Pow", "", "i2:4,9 s:0.5", 1}, "i2:2,3"},
    {{"Mod", 13, "Mod", "", "i4:7,-7,7,-7 i4:3,3,-3,-3", 1}, "i4:1,2,-2,-1"},
    {{"Mod fmod", 13, "Mod", "fmod=1", "i4:7,-7,7,-7 i4:3,3,-3,-3", 1}, "i4:1,-1,1,-1"},
    {{"Mod of floats", 13, "Mod", "fmod=1", "2:5.5,-5.5 s:2", 1}, "2:1.5,-1.5"},
    {{"Mod uint64", 13, "Mod", "", "u64,1:0xffffffffffffffff u64,1:10", 1}, "i1:5"},
    {{"PRelu per channel", 16, "PRelu", "", "1x2x2:-1,2,-3,4 2x1:0.5,0.25", 1},
     "1x2x2:-0.5,2,-0.75,4"},
    {{"PRelu 6 per channel", 6, "PRelu", "", "1x2x2:-1,2,-3,4 2:0.5,0.25", 1},
     "1x2x2:-0.5,2,-0.75,4"},
    {{"PRelu 6 shared", 6, "PRelu", "", "1x2x2:-1,2,-3,4 1:0.5", 1}, "1x2x2:-0.5,2,-1.5,4"},
    /* any number of arrays */
    {{"Sum of one", 13, "Sum", "", "2:1,2", 1}, "2:1,2"},
    {{"Sum of three", 13, "Sum", "", "2:1,2 2x1:10,20 s:100", 1}, "2x2:111,112,121,122"},
    {{"Mean of two", 13, "Mean", "", "2:1,2 2:3,6", 1}, "2:2,4"},
    {{"Max of three", 13, "Max", "", "3:1,5,3 3:4,2,3 s:2.5", 1}, "3:4,5,3"},
    {{"Max keeps NaN", 13, "Max", "", "3:nan,1,2 3:1,nan,2", 1}, "3:nan,nan,2"},
    {{"Min of integers", 13, "Min", "", "i3:1,5,3 i3:4,2,3", 1}, "i3:1,2,3"},
    {{"Max of uint64", 13, "Max", "", "u64,1:0xffffffffffffffff u64,1:1", 1}, "i1:-1"},
    /* comparisons */
    {{"Equal", 13, "Equal", "", "2x2:1,2,3,nan 2x1:1,3", 1}, "b2x2:1,0,1,0"},
    {{"Equal of bool", 13, "Equal", "", "b3:0,1,1 b3:0,1,0", 1}, "b3:1,1,0"},
    {{"Less", 13, "Less", "", "3:1,2,3 s:2", 1}, "b3:1,0,0"},
    {{"Less uint64", 13, "Less", "", "u64,1:1 u64,1:0xffffffffffffffff", 1}, "b1:1"},
    {{"Greater", 13, "Greater", "", "i3:1,2,3 is:2", 1}, "b3:0,0,1"},
    {{"LessOrEqual", 12, "LessOrEqual", "", "3:1,2,3 s:2", 1}, "b3:1,1,0"},
    {{"GreaterOrEqual", 16, "GreaterOrEqual", "", "3:1,2,3 s:2", 1}, "b3:0,1,1"},
    {{"And", 7, "And", "", "b4:0,0,1,1 b4:0,1,0,1", 1}, "b4:0,0,0,1"},
    {{"Or", 7, "Or", "", "b4:0,0,1,1 b4:0,1,0,1", 1}, "b4:0,1,1,1"},
    {{"Xor", 7, "Xor", "", "b4:0,0,1,1 b4:0,1,0,1", 1}, "b4:0,1,1,0"},
    {{"Not", 1, "Not", "", "b2:0,1", 1}, "b2:1,0"},
    {{"Where", 9, "Where", "", "b2x1:0,1 2:1,2 s:9", 1}, "2x2:9,9,1,2"},
    {{"Where of integers", 16, "Where", "", "b2:0,1 i2:1,2 i2:3,4", 1}, "i2:3,2"},
    {{"Where of bool", 16, "Where", "", "b2:0,1 b2:1,1 b2:0,0", 1}, "b2:0,1"},
    /* reductions */
    {{"ReduceSum 11", 11, "ReduceSum", "axes=(1)", "2x3:1,2,3,4,5,6", 1}, "2x1:6,15"},
    {{"ReduceSum 13", 13, "ReduceSum", "keepdims=0", "2x3:1,2,3,4,5,6 {-2}", 1}, "3:5,7,9"},
    {{"ReduceSum all", 13, "ReduceSum", "keepdims=0", "2x3:1,2,3,4,5,6", 1}, "s:21"},
    {{"ReduceSum noop", 13, "ReduceSum", "noop_with_empty_axes=1", "2:1,2 {}", 1}, "2:1,2"},
    {{"ReduceSum of nothing", 13, "ReduceSum", "keepdims=0", "0x2 {0}", 1}, "2:0,0"},
    {{"ReduceSum outer and inner", 13, "ReduceSum", "keepdims=0", "2x2x2:1,2,3,4,5,6,7,8 {0,2}", 1},
     "2:14,22"},
    {{"ReduceSum of int32 wraps", 13, "ReduceSum", "keepdims=0", "i32,2:0x7fffffff,1", 1},
     "is:-0x80000000"},
    {{"ReduceMean 13", 13, "ReduceMean", "axes=(2,3)", "1x2x2x2:1,2,3,4,5,6,7,8", 1},
     "1x2x1x1:2.5,6.5"},
    {{"ReduceMean 18", 18, "ReduceMean", "", "1x2x2x2:1,2,3,4,5,6,7,8 {2,3}", 1},
     "1x2x1x1:2.5,6.5"},
    {{"ReduceMax", 13, "ReduceMax", "axes=(0)", "2x2:1,5,3,2", 1}, "1x2:3,5"},
    {{"ReduceMax NaN", 18, "ReduceMax", "", "3:1,nan,3 {0}", 1}, "1:nan"},
    {{"ReduceMax of integers", 18, "ReduceMax", "", "i3:1,7,3 {0}", 1}, "i1:7"},
    {{"ReduceMin", 18, "ReduceMin", "", "2x2:1,5,3,2 {0}", 1}, "1x2:1,2"},
    {{"ReduceProd", 18, "ReduceProd", "", "2x2:1,5,3,2 {1}", 1}, "2x1:5,6"},
    {{"ReduceL1", 18, "ReduceL1", "", "2x2:-1,5,3,-2 {1}", 1}, "2x1:6,5"},
    {{"ReduceL1 of integers", 18, "ReduceL1", "", "i3:-1,5,-3 {0}", 1}, "i1:9"},
    {{"ReduceL2", 18, "ReduceL2", "", "2:-3,4 {0}", 1}, "1:5"},
    {{"ReduceSumSquare", 18, "ReduceSumSquare", "", "2:-3,4 {0}", 1}, "1:25"},
    {{"ReduceLogSum", 18, "ReduceLogSum", "", "2:1,1.7182818284590452 {0}", 1}, "1:1"},
    {{"ReduceLogSumExp", 18, "ReduceLogSumExp", "", "2:1000,1000 {0}", 1}, "1:1000.69314718"},
    {{"ReduceLogSumExp of -inf", 18, "ReduceLogSumExp", "", "2:-inf,-inf {0}", 1}, "1:-inf"},
    {{"ArgMax", 13, "ArgMax", "axis=1", "2x3:1,3,3,2,1,0", 1}, "i2x1:1,0"},
    {{"ArgMax last", 12, "ArgMax", "axis=-1 keepdims=0 select_last_index=1", "2x3:1,3,3,2,1,0", 1},
     "i2:2,0"},
    {{"ArgMax outer", 13, "ArgMax", "keepdims=0", "2x3:1,3,3,2,1,0", 1}, "i3:1,0,0"},
    {{"ArgMin", 13, "ArgMin", "axis=1", "i2x3:1,3,3,2,1,0", 1}, "i2x1:0,2"},
    {{"ArgMax NaN", 13, "ArgMax", "", "3:1,nan,3", 1}, "i1:1"},
    /* shapes */
    {{"Identity", 16, "Identity", "", "b2:0,1", 1}, "b2:0,1"},
    {{"Dropout 7", 7, "Dropout", "ratio=0.3f", "2:1,2", 2}, "2:1,2;2:1,1"},
    {{"Dropout 10", 10, "Dropout", "ratio=0.3f", "2:1,2", 2}, "2:1,2;b2:1,1"},
    {{"Dropout 13", 13, "Dropout", "seed=3", "2:1,2 cs:0.5 cbs:0", 2}, "2:1,2;b2:1,1"},
    {{"Dropout 6", 6, "Dropout", "is_test=1", "2:1,2", 1}, "2:1,2"},
    {{"Reshape", 5, "Reshape", "", "2x3:1,2,3,4,5,6 {3,-1}", 1}, "3x2:1,2,3,4,5,6"},
    {{"Reshape copies 0", 13, "Reshape", "", "2x3:1,2,3,4,5,6 {0,1,-1}", 1}, "2x1x3:1,2,3,4,5,6"},
    {{"Reshape to a scalar", 13, "Reshape", "", "1x1:1 {}", 1}, "s:1"},
    {{"Reshape allowzero", 14, "Reshape", "allowzero=1", "0x3 {3,0}", 1}, "3x0"},
    {{"Flatten", 13, "Flatten", "", "2x1x3:1,2,3,4,5,6", 1}, "2x3:1,2,3,4,5,6"},
    {{"Flatten 0", 9, "Flatten", "axis=0", "2x2:1,2,3,4", 1}, "1x4:1,2,3,4"},
    {{"Flatten -1", 11, "Flatten", "axis=-1", "1x2x2:1,2,3,4", 1}, "2x2:1,2,3,4"},
    {{"Squeeze 11", 11, "Squeeze", "axes=(0,-1)", "1x2x1:1,2", 1}, "2:1,2"},
    {{"Squeeze 13", 13, "Squeeze", "", "1x2x1:1,2 {0}", 1}, "2x1:1,2"},
    {{"Squeeze all", 13, "Squeeze", "", "1x2x1:1,2", 1}, "2:1,2"},
    {{"Unsqueeze 11", 11, "Unsqueeze", "axes=(0,-1)", "2:1,2", 1}, "1x2x1:1,2"},
    {{"Unsqueeze 13", 13, "Unsqueeze", "", "2:1,2 {2,0}", 1}, "1x2x1:1,2"},
    /* constants */
    {{"Constant", 13, "Constant", "value=[2x1:1.5,2]", "", 1}, "2x1:1.5,2"},
    {{"Constant of integers", 13, "Constant", "value=[i8,2:1,-2]", "", 1}, "i2:1,-2"},
    {{"Constant value_float", 12, "Constant", "value_float=1.5f", "", 1}, "s:1.5"},
    {{"Constant value_int", 12, "Constant", "value_int=7", "", 1}, "is:7"},
    {{"Constant value_floats", 12, "Constant", "value_floats=(1.5,2)", "", 1}, "2:1.5,2"},
    {{"Constant value_ints", 12, "Constant", "value_ints=(3,4)", "", 1}, "i2:3,4"},
    {{"Shape", 13, "Shape", "", "2x3", 1}, "i2:2,3"},
    {{"Shape of a part", 15, "Shape", "start=1 end=-1", "2x3x4", 1}, "i1:3"},
    {{"Shape clamped", 15, "Shape", "start=-9 end=9", "2x3", 1}, "i2:2,3"},
    {{"Shape of nothing", 15, "Shape", "start=2", "2x3", 1}, "i0"},
    {{"Size", 13, "Size", "", "2x3", 1}, "is:6"},
    {{"ConstantOfShape", 9, "ConstantOfShape", "", "{2,1}", 1}, "2x1:0,0"},
    {{"ConstantOfShape value", 9, "ConstantOfShape", "value=[i1:5]", "{2}", 1}, "i2:5,5"},
    {{"ConstantOfShape bool", 9, "ConstantOfShape", "value=[b1:1]", "{2}", 1}, "b2:1,1"},
    {{"Range", 11, "Range", "", "cis:10 cis:4 cis:-2", 1}, "i3:10,8,6"},
    {{"Range of floats", 11, "Range", "", "cs:1 cs:2 cs:0.4", 1}, "3:1,1.4,1.8"},
    {{"Range of nothing", 11, "Range", "", "cis:4 cis:4 cis:1", 1}, "i0"},
    {{"Range at the ends", 11, "Range", "",
      "cis:-0x8000000000000000 cis:0x7fffffffffffffff cis:0x7fffffffffffffff", 1},
     "i3:-0x8000000000000000,-1,0x7ffffffffffffffe"},
    /* moving */
    {{"Transpose", 13, "Transpose", "", "2x3:1,2,3,4,5,6", 1}, "3x2:1,4,2,5,3,6"},
    {{"Transpose perm", 13, "Transpose", "perm=(0,2,1)", "1x2x2:1,2,3,4", 1}, "1x2x2:1,3,2,4"},
    {{"Transpose integers", 13, "Transpose", "", "i2x2:1,2,3,4", 1}, "i2x2:1,3,2,4"},
    {{"Transpose bool", 13, "Transpose", "", "b2x2:0,1,0,0", 1}, "b2x2:0,0,1,0"},
    {{"Expand", 8, "Expand", "", "2x1:1,2 {2}", 1}, "2x2:1,1,2,2"},
    {{"Expand inwards", 13, "Expand", "", "2x1:1,2 {3,1,1}", 1}, "3x2x1:1,2,1,2,1,2"},
    {{"Trilu", 14, "Trilu", "", "2x3:1,2,3,4,5,6", 1}, "2x3:1,2,3,0,5,6"},
    {{"CumSum", 11, "CumSum", "", "2x3:1,2,3,4,5,6 {1}", 1}, "2x3:1,3,6,4,9,15"},
    {{"CumSum first axis", 14, "CumSum", "", "2x3:1,2,3,4,5,6 {-2}", 1}, "2x3:1,2,3,5,7,9"},
    {{"CumSum exclusive", 14, "CumSum", "exclusive=1", "3:1,2,3 {0}", 1}, "3:0,1,3"},
    {{"CumSum both", 14, "CumSum", "exclusive=1 reverse=1", "3:1,2,3 {0}", 1}, "3:5,3,0"},
    {{"CumSum integers", 14, "CumSum", "reverse=1", "i3:1,2,3 {0}", 1}, "i3:6,5,3"},
    {{"Trilu lower", 14, "Trilu", "upper=0", "2x2x3:1,2,3,4,5,6,7,8,9,1,2,3 {1}", 1},
     "2x2x3:1,2,0,4,5,6,7,8,0,1,2,3"},
    {{"Trilu far", 14, "Trilu", "upper=0", "2x2:1,2,3,4 {0x7fffffffffffffff}", 1}, "2x2:1,2,3,4"},
    {{"Trilu far off", 14, "Trilu", "", "i2x2:1,2,3,4 {0x7fffffffffffffff}", 1}, "i2x2:0,0,0,0"},
    {{"Tile", 6, "Tile", "", "1x2:1,2 {2,2}", 1}, "2x4:1,2,1,2,1,2,1,2"},
    {{"Tile never", 13, "Tile", "", "1x2:1,2 {2,0}", 1}, "2x0"},
    {{"DepthToSpace", 13, "DepthToSpace", "blocksize=2", "1x8x1x1:0,1,2,3,4,5,6,7", 1},
     "1x2x2x2:0,2,4,6,1,3,5,7"},
    {{"DepthToSpace CRD", 11, "DepthToSpace", "blocksize=2 mode='CRD'", "1x8x1x1:0,1,2,3,4,5,6,7",
      1},
     "1x2x2x2:0,1,2,3,4,5,6,7"},
    {{"SpaceToDepth", 13, "SpaceToDepth", "blocksize=2", "1x1x2x4:0,1,2,3,4,5,6,7", 1},
     "1x4x1x2:0,2,1,3,4,6,5,7"},
    /* parts */
    {{"Slice 9", 9, "Slice", "starts=(0,1) ends=(1,9223372036854775807)", "2x3:1,2,3,4,5,6", 1},
     "1x2:2,3"},
    {{"Slice 9 axes", 9, "Slice", "starts=(1) ends=(2) axes=(1)", "2x3:1,2,3,4,5,6", 1}, "2x1:2,5"},
    {{"Slice 10", 10, "Slice", "", "4:1,2,3,4 {-3} {-1}", 1}, "2:2,3"},
    {{"Slice step", 13, "Slice", "", "5:1,2,3,4,5 {0} {9} {0} {2}", 1}, "3:1,3,5"},
    {{"Slice backwards", 13, "Slice", "", "2x3:1,2,3,4,5,6 {-1} {-9223372036854775808} {-1} {-1}",
      1},
     "2x3:3,2,1,6,5,4"},
    {{"Slice backwards by 2", 13, "Slice", "", "5:1,2,3,4,5 {9} {0} {0} {-2}", 1}, "2:5,3"},
    {{"Slice of nothing", 13, "Slice", "", "3:1,2,3 {2} {1}", 1}, "0"},
    {{"Slice with a huge step", 13, "Slice", "", "3:1,2,3 {0} {3} {0} {9223372036854775807}", 1},
     "1:1"},
    {{"Slice with the lowest step", 13, "Slice", "", "3:1,2,3 {-1} {-9} {0} {-9223372036854775808}",
      1},
     "1:3"},
    {{"Split 11", 11, "Split", "axis=1 split=(1,2)", "2x3:1,2,3,4,5,6", 2}, "2x1:1,4;2x2:2,3,5,6"},
    {{"Split 13", 13, "Split", "", "4:1,2,3,4 {1,3}", 2}, "1:1;3:2,3,4"},
    {{"Split equally", 13, "Split", "axis=-1", "4:1,2,3,4", 2}, "2:1,2;2:3,4"},
    {{"Split 18", 18, "Split", "num_outputs=2", "3:1,2,3", 2}, "2:1,2;1:3"},
    {{"Split off nothing", 13, "Split", "", "2:1,2 {0,2}", 2}, "0;2:1,2"},
    {{"Concat", 13, "Concat", "axis=0", "1x2:1,2 2x2:3,4,5,6", 1}, "3x2:1,2,3,4,5,6"},
    {{"Concat inner", 13, "Concat", "axis=-1", "2x1:1,2 2x2:3,4,5,6", 1}, "2x3:1,3,4,2,5,6"},
    {{"Concat integers", 4, "Concat", "axis=0", "i1:1 {2,3}", 1}, "i3:1,2,3"},
    {{"Gather", 13, "Gather", "", "3x2:1,2,3,4,5,6 {-1,0}", 1}, "2x2:5,6,1,2"},
    {{"Gather one", 13, "Gather", "axis=1", "2x2:1,2,3,4 is:1", 1}, "2:2,4"},
    {{"Gather stays in range", 13, "Gather", "", "2:1,2 i2:7,-7", 1}, "2:2,1"},
    {{"GatherElements", 13, "GatherElements", "axis=1", "2x2:1,2,3,4 i2x1:-1,0", 1}, "2x1:2,3"},
    {{"GatherND", 13, "GatherND", "", "2x2:1,2,3,4 i2x2:0,1,-1,0", 1}, "2:2,3"},
    {{"GatherND batch", 13, "GatherND", "batch_dims=1", "2x2:1,2,3,4 i2x1:1,0", 1}, "2:2,3"},
    {{"ScatterND", 13, "ScatterND", "", "4:1,2,3,4 i2x1:-1,1 2:40,20", 1}, "4:1,20,3,40"},
    {{"ScatterND blocks", 13, "ScatterND", "", "2x2:1,2,3,4 i1x1:1 1x2:30,40", 1}, "2x2:1,2,30,40"},
    {{"ScatterND add", 16, "ScatterND", "reduction='add'", "2:1,2 i3x1:0,0,1 3:10,20,30", 1},
     "2:31,32"},
    {{"ScatterND add integers", 16, "ScatterND", "reduction='add'", "u8,2:1,2 i1x1:1 u8,1:255", 1},
     "i2:1,1"},
    {{"ScatterND stays in range", 13, "ScatterND", "", "2:1,2 i1x1:9 1:5", 1}, "2:1,5"},
    {{"ScatterElements", 13, "ScatterElements", "axis=1", "2x2:1,2,3,4 i2x1:-1,0 2x1:20,30", 1},
     "2x2:1,20,30,4"},
    {{"ScatterElements add", 16, "ScatterElements", "reduction='add'", "2x1:1,2 i2x1:1,1 2x1:10,20",
      1},
     "2x1:1,32"},
    {{"ScatterElements of bool", 11, "ScatterElements", "", "b2:0,0 i1:1 b1:1", 1}, "b2:0,1"},
    {{"Scatter 9", 9, "Scatter", "axis=0", "3:1,2,3 i1:1 1:20", 1}, "3:1,20,3"},
    {{"TopK", 11, "TopK", "", "2x3:1,5,3,6,4,6 {2}", 2}, "2x2:5,3,6,6;i2x2:1,2,0,2"},
    {{"TopK smallest of integers", 11, "TopK", "axis=0 largest=0 sorted=0", "i3:3,1,2 {2}", 2},
     "i2:1,2;i2:1,2"},
    {{"TopK NaN is the largest", 11, "TopK", "", "3:1,nan,inf {3}", 2}, "3:nan,inf,1;i3:1,2,0"},
    {{"TopK 1", 1, "TopK", "k=1 axis=0", "2x2:1,4,3,2", 2}, "1x2:3,4;i1x2:1,0"},
    {{"TopK none", 11, "TopK", "", "2:1,2 {0}", 2}, "0;i0"},
    {{"Einsum product", 12, "Einsum", "equation='ij,jk->ik'", "1x2:1,2 2x2:1,2,3,4", 1},
     "1x2:7,10"},
    {{"Einsum implies the output", 12, "Einsum", "equation='ba,bc'", "1x2:1,2 1x2:3,4", 1},
     "2x2:3,4,6,8"},
    {{"Einsum capitals first", 12, "Einsum", "equation='aB'", "2x2:1,2,3,4", 1}, "2x2:1,3,2,4"},
    {{"Einsum trace", 12, "Einsum", "equation='ii'", "2x2:1,2,3,4", 1}, "s:5"},
    {{"Einsum diagonal", 12, "Einsum", "equation='ii->i'", "2x2:1,2,3,4", 1}, "2:1,4"},
    {{"Einsum dots", 12, "Einsum", "equation='...i,i...->...'", "2x2:1,2,3,4 2:10,100", 1},
     "2:210,430"},
    {{"Einsum dots of different ranks", 12, "Einsum", "equation='...,...'", "2x2:1,2,3,4 2:10,100",
      1},
     "2x2:10,200,30,400"},
    {{"Einsum broadcasts 1", 12, "Einsum", "equation='ij,ij->ij'", "2x1:1,2 1x2:3,4", 1},
     "2x2:3,4,6,8"},
    {{"Einsum outer of numbers", 12, "Einsum", "equation=',->'", "s:3 s:4", 1}, "s:12"},
    {{"Einsum of nothing", 12, "Einsum", "equation='ij->j'", "0x2", 1}, "2:0,0"},
    /* types */
    {{"Cast to int", 13, "Cast", "to=7", "5:1.9,-1.9,nan,1e30,-1e30", 1},
     "i5:1,-1,0,0x7fffffffffffffff,-0x8000000000000000"},
    {{"Cast to uint8", 13, "Cast", "to=2", "i3:255,256,-1", 1}, "i3:255,0,255"},
    {{"Cast to bool", 13, "Cast", "to=9", "3:0,0.5,nan", 1}, "b3:0,1,1"},
    {{"Cast from bool", 13, "Cast", "to=1", "b2:0,1", 1}, "2:0,1"},
    {{"Cast to float16", 13, "Cast", "to=10", "6:1.0004,1.0006,65519,65520,1e-8,6e-8", 1},
     "6:1,1.0009765625,65504,inf,0,5.9604644775390625e-8"},
    {{"Cast to bfloat16", 13, "Cast", "to=16", "3:1.003,1.005,-1e-3", 1},
     "3:1,1.0078125,-0.00099945068359375"},
    {{"CastLike", 15, "CastLike", "", "2:1.5,2 i32,1:7", 1}, "i2:1,2"},
};

static void check_value(void **state)
{
    const struct value_case *v = *state;
    op_model *m = op_model_new(&v->c);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    const char *expected = v->expected;
    kx_graph *g = NULL;
    plain *p;

    if (op_model_graph(m, ctx, &g) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    p = plain_new(g);
    op_model_fill(m, p);
    plain_forward(p);
    for (int32_t i = 0; i < g->noutput; i++) {
        op_expect(v->c.name, plain_value(p, g->output[i]), expected);
        expected += strcspn(expected, ";");
        expected += *expected == ';';
    }
    assert_string_equal(expected, "");
    plain_free(p);
    kx_graph_free(g);
    kldve_ctx_free(ctx);
    op_model_free(m);
    assert_int_equal(heap.live, 0);
    op_check_allocations(&v->c);
}

/* ---- derivatives ----------------------------------------------------------------------------- */

static const op_case derivatives[] = {
    {"Relu", 14, "Relu", "", "2x3", 1},
    {"Clip", 6, "Clip", "min=-1.0f max=1.0f", "3x5", 1},
    {"Clip with bounds", 13, "Clip", "", "3x5 s:-1 s:1", 1},
    {"Clip min above max", 13, "Clip", "", "2x3 s:1 s:-1", 1},
    {"Add", 14, "Add", "", "2x3 2x3", 1},
    {"Add scalar", 14, "Add", "", "2x3 s", 1},
    {"Add per channel", 14, "Add", "", "2x3x2 3x1", 1},
    {"Add both ways", 14, "Add", "", "3x1x2 4x1", 1},
    {"Add 6", 6, "Add", "broadcast=1 axis=1", "2x3x2 3", 1},
    {"Sub", 14, "Sub", "", "2x1 1x3", 1},
    {"Mul", 14, "Mul", "", "2x3 2x3", 1},
    {"Mul per channel", 14, "Mul", "", "1x2x2x2 2x1x1", 1},
    {"Mul by a constant", 14, "Mul", "", "2x3 c3:1,2,3", 1},
    {"Mul itself scalar", 14, "Mul", "", "s 2x3", 1},
    {"Div", 14, "Div", "", "2x3 +2x3", 1},
    {"Div outer", 14, "Div", "", "2x1 +1x3", 1},
    {"Pow", 15, "Pow", "", "+2x3 2x3", 1},
    {"Pow scalar", 15, "Pow", "", "2x3 cs:2", 1},
    {"Pow cube", 15, "Pow", "", "2x3 cs:3", 1},
    {"Pow outer", 15, "Pow", "", "+2x1 1x3", 1},
    {"Pow integer exponent", 15, "Pow", "", "2x3 i3:2,3,0", 1},
    {"Mod", 13, "Mod", "fmod=1", "2x2:0.7,-2.6,5.3,-7.7 s:2.05", 1},
    {"PRelu", 16, "PRelu", "", "2x3x2 3x1", 1},
    {"PRelu 6", 6, "PRelu", "", "2x3x2 3", 1},
    {"Sum", 13, "Sum", "", "2x3 3 s", 1},
    {"Mean", 13, "Mean", "", "2x3 2x1", 1},
    {"Max", 13, "Max", "", "2x3 2x3 3", 1},
    {"Min", 13, "Min", "", "2x3 s", 1},
    {"Max shared", 13, "Max", "", "2:1,2 2:1,0", 1},
    {"Where", 9, "Where", "", "b2x3:1,0,0,1,1,0 2x3 2x3", 1},
    {"Where broadcast", 9, "Where", "", "b3:1,0,0 2x1 s", 1},
    {"ReduceSum", 13, "ReduceSum", "", "2x3x2 {1}", 1},
    {"ReduceSum all", 13, "ReduceSum", "keepdims=0", "2x3", 1},
    {"ReduceMean", 13, "ReduceMean", "axes=(2,3)", "2x2x3x2", 1},
    {"ReduceMean outer", 13, "ReduceMean", "axes=(0,2) keepdims=0", "2x3x2", 1},
    {"ReduceMax", 13, "ReduceMax", "axes=(1)", "2x4", 1},
    {"ReduceMin", 13, "ReduceMin", "axes=(0)", "3x4", 1},
    {"ReduceProd", 18, "ReduceProd", "", "2x4 {1}", 1},
    {"ReduceProd zeros", 18, "ReduceProd", "", "3x3:1,0,3,0,2,0,4,5,6 {1}", 1},
    {"ReduceL1", 18, "ReduceL1", "", "2x4 {1}", 1},
    {"ReduceL2", 18, "ReduceL2", "", "2x4 {0}", 1},
    {"ReduceSumSquare", 18, "ReduceSumSquare", "", "2x4 {1}", 1},
    {"ReduceLogSum", 18, "ReduceLogSum", "", "+2x4 {1}", 1},
    {"ReduceLogSumExp", 18, "ReduceLogSumExp", "", "2x4 {1}", 1},
    {"Identity", 16, "Identity", "", "2x3", 1},
    {"Dropout", 12, "Dropout", "", "2x3", 2},
    {"Reshape", 13, "Reshape", "", "2x3 {3,2}", 1},
    {"Flatten", 13, "Flatten", "", "2x3x1", 1},
    {"Squeeze", 13, "Squeeze", "", "2x1x3 {1}", 1},
    {"Unsqueeze", 13, "Unsqueeze", "", "2x3 {0}", 1},
    {"Transpose", 13, "Transpose", "perm=(2,0,1)", "2x3x2", 1},
    {"Expand", 13, "Expand", "", "2x1 {3,2,4}", 1},
    {"Trilu", 14, "Trilu", "", "2x3x4 {1}", 1},
    {"CumSum", 14, "CumSum", "", "2x3x4 {1}", 1},
    {"CumSum", 14, "CumSum", "exclusive=1", "2x3x2 {-1}", 1},
    {"CumSum", 14, "CumSum", "reverse=1", "2x4 {0}", 1},
    {"CumSum", 14, "CumSum", "exclusive=1 reverse=1", "5 {0}", 1},
    {"Trilu", 14, "Trilu", "upper=0", "3x2 {-1}", 1},
    {"Tile", 13, "Tile", "", "2x3 {2,3}", 1},
    {"DepthToSpace", 13, "DepthToSpace", "blocksize=2", "1x4x2x3", 1},
    {"DepthToSpace CRD", 13, "DepthToSpace", "blocksize=2 mode='CRD'", "1x8x1x3", 1},
    {"SpaceToDepth", 13, "SpaceToDepth", "blocksize=2", "1x2x2x4", 1},
    {"Slice", 13, "Slice", "", "3x4 {1,-1} {3,-9} {0,1} {1,-2}", 1},
    {"Split", 13, "Split", "axis=1", "2x4 {1,3}", 2},
    {"Concat", 13, "Concat", "axis=1", "2x1 2x3 2x2", 1},
    {"Gather", 13, "Gather", "axis=1", "2x3x2 {0,-1,0}", 1},
    {"Gather at run time", 13, "Gather", "", "3x2 i2x2:0,1,1,9", 1},
    {"GatherElements", 13, "GatherElements", "axis=0", "3x2 i2x2:0,2,0,-1", 1},
    {"GatherND", 13, "GatherND", "", "3x2x2 i2x1:2,2", 1},
    {"GatherND batch", 13, "GatherND", "batch_dims=1", "2x3x2 i2x2x1:2,0,1,1", 1},
    {"ScatterND", 13, "ScatterND", "", "3x2 i2x1:2,0 2x2", 1},
    {"ScatterND add", 16, "ScatterND", "reduction='add'", "3x2 i3x2:2,0,2,0,1,1 3", 1},
    {"ScatterElements", 13, "ScatterElements", "axis=-1", "2x3 i2x1:2,0 2x1", 1},
    {"ScatterElements add", 18, "ScatterElements", "reduction='add'", "2x3 i3x1:1,1,0 3x1", 1},
    {"Scatter", 10, "Scatter", "", "2x3 i1x2:1,0 1x2", 1},
    {"TopK", 11, "TopK", "axis=1", "2x4x2 {2}", 2},
    {"TopK smallest", 11, "TopK", "largest=0", "2x4 {3}", 2},
    {"Einsum product", 12, "Einsum", "equation='bij,bkj->bik'", "2x2x3 2x2x3", 1},
    {"Einsum outer", 12, "Einsum", "equation='i,j->ji'", "2 3", 1},
    {"Einsum diagonal", 12, "Einsum", "equation='iij,j->i'", "3x3x2 2", 1},
    {"Einsum dots", 12, "Einsum", "equation='...ij,...jk'", "2x1x2x3 2x3x2", 1},
    {"Einsum sums what one has alone", 12, "Einsum", "equation='ij,k->k'", "2x3 2", 1},
    {"Einsum of one", 12, "Einsum", "equation='ijk->ki'", "2x2x3", 1},
    {"Cast", 13, "Cast", "to=11", "2x3", 1},
    {"CastLike", 15, "CastLike", "", "2x3 s:1", 1},
    {"Sign", 13, "Sign", "", "2x3", 1},
    {"Floor", 13, "Floor", "", "2x3", 1},
};

static void check_derivative(void **state)
{
    const op_case *c = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    assert_true(op_check_vjp(c, ctx) >= 1);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static bool is_tested(const char *type)
{
    for (size_t i = 0; i < COUNT(derivatives); i++)
        if (strcmp(derivatives[i].type, type) == 0)
            return true;
    for (size_t i = 0; i < COUNT(newer_derivatives); i++)
        if (strcmp(newer_derivatives[i].type, type) == 0)
            return true;
    for (size_t i = 0; i < COUNT(contrib_derivatives); i++)
        if (strcmp(op_case_type(&contrib_derivatives[i]), type) == 0)
            return true;
    for (size_t i = 0; i < COUNT(unary_cases); i++)
        if (strcmp(unary_cases[i].type, type) == 0)
            return true;
    return false;
}

static void test_every_vjp(void **state)
{
    static const kx_op *const elsewhere[] = {
        /* test_ops_nn.c */
        kx_conv_ops, kx_convtranspose_ops, kx_pool_ops, kx_lrn_ops, kx_batchnorm_ops, kx_norm_ops,
        kx_mvn_ops, kx_matmul_ops, kx_softmax_ops, kx_pad_ops, kx_resize_ops,
        /* test_quantise.c */
        kx_quantise_ops};

    (void)state;
    for (size_t i = 0; kx_families[i]; i++) {
        bool here = true;

        for (size_t k = 0; k < COUNT(elsewhere); k++)
            here = here && kx_families[i] != elsewhere[k];
        for (const kx_op *op = kx_families[i]; here && op->type; op++)
            if (op->vjp && !is_tested(op->type))
                fail_msg("%s has a VJP that nothing tests", op->type);
    }
}

/* An operator that declares nothing about a bias is refused by methods that sum the gradients at
 * all biases: every entry has to say. */
static void test_every_bias(void **state)
{
    (void)state;
    for (size_t i = 0; kx_families[i]; i++)
        for (const kx_op *op = kx_families[i]; op->type; op++)
            if (op->vjp && op->traits.bias == KX_BIAS_UNDECLARED)
                fail_msg("%s does not say whether it adds a bias", op->type);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static const struct refusal_case refusals[] = {
    {{"no input", 13, "Relu", "", "", 1}, KLDVE_E_FORMAT, "0 inputs"},
    {{"two outputs", 13, "Relu", "", "2", 2}, KLDVE_E_UNSUPPORTED, "2 outputs"},
    {{"attribute", 13, "Relu", "beta=1", "2", 1}, KLDVE_E_UNSUPPORTED, "'beta'"},
    {{"attribute of the wrong type", 13, "LeakyRelu", "alpha=1", "2", 1},
     KLDVE_E_UNSUPPORTED,
     "'alpha'"},
    {{"consumed_inputs", 1, "Add", "consumed_inputs=(0,0)", "2 2", 1},
     KLDVE_E_UNSUPPORTED,
     "'consumed_inputs'"},
    {{"Exp of integers", 13, "Exp", "", "i2:1,2", 1}, KLDVE_E_UNSUPPORTED, "float"},
    {{"Celu alpha 0", 12, "Celu", "alpha=0.0f", "2", 1}, KLDVE_E_UNSUPPORTED, "alpha"},
    {{"Gelu approximate", 20, "Gelu", "approximate='no'", "2", 1}, KLDVE_E_FORMAT, "approximate"},
    {{"Gelu 13", 13, "Gelu", "", "2", 1}, KLDVE_E_UNSUPPORTED, "opset 13"},
    {{"Clip bound type", 13, "Clip", "", "2 cis:1", 1}, KLDVE_E_FORMAT, "bound"},
    {{"Clip bound size", 13, "Clip", "", "2 c2:1,2", 1}, KLDVE_E_FORMAT, "bound"},
    {{"Clip of bool", 13, "Clip", "", "b2:0,1", 1}, KLDVE_E_UNSUPPORTED, "number"},
    {{"Add types", 14, "Add", "", "2 i2:1,2", 1}, KLDVE_E_FORMAT, "types"},
    {{"Add bool", 14, "Add", "", "b1:0 b1:1", 1}, KLDVE_E_UNSUPPORTED, "type"},
    {{"Add shapes", 14, "Add", "", "2 3", 1}, KLDVE_E_FORMAT, "shapes"},
    {{"Add overflow", 14, "Add", "", "137438953472x1x0 1x137438953472x0", 1},
     KLDVE_E_FORMAT,
     "2^40"},
    {{"Sum overflow", 13, "Sum", "", "137438953472x1x0 1x137438953472x0", 1},
     KLDVE_E_FORMAT,
     "2^40"},
    {{"Where overflow", 9, "Where", "", "b1x1x1:1 137438953472x1x0 1x137438953472x0", 1},
     KLDVE_E_FORMAT,
     "2^40"},
    {{"Add 6 axis overflow", 6, "Add", "broadcast=1 axis=9223372036854775807", "2x2 2", 1},
     KLDVE_E_FORMAT,
     "axis"},
    {{"DepthToSpace overflow", 13, "DepthToSpace", "blocksize=32768", "1x0x1048576x131072", 1},
     KLDVE_E_FORMAT,
     "2^40"},
    {{"Add 6 rank", 6, "Add", "", "2x2 2", 1}, KLDVE_E_FORMAT, "broadcast"},
    {{"Add 6 axis", 6, "Add", "broadcast=1 axis=2", "2x2 2", 1}, KLDVE_E_FORMAT, "axis"},
    {{"Div by constant 0", 14, "Div", "", "i1:1 {0}", 1}, KLDVE_E_FORMAT, "0"},
    {{"Mod of floats", 13, "Mod", "", "2 2", 1}, KLDVE_E_FORMAT, "fmod"},
    {{"PRelu slope", 16, "PRelu", "", "2 2x2", 1}, KLDVE_E_FORMAT, "slope"},
    {{"Sum of integers", 13, "Sum", "", "i2:1,2", 1}, KLDVE_E_UNSUPPORTED, "type"},
    {{"Max types", 13, "Max", "", "2 i2:1,2", 1}, KLDVE_E_FORMAT, "types"},
    {{"Max omitted", 13, "Max", "", "2 _ 2", 1}, KLDVE_E_FORMAT, "missing"},
    {{"Less of bool", 13, "Less", "", "b1:0 b1:1", 1}, KLDVE_E_UNSUPPORTED, "type"},
    {{"And of floats", 7, "And", "", "2 2", 1}, KLDVE_E_UNSUPPORTED, "type"},
    {{"Not of floats", 7, "Not", "", "2", 1}, KLDVE_E_FORMAT, "bool"},
    {{"Where condition", 9, "Where", "", "2 2 2", 1}, KLDVE_E_FORMAT, "bool"},
    {{"ReduceSum axes at run time", 13, "ReduceSum", "", "2x2 i1:0", 1},
     KLDVE_E_UNSUPPORTED,
     "input 1 (axes) must be constant"},
    {{"ReduceSum axes float", 13, "ReduceSum", "", "2x2 c1:0", 1}, KLDVE_E_FORMAT, "integers"},
    {{"ReduceSum axis", 13, "ReduceSum", "", "2x2 {2}", 1}, KLDVE_E_FORMAT, "axis 2"},
    {{"ReduceSum axis twice", 13, "ReduceSum", "", "2x2 {1,-1}", 1}, KLDVE_E_FORMAT, "twice"},
    {{"ReduceSum 13 attribute", 13, "ReduceSum", "axes=(0)", "2x2", 1},
     KLDVE_E_UNSUPPORTED,
     "'axes'"},
    {{"ReduceMean of integers", 13, "ReduceMean", "", "i2:1,2", 1}, KLDVE_E_UNSUPPORTED, "type"},
    {{"ReduceMax of nothing", 13, "ReduceMax", "", "0x2", 1}, KLDVE_E_UNSUPPORTED, "empty"},
    {{"ArgMax axis", 13, "ArgMax", "axis=2", "2x2", 1}, KLDVE_E_FORMAT, "axis 2"},
    {{"ArgMax of nothing", 13, "ArgMax", "", "0", 1}, KLDVE_E_FORMAT, "empty"},
    {{"Dropout training", 13, "Dropout", "", "2 cs:0.5 cbs:1", 1}, KLDVE_E_UNSUPPORTED, "training"},
    {{"Dropout at run time", 13, "Dropout", "", "2 cs:0.5 bs:1", 1},
     KLDVE_E_UNSUPPORTED,
     "constant"},
    {{"Dropout 6 training", 6, "Dropout", "", "2", 1}, KLDVE_E_UNSUPPORTED, "is_test"},
    {{"Reshape count", 13, "Reshape", "", "2x3 {4}", 1}, KLDVE_E_FORMAT, "6 elements"},
    {{"Reshape uneven", 13, "Reshape", "", "2x3 {4,-1}", 1}, KLDVE_E_FORMAT, "evenly"},
    {{"Reshape two unknown", 13, "Reshape", "", "2x3 {-1,-1}", 1}, KLDVE_E_FORMAT, "dimension 1"},
    {{"Reshape -2", 13, "Reshape", "", "2x3 {-2,-3}", 1}, KLDVE_E_FORMAT, "-2"},
    {{"Reshape 0 too far", 13, "Reshape", "", "6 {6,0}", 1}, KLDVE_E_FORMAT, "dimension 1"},
    {{"Reshape overflow", 13, "Reshape", "", "2x3 {4294967296,4294967296,4294967296,4294967296}",
      1},
     KLDVE_E_FORMAT,
     "elements"},
    {{"Reshape rank", 13, "Reshape", "", "1:1 {1,1,1,1,1,1,1,1,1}", 1},
     KLDVE_E_UNSUPPORTED,
     "rank"},
    {{"Reshape at run time", 13, "Reshape", "", "2x3 i1:6", 1}, KLDVE_E_UNSUPPORTED, "constant"},
    {{"Reshape without", 13, "Reshape", "", "2x3", 1}, KLDVE_E_FORMAT, "missing"},
    {{"Flatten axis", 13, "Flatten", "axis=3", "2x3", 1}, KLDVE_E_FORMAT, "axis 3"},
    {{"Squeeze length", 13, "Squeeze", "", "2x3 {0}", 1}, KLDVE_E_FORMAT, "length 2"},
    {{"Unsqueeze rank", 13, "Unsqueeze", "", "1x1x1x1x1x1x1x1:1 {0}", 1},
     KLDVE_E_UNSUPPORTED,
     "new axes"},
    {{"Unsqueeze axis", 13, "Unsqueeze", "", "2 {2}", 1}, KLDVE_E_FORMAT, "axis 2"},
    {{"Constant string", 13, "Constant", "value_string='a'", "", 1},
     KLDVE_E_UNSUPPORTED,
     "value_string"},
    {{"Constant without", 13, "Constant", "", "", 1}, KLDVE_E_FORMAT, "0 attributes"},
    {{"ConstantOfShape size", 9, "ConstantOfShape", "", "{1048576,1048576,1048576}", 1},
     KLDVE_E_FORMAT,
     "2^40"},
    {{"ConstantOfShape negative", 9, "ConstantOfShape", "", "{-1}", 1}, KLDVE_E_FORMAT, "below 0"},
    {{"ConstantOfShape value", 9, "ConstantOfShape", "value=[2:1,2]", "{1}", 1},
     KLDVE_E_FORMAT,
     "2 elements"},
    {{"Range delta 0", 11, "Range", "", "cis:1 cis:2 cis:0", 1}, KLDVE_E_FORMAT, "delta"},
    {{"Range too long", 11, "Range", "", "cis:0 cis:0x7fffffffffffffff cis:1", 1},
     KLDVE_E_FORMAT,
     "2^40"},
    {{"Range NaN", 11, "Range", "", "cs:0 cs:nan cs:1", 1}, KLDVE_E_FORMAT, "finite"},
    {{"Range at run time", 11, "Range", "", "cs:0 s:1 cs:1", 1}, KLDVE_E_UNSUPPORTED, "constant"},
    {{"Transpose perm", 13, "Transpose", "perm=(0,0)", "2x2", 1}, KLDVE_E_FORMAT, "twice"},
    {{"Transpose perm length", 13, "Transpose", "perm=(0)", "2x2", 1}, KLDVE_E_FORMAT, "perm"},
    {{"Expand", 13, "Expand", "", "2x3 {2,2}", 1}, KLDVE_E_FORMAT, "expand"},
    {{"Expand negative", 13, "Expand", "", "2x3 {2,-1}", 1}, KLDVE_E_FORMAT, "-1"},
    {{"CumSum axis", 14, "CumSum", "", "3:1,2,3 {1}", 1}, KLDVE_E_FORMAT, "out of range"},
    {{"CumSum axes", 14, "CumSum", "", "2x2:1,2,3,4 {0,1}", 1}, KLDVE_E_FORMAT, "2 elements"},
    {{"CumSum changing axis", 14, "CumSum", "", "3:1,2,3 i1:0", 1},
     KLDVE_E_UNSUPPORTED,
     "constant"},
    {{"Trilu rank", 14, "Trilu", "", "3:1,2,3", 1}, KLDVE_E_FORMAT, "rank"},
    {{"Trilu k", 14, "Trilu", "", "2x2 {1,2}", 1}, KLDVE_E_FORMAT, "2 elements"},
    {{"Tile repeats", 13, "Tile", "", "2x3 {2}", 1}, KLDVE_E_FORMAT, "repeats"},
    {{"Tile overflow", 13, "Tile", "", "2x3 {0x7fffffffffffffff,2}", 1}, KLDVE_E_FORMAT, "repeats"},
    {{"Tile too large", 13, "Tile", "", "2x3 {0xffffffffff,2}", 1}, KLDVE_E_FORMAT, "2^40"},
    {{"Tile negative", 13, "Tile", "", "2x3 {-1,2}", 1}, KLDVE_E_FORMAT, "repeats"},
    {{"DepthToSpace channels", 13, "DepthToSpace", "blocksize=2", "1x3x1x1", 1},
     KLDVE_E_FORMAT,
     "blocksize"},
    {{"DepthToSpace blocksize", 13, "DepthToSpace", "", "1x4x1x1", 1},
     KLDVE_E_FORMAT,
     "'blocksize' is 0"},
    {{"SpaceToDepth rank", 13, "SpaceToDepth", "blocksize=2", "2x2", 1}, KLDVE_E_FORMAT, "rank"},
    {{"Slice lengths", 13, "Slice", "", "2x2 {0,0} {1}", 1}, KLDVE_E_FORMAT, "different lengths"},
    {{"Slice axis", 13, "Slice", "", "2x2 {0} {1} {5}", 1}, KLDVE_E_FORMAT, "axes"},
    {{"Slice axis twice", 13, "Slice", "", "2x2 {0,0} {1,1} {0,0}", 1}, KLDVE_E_FORMAT, "twice"},
    {{"Slice step 0", 13, "Slice", "", "2x2 {0} {1} {0} {0}", 1}, KLDVE_E_FORMAT, "step"},
    {{"Slice at run time", 13, "Slice", "", "2x2 i1:0 {1}", 1},
     KLDVE_E_UNSUPPORTED,
     "(starts) must be constant"},
    {{"Split sum", 13, "Split", "", "4 {1,2}", 2}, KLDVE_E_FORMAT, "add up"},
    {{"Split negative", 13, "Split", "", "4 {5,-1}", 2}, KLDVE_E_FORMAT, "add up"},
    {{"Split uneven", 13, "Split", "", "3", 2}, KLDVE_E_FORMAT, "equal parts"},
    {{"Split number", 13, "Split", "", "3 {1,2}", 3}, KLDVE_E_FORMAT, "sizes"},
    {{"Split num_outputs", 18, "Split", "num_outputs=3", "3", 2}, KLDVE_E_FORMAT, "num_outputs"},
    {{"Concat axis", 13, "Concat", "", "2 2", 1}, KLDVE_E_FORMAT, "axis"},
    {{"Concat shape", 13, "Concat", "axis=0", "2x2 2x3", 1}, KLDVE_E_FORMAT, "fit"},
    {{"Concat rank", 13, "Concat", "axis=0", "2x2 2", 1}, KLDVE_E_FORMAT, "rank"},
    {{"Concat type", 13, "Concat", "axis=0", "2 {1}", 1}, KLDVE_E_FORMAT, "type"},
    {{"Gather index", 13, "Gather", "", "2x2 {2}", 1}, KLDVE_E_FORMAT, "index 2"},
    {{"Gather index below", 13, "Gather", "", "2x2 {-3}", 1}, KLDVE_E_FORMAT, "index -3"},
    {{"Gather from nothing", 13, "Gather", "", "0x2 i1:0", 1}, KLDVE_E_FORMAT, "empty"},
    {{"Gather type", 13, "Gather", "", "2 2", 1}, KLDVE_E_FORMAT, "integers"},
    {{"Gather rank", 13, "Gather", "", "1x1x1x1x1:1 i1x1x1x1x1:0", 1}, KLDVE_E_UNSUPPORTED, "rank"},
    {{"GatherElements rank", 13, "GatherElements", "", "2x2 i1:0", 1}, KLDVE_E_FORMAT, "rank"},
    {{"GatherElements longer", 13, "GatherElements", "axis=0", "2x1 i1x2:0,0", 1},
     KLDVE_E_FORMAT,
     "longer"},
    {{"GatherND tuple", 13, "GatherND", "", "2 i1x2:0,0", 1}, KLDVE_E_FORMAT, "tuples"},
    {{"GatherND batch", 13, "GatherND", "batch_dims=1", "2x2 i3x1:0,0,0", 1},
     KLDVE_E_FORMAT,
     "batch axis"},
    {{"ScatterND tuple", 13, "ScatterND", "", "2 i1x2:0,0 1", 1}, KLDVE_E_FORMAT, "tuples"},
    {{"ScatterND index", 13, "ScatterND", "", "2x2 {2} 2", 1}, KLDVE_E_FORMAT, "index 2"},
    {{"ScatterND updates", 13, "ScatterND", "", "2x2 i1x1:0 2", 1}, KLDVE_E_FORMAT, "updates"},
    {{"ScatterND type", 13, "ScatterND", "", "2 i1x1:0 i1:0", 1}, KLDVE_E_FORMAT, "types"},
    {{"ScatterND add bool", 16, "ScatterND", "reduction='add'", "b2:0,0 i1x1:0 b1:1", 1},
     KLDVE_E_UNSUPPORTED,
     "booleans"},
    {{"ScatterElements fit", 13, "ScatterElements", "", "2x2 i1x1:0 1x2", 1},
     KLDVE_E_FORMAT,
     "fit each other"},
    {{"ScatterElements longer", 13, "ScatterElements", "", "2x1 i1x2:0,0 1x2", 1},
     KLDVE_E_FORMAT,
     "longer"},
    {{"ScatterElements index", 13, "ScatterElements", "", "2 {2} 1", 1}, KLDVE_E_FORMAT, "index 2"},
    {{"TopK k", 11, "TopK", "", "2 {3}", 2}, KLDVE_E_FORMAT, "k is 3"},
    {{"TopK no k", 1, "TopK", "", "2", 2}, KLDVE_E_FORMAT, "k is -1"},
    {{"TopK two k", 11, "TopK", "", "2 {1,1}", 2}, KLDVE_E_FORMAT, "2 elements"},
    {{"TopK k at run time", 11, "TopK", "", "2 i1:1", 2}, KLDVE_E_UNSUPPORTED, "constant"},
    {{"TopK of bool", 11, "TopK", "", "b2:0,1 {1}", 2}, KLDVE_E_UNSUPPORTED, "element type"},
    {{"Einsum rank", 12, "Einsum", "equation='ij...k'", "2x2", 1}, KLDVE_E_FORMAT, "does not fit"},
    {{"Einsum few letters", 12, "Einsum", "equation='i'", "2x2", 1}, KLDVE_E_FORMAT, "1 axes"},
    {{"Einsum length", 12, "Einsum", "equation='i,i'", "2 3", 1}, KLDVE_E_FORMAT, "length 3"},
    {{"Einsum few terms", 12, "Einsum", "equation='i'", "2 2", 1}, KLDVE_E_FORMAT, "fewer terms"},
    {{"Einsum many terms", 12, "Einsum", "equation='i,i'", "2", 1}, KLDVE_E_FORMAT, "more terms"},
    {{"Einsum sign", 12, "Einsum", "equation='i+j'", "2", 1}, KLDVE_E_FORMAT, "'+'"},
    {{"Einsum arrow", 12, "Einsum", "equation='i-i'", "2", 1}, KLDVE_E_FORMAT, "without '>'"},
    {{"Einsum two arrows", 12, "Einsum", "equation='i->i->i'", "2", 1}, KLDVE_E_FORMAT, "goes on"},
    {{"Einsum unknown letter", 12, "Einsum", "equation='i->j'", "2", 1}, KLDVE_E_FORMAT, "once"},
    {{"Einsum twice", 12, "Einsum", "equation='i->ii'", "2", 1}, KLDVE_E_FORMAT, "once"},
    {{"Einsum loses dots", 12, "Einsum", "equation='...i->i'", "2x2", 1}, KLDVE_E_FORMAT, "'...'"},
    {{"Einsum of three, a long product", 12, "Einsum", "equation='abcdx,efghx,abcdefgh->x'",
      "1x1x1x1x2 1x1x1x1x2 1x1x1x1x1x1x1x1", 1},
     KLDVE_E_UNSUPPORTED,
     "rank"},
    {{"Einsum result", 12, "Einsum", "equation='abcde,fghij'", "1x1x1x1x1 1x1x1x1x1", 1},
     KLDVE_E_UNSUPPORTED,
     "rank"},
    {{"Einsum of integers", 12, "Einsum", "equation='i'", "i2:1,2", 1}, KLDVE_E_UNSUPPORTED, ""},
    {{"Cast to string", 13, "Cast", "to=8", "2", 1}, KLDVE_E_UNSUPPORTED, "element type 8"},
    {{"Cast without", 13, "Cast", "", "2", 1}, KLDVE_E_UNSUPPORTED, "element type 0"},
};

static void check_refusal(void **state)
{
    const struct refusal_case *r = *state;
    op_model *m = op_model_new(&r->c);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_graph *g = NULL;
    kldve_status st = op_model_graph(m, ctx, &g);

    if (st != r->status || !strstr(kldve_ctx_message(ctx), r->message) ||
        !strstr(kldve_ctx_message(ctx), "node 'it'"))
        fail_msg("status %d, message \"%s\", expected \"%s\"", (int)st, kldve_ctx_message(ctx),
                 r->message);
    assert_null(g);
    op_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* ---- hostile numbers ------------------------------------------------------------------------- */

/* A copy of `text` with its k-th integer replaced, if it stands in a list or is an attribute:
 * shapes of inputs stay.  False if there is no k-th one. */
static bool replace_number(const char *text, int k, const char *with, char *out, size_t size)
{
    bool list = false;

    for (const char *s = text; *s; s++) {
        char *end;

        list = *s == '{' || *s == '(' || *s == '=' || (list && !strchr(" })", *s));
        if (!list || !strchr("{(=,", *s))
            continue;
        strtoll(s + 1, &end, 0);
        if (end == s + 1 || *end == '.' || *end == 'f' || *end == 'x' || *end == ':' || k-- > 0)
            continue;
        snprintf(out, size, "%.*s%s%s", (int)(s + 1 - text), text, with, end);
        return true;
    }
    return false;
}

/* Whatever a file says, building its graph gives a graph that runs, or an error. */
static void build_and_run(const op_case *c)
{
    op_model *m = op_model_new(c);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_graph *g = NULL;
    size_t elements = 0;

    if (op_model_graph(m, ctx, &g) == KLDVE_OK) {
        for (int32_t i = 0; i < g->nvalue; i++)
            elements += g->value[i]->count;
        if (elements < 1000000) {
            plain *p = plain_new(g);

            op_model_fill(m, p);
            plain_forward(p);
            plain_free(p);
        }
    } else {
        assert_string_not_equal(kldve_ctx_message(ctx), "");
    }
    kx_graph_free(g);
    op_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void mutate(const op_case *c)
{
    static const char *const numbers[] = {"-9223372036854775808",
                                          "-9",
                                          "-2",
                                          "-1",
                                          "0",
                                          "1",
                                          "2",
                                          "7",
                                          "2147483647",
                                          "2147483648",
                                          "1099511627776",
                                          "9223372036854775807"};
    char text[400];

    for (size_t i = 0; i < COUNT(numbers); i++) {
        for (int k = 0; replace_number(c->attributes, k, numbers[i], text, sizeof text); k++) {
            op_case other = *c;

            other.attributes = text;
            build_and_run(&other);
        }
        for (int k = 0; replace_number(c->inputs, k, numbers[i], text, sizeof text); k++) {
            op_case other = *c;

            other.inputs = text;
            build_and_run(&other);
        }
    }
}

static void test_hostile_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++)
        mutate(&values[i].c);
    for (size_t i = 0; i < COUNT(derivatives); i++)
        mutate(&derivatives[i]);
    for (size_t i = 0; i < COUNT(newer_values); i++)
        mutate(&newer_values[i].c);
    for (size_t i = 0; i < COUNT(newer_derivatives); i++)
        mutate(&newer_derivatives[i]);
    for (size_t i = 0; i < COUNT(contrib_values); i++)
        mutate(&contrib_values[i].c);
    for (size_t i = 0; i < COUNT(contrib_derivatives); i++)
        mutate(&contrib_derivatives[i]);
}

/* A node's shape arithmetic folds although its input is not constant. */
static void test_shape_folds(void **state)
{
    static const op_case c = {"Shape", 13, "Shape", "", "2x3", 1};
    op_model *m = op_model_new(&c);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_graph *g = NULL;

    (void)state;
    assert_int_equal(op_model_graph(m, ctx, &g), KLDVE_OK);
    assert_int_equal(g->nnode, 0);
    assert_non_null(g->output[0]->raw);
    kx_graph_free(g);
    op_model_free(m);
    kldve_ctx_free(ctx);
}

/* ---- main ------------------------------------------------------------------------------------ */

static struct CMUnitTest tests[COUNT(unary_cases) + COUNT(values) + COUNT(derivatives) +
                               COUNT(refusals) + COUNT(newer_values) + COUNT(newer_derivatives) +
                               COUNT(newer_refusals) + COUNT(contrib_values) +
                               COUNT(contrib_derivatives) + COUNT(contrib_refusals) + 4];
static char names[COUNT(tests)][80];
static size_t ntests;

static void add(const char *group, const char *name, CMUnitTestFunction f, const void *state)
{
    assert(ntests < COUNT(tests));
    snprintf(names[ntests], sizeof names[0], "%s: %s", group, name);
    tests[ntests].name = names[ntests];
    tests[ntests].test_func = f;
    tests[ntests++].initial_state = (void *)(uintptr_t)state;
}

int main(void)
{
    for (size_t i = 0; i < COUNT(unary_cases); i++)
        add("torch", unary_cases[i].type, check_unary, &unary_cases[i]);
    for (size_t i = 0; i < COUNT(values); i++)
        add("value", values[i].c.name, check_value, &values[i]);
    for (size_t i = 0; i < COUNT(derivatives); i++)
        add("vjp", derivatives[i].name, check_derivative, &derivatives[i]);
    for (size_t i = 0; i < COUNT(refusals); i++)
        add("refused", refusals[i].c.name, check_refusal, &refusals[i]);
    for (size_t i = 0; i < COUNT(newer_values); i++)
        add("value", newer_values[i].c.name, check_value, &newer_values[i]);
    for (size_t i = 0; i < COUNT(newer_derivatives); i++)
        add("vjp", newer_derivatives[i].name, check_derivative, &newer_derivatives[i]);
    for (size_t i = 0; i < COUNT(newer_refusals); i++)
        add("refused", newer_refusals[i].c.name, check_refusal, &newer_refusals[i]);
    for (size_t i = 0; i < COUNT(contrib_values); i++)
        add("value", contrib_values[i].c.name, check_value, &contrib_values[i]);
    for (size_t i = 0; i < COUNT(contrib_derivatives); i++)
        add("vjp", contrib_derivatives[i].name, check_derivative, &contrib_derivatives[i]);
    for (size_t i = 0; i < COUNT(contrib_refusals); i++)
        add("refused", contrib_refusals[i].c.name, check_refusal, &contrib_refusals[i]);
    add("graph", "hostile numbers", test_hostile_numbers, NULL);
    add("graph", "Shape folds", test_shape_folds, NULL);
    add("graph", "every VJP is tested", test_every_vjp, NULL);
    add("graph", "every operator says whether it adds a bias", test_every_bias, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
