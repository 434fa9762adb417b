/* test_tiled.c - 3 x 3 convolutions by the transforms of our own against the plain kernels:
 * borders, several bands, what is merged into them; and which convolutions are left to oneDNN. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "build/build.h"
#include "onnx/networks/text.h"
#include "plan/plan.h"
#include "read/proto.h"
#include "run/state.h"

/* Weights that are not in step with any window. */
#define W "-3,1,4,-1,5,-9,2,6,-5,3,5,-8,9,7,-9,3,2,-3,8,4,-6,2,6,-4,3,-3,8,-3,2"
#define K(dims) "t k f32 " dims " " W "; t b f32 24 1,-2,3,-1,2; "

static const struct tiled {
    const char *name, *text;
    bool tiles;
} cases[] = {
    {"whole tiles", "in x 1,16,12,12; " K("24,16,3,3") "n Conv x,k,b y pads=[1,1,1,1]; out y",
     true},
    {"cut tiles", "in x 1,16,13,15; " K("24,16,3,3") "n Conv x,k,b y pads=[1,1,1,1]; out y", true},
    {"no padding", "in x 1,16,16,17; " K("24,16,3,3") "n Conv x,k,b y; out y", true},
    {"padding that differs",
     "in x 1,16,14,13; " K("24,16,3,3") "n Conv x,k,b y pads=[2,0,1,3]; out y", true},
    {"no bias", "in x 1,16,12,12; " K("24,16,3,3") "n Conv x,k y pads=[1,1,1,1]; out y", true},
    {"rectified",
     "in x 1,16,14,14; " K("24,16,3,3") "n Conv x,k,b c pads=[1,1,1,1]; n Relu c y; out y", true},
    {"another activation",
     "in x 1,16,14,14; " K(
         "24,16,3,3") "n Conv x,k,b c pads=[1,1,1,1]; n LeakyRelu c y alpha=0.25; out y",
     true},
    {"normalised",
     "in x 1,16,14,14; " K("24,16,3,3") "t s f32 24 1,2,-1,0.5; t m f32 24 3,-2,1; "
                                        "t v f32 24 4,1,2; n Conv x,k c pads=[1,1,1,1]; n "
                                        "BatchNormalization c,s,b,m,v n; "
                                        "n Relu n y; out y",
     true},
    {"two bands, the second lower",
     "in x 1,16,130,150; " K("24,16,3,3") "n Conv x,k,b y pads=[1,1,1,1]; out y", true},
    {"one behind another",
     "in x 1,16,20,20; " K(
         "24,16,3,3") "t l f32 16,24,3,3 " W "; n Conv x,k,b c pads=[1,1,1,1]; "
                      "n Relu c r; n Conv r,l d pads=[1,1,1,1]; n Relu d y; out y",
     true},
    {"a concatenation of both",
     "in x 1,16,20,20; " K("24,16,3,3") "t l f32 16,16,3,3 " W "; n Conv x,k,b c pads=[1,1,1,1]; "
                                        "n Conv x,l d pads=[1,1,1,1]; n Concat c,d y axis=1; out y",
     true},
    {"small", "in x 1,16,7,7; " K("24,16,3,3") "n Conv x,k,b y pads=[1,1,1,1]; out y", false},
    {"every second",
     "in x 1,16,30,30; " K("24,16,3,3") "n Conv x,k,b y pads=[1,1,1,1] strides=[2,2]; out y",
     false},
    {"other windows", "in x 1,16,20,20; " K("24,16,5,5") "n Conv x,k,b y pads=[2,2,2,2]; out y",
     false},
    {"channels that fill no blocks",
     "in x 1,18,20,20; " K("24,18,3,3") "n Conv x,k,b y pads=[1,1,1,1]; out y", false},
    {"groups", "in x 1,32,20,20; " K("24,16,3,3") "n Conv x,k,b y pads=[1,1,1,1] group=2; out y",
     false},
    {"large groups",
     "in x 1,32,20,20; t k f32 32,16,3,3 " W "; t b f32 32 1,-2,3,-1,2; "
     "n Conv x,k,b c pads=[1,1,1,1] group=2; n Relu c y; out y",
     true},
    {"a batch", "in x 2,16,20,20; " K("24,16,3,3") "n Conv x,k,b y pads=[1,1,1,1]; out y", false},
};

