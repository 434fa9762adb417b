/* test_interrupted.c - loading, explaining, pictures and divergences that are ended early: nothing
 * is handed out, nothing leaks, and what is done again afterwards is the same to the bit. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <kldve/method.h>
#include <kldve/onnx.h>

enum { SIDE = 64, CLASSES = 20000 };

static const double at_once = 1e-6; /* milliseconds */

/* An allocator that cancels a context at one of its calls. */
typedef struct trap {
    kldve_ctx *ctx;
    long calls, at, live;
} trap;

static void *trap_alloc(void *opaque, size_t nbytes)
{
    trap *t = opaque;

    t->live++;
    if (++t->calls == t->at)
        kldve_ctx_cancel(t->ctx);
    return malloc(nbytes);
}

static void trap_free(void *opaque, void *memory)
{
    ((trap *)opaque)->live--;
    free(memory);
}

static kldve_ctx *trapped(trap *t)
{
    const kldve_allocator a = {
        .struct_size = sizeof a, .alloc = trap_alloc, .free = trap_free, .opaque = t};

    memset(t, 0, sizeof *t);
    assert_int_equal(kldve_ctx_new(&a, &t->ctx), KLDVE_OK);
    return t->ctx;
}

static void set_trap(trap *t, long after)
{
    t->calls = 0;
    t->at = after;
}

static kldve_status open_demo(kldve_ctx *ctx, double deadline_ms, kldve_explainer **ex)
{
    kldve_onnx_options o = {.struct_size = sizeof o,
                            .threads = 1,
                            .flags = KLDVE_ONNX_FLAG_VJP_INPUT,
                            .deadline_ms = deadline_ms};

    return kldve_onnx_explainer(ctx, NULL, &o, ex);
}

static void test_loading(void **state)
{
    kldve_explainer *ex = NULL;
    trap t;
    kldve_ctx *ctx = trapped(&t);
    long most, cancelled = 0;

    (void)state;
    assert_int_equal(open_demo(ctx, -1, &ex), KLDVE_E_ARG);
    assert_non_null(strstr(kldve_ctx_message(ctx), "deadline_ms is -1"));
    assert_int_equal(open_demo(ctx, at_once, &ex), KLDVE_E_DEADLINE);
    assert_non_null(strstr(kldve_ctx_message(ctx), "the deadline passed during "));
    assert_int_equal(t.live, 1); /* the context itself */
    set_trap(&t, 0);
    assert_int_equal(open_demo(ctx, 0, &ex), KLDVE_OK);
    most = t.calls;
    kldve_explainer_free(ex);
    for (long at = 1; at < most; at += 1 + most / 40) {
        kldve_status st;

        set_trap(&t, at);
        ex = NULL;
        st = open_demo(ctx, 0, &ex);
        cancelled += st == KLDVE_E_CANCELLED;
        assert_true(st == KLDVE_E_CANCELLED ? ex == NULL : st == KLDVE_OK);
        kldve_explainer_free(ex);
        assert_int_equal(t.live, 1);
        kldve_ctx_resume(ctx); /* of a cancel that came too late */
    }
    assert_true(cancelled > 30);
    kldve_ctx_free(ctx);
}

static float *some_input(const kldve_explainer *ex)
{
    kldve_shape s = {.struct_size = sizeof s};
    size_t count;
    float *input;

    assert_int_equal(kldve_explainer_shape(ex, &s), KLDVE_OK);
    count = (size_t)s.in_channels * (size_t)s.in_height * (size_t)s.in_width;
    input = malloc(count * sizeof *input);
    assert_non_null(input);
    for (size_t i = 0; i < count; i++)
        input[i] = (float)(i * 2654435761u % 1000) / 500 - 1;
    return input;
}

static void assert_same_map(const kldve_heatmap *a, const kldve_heatmap *b)
{
    const float *x, *y;
    int32_t count, same;

    assert_int_equal(kldve_heatmap_values(a, &x, &count), KLDVE_OK);
    assert_int_equal(kldve_heatmap_values(b, &y, &same), KLDVE_OK);
    assert_int_equal(count, same);
    assert_memory_equal(x, y, (size_t)count * sizeof *x);
}

/* Stops at the N-th report. */
static int32_t stop_later(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)stage;
    (void)done;
    (void)total;
    return --*(int *)opaque == 0;
}

