/* fuzz_structs.c - public structs full of anything, with a struct_size that may lie: a call works
 * or says what is wrong.  The first byte says which struct, each of the others is a choice. */
#include <stdlib.h>
#include <string.h>

#include <kldve/divergence.h>
#include <kldve/metrics.h>
#include <kldve/onnx.h>

#include "small_nets.h"
#include "watch.h"
#include "wild.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

enum { SIDE = 12, ROOM = 1 << 18, MOST = 17 };

/* What most inputs share: a network, a picture of it, a map. */
static struct {
    kldve_ctx *ctx;
    kldve_onnx *net;
    kldve_explainer *explainer;
    kldve_image *picture;
    kldve_heatmap *map;
    uint8_t *room; /* [ROOM], for pointers into its middle */
} shared;

static kldve_onnx *load(kldve_ctx *ctx, const kldve_onnx_options *options, unsigned which,
                        kldve_status *status)
{
    kldve_onnx *net = NULL;
    size_t nbytes;
    const void *model = small_net(which, &nbytes);

    *status = kldve_onnx_load_memory(ctx, model, nbytes, options, &net);
    return net;
}

static void set_up(void)
{
    kldve_onnx_options options = KLDVE_ONNX_OPTIONS_INIT;
    kldve_pixels pixels;
    kldve_status status;

    if (shared.ctx)
        return;
    shared.ctx = watch_open();
    shared.room = calloc(1, ROOM);
    watch_that(shared.room != NULL, "no memory");
    for (size_t i = 0; i < ROOM; i++)
        shared.room[i] = (uint8_t)(i * 31 % 61);
    options.threads = 1;
    options.flags = KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_VJP_INPUT;
    shared.net = load(shared.ctx, &options, SMALL_PLAIN, &status);
    pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, SIDE, SIDE, shared.room, 0);
    watch_that(status == KLDVE_OK &&
                   kldve_explainer_new(shared.ctx, kldve_onnx_backend(), shared.net,
                                       &shared.explainer) == KLDVE_OK &&
                   kldve_image_from_pixels(shared.ctx, &pixels, &shared.picture) == KLDVE_OK &&
                   kldve_explain(shared.explainer, shared.picture, NULL, &shared.map) == KLDVE_OK &&
                   kldve_ctx_set_deadline(shared.ctx, 200) == KLDVE_OK,
               "what is shared cannot be made");
}

static void *middle(void)
{
    return shared.room + ROOM / 2;
}

#define AT(type, member) offsetof(type, member)

/* ---- options of calls --------------------------------------------------------------------- */

static wild wild_options(choices *c)
{
    static const char *const methods[] = {"kl-dve", "grad-cam", "occlusion", "rise",
                                          "lime",   "saliency", "no-such",   ""};
    static const int32_t targets[MOST] = {0, 1, 2, 3};
    wild w = wild_struct(c, sizeof(kldve_options));

    wild_text(c, &w, AT(kldve_options, method), methods, 8);
    wild_pointer(c, &w, AT(kldve_options, targets), targets);
    wild_bound(&w, AT(kldve_options, target_count), MOST);
    wild_pointer(c, &w, AT(kldve_options, truth), middle());
    wild_pointer(c, &w, AT(kldve_options, region), choose(c, 4) ? NULL : shared.room);
    wild_bound(&w, AT(kldve_options, region_width), 256);
    wild_bound(&w, AT(kldve_options, region_height), 256);
    return w;
}

static void try_explain(choices *c)
{
    wild w = wild_options(c);
    kldve_heatmap *map = NULL;
    kldve_status status = kldve_explain(shared.explainer, shared.picture, w.bytes, &map);

    watch_call(shared.ctx, status, map != NULL);
    kldve_heatmap_free(map);
    wild_free(&w);
}

static void try_input(choices *c)
{
    const kldve_input_spec usual = KLDVE_INPUT_SPEC_INIT;
    wild w = wild_struct(c, sizeof(kldve_input_spec));
    kldve_status status = kldve_explainer_set_input(shared.explainer, w.bytes);
    float input[3 * 8 * 8];

    watch_call(shared.ctx, status, status == KLDVE_OK);
    if (status == KLDVE_OK) {
        status = kldve_explainer_input(shared.explainer, shared.picture, input);
        watch_call(shared.ctx, status, status == KLDVE_OK);
        watch_that(kldve_explainer_set_input(shared.explainer, &usual) == KLDVE_OK,
                   "not as before");
    }
    wild_free(&w);
}

