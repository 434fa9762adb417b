/* test_spelled.c - functions that networks spell out in several operators: whether the plan
 * recognises them, by the number of its steps, and whether it then computes the same, forward and
 * backward, as the plain kernels do operator by operator.  Near misses must stay what they are. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "build/build.h"
#include "onnx/networks/text.h"
#include "plan/plan.h"
#include "read/proto.h"
#include "run/state.h"

/* Constants that the cases below share. */
#define NUMBERS                                                                                    \
    "n Constant - half value_float=0.5; n Constant - one value_float=1.0;"                         \
    "n Constant - two value_float=2.0; n Constant - three value_float=3.0;"                        \
    "n Constant - root value_float=1.41421356; n Constant - down value_float=0.70710678;"          \
    "n Constant - cube value_float=0.044715; n Constant - scale value_float=0.79788456;"           \
    "n Constant - quick value_float=1.702; n Constant - eps value_float=0.001;"                    \
    "n Constant - sixth value_float=0.16666667; n Constant - lo value_float=0.0;"                  \
    "n Constant - hi value_float=6.0;"
#define ACT "in x 3,20; " NUMBERS
#define ROWS "in a 3,20; " NUMBERS "n Sin a x;"

static const struct spelled {
    const char *name, *text;
    int32_t steps; /* forward */
} cases[] = {
    {"GELU as torch writes it",
     ACT "n Div x,root a; n Erf a b; n Add b,one c; n Mul x,c d; n Mul d,half y; out y", 1},
    {"GELU, half of x first",
     ACT "n Mul x,half h; n Mul x,down a; n Erf a b; n Add one,b c; n Mul c,h y; out y", 1},
    {"GELU, half of the gate",
     ACT "n Div x,root a; n Erf a b; n Mul b,half c; n Add c,half d; n Mul d,x y; out y", 1},
    {"GELU by tanh",
     ACT "n Pow x,three p; n Mul p,cube q; n Add x,q r; n Mul r,scale s; n Tanh s t;"
         "n Add t,one u; n Mul x,half h; n Mul h,u y; out y",
     1},
    {"GELU by tanh, Horner",
     ACT "n Mul x,x p; n Mul p,cube q; n Add q,one r; n Mul x,r s; n Mul s,scale v; n Tanh v t;"
         "n Add t,one u; n Mul x,u w; n Mul half,w y; out y",
     1},
    {"quick GELU", ACT "n Mul x,quick a; n Sigmoid a b; n Mul x,b y; out y", 1},
    {"swish", ACT "n Sigmoid x b; n Mul b,x y; out y", 1},
    {"hard swish by a hard sigmoid",
     ACT "n HardSigmoid x b alpha=0.16666667 beta=0.5; n Mul x,b y; out y", 1},
    {"hard swish by a clip",
     ACT "n Add x,three a; n Clip a,lo,hi b; n Mul x,b c; n Div c,hi y; out y", 1},
    {"the gate is read by others, too", ACT "n Sigmoid x b; n Mul b,x c; n Add b,c y; out y", 3},
    {"not half", ACT "n Div x,root a; n Erf a b; n Add b,one c; n Mul x,c d; n Mul d,two y; out y",
     5},
    {"not the root of 2",
     ACT "n Div x,two a; n Erf a b; n Add b,one c; n Mul x,c d; n Mul d,half y; out y", 5},
    {"another x", ACT "n Sin x z; n Sigmoid z b; n Mul x,b y; out y", 3},
    {"layer norm as torch writes it",
     ROWS "n ReduceMean x m axes=[-1]; n Sub x,m d; n Pow d,two s; n ReduceMean s v axes=[-1];"
          "n Add v,eps e; n Sqrt e r; n Div d,r h; w g 20; w b 20; n Mul h,g i; n Add i,b y; out y",
     2},
    {"layer norm, the difference twice",
     ROWS "n ReduceMean x m axes=[-1]; n Sub x,m d; n Sub x,m f; n Mul d,d s;"
          "n ReduceMean s v axes=[-1]; n Add v,eps e; n Sqrt e r; n Div f,r y; out y",
     2},
    {"layer norm by a reciprocal",
     ROWS "n ReduceMean x m axes=[-1]; n Sub x,m d; n Mul d,d s; n ReduceMean s v axes=[-1];"
          "n Add v,eps e; n Sqrt e r; n Reciprocal r q; n Mul q,d h; w b 20; n Add h,b y; out y",
     2},
    {"RMS norm",
     ROWS "n Pow x,two s; n ReduceMean s v axes=[-1]; n Add v,eps e; n Sqrt e r; n Div x,r h;"
          "w g 1,20; n Mul h,g y; out y",
     2},
    {"the deviation is read by others, too",
     ROWS "n ReduceMean x m axes=[-1]; n Sub x,m d; n Mul d,d s; n ReduceMean s v axes=[-1];"
          "n Add v,eps e; n Sqrt e r; n Div d,r h; n Add h,r y; out y",
     9},
    {"a mean of something else: the RMS norm of the difference",
     ROWS "n Sin x z; n ReduceMean z m axes=[-1]; n Sub x,m d; n Mul d,d s;"
          "n ReduceMean s v axes=[-1]; n Add v,eps e; n Sqrt e r; n Div d,r y; out y",
     5},
    {"scale by row, not by element",
     ROWS "n ReduceMean x m axes=[-1]; n Sub x,m d; n Mul d,d s; n ReduceMean s v axes=[-1];"
          "n Add v,eps e; n Sqrt e r; n Div d,r h; w g 3,1; n Mul h,g y; out y",
     3},
};

