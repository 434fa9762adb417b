/* test_pick.c - a picked place has the scores and gradients of the same place selected when the
 * network is loaded; a region has their mean.  The layer of such a network is one that they read
 * enough of. */
#include "onnx/networks/opened.h"
#include "onnx/got_note.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Four classes at each cell of a quarter of the picture. */
#define MAPS                                                                                       \
    "in x 1,3,16,24; w a 8,3,2,2; w b 4,8,2,2; n Conv x,a c kernel_shape=[2,2] strides=[2,2]; "    \
    "n Sigmoid c d; n Conv d,b s kernel_shape=[2,2] strides=[2,2]; "
#define FIRST MAPS "out s"
#define LAST MAPS "n Transpose s t perm=[0,2,3,1]; n Sigmoid t u; out u"
#define ONE MAPS "i from 2; i to 3; i axes 1; n Slice s,from,to,axes o; out o"
#define ALONE MAPS "i shape 4,4,6; n Reshape s,shape t; out t"
#define ALONE_LAST MAPS "n Transpose s t perm=[0,2,3,1]; i shape 4,6,4; n Reshape t,shape u; out u"
#define ALONE_ONE                                                                                  \
    MAPS                                                                                           \
        "i from 2; i to 3; i axes 1; n Slice s,from,to,axes o; i shape 4,6; n Reshape o,shape t; " \
        "out t"

enum { HEIGHT = 16, WIDTH = 24 };

typedef struct results {
    float *logits, *gradient, *pixels;
} results;

static void open_with(opened *o, const char *network, const char *select, uint64_t flags)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .layer = "d",
                                        .select = select,
                                        .flags = flags | KLDVE_ONNX_FLAG_VJP_INPUT};

    opened_state(o, opened_text(o, network, &options));
}

/* The scores as they are picked, and the gradients of a weighted sum of them. */
static results run(opened *o, const float *input, kldve_pick *pick)
{
    const kldve_backend *b = kldve_onnx_backend();
    float *features = calloc(o->features, sizeof *features);
    float *cotangent = calloc(o->classes, sizeof *cotangent);
    results r = {calloc(o->classes, sizeof(float)), calloc(o->features, sizeof(float)),
                 calloc(o->inputs, sizeof(float))};

    for (size_t i = 0; i < o->classes; i++)
        cotangent[i] = (float)i + 1;
    assert_int_equal(b->forward(o->state, input, r.logits, features), KLDVE_OK);
    if (pick && b->pick(o->state, pick, r.logits) < 0)
        fail_msg("%s", kldve_ctx_message(o->ctx));
    assert_int_equal(b->vjp(o->state, cotangent, r.gradient), KLDVE_OK);
    assert_int_equal(b->vjp_input(o->state, cotangent, KLDVE_RULE_GRADIENT, r.pixels), KLDVE_OK);
    free(features);
    free(cotangent);
    return r;
}

static void free_results(results *r)
{
    free(r->logits);
    free(r->gradient);
    free(r->pixels);
}

static void add(results *sum, const results *r, const opened *o, float weight)
{
    for (size_t i = 0; i < o->classes; i++)
        sum->logits[i] += weight * r->logits[i];
    for (size_t i = 0; i < o->features; i++)
        sum->gradient[i] += weight * r->gradient[i];
    for (size_t i = 0; i < o->inputs; i++)
        sum->pixels[i] += weight * r->pixels[i];
}

static void assert_near(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= 1e-5 * (1 + fabs((double)b[i]))))
            fail_msg("%zu: %g, not %g", i, (double)a[i], (double)b[i]);
}

static void assert_same(const results *a, const results *b, const opened *o)
{
    assert_near(a->logits, b->logits, o->classes);
    assert_near(a->gradient, b->gradient, o->features);
    assert_near(a->pixels, b->pixels, o->inputs);
}

static float *new_input(void)
{
    uint64_t seed = 11;
    float *input = calloc(3 * HEIGHT * WIDTH, sizeof *input);

    for (size_t i = 0; i < 3 * HEIGHT * WIDTH; i++)
        input[i] = (float)test_normal(&seed);
    return input;
}

/* The results of a place that is selected for good. */
static results of_place(const char *network, const char *format, int y, int x, const float *input)
{
    char select[64];
    opened o;
    results r;

    snprintf(select, sizeof select, format, y, x);
    open_with(&o, network, select, 0);
    assert_int_equal(o.shape.picks, KLDVE_PICKS_NOTHING);
    r = run(&o, input, NULL);
    opened_close(&o);
    return r;
}

