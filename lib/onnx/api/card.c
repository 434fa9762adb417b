/* card.c - model cards: the preprocessing, the tensors and the labels that belong to a network.
 *
 * A card comes from outside: every known key is checked, and messages name it; unknown keys are
 * ignored so that cards may hold more. */
#include "card_parts.h"

#include "handshake.h"

#include "../../base/open_input.h"
#include "read/limit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHERE_SIZE = 320, REASON_SIZE = 128, FIRST_ROOM = 16384 /* bytes */ };

static kldve_status parse(kldve_ctx *ctx, const char *where, const char *text, size_t nbytes,
                          const char *folder, kldve_card **out)
{
    kx_card_reader r = {ctx, where};
    const kx_json *root = NULL;
    kldve_card *card = NULL;
    kldve_status status;
    kx_arena arena;

    if (nbytes > kx_limit(ctx, KLDVE_LIMIT_CARD))
        return kldve_ctx_fail_limit(ctx, KLDVE_LIMIT_CARD, "%s%zu bytes of a model card", where,
                                    nbytes);
    if (nbytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        nbytes -= 3;
    }
    kx_arena_init(&arena, ctx);
    status = kx_card_json(&r, &arena, text, nbytes, &root);
    if (status != KLDVE_OK)
        goto done;
    card = kldve_ctx_alloc(ctx, 1, sizeof *card);
    if (!card) {
        status = kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%sout of memory", where);
        goto done;
    }
    memset(card, 0, sizeof *card);
    card->ctx = ctx;
    status = kx_card_fields(&r, root, folder, card);
    if (status == KLDVE_OK)
        *out = card;
    else
        kldve_card_free(card);
done:
    kx_arena_free(&arena);
    return status;
}

/* ---- files -------------------------------------------------------------------------------- */

/* The bytes of a file. */
typedef struct file {
    char *bytes;
    size_t used, room;
} file;

/* Room for twice as many. */
static bool grow(kldve_ctx *ctx, file *f)
{
    size_t room = f->room ? 2 * f->room : FIRST_ROOM;
    char *bytes = f->room <= SIZE_MAX / 4 ? kldve_ctx_alloc(ctx, room, 1) : NULL;

    if (!bytes)
        return false;
    if (f->used > 0)
        memcpy(bytes, f->bytes, f->used);
    kldve_ctx_release(ctx, f->bytes);
    f->bytes = bytes;
    f->room = room;
    return true;
}

/* Up to one byte more than the limit, to notice a larger file.  KLDVE_OK, KLDVE_E_NOMEM without a
 * message, KLDVE_E_IO with errno. */
