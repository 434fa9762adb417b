/* test_follow.c - the picture followed through a graph: what the axes of tensors are. */
#include "onnx/networks/built.h"

#include <stdio.h>
#include <string.h>

#include "build/channels.h"

/* ---- axes as text ----------------------------------------------------------------------------
 *
 * A word for each axis, its parts joined by ".": N C T H W and ? for what is not known, with the
 * size.  /S: the stride; -: runs backwards; ~: from both sides.  "K9(1+2x4+0)": 9 tokens, one
 * before the grid of 2 x 4.  An axis of length 1 is "1". */

static void describe_part(const kx_meaning *m, const kx_part *p, char *to, size_t size)
{
    static const char letter[] = "?NCTHWK", *const sense[] = {"", "-", "~"};
    int n = snprintf(to, size, "%c%d", letter[p->label], (int)p->size);

    if (kx_is_spatial(p) && p->stride != 1)
        n += snprintf(to + n, size - (size_t)n, "/%d", (int)p->stride);
    if (kx_is_spatial(p))
        n += snprintf(to + n, size - (size_t)n, "%s", sense[p->sense]);
    if (p->label == KX_TOKENS)
        snprintf(to + n, size - (size_t)n, "(%d+%dx%d+%d)", (int)m->tokens.leading,
                 (int)m->tokens.height, (int)m->tokens.width, (int)m->tokens.trailing);
}

static void describe(const kx_meaning *m, const kx_shape *shape, char *to, size_t size)
{
    *to = 0;
    for (int32_t axis = 0; axis < shape->rank; axis++) {
        int32_t count;
        const kx_part *p = kx_meaning_axis(m, axis, &count);
        int64_t all = 1;

        if (axis)
            strncat(to, " ", size - strlen(to) - 1);
        if (count == 0)
            strncat(to, "1", size - strlen(to) - 1);
        for (int32_t i = 0; i < count; i++) {
            if (i)
                strncat(to, ".", size - strlen(to) - 1);
            describe_part(m, &p[i], to + strlen(to), size - strlen(to));
            all *= p[i].size;
        }
        assert_int_equal(all, shape->dim[axis]); /* parts account for the whole axis */
    }
}

/* ---- tensors --------------------------------------------------------------------------------- */

#define X "in x 1,3,8,8; "
#define TOKENS                                                                                     \
    X "w k 6,3,4,4; n Conv x,k p strides=[4,4]; i s 1,6,4; n Reshape p,s r; n Transpose r "        \
      "t perm=[0,2,1]; "
#define CLASS TOKENS "w c 1,1,6; n Concat c,t z axis=1; "