static const struct layout {
    const char *name, *network, *select, *format;
    uint64_t flags;
} layouts[] = {
    {"classes first", FIRST, NULL, "[0, :, %d, %d]", KLDVE_ONNX_FLAG_PICK_PLACE},
    {"classes first, selected", FIRST, "[0, :, y, x]", "[0, :, %d, %d]", 0},
    {"classes last, behind a Sigmoid", LAST, "[0, y, x]", "[0, %d, %d, :]", 0},
    {"one class", ONE, NULL, "[0, 0, %d, %d]", KLDVE_ONNX_FLAG_PICK_PLACE},
    {"without a batch", ALONE, NULL, "[:, %d, %d]", KLDVE_ONNX_FLAG_PICK_PLACE},
    {"without a batch, classes last", ALONE_LAST, NULL, "[%d, %d]", KLDVE_ONNX_FLAG_PICK_PLACE},
    {"without a batch, one class", ALONE_ONE, NULL, "[%d, %d]", KLDVE_ONNX_FLAG_PICK_PLACE},
};

static void check_layout(void **state)
{
    const struct layout *l = *state;
    float weight[HEIGHT * WIDTH] = {0};
    kldve_pick at = {.struct_size = sizeof at, .kind = KLDVE_PICK_AT, .x = 0.6f, .y = 0.3f};
    kldve_pick over = {.struct_size = sizeof over, .kind = KLDVE_PICK_OVER, .weight = weight};
    float *input = new_input();
    results first, second, picked, mean;
    opened o;

    first = of_place(l->network, l->format, 1, 3, input);
    second = of_place(l->network, l->format, 3, 0, input);
    open_with(&o, l->network, l->select, l->flags);
    assert_int_equal(o.shape.picks, KLDVE_PICKS_PLACE);
    picked = run(&o, input, &at); /* 0.6 of 6 columns, 0.3 of 4 rows */
    assert_same(&picked, &first, &o);
    free_results(&picked);
    weight[5 * WIDTH + 13] = weight[7 * WIDTH + 15] = weight[4 * WIDTH + 12] = 0.25f;
    weight[15 * WIDTH + 3] = 0.25f;
    picked = run(&o, input, &over);
    mean = (results){calloc(o.classes, sizeof(float)), calloc(o.features, sizeof(float)),
                     calloc(o.inputs, sizeof(float))};
    add(&mean, &first, &o, 0.75f);
    add(&mean, &second, &o, 0.25f);
    assert_same(&picked, &mean, &o);
    opened_close(&o);
    free_results(&first);
    free_results(&second);
    free_results(&picked);
    free_results(&mean);
    free(input);
}

static const struct refused {
    const char *name, *network, *select, *message;
    uint64_t flags;
} refused[] = {
    {"no map", "in x 1,3,4,4; n GlobalAveragePool x p; n Flatten p f; out f", NULL,
     "'f', [1][3], is not a map of scores with rows and columns", KLDVE_ONNX_FLAG_PICK_PLACE},
    {"both kinds", FIRST, NULL, "all say which scores there are: set one of them",
     KLDVE_ONNX_FLAG_PICK_PLACE | KLDVE_ONNX_FLAG_PICK_ROW},
    {"a selection as well", FIRST, "[0, :, y, x]", "set one of them", KLDVE_ONNX_FLAG_PICK_PLACE},
    {"whole numbers", MAPS "n Cast s i to=7; n Cast i u to=1; out u", "[0, :, 0, 0]",
     "(Cast) makes whole numbers or truth values of it; --logits NAME takes scores in front", 0},
};

static void check_refused(void **state)
{
    const struct refused *c = *state;
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .select = c->select, .flags = c->flags};
    opened o;

    assert_int_equal(opened_text(&o, c->network, &options), KLDVE_E_ARG);
    if (!strstr(kldve_ctx_message(o.ctx), c->message))
        fail_msg("'%s' is not in '%s'", c->message, kldve_ctx_message(o.ctx));
    opened_close(&o);
}

enum { LAYOUTS = sizeof layouts / sizeof *layouts, REFUSED = sizeof refused / sizeof *refused };

/* What only comes behind the selected scores need not be known. */
static void test_unknown_tail(void **state)
{
    static const char network[] = MAPS "n NonMaxSuppression s,s z; out z";
    kldve_onnx_options options = {.struct_size = sizeof options};
    opened o;

    (void)state;
    assert_int_equal(opened_text(&o, network, &options), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "NonMaxSuppression"));
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "--box"));
    opened_close(&o);
    options.select = "s[0, :, y, x]";
    opened_state(&o, opened_text(&o, network, &options));
    assert_int_equal(o.shape.picks, KLDVE_PICKS_PLACE);
    opened_close(&o);
}

