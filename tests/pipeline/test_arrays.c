/* test_arrays.c - the path without a backend: the same map as with one, and what it refuses. */
#include "support.h"
#include "got.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/kldve.h>

#include "backends/tiny.h"

/* PTRDIFF_MAX in words. */
#if PTRDIFF_MAX > INT32_MAX
#define PTRDIFF_MOST "9223372036854775807"
#else
#define PTRDIFF_MOST "2147483647"
#endif

enum { CHANNELS = 2, H = 4, W = 3, CELLS = H * W, MAPS = 7, CLASSES = 5 };
enum { INPUTS = CHANNELS * CELLS * TINY_PATCH * TINY_PATCH };

static const tiny_config net = {CHANNELS, H, W, MAPS, CLASSES, 55, true};

/* -- the same map as with a backend ----------------------------------------------------------- */

/* What a host's own inference leaves behind, and its own autograd. */
struct host {
    void *state;
    float input[INPUTS], logits[CLASSES], features[MAPS * CELLS], gradient[MAPS * CELLS];
};

static void host_run(kldve_ctx *ctx, struct host *h)
{
    uint64_t seed = 6;

    for (int i = 0; i < INPUTS; i++)
        h->input[i] = 3 * (float)test_normal(&seed);
    assert_int_equal(tiny_backend.open(ctx, &net, &h->state), KLDVE_OK);
    assert_int_equal(tiny_backend.forward(h->state, h->input, h->logits, h->features), KLDVE_OK);
}

static kldve_arrays arrays_of(const struct host *h)
{
    return (kldve_arrays){
        .struct_size = sizeof(kldve_arrays),
        .logits = h->logits,
        .features = h->features,
        .gradient = h->gradient,
        .classes = CLASSES,
        .maps = MAPS,
        .height = H,
        .width = W,
    };
}

static void same_as_backend(kldve_ctx *ctx, struct host *h, kldve_explainer *ex,
                            const kldve_options *o)
{
    float t[CLASSES];
    kldve_heatmap *from_arrays = NULL, *from_backend = NULL;
    kldve_record a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
    kldve_timings ms = {.struct_size = sizeof ms};
    kldve_arrays arrays = arrays_of(h);
    const double *cotangent;
    size_t count;

    assert_int_equal(kldve_arrays_cotangent(ctx, h->logits, CLASSES, o, t), KLDVE_OK);
    assert_int_equal(tiny_backend.vjp(h->state, t, h->gradient), KLDVE_OK);
    assert_int_equal(kldve_explain_arrays(ctx, &arrays, o, &from_arrays), KLDVE_OK);
    assert_int_equal(kldve_explain_input(ex, h->input, o, &from_backend), KLDVE_OK);
    assert_memory_equal(got_values(from_arrays), got_values(from_backend), CELLS * sizeof(float));
    cotangent = got_cotangent(from_backend, &count);
    for (int i = 0; i < CLASSES; i++)
        assert_true(t[i] == (count ? (float)cotangent[i] : 0));
    assert_int_equal(kldve_heatmap_record(from_arrays, &a), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(from_backend, &b), KLDVE_OK);
    assert_int_equal(a.target, b.target);
    assert_true(a.kl == b.kl && a.probability == b.probability && a.logit == b.logit);
    assert_int_equal(kldve_heatmap_timings(from_arrays, &ms), KLDVE_OK);
    assert_true(ms.forward == 0 && ms.backward == 0);
    kldve_heatmap_free(from_arrays);
    kldve_heatmap_free(from_backend);
}

static void test_same_as_backend(void **state)
{
    struct host *h = calloc(1, sizeof *h);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_explainer *ex = NULL;

    (void)state;
    assert_non_null(h);
    host_run(ctx, h);
    assert_int_equal(kldve_explainer_new(ctx, &tiny_backend, &net, &ex), KLDVE_OK);
    for (int32_t rank = 0; rank < CLASSES; rank++) {
        for (int32_t r = 0; r <= KLDVE_READING_NEIGHBOURS; r++)
            same_as_backend(ctx, h, ex,
                            &(kldve_options){.struct_size = sizeof(kldve_options),
                                             .reading = r,
                                             .target = rank,
                                             .temperature = rank % 2 ? 2.5f : 0});
        for (int32_t i = 2; got_method_name(i); i++) /* not cam: the head is curved */
            if (tiny_from_arrays(i))
                same_as_backend(ctx, h, ex,
                                &(kldve_options){.struct_size = sizeof(kldve_options),
                                                 .method = got_method_name(i),
                                                 .target = rank});
    }
    same_as_backend(ctx, h, ex, NULL);
    kldve_explainer_free(ex);
    tiny_backend.close(h->state);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(h);
}