enum { MOST = 60 };

typedef struct result {
    float y[MOST], dx[MOST];
    int32_t steps;
} result;

static void run(kldve_ctx *ctx, const kx_graph *g, bool plain, result *r)
{
    const kx_plan_options options = {.input = g->input[0],
                                     .logits = g->output[0],
                                     .vjp_input = true,
                                     .plain = plain,
                                     .threads = 1};
    float x[MOST], dy[MOST];
    kx_state *state = NULL;
    kx_plan *plan = NULL;
    uint64_t seed = 5;

    assert_true(g->input[0]->count <= MOST && g->output[0]->count <= MOST);
    for (int i = 0; i < MOST; i++) {
        x[i] = (float)test_normal(&seed);
        dy[i] = (float)test_normal(&seed);
    }
    if (kx_plan_new(ctx, g, &options, &plan) < 0 || kx_state_new(ctx, plan, &state) < 0 ||
        kx_state_forward(state, x, r->y, NULL) < 0 ||
        kx_state_vjp(state, KX_TO_INPUT, KLDVE_RULE_GRADIENT, dy, r->dx) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    r->steps = plan->forward.to;
    kx_state_free(state);
    kx_plan_free(plan);
}

static void test_case(void **state)
{
    const struct spelled *c = *state;
    const kx_graph_options options = {.batch = 1};
    result fast, slow;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *model = NULL;
    kx_graph *g = NULL;
    size_t nbytes;
    unsigned char *bytes = writer_memory(write_text, c->text, &nbytes);

    if (kx_model_read(ctx, bytes, nbytes, &model) < 0 || kx_graph_new(ctx, model, &options, &g) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    run(ctx, g, false, &fast);
    run(ctx, g, true, &slow);
    assert_int_equal(fast.steps, c->steps);
    for (size_t i = 0; i < g->output[0]->count; i++)
        assert_true(fabsf(fast.y[i] - slow.y[i]) <= 2e-6f * (1 + fabsf(slow.y[i])));
    for (size_t i = 0; i < g->input[0]->count; i++)
        assert_true(fabsf(fast.dx[i] - slow.dx[i]) <= 1e-5f * (1 + fabsf(slow.dx[i])));
    kx_graph_free(g);
    kx_model_free(model);
    free(bytes);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    return TEST_RUN_CASES("spelled", cases, test_case);
}