static void try_render(choices *c)
{
    wild w = wild_struct(c, sizeof(kldve_render_options));
    kldve_image *drawn = NULL;
    kldve_status status;

    wild_bound(&w, AT(kldve_render_options, side), 256);
    status = kldve_heatmap_render(shared.ctx, shared.map, choose(c, 2) ? shared.picture : NULL,
                                  w.bytes, &drawn);
    watch_call(shared.ctx, status, drawn != NULL);
    kldve_image_free(drawn);
    wild_free(&w);
}

static wild wild_pixels(choices *c)
{
    wild w = wild_struct(c, sizeof(kldve_pixels));

    wild_bound(&w, AT(kldve_pixels, width), 33);
    wild_bound(&w, AT(kldve_pixels, height), 33);
    for (size_t i = 0; i < 4; i++) {
        wild_pointer(c, &w, AT(kldve_pixels, plane) + i * sizeof(void *),
                     (uint8_t *)middle() + choose(c, 8));
        wild_bound(&w, AT(kldve_pixels, stride) + i * sizeof(ptrdiff_t), 512);
        if (w.size >= AT(kldve_pixels, stride) + (i + 1) * sizeof(ptrdiff_t)) {
            ptrdiff_t *stride = (ptrdiff_t *)((uint8_t *)w.bytes + AT(kldve_pixels, stride)) + i;

            *stride = (int32_t)*stride; /* what was bounded */
        }
    }
    return w;
}

static void try_pixels(choices *c)
{
    wild w = wild_pixels(c);
    kldve_image *made = NULL;
    kldve_status status = choose(c, 2) ? kldve_image_from_pixels(shared.ctx, w.bytes, &made)
                                       : kldve_image_borrow(shared.ctx, w.bytes, NULL, NULL, &made);

    watch_call(shared.ctx, status, made != NULL);
    if (made) {
        kldve_heatmap *map = NULL;

        status = kldve_explain(shared.explainer, made, NULL, &map);
        watch_call(shared.ctx, status, map != NULL);
        kldve_heatmap_free(map);
    }
    kldve_image_free(made);
    wild_free(&w);
}

static void try_draw_into(choices *c)
{
    wild w = wild_pixels(c);
    kldve_status status = kldve_heatmap_render_into(shared.ctx, shared.map, NULL, NULL, w.bytes);

    watch_call(shared.ctx, status, status == KLDVE_OK);
    wild_free(&w);
}

static void try_arrays(choices *c)
{
    static const size_t sizes[] = {AT(kldve_arrays, classes), AT(kldve_arrays, maps),
                                   AT(kldve_arrays, height), AT(kldve_arrays, width)};
    wild w = wild_struct(c, sizeof(kldve_arrays)), o = wild_options(c);
    kldve_heatmap *map = NULL;
    kldve_status status;

    wild_pointer(c, &w, AT(kldve_arrays, logits), middle());
    wild_pointer(c, &w, AT(kldve_arrays, features), middle());
    wild_pointer(c, &w, AT(kldve_arrays, gradient), middle());
    for (size_t i = 0; i < 4; i++)
        wild_bound(&w, sizes[i], MOST);
    for (size_t i = 0; i < 3; i++) {
        wild_bound(&w, AT(kldve_arrays, stride) + i * sizeof(ptrdiff_t), 1024);
        if (w.size >= AT(kldve_arrays, stride) + (i + 1) * sizeof(ptrdiff_t)) {
            ptrdiff_t *stride = (ptrdiff_t *)((uint8_t *)w.bytes + AT(kldve_arrays, stride)) + i;

            *stride = (int32_t)*stride;
        }
    }
    status = kldve_explain_arrays(shared.ctx, w.bytes, o.bytes, &map);
    watch_call(shared.ctx, status, map != NULL);
    kldve_heatmap_free(map);
    wild_free(&o);
    wild_free(&w);
}

