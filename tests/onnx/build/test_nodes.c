/* test_nodes.c - nodes that others stand for: a graph with control flow equals the graph that is
 * written without it. */
#include "onnx/networks/built.h"

#include <stdlib.h>

#include "onnx/networks/text.h"

#define YES "i a 1; i b 2; n Less a,b t; "
#define NO "i a 2; i b 1; n Less a,b t; "
#define IN "in x 1,3,4,4; "

static const struct pair {
    const char *name, *text, *plain; /* the same network with and without control flow */
} cases[] = {
    {"then", IN YES "n Relu x c; n If t y then_branch={Neg:c:r} else_branch={Sqrt:c:r}; out y",
     IN "n Relu x c; n Neg c y; out y"},
    {"else", IN NO "n Relu x c; n If t y then_branch={Neg:c:r} else_branch={Sqrt:c:r}; out y",
     IN "n Relu x c; n Sqrt c y; out y"},
    {"what the branch reads comes behind it in the file",
     IN YES "n If t y then_branch={Neg:c:r} else_branch={Sqrt:c:r}; n Relu x c; out y",
     IN "n Relu x c; n Neg c y; out y"},
    {"the branch not taken needs an unknown operator",
     IN YES "n If t y then_branch={Neg:x:r} else_branch={Frobnicate:x:r}; out y",
     IN "n Neg x y; out y"},
    {"a branch that passes something on",
     IN YES "n Relu x c; n If t y then_branch={Identity:c:r} else_branch={Neg:c:r}; out y",
     IN "n Relu x c; n Identity c y; out y"},
    {"two branches of the same names",
     IN YES "n If t u then_branch={Neg:x:r} else_branch={Sqrt:x:r}; "
            "n If t y then_branch={Abs:u:r} else_branch={Sqrt:u:r}; out y",
     IN "n Neg x u; n Abs u y; out y"},
    {"the input decides",
     IN "n ReduceMax x m keepdims=0; n Less m,m t; n If t y then_branch={Neg:x:r} "
        "else_branch={Sqrt:x:r}; out y",
     IN "n ReduceMax x m keepdims=0; n Less m,m t; n Neg x a; n Sqrt x b; n Where t,a,b y; out y"},
    {"the input decides, a condition with axes",
     IN "n ReduceMax x m; n Less m,m t; n If t y then_branch={Neg:x:r} else_branch={Sqrt:x:r}; "
        "out y",
     IN "n ReduceMax x m; n Less m,m t; w s 0; n Cast s i to=7; n Reshape t,i u; n Neg x a; "
        "n Sqrt x b; n Where u,a,b y; out y"},
    {"quantised numbers and others of their type",
     IN "t s f32 - 0.5; t z s8 - 0; n QuantizeLinear x,s,z q; n Cast x k to=3; n Add q,k a; "
        "n Cast a y to=1; out y",
     IN "t s f32 - 0.5; t z s8 - 0; n QuantizeLinear x,s,z q; n Cast x k to=3; n Cast k l to=1; "
        "n Add q,l a; n Cast a y to=1; out y"},
    {"the L1 norm of shares is 1",
     IN "i l 3,16; n Reshape x,l r; n Softmax r s axis=-1; n ai.onnx.ml:Normalizer s y norm='L1'; "
        "out y",
     IN "i l 3,16; n Reshape x,l r; n Softmax r s axis=-1; n Identity s y; out y"},
    {"DynamicQuantizeLSTM of one step",
     IN "i l 1,3,16; n Reshape x,l r; t a s8 1,16,8 1,2,-3; t b s8 1,2,8 1,-1; t s f32 1 0.5; "
        "t z s8 1 3; n com.microsoft:DynamicQuantizeLSTM r,a,b,_,_,_,_,_,s,z,s,z y hidden_size=2; "
        "out y",
     IN "i l 1,3,16; n Reshape x,l r; n DynamicQuantizeLinear r q,s,z; n DequantizeLinear q,s,z d; "
        "w a 1,8,16; w b 1,8,2; n LSTM d,a,b y hidden_size=2; out y"},
    {"NonZero of a constant",
     IN "i l 0,3,0,5; n NonZero l k; i w 1,-1; n Reshape x,w f; n Gather f,k y axis=1; out y",
     IN
     "i l 1,3; i r 1,2; n Reshape l,r k; i w 1,-1; n Reshape x,w f; n Gather f,k y axis=1; out y"},
    {"FusedConv with a sum and an activation",
     IN
     "w k 4,3,3,3; w b 4; w z 1,4,2,2; n com.microsoft:FusedConv x,k,b,z y activation='LeakyRelu' "
     "activation_params=[0.25]; out y",
     IN "w k 4,3,3,3; w b 4; w z 1,4,2,2; n Conv x,k,b c; n Add c,z d; n LeakyRelu d y alpha=0.25; "
        "out y"},
    {"FusedMatMul",
     IN "w k 2,4; n com.microsoft:FusedMatMul x,k y transA=1 transB=1 alpha=0.5; out y",
     IN "w k 4,2; n Transpose x t perm=[0,1,3,2]; n MatMul t,k m; w h -; n Mul m,h y; out y"},
    {"BiasGelu", IN "opset 20; w b 4; n com.microsoft:BiasGelu x,b y; out y",
     IN "opset 20; w b 4; n Add x,b s; n Gelu s y; out y"},
    {"QuickGelu", IN "n com.microsoft:QuickGelu x y; out y",
     IN "w a -; n Mul x,a m; n Sigmoid m s; n Mul x,s y; out y"},
    {"SkipLayerNormalization",
     IN "opset 17; w g 4; w b 4; n Relu x r; n "
        "com.microsoft:SkipLayerNormalization x,r,g,b y,_,_,s; n Add s,y z; out z",
     IN "opset 17; w g 4; w b 4; n Relu x r; n Add x,r s; n LayerNormalization s,g,b y; n Add s,y "
        "z; out z"},
    {"parts of a sequence, joined again",
     IN "n SplitToSequence x s axis=1; n Identity s t; n ConcatFromSequence t y axis=1; out y",
     IN "i s 0; i e 1; i c 1; n Slice x,s,e,c z; i f 1; i g 2; n Slice x,f,g,c k; i h 2; i j 3; "
        "n Slice x,h,j,c l; n Concat z,k,l y axis=1; out y"},
    {"one array of a sequence",
     IN "n Relu x a; i p -1; n SequenceConstruct x,a s; n SequenceAt s,p b; n Neg b y; out y",
     IN "n Relu x a; n Identity a b; n Neg b y; out y"},
    {"a sequence that grows and shrinks",
     IN "n SequenceEmpty - l; n Relu x a; n Neg x b; n SequenceInsert l,a m; i p 0; "
        "n SequenceInsert m,b o; n SequenceInsert o,a,p r; n SequenceErase r,p q; n SequenceInsert "
        "q,b t; n SequenceErase t u; n SequenceLength u k; n ConcatFromSequence u y axis=0; out y",
     IN "n Relu x a; n Neg x b; n Concat a,b y axis=0; out y"},
    {"Dropout in training that drops nothing",
     IN YES "w r - ; n Sub r,r o; n Dropout x,o,t y; out y", IN "n Dropout x y; out y"},
};

