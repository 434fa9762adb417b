/* bad.c - see bad.h.  How a text is read: text.h. */
#include "bad.h"

#include <stdio.h>
#include <string.h>

#include "onnx_writer.h"
#include "text.h"

#define FORMAT KLDVE_E_FORMAT
#define REFUSED KLDVE_E_UNSUPPORTED
#define LIMIT KLDVE_E_LIMIT

/* A network around the node that makes c from x. */
#define IN "in x 1,3,8,8; w w 4,3,3,3; "
#define OUT "; n GlobalAveragePool c g; n Flatten g y; out y"
#define CONV(attributes) IN "n Conv x,w c " attributes OUT
/* The same with another node after the convolution, which produces d. */
#define BEHIND(node) IN "n Conv x,w c; " node "; n GlobalAveragePool d g; n Flatten g y; out y"

/* t: a constant that is true. */
#define YES "i a 1; i b 2; n Less a,b t; "

/* The same with a quantiser and its inverse; `scales` are the inputs of both behind the first. */
#define Q_AXIS(tensors, scales, axis)                                                              \
    BEHIND(tensors "; n QuantizeLinear c," scales " q " axis "; n DequantizeLinear q," scales      \
                   " d " axis)
#define Q(tensors, scales) Q_AXIS(tensors, scales, "")
#define QCONV(scale)                                                                               \
    "t s f32 - 0.5; t z u8 - 3; t o s8 - 0; t r f32 - " scale "; t k s8 4,4,1,1 1,-2,3;"           \
    "n QuantizeLinear c,s,z q; n QLinearConv q,s,z,k,r,o,s,z e; n DequantizeLinear e,s,z d"

/* ---- too much of something ------------------------------------------------------------------- */

static void begin(writer *w)
{
    const int64_t dim[] = {1, 3, 8, 8};

    onnx_header(w, 8, 13);
    write_begin(w, MODEL_GRAPH);
    onnx_value(w, GRAPH_INPUT, "x", 4, dim);
}

static void end(writer *w, const char *output)
{
    write_begin(w, GRAPH_OUTPUT);
    write_string(w, 1, output);
    write_end(w);
    write_end(w);
}

static void node(writer *w, const char *op, const char *inputs, const char *output)
{
    onnx_node(w, op, inputs, output);
    onnx_node_end(w);
}

/* A chain of 100 000 nodes, last first, so that sorting follows the whole chain. */
static void deep_chain(writer *w, const void *bad)
{
    enum { N = 100000 };

    (void)bad;
    begin(w);
    for (int i = N; i > 0; i--) {
        char from[16], to[16];

        snprintf(from, sizeof from, i == 1 ? "x" : "r%d", i - 1);
        snprintf(to, sizeof to, "r%d", i);
        node(w, i == N ? "Frobnicate" : "Relu", from, to);
    }
    end(w, "r100000");
}

static void deep_cycle(writer *w, const void *bad)
{
    enum { N = 50000 };

    (void)bad;
    begin(w);
    for (int i = 0; i < N; i++) {
        char from[16], to[16];

        snprintf(from, sizeof from, "r%d", (i + N - 1) % N);
        snprintf(to, sizeof to, "r%d", i);
        node(w, "Relu", from, to);
    }
    end(w, "r7");
}

static void many_nodes(writer *w, const void *bad)
{
    (void)bad;
    begin(w);
    for (int i = 0; i <= 1000000; i++)
        write_bytes(w, GRAPH_NODE, NULL, 0);
    end(w, "x");
}

static void many_inputs(writer *w, const void *bad)
{
    (void)bad;
    begin(w);
    write_begin(w, GRAPH_NODE);
    for (int i = 0; i < 200000; i++)
        write_string(w, NODE_INPUT, "x");
    write_string(w, NODE_OUTPUT, "y");
    write_string(w, NODE_OP, "Concat");
    onnx_int(w, "axis", 1);
    write_end(w);
    end(w, "y");
}

/* 5 bytes here, a hundred in memory. */
static void many_attributes(writer *w, const void *bad)
{
    (void)bad;
    begin(w);
    for (int i = 0; i < 3; i++) {
        write_begin(w, GRAPH_NODE);
        write_string(w, NODE_OP, "Relu");
        for (int k = 0; k < 4000000; k++)
            write_bytes(w, NODE_ATTRIBUTE,
                        "\x0a\x01"
                        "a",
                        3);
        write_end(w);
    }
    end(w, "x");
}

static void long_name(writer *w, const void *bad)
{
    char name[5000];

    (void)bad;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    begin(w);
    node(w, "Relu", "x", name);
    end(w, name);
}

static void zero_in_name(writer *w, const void *bad)
{
    (void)bad;
    begin(w);
    write_begin(w, GRAPH_NODE);
    write_string(w, NODE_INPUT, "x");
    write_bytes(w, NODE_OUTPUT, "y\0z", 3);
    write_string(w, NODE_OP, "Relu");
    write_end(w);
    end(w, "y");
}

/* Nested graphs: the reader follows them, so their depth is limited. */
/* Put a field's tag and length, in two bytes, before the bytes at *at, which end at `end`. */
static void wrap(unsigned char **at, const unsigned char *end, int field)
{
    size_t n = (size_t)(end - *at);

    *--*at = (unsigned char)(n >> 7);
    *--*at = (unsigned char)((n & 0x7f) | 0x80);
    *--*at = (unsigned char)(field << 3 | 2);
}

