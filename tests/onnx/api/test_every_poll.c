/* test_every_poll.c - every call that can be stopped, stopped at each of its polls, by a flag that
 * is set just before, and at each report of its progress: KLDVE_E_CANCELLED, nothing is handed out,
 * nothing leaks, and the same call then gives the same bits.
 *
 * Each poll looks at the clock once, so that a clock of our own knows which poll it is.  Some of
 * the polls are tried; with KLDVE_LONG=1 in the environment all. */
#define _GNU_SOURCE 1 /* syscall() */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <kldve/method.h>
#include <kldve/onnx.h>

enum { SIDE = 48, CLASSES = 600, SOME = 5 /* polls of a call that are tried */ };

/* ---- the clock ------------------------------------------------------------------------------ */

static struct {
    kldve_ctx *ctx;
    long looks, at; /* cancel at this look; 0: never */
} clock_of_ours;

/* In the place of libc's, whose own calls go another way. */
int clock_gettime(clockid_t id, struct timespec *now)
{
    if (++clock_of_ours.looks == clock_of_ours.at)
        kldve_ctx_cancel(clock_of_ours.ctx);
    return (int)syscall(SYS_clock_gettime, id, now);
}

/* ---- the calls ------------------------------------------------------------------------------ */

static struct {
    test_heap heap;
    kldve_ctx *ctx;
    kldve_explainer *ex;
    kldve_image *photo;
    void *file[3]; /* of the photo, by format */
    size_t nbytes[3];
    kldve_divergence *d;
    double score[CLASSES], z[CLASSES];
} w;

/* What a call made: an object, and bytes that must be the same each time. */
typedef struct made {
    kldve_explainer *ex;
    kldve_heatmap *map;
    kldve_image *image;
    void *block; /* of the context */
    const void *bytes;
    size_t nbytes;
} made;

static void drop(made *m)
{
    kldve_explainer_free(m->ex);
    kldve_heatmap_free(m->map);
    kldve_image_free(m->image);
    kldve_ctx_release(w.ctx, m->block);
    *m = (made){.ex = NULL};
}

static kldve_status open_demo(made *m)
{
    kldve_onnx_options o = {
        .struct_size = sizeof o, .threads = 1, .flags = KLDVE_ONNX_FLAG_VJP_INPUT};

    return kldve_onnx_explainer(w.ctx, NULL, &o, &m->ex);
}

static kldve_status explain(const char *method, made *m)
{
    kldve_options few = {.struct_size = sizeof few, .method = method};
    const kldve_method *of;
    const float *values;
    int32_t count;
    kldve_status st = kldve_method_find(w.ctx, method, &of);

    assert_int_equal(st, KLDVE_OK);
    few.samples = of->options & KLDVE_OPTION_SAMPLES ? 6 : 0;
    few.window = of->options & KLDVE_OPTION_WINDOW ? 24 : 0;
    few.stride = of->options & KLDVE_OPTION_STRIDE ? 24 : 0;
    st = kldve_explain(w.ex, w.photo, &few, &m->map);
    if (st == KLDVE_OK && kldve_heatmap_values(m->map, &values, &count) == KLDVE_OK) {
        m->bytes = values;
        m->nbytes = (size_t)count * sizeof *values;
    }
    return st;
}

static void pixels_of(made *m)
{
    m->bytes = kldve_image_pixels(m->image);
    m->nbytes = 3 * (size_t)kldve_image_width(m->image) * (size_t)kldve_image_height(m->image);
}

static kldve_status decode(int format, made *m)
{
    kldve_status st = kldve_image_decode(w.ctx, w.file[format], w.nbytes[format], &m->image);

    if (st == KLDVE_OK)
        pixels_of(m);
    return st;
}

static kldve_status encode(int32_t format, made *m)
{
    size_t n = 0;
    kldve_status st = kldve_image_encode(w.ctx, w.photo, format, 0, &m->block, &n);

    m->bytes = m->block;
    m->nbytes = n;
    return st;
}

