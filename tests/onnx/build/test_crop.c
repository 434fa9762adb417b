/* test_crop.c - tails of transformers of which the score reads a few rows: the same results as
 * KLDVE_ONNX_FLAG_PLAIN, which computes every node of the file with other kernels, and fewer nodes
 * of the file left. */
#include "onnx/networks/opened.h"
#include "onnx/networks/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/load.h"

enum { TEXT = 8192, SIDE = 16, TOKENS = 17, WIDTH = 12 };

/* ---- networks -------------------------------------------------------------------------------- */

/* Patches of 4 x 4 and a class token: z [1][17][12]; "a" is the layer. */
#define BEGIN                                                                                      \
    "opset 17; in x 1,3,16,16; t k f32 12,3,4,4 0.2,-0.1,0.15,-0.3,0.05; n Conv x,k p "            \
    "strides=[4,4]; "                                                                              \
    "i rs 1,12,16; n Reshape p,rs r; n Transpose r u perm=[0,2,1]; "                               \
    "t c f32 1,1,12 0.3,-0.2,0.1; n Concat c,u z0 axis=1; "                                        \
    "t pe f32 1,17,12 0.1,-0.05,0.2,0.15,-0.1,0.02,0.3; n Add z0,pe a; "                           \
    "t g f32 12 1.1,0.9,1.3,0.8; t b f32 12 0.1,-0.1,0.05; "                                       \
    "t wq f32 12,12 0.3,-0.2,0.25,0.1,-0.4,0.15,0.05; t wk f32 12,12 -0.2,0.3,0.1,0.2,-0.15; "     \
    "t wv f32 12,12 0.25,-0.35,0.1,0.3,0.2,-0.05,0.15,0.1,-0.2; "                                  \
    "t wa f32 12,36 0.3,-0.2,0.25,0.1,-0.4,0.15,0.05; t ba f32 36 0.05,-0.1,0.2; "                 \
    "t wo f32 12,12 0.2,0.1,-0.3,0.25,-0.1; t bo f32 12 0.1,-0.2; "                                \
    "t w1 f32 12,24 0.2,-0.3,0.1,0.15,-0.25,0.3,0.05; t b1 f32 24 0.1,-0.05,0.2; "                 \
    "t w2 f32 24,12 -0.1,0.2,0.3,-0.15,0.25; t b2 f32 12 0.02,-0.1; "                              \
    "t wh f32 12,5 0.4,-0.3,0.2,0.5,-0.2,0.1,-0.45; t bh f32 5 0.1,0,-0.1; "
#define NORM(in, out) "n LayerNormalization " in ",g,b " out " axis=-1; "
/* As exporters write it. */
#define SPELLED(in, out)                                                                           \
    "n ReduceMean " in " " out "m axes=[-1]; n Sub " in "," out "m " out "d; n Mul " out "d," out  \
    "d " out "s; n ReduceMean " out "s " out "v axes=[-1]; n Add " out "v,eps " out                \
    "e; n Sqrt " out "e " out "r; n Div " out "d," out "r " out "h; n Mul " out "h,g " out         \
    "i; n Add " out "i,b " out "; "
#define EPS "t eps f32 - 0.00001; "
#define MLP(in, out)                                                                               \
    "n MatMul " in ",w1 " out "1; n Add " out "1,b1 " out "2; n Sigmoid " out "2 " out             \
    "3; n Mul " out "2," out "3 " out "4; n MatMul " out "4,w2 " out "5; n Add " out "5,b2 " out   \
    "; "
#define SCALE "t qs f32 - 0.5; "
/* Heads from three products, batch first: [1][3][17][4]. */
#define HEADS                                                                                      \
    "n MatMul n1,wq q; n MatMul n1,wk k1; n MatMul n1,wv v; i hs 1,17,3,4; n Reshape q,hs q1; "    \
    "n Reshape k1,hs k2; n Reshape v,hs v1; n Transpose q1 q2 perm=[0,2,1,3]; "                    \
    "n Transpose k2 k3 perm=[0,2,3,1]; n Transpose v1 v2 perm=[0,2,1,3]; n Mul q2,qs q3; "
