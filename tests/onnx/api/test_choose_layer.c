/* test_choose_layer.c - which layer is taken by default, and whether every way passes it. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "api/choose.h"
#include "build/build.h"
#include "onnx/networks/text.h"
#include "read/proto.h"

/* 8 maps from 3, and from 8; one map for attention. */
#define PICTURE "in x 1,3,8,8; w w 8,3,3,3; w v 8,8,1,1; w u 1,8,1,1; w d 8,5; "
#define STEM PICTURE "n Conv x,w s; n Relu s a; "
#define SCORES(from) "n GlobalAveragePool " from " g; n Flatten g f; n Gemm f,d y; out y"

static const struct topology {
    const char *name, *text, *layer; /* name of the one that is asked for, or NULL */
    const char *found, *note;        /* part of a note, or NULL: none */
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
    {"two outputs of a split are two ways",
     STEM "n Split a b,c axis=1; n Relu b e; n Relu c h; n Concat e,h k axis=1; " SCORES("k"), "b",
     "b", "does not carry the whole score", KLDVE_ONNX_LAYER_GIVEN, -1},
};

typedef struct built {
    test_heap heap;
    kldve_ctx *ctx;
    unsigned char *bytes;
    kx_model *model;
    kx_graph *graph;
    kx_arena arena;
    kx_choice choice;
} built;

static void build(built *b, const char *text, const char *layer)
{
    const kx_graph_options options = {0};
    size_t n;

    memset(b, 0, sizeof *b);
    b->ctx = test_ctx(&b->heap);
    b->bytes = writer_memory(write_text, text, &n);
    kx_arena_init(&b->arena, b->ctx);
    assert_non_null(b->bytes);
    if (kx_model_read(b->ctx, b->bytes, n, &b->model) < 0 ||
        kx_graph_new(b->ctx, b->model, &options, &b->graph) < 0 ||
        kx_choose(b->graph, &b->arena, layer, NULL, NULL, &b->choice) < 0)
        fail_msg("%s", kldve_ctx_message(b->ctx));
}

static void tear_down(built *b)
{
    kx_arena_free(&b->arena);
    kx_graph_free(b->graph);
    kx_model_free(b->model);
    kldve_ctx_free(b->ctx);
    free(b->bytes);
    assert_int_equal(b->heap.live, 0);
}

static void check_topology(void **state)
{
    const struct topology *t = *state;
    const char *note;
    built b;

    build(&b, t->text, t->layer);
    assert_string_equal(b.choice.layer->name, t->found);
    assert_int_equal(b.choice.how, t->how);
    assert_int_equal(b.choice.all_paths, t->all_paths);
    note = kx_note_at(&b.choice.notes, 0);
    assert_int_equal(note != NULL, t->note != NULL);
    if (note)
        assert_non_null(strstr(note, t->note));
    tear_down(&b);
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
    built b;

    build(&b, t->text, t->layer);
    for (int32_t i = 1; i < b.choice.ntensor; i++) {
        const kx_value *v = b.choice.tensor[i];

        if (v != b.choice.logits)
            assert_int_equal(b.choice.ways.all[v->id], !reaches_without(b.graph, &b.choice, v));
    }
    tear_down(&b);
}

enum { TOPOLOGIES = sizeof topologies / sizeof *topologies };

int main(void)
{
    struct CMUnitTest tests[2 * TOPOLOGIES];

    for (size_t i = 0; i < TOPOLOGIES; i++) {
        void *of = (void *)(uintptr_t)&topologies[i];

        tests[2 * i] = (struct CMUnitTest){topologies[i].name, check_topology, NULL, NULL, of};
        tests[2 * i + 1] = (struct CMUnitTest){"its cuts", check_cuts, NULL, NULL, of};
    }
    return cmocka_run_group_tests_name("choose layer", tests, NULL, NULL);
}