/* After each way to end it the same explanation works, and is the same. */
static void interrupt(kldve_ctx *ctx, trap *t, kldve_explainer *ex, const float *input,
                      kldve_options o)
{
    kldve_heatmap *map = NULL, *again = NULL;
    int reports = 0;

    assert_int_equal(kldve_explain_input(ex, input, &o, &map), KLDVE_OK);
    for (int at = 1; at <= 5; at++) {
        kldve_status st;

        reports = at;
        kldve_ctx_set_progress(ctx, stop_later, &reports);
        st = kldve_explain_input(ex, input, &o, &again);
        kldve_ctx_set_progress(ctx, NULL, NULL);
        if (st == KLDVE_OK) /* so many reports there are not */
            kldve_heatmap_free(again);
        else
            assert_int_equal(st, KLDVE_E_CANCELLED);
        set_trap(t, at);
        st = kldve_explain_input(ex, input, &o, &again);
        set_trap(t, 0);
        kldve_ctx_resume(ctx);
        if (st == KLDVE_OK)
            kldve_heatmap_free(again);
        else
            assert_int_equal(st, KLDVE_E_CANCELLED);
        o.deadline_ms = at_once;
        assert_int_equal(kldve_explain_input(ex, input, &o, &again), KLDVE_E_DEADLINE);
        o.deadline_ms = 0;
        assert_int_equal(kldve_explain_input(ex, input, &o, &again), KLDVE_OK);
        assert_string_equal(kldve_ctx_message(ctx), "");
        assert_same_map(map, again);
        kldve_heatmap_free(again);
    }
    kldve_heatmap_free(map);
}

static void test_explaining(void **state)
{
    static const kldve_options cases[] = {
        {.struct_size = sizeof(kldve_options)},
        {.struct_size = sizeof(kldve_options), .flags = KLDVE_FLAG_CHECK, .smooth = 1},
        {.struct_size = sizeof(kldve_options), .method = "lrp-epsilon"},
        {.struct_size = sizeof(kldve_options), .method = "full-grad"},
        {.struct_size = sizeof(kldve_options), .method = "rise", .samples = 20},
        {.struct_size = sizeof(kldve_options), .method = "smooth-grad", .samples = 4},
    };
    kldve_explainer *ex = NULL;
    trap t;
    kldve_ctx *ctx = trapped(&t);
    float *input;

    (void)state;
    assert_int_equal(open_demo(ctx, 0, &ex), KLDVE_OK);
    input = some_input(ex);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        interrupt(ctx, &t, ex, input, cases[i]);
    free(input);
    kldve_explainer_free(ex);
    assert_int_equal(t.live, 1);
    kldve_ctx_free(ctx);
}

/* Keeps the number of polls that the log has of the last call. */
static void count_polls(void *opaque, int32_t level, const char *line)
{
    const char *end = strstr(line, " polls");

    if (level != KLDVE_LOG_DEBUG || !end)
        return;
    while (end > line && end[-1] >= '0' && end[-1] <= '9')
        end--;
    *(int *)opaque = atoi(end);
}

/* Every pass polls, and every step of a pass. */
static void test_polls(void **state)
{
    const kldve_options rise = {.struct_size = sizeof rise, .method = "rise", .samples = 50};
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    trap t;
    kldve_ctx *ctx = trapped(&t);
    int once = 0, often = 0;
    float *input;

    (void)state;
    assert_int_equal(open_demo(ctx, 0, &ex), KLDVE_OK);
    input = some_input(ex);
    kldve_ctx_set_log(ctx, KLDVE_LOG_DEBUG, count_polls, &once);
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_OK);
    kldve_heatmap_free(map);
    assert_true(once > 20); /* the demonstration network has more steps than that */
    kldve_ctx_set_log(ctx, KLDVE_LOG_DEBUG, count_polls, &often);
    assert_int_equal(kldve_explain_input(ex, input, &rise, &map), KLDVE_OK);
    kldve_heatmap_free(map);
    assert_true(often > 50 * 8);
    free(input);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
}

/* With a deadline none of these comes to an end; without one all do. */
static void test_pictures(void **state)
{
    static uint8_t rgb[3 * SIDE * SIDE];
    const kldve_pixels pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, SIDE, SIDE, rgb, 0);
    kldve_image *picture = NULL, *other = NULL;
    trap t;
    kldve_ctx *ctx = trapped(&t);

    (void)state;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * 2654435761u >> 7);
    assert_int_equal(kldve_image_from_pixels(ctx, &pixels, &picture), KLDVE_OK);
    for (int32_t format = KLDVE_FILE_FORMAT_PNG; format <= KLDVE_FILE_FORMAT_JPEG; format++) {
        void *bytes = NULL;
        size_t nbytes;

        assert_int_equal(kldve_ctx_set_deadline(ctx, at_once), KLDVE_OK);
        assert_int_equal(kldve_image_encode(ctx, picture, format, 0, &bytes, &nbytes),
                         KLDVE_E_DEADLINE);
        assert_string_equal(kldve_ctx_message(ctx), "the deadline passed during encode");
        assert_int_equal(kldve_ctx_set_deadline(ctx, 0), KLDVE_OK);
        assert_int_equal(kldve_image_encode(ctx, picture, format, 0, &bytes, &nbytes), KLDVE_OK);
        assert_int_equal(kldve_ctx_set_deadline(ctx, at_once), KLDVE_OK);
        assert_int_equal(kldve_image_decode(ctx, bytes, nbytes, &other), KLDVE_E_DEADLINE);
        assert_int_equal(kldve_ctx_set_deadline(ctx, 0), KLDVE_OK);
        kldve_ctx_cancel(ctx);
        assert_int_equal(kldve_image_decode(ctx, bytes, nbytes, &other), KLDVE_E_CANCELLED);
        assert_int_equal(kldve_image_decode(ctx, bytes, nbytes, &other), KLDVE_OK);
        kldve_image_free(other);
        kldve_ctx_release(ctx, bytes);
    }
    other = NULL;
    kldve_ctx_cancel(ctx);
    assert_int_equal(kldve_image_resize(ctx, picture, 9, 9, &other), KLDVE_E_CANCELLED);
    assert_null(other);
    assert_int_equal(kldve_image_resize(ctx, picture, 9, 9, &other), KLDVE_OK);
    kldve_image_free(other);
    kldve_image_free(picture);
    assert_int_equal(t.live, 1);
    kldve_ctx_free(ctx);
}