typedef struct result {
    float *y, *dx;
    int32_t tiles; /* steps */
    bool possible;
} result;

static float *noise(size_t n, uint64_t seed)
{
    float *x = malloc(n * sizeof *x);

    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)test_normal(&seed);
    return x;
}

/* Does this processor transform at all? */
static bool possible(const kx_plan *plan)
{
    const kx_conv_desc d = {.batch = 1,
                            .in_channels = 16,
                            .out_channels = 16,
                            .groups = 1,
                            .in = {12, 12},
                            .out = {12, 12},
                            .kernel = {3, 3},
                            .stride = {1, 1},
                            .dilation = {1, 1},
                            .pad_begin = {1, 1},
                            .pad_end = {1, 1}};

    return kx_accel_tiles(plan->accel, &d);
}

static void run(kldve_ctx *ctx, const kx_graph *g, bool plain, int threads, result *r)
{
    const kx_plan_options options = {.input = g->input[0],
                                     .logits = g->output[0],
                                     .vjp_input = true,
                                     .plain = plain,
                                     .threads = threads};
    size_t nx = g->input[0]->count, ny = g->output[0]->count;
    float *x = noise(nx, 5), *dy = noise(ny, 6);
    kx_state *state = NULL;
    kx_plan *plan = NULL;

    *r = (result){.y = noise(ny, 1), .dx = noise(nx, 1)};
    if (kx_plan_new(ctx, g, &options, &plan) < 0 || kx_state_new(ctx, plan, &state) < 0 ||
        kx_state_forward(state, x, r->y, NULL) < 0 ||
        kx_state_vjp(state, KX_TO_INPUT, KLDVE_RULE_GRADIENT, dy, r->dx) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    for (int32_t i = 0; i < plan->nstep; i++)
        r->tiles += plan->step[i].kind == KX_STEP_TILES_OUT;
    r->possible = possible(plan);
    kx_state_free(state);
    kx_plan_free(plan);
    free(x);
    free(dy);
}

/* Within so much of the largest. */
static void compare(const char *what, size_t n, const float *fast, const float *slow, float within)
{
    float largest = 0;

    for (size_t i = 0; i < n; i++)
        largest = fmaxf(largest, fabsf(slow[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(fast[i] - slow[i]) <= within * largest))
            fail_msg("%s: element %zu is %g, expected %g", what, i, (double)fast[i],
                     (double)slow[i]);
}

static void test_case(void **state)
{
    const struct tiled *c = *state;
    const kx_graph_options options = {0};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *model = NULL;
    kx_graph *g = NULL;
    result slow;
    size_t nbytes;
    unsigned char *bytes = writer_memory(write_text, c->text, &nbytes);

    if (kx_model_read(ctx, bytes, nbytes, &model) < 0 || kx_graph_new(ctx, model, &options, &g) < 0)
        fail_msg("%s", kldve_ctx_message(ctx));
    run(ctx, g, true, 1, &slow);
    assert_int_equal(slow.tiles, 0);
    for (int threads = 1; threads <= 2; threads++) {
        result fast;

        run(ctx, g, false, threads, &fast);
        assert_int_equal(fast.tiles > 0, c->tiles && fast.possible);
        compare("result", g->output[0]->count, fast.y, slow.y, 1e-5f);
        compare("gradient", g->input[0]->count, fast.dx, slow.dx, 1e-4f);
        free(fast.y);
        free(fast.dx);
    }
    free(slow.y);
    free(slow.dx);
    kx_graph_free(g);
    kx_model_free(model);
    free(bytes);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    return TEST_RUN_CASES("tiled", cases, test_case);
}