static kldve_status decode_png(made *m)
{
    return decode(KLDVE_FILE_FORMAT_PNG, m);
}

static kldve_status decode_jpeg(made *m)
{
    return decode(KLDVE_FILE_FORMAT_JPEG, m);
}

static kldve_status encode_png(made *m)
{
    return encode(KLDVE_FILE_FORMAT_PNG, m);
}

static kldve_status encode_jpeg(made *m)
{
    return encode(KLDVE_FILE_FORMAT_JPEG, m);
}

static kldve_status resize(made *m)
{
    kldve_status st = kldve_image_resize(w.ctx, w.photo, 33, 71, &m->image);

    if (st == KLDVE_OK)
        pixels_of(m);
    return st;
}

static kldve_status save(made *m)
{
    kldve_status st = kldve_image_save(w.ctx, w.photo, "every_poll.png", 0);

    (void)m;
    assert_int_equal(access("every_poll.png", F_OK), st == KLDVE_OK ? 0 : -1);
    unlink("every_poll.png");
    return st;
}

static kldve_status randomise(made *m)
{
    kldve_status st = kldve_explainer_randomise(w.ex, KLDVE_RANDOMISE_CASCADE, 0, 5);

    (void)m;
    if (st == KLDVE_OK)
        st = kldve_explainer_randomise(w.ex, KLDVE_RANDOMISE_NONE, 0, 0);
    return st;
}

static kldve_status set_scores(made *m)
{
    (void)m;
    return kldve_divergence_set_scores(w.d, w.score);
}

static kldve_status truth(made *m)
{
    double kl;
    kldve_status st = kldve_divergence_truth(w.d, w.score, w.z, &kl);

    m->bytes = w.z;
    m->nbytes = sizeof w.z;
    return st;
}

static const struct call {
    const char *name;
    kldve_status (*make)(made *m);
} calls[] = {
    {"load and open", open_demo},
    {"decode PNG", decode_png},
    {"decode JPEG", decode_jpeg},
    {"encode PNG", encode_png},
    {"encode JPEG", encode_jpeg},
    {"resize", resize},
    {"save", save},
    {"randomise", randomise},
    {"set scores", set_scores},
    {"truth", truth},
};

/* ---- stopping them -------------------------------------------------------------------------- */

/* A call of the table, or the explanation by a method. */
static kldve_status make(const struct call *c, const char *method, made *m)
{
    return c ? c->make(m) : explain(method, m);
}

/* As the reference, which is then over. */
static void assert_same(const struct call *c, const char *method, const made *first)
{
    made again = {.ex = NULL};

    assert_int_equal(make(c, method, &again), KLDVE_OK);
    assert_int_equal(again.nbytes, first->nbytes);
    if (first->nbytes > 0)
        assert_memory_equal(again.bytes, first->bytes, first->nbytes);
    drop(&again);
}

/* Stopped at one of its looks; whether that was before its end. */
static bool stop_at(const struct call *c, const char *method, long at)
{
    long live = w.heap.live;
    made m = {.ex = NULL};
    kldve_status st;

    clock_of_ours.looks = 0;
    clock_of_ours.at = at;
    st = make(c, method, &m);
    clock_of_ours.at = 0;
    if (st != KLDVE_OK) {
        assert_int_equal(st, KLDVE_E_CANCELLED);
        assert_true(!m.ex && !m.map && !m.image && !m.block);
        test_says(w.ctx, "cancelled during ");
    }
    drop(&m);
    kldve_ctx_resume(w.ctx);
    assert_int_equal(kldve_explainer_randomise(w.ex, KLDVE_RANDOMISE_NONE, 0, 0), KLDVE_OK);
    if (c)
        assert_int_equal(w.heap.live, live);
    return st != KLDVE_OK;
}

static int32_t stop_later(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)stage, (void)done, (void)total;
    return --*(long *)opaque == 0;
}