static void put_string(unsigned char **at, int field, char c)
{
    *--*at = (unsigned char)c;
    *--*at = 1;
    *--*at = (unsigned char)(field << 3 | 2);
}

static void deep_message(writer *w, const void *bad)
{
    unsigned char bytes[8192], *last = bytes + sizeof bytes, *at = last;

    (void)bad;
    for (int depth = 0; depth < 500; depth++) { /* graph { node { attribute { graph { ... */
        if (depth > 0) {
            put_string(&at, ATTR_NAME, 'b');
            wrap(&at, last, NODE_ATTRIBUTE);
            put_string(&at, NODE_OP, 'I');
            wrap(&at, last, GRAPH_NODE);
        }
        wrap(&at, last, 6);
    }
    begin(w);
    write_begin(w, GRAPH_NODE);
    write_string(w, NODE_INPUT, "x");
    write_string(w, NODE_OUTPUT, "y");
    write_string(w, NODE_OP, "If");
    write_begin(w, NODE_ATTRIBUTE);
    write_string(w, ATTR_NAME, "then_branch");
    write_plain(w, at, (size_t)(last - at));
    write_end(w);
    write_end(w);
    end(w, "y");
}

/* Constants that become large when folded: each within bounds, all of them not. */
static void many_expands(writer *w, const void *bad)
{
    const int64_t shape[] = {1, 4, 1000, 1000}, one = 1;
    const float value = 1;

    (void)bad;
    begin(w);
    onnx_int64s(w, "shape", 4, shape);
    onnx_floats(w, "one", 1, &one, &value);
    for (int i = 0; i < 200; i++) {
        char name[32], sum[32], both[64];

        snprintf(name, sizeof name, "e%d", i);
        node(w, "Expand", "one,shape", name);
        snprintf(both, sizeof both, i == 0 ? "one,e%d" : "s%d,e%d", i == 0 ? i : i - 1, i);
        snprintf(sum, sizeof sum, "s%d", i);
        node(w, "Add", both, sum);
    }
    node(w, "GlobalAveragePool", "s199", "g");
    node(w, "Flatten", "g", "f");
    node(w, "Relu", "x", "r");
    node(w, "GlobalAveragePool", "r", "p");
    node(w, "Flatten", "p", "q");
    onnx_node(w, "Concat", "f,q", "y");
    onnx_int(w, "axis", 1);
    onnx_node_end(w);
    end(w, "y");
}

