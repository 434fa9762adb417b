/* test_memory_limit.c - a whole session, from the file to the drawn map, within a limit of memory:
 * it works, or it ends with a message that names the limit; it never holds more, leaves nothing
 * behind, and works as soon as the limit is raised. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

#include "folder.h"
#include "onnx/networks/text.h"

typedef struct session {
    kldve_ctx *ctx;
    kldve_onnx *net;
    kldve_explainer *ex;
    kldve_image *picture, *drawn;
    kldve_heatmap *map;
} session;

static kldve_status work(session *s, const char *path, const char *method)
{
    kldve_onnx_options o = {
        .struct_size = sizeof o, .threads = 1, .flags = KLDVE_ONNX_FLAG_VJP_INPUT, .batch = 2};
    kldve_options why = {.struct_size = sizeof why, .method = method};
    unsigned char rgb[3 * 28 * 28];
    kldve_pixels pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, 28, 28, rgb, 0);
    kldve_status st;

    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (unsigned char)(7 * i);
    if (strcmp(method, "rise") == 0)
        why.samples = 5;
    if ((st = kldve_onnx_load(s->ctx, path, &o, &s->net)) < 0 ||
        (st = kldve_explainer_new(s->ctx, kldve_onnx_backend(), s->net, &s->ex)) < 0 ||
        (st = kldve_image_from_pixels(s->ctx, &pixels, &s->picture)) < 0 ||
        (st = kldve_explain(s->ex, s->picture, &why, &s->map)) < 0)
        return st;
    return kldve_heatmap_render(s->ctx, s->map, s->picture, NULL, &s->drawn);
}

static void end(session *s)
{
    kldve_image_free(s->drawn);
    kldve_image_free(s->picture);
    kldve_heatmap_free(s->map);
    kldve_explainer_free(s->ex);
    kldve_onnx_free(s->net);
}

static void within(const char *path, const char *method, size_t limit, bool *done)
{
    test_heap heap;
    session s = {.ctx = test_ctx(&heap)};
    size_t now = 0, most = 0;
    kldve_status st;

    assert_int_equal(kldve_ctx_set_limit(s.ctx, KLDVE_LIMIT_MEMORY, (int64_t)limit), KLDVE_OK);
    st = work(&s, path, method);
    *done = st == KLDVE_OK;
    if (!*done) {
        assert_int_equal(st, KLDVE_E_NOMEM);
        test_says(s.ctx, "out of memory");
        test_says(s.ctx, "the limit 'memory' is ");
    }
    end(&s);
    assert_int_equal(kldve_ctx_memory(s.ctx, &now, &most), KLDVE_OK);
    assert_int_equal(now, 0);
    assert_true(most <= limit);
    assert_int_equal(heap.live, 1);
    s = (session){.ctx = s.ctx};
    assert_int_equal(kldve_ctx_set_limit(s.ctx, KLDVE_LIMIT_MEMORY, 0), KLDVE_OK);
    assert_int_equal(work(&s, path, method), KLDVE_OK);
    assert_string_equal(kldve_ctx_message(s.ctx), "");
    end(&s);
    kldve_ctx_free(s.ctx);
    assert_int_equal(heap.live, 0);
}

static void test_sessions(void **state)
{
    static const char *const methods[] = {"kl-dve", "rise", "lrp-composite", "full-grad",
                                          "guided-kl-dve"};
    const char *path = test_path("%s/assets/models/mnist_cnn.onnx", test_shared_or_skip());

    (void)state;
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        bool done = false;
        size_t limit = 4096, steps = 0;

        for (; !done; limit += limit / 6, steps++)
            within(path, methods[m], limit, &done);
        assert_true(steps > 20);
    }
}

/* What a file asks for, and the message that refuses it. */
static void test_limits_of_a_file(void **state)
{
    static const struct {
        int32_t limit;
        int64_t value;
        const char *says;
    } cases[] = {
        {KLDVE_LIMIT_MODEL, 1000, " bytes: the limit 'model' is 1000 bytes; raise it with"},
        {KLDVE_LIMIT_NODES, 3, " nodes: the limit 'nodes' is 3; raise it with"},
        {KLDVE_LIMIT_UNPACKED, 1000, "unpacks to more than is taken: the limit 'unpacked' is 1000"},
        {KLDVE_LIMIT_WORKING_MEMORY, 1024, ": the limit 'working-memory' is 1 KiB; raise it with"},
        {KLDVE_LIMIT_WEIGHTS, 10, " bytes of weights: the limit 'weights' is 10 bytes; raise it"},
        {KLDVE_LIMIT_CARD, 10, " bytes of a model card: the limit 'card' is 10 bytes; raise it"},
    };
    const char *path = test_path("%s/assets/models/mnist_cnn.onnx", test_shared_or_skip());

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kldve_explainer *ex = NULL;

        assert_int_equal(kldve_ctx_set_limit(ctx, cases[i].limit, cases[i].value), KLDVE_OK);
        assert_int_equal(kldve_onnx_explainer(ctx, path, NULL, &ex), KLDVE_E_LIMIT);
        test_says(ctx, cases[i].says);
        test_says(ctx, "mnist_cnn");
        assert_null(ex);
        assert_int_equal(kldve_ctx_set_limit(ctx, cases[i].limit, INT64_MAX), KLDVE_OK);
        assert_int_equal(kldve_onnx_explainer(ctx, path, NULL, &ex), KLDVE_OK);
        kldve_explainer_free(ex);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

/* Loading within a limit: it works, or the message names the limit. */
static bool loads(const char *path, int32_t limit, int64_t value)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;
    char says[64];
    kldve_status st;

    snprintf(says, sizeof says, "the limit '%s' is ", kldve_limit_name(limit));
    assert_int_equal(kldve_ctx_set_limit(ctx, limit, value), KLDVE_OK);
    st = kldve_onnx_explainer(ctx, path, NULL, &ex);
    if (st != KLDVE_OK) {
        if (st != KLDVE_E_LIMIT)
            fail_msg("%s: %s", kldve_status_name(st), kldve_ctx_message(ctx));
        test_says(ctx, says);
    }
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    return st == KLDVE_OK;
}