/* Stopped at a report of its progress. */
static bool stop_at_report(const struct call *c, const char *method, long at)
{
    made m = {.ex = NULL};
    kldve_status st;

    kldve_ctx_set_progress(w.ctx, stop_later, &at);
    st = make(c, method, &m);
    kldve_ctx_set_progress(w.ctx, NULL, NULL);
    assert_true(st == KLDVE_OK || (st == KLDVE_E_CANCELLED && !m.map && !m.image && !m.block));
    drop(&m);
    assert_int_equal(kldve_explainer_randomise(w.ex, KLDVE_RANDOMISE_NONE, 0, 0), KLDVE_OK);
    return st != KLDVE_OK;
}

static void stop_everywhere(const struct call *c, const char *method)
{
    made first = {.ex = NULL};
    long looks, step, stopped = 0;

    assert_int_equal(make(c, method, &first), KLDVE_OK); /* what is made once is there now */
    drop(&first);
    clock_of_ours.looks = 0;
    assert_int_equal(make(c, method, &first), KLDVE_OK);
    looks = clock_of_ours.looks;
    step = getenv("KLDVE_LONG") || looks < SOME ? 1 : looks / SOME;
    for (long at = 1; at <= looks; at += step) {
        stopped += stop_at(c, method, at);
        if (at == 1 || getenv("KLDVE_LONG"))
            assert_same(c, method, &first);
    }
    for (long at = 1; at < 4; at++)
        stopped += stop_at_report(c, method, at);
    assert_same(c, method, &first);
    drop(&first);
    assert_true(stopped > 0);
}

static int begin(void **state)
{
    static uint8_t rgb[3 * SIDE * SIDE];
    const kldve_pixels pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, SIDE, SIDE, rgb, 0);
    made m = {.ex = NULL};

    (void)state;
    w.ctx = test_ctx(&w.heap);
    clock_of_ours.ctx = w.ctx;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)(i * 2654435761u >> 7);
    for (size_t i = 0; i < CLASSES; i++)
        w.score[i] = (double)(i * 2654435761u % 100000) / 5000;
    assert_int_equal(kldve_image_from_pixels(w.ctx, &pixels, &w.photo), KLDVE_OK);
    for (int32_t f = KLDVE_FILE_FORMAT_PNG; f <= KLDVE_FILE_FORMAT_JPEG; f++)
        assert_int_equal(kldve_image_encode(w.ctx, w.photo, f, 0, &w.file[f], &w.nbytes[f]),
                         KLDVE_OK);
    assert_int_equal(open_demo(&m), KLDVE_OK);
    w.ex = m.ex;
    assert_int_equal(kldve_divergence_new(w.ctx, CLASSES, NULL, &w.d), KLDVE_OK);
    return kldve_divergence_set_scores(w.d, w.score);
}

static int end(void **state)
{
    (void)state;
    for (int f = 0; f < 3; f++)
        kldve_ctx_release(w.ctx, w.file[f]);
    kldve_divergence_free(w.d);
    kldve_image_free(w.photo);
    kldve_explainer_free(w.ex);
    kldve_ctx_free(w.ctx);
    return w.heap.live != 0;
}

static void test_calls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        print_message("%s\n", calls[i].name);
        stop_everywhere(&calls[i], NULL);
    }
}

static void test_methods(void **state)
{
    const char *name;

    (void)state;
    for (int32_t i = 0; kldve_method_name(i, &name) == KLDVE_OK; i++) {
        made m = {.ex = NULL};
        kldve_status st = explain(name, &m);

        drop(&m);
        if (st != KLDVE_OK) { /* the demonstration network has no attentions */
            print_message("%s: %s\n", name, kldve_ctx_message(w.ctx));
            assert_int_equal(st, KLDVE_E_UNSUPPORTED);
            continue;
        }
        print_message("%s\n", name);
        stop_everywhere(NULL, name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_methods),
    };

    return cmocka_run_group_tests_name("every poll", tests, begin, end);
}
