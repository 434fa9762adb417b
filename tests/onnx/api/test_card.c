/* test_card.c - model cards: reading good ones, and the message for each kind of bad one. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include <kldve/onnx.h>

/* ---- bad cards ---------------------------------------------------------------------------- */

struct bad_case {
    const char *name, *card;
    const char *message; /* part of it */
};

#define INPUT(members) "{\"input\": {" members "}}"
#define A10 "[[[[[[[[[["

static const struct bad_case bad[] = {
    {"empty", "", "ends too early"},
    {"blanks only", " \n\t ", "ends too early"},
    {"cut off", "{\"input\": {\"channels\": \"RGB\"", "ends too early"},
    {"not JSON", "hello", "not valid JSON: line 1"},
    {"a comma too many", "{\n\"logits\": \"a\",\n}", "not valid JSON: line 3"},
    {"a second object", "{} {}", "not valid JSON"},
    {"single quotes", "{'logits': 'a'}", "not valid JSON"},
    {"NaN", INPUT("\"scale\": NaN"), "not valid JSON: line 1: a value was expected"},
    {"a list", "[1, 2]", "a card must be an object"},
    {"a string", "\"card\"", "a card must be an object"},
    {"null", "null", "a card must be an object"},
    {"too deep", "{\"x\": " A10 A10 A10 A10 "0]]]]", "not valid JSON: line 1"},
    {"not UTF-8", "{\"logits\": \"\xff\xfe\"}", "not valid JSON"},
    {"logits is a number", "{\"logits\": 3}", "logits: must be a string, not a number"},
    {"logits is empty", "{\"logits\": \"\"}", "logits: is empty"},
    {"select is a list", "{\"select\": [0, 1]}", "select: must be a string, not a list"},
    {"select beside logits", "{\"select\": \"a[0]\", \"logits\": \"a\"}",
     "select: names its tensor itself, logits must not be there as well"},
    {"detector is a list", "{\"detector\": []}", "detector: must be an object, not a list"},
    {"detector without boxes", "{\"detector\": {\"scores\": \"a[0, n]\"}}",
     "detector.boxes: is missing"},
    {"detector without scores", "{\"detector\": {\"boxes\": \"a[0, n]\"}}",
     "detector.scores: is missing"},
    {"detector beside select",
     "{\"select\": \"a[0]\", \"detector\": {\"scores\": \"a[0, n]\", \"boxes\": \"b[0, n]\"}}",
     "select: detector.scores says the same"},
    {"boxes of an unknown format",
     "{\"detector\": {\"scores\": \"a[0, n]\", \"boxes\": \"b[0, n]\", \"format\": \"xyz\"}}",
     "detector.format: 'xyz' is not xyxy, xywh, cxcywh or yxyx"},
    {"boxes normalised by a number",
     "{\"detector\": {\"scores\": \"a[0, n]\", \"boxes\": \"b[0, n]\", \"normalised\": 1}}",
     "detector.normalised: must be true or false, not a number"},
    {"features is a list", "{\"features\": []}", "features: must be a string, not a list"},
    {"scores of no kind", "{\"scores\": \"logits\"}",
     "scores: 'logits' is not softmax, sigmoid, raw or number"},
    {"scores is 1", "{\"scores\": 1}", "scores: must be a string, not a number"},
    {"labels is true", "{\"labels\": true}", "labels: must be a string, not true or false"},
    {"labels anywhere", "{\"labels\": \"/etc/passwd\"}",
     "labels: '/etc/passwd' lies outside the card's folder and labels/ beside it"},
    {"labels of another folder", "{\"labels\": \"../.ssh/id_rsa\"}",
     "labels: '../.ssh/id_rsa' lies outside the card's folder and labels/ beside it"},
    {"labels above", "{\"labels\": \"../../etc/passwd\"}",
     "labels: '../../etc/passwd' lies outside the card's folder and labels/ beside it"},
    {"labels in the folder above", "{\"labels\": \"../passwd\"}",
     "labels: '../passwd' lies outside the card's folder and labels/ beside it"},
    {"labels with a NUL", "{\"labels\": \"a\\u0000b\"}", "labels: is empty or holds a NUL"},
    {"input is a string", "{\"input\": \"x\"}", "input: must be an object, not a string"},
    {"channels unknown", INPUT("\"channels\": \"CMYK\""),
     "input.channels: 'CMYK' is not RGB, BGR, GRAY, GRAYA, RGBA or BGRA"},
    {"channels in lower case", INPUT("\"channels\": \"rgb\""), "input.channels: 'rgb' is not RGB"},
    {"channels is an object", INPUT("\"channels\": {}"), "input.channels: must be a string"},
    {"scale is a string", INPUT("\"scale\": \"1\""), "input.scale: must be a number, not a string"},
    {"scale is 0", INPUT("\"scale\": 0"), "input.scale: must be above 0"},
    {"scale is negative", INPUT("\"scale\": -1"), "input.scale: must be above 0"},
    {"scale is huge", INPUT("\"scale\": 1e300"), "input.scale: 1e+300 is out of range"},
    {"scale is infinite", INPUT("\"scale\": 1e999"), "input.scale: inf is out of range"},
    {"mean of two", INPUT("\"mean\": [1, 2]"), "input.mean: 2 numbers for 3 channels"},
    {"mean of none", INPUT("\"mean\": []"), "input.mean: 0 numbers for 3 channels"},
    {"mean of three for grey", INPUT("\"channels\": \"GRAY\", \"mean\": [1, 2, 3]"),
     "input.mean: 3 numbers for 1 channels"},
    {"mean of null", INPUT("\"mean\": [1, null, 3]"), "input.mean: must be a number, not null"},
    {"an unknown fit", INPUT("\"resize\": \"stretch\""),
     "input.resize: 'stretch' is not crop, squash, pad or pad-end"},
    {"a number as fit", INPUT("\"resize\": 256"), "input.resize: must be a string"},
    {"an unknown interpolation", INPUT("\"interpolation\": \"cubic\""),
     "input.interpolation: 'cubic' is not bilinear, bicubic"},
    {"padding of a crop", INPUT("\"pad\": 114"), "input.pad: a colour, which goes with"},
    {"padding of two", INPUT("\"resize\": \"pad\", \"pad\": [1, 2]"),
     "input.pad: 2 numbers for 3 channels"},
    {"a crop of a padded picture", INPUT("\"resize\": \"pad\", \"center_crop\": 8"),
     "input.center_crop: does not go with \"resize\": \"pad\""},
    {"a resized padded picture", INPUT("\"resize\": \"pad-end\", \"resize_shorter_side\": 8"),
     "input.resize_shorter_side: does not go with"},
    {"name is a number", "{\"name\": 5}", "name: must be a string, not a number"},
    {"std of 0", INPUT("\"std\": [1, 0, 1]"), "input.std: must be above 0"},
    {"std of strings", INPUT("\"std\": [\"a\", \"b\", \"c\"]"), "input.std: must be a number"},
    {"resize to 0", INPUT("\"resize_shorter_side\": 0"),
     "input.resize_shorter_side: 0 is not a whole"},
    {"resize to a fraction", INPUT("\"resize_shorter_side\": 256.5"),
     "256.5 is not a whole number"},
    {"resize to a billion", INPUT("\"resize_shorter_side\": 1000000000"),
     "is not a whole number from 1"},
    {"crop past 64 bit", INPUT("\"center_crop\": 9999999999999999999"), "input.center_crop: "},
    {"crop is negative", INPUT("\"center_crop\": -224"), "input.center_crop: -224 is not a whole"},
    {"crop is a string", INPUT("\"center_crop\": \"224\""), "input.center_crop: must be a number"},
    {"crop more than resize", INPUT("\"resize_shorter_side\": 224, \"center_crop\": 256"),
     "input.center_crop: 256 is more than resize_shorter_side, 224"},
    {"grid of one number", "{\"grid\": [14]}", "grid: must be [height, width]"},
    {"grid without columns", "{\"grid\": [14, 0]}", "grid: 0 is not a whole number"},
    {"grid of strings", "{\"grid\": [\"14\", 14]}", "grid: must be a number"},
    {"shape of three", INPUT("\"shape\": [3, 224, 224]"), "input.shape: must be [batch, channels"},
    {"shape with 0", INPUT("\"shape\": [1, 3, 0, 224]"), "input.shape: 0 is not a whole number"},
    {"shape with a string", INPUT("\"shape\": [\"N\", 3, 8, 8]"), "input.shape: must be a number"},
    {"shape is an object", INPUT("\"shape\": {}"), "input.shape: must be a list, not an object"},
    {"shape against channels", INPUT("\"shape\": [1, 1, 8, 8], \"channels\": \"RGB\""),
     "input.channels: RGB does not fit the 1 channels"},
    {"shape of four channels", INPUT("\"shape\": [1, 4, 8, 8], \"channels\": \"RGB\""),
     "does not fit the 4 channels"},
    {"shape of six", INPUT("\"shape\": [1, 3, 4, 8, 8, 1]"), "or [batch, channels, frames,"},
    {"mean of three for alpha", INPUT("\"channels\": \"RGBA\", \"mean\": [1, 2, 3]"),
     "input.mean: 3 numbers for 4 channels"},
    {"std of alpha", INPUT("\"channels\": \"GRAYA\", \"std\": [1, 0]"),
     "input.std: must be above 0"},
    {"layout of numbers", "{\"layout\": 5}", "layout: must be a string, not a number"},
    {"layout of other letters", "{\"layout\": \"NCDHW\"}",
     "layout: 'NCDHW' must be letters of N, C, T, H, W"},
    {"picture_input is a list", "{\"picture_input\": []}", "picture_input: must be a string"},
    {"dims is a list", "{\"dims\": [1]}", "dims: must be an object, not a list"},
    {"dims of strings", "{\"dims\": {\"n\": \"4\"}}", "dims: must be an object of numbers"},
    {"dims of 0", "{\"dims\": {\"n\": 0}}", "dims.n: 0 is not a whole number from 1 on"},
    {"dims of a fraction", "{\"dims\": {\"n\": 1.5}}", "dims.n: 1.5 is not a whole number"},
    {"dims without a name", "{\"dims\": {\"n\": 1e30}}", "dims.n: 1e+30 is not a whole number"},
    {"inputs is a string", "{\"inputs\": \"a.npy\"}", "inputs: must be an object, not a string"},
    {"an input of another file", "{\"inputs\": {\"h\": \"a.txt\"}}",
     "inputs.h: 'a.txt' does not end in .npy"},
    {"an input that is true", "{\"inputs\": {\"h\": true}}", "inputs.h: must be a number, numbers"},
    {"an input of uneven lists", "{\"inputs\": {\"h\": [[1, 2], [3]]}}", "as long as each other"},
    {"an input of lists and numbers", "{\"inputs\": {\"h\": [[1], 2]}}", "as long as each other"},
    {"an input of nothing", "{\"inputs\": {\"h\": [[], []]}}", "inputs.h: an empty list"},
    {"an input of 9 axes", "{\"inputs\": {\"h\": [[[[[[[[[1]]]]]]]]]}}", "more than 8 axes"},
    {"an input of a word in a list", "{\"inputs\": {\"h\": [1, \"2\"]}}", "inputs.h: must be a"},
};

