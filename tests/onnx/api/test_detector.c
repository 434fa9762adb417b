/* test_detector.c - rows of detectors: recognised, the best one found, its box and its scores.  The
 * networks only move the input about, so that the test knows every number. */
#include "onnx/networks/opened.h"
#include "onnx/got_note.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_OF(channels) "in x 1," #channels ",3,4; n Relu x b; n Relu b a; "
/* YOLO v8: [1][4 + 3][12]; v5: [1][12][4 + 1 + 3]. */
#define V8 ROWS_OF(7) "i s 1,7,12; n Reshape a,s o; out o"
#define V5                                                                                         \
    ROWS_OF(8)                                                                                     \
    "n Transpose a t perm=[0,2,3,1]; i s 1,12,8; n Reshape t,s o; out o"
/* SSD: boxes as corners in parts of the picture, scores behind a Softmax. */
#define SSD                                                                                        \
    ROWS_OF(7)                                                                                     \
    "n Transpose a t perm=[0,2,3,1]; i s 1,12,7; n Reshape t,s r; i n0 0; i n4 4; i n7 7; i ax "   \
    "2; "                                                                                          \
    "n Slice r,n0,n4,ax boxes; n Slice r,n4,n7,ax l; n Softmax l scores axis=2; "                  \
    "out scores; out boxes"
/* Boxes straight from a convolution. */
#define RAW                                                                                        \
    ROWS_OF(7)                                                                                     \
    "w w 4,7,1,1; n Conv a,w c; n Transpose c u perm=[0,2,3,1]; i v 1,12,4; n Reshape u,v boxes; " \
    "n Transpose a t perm=[0,2,3,1]; i s 1,12,7; n Reshape t,s scores; out scores; out boxes"

enum { CELLS = 12, CLASSES = 3 };

static const float boxes[CELLS][4] = {
    /* corners in parts of the picture */
    {0.1f, 0.1f, 0.3f, 0.4f}, {0.2f, 0.2f, 0.9f, 0.9f}, {0.5f, 0.5f, 0.7f, 0.8f},
    {0.0f, 0.0f, 1.0f, 1.0f}, {0.6f, 0.1f, 0.9f, 0.3f}, {0.1f, 0.6f, 0.2f, 0.9f},
    {0.3f, 0.3f, 0.4f, 0.5f}, {0.7f, 0.7f, 0.8f, 0.9f}, {0.2f, 0.1f, 0.8f, 0.2f},
    {0.4f, 0.4f, 0.6f, 0.6f}, {0.8f, 0.0f, 1.0f, 0.5f}, {0.0f, 0.5f, 0.5f, 1.0f}};
/* Of each row the objectness and the scores of three classes. */
static const float numbers[CELLS][1 + CLASSES] = {
    {0.2f, 1, 2, 9}, {0.9f, 1, 4, 2},    {0.5f, 3, 1, 1}, {0.1f, 8, 1, 1},
    {0.3f, 1, 1, 2}, {0.4f, 1, 2, 1},    {0.6f, 2, 1, 5}, {0.7f, 1, 1, 1},
    {0.8f, 1, 2, 1}, {1.0f, 1, 1, 3.5f}, {0.5f, 6, 1, 2}, {0.3f, 1, 7, 1}};

typedef struct form {
    const char *name, *network;
    int32_t channels;
    bool pixels, objects, background; /* boxes as centre and size in pixels; the best class counts
                                         times an object; class 0 is none */
} form;

static const form forms[] = {{"YOLO v8", V8, 7, true, false, false},
                             {"YOLO v5", V5, 8, true, true, false},
                             {"SSD", SSD, 7, false, false, true}};

/* [channels][3][4] of the network's input, 3 x 4 pixels. */
static float *new_input(const form *f)
{
    float *input = calloc((size_t)f->channels * CELLS, sizeof *input);
    int first = f->channels - CLASSES;

    for (int r = 0; r < CELLS; r++) {
        const float *b = boxes[r];
        const float pixels[4] = {(b[0] + b[2]) * 2, (b[1] + b[3]) * 1.5f, (b[2] - b[0]) * 4,
                                 (b[3] - b[1]) * 3};

        for (int i = 0; i < 4; i++)
            input[i * CELLS + r] = f->pixels ? pixels[i] : b[i];
        if (f->objects)
            input[4 * CELLS + r] = numbers[r][0];
        for (int c = 0; c < CLASSES; c++)
            input[(first + c) * CELLS + r] = numbers[r][1 + c];
    }
    return input;
}