/* Scores at every place of the picture, five convolutions of 3 x 3 behind it. */
#define DEEP(size)                                                                                 \
    "in x 1,3," size "," size "; w w 8,3,3,3; w v 8,8,3,3; w u 4,8,1,1; "                          \
    "n Conv x,w c1 pads=[1,1,1,1]; n Relu c1 r1; n Conv r1,v c2 pads=[1,1,1,1]; n Relu c2 r2; "    \
    "n Conv r2,v c3 pads=[1,1,1,1]; n Relu c3 r3; n Conv r3,v c4 pads=[1,1,1,1]; n Relu c4 r4; "   \
    "n Conv r4,v c5 pads=[1,1,1,1]; n Relu c5 r5; n Conv r5,u y; out y"
#define SHALLOW                                                                                    \
    "in x 1,3,32,32; w w 8,3,3,3; w u 4,8,1,1; n Conv x,w c pads=[1,1,1,1]; n Relu c r; "          \
    "n Conv r,u y; out y"

/* One place reads 1 cell of the last layer, and 2 more of each one before it. */
static const struct place {
    const char *text, *found;
} places[] = {
    {DEEP("8"), "r4"},  /* 3 of 8 */
    {DEEP("16"), "r3"}, /* 5 of 16; of r4 3 */
    {DEEP("32"), "r1"}, /* 9 of 32; of r2 7 */
    {SHALLOW, "r"},     /* 1 of 32, but there is no other */
};

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const kldve_onnx_options options = {.struct_size = sizeof options,
                                            .select = "y[0, :, y, x]"};
        kldve_onnx_choice choice = {.struct_size = sizeof choice};
        opened o;

        if (opened_text(&o, places[i].text, &options) < 0)
            fail_msg("%s", kldve_ctx_message(o.ctx));
        assert_int_equal(kldve_onnx_chosen(o.net, &choice), KLDVE_OK);
        assert_string_equal(choice.layer, places[i].found);
        opened_close(&o);
    }
}

/* Outputs of several axes are refused also where the file fixes a batch. */
static void test_batch_of_maps(void **state)
{
    static const char network[] =
        "in x 2,3,8,8; w a 6,3,3,3; w b 4,6,1,1; n Conv x,a c pads=[1,1,1,1]; n Relu c r; "
        "n Conv r,b m; i shape 2,4,8,8; n Reshape m,shape s; out s";
    kldve_onnx_options options = {.struct_size = sizeof options, .item = 1};
    opened o;

    (void)state;
    assert_int_equal(opened_text(&o, network, &options), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "'s' is not a vector of class scores: 3 of"));
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "--select 's[1, :, 0, 0]'"));
    opened_close(&o);
    options.select = "s[1, :, 0, 0]";
    opened_state(&o, opened_text(&o, network, &options));
    assert_int_equal(o.classes, 4);
    opened_close(&o);
}

/* An index too few makes classes of a block, which is said; a vector needs no note. */
static void test_block(void **state)
{
    static const struct {
        const char *select, *note;
    } of[] = {{"[0]", "'[0]' keeps 3 axes: its 96 numbers are explained as classes"},
              {"[0, :, 1]", "keeps 2 axes: its 24 numbers"},
              {"[0, :, 1, 2]", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const char *note;
        opened o;

        open_with(&o, FIRST, of[i].select, 0);
        note = got_note(o.net, 0);
        assert_true(of[i].note ? note && strstr(note, of[i].note) : !note);
        opened_close(&o);
    }
}

int main(void)
{
    struct CMUnitTest tests[LAYOUTS + REFUSED + 4];

    for (size_t i = 0; i < LAYOUTS; i++)
        tests[i] = (struct CMUnitTest){layouts[i].name, check_layout, NULL, NULL,
                                       (void *)(uintptr_t)&layouts[i]};
    for (size_t i = 0; i < REFUSED; i++)
        tests[LAYOUTS + i] = (struct CMUnitTest){refused[i].name, check_refused, NULL, NULL,
                                                 (void *)(uintptr_t)&refused[i]};
    tests[LAYOUTS + REFUSED] = (struct CMUnitTest)cmocka_unit_test(test_unknown_tail);
    tests[LAYOUTS + REFUSED + 1] = (struct CMUnitTest)cmocka_unit_test(test_places);
    tests[LAYOUTS + REFUSED + 2] = (struct CMUnitTest)cmocka_unit_test(test_block);
    tests[LAYOUTS + REFUSED + 3] = (struct CMUnitTest)cmocka_unit_test(test_batch_of_maps);
    return cmocka_run_group_tests_name("pick", tests, NULL, NULL);
}