/* Each limit of a network's file to the number: what works at the limit is refused one below, and
 * works again when it is raised. */
static void check_exactly(const char *path, int32_t limit)
{
    int64_t below = 0, works = INT64_C(1) << 40;

    assert_true(loads(path, limit, works));
    while (works - below > 1) {
        int64_t middle = below + (works - below) / 2;

        *(loads(path, limit, middle) ? &works : &below) = middle;
    }
    if (works == 1)
        fail_msg("the limit '%s' refuses nothing", kldve_limit_name(limit));
}

static void test_exact_limits(void **state)
{
    static const int32_t limits[] = {
        KLDVE_LIMIT_MODEL,          KLDVE_LIMIT_UNPACKED, KLDVE_LIMIT_NODES, KLDVE_LIMIT_WEIGHTS,
        KLDVE_LIMIT_WORKING_MEMORY, KLDVE_LIMIT_CARD,     KLDVE_LIMIT_WORK};
    const char *path = test_path("%s/assets/models/mnist_cnn.onnx", test_shared_or_skip());

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        check_exactly(path, limits[i]);
}

/* The same of weights in a file of their own. */
static void test_external(void **state)
{
    static const float weights[8 * 3] = {1, 2, 3, 4, 5, 6, 7, 8};
    const char *path = test_in_folder("net.onnx");
    FILE *f = fopen(test_in_folder("w.bin"), "wb");

    (void)state;
    assert_non_null(f);
    assert_int_equal(fwrite(weights, sizeof weights, 1, f), 1);
    assert_int_equal(fclose(f), 0);
    assert_true(writer_file(path, write_text,
                            "in x 1,3,8,8; ext w 8,3,1,1 location=w.bin; n Conv x,w c; "
                            "n GlobalAveragePool c g; n Flatten g y; out y"));
    assert_true(loads(path, KLDVE_LIMIT_EXTERNAL, sizeof weights));
    assert_false(loads(path, KLDVE_LIMIT_EXTERNAL, sizeof weights - 1));
    assert_int_equal(test_folder_clear(), 2);
}

/* From the third explanation on the allocator is asked for the heat maps alone. */
static void test_one_block(void **state)
{
    static const char *const methods[] = {"kl-dve", "grad-cam", "layer-cam"};
    const char *path = test_path("%s/assets/models/mnist_cnn.onnx", test_shared_or_skip());

    (void)state;
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        test_heap heap;
        session s = {.ctx = test_ctx(&heap)};
        kldve_options why = {.struct_size = sizeof why, .method = methods[m]};
        kldve_image *large = NULL;
        const kldve_image *both[2];
        long before = 0;

        assert_int_equal(work(&s, path, methods[m]), KLDVE_OK);
        assert_int_equal(kldve_image_resize(s.ctx, s.picture, 100, 70, &large), KLDVE_OK);
        both[0] = s.picture;
        both[1] = large;
        for (int i = 0; i < 3; i++) {
            kldve_heatmap *map[4] = {NULL};

            before = heap.calls;
            assert_int_equal(kldve_explain(s.ex, s.picture, &why, &map[0]), KLDVE_OK);
            assert_int_equal(kldve_explain(s.ex, large, &why, &map[1]), KLDVE_OK);
            assert_int_equal(kldve_explain_many(s.ex, both, 2, &why, &map[2]), KLDVE_OK);
            for (int k = 0; k < 4; k++)
                kldve_heatmap_free(map[k]);
        }
        assert_int_equal(heap.calls - before, 4);
        kldve_image_free(large);
        end(&s);
        kldve_ctx_free(s.ctx);
        assert_int_equal(heap.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions),     cmocka_unit_test(test_limits_of_a_file),
        cmocka_unit_test(test_exact_limits), cmocka_unit_test(test_external),
        cmocka_unit_test(test_one_block),
    };

    return cmocka_run_group_tests_name("memory limit", tests, test_folder_make, test_folder_remove);
}