/* Tokens first, one product for all, cut: [3][17][4]. */
#define SLICED                                                                                     \
    "n Transpose n1 nt perm=[1,0,2]; n MatMul nt,wa qkv0; n Add ba,qkv0 qkv; "                     \
    "i i0 0; i i12 12; i i24 24; i i36 36; i ax 2; n Slice qkv,i0,i12,ax q; "                      \
    "n Slice qkv,i12,i24,ax k1; n Slice qkv,i24,i36,ax v; i hs 17,3,4; n Reshape q,hs q1; "        \
    "n Reshape k1,hs k2; n Reshape v,hs v1; n Transpose q1 q2 perm=[1,0,2]; "                      \
    "n Transpose k2 k3 perm=[1,2,0]; n Transpose v1 v2 perm=[1,0,2]; n Mul q2,qs q3; "
/* The same with a Split in front of the heads. */
#define SPLIT                                                                                      \
    "n MatMul n1,wa qkv0; n Add ba,qkv0 qkv; i sz 12,12,12; n Split qkv,sz q,k1,v axis=2; "        \
    "i hs 1,17,3,4; n Reshape q,hs q1; n Reshape k1,hs k2; n Reshape v,hs v1; "                    \
    "n Transpose q1 q2 perm=[0,2,1,3]; n Transpose k2 k3 perm=[0,2,3,1]; "                         \
    "n Transpose v1 v2 perm=[0,2,1,3]; n Mul q2,qs q3; "
/* Heads of one tensor, chosen by Gather: [3][1][3][17][4]. */
#define GATHERED                                                                                   \
    "n MatMul n1,wa qkv0; n Add ba,qkv0 qkv; i hs 1,17,3,3,4; n Reshape qkv,hs r5; "               \
    "n Transpose r5 t5 perm=[2,0,3,1,4]; t j0 s32 - 0; t j1 s32 - 1; t j2 s32 - 2; "               \
    "n Cast j0 n0 to=7; n Cast j1 n1i to=7; n Cast j2 n2i to=7; n Gather t5,n0 q2 axis=0; "        \
    "n Gather t5,n1i kk axis=0; n Gather t5,n2i v2 axis=0; "                                       \
    "n Transpose kk k3 perm=[0,1,3,2]; n Mul q2,qs q3; "
#define ATTEND "n MatMul q3,k3 s; n Softmax s t axis=-1; n MatMul t,v2 o; "
#define BACK "n Transpose o o1 perm=[0,2,1,3]; i bs 1,17,12; n Reshape o1,bs o2; "
#define OUT "n MatMul o2,wo o3; n Add o3,bo o4; "
/* Tokens first: through a Gemm of rows. */
#define OUT_ROWS                                                                                   \
    "n Transpose o o1 perm=[1,0,2]; i bs 17,12; n Reshape o1,bs o2; n Gemm o2,wo,bo o3; "          \
    "i cs 17,1,12; n Reshape o3,cs o5; n Transpose o5 o4 perm=[1,0,2]; "
#define REST_OF_BLOCK "n Add o4,a y1; " NORM("y1", "n2") MLP("n2", "m") "n Add y1,m y2; "
#define CLASS_TOKEN                                                                                \
    "t ci s32 - 0; n Cast ci c0 to=7; n Gather n3,c0 f axis=1; n Gemm f,wh,bh y; out y"
#define CLASS_SLICE                                                                                \
    "i e0 0; i e1 1; i ea 1; n Slice n3,e0,e1,ea f1; n Squeeze f1,ea f; n Gemm f,wh,bh y; out y"
#define CLASS_SPLIT                                                                                \
    "i es 1,16; n Split n3,es f1,rest axis=1; i fs 1,12; n Reshape f1,fs f; n Gemm f,wh,bh y; "    \
    "out y"
/* Two tokens, each with a part of the score. */
#define TWO_TOKENS                                                                                 \
    "t ci s32 - 0; t di s32 - -16; n Cast ci c0 to=7; n Cast di d0 to=7; n Gather n3,c0 f "        \
    "axis=1; "                                                                                     \
    "n Gather n3,d0 h axis=1; n Gemm f,wh,bh y1s; n Gemm h,wh ys; n Add y1s,ys y; out y"
#define MEAN "n ReduceMean n3 f axes=[1] keepdims=0; n Gemm f,wh,bh y; out y"
#define FINAL NORM("y2", "n3")
#define START(norm) BEGIN SCALE EPS norm("a", "n1")

