/* card_fields.c - all keys of a card.  See card_parts.h. */
#include "card_parts.h"

#include <string.h>

/* The cells of a layer of tokens. */
static kldve_status read_grid(const kx_card_reader *r, json_object *root, kldve_card *card)
{
    json_object *grid = kx_card_get(root, "grid");
    int32_t side[2] = {0, 0};
    kldve_status status = KLDVE_OK;

    if (!grid)
        return KLDVE_OK;
    if (!json_object_is_type(grid, json_type_array) || json_object_array_length(grid) != 2)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sgrid: must be [height, width]", r->where);
    for (size_t i = 0; i < 2 && status == KLDVE_OK; i++)
        status = kx_card_to_size(r, "grid", json_object_array_get_idx(grid, i), &side[i]);
    if (status != KLDVE_OK)
        return status;
    card->grid_height = side[0];
    card->grid_width = side[1];
    return KLDVE_OK;
}

/* The kind of scores; *out stays 0 where the card does not say. */
static kldve_status read_scores(const kx_card_reader *r, json_object *root, int32_t *out)
{
    static const char *const names[] = {"softmax", "sigmoid", "raw", "number"};
    const char *name;
    kldve_status status = kx_card_get_string(r, root, "scores", &name);

    if (status != KLDVE_OK || !name)
        return status;
    for (int32_t i = 0; i <= KLDVE_SCORES_NUMBER; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = 1 + i;
            return KLDVE_OK;
        }
    return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                           "%sscores: '%.40s' is not softmax, sigmoid, raw or number", r->where,
                           name);
}

static kldve_status check_scores(const kx_card_reader *r, const char *logits, const char *select)
{
    if (!logits || !select)
        return KLDVE_OK;
    return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                           "%sselect: names its tensor itself, logits must not be there as well",
                           r->where);
}

/* detector.format and detector.normalised. */
static kldve_status read_boxes(const kx_card_reader *r, json_object *detector, kldve_card *card)
{
    static const char *const names[] = {"xyxy", "xywh", "cxcywh", "yxyx"}; /* from CORNERS on */
    json_object *parts = kx_card_get(detector, "detector.normalised");
    const char *format;
    kldve_status status = kx_card_get_string(r, detector, "detector.format", &format);

    if (status != KLDVE_OK)
        return status;
    for (int32_t i = 0; format && i < 4; i++)
        if (strcmp(format, names[i]) == 0)
            card->box_format = KLDVE_ONNX_BOXES_CORNERS + i;
    if (format && card->box_format == KLDVE_ONNX_BOXES_AUTO)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sdetector.format: '%.40s' is not xyxy, xywh, cxcywh or yxyx",
                               r->where, format);
    if (parts && !json_object_is_type(parts, json_type_boolean))
        return kx_card_wrong_type(r, "detector.normalised", "true or false", parts);
    if (parts)
        card->box_units = json_object_get_boolean(parts) ? KLDVE_ONNX_BOX_UNITS_PARTS
                                                         : KLDVE_ONNX_BOX_UNITS_PIXELS;
    return KLDVE_OK;
}

/* *select becomes the scores of the detector, where there is one. */
static kldve_status read_detector(const kx_card_reader *r, json_object *root, kldve_card *card,
                                  const char **select)
{
    const char *scores, *boxes, *objects;
    json_object *detector = NULL;
    kldve_status status = kx_card_get_object(r, root, "detector", &detector);

    if (status != KLDVE_OK || !detector)
        return status;
    if (*select)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sselect: detector.scores says the same, one of them must go",
                               r->where);
    if ((status = kx_card_get_string(r, detector, "detector.scores", &scores)) != KLDVE_OK ||
        (status = kx_card_get_string(r, detector, "detector.boxes", &boxes)) != KLDVE_OK ||
        (status = kx_card_get_string(r, detector, "detector.objects", &objects)) != KLDVE_OK)
        return status;
    if (!scores || !boxes)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sdetector.%s: is missing", r->where,
                               scores ? "boxes" : "scores");
    *select = scores;
    if ((status = kx_card_keep(r, NULL, boxes, &card->boxes)) != KLDVE_OK ||
        (status = kx_card_keep(r, NULL, objects, &card->objects)) != KLDVE_OK)
        return status;
    return read_boxes(r, detector, card);
}

kldve_status kx_card_fields(const kx_card_reader *r, json_object *root, const char *folder,
                            kldve_card *card)
{
    const char *name, *layer, *logits, *select, *labels;
    json_object *input = NULL;
    kldve_status status;

    if (!json_object_is_type(root, json_type_object))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sa card must be an object { ... }, not %s",
                               r->where, kx_card_type_name(root));
    if ((status = kx_card_get_object(r, root, "input", &input)) != KLDVE_OK ||
        (status = kx_card_read_input(r, input, card)) != KLDVE_OK ||
        (status = kx_card_read_inputs(r, root, folder, card)) != KLDVE_OK ||
        (status = read_grid(r, root, card)) != KLDVE_OK ||
        (status = read_scores(r, root, &card->scores)) != KLDVE_OK ||
        (status = kx_card_get_string(r, root, "name", &name)) != KLDVE_OK ||
        (status = kx_card_get_string(r, root, "features", &layer)) != KLDVE_OK ||
        (status = kx_card_get_string(r, root, "logits", &logits)) != KLDVE_OK ||
        (status = kx_card_get_string(r, root, "select", &select)) != KLDVE_OK ||
        (status = read_detector(r, root, card, &select)) != KLDVE_OK ||
        (status = check_scores(r, logits, select)) != KLDVE_OK ||
        (status = kx_card_get_string(r, root, "labels", &labels)) != KLDVE_OK ||
        (status = kx_card_keep(r, NULL, name, &card->name)) != KLDVE_OK ||
        (status = kx_card_keep(r, NULL, layer, &card->layer)) != KLDVE_OK ||
        (status = kx_card_keep(r, NULL, logits, &card->logits)) != KLDVE_OK ||
        (status = kx_card_keep(r, NULL, select, &card->select)) != KLDVE_OK ||
        (status = kx_card_labels(r, folder, labels, &card->labels)) != KLDVE_OK)
        return status;
    return KLDVE_OK;
}
