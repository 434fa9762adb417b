/* test_choose_layer.c - which layer is taken by default, and whether every way passes it. */
#include "onnx/networks/built.h"

#include <stdlib.h>
#include <string.h>

#include "api/choose.h"

/* 8 maps from 3, and from 8; one map for attention. */
#define PICTURE "in x 1,3,8,8; w w 8,3,3,3; w v 8,8,1,1; w u 1,8,1,1; w d 8,5; "
#define STEM PICTURE "n Conv x,w s; n Relu s a; "
#define SCORES(from) "n GlobalAveragePool " from " g; n Flatten g f; n Gemm f,d y; out y"

/* 36 tokens of 8 channels, k, behind a block; the scores read the mean of NORMALISED tokens h. */
#define TOKENS                                                                                     \
    STEM "i flat 1,8,36; w m 8,8; n Reshape a,flat p; n Transpose p q perm=[0,2,1]; "              \
         "n MatMul q,m e; n Add q,e k; "
#define OF_TOKENS "n ReduceMean h f axes=[1] keepdims=0; n Gemm f,d y; out y"
#define SPELLED_NORM                                                                               \
    "w eps 1; w g 8; w b 8; n ReduceMean k mean axes=[-1]; n Sub k,mean c; n Mul c,c q2; "         \
    "n ReduceMean q2 t axes=[-1]; n Add t,eps o; n Sqrt o r; n Div c,r l; n Mul l,g z; "           \
    "n Add z,b h; "

/* A class token before the 36 in k; attention makes h of k, and only its class token is read. */
#define CLASS_TOKEN                                                                                \
    STEM "i flat 1,8,36; w m 8,8; w class 1,1,8; i first 0; n Reshape a,flat p; "                  \
         "n Transpose p q perm=[0,2,1]; n Concat class,q k axis=1; n MatMul k,m e; "               \
         "n Transpose k t perm=[0,2,1]; n MatMul k,t c; n Softmax c o axis=2; n MatMul o,e r; "    \
         "n Add k,r h; "
#define OF_CLASS(from) "n Gather " from ",first j axis=1; n Flatten j f; n Gemm f,d y; out y"

