/* program.c - somebody's program that passes every public struct through the library.  It is
 * compiled once against today's headers and once against grown ones (grow.py), and runs on both
 * libraries, under AddressSanitizer: every struct is a block of exactly its size.
 *
 *     program --list             the structs that it passes, one a line
 *     program today|grown        which library it runs on: everything works
 *     program today|grown set    once for each struct that the library reads: sets the last member,
 *                                which this library does not have, and expects a refusal by name */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/method.h>
#include <kldve/metrics.h>
#ifdef WITH_ONNX
#include <kldve/onnx.h>
#endif

#ifdef KLDVE_GROWN
enum { PROGRAM_GROWN = 1 };
#else
enum { PROGRAM_GROWN = 0 };
#endif

enum { SIDE = 2, INPUTS = 3 * SIDE * SIDE, CLASSES = 3, MAPS = 2, CELLS = 4, MEMBER = 8 };

static const char *victim = ""; /* the struct whose last member is set */
static int library_grown, refusals;
static int behind_layer; /* the backend is a head */

#define CHECK(what)                                                                                \
    do {                                                                                           \
        if (!(what))                                                                               \
            fail(#what, __LINE__);                                                                 \
    } while (0)

static void fail(const char *what, int line)
{
    fprintf(stderr, "program.c:%d: %s (victim \"%s\", program %s, library %s)\n", line, what,
            victim, PROGRAM_GROWN ? "grown" : "today's", library_grown ? "grown" : "today's");
    exit(1);
}

/* A block that ends where the struct ends, so that one byte too many is seen. */
static void *block(size_t size)
{
    void *memory = malloc(size);

    CHECK(memory != NULL);
    return memory;
}

/* A copy to hand over, with its last member set if it is the victim. */
static void *copy(const char *name, const void *src, size_t size)
{
    unsigned char *memory = block(size);

    memcpy(memory, src, size);
    if (strcmp(name, victim) == 0)
        memory[size - 1] = 1;
    return memory;
}
#define COPY(type, ...) copy(#type, &(type){.struct_size = sizeof(type), __VA_ARGS__}, sizeof(type))

/* A result to fill in; nothing in it is zero by chance. */
static void *result(size_t size)
{
    unsigned char *memory = block(size);

    memset(memory, 0xaa, size);
    memcpy(memory, &size, sizeof size);
    return memory;
}

/* The member that a grown program has besides is zero; the size stays the program's. */
static void check_result(const void *memory, size_t size)
{
    static const unsigned char zero[MEMBER];
    size_t kept;

    memcpy(&kept, memory, sizeof kept);
    CHECK(kept == size);
    CHECK(!PROGRAM_GROWN || memcmp((const char *)memory + size - MEMBER, zero, MEMBER) == 0);
}

/* What the library makes has the library's size, and in the added member what it took from a
 * struct that lacks it, or that left it alone: zero. */
static void check_made(const void *memory, size_t size)
{
    static const unsigned char zero[MEMBER];
    size_t theirs, expected = size + MEMBER * (size_t)library_grown - MEMBER * PROGRAM_GROWN;

    memcpy(&theirs, memory, sizeof theirs);
    CHECK(theirs == expected);
    CHECK(!library_grown || memcmp((const char *)memory + theirs - MEMBER, zero, MEMBER) == 0);
}

/* The status of a call that takes the struct `name`; whether to go on. */
static int accepted(kldve_ctx *ctx, const char *name, kldve_status st)
{
    if (strcmp(name, victim) != 0) {
        if (st != KLDVE_OK)
            fprintf(stderr, "%s: %s\n", kldve_status_name(st), kldve_ctx_message(ctx));
        CHECK(st == KLDVE_OK);
        return 1;
    }
    CHECK(st == KLDVE_E_UNSUPPORTED);
    CHECK(!ctx || strstr(kldve_ctx_message(ctx), name));
    refusals++;
    return 0;
}

/* ---- allocator ---------------------------------------------------------------------------- */

static void *count_alloc(void *opaque, size_t nbytes)
{
    ++*(int *)opaque;
    return malloc(nbytes);
}

static void count_free(void *opaque, void *memory)
{
    --*(int *)opaque;
    free(memory);
}

/* ---- a backend ---------------------------------------------------------------------------- */

static kldve_status net_open(kldve_ctx *ctx, const void *config, void **state)
{
    (void)config;
    *state = ctx;
    return KLDVE_OK;
}

/* As a whole: a grown struct is larger than what today's library reads. */
static void net_shape(const void *state, kldve_shape *out)
{
    kldve_shape *shape =
        COPY(kldve_shape, .in_channels = 3, .in_height = SIDE, .in_width = SIDE, .classes = CLASSES,
             .maps = MAPS, .height = SIDE, .width = SIDE, .batch = 1, .picks = KLDVE_PICKS_PLACE,
             .head = behind_layer ? INPUTS : 0);

    (void)state;
    CHECK(out->struct_size ==
          sizeof *out + MEMBER * (size_t)library_grown - MEMBER * PROGRAM_GROWN);
    *out = *shape;
    free(shape);
}

static kldve_status net_forward(void *state, const float *input, float *logits, float *features)
{
    (void)state;
    for (int i = 0; i < MAPS * CELLS; i++)
        features[i] = input[i];
    for (int i = 0; i < CLASSES; i++)
        logits[i] = features[i] + (float)i;
    return KLDVE_OK;
}

static kldve_status net_vjp(void *state, const float *cotangent, float *gradient)
{
    (void)state;
    for (int i = 0; i < MAPS * CELLS; i++)
        gradient[i] = i < CLASSES ? cotangent[i] : 0;
    return KLDVE_OK;
}

static kldve_status net_vjp_input(void *state, const float *cotangent, int32_t rule,
                                  float *gradient)
{
    (void)rule;
    for (int i = 0; i < INPUTS; i++)
        gradient[i] = 0;
    return net_vjp(state, cotangent, gradient);
}

static kldve_status net_vjp_biases(void *state, const float *cotangent, float *gradient,
                                   kldve_bias_fn visit, void *opaque)
{
    const float bias[MAPS] = {1, 2};
    float at_bias[MAPS * CELLS];
    kldve_bias_gradient *unit;
    kldve_status st = net_vjp(state, cotangent, at_bias);

    unit = COPY(kldve_bias_gradient, .name = "unit", .bias = bias, .gradient = at_bias,
                .maps = MAPS, .height = SIDE, .width = SIDE);
    if (st == KLDVE_OK)
        st = visit(opaque, unit);
    free(unit);
    return st == KLDVE_OK ? net_vjp_input(state, cotangent, 0, gradient) : st;
}

static kldve_status net_pick(void *state, kldve_pick *pick, float *logits)
{
    (void)state;
    check_made(pick, sizeof *pick);
    CHECK(pick->kind == KLDVE_PICK_AT && pick->x == 0.75f && pick->y == 0.25f);
    logits[0] += 1;
    return KLDVE_OK;
}

static kldve_status net_attentions(void *state, const float *cotangent, kldve_attention_fn visit,
                                   void *opaque)
{
    float weights[CELLS * CELLS], read[CELLS] = {1};
    kldve_attention *attention;
    kldve_status st;

    (void)state;
    for (int i = 0; i < CELLS * CELLS; i++)
        weights[i] = 1.0f / CELLS;
    attention = COPY(kldve_attention, .name = "attention", .weights = weights,
                     .gradient = cotangent ? weights : NULL, .read = read, .heads = 1,
                     .queries = CELLS, .keys = CELLS, .height = SIDE, .width = SIDE);
    st = visit(opaque, attention);
    free(attention);
    return st;
}

static void net_close(void *state)
{
    (void)state;
}

/* ---- a method ----------------------------------------------------------------------------- */

static kldve_status see_unit(void *opaque, const kldve_bias_gradient *unit)
{
    check_made(unit, sizeof *unit);
    CHECK(unit->maps == MAPS && unit->height == SIDE && unit->bias[1] == 2);
    ++*(int *)opaque;
    return KLDVE_OK;
}

static kldve_status see_attention(void *opaque, const kldve_attention *attention)
{
    check_made(attention, sizeof *attention);
    CHECK(attention->queries == CELLS && !attention->gradient && attention->read[0] == 1);
    ++*(int *)opaque;
    return KLDVE_OK;
}

static kldve_status method_map(const kldve_job *job, float *map)
{
    const float cotangent[CLASSES] = {1, 0, -1};
    float gradient[INPUTS];
    int units = 0, attentions = 0;
    kldve_status st;

    check_made(job, sizeof *job);
    check_made(job->options, sizeof *job->options);
    check_made(job->shape, sizeof *job->shape);
    check_made(job->method, sizeof *job->method);
    CHECK(KLDVE_HAS(job, error));
#ifdef KLDVE_GROWN
    CHECK(KLDVE_HAS(job, grown) == library_grown);
#endif
    CHECK(job->method->opaque == &victim && job->shape->maps == MAPS);
    for (int i = 0; i < CELLS; i++)
        map[i] = job->features[i];
    st = kldve_job_vjp_biases(job, cotangent, gradient, see_unit, &units);
    CHECK(st < 0 || units == 1);
    if (st < 0)
        return st;
    st = kldve_job_attentions(job, NULL, see_attention, &attentions);
    CHECK(st < 0 || attentions == 1);
    return st;
}

/* ---- a metric ----------------------------------------------------------------------------- */

static kldve_status metric_compute(const kldve_metric_job *job, double *value)
{
    check_made(job, sizeof *job);
    check_made(job->metric, sizeof *job->metric);
    check_made(job->options, sizeof *job->options);
    CHECK(job->options->steps == 3);
    *value = (double)job->values[0];
    return KLDVE_OK;
}

/* ---- every struct, once ------------------------------------------------------------------- */

static void pass_divergence(kldve_ctx *ctx)
{
    static const double scores[CLASSES] = {3, 1, 2};
    kldve_divergence_options *options = COPY(kldve_divergence_options, .temperature = 2);
    kldve_divergence_info *info = result(sizeof *info);
    kldve_divergence *d = NULL;

    if (accepted(ctx, "kldve_divergence_options",
                 kldve_divergence_new(ctx, CLASSES, options, &d))) {
        CHECK(kldve_divergence_set_scores(d, scores) == KLDVE_OK);
        CHECK(kldve_divergence_get_info(d, info) == KLDVE_OK);
        check_result(info, sizeof *info);
        CHECK(info->temperature == 2 && info->summation == KLDVE_SUMMATION_DIRECT);
    }
    kldve_divergence_free(d);
    free(options);
    free(info);
}

static void pass_results(kldve_ctx *ctx, kldve_heatmap *map)
{
    kldve_record *record = result(sizeof *record);
    kldve_timings *timings = result(sizeof *timings);
    kldve_render_options *render = COPY(kldve_render_options, .opacity = 1);
    kldve_render_options *defaults = result(sizeof *defaults);
    kldve_image *image = NULL;

    CHECK(kldve_heatmap_render_defaults(ctx, map, 0, 0, NULL, defaults) == KLDVE_OK);
    check_result(defaults, sizeof *defaults);
    CHECK(defaults->opacity > 0 && defaults->colormap > 0);
    CHECK(kldve_heatmap_record(map, record) == KLDVE_OK);
    check_result(record, sizeof *record);
    CHECK(record->classes == CLASSES && record->seen_height == 1);
    CHECK(kldve_heatmap_timings(map, timings) == KLDVE_OK);
    check_result(timings, sizeof *timings);
    CHECK(timings->reduce >= 0 && timings->preprocess == 0);
    if (accepted(ctx, "kldve_render_options", kldve_heatmap_render(ctx, map, NULL, render, &image)))
        kldve_image_free(image);
    free(record);
    free(timings);
    free(defaults);
    free(render);
}

static void pass_pixels(kldve_ctx *ctx)
{
    static uint8_t rgb[3] = {1, 2, 3};
    kldve_pixels *pixels = COPY(kldve_pixels, .width = 1, .height = 1, .plane = {rgb});
    kldve_pixels *layout = result(sizeof *layout);
    kldve_image *image = NULL;

    if (accepted(ctx, "kldve_pixels", kldve_image_from_pixels(ctx, pixels, &image))) {
        CHECK(kldve_image_layout(image, layout) == KLDVE_OK);
        check_result(layout, sizeof *layout);
        CHECK(layout->width == 1 && layout->stride[0] == 3);
        kldve_image_free(image);
    }
    free(layout);
    free(pixels);
}

static void measure(kldve_ctx *ctx, const kldve_heatmap *map)
{
    kldve_metric_options *options = COPY(kldve_metric_options, .steps = 3);
    kldve_metric_subject *subject = COPY(kldve_metric_subject, .options = options);
    double value;
    kldve_status st = kldve_metric_compute(ctx, map, "first_value", subject, &value);

    accepted(ctx, strcmp(victim, "kldve_metric_options") ? "kldve_metric_subject" : victim, st);
    free(subject);
    free(options);
}

static void pass_metric(kldve_ctx *ctx, const kldve_heatmap *map)
{
    kldve_metric *metric = COPY(kldve_metric, .name = "first_value", .low = 0, .high = 1,
                                .compute = metric_compute, .options = KLDVE_METRIC_OPTION_STEPS);

    if (accepted(ctx, "kldve_metric", kldve_metric_register(ctx, metric))) {
        memset(metric, 0xaa, sizeof *metric); /* it was copied */
        measure(ctx, map);
    }
    free(metric);
}

static void pass_arrays(kldve_ctx *ctx)
{
    static const float logits[CLASSES] = {3, 1, 2};
    static const float features[MAPS * CELLS] = {1, 0, 0, 0, 0, 0, 0, 2};
    static const float gradient[MAPS * CELLS] = {1, 1, 1, 1};
    kldve_arrays *arrays =
        COPY(kldve_arrays, .logits = logits, .features = features, .gradient = gradient,
             .classes = CLASSES, .maps = MAPS, .height = SIDE, .width = SIDE);
    kldve_heatmap *map = NULL;

    pass_pixels(ctx);
    if (accepted(ctx, "kldve_arrays", kldve_explain_arrays(ctx, arrays, NULL, &map))) {
        pass_results(ctx, map);
        pass_metric(ctx, map);
    }
    kldve_heatmap_free(map);
    free(arrays);
}

static void pass_explanation(kldve_ctx *ctx, kldve_explainer *explainer)
{
    static const float input[INPUTS] = {1, 2, 3, 4, 5};
    kldve_options *options =
        COPY(kldve_options, .method = "seen", .target_kind = KLDVE_TARGET_INDEX, .target = 1,
             .pick = KLDVE_PICK_AT, .pick_x = 1);
    kldve_heatmap *map = NULL;
    kldve_status st = kldve_explain_input(explainer, input, options, &map);

    if (strcmp(victim, "kldve_bias_gradient") == 0 || strcmp(victim, "kldve_attention") == 0)
        accepted(ctx, victim, st);
    else
        accepted(ctx, "kldve_options", st);
    kldve_heatmap_free(map);
    map = NULL;
    /* A visitor of the library's own. */
    if (*victim == 0) {
        options->method = "full-grad";
        CHECK(kldve_explain_input(explainer, input, options, &map) == KLDVE_OK);
        kldve_heatmap_free(map);
    }
    free(options);
}

static void pass_method(kldve_ctx *ctx, kldve_explainer *explainer)
{
    kldve_method *method = COPY(kldve_method, .name = "seen", .source = "this program",
                                .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_INPUT_GRADIENT |
                                         KLDVE_NEED_BIAS_GRADIENT | KLDVE_NEED_ATTENTION,
                                .opaque = &victim, .map = method_map);

    if (accepted(ctx, "kldve_method", kldve_method_register(ctx, method))) {
        memset(method, 0xaa, sizeof *method); /* it was copied */
        pass_explanation(ctx, explainer);
    }
    free(method);
}

static void pass_features(kldve_ctx *ctx, const kldve_backend *backend)
{
    static const float values[INPUTS] = {1, 2, 3, 4, 5};
    const kldve_options options = {
        .struct_size = sizeof options, .pick = KLDVE_PICK_AT, .pick_x = 1};
    kldve_feature_maps *features = COPY(kldve_feature_maps, .values = values, .count = INPUTS);
    kldve_explainer *explainer = NULL;
    kldve_heatmap *map = NULL;

    behind_layer = 1;
    CHECK(kldve_explainer_new(ctx, backend, NULL, &explainer) == KLDVE_OK);
    behind_layer = 0;
    accepted(ctx, "kldve_feature_maps",
             kldve_explain_features(explainer, features, &options, &map));
    kldve_heatmap_free(map);
    kldve_explainer_free(explainer);
    free(features);
}

static void pass_network(kldve_ctx *ctx)
{
    kldve_backend *backend =
        COPY(kldve_backend, .name = "net", .open = net_open, .shape = net_shape,
             .forward = net_forward, .close = net_close, .vjp = net_vjp, .vjp_input = net_vjp_input,
             .vjp_biases = net_vjp_biases, .attentions = net_attentions, .pick = net_pick);
    kldve_input_spec *spec = COPY(kldve_input_spec, .scale = 0.5f);
    kldve_shape *shape = result(sizeof *shape);
    kldve_explainer *explainer = NULL;
    kldve_status st = kldve_explainer_new(ctx, backend, NULL, &explainer);

    if (accepted(ctx, strcmp(victim, "kldve_shape") == 0 ? victim : "kldve_backend", st)) {
        pass_features(ctx, backend);
        memset(backend, 0xaa, sizeof *backend); /* it was copied */
        CHECK(kldve_explainer_shape(explainer, shape) == KLDVE_OK);
        check_result(shape, sizeof *shape);
        CHECK(shape->in_channels == 3 && shape->batch == 1);
        accepted(ctx, "kldve_input_spec", kldve_explainer_set_input(explainer, spec));
        pass_method(ctx, explainer);
    }
    kldve_explainer_free(explainer);
    free(backend);
    free(spec);
    free(shape);
}

#ifdef WITH_ONNX
static void pass_tensors(const kldve_onnx *net)
{
    kldve_onnx_tensor *tensor = result(sizeof *tensor);
    kldve_onnx_choice *choice = result(sizeof *choice);
    kldve_onnx_needs *needs = result(sizeof *needs);

    CHECK(kldve_onnx_memory_held(net, needs) == KLDVE_OK);
    check_result(needs, sizeof *needs);
    CHECK(needs->network > 0 && needs->peak > needs->explainer);
    free(needs);
    CHECK(kldve_onnx_tensor_at(net, 0, tensor) == KLDVE_OK);
    CHECK(kldve_onnx_chosen(net, choice) == KLDVE_OK);
    check_result(tensor, sizeof *tensor);
    check_result(choice, sizeof *choice);
    CHECK(tensor->rank == 4 && strcmp(tensor->op, "") == 0);
    free(choice);
    free(tensor);
}

static void pass_card(kldve_ctx *ctx)
{
    static const char text[] = "{\"inputs\": {\"other\": 3}}";
    kldve_card_value *value = result(sizeof *value);
    kldve_card *card = NULL;

    CHECK(kldve_card_parse(ctx, text, sizeof text - 1, NULL, &card) == KLDVE_OK);
    CHECK(kldve_card_value_at(card, 0, value) == KLDVE_OK);
    check_result(value, sizeof *value);
    CHECK(value->rank == 0 && strcmp(value->name, "other") == 0);
    kldve_card_free(card);
    free(value);
}

/* `demo` lacks the member if the library does. */
static void pass_files(kldve_ctx *ctx, const kldve_onnx_files *demo)
{
    kldve_onnx_files *files =
        COPY(kldve_onnx_files, .model = demo->model, .model_nbytes = demo->model_nbytes,
             .card = demo->card, .card_nbytes = demo->card_nbytes);
    kldve_explainer *explainer = NULL;

    if (accepted(ctx, "kldve_onnx_files",
                 kldve_onnx_explainer_memory(ctx, files, NULL, &explainer)))
        kldve_explainer_free(explainer);
    free(files);
}

static void pass_engine(kldve_ctx *ctx)
{
    kldve_onnx_files *demo = result(sizeof *demo);
    kldve_onnx_options *options = COPY(kldve_onnx_options, .threads = 1);
    kldve_input_spec *spec = result(sizeof *spec);
    kldve_explainer *explainer = NULL;
    kldve_onnx *net = NULL;
    kldve_card *card = NULL;
    kldve_onnx_input *in = COPY(kldve_onnx_input, .name = "other", .rank = 0);
    kldve_onnx_dim *dim = COPY(kldve_onnx_dim, .name = "n", .size = 1);
    int pointed = strcmp(victim, "kldve_onnx_input") == 0 || strcmp(victim, "kldve_onnx_dim") == 0;

    CHECK(kldve_onnx_demo(demo) == KLDVE_OK);
    check_result(demo, sizeof *demo);
    pass_files(ctx, demo);
    CHECK(kldve_card_parse(ctx, demo->card, demo->card_nbytes, NULL, &card) == KLDVE_OK);
    CHECK(kldve_card_input(card, spec) == KLDVE_OK);
    check_result(spec, sizeof *spec);
    if (strcmp(victim, "kldve_onnx_input") == 0) { /* the network has neither */
        options->inputs = in;
        options->input_count = 1;
    }
    if (strcmp(victim, "kldve_onnx_dim") == 0) {
        options->dims = dim;
        options->dim_count = 1;
    }
    if (accepted(ctx, pointed ? victim : "kldve_onnx_options",
                 kldve_onnx_load_memory(ctx, demo->model, demo->model_nbytes, options, &net))) {
        pass_tensors(net);
        CHECK(kldve_explainer_new(ctx, kldve_onnx_backend(), net, &explainer) == KLDVE_OK);
    }
    pass_card(ctx);
    kldve_explainer_free(explainer);
    kldve_onnx_free(net);
    kldve_card_free(card);
    free(demo);
    free(in);
    free(dim);
    free(options);
    free(spec);
}
#else
static void pass_engine(kldve_ctx *ctx)
{
    (void)ctx;
}
#endif

static void pass_all(void)
{
    int live = 0;
    kldve_allocator *allocator =
        COPY(kldve_allocator, .alloc = count_alloc, .free = count_free, .opaque = &live);
    kldve_ctx *ctx = NULL;

    if (accepted(NULL, "kldve_allocator", kldve_ctx_new(allocator, &ctx))) {
        memset(allocator, 0xaa, sizeof *allocator); /* it was copied */
        pass_divergence(ctx);
        pass_arrays(ctx);
        pass_network(ctx);
        pass_engine(ctx);
        CHECK(live > 0);
    }
    kldve_ctx_free(ctx);
    CHECK(live == 0);
    free(allocator);
}

/* In the order of docs/abi.md. */
static const struct {
    const char *name;
    int read; /* by the library: a program can set a member of it */
} structs[] = {
    {"kldve_allocator", 1},
    {"kldve_divergence_options", 1},
    {"kldve_options", 1},
    {"kldve_arrays", 1},
    {"kldve_feature_maps", 1},
    {"kldve_input_spec", 1},
    {"kldve_pixels", 1},
    {"kldve_render_options", 1},
    {"kldve_backend", 1},
    {"kldve_method", 1},
    {"kldve_metric", 1},
    {"kldve_shape", 1},
    {"kldve_bias_gradient", 1},
    {"kldve_attention", 1},
    {"kldve_pick", 0},
    {"kldve_record", 0},
    {"kldve_timings", 0},
    {"kldve_divergence_info", 0},
    {"kldve_job", 0},
    {"kldve_metric_job", 0},
    {"kldve_metric_subject", 1},
    {"kldve_metric_options", 1},
#ifdef WITH_ONNX
    {"kldve_onnx_options", 1},
    {"kldve_onnx_input", 1},
    {"kldve_onnx_dim", 1},
    {"kldve_onnx_tensor", 0},
    {"kldve_onnx_choice", 0},
    {"kldve_onnx_files", 1},
    {"kldve_card_value", 0},
    {"kldve_onnx_needs", 0},
#endif
};

enum { STRUCTS = sizeof structs / sizeof *structs };

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (int i = 0; i < STRUCTS; i++)
            puts(structs[i].name);
        return 0;
    }
    if (argc < 2)
        return 2;
    library_grown = strcmp(argv[1], "grown") == 0;
    if (argc == 2)
        pass_all();
    for (int i = 0; argc == 3 && i < STRUCTS; i++)
        if (structs[i].read) {
            int before = refusals;

            victim = structs[i].name;
            pass_all();
            CHECK(refusals == before + 1);
        }
    return 0;
}
