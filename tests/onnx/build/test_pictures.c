/* test_pictures.c - batches inside a network: pictures that it makes of one are turned and moved
 * back to their places; of a batch that the file fixes one picture is the layer.  The features are
 * those of the same network for one picture, and what it computes stays the same. */
#include "onnx/networks/opened.h"
#include "onnx/got_note.h"
#include "onnx/networks/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/kldve.h>

enum { SIDE = 8, CELLS = SIDE * SIDE, MAPS = 8, CLASSES = 5, CUT = 6 };

#define WEIGHTS                                                                                    \
    "t w f32 8,3,3,3 0.3,-0.2,0.15,-0.1,0.25,0.05,-0.3; t d f32 8,5 0.5,-0.3,0.2,0.7,-0.1,0.4; "
#define TRUNK(from) "n Conv " from ",w a pads=[1,1,1,1]; n Relu a r; "
#define SCORES "n GlobalAveragePool r g; n Flatten g f; n Gemm f,d s; "
#define CUTS "i a0 0; i a2 2; i a6 6; i a8 8; i rows 2; i cols 3; "
/* Rows [top, top + 6) and columns [left, left + 6) as NAME. */
#define CROP(name, top, bottom, left, right)                                                       \
    "n Slice x," top "," bottom ",rows h" name "; n Slice h" name "," left "," right ",cols " name \
    "; "

#define ONE "in x 1,3,8,8; " WEIGHTS TRUNK("x") SCORES "n Identity s y; out y"
#define SMALL "in x 1,3,6,6; " WEIGHTS TRUNK("x") SCORES "n Identity s y; out y"
#define MIRROR                                                                                     \
    "in x 1,3,8,8; " WEIGHTS "i from -1; i to -9; i axis 3; i by -1; "                             \
    "n Slice x,from,to,axis,by z; n Concat x,z b axis=0; "
#define MIRROR_SUM MIRROR TRUNK("b") SCORES "i ax 0; n ReduceSum s,ax y; out y"
/* The rest of the network takes the two apart again. */
#define MIRROR_SPLIT                                                                               \
    MIRROR TRUNK("b") "n GlobalAveragePool r g; i e 1,1; n Split g,e g1,g2 axis=0; "               \
                      "n Add g1,g2 g3; n Flatten g3 f; n Gemm f,d y; out y"
/* The maps of both are added where each lies: no place is the same for both. */
#define MIRROR_MIXED                                                                               \
    MIRROR TRUNK("b") "i ax 0; n ReduceSum r,ax q; n GlobalAveragePool q g; n Flatten g f; "       \
                      "n Gemm f,d y; out y"
#define CROPS                                                                                      \
    "in x 1,3,8,8; " WEIGHTS CUTS CROP("c1", "a0", "a6", "a0", "a6")                               \
        CROP("c2", "a2", "a8", "a2", "a8") "n Concat c1,c2 b axis=0; " TRUNK("b") SCORES           \
        "i ax 0; n ReduceMean s y axes=[0]; out y"
/* A part of the picture beside all of it, in the same size. */
#define ZOOM                                                                                       \
    "in x 1,3,8,8; " WEIGHTS CUTS CROP("c1", "a2", "a6", "a2",                                     \
                                       "a6") "n Resize c1,_,_,big c3 mode='nearest'; i big "       \
                                             "1,3,8,8; n Concat x,c3 b axis=0; " TRUNK("b") SCORES \
        "n ReduceMean s y axes=[0]; out y"
/* One picture: cut out, on a larger ground, on it and off again, transposed. */
#define CUT_OUT                                                                                    \
    "in x 1,3,8,8; " WEIGHTS CUTS CROP("c1", "a2", "a8", "a2", "a8") TRUNK("c1") SCORES            \
        "n Identity s y; out y"
#define GROUND "i pads 0,0,4,4,0,0,5,5; n Pad x,pads p; "
#define PADDED "in x 1,3,8,8; " WEIGHTS GROUND TRUNK("p") SCORES "n Identity s y; out y"
#define LARGE "in x 1,3,17,17; " WEIGHTS TRUNK("x") SCORES "n Identity s y; out y"
#define PADDED_CUT                                                                                 \
    "in x 1,3,8,8; " WEIGHTS GROUND                                                                \
    "i from 4,4; i to 12,12; i axes 2,3; n Slice p,from,to,axes c; " TRUNK("c") SCORES             \
        "n Identity s y; out y"
