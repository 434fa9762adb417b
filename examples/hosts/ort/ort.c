/* ort.c - a program that classifies with ONNX Runtime and explains what it found.  Its own session
 * hands out the layer beside the scores; libkldve has only the part of the network behind the
 * layer. An explanation costs the forward pass that the program runs anyway, and that part.
 *
 *     ort NETWORK.onnx PICTURE METHOD OUT.png [ROUNDS]
 *
 * METHOD "paper" needs no gradient: it is made from the arrays alone.  Any other is a method of
 * kldve_method_name(), by the head of the network.  OUT.png "-" prints the map instead, row by row.
 * With ROUNDS the shortest time of so many is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../network.h"
#include "picture.h"
#include "session.h"

enum { MOST_TAPS = 16 };

struct host {
    kldve_ctx *ctx;
    struct network head; /* the part behind the layer, and what the card says */
    kldve_explainer *explainer;
    kldve_shape shape;
    struct session *session;
    kldve_onnx_tensor in;
    kldve_onnx_tensor tap[MOST_TAPS];
    int32_t taps;
    float *input, *features, *scores; /* features [shape.head]: all taps, one behind the other */
};

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

static void *read_file(const char *path, size_t more, size_t *nbytes)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    char *bytes;

    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size < 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    rewind(file);
    bytes = room((size_t)size + more + 1, 1);
    *nbytes = fread(bytes, 1, (size_t)size, file);
    fclose(file);
    return bytes;
}

/* ---- the head, and the session whose outputs feed it ---- */

static kldve_status open_head(struct host *h, const char *path)
{
    kldve_status status = network_load(h->ctx, path, 1, KLDVE_ONNX_FLAG_HEAD, &h->head);

    h->in.struct_size = sizeof h->in;
    h->shape.struct_size = sizeof h->shape;
    if (status != KLDVE_OK || (status = network_open(h->ctx, &h->head, &h->explainer)) ||
        (status = kldve_explainer_shape(h->explainer, &h->shape)) ||
        (status = kldve_onnx_tensor_at(h->head.onnx, 0, &h->in)))
        return status;
    while (h->taps < MOST_TAPS) {
        h->tap[h->taps].struct_size = sizeof h->tap[0];
        if (kldve_onnx_tap_at(h->head.onnx, h->taps, &h->tap[h->taps]) != KLDVE_OK)
            break;
        h->taps++;
    }
    return KLDVE_OK;
}

/* The file with a few bytes behind it that make the taps outputs. */
static kldve_status open_session(struct host *h, const char *path)
{
    const char *names[MOST_TAPS];
    void *more = NULL;
    size_t nbytes, nmore;
    char *model = read_file(path, 0, &nbytes), *tapped;
    kldve_status status;

    for (int32_t i = 0; i < h->taps; i++)
        names[i] = h->tap[i].name;
    status = kldve_onnx_tap(h->ctx, model, nbytes, names, h->taps, &more, &nmore);
    if (status == KLDVE_OK) {
        tapped = room(nbytes + nmore, 1);
        memcpy(tapped, model, nbytes);
        memcpy(tapped + nbytes, more, nmore);
        h->session = session_new(tapped, nbytes + nmore, 1);
        free(tapped);
    }
    kldve_ctx_release(h->ctx, more);
    free(model);
    return status;
}

/* ---- one picture ---- */

/* The forward pass; `taps` of the tensors come out beside the scores. */
static void run(const struct host *h, int32_t taps)
{
    struct output out[1 + MOST_TAPS] = {{.name = session_first_output(h->session),
                                         .dim = {1, h->shape.single ? 1 : h->shape.classes},
                                         .rank = 2,
                                         .to = h->scores}};
    float *to = h->features;

    for (int32_t i = 0; i < taps; i++) {
        struct output *o = &out[1 + i];
        int64_t count = 1;

        *o = (struct output){.name = h->tap[i].name, .rank = h->tap[i].rank, .to = to};
        for (int32_t k = 0; k < o->rank; k++)
            count *= o->dim[k] = h->tap[i].dim[k];
        to += count;
    }
    session_run(h->session, h->input, h->in.dim, h->in.rank, out, 1 + taps);
}

/* Where the maps lie in a tapped tensor: bytes from one map, row and column to the next, and how
 * many numbers come before the first.  0: in an order that only the head knows. */
static int find_maps(const struct host *h, ptrdiff_t stride[3], size_t *first)
{
    const kldve_onnx_tensor *t = &h->tap[0];
    ptrdiff_t number = sizeof(float), width = h->shape.width, cells = width * h->shape.height;
    int tokens = t->rank == 3;
    ptrdiff_t others = tokens ? t->leading : 0;
    ptrdiff_t between = t->channel_axis == 1 ? 1 : h->shape.maps; /* from column to column */

    if (h->taps != 1 || (t->rank != 4 && !tokens) || t->channel_axis < 1 ||
        t->dim[t->channel_axis] != h->shape.maps || t->grid_width != width ||
        h->shape.head != (others + cells) * h->shape.maps)
        return 0;
    stride[0] = (t->channel_axis == 1 ? others + cells : 1) * number;
    stride[1] = width * between * number;
    stride[2] = between * number;
    *first = (size_t)(others * between);
    return 1;
}