static void try_load(choices *c)
{
    static const char *const texts[] = {"x", "y", "a", "NCHW", "y[0, 1:3]", "[...]", "HW", "\x1b"};
    static const int64_t shape[] = {1, 3, 8, 8};
    static const size_t text_at[] = {
        AT(kldve_onnx_options, layer),        AT(kldve_onnx_options, logits),
        AT(kldve_onnx_options, select),       AT(kldve_onnx_options, boxes),
        AT(kldve_onnx_options, objects),      AT(kldve_onnx_options, layout),
        AT(kldve_onnx_options, picture_input)};
    wild w = wild_struct(c, sizeof(kldve_onnx_options)),
         input = wild_struct(c, sizeof(kldve_onnx_input));
    wild dim = wild_struct(c, sizeof(kldve_onnx_dim));
    kldve_status status;

    for (size_t i = 0; i < sizeof text_at / sizeof *text_at; i++)
        wild_text(c, &w, text_at[i], texts, 8);
    wild_text(c, &input, AT(kldve_onnx_input, name), texts, 8);
    wild_pointer(c, &input, AT(kldve_onnx_input, dims), shape);
    wild_bound(&input, AT(kldve_onnx_input, rank), 5);
    wild_pointer(c, &input, AT(kldve_onnx_input, data), middle());
    wild_text(c, &dim, AT(kldve_onnx_dim, name), texts, 8);
    wild_pointer(c, &w, AT(kldve_onnx_options, inputs), input.bytes);
    wild_bound(&w, AT(kldve_onnx_options, input_count), 2);
    wild_pointer(c, &w, AT(kldve_onnx_options, dims), dim.bytes);
    wild_bound(&w, AT(kldve_onnx_options, dim_count), 2);
    wild_pointer(c, &w, AT(kldve_onnx_options, shape), shape);
    wild_bound(&w, AT(kldve_onnx_options, shape_rank), 5);
    wild_pointer(c, &w, AT(kldve_onnx_options, pictures), middle());
    wild_bound(&w, AT(kldve_onnx_options, threads), 2);
    kldve_onnx_free(load(shared.ctx, w.bytes, choose(c, 3), &status));
    watch_call(shared.ctx, status, status == KLDVE_OK);
    wild_free(&w);
    wild_free(&input);
    wild_free(&dim);
}

static void try_metric(choices *c)
{
    static const char *const names[] = {"energy_area",   "gini",       "insertion", "deletion",
                                        "pointing_game", "top_inside", "spearman",  "none"};
    wild options = wild_struct(c, sizeof(kldve_metric_options)),
         w = wild_struct(c, sizeof(kldve_metric_subject));
    double value = -12345;
    kldve_status status;

    wild_pointer(c, &w, AT(kldve_metric_subject, explainer), shared.explainer);
    wild_pointer(c, &w, AT(kldve_metric_subject, input), middle());
    wild_pointer(c, &w, AT(kldve_metric_subject, explained_with), NULL);
    wild_pointer(c, &w, AT(kldve_metric_subject, truth), shared.room);
    wild_pointer(c, &w, AT(kldve_metric_subject, other), shared.map);
    wild_pointer(c, &w, AT(kldve_metric_subject, randomised), NULL);
    wild_pointer(c, &w, AT(kldve_metric_subject, options), options.bytes);
    status = kldve_metric_compute(shared.ctx, shared.map, names[choose(c, 8)], w.bytes, &value);
    watch_call(shared.ctx, status, status == KLDVE_OK);
    watch_that(status == KLDVE_OK || value == -12345, "a metric that failed wrote a value");
    wild_free(&w);
    wild_free(&options);
}

static void try_divergence(choices *c)
{
    enum { N = 8 };
    wild w = wild_struct(c, sizeof(kldve_divergence_options));
    double scores[N] = {1, 3, -2, 0.5, 3, 7, -1, 0}, z[N], kl;
    kldve_divergence *d = NULL;
    kldve_status status = kldve_divergence_new(shared.ctx, N, w.bytes, &d);

    watch_call(shared.ctx, status, d != NULL);
    if (d) {
        status = kldve_divergence_set_scores(d, scores);
        if (status == KLDVE_OK)
            status = kldve_divergence_onehot(d, (int32_t)choose(c, N + 2) - 1, z, &kl);
        if (status == KLDVE_OK)
            status = kldve_divergence_truth(d, scores, z, &kl);
        watch_call(shared.ctx, status, status == KLDVE_OK);
    }
    kldve_divergence_free(d);
    wild_free(&w);
}

/* ---- structs that are filled in ------------------------------------------------------------ */