static const struct topology {
    const char *name, *text, *layer; /* name of the one that is asked for, or NULL */
    const char *found, *note;        /* part of one of the notes, or NULL: there are none */
    int32_t how, all_paths;
} topologies[] = {
    {"a chain", STEM "n Conv a,v b; n Relu b c; " SCORES("c"), NULL, "c", NULL,
     KLDVE_ONNX_LAYER_LAST, 1},
    {"a residual", STEM "n Conv a,v b; n Add a,b c; " SCORES("c"), NULL, "c", NULL,
     KLDVE_ONNX_LAYER_LAST, 1},
    {"a weak side branch",
     STEM "n Conv a,v b; n GlobalAveragePool b p; n Flatten p q; n Gemm q,d r; "
          "n GlobalAveragePool a g; n Flatten g f; n Gemm f,d t; n Add r,t y; out y",
     NULL, "a", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"attention pooling",
     STEM "i n 1,1,-1; i m 1,8,-1; i k 1,8; n Conv a,u e; n Reshape e,n h; n Softmax h j axis=2; "
          "n Reshape a,m l; n Mul l,j o; n ReduceSum o,axis p keepdims=0; i axis 2; n Gemm p,d y; "
          "out y",
     NULL, "o", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"dense connections",
     STEM "n Conv a,v b; n Concat a,b c axis=1; w v2 8,16,1,1; n Conv c,v2 e; "
          "n Concat c,e k axis=1; n Relu k r; w d2 24,5; n GlobalAveragePool r g; n Flatten g f; "
          "n Gemm f,d2 y; out y",
     NULL, "r", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"a layer beside the way", STEM "n Conv a,v b; n Add a,b c; " SCORES("c"), "b", "b",
     "layer 'b' does not carry the whole score", KLDVE_ONNX_LAYER_GIVEN, -1},
    {"a layer on the way", STEM "n Conv a,v b; n Add a,b c; " SCORES("c"), "a", "a", NULL,
     KLDVE_ONNX_LAYER_GIVEN, 1},
    {"a handful of maps is no layer of features",
     STEM "w z 4,8,1,1; w d4 4,5; n Conv a,z b; n GlobalAveragePool b g; n Flatten g f; "
          "n Gemm f,d4 y; out y",
     NULL, "a", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"never more than a handful of maps",
     "in x 1,3,8,8; w w 4,3,3,3; w z 2,4,1,1; w d2 2,5; n Conv x,w a; n Conv a,z b; "
     "n GlobalAveragePool b g; n Flatten g f; n Gemm f,d2 y; out y",
     NULL, "a", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"comparisons and shapes are no way",
     STEM "n ReduceMax a m keepdims=1; n Greater a,m b; n Cast b c to=1; n Relu a r; "
          "n Mul r,c o; " SCORES("o"),
     NULL, "o", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"two streams on one grid are joined",
     PICTURE "w w2 8,3,3,3; n Conv x,w a; n Conv x,w2 b; n Relu a r; n Relu b t; "
             "n GlobalAveragePool r p; n GlobalAveragePool t q; n Add p,q o; n Flatten o f; "
             "n Gemm f,d y; out y",
     NULL, "r", "'r + t' are explained as one", KLDVE_ONNX_LAYER_JOINED, 1},
    {"two streams on two grids",
     PICTURE "n Conv x,w r; n Conv x,w b strides=[2,2]; n Relu b t; n GlobalAveragePool r p; "
             "n GlobalAveragePool t q; n Add p,q o; n Flatten o f; n Gemm f,d y; out y",
     NULL, "r", "the other ways pass 't', of another grid", KLDVE_ONNX_LAYER_BEST, -1},
    {"the layer before a last normalisation",
     "opset 17; " TOKENS "w g 8; w b 8; n LayerNormalization k,g,b h; " OF_TOKENS, NULL, "k", NULL,
     KLDVE_ONNX_LAYER_LAST, 1},
    {"the layer before one that is spelled out", TOKENS SPELLED_NORM OF_TOKENS, NULL, "k", NULL,
     KLDVE_ONNX_LAYER_LAST, 1},
    {"what comes behind a normalisation is no normalisation",
     "opset 17; " TOKENS "w g 8; w b 8; n LayerNormalization k,g,b j; n MatMul j,m h; " OF_TOKENS,
     NULL, "h", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"an activation is no normalisation", TOKENS "n Relu k h; " OF_TOKENS, NULL, "h", NULL,
     KLDVE_ONNX_LAYER_LAST, 1},
    {"the input of the block behind which only a class token is read", CLASS_TOKEN OF_CLASS("h"),
     NULL, "k", "1 token of layer 'k'", KLDVE_ONNX_LAYER_LAST, 1},
    {"attention of fewer queries than keys",
     STEM "i flat 1,8,36; i nine 1,8,9; i from 0,0; i to 6,6; i axes 2,3; i by 2,2; "
          "n Reshape a,flat t; n Transpose t k perm=[0,2,1]; n Slice a,from,to,axes,by b; "
          "n Reshape b,nine c; n Transpose c q perm=[0,2,1]; n MatMul q,t e; n Softmax e o axis=2; "
          "n MatMul o,k h; " OF_TOKENS,
     NULL, "h", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"a scale that all tokens have a part in reads no cell",
     CLASS_TOKEN
     "n DynamicQuantizeLinear h q2,s2,z2; n DequantizeLinear q2,s2,z2 l; " OF_CLASS("l"),
     NULL, "k", "1 token of layer 'k'", KLDVE_ONNX_LAYER_LAST, 1},
    {"the inside of a recurrent network is no layer",
     STEM "n MaxPool a b kernel_shape=[3,3] strides=[3,3]; i flat 1,8,4; w m 1,8,8; w r 1,8,8; "
          "n Reshape b,flat p; n Transpose p q perm=[2,0,1]; n RNN q,m,r h; "
          "n ReduceMean h f axes=[0,1] keepdims=0; n Gemm f,d y; out y",
     NULL, "b", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"behind a spatial transformer",
     STEM "opset 20; w q 1,6,6,2; n GridSample a,q b; n Conv b,v c; n Relu c e; " SCORES("e"), NULL,
     "e", "behind node 'b' (GridSample), which reads its input at computed places",
     KLDVE_ONNX_LAYER_LAST, 1},
    {"in front of a spatial transformer",
     STEM "opset 20; w q 1,6,6,2; n GridSample a,q b; n Conv b,v c; n Relu c e; " SCORES("e"), "a",
     "a", NULL, KLDVE_ONNX_LAYER_GIVEN, 1},
    {"rows and columns before a row of cells",
     STEM "n ReduceMean a b axes=[2] keepdims=0; w t 8,8,3; n Conv b,t e; n Relu e h; "
          "n ReduceMean h f axes=[2] keepdims=0; n Gemm f,d y; out y",
     NULL, "a", NULL, KLDVE_ONNX_LAYER_LAST, 1},
    {"behind that block", CLASS_TOKEN OF_CLASS("h"), "h", "h",
     "behind layer 'h' only a class token is read", KLDVE_ONNX_LAYER_GIVEN, 1},
    {"two outputs of a split are two ways",
     STEM "n Split a b,c axis=1; n Relu b e; n Relu c h; n Concat e,h k axis=1; " SCORES("k"), "b",
     "b", "does not carry the whole score", KLDVE_ONNX_LAYER_GIVEN, -1},
};