/* From the arrays alone, without the head. */
static kldve_status explain_arrays(const struct host *h, kldve_heatmap **out)
{
    const kldve_options options = {.struct_size = sizeof options, .reading = KLDVE_READING_PAPER};
    kldve_arrays arrays = {.struct_size = sizeof arrays,
                           .logits = h->scores,
                           .classes = h->shape.classes,
                           .maps = h->shape.maps,
                           .height = h->shape.height,
                           .width = h->shape.width,
                           .scores = h->shape.scores};
    size_t first = 0;

    if (!find_maps(h, arrays.stride, &first))
        return kldve_ctx_fail(h->ctx, KLDVE_E_UNSUPPORTED,
                              "the layer is several tensors or pictures: explain by the head");
    arrays.features = h->features + first;
    return kldve_explain_arrays(h->ctx, &arrays, &options, out);
}

static kldve_status explain(const struct host *h, const kldve_image *photo, const char *method,
                            kldve_heatmap **out)
{
    const kldve_options options = {.struct_size = sizeof options, .method = method};
    const kldve_feature_maps features = {.struct_size = sizeof features,
                                     .values = h->features,
                                     .count = h->shape.head,
                                     .picture_width = kldve_image_width(photo),
                                     .picture_height = kldve_image_height(photo)};

    return strcmp(method, "paper") == 0
               ? explain_arrays(h, out)
               : kldve_explain_features(h->explainer, &features, &options, out);
}

/* The shortest of `rounds` passes without taps, with them, and of explanations. */
static kldve_status measure(const struct host *h, const kldve_image *photo, const char *method,
                            int rounds)
{
    double best[3] = {1e9, 1e9, 1e9};
    kldve_status status = KLDVE_OK;

    for (int i = 0; status == KLDVE_OK && i < rounds; i++) {
        kldve_heatmap *map = NULL;
        double at[4] = {now_ms()};

        run(h, 0);
        at[1] = now_ms();
        run(h, h->taps);
        at[2] = now_ms();
        status = explain(h, photo, method, &map);
        at[3] = now_ms();
        kldve_heatmap_free(map);
        for (int k = 0; k < 3; k++)
            best[k] = at[k + 1] - at[k] < best[k] ? at[k + 1] - at[k] : best[k];
    }
    if (status == KLDVE_OK)
        printf("forward %.3f ms, with %d taps %.3f ms, explanation %.3f ms\n", best[0],
               (int)h->taps, best[1], best[2]);
    return status;
}

static void print(const kldve_heatmap *map, const kldve_record *r)
{
    const float *value;
    int32_t cells = 0;

    kldve_heatmap_values(map, &value, &cells);
    for (int32_t i = 0; i < cells; i++)
        printf("%.7g%c", (double)value[i], (i + 1) % r->width ? ' ' : '\n');
}

static kldve_status show(const struct host *h, const kldve_heatmap *map, const kldve_image *photo,
                         const char *path)
{
    kldve_record r = {.struct_size = sizeof r};
    kldve_image *drawn = NULL;
    kldve_status status = kldve_heatmap_record(map, &r);

    if (status == KLDVE_OK && strcmp(path, "-") == 0) {
        print(map, &r);
        return KLDVE_OK;
    }
    if (status == KLDVE_OK)
        printf("class %d, logit %.4f\n", (int)r.target, (double)r.logit);
    if (status == KLDVE_OK && !(status = kldve_heatmap_render(h->ctx, map, photo, NULL, &drawn)))
        status = kldve_image_save(h->ctx, drawn, path, 0);
    kldve_image_free(drawn);
    return status;
}

/* Before anything runs: can the head do that? */
static kldve_status can(const struct host *h, const char *method)
{
    const kldve_options options = {.struct_size = sizeof options, .method = method};

    return strcmp(method, "paper") == 0 ? KLDVE_OK : kldve_explainer_check(h->explainer, &options);
}

static kldve_status host(struct host *h, char **argv, int rounds)
{
    kldve_image *photo = NULL;
    kldve_heatmap *map = NULL;
    kldve_status status = open_head(h, argv[1]);

    if (status == KLDVE_OK && !(status = can(h, argv[3])) && !(status = open_session(h, argv[1]))) {
        h->input = room((size_t)h->shape.in_height * (size_t)h->shape.in_width, 3 * sizeof(float));
        h->features = room((size_t)h->shape.head, sizeof(float));
        h->scores = room((size_t)h->shape.classes, sizeof(float));
        status = kldve_image_load(h->ctx, argv[2], &photo);
    }
    if (status == KLDVE_OK)
        status = picture_to_input(h->ctx, photo, &h->head.input, &h->shape, h->in.channel_axis,
                                  h->input);
    if (status == KLDVE_OK) {
        run(h, h->taps);
        status = explain(h, photo, argv[3], &map);
    }
    if (status == KLDVE_OK)
        status = show(h, map, photo, argv[4]);
    if (status == KLDVE_OK && rounds > 0)
        status = measure(h, photo, argv[3], rounds);
    kldve_heatmap_free(map);
    kldve_image_free(photo);
    return status;
}

int main(int argc, char **argv)
{
    struct host h = {.taps = 0};
    kldve_status status;

    if (argc < 5 || argc > 6 || kldve_ctx_new(NULL, &h.ctx)) {
        fprintf(stderr, "usage: ort NETWORK.onnx PICTURE METHOD|paper OUT.png|- [ROUNDS]\n");
        return 2;
    }
    status = host(&h, argv, argc == 6 ? atoi(argv[5]) : 0);
    if (status != KLDVE_OK)
        fprintf(stderr, "%s\n", kldve_ctx_message(h.ctx));
    session_free(h.session);
    kldve_explainer_free(h.explainer);
    network_free(&h.head);
    kldve_ctx_free(h.ctx);
    free(h.input);
    free(h.features);
    free(h.scores);
    return status != KLDVE_OK;
}