/* The ground of one cell is for the window behind it. */
#define WINDOW                                                                                     \
    "in x 1,3,8,8; " WEIGHTS                                                                       \
    "i pads 0,0,1,1,0,0,1,1; n Pad x,pads p; n Conv p,w a; n Relu a r; " SCORES                    \
    "n Identity s y; out y"
#define TURNED                                                                                     \
    "in x 1,3,8,8; " WEIGHTS "n Transpose x t perm=[0,1,3,2]; " TRUNK("t") SCORES                  \
        "n Identity s y; out y"
/* What stands behind row 3 and column 5 comes first. */
#define ROLL(from, to, at, axis)                                                                   \
    "i b" to " " at "; i e" to " 8; i z" to " 0; i x" to " " axis "; n Slice " from ",b" to        \
    ",e" to ",x" to " h" to "; n Slice " from ",z" to ",b" to ",x" to " t" to "; n Concat h" to    \
    ",t" to " " to " axis=" axis "; "
#define ROLLED                                                                                     \
    "in x 1,3,8,8; " WEIGHTS ROLL("x", "p", "3", "2") ROLL("p", "q", "5", "3") TRUNK("q") SCORES   \
        "n Identity s y; out y"
#define ROLLED_BACK                                                                                \
    "in x 1,3,8,8; " WEIGHTS ROLL("x", "p", "3", "3") ROLL("p", "q", "5", "3") TRUNK("q") SCORES   \
        "n Identity s y; out y"
#define ROLLED_CUT                                                                                 \
    "in x 1,3,8,8; " WEIGHTS ROLL("x", "p", "3", "3") "i a2 2; i a8 8; i cols 3; "                 \
                                                      "n Slice p,a2,a8,cols q; " TRUNK("q") SCORES \
        "n Identity s y; out y"
/* Thirds in an order that does not go round. */
#define SWAPPED                                                                                    \
    "in x 1,3,8,8; " WEIGHTS "i parts 3,3,2; n Split x,parts u,v,w3 axis=2; "                      \
    "n Concat v,u,w3 q axis=2; " TRUNK("q") SCORES "n Identity s y; out y"
#define FIXED "in x 3,3,8,8; " WEIGHTS TRUNK("x") SCORES "i to 3,5; n Reshape s,to y; out y"
/* The scores of one picture are made from all. */
#define FIXED_MIXED                                                                                \
    "in x 3,3,8,8; " WEIGHTS TRUNK("x") SCORES                                                     \
        "i to 3,5; n Reshape s,to s3; n ReduceMean s3 m axes=[0]; n Add s3,m y; out y"

typedef struct results {
    kldve_shape shape;
    float *logits, *features, *gradient;
    char notes[1024];
} results;

static results run_with(const char *network, const kldve_onnx_options *options, const float *input)
{
    const kldve_backend *b = kldve_onnx_backend();
    float cotangent[CLASSES];
    results r = {.notes = ""};
    const char *note;
    opened o;

    opened_state(&o, opened_text(&o, network, options));
    r.shape = o.shape;
    assert_int_equal(o.classes, CLASSES);
    r.logits = calloc(o.classes, sizeof(float));
    r.features = calloc(o.features, sizeof(float));
    r.gradient = calloc(o.features, sizeof(float));
    for (size_t i = 0; i < CLASSES; i++)
        cotangent[i] = (float)i - 1.25f;
    assert_int_equal(b->forward(o.state, input, r.logits, r.features), KLDVE_OK);
    assert_int_equal(b->vjp(o.state, cotangent, r.gradient), KLDVE_OK);
    for (int32_t i = 0; (note = got_note(o.net, i)); i++)
        strncat(r.notes, note, sizeof r.notes - strlen(r.notes) - 1);
    opened_close(&o);
    return r;
}

static results run(const char *network, const float *input)
{
    return run_with(network, NULL, input);
}

static void free_results(results *r)
{
    free(r->logits);
    free(r->features);
    free(r->gradient);
}

static void random_picture(float *x, size_t n)
{
    uint64_t seed = 11;

    for (size_t i = 0; i < n; i++)
        x[i] = (float)test_normal(&seed);
}

