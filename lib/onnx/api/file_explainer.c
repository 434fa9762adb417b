/* file_explainer.c - the shortest way from a path to an explainer, which then owns the network. */
#include "load.h"

#include <assert.h>

#include "card_parts.h"

enum { MOST_VALUES = KX_CARD_MOST };

/* Where the scores are.  What the card selects says itself what each explanation picks. */
static void merge_scores(kldve_onnx_options *options, const kldve_card *card)
{
    const uint64_t picks = KLDVE_ONNX_FLAG_PICK_PLACE | KLDVE_ONNX_FLAG_PICK_ROW;

    if (options->logits || options->select)
        return;
    options->logits = kldve_card_logits(card);
    options->select = kldve_card_select(card);
    options->boxes = kldve_card_boxes(card);
    options->objects = kldve_card_objects(card);
    options->box_format = kldve_card_box_format(card);
    options->box_units = kldve_card_box_units(card);
    if (options->select)
        options->flags &= ~picks;
}

/* Values of inputs, where the caller gives none.  Files are for programs to read. */
static kldve_status merge_values(kldve_ctx *ctx, kldve_onnx_options *options,
                                 const kldve_card *card, kldve_onnx_input room[MOST_VALUES])
{
    kldve_card_value v = {.struct_size = sizeof v};
    int32_t count = 0;

    if (!card || options->input_count > 0)
        return KLDVE_OK;
    for (; kldve_card_value_at(card, count, &v) == KLDVE_OK; count++) {
        if (v.file)
            return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                                   "card: inputs.%.60s: its value is in '%.120s': read it and set "
                                   "kldve_onnx_options.inputs, or write the numbers into the card",
                                   v.name, v.file);
        assert(count < MOST_VALUES);
        room[count] = (kldve_onnx_input){.struct_size = sizeof room[count],
                                         .name = v.name,
                                         .type = KLDVE_ONNX_TYPE_FLOAT64,
                                         .rank = v.rank,
                                         .dims = v.dims,
                                         .data = v.data};
    }
    options->inputs = room;
    options->input_count = count;
    return KLDVE_OK;
}

/* What the picture's input is, and sizes of open dimensions. */
static void merge_input(kldve_onnx_options *options, const kldve_card *card)
{
    if (!options->layout)
        options->layout = kldve_card_layout(card);
    if (!options->picture_input)
        options->picture_input = kldve_card_picture_input(card);
    if (options->in_frames == 0)
        options->in_frames = kldve_card_frames(card);
    if (options->dim_count == 0)
        kldve_card_dims(card, &options->dims, &options->dim_count);
}

/* What the caller leaves open the card fills. */
static void merge(kldve_onnx_options *options, const kldve_card *card)
{
    int32_t height = 0, width = 0;

    if (kldve_card_size(card, &height, &width) != KLDVE_OK)
        return; /* there is no card */
    if (!options->layer)
        options->layer = kldve_card_layer(card);
    merge_scores(options, card);
    merge_input(options, card);
    if (options->scores == 0)
        options->scores = kldve_card_scores(card);
    if (kldve_card_labels(card))
        options->flags |= KLDVE_ONNX_FLAG_NAMED;
    if (options->in_height == 0)
        options->in_height = height;
    if (options->in_width == 0)
        options->in_width = width;
    if (options->grid_height == 0 && options->grid_width == 0)
        kldve_card_grid(card, &options->grid_height, &options->grid_width);
}

/* What is opened together. */
typedef struct parts {
    kldve_card *card;     /* NULL: none */
    kldve_labels *labels; /* NULL: none */
    kldve_onnx *net;
} parts;

static void free_parts(parts *p)
{
    kldve_onnx_free(p->net); /* NULL once an explainer has it */
    kldve_labels_free(p->labels);
    kldve_card_free(p->card);
}

/* The path in a card starts beside the card, which a card in memory is not. */
static kldve_status read_labels(kldve_ctx *ctx, bool beside, const kldve_onnx_files *files,
                                parts *p)
{
    const char *path = beside && p->card ? kldve_card_labels(p->card) : NULL;

    if (files->labels)
        return kldve_labels_parse(ctx, files->labels, files->labels_nbytes, &p->labels);
    return path ? kldve_labels_load(ctx, path, &p->labels) : KLDVE_OK;
}