static const struct tail {
    const char *name, *text;
    bool gains; /* a part is read */
} tails[] = {
    {"heads", START(NORM) HEADS ATTEND BACK OUT REST_OF_BLOCK FINAL CLASS_TOKEN, true},
    {"sliced", START(NORM) SLICED ATTEND OUT_ROWS REST_OF_BLOCK FINAL CLASS_TOKEN, true},
    {"split", START(NORM) SPLIT ATTEND BACK OUT REST_OF_BLOCK FINAL CLASS_SLICE, true},
    {"gathered", START(NORM) GATHERED ATTEND BACK OUT REST_OF_BLOCK FINAL CLASS_SPLIT, true},
    {"spelled",
     START(SPELLED) HEADS ATTEND BACK OUT "n Add o4,a y1; " SPELLED("y1", "n2")
         MLP("n2", "m") "n Add y1,m y2; " SPELLED("y2", "n3") CLASS_TOKEN,
     true},
    {"two tokens", START(NORM) SLICED ATTEND OUT_ROWS REST_OF_BLOCK FINAL TWO_TOKENS, true},
    {"mean", START(NORM) HEADS ATTEND BACK OUT REST_OF_BLOCK FINAL MEAN, false},
    {"masked",
     START(NORM) HEADS "n MatMul q3,k3 s0; t mask f32 1,1,17,17 0,-1,0.5,0,-2; n Add s0,mask s; n "
                       "Softmax s t axis=-1; "
                       "n MatMul t,v2 o; " BACK OUT REST_OF_BLOCK FINAL CLASS_TOKEN,
     true},
    {"quantised",
     START(NORM) HEADS ATTEND BACK OUT "n Add o4,a y1; " NORM(
         "y1", "n2") "t sc f32 - 0.05; t zp u8 - 100; n QuantizeLinear n2,sc,zp q8; "
                     "n DequantizeLinear q8,sc,zp n2q; " MLP(
                         "n2q", "m") "n Add y1,m y2; " FINAL CLASS_TOKEN,
     true},
};

/* ---- both ways ------------------------------------------------------------------------------- */

typedef struct results {
    float *logits, *features, *gradient, *pixels;
} results;

static float *numbers(size_t count)
{
    float *x = calloc(count, sizeof *x);

    assert_non_null(x);
    return x;
}

static results run(opened *o)
{
    const kldve_backend *b = kldve_onnx_backend();
    results r = {numbers(o->classes), numbers(o->features), numbers(o->features),
                 numbers(o->inputs)};
    float *input = numbers(o->inputs), *cotangent = numbers(o->classes);
    uint64_t seed = 5;

    for (size_t i = 0; i < o->inputs; i++)
        input[i] = (float)test_normal(&seed);
    for (size_t i = 0; i < o->classes; i++)
        cotangent[i] = (float)test_normal(&seed);
    assert_int_equal(b->forward(o->state, input, r.logits, r.features), KLDVE_OK);
    assert_int_equal(b->vjp(o->state, cotangent, r.gradient), KLDVE_OK);
    assert_int_equal(b->vjp_input(o->state, cotangent, KLDVE_RULE_GRADIENT, r.pixels), KLDVE_OK);
    free(input);
    free(cotangent);
    return r;
}

static void free_results(results *r)
{
    free(r->logits);
    free(r->features);
    free(r->gradient);
    free(r->pixels);
}

static void assert_near(const char *name, const char *what, const float *a, const float *b,
                        size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs((double)b[i]));
    if (!(most > 0))
        fail_msg("%s: %s: all are zero", name, what);
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= 2e-5 * most))
            fail_msg("%s: %s %zu is %g, not %g", name, what, i, (double)a[i], (double)b[i]);
}

static results run_with(const char *text, uint64_t flags, opened *o)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .layer = "a", .flags = flags | KLDVE_ONNX_FLAG_VJP_INPUT};

    opened_state(o, opened_text(o, text, &options));
    return run(o);
}

static void compare(const struct tail *t)
{
    opened plain, fast;
    results a = run_with(t->text, KLDVE_ONNX_FLAG_PLAIN, &plain), b = run_with(t->text, 0, &fast);

    assert_near(t->name, "logit", b.logits, a.logits, fast.classes);
    assert_near(t->name, "feature", b.features, a.features, fast.features);
    assert_near(t->name, "gradient", b.gradient, a.gradient, fast.features);
    assert_near(t->name, "pixel", b.pixels, a.pixels, fast.inputs);
    assert_ptr_equal(plain.net->options.logits, plain.net->choice.logits);
    if (t->gains != (fast.net->options.logits != fast.net->choice.logits))
        fail_msg("%s: %s", t->name,
                 t->gains ? "all of it is computed" : "there is nothing to gain");
    free_results(&a);
    free_results(&b);
    opened_close(&plain);
    opened_close(&fast);
}

static void test_tails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        compare(&tails[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tails)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