static void assert_close(const char *what, double a, double b)
{
    if (!(fabs(a - b) <= 1e-5 * (1 + fabs(b))))
        fail_msg("%s: %g, not %g", what, a, b);
}

/* Each row backwards. */
static void mirror(const float *x, size_t rows, float *out)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < SIDE; i++)
            out[row * SIDE + i] = x[row * SIDE + SIDE - 1 - i];
}

/* Rows and columns [top, top + 6) of the channels. */
static void cut(const float *x, size_t top, float *out)
{
    for (size_t c = 0; c < 3; c++)
        for (size_t y = 0; y < CUT; y++)
            memcpy(out + (c * CUT + y) * CUT, x + (c * SIDE + top + y) * SIDE + top,
                   CUT * sizeof *x);
}

/* Both halves of the layer of MIRROR_*: the picture's maps, and those of its mirror image as the
 * picture lies. */
static void check_mirror(const char *network)
{
    float x[3 * CELLS], back[3 * CELLS], maps[MAPS * CELLS], gradient[MAPS * CELLS];
    results joined, one, two;

    random_picture(x, 3 * CELLS);
    mirror(x, 3 * SIDE, back);
    joined = run(network, x);
    one = run(ONE, x);
    two = run(ONE, back);
    assert_int_equal(joined.shape.maps, 2 * MAPS);
    assert_int_equal(joined.shape.height, SIDE);
    assert_int_equal(joined.shape.all_paths, 1);
    mirror(two.features, MAPS * SIDE, maps);
    mirror(two.gradient, MAPS * SIDE, gradient);
    for (size_t i = 0; i < MAPS * CELLS; i++) {
        assert_close("feature", (double)joined.features[i], (double)one.features[i]);
        assert_close("feature", (double)joined.features[MAPS * CELLS + i], (double)maps[i]);
        assert_close("gradient", (double)joined.gradient[i], (double)one.gradient[i]);
        assert_close("gradient", (double)joined.gradient[MAPS * CELLS + i], (double)gradient[i]);
    }
    for (size_t i = 0; i < CLASSES; i++)
        assert_close("logit", (double)joined.logits[i],
                     (double)one.logits[i] + (double)two.logits[i]);
    assert_non_null(strstr(joined.notes, "2 pictures that the network makes of one"));
    free_results(&joined);
    free_results(&one);
    free_results(&two);
}

static void test_mirror(void **state)
{
    (void)state;
    check_mirror(MIRROR_SUM);
    check_mirror(MIRROR_SPLIT);
}

/* The layer in front of the sum is a batch; behind it, nothing is turned any more. */
static void test_mixed(void **state)
{
    float x[3 * CELLS];
    kldve_onnx_options options = {.struct_size = sizeof options, .layer = "r"};
    results behind, before;

    (void)state;
    random_picture(x, 3 * CELLS);
    behind = run(MIRROR_MIXED, x);
    before = run_with(MIRROR_MIXED, &options, x);
    assert_int_equal(behind.shape.maps, MAPS);
    assert_int_equal(before.shape.maps, 2 * MAPS);
    free_results(&behind);
    free_results(&before);
}

/* Two corners of the picture: their cells lie at their places, zeros around them. */
static void test_crops(void **state)
{
    float x[3 * CELLS], part[3 * CUT * CUT];
    results joined, small;

    (void)state;
    random_picture(x, 3 * CELLS);
    joined = run(CROPS, x);
    assert_int_equal(joined.shape.maps, 2 * MAPS);
    assert_int_equal(joined.shape.height, SIDE);
    assert_int_equal(joined.shape.width, SIDE);
    for (size_t which = 0; which < 2; which++) {
        size_t top = 2 * which;

        cut(x, top, part);
        small = run(SMALL, part);
        for (size_t i = 0; i < MAPS * CELLS; i++) {
            size_t m = i / CELLS, row = i / SIDE % SIDE, column = i % SIDE;
            bool in = row >= top && row < top + CUT && column >= top && column < top + CUT;
            size_t at = in ? (m * CUT + row - top) * CUT + column - top : 0;
            float feature = joined.features[which * MAPS * CELLS + i];
            float gradient = joined.gradient[which * MAPS * CELLS + i];

            assert_close("feature", (double)feature, in ? (double)small.features[at] : 0);
            assert_close("gradient", (double)gradient, in ? (double)small.gradient[at] / 2 : 0);
        }
        free_results(&small);
    }
    free_results(&joined);
}