/* From `path`, or where it is NULL from memory. */
static kldve_status load(kldve_ctx *ctx, const char *path, const kldve_onnx_files *files,
                         const kldve_onnx_options *given, parts *p)
{
    kldve_onnx_options options = *given;
    kldve_onnx_input values[MOST_VALUES];
    kldve_status status = KLDVE_OK;

    if (path)
        status = kldve_card_beside(ctx, path, &p->card);
    else if (files->card)
        status = kldve_card_parse(ctx, files->card, files->card_nbytes, NULL, &p->card);
    if (status != KLDVE_OK || (status = read_labels(ctx, path != NULL, files, p)) != KLDVE_OK)
        return status;
    merge(&options, p->card);
    if (p->labels)
        options.flags |= KLDVE_ONNX_FLAG_NAMED;
    if ((status = merge_values(ctx, &options, p->card, values)) != KLDVE_OK)
        return status;
    if (path)
        return kldve_onnx_load(ctx, path, &options, &p->net);
    return kldve_onnx_load_memory(ctx, files->model, files->model_nbytes, &options, &p->net);
}

/* Without a card the explainer keeps its default: the pixels as they are. */
static kldve_status set_input(kldve_explainer *explainer, const kldve_card *card)
{
    kldve_input_spec spec = {.struct_size = sizeof spec};
    kldve_status status;

    if (!card)
        return KLDVE_OK;
    status = kldve_card_input(card, &spec);
    return status == KLDVE_OK ? kldve_explainer_set_input(explainer, &spec) : status;
}

/* The network owns card and labels, and the explainer the network. */
static kldve_status open_parts(kldve_ctx *ctx, parts *p, kldve_explainer **out)
{
    kldve_explainer *explainer = NULL;
    kldve_card *card = p->card;
    kldve_status status;

    p->net->card = p->card;
    p->net->labels = p->labels;
    p->card = NULL;
    p->labels = NULL;
    kx_onnx_hand_over(&p->net);
    status = kldve_explainer_new(ctx, kldve_onnx_backend(), p->net, &explainer);
    if (status == KLDVE_OK)
        status = set_input(explainer, card);
    if (status == KLDVE_OK)
        *out = explainer;
    else
        kldve_explainer_free(explainer);
    return status;
}

static kldve_status open_files(kldve_ctx *ctx, const char *path, const kldve_onnx_files *files,
                               const kldve_onnx_options *options, kldve_explainer **out)
{
    kldve_onnx_options o;
    parts p = {NULL, NULL, NULL};
    kldve_status status = kx_options_load(ctx, options, &o);
    double before;

    if (status != KLDVE_OK)
        return status;
    before = kldve_ctx_enter(ctx, "loading", o.deadline_ms);
    if ((status = load(ctx, path, files, &o, &p)) == KLDVE_OK)
        status = open_parts(ctx, &p, out);
    free_parts(&p);
    return kldve_ctx_leave(ctx, before, status);
}

kldve_status kldve_onnx_explainer(kldve_ctx *ctx, const char *path,
                                  const kldve_onnx_options *options, kldve_explainer **out)
{
    kldve_onnx_files files = {.struct_size = sizeof files};

    if (!ctx || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_explainer: an argument is NULL");
    if (!path && kldve_onnx_demo(&files) != KLDVE_OK)
        return kldve_ctx_fail(ctx, KLDVE_E_UNSUPPORTED,
                              "this build has no demonstration network: name a model");
    return open_files(ctx, path, &files, options, out);
}

kldve_status kldve_onnx_explainer_memory(kldve_ctx *ctx, const kldve_onnx_files *files,
                                         const kldve_onnx_options *options, kldve_explainer **out)
{
    kldve_onnx_files f;
    kldve_status status;

    if (!ctx || !files || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_explainer_memory: an argument is NULL");
    if ((status = kldve_struct_load(ctx, "kldve_onnx_files", files, &f, sizeof f)) < 0)
        return status;
    if (!f.model)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "kldve_onnx_files: the model is NULL");
    return open_files(ctx, NULL, &f, options, out);
}