static const struct followed {
    const char *name, *text, *tensor, *axes;
} cases[] = {
    {"the picture", X "n Relu x y; out y", "x", "1 C3 H8 W8"},
    {"one by one", X "n Relu x y; out y", "y", "1 C3 H8 W8"},
    {"a convolution", X "w k 5,3,3,3; n Conv x,k y; out y", "y", "1 C5 H6 W6"},
    {"with strides", X "w k 5,3,2,2; n Conv x,k y strides=[2,4]; out y", "y", "1 C5 H4 W2"},
    {"padded", X "i p 0,0,1,1,0,0,1,1; n Pad x,p y; out y", "y", "1 C3 H10 W10"},
    {"pooled to one cell", X "n GlobalAveragePool x y; out y", "y", "1 C3 1 1"},
    {"moved", X "n Transpose x y perm=[0,2,3,1]; out y", "y", "1 H8 W8 C3"},
    {"turned by a quarter", X "n Transpose x y perm=[0,1,3,2]; out y", "y", "1 C3 W8 H8"},
    {"flat", X "n Flatten x y; out y", "y", "1 C3.H8.W8"},
    {"flat and back", X "n Flatten x f; i s 1,3,8,8; n Reshape f,s y; out y", "y", "1 C3 H8 W8"},
    {"axes that do not divide", X "i s 1,16,12; n Reshape x,s y; out y", "y", "1 ?16 ?12"},
    {"without an axis", X "n ReduceMean x y axes=[3] keepdims=0; out y", "y", "1 C3 H8"},
    {"without its channels", X "n ReduceMean x y axes=[1]; out y", "y", "1 1 H8 W8"},

    {"cut into patches", X "i s 1,3,2,4,2,4; n Reshape x,s y; out y", "y", "1 C3 H2/4 H4 W2/4 W4"},
    {"patches as tokens",
     X "i s 1,3,2,4,2,4; n Reshape x,s r; n Transpose r q perm=[0,2,4,3,5,1]; i t 1,4,48; "
       "n Reshape q,t y; out y",
     "y", "1 H2/4.W2/4 H4.W4.C3"},
    {"windows, one behind the other",
     X "i s 1,3,2,4,2,4; n Reshape x,s r; n Transpose r q perm=[0,2,4,1,3,5]; i t 4,3,4,4; "
       "n Reshape q,t y; out y",
     "y", "H2/4.W2/4 C3 H4 W4"},
    {"windows and back",
     X "i s 1,3,2,4,2,4; n Reshape x,s r; n Transpose r q perm=[0,2,4,1,3,5]; n Neg q g; "
       "n Transpose g h perm=[0,3,1,4,2,5]; i t 1,3,8,8; n Reshape h,t y; out y",
     "y", "1 C3 H8 W8"},
    {"patches that are averaged",
     X "i s 1,3,2,4,2,4; n Reshape x,s r; n ReduceMean r y axes=[3,5] keepdims=0; out y", "y",
     "1 C3 H2 W2"},
    {"places in patches, without the patches",
     X "i s 1,3,2,4,2,4; n Reshape x,s r; n ReduceMean r y axes=[2,4] keepdims=0; out y", "y",
     "1 C3 ?4 ?4"},

    {"a grid of tokens", TOKENS "n Relu t y; out y", "y", "1 H2.W2 C6"},
    {"a class token before them", CLASS "n Relu z y; out y", "y", "1 K5(1+2x2+0) C6"},
    {"registers behind them", TOKENS "w c 1,3,6; n Concat t,c y axis=1; out y", "y",
     "1 K7(0+2x2+3) C6"},
    {"another before those", CLASS "w d 1,1,6; n Concat d,z y axis=1; out y", "y",
     "1 K6(2+2x2+0) C6"},
    {"without the class token again", CLASS "i b 1; i e 9; i a 1; n Slice z,b,e,a y; out y", "y",
     "1 H2.W2 C6"},
    {"the class token alone", CLASS "i b 0; i e 1; i a 1; n Slice z,b,e,a y; out y", "y", "1 1 C6"},
    {"some of the tokens", CLASS "i b 2; i e 9; i a 1; n Slice z,b,e,a y; out y", "y", "1 ?3 C6"},
    {"behind a dense layer", CLASS "w m 6,10; n MatMul z,m y; out y", "y", "1 K5(1+2x2+0) C10"},
    {"heads", CLASS "i h 1,5,2,3; n Reshape z,h u; n Transpose u y perm=[0,2,1,3]; out y", "y",
     "1 C2 K5(1+2x2+0) C3"},
    {"what attends to what", CLASS "n Transpose z q perm=[0,2,1]; n MatMul z,q y; out y", "y",
     "1 K5(1+2x2+0) K5(1+2x2+0)"},

    {"mirrored", X "i b -1; i e -9; i a 3; i s -1; n Slice x,b,e,a,s y; out y", "y", "1 C3 H8 W8-"},
    {"mirrored twice",
     X "i b -1; i e -9; i a 3; i s -1; n Slice x,b,e,a,s m; n Slice m,b,e,a,s y; out y", "y",
     "1 C3 H8 W8"},
    {"mirrored by indices", X "i n 7,6,5,4,3,2,1,0; n Gather x,n y axis=2; out y", "y",
     "1 C3 H8- W8"},
    {"both sides at once",
     X "i b -1; i e -9; i a 3; i s -1; n Slice x,b,e,a,s m; n Add x,m y; out y", "y",
     "1 C3 H8 W8~"},
    {"rows in another order", X "i n 1,0,3,2,5,4,7,6; n Gather x,n y axis=2; out y", "y",
     "1 C3 ?8 W8"},

    {"a sum with constants", X "w c 3,1,1; n Add c,x y; out y", "y", "1 C3 H8 W8"},
    {"two of three channels", X "i b 0; i e 2; i a 1; n Slice x,b,e,a y; out y", "y", "1 C2 H8 W8"},
    {"joined along channels", X "n Neg x n; n Concat x,n y axis=1; out y", "y", "1 C6 H8 W8"},
    {"not from the picture", X "w c 2,2; n Relu c d; n Relu x y; out y; out d", "d", ""},
};

static void check_case(void **state)
{
    const struct followed *c = *state;
    const kx_value *v;
    char axes[200];
    kx_followed f;
    built b;

    built_open(&b, c->text);
    v = built_value(&b, c->tensor);
    assert_int_equal(kx_follow(b.graph, &b.arena, b.graph->input[0], "NCHW", &f), KLDVE_OK);
    if (*c->axes) {
        describe(&f.meaning[v->id], &v->shape, axes, sizeof axes);
        assert_string_equal(axes, c->axes);
    } else {
        assert_int_equal(f.meaning[v->id].parts, 0);
    }
    built_close(&b);
}