/* Features and gradient of a layer of SIDE x SIDE cells: where those of `other`, `width` cells
 * wide, are moved by (down, right), zeros elsewhere. */
static void check_moved(const results *r, const results *other, ptrdiff_t width, ptrdiff_t by)
{
    assert_int_equal(r->shape.maps, MAPS);
    assert_int_equal(r->shape.height, SIDE);
    assert_int_equal(r->shape.width, SIDE);
    for (ptrdiff_t i = 0; i < MAPS * CELLS; i++) {
        ptrdiff_t m = i / CELLS, row = i / SIDE % SIDE - by, column = i % SIDE - by;
        bool in = row >= 0 && row < width && column >= 0 && column < width;
        ptrdiff_t at = in ? (m * width + row) * width + column : 0;

        assert_close("feature", (double)r->features[i], in ? (double)other->features[at] : 0);
        assert_close("gradient", (double)r->gradient[i], in ? (double)other->gradient[at] : 0);
    }
    for (size_t i = 0; i < CLASSES; i++)
        assert_close("logit", (double)r->logits[i], (double)other->logits[i]);
}

static void check_alone(const char *network, const float *x, const char *same, const float *input,
                        ptrdiff_t width, ptrdiff_t by)
{
    results r = run(network, x), other = run(same, input);

    check_moved(&r, &other, width, by);
    free_results(&r);
    free_results(&other);
}

static void test_alone(void **state)
{
    enum { GROUND_SIDE = 17 };
    float x[3 * CELLS], part[3 * CUT * CUT], large[3 * GROUND_SIDE * GROUND_SIDE] = {0};

    (void)state;
    random_picture(x, 3 * CELLS);
    cut(x, 2, part);
    for (size_t i = 0; i < 3 * CELLS; i++)
        large[(i / CELLS * GROUND_SIDE + i / SIDE % SIDE + 4) * GROUND_SIDE + i % SIDE + 4] = x[i];
    check_alone(CUT_OUT, x, SMALL, part, CUT, 2);
    check_alone(PADDED, x, LARGE, large, GROUND_SIDE, -4);
    check_alone(PADDED_CUT, x, ONE, x, SIDE, 0);
    check_alone(WINDOW, x, ONE, x, SIDE, 0);
}

static void test_turned(void **state)
{
    float x[3 * CELLS], turned[3 * CELLS];
    results r, one;

    (void)state;
    random_picture(x, 3 * CELLS);
    for (size_t i = 0; i < 3 * CELLS; i++)
        turned[i / CELLS * CELLS + i % SIDE * SIDE + i / SIDE % SIDE] = x[i];
    r = run(TURNED, x);
    one = run(ONE, turned);
    for (size_t i = 0; i < MAPS * CELLS; i++) {
        size_t at = i / CELLS * CELLS + i % SIDE * SIDE + i / SIDE % SIDE;

        assert_close("feature", (double)r.features[i], (double)one.features[at]);
        assert_close("gradient", (double)r.gradient[i], (double)one.gradient[at]);
    }
    free_results(&r);
    free_results(&one);
}

/* Cells of a picture that was rolled lie where the picture has them. */
static void test_rolled(void **state)
{
    enum { DOWN = 3, RIGHT = 5 };
    float x[3 * CELLS], rolled[3 * CELLS];
    results r, one;

    (void)state;
    random_picture(x, 3 * CELLS);
    for (size_t i = 0; i < 3 * CELLS; i++)
        rolled[i] = x[i / CELLS * CELLS + (i / SIDE % SIDE + DOWN) % SIDE * SIDE +
                      (i % SIDE + RIGHT) % SIDE];
    r = run(ROLLED, x);
    one = run(ONE, rolled);
    for (size_t i = 0; i < MAPS * CELLS; i++) {
        size_t at =
            i / CELLS * CELLS + (i / SIDE % SIDE + DOWN) % SIDE * SIDE + (i % SIDE + RIGHT) % SIDE;

        assert_close("feature", (double)r.features[at], (double)one.features[i]);
        assert_close("gradient", (double)r.gradient[at], (double)one.gradient[i]);
    }
    assert_null(strstr(r.notes, "pieces of the picture"));
    free_results(&r);
    free_results(&one);
    check_alone(ROLLED_BACK, x, ONE, x, SIDE, 0);
}