static void check_bad(void **state)
{
    const struct bad_case *c = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_card *card = NULL;

    assert_int_equal(kldve_card_parse(ctx, c->card, strlen(c->card), NULL, &card), KLDVE_E_FORMAT);
    assert_null(card);
    if (!strstr(kldve_ctx_message(ctx), c->message))
        fail_msg("message: %s", kldve_ctx_message(ctx));
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Cards that are cut off anywhere, or have one byte changed, are read or refused, never worse; what
 * "worse" is, the sanitizers know. */
static void test_damaged(void **state)
{
    static const char good[] =
        "{\"input\": {\"shape\": [1, 3, 8, 8], \"channels\": \"BGR\", \"scale\": 0.5, "
        "\"mean\": [1, 2.5, -3], \"std\": [1, 1, 1], \"resize_shorter_side\": 9, "
        "\"center_crop\": 8}, \"logits\": \"l\", \"features\": \"f\", \"labels\": \"a\", "
        "\"scores\": \"raw\"}";
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < (sizeof good - 1) * 9; i++) {
        char card[sizeof good];
        kldve_card *out = NULL;
        size_t at = i / 9, bit = i % 9, n = bit == 8 ? at : sizeof good - 1;
        kldve_status status;

        memcpy(card, good, sizeof card);
        if (bit < 8)
            card[at] = (char)(card[at] ^ (1 << bit));
        status = kldve_card_parse(ctx, card, n, "folder", &out);
        assert_true((status == KLDVE_OK) == (out != NULL));
        if (status != KLDVE_OK) {
            refused++;
            assert_int_equal(status, KLDVE_E_FORMAT);
        }
        kldve_card_free(out);
    }
    assert_true(refused > sizeof good); /* at least all that are cut off */
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_scores(void **state)
{
    static const char *const names[] = {"softmax", "sigmoid", "raw", "number"};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (int32_t i = 0; i < 4; i++) {
        kldve_card *card = NULL;
        char text[40];
        int n = snprintf(text, sizeof text, "{\"scores\": \"%s\"}", names[i]);

        assert_int_equal(kldve_card_parse(ctx, text, (size_t)n, NULL, &card), KLDVE_OK);
        assert_int_equal(kldve_card_scores(card), 1 + i);
        kldve_card_free(card);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_files(void **state)
{
    static char big[(1 << 20) + 8];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_card *card = NULL;

    (void)state;
    assert_int_equal(kldve_card_load(ctx, "no/such.card.json", &card), KLDVE_E_IO);
    assert_non_null(strstr(kldve_ctx_message(ctx), "no/such.card.json: cannot read"));
    assert_int_equal(kldve_card_load(ctx, "/", &card), KLDVE_E_IO);
    memset(big, ' ', sizeof big);
    test_file_save("card.tmp", big, sizeof big);
    assert_int_equal(kldve_card_load(ctx, "card.tmp", &card), KLDVE_E_LIMIT);
    assert_non_null(strstr(kldve_ctx_message(ctx),
                           " bytes of a model card: the limit 'card' is 1 MiB; raise it"));
    assert_int_equal(kldve_card_load(ctx, "/dev/zero", &card), KLDVE_E_IO);
    test_file_save("card.tmp", "{\"logits\": 3}", 13);
    assert_int_equal(kldve_card_load(ctx, "card.tmp", &card), KLDVE_E_FORMAT);
    assert_string_equal(kldve_ctx_message(ctx), "card.tmp: logits: must be a string, not a number");
    assert_int_equal(kldve_card_load(ctx, NULL, &card), KLDVE_E_ARG);
    assert_int_equal(kldve_card_parse(ctx, NULL, 0, NULL, &card), KLDVE_E_ARG);
    assert_null(card);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* ---- good cards --------------------------------------------------------------------------- */

static void test_defaults(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_card *card = NULL;
    kldve_input_spec spec = {.struct_size = sizeof spec};
    int32_t height = -1, width = -1;
    static const char text[] =
        "\xef\xbb\xbf{\"unknown\": [1, {\"deep\": null}], \"labels\": null}\n";

    (void)state;
    assert_int_equal(kldve_card_parse(ctx, text, sizeof text - 1, "folder", &card), KLDVE_OK);
    assert_null(kldve_card_layer(card));
    assert_null(kldve_card_logits(card));
    assert_null(kldve_card_labels(card));
    assert_int_equal(kldve_card_scores(card), 0);
    assert_int_equal(kldve_card_input(card, &spec), KLDVE_OK);
    kldve_card_size(card, &height, &width);
    assert_int_equal(height + width, 0);
    assert_int_equal(spec.channels, KLDVE_CHANNELS_RGB);
    assert_int_equal(spec.resize_shorter_side + spec.center_crop, 0);
    assert_float_equal(spec.scale, 1, 0);
    for (int i = 0; i < 3; i++) {
        assert_float_equal(spec.mean[i], 0, 0);
        assert_float_equal(spec.std[i], 1, 0);
    }
    kldve_card_free(card);
    kldve_card_free(NULL);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_values(void **state)
{
    static const char text[] =
        "{\"input\": {\"shape\": [1, 1, 12, 34], \"mean\": 0.5, \"std\": [0.25],"
        " \"resize_shorter_side\": 40.0, \"center_crop\": 34}, \"labels\": \"../labels/l.txt\"}";
    static const struct {
        const char *folder, *labels;
    } paths[] = {
        {NULL, "../labels/l.txt"}, {"", "../labels/l.txt"}, {"a/b", "a/b/../labels/l.txt"}};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_card *card = NULL;
    kldve_input_spec spec = {.struct_size = sizeof spec};
    int32_t height, width;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        kldve_card_free(card);
        assert_int_equal(kldve_card_parse(ctx, text, sizeof text - 1, paths[i].folder, &card),
                         KLDVE_OK);
        assert_string_equal(kldve_card_labels(card), paths[i].labels);
    }
    assert_int_equal(kldve_card_input(card, &spec), KLDVE_OK);
    kldve_card_size(card, &height, &width);
    assert_int_equal(height, 12);
    assert_int_equal(width, 34);
    assert_int_equal(spec.channels, KLDVE_CHANNELS_GRAY); /* from the shape */
    assert_int_equal(spec.resize_shorter_side, 40);
    assert_int_equal(spec.center_crop, 34);
    assert_float_equal(spec.mean[0], 0.5f, 0);
    assert_float_equal(spec.std[0], 0.25f, 0);
    kldve_card_free(card);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* A caller that was compiled when the struct ended after `scale`. */
/* Everything about inputs, as it stands in the card. */
static void test_inputs(void **state)
{
    static const char text[] =
        "{\"input\": {\"shape\": [1, 4, 7, 12, 34], \"mean\": [1, 2, 3, 4], \"std\": 5},"
        "\"layout\": \"NTCHW\", \"picture_input\": \"film\", \"dims\": {\"n\": 4, \"m\": 2.0},"
        "\"inputs\": {\"h\": [[1, 2, 3], [4, 5, 6]], \"rate\": 0.5, \"c\": \"x/c.npy\"}}";
    static const double h[] = {1, 2, 3, 4, 5, 6};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_card *card = NULL;
    kldve_input_spec spec = {.struct_size = sizeof spec};
    kldve_card_value v = {.struct_size = sizeof v};
    const kldve_onnx_dim *dim;
    int32_t count = 0, height, width;

    (void)state;
    assert_int_equal(kldve_card_parse(ctx, text, sizeof text - 1, "folder", &card), KLDVE_OK);
    assert_string_equal(kldve_card_layout(card), "NTCHW");
    assert_string_equal(kldve_card_picture_input(card), "film");
    assert_int_equal(kldve_card_frames(card), 7);
    kldve_card_size(card, &height, &width);
    assert_int_equal(100 * height + width, 1234);
    assert_int_equal(kldve_card_input(card, &spec), KLDVE_OK);
    assert_int_equal(spec.channels, KLDVE_CHANNELS_RGB_ALPHA);
    assert_true(spec.mean[0] == 1 && spec.mean[2] == 3 && spec.alpha_mean == 4);
    assert_true(spec.std[0] == 5 && spec.std[2] == 5 && spec.alpha_std == 5);
    assert_int_equal(kldve_card_dims(card, &dim, &count), KLDVE_OK);
    assert_int_equal(count, 2);
    assert_string_equal(dim[0].name, "n");
    assert_int_equal(10 * dim[0].size + dim[1].size, 42);
    assert_int_equal(kldve_card_value_at(card, 0, &v), KLDVE_OK);
    assert_string_equal(v.name, "h");
    assert_null(v.file);
    assert_true(v.rank == 2 && v.dims[0] == 2 && v.dims[1] == 3);
    assert_memory_equal(v.data, h, sizeof h);
    assert_int_equal(kldve_card_value_at(card, 1, &v), KLDVE_OK);
    assert_true(v.rank == 0 && *v.data == 0.5);
    assert_int_equal(kldve_card_value_at(card, 2, &v), KLDVE_OK);
    assert_string_equal(v.file, "folder/x/c.npy");
    assert_int_equal(kldve_card_value_at(card, 3, &v), KLDVE_E_NOT_FOUND);
    assert_int_equal(kldve_card_value_at(card, -1, &v), KLDVE_E_NOT_FOUND);
    kldve_card_free(card);
    for (long budget = 0; budget < 64; budget++) { /* every allocation fails once */
        kldve_status st;

        card = NULL;
        heap.budget = budget;
        st = kldve_card_parse(ctx, text, sizeof text - 1, "folder", &card);
        heap.budget = -1;
        assert_true(st == KLDVE_OK ? card != NULL : st == KLDVE_E_NOMEM && !card);
        kldve_card_free(card);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_old_caller(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_card *card = NULL;
    kldve_input_spec spec;
    static const char text[] = INPUT("\"channels\": \"BGR\", \"mean\": [9, 9, 9]");

    (void)state;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = offsetof(kldve_input_spec, mean);
    assert_int_equal(kldve_card_parse(ctx, text, sizeof text - 1, NULL, &card), KLDVE_OK);
    assert_int_equal(kldve_card_input(card, &spec), KLDVE_OK);
    assert_int_equal(spec.struct_size, offsetof(kldve_input_spec, mean));
    assert_int_equal(spec.channels, KLDVE_CHANNELS_BGR);
    assert_float_equal(spec.mean[0], 0, 0);
    kldve_card_free(card);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_no_memory(void **state)
{
    static const char text[] = "{\"logits\": \"l\", \"features\": \"f\", \"labels\": \"a\"}";
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_card *card = NULL;
    kldve_status status;
    long budget = 0;

    (void)state;
    test_file_save("card_memory.tmp", text, sizeof text - 1);
    do {
        heap.budget = budget++;
        status = kldve_card_load(ctx, "card_memory.tmp", &card);
        if (status != KLDVE_OK) {
            assert_int_equal(status, KLDVE_E_NOMEM);
            assert_null(card);
            assert_non_null(strstr(kldve_ctx_message(ctx), "card_memory.tmp: out of memory"));
        }
    } while (status != KLDVE_OK);
    assert_true(budget > 6); /* bytes, folder, card, three names */
    heap.budget = -1;
    kldve_card_free(card);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_shared_cards(void **state)
{
    static const char *const models[] = {"googlenet",
                                         "mnist_cnn",
                                         "mobilenet_v1_0.25_128",
                                         "mobilenet_v1_1.0_224",
                                         "mobilenet_v2_1.0_224",
                                         "resnet20_cifar10",
                                         "resnet56_cifar10",
                                         "squeezenet_v1.0",
                                         "squeezenet_v1.1"};
    const char *shared = test_shared_or_skip();
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        kldve_card *card = NULL;
        kldve_input_spec spec = {.struct_size = sizeof spec};
        const char *path = test_path("%s/assets/models/%s.card.json", shared, models[i]);
        int32_t height, width;

        assert_int_equal(kldve_card_load(ctx, path, &card), KLDVE_OK);
        assert_non_null(kldve_card_layer(card));
        assert_non_null(kldve_card_logits(card));
        assert_int_equal(kldve_card_input(card, &spec), KLDVE_OK);
        kldve_card_size(card, &height, &width);
        assert_int_equal(spec.center_crop, height);
        assert_int_equal(height, width);
        if (kldve_card_labels(card)) {
            kldve_labels *labels = NULL;

            assert_int_equal(kldve_labels_load(ctx, kldve_card_labels(card), &labels), KLDVE_OK);
            kldve_labels_free(labels);
        }
        kldve_card_free(card);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged),     cmocka_unit_test(test_scores),
        cmocka_unit_test(test_files),       cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),      cmocka_unit_test(test_old_caller),
        cmocka_unit_test(test_inputs),      cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_shared_cards)};
    int failed = TEST_RUN_CASES("cards that are refused", bad, check_bad);

    return failed + cmocka_run_group_tests_name("card", tests, NULL, NULL);
}