/* clang-format off */
const bad_model bad_models[] = {
    /* good ones, so that the rest is wrong for the reason that it names */
    {"good", CONV("pads=[1,1,1,1]"), KLDVE_OK, "", NULL},
    {"good, with a node behind", BEHIND("n Relu c d"), KLDVE_OK, "", NULL},
    {"good, with dead nodes that are wrong", IN "n Conv x,w c; n Frobnicate c u" OUT, KLDVE_OK, "", NULL},
    {"good, everything in reverse", "out y; n Flatten g y; n GlobalAveragePool c g; n Conv x,w c; w w 4,3,3,3; in x 1,3,8,8", KLDVE_OK, "", NULL},

    /* the model */
    {"no IR version", "ir 0; " CONV(""), FORMAT, "has no IR version", NULL},
    {"IR version 2", "ir 2; " CONV(""), REFUSED, "IR version 2 is not supported, only 3 to 14 are", NULL},
    {"IR version 99", "ir 99; " CONV(""), REFUSED, "IR version 99 is not supported, only 3 to 14 are", NULL},
    {"no opset", "opset 0; " CONV(""), FORMAT, "does not say which opset", NULL},
    {"two opsets", "opset 11; opset 13; " CONV(""), FORMAT, "both opset 11 and opset 13", NULL},
    {"absurd opset", "opset 4294967309; " CONV(""), FORMAT, "opset 4294967309 does not exist", NULL},
    {"no graph", NULL, FORMAT, "has no graph", NULL},
    {"nothing in the graph", "", REFUSED, "the network has no input", NULL},
    {"no input", "w x 1,3,8,8; w w 4,3,3,3; n Conv x,w c" OUT, REFUSED, "the network has no input", NULL},
    {"no output", IN "n Conv x,w c", FORMAT, "the network has no output", NULL},
    {"no nodes", "in x 1,3,8,8; out x", REFUSED, "not a vector of class scores", NULL},
    {"two inputs", "in z 1,3,8,8; n Add x,z s; w w 4,3,3,3; in x 1,3,8,8; n Conv s,w c" OUT, REFUSED, "several inputs can be the picture: 'z' float32 [1][3][8][8], 'x'", NULL},
    {"sparse tensor", "sparse; " CONV(""), REFUSED, "sparse tensors are not supported", NULL},

    /* the graph */
    {"cycle", IN "n Conv x,w a; n Add a,c b; n Relu b c" OUT, FORMAT, "the graph has a cycle", NULL},
    {"cycle of one", IN "n Conv x,w a; n Add a,c c" OUT, FORMAT, "the graph has a cycle", NULL},
    {"cycle of 50 000", NULL, FORMAT, "the graph has a cycle", deep_cycle},
    {"missing tensor", "in x 1,3,8,8; n Conv x,w c" OUT, FORMAT, "no node, input or tensor provides its input 'w'", NULL},
    {"missing output", IN "n Conv x,w c; out z", FORMAT, "no node produces the output 'z'", NULL},
    {"two tensors of a name", "w w 4,3,3,3; " CONV(""), FORMAT, "two tensors are named 'w'", NULL},
    {"two nodes make one output", IN "n Conv x,w c; n Relu x c" OUT, FORMAT, "two nodes have an output named 'c'", NULL},
    {"output named as the input", IN "n Conv x,w x; n GlobalAveragePool x g; n Flatten g y; out y", FORMAT, "cycle through node 'x' (Conv)", NULL},
    {"output named as a tensor", IN "n Conv x,w w; n GlobalAveragePool w g; n Flatten g y; out y", FORMAT, "cycle through node 'w' (Conv)", NULL},
    {"unknown operator", BEHIND("n Frobnicate c d"), REFUSED, "node 'd' (Frobnicate): the operator Frobnicate of opset 13 is not supported", NULL},
    {"sequence read as an array", BEHIND("n SequenceConstruct c,c s; n Relu s d"), REFUSED, "node 'd' (Relu): input 0 is a sequence", NULL},
    {"array read as a sequence", BEHIND("i p 0; n SequenceAt c,p d"), FORMAT, "input 0 is no sequence", NULL},
    {"position outside a sequence", BEHIND("n SequenceConstruct c s; i p 1; n SequenceAt s,p d"), FORMAT, "no array at position 1", NULL},
    {"insertion outside a sequence", BEHIND("n SequenceEmpty - s; i p 1; n SequenceInsert s,c,p t; i q 0; n SequenceAt t,q d"), FORMAT, "no position 1 in a sequence of 0", NULL},
    {"empty sequence joined", BEHIND("n SequenceEmpty - s; n ConcatFromSequence s d axis=0"), REFUSED, "the sequence is empty", NULL},
    {"parts that do not add up", BEHIND("i k 1,1; n SplitToSequence c,k s axis=1; i q 0; n SequenceAt s,q d"), FORMAT, "the parts add up to 2", NULL},
    {"operator with random results", BEHIND("n RandomNormalLike c d"), REFUSED, "its results are random", NULL},
    {"operator for training", BEHIND("n ai.onnx.preview.training:Adam c d"), REFUSED, "it is for training", NULL},
    {"operator on text", BEHIND("n StringNormalizer c d"), REFUSED, "it works on text", NULL},
    {"operator of the ONNX Runtime that decodes", BEHIND("n com.microsoft:BeamSearch c d"), REFUSED, "one token after the other", NULL},
    {"decision trees", BEHIND("n ai.onnx.ml:TreeEnsembleRegressor c d"), REFUSED, "trees have no derivative; if 'c', which it reads, holds the scores, choose it (--logits)", NULL},
    {"unknown domain", BEHIND("n com.example:Relu c d"), REFUSED, "the operator com.example.Relu of opset 13 is not supported", NULL},
    {"node without an operator", BEHIND("n : c d"), FORMAT, "has no operator", NULL},
    {"If without outputs", BEHIND(YES "n If t d then_branch={} else_branch={}"), FORMAT, "the branch has 0 outputs, the node 1", NULL},
    {"If without a branch", BEHIND(YES "n If t d then_branch={Relu:c:r}"), FORMAT, "attribute 'else_branch' is missing", NULL},
    {"If on what is no bool", BEHIND("n If c d then_branch={Relu:c:r} else_branch={Neg:c:s}"), FORMAT, "the condition (input 0) must be one bool", NULL},
    {"If that looks at several numbers", BEHIND("n Less c,c t; n If t d then_branch={Relu:c:r} else_branch={Neg:c:s}"), FORMAT, "the condition (input 0) must be one bool", NULL},
    {"If that looks at the data, with results of two shapes", BEHIND("n ReduceMax c m keepdims=0; n Less m,m t; n If t d then_branch={Relu:c:r} else_branch={ReduceMax:c:s}"), REFUSED, "the branches give output 0 another type or shape", NULL},
    {"If of an unknown operator", BEHIND(YES "n If t d then_branch={Frobnicate:c:r} else_branch={Neg:c:s}"), REFUSED, "node 'r' (Frobnicate): the operator Frobnicate", NULL},
    {"If that reads what it makes", BEHIND(YES "n If t d then_branch={Relu:e:r} else_branch={Neg:c:s}; n Relu d e"), FORMAT, "the graph has a cycle", NULL},
    {"If that reads nothing", BEHIND(YES "n If t d then_branch={Relu:q:r} else_branch={Neg:c:s}"), FORMAT, "no node, input or tensor provides its input 'q'", NULL},
    {"Loop without a body", BEHIND("n Loop _,_,c d"), FORMAT, "attribute 'body' is missing", NULL},
    {"Loop with a body of no inputs", BEHIND("i n 3; n Loop n,_,c d body={Relu:c:r}"), FORMAT, "its body has 0 inputs and 1 outputs, which do not fit", NULL},
    {"Loop of a round too many", BEHIND("i n 4097; n Loop n,_,c d body={Relu:c:r}"), REFUSED, "4097 rounds, at most 4096", NULL},
    {"Loop of a million rounds", BEHIND("i n 1000000; n Loop n,_,c d body={Relu:c:r}"), REFUSED, "1000000 rounds, at most 4096", NULL},
    {"Scan with too few inputs", BEHIND("n Scan c d num_scan_inputs=2 body={Relu:c:r}"), FORMAT, "attribute 'num_scan_inputs' is 2 for 1 inputs", NULL},
    {"optimised for one processor", BEHIND("n com.microsoft.nchwc:Conv c,w d"), REFUSED, "the file was optimised for one processor", NULL},
    {"FusedConv with an unknown activation", IN "n com.microsoft:FusedConv x,w c activation='Frob'" OUT, REFUSED, "activation 'Frob' is not supported", NULL},
    {"LSTM of rank 4", BEHIND("n LSTM c,w,w d"), FORMAT, "X and R must be float arrays of rank 3", NULL},
    {"LSTM with a past that does not fit", "in x 1,3,8,8; i s 8,3,8; n Reshape x,s r; w w 1,16,8; w r2 1,16,4; w h 1,2,4; n LSTM r,w,r2,_,_,h c; n ReduceMean c y axes=[0,1]; out y", FORMAT, "input 5 (initial_h) does not have the shape", NULL},
    {"GRU of a hidden size that does not fit", "in x 1,3,8,8; i s 8,3,8; n Reshape x,s r; w w 1,12,8; w r2 1,12,4; n GRU r,w,r2 c hidden_size=5; n ReduceMean c y axes=[0,1]; out y", FORMAT, "'hidden_size' is 5, but R is for 4", NULL},
    {"RNN with an unknown direction", "in x 1,3,8,8; i s 8,3,8; n Reshape x,s r; w w 1,4,8; w r2 1,4,4; n RNN r,w,r2 c direction='up'; n ReduceMean c y axes=[0,1]; out y", FORMAT, "'direction' is 'up'", NULL},
    {"LSTM of too many lengths", "in x 1,3,8,8; i s 8,3,8; i l 8,8; n Reshape x,s r; w w 1,16,8; w r2 1,16,4; n LSTM r,w,r2,_,l c; n ReduceMean c y axes=[0,1]; out y", FORMAT, "(sequence_lens) has 2 values for 3 sequences", NULL},
    {"quantised LSTM without a scale", "in x 1,3,8,8; i s 8,3,8; n Reshape x,s r; t w s8 1,8,16 1; t r2 s8 1,4,16 1; t z s8 1 0; n com.microsoft:DynamicQuantizeLSTM r,w,r2,_,_,_,_,_,_,z,_,z c; n ReduceMean c y axes=[0,1]; out y", FORMAT, "required input 8 is missing", NULL},
    {"quantised LSTM with a scale of 0", "in x 1,3,8,8; i s 8,3,8; n Reshape x,s r; t w s8 1,8,16 1; t r2 s8 1,4,16 1; t z s8 1 0; t q f32 1 0; n com.microsoft:DynamicQuantizeLSTM r,w,r2,_,_,_,_,_,q,z,q,z c; n ReduceMean c y axes=[0,1]; out y", FORMAT, "scale 0 is 0, it must be a number above 0", NULL},
    {"quantised LSTM with scales for other weights", "in x 1,3,8,8; i s 8,3,8; n Reshape x,s r; t w s8 1,8,16 1; t r2 s8 1,4,16 1; t z s8 2 0; t q f32 2 1; n com.microsoft:DynamicQuantizeLSTM r,w,r2,_,_,_,_,_,q,z,q,z c; n ReduceMean c y axes=[0,1]; out y", FORMAT, "input 8 does not fit the weights", NULL},
    {"quantised LSTM with float weights", "in x 1,3,8,8; i s 8,3,8; n Reshape x,s r; w w 1,8,16; w r2 1,4,16; t z s8 1 0; t q f32 1 1; n com.microsoft:DynamicQuantizeLSTM r,w,r2,_,_,_,_,_,q,z,q,z c; n ReduceMean c y axes=[0,1]; out y", FORMAT, "input 1 must be integers of rank 3", NULL},
    {"Attention without heads", "in x 1,3,8,8; i s 3,8,8; n Reshape x,s r; w w 8,24; n com.microsoft:Attention r,w c; n ReduceMean c y axes=[0,1]; out y", FORMAT, "'num_heads' is 0", NULL},
    {"branch in a function", "fn f x y; n If t y then_branch={Relu:x:r} else_branch={Neg:x:s}; end; " BEHIND(YES "n f:f c d"), REFUSED, "holds a branch or a loop", NULL},
    {"unknown attribute", BEHIND("n Relu c d fast=1"), REFUSED, "attribute 'fast' is not supported", NULL},
    {"graph as an attribute", BEHIND("n Relu c d body={}"), REFUSED, "attribute 'body' is not supported", NULL},
    {"attribute of the wrong type", CONV("group=1.5"), REFUSED, "attribute 'group' is not supported (or has the wrong type)", NULL},
    {"attribute that refers", BEHIND("n Flatten c d axis=@axis"), FORMAT, "refers to an attribute of a function", NULL},
    /* quantised */
    {"good, quantised", Q("t s f32 - 0.5; t z u8 - 3", "s,z"), KLDVE_OK, "", NULL},
    {"good, quantised by channel", Q("t s f32 4 0.5,0.25; t z s8 4 3,-3", "s,z"), KLDVE_OK, "", NULL},
    {"scale 0", Q("t s f32 - 0; t z u8 - 3", "s,z"), FORMAT, "node 'q' (QuantizeLinear): scale 0 is 0, it must be a number above 0", NULL},
    {"scale of a channel NaN", Q("t s f32 4 1,nan", "s"), FORMAT, "scale 1 is nan, it must be a number above 0", NULL},
    {"negative scale", Q("t s f32 - -0.5", "s"), FORMAT, "scale 0 is -0.5, it must be a number above 0", NULL},
    {"infinite scale", Q("t s f32 - inf", "s"), FORMAT, "scale 0 is inf, it must be a number above 0", NULL},
    {"scale of integers", Q("t s s32 - 1", "s"), FORMAT, "input 1 (scale) must be float", NULL},
    {"zero points for another number of channels", Q("t s f32 4 0.5; t z u8 3 3", "s,z"), FORMAT, "3 zero points for 4 scales", NULL},
    {"scales for another number of channels", Q("t s f32 3 0.5", "s"), FORMAT, "3 scales for the 4 elements of axis 1", NULL},
    {"axis of the scales", Q_AXIS("t s f32 4 0.5", "s", "axis=4"), FORMAT, "axis 4 is out of range for rank 4", NULL},
    {"zero point of a type that is not quantised", Q("t s f32 - 0.5; t z f32 - 3", "s,z"), REFUSED, "results of element type 1 are not supported", NULL},
    {"zero point of another type", BEHIND("t s f32 - 0.5; t z s8 - 3; n QuantizeLinear c,s q; n DequantizeLinear q,s,z d"), FORMAT, "node 'd' (DequantizeLinear): the zero point is of element type 3, the integers of type 2", NULL},
    {"what is dequantised is float", BEHIND("t s f32 - 0.5; n DequantizeLinear c,s d"), REFUSED, "node 'd' (DequantizeLinear): the input has element type 1, only int8", NULL},
    {"QLinearConv with a scale of 0", BEHIND(QCONV("0")), FORMAT, "scale 0 is 0, it must be a number above 0", NULL},
    {"good, QLinearConv", BEHIND(QCONV("0.1")), KLDVE_OK, "", NULL},
    {"QLinearConv without a scale", BEHIND("t s f32 - 0.5; t z u8 - 3; t k s8 4,4,1,1 1; n QuantizeLinear c,s,z q; n QLinearConv q,s,z,k,_,z,s,z e; n DequantizeLinear e,s,z d"), FORMAT, "required input 4 is missing", NULL},
    {"QLinearAdd without a second operand", BEHIND("t s f32 - 0.5; t z u8 - 3; n QuantizeLinear c,s,z q; n com.microsoft:QLinearAdd q,s,z,_,s,z,s,z e; n DequantizeLinear e,s,z d"), FORMAT, "required input 3 is missing", NULL},
    {"QLinearConcat with half an operand", BEHIND("t s f32 - 0.5; t z u8 - 3; n QuantizeLinear c,s,z q; n com.microsoft:QLinearConcat s,z,q e axis=1; n DequantizeLinear e,s,z d"), FORMAT, "3 inputs, expected 2 and 3 for each operand", NULL},
    {"ConvInteger of floats", BEHIND("t k s8 4,4,1,1 1; n ConvInteger c,k d"), REFUSED, "the input has element type 1, only int8", NULL},

    {"control characters", BEHIND("n Frob\x1b[31m c d"), REFUSED, "Frob [31m", NULL},

    /* inputs */
    {"input of rank 9", "in x 1,3,8,8,1,1,1,1,1; w w 4,3,3,3; n Conv x,w c" OUT, REFUSED, "more than 8 dimensions", NULL},
    {"input of rank 1", "in x 3; n Relu x c" OUT, FORMAT, "", NULL},
    {"negative input", "in x 1,3,-8,8; w w 4,3,3,3; n Conv x,w c" OUT, FORMAT, "dimension 2 is -8", NULL},
    {"huge input", "in x 1,3,1099511627776,8; w w 4,3,3,3; n Conv x,w c" OUT, FORMAT, "too large", NULL},
    {"overflowing input", "in x 1,3,9223372036854775807,9223372036854775807; w w 4,3,3,3; n Conv x,w c" OUT, FORMAT, "too large", NULL},
    {"input of 10 GiB", "in x 1,3,30000,30000; w w 4,3,3,3; n Conv x,w c" OUT, LIMIT, "", NULL},
    {"input without a shape", "in x ?; w w 4,3,3,3; n Conv x,w c" OUT, REFUSED, "input 'x' has no shape", NULL},
    {"input of sequence type", "sequence x; w w 4,3,3,3; n Conv x,w c" OUT, REFUSED, "no input can be the picture, which is floating-point numbers", NULL},
    {"symbolic channels", "in x 1,N,8,8; w w 4,5,3,3; n Conv x,w c" OUT, FORMAT, "the weights are for 1 groups of 5 channels, the input has 3", NULL},

    /* tensors */
    {"weights too short", "in x 1,3,8,8; w w 4,3,3,3 400; n Conv x,w c" OUT, FORMAT, "tensor 'w': raw_data has 400 bytes, 432 expected", NULL},
    {"weights too long", "in x 1,3,8,8; w w 4,3,3,3 436; n Conv x,w c" OUT, FORMAT, "tensor 'w': raw_data has 436 bytes, 432 expected", NULL},
    {"weights not in whole numbers", "in x 1,3,8,8; w w 4,3,3,3 431; n Conv x,w c" OUT, FORMAT, "tensor 'w': raw_data has 431 bytes", NULL},
    {"negative dimension", "in x 1,3,8,8; w w 4,-3,3,3 432; n Conv x,w c" OUT, FORMAT, "tensor 'w': dimension 1 is -3", NULL},
    {"overflowing dimensions", "in x 1,3,8,8; w w 4294967296,4294967296,3,3 16; n Conv x,w c" OUT, FORMAT, "tensor 'w': its dimensions need more than 2^40 bytes", NULL},
    {"dimensions that wrap to the right size", "in x 1,3,8,8; w w 4611686018427387905,4,1 16; n Conv x,w c" OUT, FORMAT, "tensor 'w': its dimensions need more than 2^40 bytes", NULL},
    {"huge dimensions without data", "in x 1,3,8,8; w w 100000,100000,3,3 0; n Conv x,w c" OUT, FORMAT, "tensor 'w': raw_data has 0 bytes, 360000000000 expected", NULL},
    {"rank 9", "in x 1,3,8,8; w w 4,3,3,3,1,1,1,1,1; n Conv x,w c" OUT, REFUSED, "tensor 'w' has 9 dimensions", NULL},
    {"zero-sized weights", "in x 1,3,8,8; w w 0,3,3,3; n Conv x,w c" OUT, FORMAT, "", NULL},
    {"zero-sized kernel", "in x 1,3,8,8; w w 4,3,0,3; n Conv x,w c" OUT, FORMAT, "", NULL},
    {"weights of strings", "in x 1,3,8,8; type w 8; n Conv x,w c" OUT, REFUSED, "input 'w' has element type 8 (", NULL},
    {"weights of complex numbers", "in x 1,3,8,8; type w 14; n Conv x,w c" OUT, REFUSED, "tensor 'w': element type 14 (", NULL},
    {"weights of float8", "in x 1,3,8,8; type w 17; n Conv x,w c" OUT, REFUSED, "tensor 'w': element type 17 (", NULL},
    {"weights of no type", "in x 1,3,8,8; type w 0; n Conv x,w c" OUT, FORMAT, "tensor 'w' has no element type", NULL},
    {"weights of type 999", "in x 1,3,8,8; type w 999; n Conv x,w c" OUT, REFUSED, "tensor 'w': element type 999 (", NULL},
    {"weights in segments", "in x 1,3,8,8; segment w; n Conv x,w c" OUT, REFUSED, "tensor 'w' is stored in segments", NULL},
    {"weights of integers", "in x 1,3,8,8; i w 1,2; n Conv x,w c" OUT, REFUSED, "node 'c' (Conv): input 1 holds integers", NULL},
    {"external weights", "in x 1,3,8,8; ext w 4,3,3,3 location=w.bin; n Conv x,w c" OUT, REFUSED, "tensor 'w' has its data in another file", NULL},

    /* convolutions and pools */
    {"channels do not fit", "in x 1,3,8,8; w w 4,5,3,3; n Conv x,w c" OUT, FORMAT, "node 'c' (Conv)", NULL},
    {"weights of rank 2", "in x 1,3,8,8; w w 4,27; n Conv x,w c" OUT, FORMAT, "node 'c' (Conv)", NULL},
    {"one input", IN "n Conv x c" OUT, FORMAT, "1 inputs, expected 2 to 3", NULL},
    {"four inputs", IN "n Conv x,w,w,w c" OUT, FORMAT, "4 inputs, expected 2 to 3", NULL},
    {"weights left out", IN "w b 4; n Conv x,_,b c" OUT, FORMAT, "required input 1 is missing", NULL},
    {"bias too short", IN "w b 3; n Conv x,w,b c" OUT, FORMAT, "node 'c' (Conv)", NULL},
    {"stride 0", CONV("strides=[0,1]"), FORMAT, "node 'c' (Conv): attribute 'strides' has the value 0", NULL},
    {"stride -1", CONV("strides=[-1,1]"), FORMAT, "attribute 'strides' has the value -1", NULL},
    {"huge stride", CONV("strides=[9223372036854775807,1]"), FORMAT, "attribute 'strides'", NULL},
    {"three strides", CONV("strides=[1,1,1]"), FORMAT, "attribute 'strides' has 3 values", NULL},
    {"dilation 0", CONV("dilations=[0,1]"), FORMAT, "attribute 'dilations' has the value 0", NULL},
    {"huge dilation", CONV("dilations=[2147483647,1]"), FORMAT, "node 'c' (Conv)", NULL},
    {"negative pads", CONV("pads=[-1,0,0,0]"), FORMAT, "attribute 'pads' has the value -1", NULL},
    {"huge pads", CONV("pads=[2147483647,2147483647,2147483647,2147483647]"), FORMAT, "", NULL},
    {"three pads", CONV("pads=[1,1,1]"), FORMAT, "attribute 'pads' has 3 values", NULL},
    {"pads of 2 TB", CONV("pads=[200000,200000,200000,200000]"), FORMAT, "node 'c' (Conv): output 0 has", NULL},
    {"pads of 25 GB", CONV("pads=[20000,20000,20000,20000]"), LIMIT, "", NULL},
    {"group 0", CONV("group=0"), FORMAT, "group 0", NULL},
    {"group -1", CONV("group=-1"), FORMAT, "group -1", NULL},
    {"group does not divide", CONV("group=3"), FORMAT, "group 3", NULL},
    {"kernel_shape contradicts", CONV("kernel_shape=[5,5]"), FORMAT, "kernel_shape", NULL},
    {"kernel larger than the input", "in x 1,3,8,8; w w 4,3,9,9; n Conv x,w c" OUT, FORMAT, "the kernel covers 9 elements, the padded input has only 8", NULL},
    {"unknown auto_pad", CONV("auto_pad='SAME'"), FORMAT, "attribute 'auto_pad' is 'SAME'", NULL},
    {"pool of 0", BEHIND("n MaxPool c d kernel_shape=[0,0]"), FORMAT, "node 'd' (MaxPool)", NULL},
    {"pool without a kernel", BEHIND("n MaxPool c d"), FORMAT, "node 'd' (MaxPool)", NULL},
    {"pool of negative size", BEHIND("n AveragePool c d kernel_shape=[-2,2]"), FORMAT, "node 'd' (AveragePool)", NULL},
    {"pool larger than its input", BEHIND("n MaxPool c d kernel_shape=[90,90]"), FORMAT, "node 'd' (MaxPool)", NULL},
    {"pads as large as the pool", BEHIND("n AveragePool c d kernel_shape=[2,2] pads=[7,7,7,7]"), REFUSED, "node 'd' (AveragePool)", NULL},
    {"LRN of size 0", BEHIND("n LRN c d size=0"), FORMAT, "node 'd' (LRN)", NULL},
    {"LRN without a size", BEHIND("n LRN c d"), FORMAT, "node 'd' (LRN)", NULL},
    {"BatchNormalization of other channels", "w s 5; " BEHIND("n BatchNormalization c,s,s,s,s d"), FORMAT, "node 'd' (BatchNormalization)", NULL},
    {"BatchNormalization in training", "w s 4; " BEHIND("n BatchNormalization c,s,s,s,s d training_mode=1"), REFUSED, "node 'd' (BatchNormalization)", NULL},

    /* shapes */
    {"Gemm does not fit", IN "n Conv x,w c; n GlobalAveragePool c g; n Flatten g f; w m 5,7; n Gemm f,m y; out y", FORMAT, "node 'y' (Gemm)", NULL},
    {"MatMul does not fit", IN "n Conv x,w c; n GlobalAveragePool c g; n Flatten g f; w m 5,7; n MatMul f,m y; out y", FORMAT, "node 'y' (MatMul)", NULL},
    {"MatMul with a scalar", IN "n Conv x,w c; n GlobalAveragePool c g; n Flatten g f; w m -; n MatMul f,m y; out y", FORMAT, "node 'y' (MatMul)", NULL},
    {"Add does not broadcast", "w a 1,5,1,1; " BEHIND("n Add c,a d"), FORMAT, "node 'd' (Add)", NULL},
    {"Concat does not fit", "w a 1,4,5,6; " BEHIND("n Concat c,a d axis=1"), FORMAT, "node 'd' (Concat)", NULL},
    {"Concat along axis 9", BEHIND("n Concat c,c d axis=9"), FORMAT, "node 'd' (Concat)", NULL},
    {"Concat without an axis", BEHIND("n Concat c,c d"), FORMAT, "node 'd' (Concat)", NULL},
    {"Softmax along axis 4", BEHIND("n Softmax c d axis=4"), FORMAT, "node 'd' (Softmax)", NULL},
    {"Flatten at axis 9", IN "n Conv x,w c; n Flatten c y axis=9; out y", FORMAT, "node 'y' (Flatten)", NULL},
    {"Reshape with two -1", "i s -1,-1,6,6; " BEHIND("n Reshape c,s d"), FORMAT, "node 'd' (Reshape)", NULL},
    {"Reshape to more", "i s 1,4,6,7; " BEHIND("n Reshape c,s d"), FORMAT, "node 'd' (Reshape)", NULL},
    {"Reshape to -2", "i s -2,4,6,6; " BEHIND("n Reshape c,s d"), FORMAT, "node 'd' (Reshape)", NULL},
    {"Reshape that wraps", "i s 4611686018427387904,4,6,6; " BEHIND("n Reshape c,s d"), FORMAT, "node 'd' (Reshape)", NULL},
    {"Reshape with -1 and 0 left", "i s 1,0,0,-1,0; " BEHIND("n Reshape c,s d"), FORMAT, "node 'd' (Reshape)", NULL},
    {"Reshape by a float", "w s 4; " BEHIND("n Reshape c,s d"), FORMAT, "node 'd' (Reshape)", NULL},
    {"Reshape by the input", BEHIND("n Reshape c,x d"), FORMAT, "node 'd' (Reshape)", NULL},
    {"Transpose that repeats an axis", BEHIND("n Transpose c d perm=[0,0,1,2]"), FORMAT, "node 'd' (Transpose)", NULL},
    {"Transpose of too few axes", BEHIND("n Transpose c d perm=[0,1]"), FORMAT, "node 'd' (Transpose)", NULL},
    {"Squeeze of an axis of 6", "i a 2; " BEHIND("n Squeeze c,a d"), FORMAT, "node 'd' (Squeeze)", NULL},
    {"Unsqueeze to rank 9", "i a 0,1,2,3,4; " BEHIND("n Unsqueeze c,a d"), REFUSED, "node 'd' (Unsqueeze)", NULL},
    {"Unsqueeze twice the same", "i a 0,0; " BEHIND("n Unsqueeze c,a d"), FORMAT, "node 'd' (Unsqueeze)", NULL},
    {"ReduceMean along axis 7", BEHIND("n ReduceMean c d axes=[7]"), FORMAT, "node 'd' (ReduceMean)", NULL},
    {"Slice with step 0", "i a 0; i b 1; i s 0; " BEHIND("n Slice c,a,b,a,s d"), FORMAT, "node 'd' (Slice)", NULL},
    {"Slice along axis 9", "i a 0; i b 1; i s 9; " BEHIND("n Slice c,a,b,s d"), FORMAT, "node 'd' (Slice)", NULL},
    {"Slice to nothing", "i a 5; i b 1; i s 2; " BEHIND("n Slice c,a,b,s d"), FORMAT, "", NULL},
    {"Gather past the end", "i a 4; " BEHIND("n Gather c,a d axis=1"), FORMAT, "node 'd' (Gather)", NULL},
    {"Gather far before the start", "i a -9223372036854775808; " BEHIND("n Gather c,a d axis=1"), FORMAT, "node 'd' (Gather)", NULL},
    {"Split into other sizes", "i a 1,2; " BEHIND("n Split c,a d,e axis=1"), FORMAT, "node 'd' (Split)", NULL},
    {"Split into negative sizes", "i a 5,-1; " BEHIND("n Split c,a d,e axis=1"), FORMAT, "node 'd' (Split)", NULL},
    {"Pad below nothing", "i a 0,0,-9,0,0,0,-9,0; " BEHIND("n Pad c,a d"), FORMAT, "node 'd' (Pad)", NULL},
    {"Pad by 2^62", "i a 0,0,4611686018427387904,0,0,0,4611686018427387904,0; " BEHIND("n Pad c,a d"), REFUSED, "node 'd' (Pad)", NULL},
    {"Pad that reflects more than there is", "i a 0,0,9,0,0,0,9,0; " BEHIND("n Pad c,a d mode='reflect'"), KLDVE_OK, "", NULL},
    {"Expand to 2^60", "i s 1099511627776,1048576,1,1; " BEHIND("n Expand c,s d"), FORMAT, "node 'd' (Expand)", NULL},
    {"Expand to 64 GiB", "i s 1,4,65536,65536; " BEHIND("n GlobalAveragePool c p; n Expand p,s d"), LIMIT, "", NULL},
    {"Expand of a constant to 64 GiB", "i s 1,4,65536,65536; w one 1; " BEHIND("n GlobalAveragePool c p; n Expand one,s e; n Add p,e d"), LIMIT, "", NULL},
    {"Tile 2^40 times", "i s 1,1,1099511627776,1; " BEHIND("n Tile c,s d"), FORMAT, "node 'd' (Tile)", NULL},
    {"Tile -1 times", "i s 1,1,-1,1; " BEHIND("n Tile c,s d"), FORMAT, "node 'd' (Tile)", NULL},
    {"Tile 2^39 times 2^39 times", "w o 1,1,1,1; i s 549755813888,549755813888,1,1; " BEHIND("n Tile o,s t; n Add c,t d"), FORMAT, "node 't' (Tile)", NULL},
    {"Tile of nothing", "w o 1,0,1,1; i s 68719476736,1099511627776,1,1; " BEHIND("n Tile o,s t; n Add c,t d"), FORMAT, "node 'd' (Add)", NULL},
    {"ConstantOfShape of 2^50", "i s 1,4,33554432,33554432; " BEHIND("n ConstantOfShape s e; n Add c,e d"), FORMAT, "node 'e' (ConstantOfShape)", NULL},
    {"ConstantOfShape of -1", "i s 1,4,-1,6; " BEHIND("n ConstantOfShape s e; n Add c,e d"), FORMAT, "node 'e' (ConstantOfShape)", NULL},
    {"good, 200 constants of 16 MB", NULL, KLDVE_OK, "", many_expands},
    {"Range without end", "i a 0; " BEHIND("n Range a,a,a e; n Add c,e d"), FORMAT, "node 'e' (Range)", NULL},
    {"Constant without a value", BEHIND("n Constant - e; n Add c,e d"), FORMAT, "node 'e' (Constant)", NULL},
    {"Constant with two values", BEHIND("n Constant - e value_int=1 value_float=0.5; n Add c,e d"), FORMAT, "node 'e' (Constant)", NULL},
    {"Cast to type 99", BEHIND("n Cast c d to=99"), REFUSED, "node 'd' (Cast): element type 99", NULL},
    {"Cast to strings", BEHIND("n Cast c d to=8"), REFUSED, "node 'd' (Cast)", NULL},
    {"Where of a float", BEHIND("n Where c,c,c d"), FORMAT, "node 'd' (Where)", NULL},
    {"DepthToSpace by 0", BEHIND("n DepthToSpace c d blocksize=0"), FORMAT, "node 'd' (DepthToSpace)", NULL},
    {"DepthToSpace by 3", BEHIND("n DepthToSpace c d blocksize=3"), FORMAT, "node 'd' (DepthToSpace)", NULL},
    {"DepthToSpace by 2^32", BEHIND("n DepthToSpace c d blocksize=4294967296"), FORMAT, "node 'd' (DepthToSpace)", NULL},
    {"Resize without a size", BEHIND("n Resize c d"), FORMAT, "node 'd' (Resize)", NULL},

    /* too much of something */
    {"chain of 100 000 nodes", NULL, REFUSED, "(Frobnicate)", deep_chain},
    {"1 000 001 nodes", NULL, LIMIT, "1000001 nodes: the limit 'nodes' is 1000000;", many_nodes},
    {"200 000 inputs", NULL, REFUSED, "200000 inputs", many_inputs},
    {"12 million attributes", NULL, LIMIT, "unpacks to more than is taken: the limit 'unpacked' is 768 MiB;", many_attributes},
    {"name of 5000 bytes", NULL, REFUSED, "has 4999 bytes, at most 4096", long_name},
    {"zero byte in a name", NULL, FORMAT, "holds a zero byte", zero_in_name},
    {"500 graphs in each other", NULL, REFUSED, "nested more than 16 deep", deep_message},
    {NULL, NULL, KLDVE_OK, NULL, NULL},
};
/* clang-format on */

void bad_model_write(writer *w, const void *bad)
{
    const bad_model *b = bad;

    if (b->make)
        b->make(w, b);
    else if (b->text)
        write_text(w, b->text);
    else
        write_varint(w, MODEL_IR_VERSION, 8);
}