/* -- other places of the same numbers ---------------------------------------------------------- */

/* float32 -> binary16 of numbers that it can hold: small multiples of 1/8. */
static uint16_t half_of(float value)
{
    int exponent;
    float f = frexpf(fabsf(value), &exponent); /* 1/2 <= f < 1 */
    uint16_t sign = value < 0 ? 0x8000 : 0;

    if (value == 0)
        return sign;
    return (uint16_t)(sign | (exponent + 14) << 10 | ((int)(f * 2048) & 1023));
}

static void put(unsigned char *at, int32_t type, float value)
{
    uint16_t half = half_of(value);

    if (type == KLDVE_ARRAY_FLOAT16)
        memcpy(at, &half, sizeof half);
    else
        memcpy(at, &value, sizeof value);
}

static const struct place_case {
    const char *name;
    int32_t layout, type;
    ptrdiff_t stride[3], first; /* bytes; all 0: as the layout says */
} places[] = {
    {"maps last", KLDVE_LAYOUT_MAPS_LAST, KLDVE_ARRAY_FLOAT32, {0}, 0},
    {"float16", KLDVE_LAYOUT_MAPS_FIRST, KLDVE_ARRAY_FLOAT16, {0}, 0},
    {"float16, maps last", KLDVE_LAYOUT_MAPS_LAST, KLDVE_ARRAY_FLOAT16, {0}, 0},
    {"behind a class token", 0, 0, {4, 4 * MAPS *W, 4 * MAPS}, 4 * MAPS},
    {"rows with gaps", 0, 0, {4 * H * (W + 2), 4 * (W + 2), 4}, 0},
    {"upside down", 0, 0, {4 * CELLS, -4 * W, 4}, 4 * (CELLS - W)},
    {"at odd addresses", 0, 0, {5 * CELLS, 5 * W, 5}, 1},
};

enum { PLACE_ROOM = 8 * MAPS * (CELLS + 12) };

static void lay_out(const struct place_case *c, const float *plain, unsigned char *room)
{
    ptrdiff_t unit = c->type ? 2 : 4, stride[3] = {unit * CELLS, unit * W, unit};

    if (c->layout)
        memcpy(stride, (ptrdiff_t[3]){unit, unit * MAPS * W, unit * MAPS}, sizeof stride);
    if (c->stride[0])
        memcpy(stride, c->stride, sizeof stride);
    for (int m = 0; m < MAPS; m++)
        for (int i = 0; i < CELLS; i++)
            put(room + c->first + m * stride[0] + i / W * stride[1] + i % W * stride[2], c->type,
                plain[m * CELLS + i]);
}

