/* test_memory_limit.c - a whole session, from the file to the drawn map, within a limit of memory:
 * it works, or it ends with a message that names the limit; it never holds more, leaves nothing
 * behind, and works as soon as the limit is raised. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

static const size_t pixels = 3 * 28 * 28;

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
    kldve_status st;

    for (size_t i = 0; i < pixels; i++)
        rgb[i] = (unsigned char)(7 * i);
    if (strcmp(method, "rise") == 0)
        why.samples = 5;
    if ((st = kldve_onnx_load(s->ctx, path, &o, &s->net)) < 0 ||
        (st = kldve_explainer_new(s->ctx, kldve_onnx_backend(), s->net, &s->ex)) < 0 ||
        (st = kldve_image_from_rgb(s->ctx, rgb, 28, 28, (size_t)3 * 28, &s->picture)) < 0 ||
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions),
    };

    return cmocka_run_group_tests_name("memory limit", tests, NULL, NULL);
}