static void check_case(void **state)
{
    const struct pair *c = *state;
    built with, plain;

    built_open(&with, c->text);
    built_open(&plain, c->plain);
    assert_int_equal(with.graph->nnode, plain.graph->nnode);
    for (int32_t i = 0; i < with.graph->nnode; i++) {
        const kx_node *a = &with.graph->node[i], *b = &plain.graph->node[i];

        assert_string_equal(a->type, b->type);
        assert_int_equal(a->index, i);
        assert_int_equal(a->out[0]->producer, i);
        assert_int_equal(a->out[0]->count, b->out[0]->count);
        assert_int_equal(a->in[0]->producer, b->in[0]->producer);
    }
    assert_string_equal(with.graph->output[0]->name, plain.graph->output[0]->name);
    assert_int_equal(with.graph->output[0]->producer, plain.graph->output[0]->producer);
    built_close(&with);
    built_close(&plain);
}

/* Every allocation fails once. */
static void check_allocations(void **state)
{
    const struct pair *c = *state;
    const kx_graph_options options = {0};
    size_t n;
    unsigned char *bytes = writer_memory(write_text, c->text, &n);
    kldve_status st = KLDVE_E_NOMEM;

    for (long budget = 0; st == KLDVE_E_NOMEM; budget++) {
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kx_model *m = NULL;
        kx_graph *g = NULL;

        heap.budget = budget;
        st = kx_model_read(ctx, bytes, n, &m);
        if (st == KLDVE_OK)
            st = kx_graph_new(ctx, m, &options, &g);
        heap.budget = -1;
        assert_true(st == KLDVE_OK || (st == KLDVE_E_NOMEM && !g));
        kx_graph_free(g);
        kx_model_free(m);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
    free(bytes);
}

int main(void)
{
    return TEST_RUN_CASES("nodes", cases, check_case) +
           TEST_RUN_CASES("failing allocations", cases, check_allocations);
}