enum { CHUNK = 65536, BLOCK = 64 }; /* of an arena */

static void choose(built *b, const char *text, const char *layer, kx_choice *choice)
{
    memset(choice, 0, sizeof *choice);
    built_open(b, text);
    if (kx_choose(b->graph, &b->arena, layer, NULL, NULL, choice) < 0)
        fail_msg("%s", kldve_ctx_message(b->ctx));
}

static bool says(const kx_notes *notes, const char *text)
{
    const char *note;

    for (int32_t i = 0; (note = kx_note_at(notes, i)); i++)
        if (strstr(note, text))
            return true;
    return false;
}

static void check_topology(void **state)
{
    const struct topology *t = *state;
    kx_choice choice;
    built b;

    choose(&b, t->text, t->layer, &choice);
    assert_string_equal(choice.layer->name, t->found);
    assert_int_equal(choice.how, t->how);
    assert_int_equal(choice.all_paths, t->all_paths);
    if (t->note)
        assert_true(says(&choice.notes, t->note));
    else
        assert_null(kx_note_at(&choice.notes, 0));
    built_close(&b);
}

/* Whether the logits can be reached from the input without `avoid`. */
static bool reaches_without(const kx_graph *g, const kx_choice *c, const kx_value *avoid)
{
    bool *seen = calloc((size_t)g->nvalue, sizeof *seen), found;

    assert_non_null(seen);
    seen[c->input->id] = true;
    for (int32_t i = 0; i < g->nnode; i++)
        for (int32_t k = 0; k < g->node[i].nin; k++)
            if (kx_carries(&g->node[i], k) && seen[g->node[i].in[k]->id])
                for (int32_t o = 0; o < g->node[i].nout; o++)
                    if (g->node[i].out[o] && g->node[i].out[o] != avoid &&
                        g->node[i].out[o]->dtype == KX_F32)
                        seen[g->node[i].out[o]->id] = true;
    found = seen[c->logits->id];
    free(seen);
    return found;
}

/* Taking a tensor away cuts the input off exactly if every way passes it. */
static void check_cuts(void **state)
{
    const struct topology *t = *state;
    kx_choice choice;
    built b;

    choose(&b, t->text, t->layer, &choice);
    for (int32_t i = 1; i < choice.ntensor; i++) {
        const kx_value *v = choice.tensor[i];

        if (v != choice.logits)
            assert_int_equal(choice.ways.all[v->id], !reaches_without(b.graph, &choice, v));
    }
    built_close(&b);
}

/* Let an arena have so many bytes before it needs another chunk. */
static void leave(kx_arena *arena, size_t room)
{
    assert_non_null(kx_arena_alloc(arena, CHUNK, 1));
    assert_non_null(kx_arena_alloc(arena, CHUNK - room, 1));
}

/* Choose, and put the layer in, where the arena of the choice or that of the graph is short. */
static kldve_status choose_within(const struct topology *t, bool graph, size_t room)
{
    kx_choice choice = {0};
    kldve_status st;
    built b;

    built_open(&b, t->text);
    leave(&b.arena, graph ? CHUNK - 1 : room);
    leave(&b.graph->arena, graph ? room : CHUNK - 1);
    b.heap.budget = 0;
    st = kx_choose(b.graph, &b.arena, t->layer, NULL, NULL, &choice);
    if (st == KLDVE_OK)
        st = kx_choice_shape(b.graph, &choice);
    b.heap.budget = -1;
    built_close(&b);
    return st;
}

/* Whatever is allocated first without memory fails. */
static void check_allocations(void **state)
{
    for (int graph = 0; graph < 2; graph++) {
        kldve_status st = KLDVE_E_NOMEM;

        for (size_t room = 0; st == KLDVE_E_NOMEM; room += BLOCK) {
            assert_true(room < CHUNK);
            st = choose_within(*state, graph, room);
        }
        assert_int_equal(st, KLDVE_OK);
    }
}

enum { TOPOLOGIES = sizeof topologies / sizeof *topologies };

int main(void)
{
    struct CMUnitTest tests[3 * TOPOLOGIES];

    for (size_t i = 0; i < TOPOLOGIES; i++) {
        void *of = (void *)(uintptr_t)&topologies[i];

        tests[3 * i] = (struct CMUnitTest){topologies[i].name, check_topology, NULL, NULL, of};
        tests[3 * i + 1] = (struct CMUnitTest){"its cuts", check_cuts, NULL, NULL, of};
        tests[3 * i + 2] =
            (struct CMUnitTest){"its allocations", check_allocations, NULL, NULL, of};
    }
    return cmocka_run_group_tests_name("choose layer", tests, NULL, NULL);
}