static double score_of(const form *f, int row)
{
    const float *n = numbers[row];
    double best = 0, sum = exp((double)n[1]) + exp((double)n[2]) + exp((double)n[3]);

    for (int c = f->background; c < CLASSES; c++) {
        double score = f->background ? exp((double)n[1 + c]) / sum : (double)n[1 + c];

        best = fmax(best, f->objects ? score * (double)n[0] : score);
    }
    return best;
}

static int best_row(const form *f, float x, float y)
{
    int best = -1;

    for (int r = 0; r < CELLS; r++) {
        const float *b = boxes[r];

        if (x >= 0 && (x < b[0] || x > b[2] || y < b[1] || y > b[3]))
            continue;
        if (best < 0 || score_of(f, r) > score_of(f, best))
            best = r;
    }
    return best;
}

static void check_row(const form *f, const kldve_pick *pick, const float *logits, int row)
{
    assert_int_equal(pick->row, row);
    assert_true(pick->has_box);
    assert_true(fabs((double)pick->score - score_of(f, row)) < 1e-5);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(pick->box[i] - boxes[row][i]) < 1e-5f);
    for (int c = 0; c < CLASSES; c++)
        assert_true(logits[c] == numbers[row][1 + c]);
}

static void check_form(void **state)
{
    const form *f = *state;
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_PICK_ROW};
    const kldve_backend *b = kldve_onnx_backend();
    float *input = new_input(f), *features, logits[CLASSES];
    opened o;

    opened_state(&o, opened_text(&o, f->network, &options));
    assert_int_equal(o.shape.picks, KLDVE_PICKS_ROW);
    assert_int_equal(o.classes, CLASSES);
    assert_int_equal(o.shape.scores, f->background ? KLDVE_SCORES_SOFTMAX : KLDVE_SCORES_RAW);
    features = calloc(o.features, sizeof *features);
    assert_int_equal(b->forward(o.state, input, logits, features), KLDVE_OK);
    for (int k = 0; k < 5; k++) {
        static const float at[5][2] = {
            {-1, -1}, {0.65f, 0.25f}, {0.15f, 0.75f}, {0.5f, 0.55f}, {0.95f, 0.95f}};
        kldve_pick pick = {.struct_size = sizeof pick,
                           .kind = k == 0 ? KLDVE_PICK_BEST : KLDVE_PICK_BOX_AT,
                           .x = at[k][0],
                           .y = at[k][1]};

        if (b->pick(o.state, &pick, logits) < 0)
            fail_msg("%s", kldve_ctx_message(o.ctx));
        check_row(f, &pick, logits, best_row(f, at[k][0], at[k][1]));
    }
    for (int32_t r = 0; r < CELLS; r++) {
        kldve_pick pick = {.struct_size = sizeof pick, .kind = KLDVE_PICK_ROW, .row = r};

        assert_int_equal(b->pick(o.state, &pick, logits), KLDVE_OK);
        check_row(f, &pick, logits, r);
    }
    opened_close(&o);
    free(features);
    free(input);
}

/* YOLO v10: the sixth number says which class is best, and is no score. */
static void test_labelled(void **state)
{
    static const char network[] =
        ROWS_OF(8) "n Transpose a t perm=[0,2,3,1]; i s 1,12,8; n Reshape t,s r; i n0 0; i n4 4; "
                   "i n5 5; i n8 8; i ax 2; n Slice r,n0,n4,ax box; n Slice r,n4,n5,ax score; "
                   "n Slice r,n5,n8,ax c; n ArgMax c best axis=2 keepdims=1; n Cast best l to=1; "
                   "n Concat box,score,l o axis=2; out o";
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_PICK_ROW | KLDVE_ONNX_FLAG_NAMED};
    const form corners = {"YOLO v10", network, 8, false, true, false};
    const kldve_backend *b = kldve_onnx_backend();
    kldve_pick pick = {.struct_size = sizeof pick, .kind = KLDVE_PICK_BEST};
    float *input = new_input(&corners), *features, score;
    opened o;

    (void)state;
    opened_state(&o, opened_text(&o, network, &options));
    assert_non_null(strstr(got_note(o.net, 0), "its score and the number of its class"));
    assert_int_equal(o.classes, 1);
    features = calloc(o.features, sizeof *features);
    assert_int_equal(b->forward(o.state, input, &score, features), KLDVE_OK);
    assert_int_equal(b->pick(o.state, &pick, &score), KLDVE_OK);
    assert_int_equal(pick.row, 9); /* 1.0 */
    assert_true(score == numbers[9][0]);
    for (int i = 0; i < 4; i++)
        assert_true(fabsf(pick.box[i] - boxes[9][i]) < 1e-5f);
    opened_close(&o);
    free(features);
    free(input);
}

