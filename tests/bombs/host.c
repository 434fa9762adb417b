/* host.c - a host that reads one file from outside and says on standard error what is wrong with
 * how the library took it.  Exit status 0: it was taken or refused as the headers promise.
 *
 *     host model|card|labels|picture FILE */
#include <kldve/backend.h>
#include <kldve/kldve.h>
#include <kldve/onnx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 16 };

/* ---- memory that is counted ------------------------------------------------------------------ */

static void *count_alloc(void *opaque, size_t nbytes)
{
    void *memory = malloc(nbytes);

    *(long *)opaque += memory != NULL;
    return memory;
}

static void count_free(void *opaque, void *memory)
{
    *(long *)opaque -= memory != NULL;
    free(memory);
}

/* ---- what is read ---------------------------------------------------------------------------- */

typedef struct made {
    kldve_explainer *net;
    kldve_image *picture;
    kldve_heatmap *map;
    kldve_labels *labels;
    kldve_card *card;
} made;

static kldve_status read_labels(kldve_ctx *ctx, const char *path, made *m)
{
    const char *name;
    kldve_status st = kldve_labels_load(ctx, path, &m->labels);

    for (int32_t i = 0; st == KLDVE_OK && i < kldve_labels_count(m->labels); i++)
        st = kldve_labels_name(m->labels, i, &name);
    return st;
}

static kldve_status read_picture(kldve_ctx *ctx, const char *path, made *m)
{
    kldve_image *small = NULL;
    kldve_status st = kldve_image_load(ctx, path, &m->picture);

    if (st == KLDVE_OK)
        st = kldve_image_resize(ctx, m->picture, SIDE, SIDE, &small);
    kldve_image_free(small);
    return st;
}

static kldve_status read_model(kldve_ctx *ctx, const char *path, made *m)
{
    kldve_status st = kldve_onnx_explainer(ctx, path, NULL, &m->net);

    if (st == KLDVE_OK)
        st = kldve_image_new(ctx, SIDE, SIDE, &m->picture);
    if (st == KLDVE_OK)
        st = kldve_explain(m->net, m->picture, NULL, &m->map);
    return st;
}

static kldve_status read_kind(kldve_ctx *ctx, const char *kind, const char *path, made *m)
{
    if (strcmp(kind, "labels") == 0)
        return read_labels(ctx, path, m);
    if (strcmp(kind, "picture") == 0)
        return read_picture(ctx, path, m);
    if (strcmp(kind, "card") == 0)
        return kldve_card_load(ctx, path, &m->card);
    return read_model(ctx, path, m);
}

/* ---- what has to hold ------------------------------------------------------------------------ */

/* What is wrong with the message; NULL: nothing. */
static const char *bad_message(const char *message)
{
    size_t length = strlen(message);

    if (length < 10 || length > 2000)
        return "a message of a strange length";
    for (; *message; message++)
        if ((unsigned char)*message < ' ' || *message == 0x7f)
            return "a control character in the message";
    return NULL;
}

static const char *check(const kldve_ctx *ctx, kldve_status st, const char *kind, const made *m)
{
    if (st == KLDVE_OK)
        return NULL;
    if (strcmp(kind, "model") == 0 ? m->map != NULL : (m->card || m->labels))
        return "a result although it failed";
    return bad_message(kldve_ctx_message(ctx));
}

int main(int argc, char **argv)
{
    long blocks = 0;
    const kldve_allocator counting = {sizeof counting, count_alloc, count_free, &blocks};
    const char *wrong = "the context cannot be made";
    kldve_ctx *ctx = NULL;
    made m = {NULL, NULL, NULL, NULL, NULL};
    kldve_status st = KLDVE_OK;

    if (argc != 3)
        return 2;
    if (kldve_ctx_new(&counting, &ctx) == KLDVE_OK) {
        st = read_kind(ctx, argv[1], argv[2], &m);
        wrong = check(ctx, st, argv[1], &m);
        if (wrong)
            fprintf(stderr, "%s: status %d, message '%s'\n", wrong, (int)st,
                    kldve_ctx_message(ctx));
    }
    kldve_heatmap_free(m.map);
    kldve_image_free(m.picture);
    kldve_labels_free(m.labels);
    kldve_card_free(m.card);
    kldve_explainer_free(m.net);
    kldve_ctx_free(ctx);
    if (blocks != 0)
        fprintf(stderr, "%ld blocks were not freed\n", blocks);
    return wrong || blocks != 0;
}
