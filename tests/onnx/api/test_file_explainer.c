/* test_file_explainer.c - kldve_onnx_explainer() finds the card, prefers the caller to the card,
 * owns what it loads, and gives the same map as the long way. */
#include "support.h"
#include "got.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

static const char *model(const char *name)
{
    return test_path("%s/assets/models/%s.onnx", test_shared_or_skip(), name);
}

static const char *picture(void)
{
    return test_path("%s/assets/images/small/mnist_test_00_is_7.png", test_shared_or_skip());
}

/* The map of a picture by an explainer, to compare; at most 64 x 64 cells. */
typedef struct cells {
    int32_t height, width, target;
    float value[4096];
} cells;

static void explain(kldve_ctx *ctx, kldve_explainer *explainer, const char *path, cells *out)
{
    kldve_image *image = NULL;
    kldve_heatmap *map = NULL;
    kldve_record record = {.struct_size = sizeof record};

    assert_int_equal(kldve_image_load(ctx, path, &image), KLDVE_OK);
    if (kldve_explain(explainer, image, NULL, &map) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    assert_int_equal(kldve_heatmap_record(map, &record), KLDVE_OK);
    memset(out, 0, sizeof *out);
    out->height = record.height;
    out->width = record.width;
    out->target = record.target;
    assert_true(record.height * record.width <= 4096);
    memcpy(out->value, got_values(map),
           (size_t)(record.height * record.width) * sizeof *out->value);
    kldve_heatmap_free(map);
    kldve_image_free(image);
}

static void test_same_as_the_long_way(void **state)
{
    test_heap heap;
    const char *path = model("mnist_cnn");
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *explainer = NULL;
    kldve_card *card = NULL;
    kldve_onnx *net = NULL;
    kldve_onnx_options options = {.struct_size = sizeof options};
    kldve_input_spec spec = {.struct_size = sizeof spec};
    cells a, b;

    (void)state;
    assert_int_equal(kldve_onnx_explainer(ctx, path, NULL, &explainer), KLDVE_OK);
    explain(ctx, explainer, picture(), &a);
    kldve_explainer_free(explainer);
    assert_int_equal(a.target, 7);
    assert_int_equal(a.width, 14);

    assert_int_equal(kldve_card_beside(ctx, path, &card), KLDVE_OK);
    options.layer = kldve_card_layer(card);
    options.logits = kldve_card_logits(card);
    assert_int_equal(kldve_card_input(card, &spec), KLDVE_OK);
    assert_int_equal(kldve_onnx_load(ctx, path, &options, &net), KLDVE_OK);
    assert_int_equal(kldve_explainer_new(ctx, kldve_onnx_backend(), net, &explainer), KLDVE_OK);
    assert_int_equal(kldve_explainer_set_input(explainer, &spec), KLDVE_OK);
    explain(ctx, explainer, picture(), &b);
    assert_memory_equal(&a, &b, sizeof a);
    kldve_explainer_free(explainer);
    kldve_onnx_free(net);
    kldve_card_free(card);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* From memory: the same map, with the labels that are given, and what it was opened on. */
static void test_memory(void **state)
{
    static const char labels[] = "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n";
    const char *path = model("mnist_cnn"), *label = NULL;
    kldve_onnx_files files = {
        .struct_size = sizeof files, .labels = labels, .labels_nbytes = sizeof labels - 1};
    size_t nbytes;
    void *bytes = test_file_load(path, &nbytes),
         *card = test_file_load(
             test_path("%s/assets/models/mnist_cnn.card.json", test_shared_or_skip()),
             &files.card_nbytes);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *explainer = NULL;
    kldve_onnx_choice choice = {.struct_size = sizeof choice};
    cells a, b;

    (void)state;
    assert_int_equal(kldve_onnx_explainer_memory(ctx, &files, NULL, &explainer), KLDVE_E_ARG);
    test_says(ctx, "kldve_onnx_files: the model is NULL");
    files.model = bytes;
    files.model_nbytes = nbytes;
    files.card = card;
    assert_int_equal(kldve_onnx_explainer_memory(ctx, NULL, NULL, &explainer), KLDVE_E_ARG);
    assert_int_equal(kldve_onnx_explainer_memory(ctx, &files, NULL, NULL), KLDVE_E_ARG);
    if (kldve_onnx_explainer_memory(ctx, &files, NULL, &explainer) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    free(card); /* borrowed for the call only */
    explain(ctx, explainer, picture(), &a);
    assert_int_equal(kldve_onnx_chosen(kldve_onnx_explainer_net(explainer), &choice), KLDVE_OK);
    assert_int_equal(choice.grid_width, 14);
    assert_non_null(kldve_card_layer(kldve_onnx_explainer_card(explainer)));
    assert_int_equal(kldve_labels_name(kldve_onnx_explainer_labels(explainer), a.target, &label),
                     KLDVE_OK);
    assert_string_equal(label, "seven");
    kldve_explainer_free(explainer);
    explainer = NULL;
    assert_int_equal(kldve_onnx_explainer(ctx, path, NULL, &explainer), KLDVE_OK);
    explain(ctx, explainer, picture(), &b);
    assert_memory_equal(&a, &b, sizeof a);
    kldve_explainer_free(explainer);
    assert_null(kldve_onnx_explainer_net(NULL));
    assert_null(kldve_onnx_explainer_card(NULL));
    assert_null(kldve_onnx_explainer_labels(NULL));
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(bytes);
}

static void test_caller_before_card(void **state)
{
    test_heap heap;
    const char *path = model("mnist_cnn");
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *explainer = NULL;
    kldve_onnx_options options = {.struct_size = sizeof options, .layer = "ReLU32_Output_0"};
    cells map;

    (void)state;
    assert_int_equal(kldve_onnx_explainer(ctx, path, &options, &explainer), KLDVE_OK);
    explain(ctx, explainer, picture(), &map);
    assert_int_equal(map.width, 28);
    kldve_explainer_free(explainer);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Every way in which it can fail frees what was loaded until then. */
static void test_failures(void **state)
{
    test_heap heap;
    const char *path = model("mnist_cnn");
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *explainer = NULL;
    kldve_onnx_options options = {.struct_size = sizeof options, .layer = "no such layer"};
    struct newer {
        kldve_onnx_options known;
        int64_t member;
    } newer = {{.struct_size = sizeof newer}, 1};
    kldve_status status;
    long budget = 0;

    (void)state;
    assert_int_equal(kldve_onnx_explainer(ctx, path, &options, &explainer), KLDVE_E_ARG);
    options = (kldve_onnx_options){0}; /* no struct_size */
    assert_int_equal(kldve_onnx_explainer(ctx, path, &options, &explainer), KLDVE_E_ARG);
    assert_int_equal(kldve_onnx_explainer(ctx, path, &newer.known, &explainer),
                     KLDVE_E_UNSUPPORTED);
    assert_int_equal(kldve_onnx_explainer(ctx, "no.onnx", NULL, &explainer), KLDVE_E_IO);
    assert_int_equal(kldve_onnx_explainer(NULL, path, NULL, &explainer), KLDVE_E_ARG);
    assert_int_equal(kldve_onnx_explainer(ctx, path, NULL, NULL), KLDVE_E_ARG);
    assert_null(explainer);
    assert_int_equal(heap.live, 1); /* the context */
    do {
        heap.budget = budget++;
        status = kldve_onnx_explainer(ctx, path, NULL, &explainer);
        if (status != KLDVE_OK) {
            assert_int_equal(status, KLDVE_E_NOMEM);
            assert_null(explainer);
            assert_true(strlen(kldve_ctx_message(ctx)) > 0);
            assert_int_equal(heap.live, 1);
        }
    } while (status != KLDVE_OK);
    assert_true(budget > 10);
    heap.budget = -1;
    kldve_explainer_free(explainer);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void save(const char *path, const char *text)
{
    test_file_save(path, text, strlen(text));
}

/* Without a card: a network with one channel gets grey pictures. */
static void test_without_card(void **state)
{
    test_heap heap;
    size_t nbytes;
    void *bytes = test_file_load(model("mnist_cnn"), &nbytes);
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *explainer = NULL;
    cells a, b;

    (void)state;
    test_file_save("alone.tmp", bytes, nbytes);
    free(bytes);
    assert_int_equal(kldve_onnx_explainer(ctx, "alone.tmp", NULL, &explainer), KLDVE_OK);
    explain(ctx, explainer, picture(), &a);
    kldve_explainer_free(explainer);
    assert_int_equal(a.target, 7);
    save("alone.tmp.card.json", "{\"features\": \"ReLU32_Output_0\"}"); /* RGB, then */
    assert_int_equal(kldve_onnx_explainer(ctx, "alone.tmp", NULL, &explainer), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(ctx), "channels"));
    save("alone.tmp.card.json",
         "{\"features\": \"ReLU32_Output_0\", \"input\": {\"channels\": \"GRAY\"}}");
    assert_int_equal(kldve_onnx_explainer(ctx, "alone.tmp", NULL, &explainer), KLDVE_OK);
    explain(ctx, explainer, picture(), &b);
    assert_int_equal(b.width, 28);
    kldve_explainer_free(explainer);
    assert_int_equal(remove("alone.tmp.card.json"), 0);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_built_in(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *explainer = NULL;
    kldve_labels *labels = NULL;
    kldve_onnx_files demo = {.struct_size = sizeof demo}, old;
    kldve_shape shape = {.struct_size = sizeof shape};

    (void)state;
    assert_int_equal(kldve_onnx_demo(NULL), KLDVE_E_ARG);
    if (kldve_onnx_demo(&demo) == KLDVE_E_UNSUPPORTED) {
        kldve_ctx_free(ctx);
        skip();
    }
    memset(&old, 0, sizeof old);
    assert_int_equal(kldve_onnx_demo(&old), KLDVE_E_ARG);
    old.struct_size = offsetof(kldve_onnx_files, card);
    assert_int_equal(kldve_onnx_demo(&old), KLDVE_OK);
    assert_ptr_equal(old.model, demo.model);
    assert_null(old.card);
    assert_int_equal(kldve_onnx_explainer(ctx, NULL, NULL, &explainer), KLDVE_OK);
    assert_int_equal(kldve_explainer_shape(explainer, &shape), KLDVE_OK);
    assert_int_equal(kldve_labels_parse(ctx, demo.labels, demo.labels_nbytes, &labels), KLDVE_OK);
    assert_int_equal(kldve_labels_count(labels), shape.classes);
    kldve_labels_free(labels);
    kldve_explainer_free(explainer);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_long_way), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_caller_before_card),   cmocka_unit_test(test_failures),
        cmocka_unit_test(test_without_card),         cmocka_unit_test(test_built_in),
    };

    return cmocka_run_group_tests_name("explainer", tests, NULL, NULL);
}