/* Where no box is, past the last row, and a place in place of a row. */
static void test_no_row(void **state)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_PICK_ROW};
    const kldve_backend *b = kldve_onnx_backend();
    kldve_pick at = {.struct_size = sizeof at, .kind = KLDVE_PICK_BOX_AT, .x = 0.5f, .y = 0.5f};
    kldve_pick row = {.struct_size = sizeof row, .kind = KLDVE_PICK_ROW, .row = CELLS};
    kldve_pick place = {.struct_size = sizeof place, .kind = KLDVE_PICK_AT};
    float *input = calloc(7 * CELLS, sizeof *input), *features, logits[CLASSES];
    opened o;

    (void)state;
    opened_state(&o, opened_text(&o, V8, &options));
    features = calloc(o.features, sizeof *features);
    assert_int_equal(b->pick(o.state, &row, logits), KLDVE_E_ARG);
    assert_int_equal(b->forward(o.state, input, logits, features), KLDVE_OK);
    assert_int_equal(b->pick(o.state, &row, logits), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "row 12: the detector has 12 rows, 0 to 11"));
    assert_int_equal(b->pick(o.state, &at, logits), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(o.ctx), "no row has a box at this place"));
    assert_int_equal(b->pick(o.state, &place, logits), KLDVE_E_ARG);
    opened_close(&o);
    free(features);
    free(input);
}

static const struct refused {
    const char *name, *network, *select, *boxes, *message;
    uint64_t flags;
} refused[] = {
    {"no rows", "in x 1,3,4,4; n Relu x a; out a", NULL, NULL,
     "no output looks like rows of a detector", KLDVE_ONNX_FLAG_PICK_ROW},
    {"boxes that nobody decodes", RAW, NULL, NULL, "which the file does not turn into boxes",
     KLDVE_ONNX_FLAG_PICK_ROW},
    {"boxes of five numbers", SSD, "scores[0, n, :]", "r[0, n, :5]",
     "5 numbers in each of 12 rows are selected, not 4", 0},
    {"boxes of other rows", SSD, "scores[0, n, :]", "boxes[0, :, n]",
     "12 numbers in each of 4 rows are selected, not 4 in each of 12", 0},
    {"boxes of no rows", SSD, "scores[0, 3, :]", "boxes[0, n, :]", "boxes are those of rows", 0},
    {"boxes without a selection", SSD, NULL, "boxes[0, n, :]", "set that as well", 0},
};

static void check_refused(void **state)
{
    const struct refused *c = *state;
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .select = c->select, .boxes = c->boxes, .flags = c->flags};
    opened o;

    assert_int_equal(opened_text(&o, c->network, &options), KLDVE_E_ARG);
    if (!strstr(kldve_ctx_message(o.ctx), c->message))
        fail_msg("'%s' is not in '%s'", c->message, kldve_ctx_message(o.ctx));
    opened_close(&o);
}

enum { FORMS = sizeof forms / sizeof *forms, REFUSED = sizeof refused / sizeof *refused };

int main(void)
{
    struct CMUnitTest tests[FORMS + REFUSED + 2];

    for (size_t i = 0; i < FORMS; i++)
        tests[i] = (struct CMUnitTest){forms[i].name, check_form, NULL, NULL,
                                       (void *)(uintptr_t)&forms[i]};
    for (size_t i = 0; i < REFUSED; i++)
        tests[FORMS + i] = (struct CMUnitTest){refused[i].name, check_refused, NULL, NULL,
                                               (void *)(uintptr_t)&refused[i]};
    tests[FORMS + REFUSED] = (struct CMUnitTest)cmocka_unit_test(test_no_row);
    tests[FORMS + REFUSED + 1] = (struct CMUnitTest)cmocka_unit_test(test_labelled);
    return cmocka_run_group_tests_name("detector", tests, NULL, NULL);
}