/* Where the order is not followed, that is said. */
static void test_disorder(void **state)
{
    static const char *const networks[] = {SWAPPED, ROLLED_CUT, MIRROR_MIXED};
    float x[3 * CELLS];

    (void)state;
    random_picture(x, 3 * CELLS);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const kldve_onnx_options behind = {.struct_size = sizeof behind, .layer = "q"};
        const kldve_onnx_options usual = {.struct_size = sizeof usual, .layer = "r"};
        results r = run_with(networks[i], networks[i] == networks[2] ? &behind : &usual, x);

        assert_non_null(strstr(r.notes, "put pieces of the picture"));
        free_results(&r);
    }
}

/* Parts of different size have no common grid: that is said. */
static void test_zoom(void **state)
{
    float x[3 * CELLS];
    results r;

    (void)state;
    random_picture(x, 3 * CELLS);
    r = run(ZOOM, x);
    assert_int_equal(r.shape.maps, 2 * MAPS);
    assert_non_null(strstr(r.notes, "show parts of different size"));
    free_results(&r);
}

/* Of a batch that the file fixes, the first picture is the layer, if its scores are made from it
 * alone. */
static void test_fixed(void **state)
{
    float x[3 * CELLS];
    results fixed, one, mixed;

    (void)state;
    random_picture(x, 3 * CELLS);
    fixed = run(FIXED, x);
    one = run(ONE, x);
    mixed = run(FIXED_MIXED, x);
    assert_int_equal(fixed.shape.maps, MAPS);
    assert_int_equal(mixed.shape.maps, 3 * MAPS);
    for (size_t i = 0; i < MAPS * CELLS; i++) {
        assert_close("feature", (double)fixed.features[i], (double)one.features[i]);
        assert_close("gradient", (double)fixed.gradient[i], (double)one.gradient[i]);
    }
    for (size_t i = 0; i < CLASSES; i++) {
        assert_close("logit", (double)fixed.logits[i], (double)one.logits[i]);
        assert_close("logit", (double)mixed.logits[i], 2 * (double)one.logits[i]);
    }
    free_results(&fixed);
    free_results(&one);
    free_results(&mixed);
}

/* The network goes on from the layer that it gave, and every allocation of loading fails once. */
static void check_again(const char *network)
{
    kldve_status st = KLDVE_E_NOMEM;
    unsigned char *model;
    float x[3 * CELLS], logits[CLASSES];
    results r;
    opened o;
    size_t n;

    random_picture(x, 3 * CELLS);
    r = run(network, x);
    opened_state(&o, opened_text(&o, network, NULL));
    if (kldve_onnx_backend()->forward(o.state, x, logits, NULL) < 0 ||
        kldve_onnx_backend()->forward_features(o.state, r.features, logits) < 0)
        fail_msg("%s", kldve_ctx_message(o.ctx));
    for (size_t i = 0; i < CLASSES; i++)
        assert_close("logit", (double)logits[i], (double)r.logits[i]);
    opened_close(&o);
    free_results(&r);
    model = writer_memory(write_text, network, &n);
    for (long budget = 0; st == KLDVE_E_NOMEM; budget++) {
        opened lost = {.model = NULL};

        lost.ctx = test_ctx(&lost.heap);
        lost.heap.budget = budget;
        st = kldve_onnx_load_memory(lost.ctx, model, n, NULL, &lost.net);
        lost.heap.budget = -1;
        assert_true(st == KLDVE_OK || (st == KLDVE_E_NOMEM && !lost.net));
        opened_close(&lost);
    }
    free(model);
}

static void test_again(void **state)
{
    (void)state;
    check_again(MIRROR_SUM);
    check_again(CROPS);
    check_again(FIXED);
    check_again(CUT_OUT);
    check_again(PADDED);
    check_again(TURNED);
    check_again(ROLLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror), cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_crops),  cmocka_unit_test(test_zoom),
        cmocka_unit_test(test_fixed),  cmocka_unit_test(test_again),
        cmocka_unit_test(test_alone),  cmocka_unit_test(test_turned),
        cmocka_unit_test(test_rolled), cmocka_unit_test(test_disorder),
    };

    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
