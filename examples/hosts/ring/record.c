/* record.c - the device: classifies pictures, and keeps what an explanation will need in a ring
 * file.  No gradient is computed, and the network is loaded without its backward pass.
 *
 *     record NETWORK.onnx RING SLOTS PICTURE...
 *
 * The network is a backend that wraps the engine's and records what each forward pass gives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../network.h"
#include "ring.h"

/* The config of the backend, and its state. */
struct recorder {
    const struct network *net;
    const char *path, *name; /* of the ring file, and of the picture that is looked at */
    struct ring *ring;
    kldve_ctx *ctx;
    void *engine; /* its state */
};

static kldve_status fail(const struct recorder *r, enum ring_status why)
{
    char text[400];

    snprintf(text, sizeof text, "%s: %s", r->path, ring_text(why));
    return kldve_ctx_fail(r->ctx, KLDVE_E_IO, text);
}

static kldve_status record_open(kldve_ctx *ctx, const void *config, void **state)
{
    struct recorder *r = *(struct recorder *const *)config;
    kldve_status status = kldve_onnx_backend()->open(ctx, r->net->onnx, &r->engine);

    if (status == KLDVE_OK)
        *state = r;
    return status;
}

static void record_shape(const void *state, kldve_shape *out)
{
    kldve_onnx_backend()->shape(((const struct recorder *)state)->engine, out);
}

static kldve_status record_forward(void *state, const float *input, float *logits, float *features)
{
    struct recorder *r = state;
    kldve_status status = kldve_onnx_backend()->forward(r->engine, input, logits, features);
    enum ring_status kept;

    if (status != KLDVE_OK)
        return status;
    kept = ring_append(r->ring, r->name, logits, features);
    return kept == RING_OK ? KLDVE_OK : fail(r, kept);
}

static void record_close(void *state)
{
    if (state)
        kldve_onnx_backend()->close(((struct recorder *)state)->engine);
}

static const kldve_backend recording = {.struct_size = sizeof recording,
                                        .name = "recording",
                                        .open = record_open,
                                        .shape = record_shape,
                                        .forward = record_forward,
                                        .close = record_close};

static kldve_status open_ring(struct recorder *r, const kldve_explainer *net, const char *network,
                              long slots)
{
    kldve_shape s = {.struct_size = sizeof s};
    struct ring_shape shape = {0};
    kldve_status status = kldve_explainer_shape(net, &s);
    enum ring_status opened;

    if (status != KLDVE_OK)
        return status;
    if (ring_check_file(network, &shape.network))
        return kldve_ctx_fail(r->ctx, KLDVE_E_IO, network);
    shape.classes = (uint32_t)(s.single ? 1 : s.classes);
    shape.maps = (uint32_t)s.maps;
    shape.height = (uint32_t)s.height;
    shape.width = (uint32_t)s.width;
    opened = ring_create(r->path, &shape, (uint32_t)slots, &r->ring);
    return opened == RING_OK ? KLDVE_OK : fail(r, opened);
}

/* One forward pass; the map of the reading `paper` needs no gradient and costs next to nothing. */
static kldve_status classify(struct recorder *r, kldve_explainer *net, const char *path)
{
    const kldve_options forward_only = {.struct_size = sizeof forward_only,
                                        .reading = KLDVE_READING_PAPER};
    kldve_record found = {.struct_size = sizeof found};
    kldve_image *photo = NULL;
    kldve_heatmap *map = NULL;
    kldve_status status = kldve_image_load(r->ctx, path, &photo);

    r->name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (status == KLDVE_OK)
        status = kldve_explain(net, photo, &forward_only, &map);
    if (status == KLDVE_OK)
        status = kldve_heatmap_record(map, &found);
    if (status == KLDVE_OK)
        printf("%s: class %d\n", r->name, (int)found.target);
    kldve_heatmap_free(map);
    kldve_image_free(photo);
    return status;
}

static kldve_status record_all(struct recorder *r, const char *network, long slots, char **picture)
{
    struct recorder *const config = r;
    kldve_explainer *net = NULL;
    kldve_status status = kldve_explainer_new(r->ctx, &recording, &config, &net);

    if (status == KLDVE_OK && r->net->has_input)
        status = kldve_explainer_set_input(net, &r->net->input);
    if (status == KLDVE_OK)
        status = open_ring(r, net, network, slots);
    for (; status == KLDVE_OK && *picture; picture++)
        status = classify(r, net, *picture);
    kldve_explainer_free(net);
    ring_close(r->ring);
    return status;
}

int main(int argc, char **argv)
{
    const long slots = argc > 4 ? strtol(argv[3], NULL, 10) : 0;
    struct network net = {.onnx = NULL};
    struct recorder recorder = {.net = &net};
    kldve_status status;

    if (slots < 1 || slots > RING_MOST_SLOTS || kldve_ctx_new(NULL, &recorder.ctx)) {
        fprintf(stderr, "usage: record NETWORK.onnx RING 1..%d PICTURE...\n", RING_MOST_SLOTS);
        return 2;
    }
    recorder.path = argv[2];
    status = network_load(recorder.ctx, argv[1], 0, KLDVE_ONNX_FLAG_NO_VJP, &net);
    if (status == KLDVE_OK)
        status = record_all(&recorder, argv[1], slots, argv + 4);
    if (status != KLDVE_OK)
        fprintf(stderr, "%s\n", kldve_ctx_message(recorder.ctx));
    network_free(&net);
    kldve_ctx_free(recorder.ctx);
    return status != KLDVE_OK;
}