/* ---- whether channels are last --------------------------------------------------------------- */

static const struct channels {
    const char *name, *text;
    bool last;
} channels[] = {
    {"first, as a convolution wants them", X "w k 5,3,3,3; n Conv x,k y; out y", false},
    {"last, moved before a convolution",
     "in x 1,8,8,3; n Transpose x t perm=[0,3,1,2]; w k 5,3,3,3; n Conv t,k y; out y", true},
    {"last, moved later",
     "in x 1,8,8,3; w m 3; n Sub x,m d; n Transpose d t perm=[0,3,1,2]; "
     "w k 5,3,3,3; n Conv t,k y; out y",
     true},
    {"three columns: a convolution reads them as they are",
     "in x 1,8,8,3; w k 5,8,3,3; n Conv x,k y; out y", false},
    {"a convolution first, moved later",
     "in x 1,8,8,3; w k 5,8,3,3; n Conv x,k c; n Transpose c y perm=[0,3,1,2]; out y", false},
    {"one channel, by a Reshape",
     "in x 1,8,6,1; i s 1,1,8,6; n Reshape x,s t; w k 5,1,3,3; n Conv t,k y; out y", true},
    {"three of everything, nothing moved", "in x 1,3,3,3; n Relu x y; out y", false},
};

static void check_channels(void **state)
{
    const struct channels *c = *state;
    kx_followed f;
    bool last;
    built b;

    built_open(&b, c->text);
    assert_int_equal(kx_follow_picture(b.graph, &b.arena, b.graph->input[0], &f, &last), KLDVE_OK);
    assert_int_equal(last, c->last);
    built_close(&b);
}

/* An input with channels last becomes one with channels first; all else stays as it was. */
static void test_input_first(void **state)
{
    built b;
    kx_value *input, *before;

    (void)state;
    built_open(&b, channels[1].text);
    before = input = b.graph->input[0];
    assert_int_equal(kx_input_first(b.graph, &input), KLDVE_OK);
    assert_ptr_equal(b.graph->input[0], input);
    assert_int_equal(input->shape.dim[1], 3);
    assert_int_equal(input->shape.dim[2], 8);
    assert_string_equal(input->name, before->name);
    assert_int_equal(b.graph->nnode, 3);
    assert_ptr_equal(b.graph->node[0].in[0], input);
    for (int i = 0; i < 4; i++)
        assert_int_equal(b.graph->node[0].out[0]->shape.dim[i], before->shape.dim[i]);
    assert_ptr_equal(b.graph->node[1].in[0], b.graph->node[0].out[0]);
    built_close(&b);
}

/* ---- regrouping: there and back -------------------------------------------------------------- */

/* Any Reshape whose parts stay whole, followed by its opposite, changes no meaning. */
static void test_there_and_back(void **state)
{
    static const kx_shape shape = {4, {1, 6, 8, 12}};
    static const kx_shape by[] = {
        {2, {1, 576}},
        {3, {6, 8, 12}},
        {4, {2, 3, 8, 12}},
        {6, {1, 6, 2, 4, 3, 4}},
        {6, {3, 2, 4, 2, 2, 6}},
        {3, {48, 1, 12}},
        {7, {6, 2, 2, 2, 2, 2, 3}},
        {3, {6, 96, 1}},
        {5, {1, 6, 8, 4, 3}},
    };
    kx_meaning m = {.parts = 0}, there, back;
    char want[200], got[200];

    (void)state;
    kx_meaning_add(&m, 1, (kx_part){.label = KX_CHANNELS, .size = 6});
    kx_meaning_add(&m, 2, (kx_part){.label = KX_ROWS, .size = 8, .stride = 1});
    kx_meaning_add(&m, 3,
                   (kx_part){.label = KX_COLUMNS, .sense = KX_MIRRORED, .size = 12, .stride = 1});
    describe(&m, &shape, want, sizeof want);
    assert_string_equal(want, "1 C6 H8 W12-");
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        kx_meaning_regroup(&m, &by[i], &there);
        describe(&there, &by[i], got, sizeof got);
        assert_null(strchr(got, '?'));
        kx_meaning_regroup(&there, &shape, &back);
        describe(&back, &shape, got, sizeof got);
        assert_string_equal(got, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_first),
        cmocka_unit_test(test_there_and_back),
    };

    return TEST_RUN_CASES("axes", cases, check_case) +
           TEST_RUN_CASES("channels", channels, check_channels) +
           cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