/* Every method and reading gives the map that it gives for plain arrays. */
static void check_place(void **state)
{
    const struct place_case *c = *state;
    struct host *h = calloc(1, sizeof *h);
    unsigned char *features = calloc(1, PLACE_ROOM), *gradient = calloc(1, PLACE_ROOM);
    uint64_t seed = 9;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    assert_true(h && features && gradient);
    for (int i = 0; i < MAPS * CELLS; i++) {
        h->features[i] = (float)(int)(40 * test_random(&seed)) / 8;
        h->gradient[i] = (float)(int)(80 * test_random(&seed) - 40) / 8;
    }
    for (int i = 0; i < CLASSES; i++)
        h->logits[i] = (float)i;
    lay_out(c, h->features, features);
    lay_out(c, h->gradient, gradient);
    for (int32_t i = -KLDVE_READING_NEIGHBOURS; got_method_name(i < 0 ? 0 : i); i++) {
        kldve_options o = {.struct_size = sizeof o};
        kldve_arrays plain = arrays_of(h), there = plain;
        kldve_heatmap *want = NULL, *map = NULL;
        kldve_status st;

        o.method = i < 0 ? NULL : got_method_name(i);
        o.reading = i < 0 ? -i : 0;
        there.features = features + c->first;
        there.gradient = gradient + c->first;
        there.layout = c->layout;
        there.type = c->type;
        memcpy(there.stride, c->stride, sizeof there.stride);
        st = kldve_explain_arrays(ctx, &plain, &o, &want);
        assert_int_equal(kldve_explain_arrays(ctx, &there, &o, &map), st);
        for (int k = 0; st == KLDVE_OK && k < CELLS; k++)
            if (fabsf(got_values(map)[k] - got_values(want)[k]) > 2e-6f)
                fail_msg("%s: cell %d", got_method_name(i < 0 ? 0 : i), k);
        kldve_heatmap_free(map);
        kldve_heatmap_free(want);
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    free(features);
    free(gradient);
    free(h);
}

/* NaN and infinity in float16, denormals, and where the heat lies. */
static void test_half_and_picture(void **state)
{
    const uint16_t denormal[2] = {0x0001, 0x8002}, infinite[2] = {0, 0x7c00};
    const float logits[3] = {3, 1, 0};
    kldve_arrays a = {.struct_size = sizeof a,
                      .logits = logits,
                      .features = infinite,
                      .classes = 3,
                      .maps = 1,
                      .height = 1,
                      .width = 2,
                      .type = KLDVE_ARRAY_FLOAT16,
                      .picture_width = 30,
                      .picture_height = 20,
                      .seen_x = 0.25f,
                      .seen_width = 0.5f,
                      .seen_height = 1};
    const kldve_options o = {.struct_size = sizeof o, .reading = KLDVE_READING_PAPER};
    kldve_record r = {.struct_size = sizeof r};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = NULL;
    const kldve_render_options as_it_is = {.struct_size = sizeof as_it_is, .side = -1};
    kldve_image *drawn = NULL;

    (void)state;
    assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map), KLDVE_E_NUMERIC);
    test_says(ctx, "arrays: feature 1 of 2 is infinite");
    a.features = denormal;
    assert_int_equal(kldve_explain_arrays(ctx, &a, &o, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    if (r.high != ldexp(1, -24) || r.low != -ldexp(2, -24) || r.seen_x != 0.25f)
        fail_msg("%g to %g, from %g", r.low, r.high, (double)r.seen_x);
    assert_int_equal(kldve_heatmap_render(ctx, map, NULL, &as_it_is, &drawn), KLDVE_OK);
    assert_int_equal(kldve_image_width(drawn), 30);
    assert_int_equal(kldve_image_height(drawn), 20);
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* -- what it refuses -------------------------------------------------------------------------- */

static const float good[60] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9};
static const float with_nan[60] = {3, 1, NAN};

#define ARRAYS(k, x, g, n, m, h, w)                                                                \
    {                                                                                              \
        .struct_size = sizeof(kldve_arrays), .logits = (k), .features = (x), .gradient = (g),      \
        .classes = (n), .maps = (m), .height = (h), .width = (w)                                   \
    }

static const struct refusal {
    const char *name;
    kldve_arrays arrays;
    kldve_options options;
    kldve_status status;
    const char *message;
} refusals[] = {
    {"size not set",
     {.struct_size = 0},
     {0},
     KLDVE_E_ARG,
     "kldve_arrays: struct_size is 0; set it to sizeof(kldve_arrays)"},
    {"no logits",
     ARRAYS(NULL, good, good, 4, 3, 2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: the logits are NULL"},
    {"no features",
     ARRAYS(good, NULL, good, 4, 3, 2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: the features are NULL"},
    {"one number of four scores",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .scores = KLDVE_SCORES_NUMBER},
     {0},
     KLDVE_E_ARG,
     "arrays: 4 scores are not one number"},
    {"no such kind of scores",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .scores = 7},
     {0},
     KLDVE_E_ARG,
     "arrays: there are no scores of kind 7"},
    {"reserved",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .reserved = 1},
     {0},
     KLDVE_E_UNSUPPORTED,
     "arrays: a reserved member is set, it must be 0"},
    {"an unknown layout",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .layout = 2},
     {0},
     KLDVE_E_ARG,
     "arrays: unknown layout 2"},
    {"an unknown type",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .type = 2},
     {0},
     KLDVE_E_ARG,
     "arrays: unknown type of numbers 2"},
    {"layout and strides",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .layout = 1,
      .stride = {16, 8, 4}},
     {0},
     KLDVE_E_ARG,
     "arrays: both layout and stride are set: strides say it all, leave layout at 0"},
    {"a stride that is missing",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .stride = {16, 8, 0}},
     {0},
     KLDVE_E_ARG,
     "arrays: a stride is 0: give those of maps, rows and columns"},
    {"a stride past the end of memory",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .stride = {16, PTRDIFF_MAX, 4}},
     {0},
     KLDVE_E_ARG,
     "arrays: a stride of " PTRDIFF_MOST " bytes is more than can be addressed"},
    {"frames that do not divide the rows",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .frames = 3},
     {0},
     KLDVE_E_ARG,
     "arrays: 2 rows of cells are not 3 frames below each other"},
    {"half a size of the picture",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .picture_width = 3},
     {0},
     KLDVE_E_ARG,
     "arrays: a picture of 3 x 0 pixels"},
    {"frames below 0",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .picture_frames = -1},
     {0},
     KLDVE_E_ARG,
     "arrays: a picture of -1 frames"},
    {"a part beyond the picture",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .seen_x = 0.5f,
      .seen_width = 0.75f,
      .seen_height = 1},
     {0},
     KLDVE_E_ARG,
     "arrays: the network saw 0.5 to 1.25 of the picture's width: give parts of it, 0 to 1, "
     "or with padding all of it and more"},
    {"a part without height",
     {.struct_size = sizeof(kldve_arrays),
      .logits = good,
      .features = good,
      .classes = 4,
      .maps = 3,
      .height = 2,
      .width = 2,
      .seen_x = 0.5f,
      .seen_width = 0.5f},
     {0},
     KLDVE_E_ARG,
     "arrays: the network saw 0 to 0 of the picture's height: give parts of it, 0 to 1, "
     "or with padding all of it and more"},
    {"third of two classes",
     ARRAYS(good, good, good, 1, 3, 2, 2),
     {.target = 2},
     KLDVE_E_ARG,
     "arrays: target rank 2 is not among the 2 classes (0 to 1)"},
    {"negative number of classes",
     ARRAYS(good, good, good, -1, 3, 2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: -1 classes, there must be at least 1"},
    {"no map",
     ARRAYS(good, good, good, 4, 0, 2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: the feature maps are 0 x 2 x 2, all sizes must be at least 1"},
    {"negative height",
     ARRAYS(good, good, good, 4, 3, -2, 2),
     {0},
     KLDVE_E_ARG,
     "arrays: the feature maps are 3 x -2 x 2, all sizes must be at least 1"},
    {"sizes that overflow",
     ARRAYS(good, good, good, 4, INT_MAX, INT_MAX, INT_MAX),
     {0},
     KLDVE_E_ARG,
     "arrays: the feature maps have more values than can be addressed"},
    {"logit that is not a number",
     ARRAYS(with_nan, good, good, 4, 3, 2, 2),
     {0},
     KLDVE_E_NUMERIC,
     "arrays: logit 2 of 4 is not a number"},
    {"feature that is not a number",
     ARRAYS(good, with_nan, good, 4, 3, 2, 2),
     {0},
     KLDVE_E_NUMERIC,
     "arrays: feature 2 of 12 is not a number"},
    {"gradient that is not a number",
     ARRAYS(good, good, with_nan, 4, 3, 2, 2),
     {0},
     KLDVE_E_NUMERIC,
     "arrays: gradient 2 of 12 is not a number"},
    {"no gradient",
     ARRAYS(good, good, NULL, 4, 3, 2, 2),
     {0},
     KLDVE_E_NO_VJP,
     "arrays: the reading neighbours needs kldve_arrays.gradient (the reading paper needs no "
     "gradient)"},
    {"no gradient for Grad-CAM",
     ARRAYS(good, good, NULL, 4, 3, 2, 2),
     {.method = "grad-cam"},
     KLDVE_E_NO_VJP,
     "arrays: the method grad-cam needs kldve_arrays.gradient (the reading paper needs no "
     "gradient)"},
    {"check with one gradient",
     ARRAYS(good, good, good, 4, 3, 2, 2),
     {.flags = KLDVE_FLAG_CHECK},
     KLDVE_E_NO_VJP,
     "arrays: the reading neighbours needs a second gradient for KLDVE_FLAG_CHECK"},
    {"target out of range",
     ARRAYS(good, good, good, 4, 3, 2, 2),
     {.target = 4},
     KLDVE_E_ARG,
     "arrays: target rank 4 is not among the 4 classes (0 to 3)"},
    {"no such method",
     ARRAYS(good, good, good, 4, 3, 2, 2),
     {.method = "lime-green"},
     KLDVE_E_UNSUPPORTED,
     "unknown method \"lime-green\"; kldve_method_name() lists the methods"},
};

static void check_refusal(void **state)
{
    const struct refusal *r = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_options o = r->options;
    kldve_heatmap *map = NULL;

    o.struct_size = sizeof o;
    assert_int_equal(kldve_explain_arrays(ctx, &r->arrays, &o, &map), r->status);
    assert_string_equal(kldve_ctx_message(ctx), r->message);
    assert_null(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_cotangent_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_options o = {.struct_size = sizeof o, .target = 4};
    float t[4] = {7, 7, 7, 7};

    (void)state;
    assert_int_equal(kldve_arrays_cotangent(NULL, good, 4, NULL, t), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, NULL, 4, NULL, t), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, good, 4, NULL, NULL), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, good, 0, NULL, t), KLDVE_E_ARG);
    assert_int_equal(kldve_arrays_cotangent(ctx, with_nan, 4, NULL, t), KLDVE_E_NUMERIC);
    assert_string_equal(kldve_ctx_message(ctx), "arrays: logit 2 of 4 is not a number");
    assert_int_equal(kldve_arrays_cotangent(ctx, good, 4, &o, t), KLDVE_E_ARG);
    assert_int_equal(kldve_explain_arrays(ctx, NULL, NULL, NULL), KLDVE_E_ARG);
    for (int i = 0; i < 4; i++)
        assert_true(t[i] == 7);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_check_without_gradient(void **state)
{
    const kldve_arrays arrays = ARRAYS(good, good, NULL, 4, 3, 2, 2);
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_options o = {
        .struct_size = sizeof o, .reading = KLDVE_READING_PAPER, .flags = KLDVE_FLAG_CHECK};
    kldve_record r = {.struct_size = sizeof r};
    kldve_heatmap *map = NULL;

    (void)state;
    assert_int_equal(kldve_explain_arrays(ctx, &arrays, &o, &map), KLDVE_OK);
    assert_int_equal(kldve_heatmap_record(map, &r), KLDVE_OK);
    assert_true(r.class_sensitivity == 0);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_allocations(void **state)
{
    const kldve_arrays arrays = ARRAYS(good, good, good, 4, 3, 2, 2);
    long calls = 1;

    (void)state;
    for (long budget = 0; budget <= calls; budget++) {
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kldve_heatmap *map = NULL;
        float t[4] = {7, 7, 7, 7};
        kldve_status of_map, of_cotangent;

        heap.calls = 0;
        assert_int_equal(kldve_explain_arrays(ctx, &arrays, NULL, &map), KLDVE_OK);
        calls = heap.calls;
        kldve_heatmap_free(map);
        map = NULL;
        heap.budget = budget;
        of_map = kldve_explain_arrays(ctx, &arrays, NULL, &map);
        heap.budget = budget;
        of_cotangent = kldve_arrays_cotangent(ctx, good, 4, NULL, t);
        heap.budget = -1;
        assert_int_equal(of_map, budget < calls ? KLDVE_E_NOMEM : KLDVE_OK);
        assert_int_equal(of_cotangent, of_map);
        assert_true((map != NULL) == (of_map == KLDVE_OK));
        assert_true((t[0] == 7) == (of_map != KLDVE_OK));
        assert_true((*kldve_ctx_message(ctx) != 0) == (of_map != KLDVE_OK));
        kldve_heatmap_free(map);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest rest[] = {
        cmocka_unit_test(test_same_as_backend),   cmocka_unit_test(test_half_and_picture),
        cmocka_unit_test(test_cotangent_refuses), cmocka_unit_test(test_check_without_gradient),
        cmocka_unit_test(test_allocations),
    };
    int failed = TEST_RUN_CASES("arrays refused", refusals, check_refusal) +
                 TEST_RUN_CASES("places of arrays", places, check_place);

    return failed + cmocka_run_group_tests_name("arrays", rest, NULL, NULL);
}