static kldve_status read_bytes(kldve_ctx *ctx, int fd, file *f)
{
    size_t limit = kx_limit(ctx, KLDVE_LIMIT_CARD);

    while (f->used <= limit) {
        ssize_t n;

        if (f->used == f->room && !grow(ctx, f))
            return KLDVE_E_NOMEM;
        n = read(fd, f->bytes + f->used, f->room - f->used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return KLDVE_E_IO;
        if (n == 0)
            break;
        f->used += (size_t)n;
    }
    return KLDVE_OK;
}

static kldve_status read_file(kldve_ctx *ctx, const char *path, file *f)
{
    char reason[REASON_SIZE];
    kldve_status st = KLDVE_E_IO;
    const char *what;
    int fd = kldve_open_input(path, &what), error;

    if (what)
        return kldve_ctx_failf(ctx, KLDVE_E_IO, "%s: this is a %s, give the file of a model card",
                               path, what);
    if (fd >= 0)
        st = read_bytes(ctx, fd, f);
    error = errno;
    if (fd >= 0)
        close(fd);
    if (st == KLDVE_E_NOMEM)
        return kldve_ctx_failf(ctx, st, "%s: out of memory", path);
    if (st < 0) {
        if (strerror_r(error, reason, sizeof reason) != 0)
            snprintf(reason, sizeof reason, "system error %d", error);
        return kldve_ctx_failf(ctx, KLDVE_E_IO, "%s: cannot read the model card: %s", path, reason);
    }
    return KLDVE_OK;
}

/* The folder that holds `path`, without its last slash; "" for the working folder. */
static char *folder_of(kldve_ctx *ctx, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    char *folder = kldve_ctx_alloc(ctx, n + 2, 1);

    if (!folder)
        return NULL;
    memcpy(folder, path, n);
    folder[n] = '\0';
    if (slash && n == 0)
        strcpy(folder, "/"); /* "/card.json": labels beside it begin with two slashes, harmless */
    return folder;
}

kldve_status kldve_card_load(kldve_ctx *ctx, const char *path, kldve_card **out)
{
    char where[WHERE_SIZE], *folder;
    file f = {NULL, 0, 0};
    kldve_status status;
    double before;

    if (!ctx || !path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "model card: an argument is NULL");
    if ((status = kx_handshake(ctx)) < 0)
        return status;
    before = kldve_ctx_enter(ctx, "reading a card", 0);
    snprintf(where, sizeof where, "%s: ", path);
    folder = folder_of(ctx, path);
    if (!folder)
        status = kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%sout of memory", where);
    else
        status = read_file(ctx, path, &f);
    if (status == KLDVE_OK)
        status = parse(ctx, where, f.bytes, f.used, folder, out);
    kldve_ctx_release(ctx, folder);
    kldve_ctx_release(ctx, f.bytes);
    return kldve_ctx_leave(ctx, before, status);
}

kldve_status kldve_card_beside(kldve_ctx *ctx, const char *model_path, kldve_card **out)
{
    static const char model_ending[] = ".onnx", ending[] = ".card.json";
    kldve_status status;
    char *path;
    double before;
    size_t n;

    if (!ctx || !model_path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "model card: an argument is NULL");
    if ((status = kx_handshake(ctx)) < 0)
        return status;
    before = kldve_ctx_enter(ctx, "reading a card", 0);
    n = strlen(model_path);
    if (n > strlen(model_ending) &&
        strcmp(model_path + n - strlen(model_ending), model_ending) == 0)
        n -= strlen(model_ending);
    path = kldve_ctx_alloc(ctx, n + sizeof ending, 1);
    if (!path)
        return kldve_ctx_leave(
            ctx, before, kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%s: out of memory", model_path));
    memcpy(path, model_path, n);
    memcpy(path + n, ending, sizeof ending);
    if (access(path, F_OK) == 0)
        status = kldve_card_load(ctx, path, out);
    else
        *out = NULL;
    kldve_ctx_release(ctx, path);
    return kldve_ctx_leave(ctx, before, status);
}

kldve_status kldve_card_parse(kldve_ctx *ctx, const char *text, size_t nbytes, const char *folder,
                              kldve_card **out)
{
    kldve_status status;
    double before;

    if (!ctx || !text || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "model card: an argument is NULL");
    if ((status = kx_handshake(ctx)) < 0)
        return status;
    before = kldve_ctx_enter(ctx, "reading a card", 0);
    return kldve_ctx_leave(ctx, before, parse(ctx, "", text, nbytes, folder, out));
}

void kldve_card_free(kldve_card *card)
{
    if (!card)
        return;
    kx_card_free_inputs(card);
    kldve_ctx_release(card->ctx, card->name);
    kldve_ctx_release(card->ctx, card->layer);
    kldve_ctx_release(card->ctx, card->logits);
    kldve_ctx_release(card->ctx, card->select);
    kldve_ctx_release(card->ctx, card->boxes);
    kldve_ctx_release(card->ctx, card->objects);
    kldve_ctx_release(card->ctx, card->labels);
    kldve_ctx_release(card->ctx, card);
}

const char *kldve_card_name(const kldve_card *card)
{
    return card ? card->name : NULL;
}

const char *kldve_card_layer(const kldve_card *card)
{
    return card ? card->layer : NULL;
}

const char *kldve_card_logits(const kldve_card *card)
{
    return card ? card->logits : NULL;
}

int32_t kldve_card_scores(const kldve_card *card)
{
    return card ? card->scores : 0;
}

const char *kldve_card_select(const kldve_card *card)
{
    return card ? card->select : NULL;
}

const char *kldve_card_boxes(const kldve_card *card)
{
    return card ? card->boxes : NULL;
}

const char *kldve_card_objects(const kldve_card *card)
{
    return card ? card->objects : NULL;
}

int32_t kldve_card_box_format(const kldve_card *card)
{
    return card ? card->box_format : 0;
}

int32_t kldve_card_box_units(const kldve_card *card)
{
    return card ? card->box_units : 0;
}

const char *kldve_card_labels(const kldve_card *card)
{
    return card ? card->labels : NULL;
}

kldve_status kldve_card_input(const kldve_card *card, kldve_input_spec *out)
{
    if (!card)
        return KLDVE_E_ARG;
    /* Without a message: threads may share the card. */
    return kldve_struct_store(NULL, "kldve_input_spec", &card->input, sizeof card->input, out);
}

const char *kldve_card_layout(const kldve_card *card)
{
    return card ? card->layout : NULL;
}

const char *kldve_card_picture_input(const kldve_card *card)
{
    return card ? card->picture_input : NULL;
}

int32_t kldve_card_frames(const kldve_card *card)
{
    return card ? card->frames : 0;
}

kldve_status kldve_card_dims(const kldve_card *card, const kldve_onnx_dim **dims, int32_t *count)
{
    if (!card || !dims || !count)
        return KLDVE_E_ARG;
    *dims = card->dims.dim;
    *count = card->dims.count;
    return KLDVE_OK;
}

kldve_status kldve_card_value_at(const kldve_card *card, int32_t index, kldve_card_value *out)
{
    if (!card)
        return KLDVE_E_ARG;
    if (index < 0 || index >= card->inputs.count)
        return KLDVE_E_NOT_FOUND;
    return kldve_struct_store(NULL, "kldve_card_value", &card->inputs.value[index],
                              sizeof card->inputs.value[index], out);
}

kldve_status kldve_card_grid(const kldve_card *card, int32_t *height, int32_t *width)
{
    if (!card || !height || !width)
        return KLDVE_E_ARG;
    *height = card->grid_height;
    *width = card->grid_width;
    return KLDVE_OK;
}

kldve_status kldve_card_size(const kldve_card *card, int32_t *height, int32_t *width)
{
    if (!card || !height || !width)
        return KLDVE_E_ARG;
    *height = card->height;
    *width = card->width;
    return KLDVE_OK;
}