static void try_results(choices *c)
{
    wild record = wild_struct(c, sizeof(kldve_record)),
         timings = wild_struct(c, sizeof(kldve_timings)),
         shape = wild_struct(c, sizeof(kldve_shape)),
         chosen = wild_struct(c, sizeof(kldve_onnx_choice)),
         tensor = wild_struct(c, sizeof(kldve_onnx_tensor)),
         layout = wild_struct(c, sizeof(kldve_pixels)),
         demo = wild_struct(c, sizeof(kldve_onnx_files));
    wild *all[] = {&record, &timings, &shape, &chosen, &tensor, &layout, &demo};
    size_t said[7];

    for (size_t i = 0; i < 7; i++)
        memcpy(&said[i], all[i]->bytes, sizeof said[i]);
    (void)!kldve_heatmap_record(shared.map, record.bytes);
    (void)!kldve_heatmap_timings(shared.map, timings.bytes);
    (void)!kldve_explainer_shape(shared.explainer, shape.bytes);
    (void)!kldve_onnx_chosen(shared.net, chosen.bytes);
    (void)!kldve_onnx_tensor_at(shared.net, (int32_t)choose(c, 8) - 1, tensor.bytes);
    (void)!kldve_image_layout(shared.picture, layout.bytes);
    (void)!kldve_onnx_demo(demo.bytes);
    for (size_t i = 0; i < 7; i++) {
        watch_that(memcmp(&said[i], all[i]->bytes, sizeof said[i]) == 0, "struct_size was changed");
        wild_free(all[i]);
    }
}

static void *plain_alloc(void *opaque, size_t nbytes)
{
    (void)opaque;
    return malloc(nbytes);
}

static void plain_free(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

static void try_allocator(choices *c)
{
    kldve_allocator real = {sizeof real, plain_alloc, plain_free, NULL};
    wild w = wild_struct(c, sizeof real);
    kldve_ctx *ctx = NULL;
    size_t n = (w.size < sizeof real ? w.size : sizeof real) / 8 * 8;
    kldve_status status;

    if (n > sizeof(size_t))
        memcpy((uint8_t *)w.bytes + sizeof(size_t), (uint8_t *)&real + sizeof(size_t),
               n - sizeof(size_t));
    status = kldve_ctx_new(w.bytes, &ctx);
    watch_that((status == KLDVE_OK) == (ctx != NULL), "a context is made on success only");
    kldve_ctx_free(ctx);
    wild_free(&w);
}

/* The engine's table, cut short and with calls left out. */
static void try_backend(choices *c)
{
    const kldve_backend *real = kldve_onnx_backend();
    wild w = wild_struct(c, sizeof *real);
    kldve_explainer *made = NULL;
    size_t n = (w.size < sizeof *real ? w.size : sizeof *real) / 8 * 8;
    kldve_status status;

    memcpy((uint8_t *)w.bytes + sizeof(size_t), (const uint8_t *)real + sizeof(size_t),
           n - sizeof(size_t));
    if (n < w.size)
        memset((uint8_t *)w.bytes + n, choose(c, 2) ? 1 : 0, w.size - n);
    for (unsigned left_out = choose(c, 4); left_out > 0; left_out--)
        wild_pointer(c, &w,
                     sizeof(size_t) * (1 + choose(c, (unsigned)(sizeof *real / sizeof(size_t)))),
                     NULL);
    status = kldve_explainer_new(shared.ctx, w.bytes, shared.net, &made);
    watch_call(shared.ctx, status, made != NULL);
    if (made) {
        kldve_heatmap *map = NULL;

        status = kldve_explain(made, shared.picture, NULL, &map);
        watch_call(shared.ctx, status, map != NULL);
        kldve_heatmap_free(map);
    }
    kldve_explainer_free(made);
    wild_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    static void (*const tries[])(choices *) = {
        try_explain, try_input,  try_render,     try_pixels,  try_draw_into, try_arrays,
        try_load,    try_metric, try_divergence, try_results, try_allocator, try_backend};
    choices c = {bytes, bytes + nbytes};
    size_t before, after;

    set_up();
    watch_that(kldve_ctx_memory(shared.ctx, &before, NULL) == KLDVE_OK,
               "memory cannot be asked for");
    tries[choose(&c, sizeof tries / sizeof *tries)](&c);
    /* An explainer keeps the buffers that it once needed. */
    watch_that(kldve_ctx_memory(shared.ctx, &after, NULL) == KLDVE_OK && after < before + 4000000,
               "memory is left");
    return 0;
}
