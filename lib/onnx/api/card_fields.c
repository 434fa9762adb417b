/* card_fields.c - all keys of a card.  See card_parts.h. */
#include "card_parts.h"

#include <string.h>

/* The cells of a layer of tokens. */
static kldve_status read_grid(const kx_card_reader *r, const kx_json *root, kldve_card *card)
{
    const kx_json *grid = kx_card_get(root, "grid");
    int32_t side[2] = {0, 0};
    kldve_status status = KLDVE_OK;

    if (!grid)
        return KLDVE_OK;
    if (grid->kind != KX_JSON_LIST || grid->count != 2)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sgrid: must be [height, width]", r->where);
    status = kx_card_to_size(r, "grid", grid->first, &side[0]);
    if (status == KLDVE_OK)
        status = kx_card_to_size(r, "grid", grid->first->next, &side[1]);
    if (status != KLDVE_OK)
        return status;
    card->grid_height = side[0];
    card->grid_width = side[1];
    return KLDVE_OK;
}

/* The kind of scores; *out stays 0 where the card does not say. */
static kldve_status read_scores(const kx_card_reader *r, const kx_json *root, int32_t *out)
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
static kldve_status read_boxes(const kx_card_reader *r, const kx_json *detector, kldve_card *card)
{
    static const char *const names[] = {"xyxy", "xywh", "cxcywh", "yxyx"}; /* from CORNERS on */
    const kx_json *parts = kx_card_get(detector, "detector.normalised");
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
    if (parts && parts->kind != KX_JSON_BOOLEAN)
        return kx_card_wrong_type(r, "detector.normalised", "true or false", parts);
    if (parts)
        card->box_units =
            parts->number != 0 ? KLDVE_ONNX_BOX_UNITS_PARTS : KLDVE_ONNX_BOX_UNITS_PIXELS;
    return KLDVE_OK;
}

/* *select becomes the scores of the detector, where there is one. */
static kldve_status read_detector(const kx_card_reader *r, const kx_json *root, kldve_card *card,
                                  const char **select)
{
    const char *scores, *boxes, *objects;
    const kx_json *detector = NULL;
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

kldve_status kx_card_fields(const kx_card_reader *r, const kx_json *root, const char *folder,
                            kldve_card *card)
{
    const char *name, *layer, *logits, *select, *labels;
    const kx_json *input = NULL;
    kldve_status status;

    if (root->kind != KX_JSON_OBJECT)
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