static void test_divergences(void **state)
{
    double *k = malloc(CLASSES * sizeof *k), *z = malloc(CLASSES * sizeof *z),
           *again = malloc(CLASSES * sizeof *again), kl;
    kldve_divergence *d = NULL;
    trap t;
    kldve_ctx *ctx = trapped(&t);

    (void)state;
    assert_true(k && z && again);
    for (size_t i = 0; i < CLASSES; i++)
        k[i] = (double)(i * 2654435761u % 100000) / 5000;
    assert_int_equal(kldve_divergence_new(ctx, CLASSES, NULL, &d), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(d, 7, z, NULL), KLDVE_OK);
    assert_int_equal(kldve_ctx_set_deadline(ctx, at_once), KLDVE_OK);
    assert_int_equal(kldve_divergence_truth(d, k, again, &kl), KLDVE_E_DEADLINE);
    assert_int_equal(kldve_divergence_sweep(d, 7, k, 1, NULL, NULL), KLDVE_E_DEADLINE);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_E_DEADLINE);
    assert_int_equal(kldve_ctx_set_deadline(ctx, 0), KLDVE_OK);
    assert_int_equal(kldve_divergence_set_scores(d, k), KLDVE_OK);
    assert_int_equal(kldve_divergence_onehot(d, 7, again, NULL), KLDVE_OK);
    assert_memory_equal(z, again, CLASSES * sizeof *z);
    kldve_divergence_free(d);
    assert_int_equal(t.live, 1);
    kldve_ctx_free(ctx);
    free(k);
    free(z);
    free(again);
}

/* Loading, explaining and failing, with both streams going to a file. */
static long written_by_the_library(void)
{
    FILE *file = tmpfile();
    int kept[2] = {dup(1), dup(2)};
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    kldve_image *broken = NULL;
    long written;
    trap t;
    kldve_ctx *ctx = trapped(&t);
    float *input;

    fflush(NULL);
    assert_true(file && dup2(fileno(file), 1) == 1 && dup2(fileno(file), 2) == 2);
    assert_int_equal(open_demo(ctx, 0, &ex), KLDVE_OK);
    input = some_input(ex);
    assert_int_equal(kldve_explain_input(ex, input, NULL, &map), KLDVE_OK);
    assert_int_equal(kldve_image_decode(ctx, "\x89PNG\r\n\x1a\n and no more", 20, &broken),
                     KLDVE_E_FORMAT);
    fflush(NULL);
    dup2(kept[0], 1);
    dup2(kept[1], 2);
    written = (long)lseek(fileno(file), 0, SEEK_END);
    close(kept[0]);
    close(kept[1]);
    fclose(file);
    kldve_heatmap_free(map);
    free(input);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
    return written;
}

static void test_no_stream(void **state)
{
    (void)state;
    assert_int_equal(written_by_the_library(), 0);
}

/* What a host's log gets while a network loads. */
struct seen {
    int layer, scores;
};

static void see(void *opaque, int32_t level, const char *line)
{
    struct seen *s = opaque;

    s->layer += level == KLDVE_LOG_INFO && strncmp(line, "layer '", 7) == 0;
    s->scores += level == KLDVE_LOG_INFO && strncmp(line, "scores '", 8) == 0;
    assert_true(level <= KLDVE_LOG_INFO && !strchr(line, '\n'));
}

static void test_log_of_loading(void **state)
{
    struct seen seen = {0, 0};
    kldve_explainer *ex = NULL;
    trap t;
    kldve_ctx *ctx = trapped(&t);

    (void)state;
    kldve_ctx_set_log(ctx, KLDVE_LOG_INFO, see, &seen);
    assert_int_equal(open_demo(ctx, 0, &ex), KLDVE_OK);
    assert_int_equal(seen.layer, 1);
    assert_int_equal(seen.scores, 1);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loading),        cmocka_unit_test(test_explaining),
        cmocka_unit_test(test_polls),          cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_divergences),    cmocka_unit_test(test_no_stream),
        cmocka_unit_test(test_log_of_loading),
    };
    kldve_onnx_files demo = {.struct_size = sizeof demo};

    return kldve_onnx_demo(&demo) == KLDVE_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
