/* later.c - the desk: explains what record.c kept, without the pictures and without the network's
 * forward pass.
 *
 *     later RING                        lists the entries
 *     later RING NUMBER                 prints the map of an entry by the reading `paper`, from the
 * arrays later RING NUMBER NETWORK.onnx    by the reading `contrast`: its gradient needs the
 * network's head, the part behind the layer; nothing before that is loaded */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../network.h"
#include "ring.h"

static int complain(const char *what, enum ring_status status)
{
    fprintf(stderr, "%s: %s\n", what, ring_text(status));
    return 1;
}

static int list(const struct ring *ring)
{
    struct ring_slot entry;
    char text[32];

    for (uint64_t n = ring_oldest(ring); n > 0 && n <= ring_newest(ring); n++) {
        const enum ring_status status = ring_read(ring, n, &entry, NULL, NULL);
        time_t seconds;

        if (status != RING_OK) {
            printf("%" PRIu64 " %s\n", n, ring_text(status));
            continue;
        }
        seconds = (time_t)(entry.time / 1000);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
        printf("%" PRIu64 " %s %s\n", n, text, entry.name);
    }
    return 0;
}

static kldve_status explain_arrays(kldve_ctx *ctx, const struct ring_shape *shape,
                                   const float *logits, const float *features, kldve_heatmap **out)
{
    const kldve_options paper = {.struct_size = sizeof paper, .reading = KLDVE_READING_PAPER};
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = logits,
                                 .features = features,
                                 .classes = (int32_t)shape->classes,
                                 .maps = (int32_t)shape->maps,
                                 .height = (int32_t)shape->height,
                                 .width = (int32_t)shape->width};

    return kldve_explain_arrays(ctx, &arrays, &paper, out);
}

/* The recorded maps are [maps][height][width]: can the head take them as they are? */
static int head_fits(const kldve_onnx *net, const struct ring_shape *s)
{
    kldve_onnx_tensor layer = {.struct_size = sizeof layer}, more = {.struct_size = sizeof more};

    return kldve_onnx_tap_at(net, 0, &layer) == KLDVE_OK &&
           kldve_onnx_tap_at(net, 1, &more) != KLDVE_OK && layer.rank == 4 &&
           layer.dim[1] == s->maps && layer.dim[2] == s->height && layer.dim[3] == s->width;
}

static kldve_status explain_head(kldve_ctx *ctx, const char *path, const struct ring_shape *shape,
                                 const float *logits, const float *features, kldve_heatmap **out)
{
    const kldve_feature_maps recorded = {.struct_size = sizeof recorded,
                                     .values = features,
                                     .count = (int64_t)shape->maps * shape->height * shape->width,
                                     .logits = logits};
    struct network net = {.onnx = NULL};
    kldve_explainer *head = NULL;
    uint64_t check = 0;
    kldve_status status = network_load(ctx, path, 0, KLDVE_ONNX_FLAG_HEAD, &net);

    if (status == KLDVE_OK && (ring_check_file(path, &check) || check != shape->network))
        status = kldve_ctx_fail(ctx, KLDVE_E_ARG, "the ring was recorded with another network");
    if (status == KLDVE_OK && !head_fits(net.onnx, shape))
        status = kldve_ctx_fail(ctx, KLDVE_E_UNSUPPORTED,
                                "the head takes other tensors than the maps that were recorded");
    if (status == KLDVE_OK)
        status = network_open(ctx, &net, &head);
    if (status == KLDVE_OK)
        status = kldve_explain_features(head, &recorded, NULL, out);
    kldve_explainer_free(head);
    network_free(&net);
    return status;
}

static void print(const kldve_heatmap *map, const struct ring_shape *shape)
{
    const float *value;
    int32_t cells = 0;

    kldve_heatmap_values(map, &value, &cells);
    for (int32_t i = 0; i < cells; i++)
        printf("%.6f%c", (double)value[i], (uint32_t)(i + 1) % shape->width ? ' ' : '\n');
}

/* The map of an entry that has been read. */
static int explain(const struct ring_shape *shape, const float *logits, const float *features,
                   const char *network)
{
    kldve_ctx *ctx = NULL;
    kldve_heatmap *map = NULL;
    kldve_status status;

    if (kldve_ctx_new(NULL, &ctx)) {
        fprintf(stderr, "later: out of memory\n");
        return 1;
    }
    status = network ? explain_head(ctx, network, shape, logits, features, &map)
                     : explain_arrays(ctx, shape, logits, features, &map);
    if (status == KLDVE_OK)
        print(map, shape);
    else
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    return status != KLDVE_OK;
}

static int explain_entry(const struct ring *ring, const char *number, const char *network)
{
    const struct ring_shape *s = ring_shape(ring);
    const size_t cells = (size_t)s->maps * s->height * s->width;
    float *logits = malloc((s->classes + cells) * sizeof *logits);
    float *features = logits ? logits + s->classes : NULL;
    struct ring_slot entry;
    enum ring_status found = RING_IO; /* out of memory */
    int failed;

    if (logits)
        found = ring_read(ring, strtoull(number, NULL, 10), &entry, logits, features);
    failed = found == RING_OK ? explain(s, logits, features, network) : complain(number, found);
    free(logits);
    return failed;
}

int main(int argc, char **argv)
{
    struct ring *ring = NULL;
    enum ring_status status;
    int failed;

    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: later RING [NUMBER [NETWORK.onnx]]\n");
        return 2;
    }
    if ((status = ring_open(argv[1], &ring)) != RING_OK)
        return complain(argv[1], status);
    failed = argc == 2 ? list(ring) : explain_entry(ring, argv[2], argc > 3 ? argv[3] : NULL);
    ring_close(ring);
    return failed;
}
