/* card.c - model cards: the preprocessing, the tensors and the labels that belong to a network.
 *
 * A card comes from outside: every known key is checked, and messages name it; unknown keys are
 * ignored so that cards may hold more.  json-c takes its own memory from malloc(); what remains in
 * the card comes from the context. */
#include <kldve/onnx.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CARD_LIMIT = 1 << 20, /* bytes of a card */
    DEPTH_LIMIT = 32,     /* of nested arrays and objects */
    SIZE_LIMIT = 65535,   /* pixels along one side, as pictures */
    WHERE_SIZE = 320,
    REASON_SIZE = 128
};

struct kldve_card {
    kldve_ctx *ctx;
    char *layer, *logits, *select, *labels;
    char *boxes, *objects;           /* of a detector */
    int32_t box_format, box_units;   /* kldve_onnx_boxes, kldve_onnx_box_units */
    int32_t grid_height, grid_width; /* cells of a layer of tokens; 0: not said */
    int32_t scores;                  /* 0, or 1 + a kldve_scores */
    kldve_input_spec input;
    int32_t height, width; /* 0: not given */
};

/* What messages refer to: a file and a key of its JSON. */
typedef struct reader {
    kldve_ctx *ctx;
    const char *where; /* "PATH: ", or "" */
} reader;

/* ---- values ------------------------------------------------------------------------------- */

static const char *type_name(const json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return "null";
    case json_type_boolean:
        return "true or false";
    case json_type_double:
    case json_type_int:
        return "a number";
    case json_type_object:
        return "an object";
    case json_type_array:
        return "a list";
    case json_type_string:
        return "a string";
    }
    return "of unknown type";
}

static kldve_status wrong_type(const reader *r, const char *key, const char *wanted,
                               const json_object *value)
{
    return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: must be %s, not %s", r->where, key,
                           wanted, type_name(value));
}

/* The value of a key; NULL if it is missing or null.  `key` is the last part of a dotted name. */
static json_object *get(json_object *object, const char *key)
{
    const char *dot = strrchr(key, '.');
    json_object *value = NULL;

    if (object)
        json_object_object_get_ex(object, dot ? dot + 1 : key, &value);
    return value;
}

static kldve_status get_object(const reader *r, json_object *object, const char *key,
                               json_object **out)
{
    json_object *value = get(object, key);

    if (value && !json_object_is_type(value, json_type_object))
        return wrong_type(r, key, "an object", value);
    *out = value;
    return KLDVE_OK;
}

/* *out is borrowed from the JSON, NULL if there is none. */
static kldve_status get_string(const reader *r, json_object *object, const char *key,
                               const char **out)
{
    json_object *value = get(object, key);
    const char *text;

    if (!value) {
        *out = NULL;
        return KLDVE_OK;
    }
    if (!json_object_is_type(value, json_type_string))
        return wrong_type(r, key, "a string", value);
    text = json_object_get_string(value);
    if (*text == '\0' || strlen(text) != (size_t)json_object_get_string_len(value))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: is empty or holds a NUL character",
                               r->where, key);
    *out = text;
    return KLDVE_OK;
}

static bool is_number(const json_object *value)
{
    return json_object_is_type(value, json_type_double) ||
           json_object_is_type(value, json_type_int);
}

/* A number that is finite as float32. */
static kldve_status to_float(const reader *r, const char *key, const json_object *value, float *out)
{
    double number;

    if (!is_number(value))
        return wrong_type(r, key, "a number", value);
    number = json_object_get_double(value);
    if (!(fabs(number) <= 1e30)) /* also NaN */
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: %g is out of range", r->where, key,
                               number);
    *out = (float)number;
    return KLDVE_OK;
}

/* An integer 1..SIZE_LIMIT; 256.0 is one. */
static kldve_status to_size(const reader *r, const char *key, const json_object *value,
                            int32_t *out)
{
    double number;

    if (!is_number(value))
        return wrong_type(r, key, "a number", value);
    number = json_object_get_double(value);
    if (!(number >= 1 && number <= SIZE_LIMIT) || number != floor(number))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%s%s: %g is not a whole number from 1 to %d", r->where, key, number,
                               (int)SIZE_LIMIT);
    *out = (int32_t)number;
    return KLDVE_OK;
}

static kldve_status get_size(const reader *r, json_object *object, const char *key, int32_t *out)
{
    json_object *value = get(object, key);

    return value ? to_size(r, key, value, out) : KLDVE_OK;
}

/* One number for each channel, or one for all, in a list or bare. */
static kldve_status get_channels(const reader *r, json_object *object, const char *key,
                                 int32_t channels, float out[3])
{
    json_object *value = get(object, key);
    size_t n = 1;

    if (!value)
        return KLDVE_OK;
    if (json_object_is_type(value, json_type_array)) {
        n = json_object_array_length(value);
        if (n != 1 && n != (size_t)channels)
            return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                                   "%s%s: %zu numbers for %d channels: give one for each", r->where,
                                   key, n, (int)channels);
    }
    for (int32_t i = 0; i < channels; i++) {
        json_object *item = value;
        kldve_status status;

        if (json_object_is_type(value, json_type_array))
            item = json_object_array_get_idx(value, n == 1 ? 0 : (size_t)i);
        status = to_float(r, key, item, &out[i]);
        if (status != KLDVE_OK)
            return status;
    }
    return KLDVE_OK;
}

/* ---- the card ----------------------------------------------------------------------------- */

/* input.shape is [batch, channels, height, width]; *channels is 0 if the card does not say. */
static kldve_status read_shape(const reader *r, json_object *input, kldve_card *card,
                               int32_t *channels)
{
    json_object *shape = get(input, "input.shape");
    int32_t dim[4];

    *channels = 0;
    if (!shape)
        return KLDVE_OK;
    if (!json_object_is_type(shape, json_type_array))
        return wrong_type(r, "input.shape", "a list", shape);
    if (json_object_array_length(shape) != 4)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.shape: must be [batch, channels, height, width]", r->where);
    for (size_t i = 0; i < 4; i++) {
        kldve_status status =
            to_size(r, "input.shape", json_object_array_get_idx(shape, i), &dim[i]);

        if (status != KLDVE_OK)
            return status;
    }
    *channels = dim[1];
    card->height = dim[2];
    card->width = dim[3];
    return KLDVE_OK;
}

/* `shape_channels` is what input.shape says, 0 for nothing. */
static kldve_status read_channels(const reader *r, json_object *input, int32_t shape_channels,
                                  int32_t *out)
{
    static const char *const names[] = {"RGB", "BGR", "GRAY"};
    const char *name;
    kldve_status status = get_string(r, input, "input.channels", &name);
    int32_t found = -1;

    if (status != KLDVE_OK)
        return status;
    if (!name)
        name = shape_channels == 1 ? "GRAY" : "RGB";
    for (int32_t i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            found = i;
    if (found < 0)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.channels: '%.40s' is not RGB, BGR or GRAY", r->where, name);
    if (shape_channels != 0 && shape_channels != (found == KLDVE_CHANNELS_GRAY ? 1 : 3))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.channels: %s does not fit the %d channels of input.shape",
                               r->where, name, (int)shape_channels);
    *out = found;
    return KLDVE_OK;
}

static kldve_status check_input(const reader *r, const kldve_input_spec *spec, int32_t channels)
{
    if (!(spec->scale > 0))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sinput.scale: must be above 0", r->where);
    for (int32_t i = 0; i < channels; i++)
        if (!(spec->std[i] > 0))
            return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sinput.std: must be above 0",
                                   r->where);
    if (spec->resize_shorter_side != 0 && spec->center_crop > spec->resize_shorter_side)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinput.center_crop: %d is more than resize_shorter_side, %d",
                               r->where, (int)spec->center_crop, (int)spec->resize_shorter_side);
    return KLDVE_OK;
}

static kldve_status read_input(const reader *r, json_object *input, kldve_card *card)
{
    kldve_input_spec *spec = &card->input;
    json_object *scale = get(input, "input.scale");
    int32_t channels;
    kldve_status status;

    spec->struct_size = sizeof *spec;
    spec->scale = spec->std[0] = spec->std[1] = spec->std[2] = 1;
    if ((status = read_shape(r, input, card, &channels)) != KLDVE_OK ||
        (status = read_channels(r, input, channels, &spec->channels)) != KLDVE_OK)
        return status;
    channels = spec->channels == KLDVE_CHANNELS_GRAY ? 1 : 3;
    if (scale && (status = to_float(r, "input.scale", scale, &spec->scale)) != KLDVE_OK)
        return status;
    if ((status = get_channels(r, input, "input.mean", channels, spec->mean)) != KLDVE_OK ||
        (status = get_channels(r, input, "input.std", channels, spec->std)) != KLDVE_OK ||
        (status = get_size(r, input, "input.resize_shorter_side", &spec->resize_shorter_side)) !=
            KLDVE_OK ||
        (status = get_size(r, input, "input.center_crop", &spec->center_crop)) != KLDVE_OK)
        return status;
    return check_input(r, spec, channels);
}

/* The cells of a layer of tokens. */
static kldve_status read_grid(const reader *r, json_object *root, kldve_card *card)
{
    json_object *grid = get(root, "grid");
    int32_t side[2] = {0, 0};
    kldve_status status = KLDVE_OK;

    if (!grid)
        return KLDVE_OK;
    if (!json_object_is_type(grid, json_type_array) || json_object_array_length(grid) != 2)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sgrid: must be [height, width]", r->where);
    for (size_t i = 0; i < 2 && status == KLDVE_OK; i++)
        status = to_size(r, "grid", json_object_array_get_idx(grid, i), &side[i]);
    if (status != KLDVE_OK)
        return status;
    card->grid_height = side[0];
    card->grid_width = side[1];
    return KLDVE_OK;
}

/* The kind of scores; *out stays 0 where the card does not say. */
static kldve_status read_scores(const reader *r, json_object *root, int32_t *out)
{
    static const char *const names[] = {"softmax", "sigmoid", "raw", "number"};
    const char *name;
    kldve_status status = get_string(r, root, "scores", &name);

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

/* "FOLDER/TEXT", or TEXT if there is no folder or TEXT is absolute; a NULL text stays NULL. */
static kldve_status keep(const reader *r, const char *folder, const char *text, char **out)
{
    size_t before, n;

    if (!text)
        return KLDVE_OK;
    before = folder && *folder && *text != '/' ? strlen(folder) + 1 : 0;
    n = strlen(text) + 1;
    *out = kldve_ctx_alloc(r->ctx, before + n, 1);
    if (!*out)
        return kldve_ctx_failf(r->ctx, KLDVE_E_NOMEM, "%sout of memory", r->where);
    if (before > 0)
        snprintf(*out, before + n, "%s/", folder);
    memcpy(*out + before, text, n);
    return KLDVE_OK;
}

static kldve_status check_scores(const reader *r, const char *logits, const char *select)
{
    if (!logits || !select)
        return KLDVE_OK;
    return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                           "%sselect: names its tensor itself, logits must not be there as well",
                           r->where);
}

/* detector.format and detector.normalised. */
static kldve_status read_boxes(const reader *r, json_object *detector, kldve_card *card)
{
    static const char *const names[] = {"xyxy", "xywh", "cxcywh", "yxyx"}; /* from CORNERS on */
    json_object *parts = get(detector, "detector.normalised");
    const char *format;
    kldve_status status = get_string(r, detector, "detector.format", &format);

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
        return wrong_type(r, "detector.normalised", "true or false", parts);
    if (parts)
        card->box_units =
            json_object_get_boolean(parts) ? KLDVE_ONNX_UNITS_PARTS : KLDVE_ONNX_UNITS_PIXELS;
    return KLDVE_OK;
}

/* *select becomes the scores of the detector, where there is one. */
static kldve_status read_detector(const reader *r, json_object *root, kldve_card *card,
                                  const char **select)
{
    const char *scores, *boxes, *objects;
    json_object *detector = NULL;
    kldve_status status = get_object(r, root, "detector", &detector);

    if (status != KLDVE_OK || !detector)
        return status;
    if (*select)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sselect: detector.scores says the same, one of them must go",
                               r->where);
    if ((status = get_string(r, detector, "detector.scores", &scores)) != KLDVE_OK ||
        (status = get_string(r, detector, "detector.boxes", &boxes)) != KLDVE_OK ||
        (status = get_string(r, detector, "detector.objects", &objects)) != KLDVE_OK)
        return status;
    if (!scores || !boxes)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sdetector.%s: is missing", r->where,
                               scores ? "boxes" : "scores");
    *select = scores;
    if ((status = keep(r, NULL, boxes, &card->boxes)) != KLDVE_OK ||
        (status = keep(r, NULL, objects, &card->objects)) != KLDVE_OK)
        return status;
    return read_boxes(r, detector, card);
}

static kldve_status read_card(const reader *r, json_object *root, const char *folder,
                              kldve_card *card)
{
    const char *layer, *logits, *select, *labels;
    json_object *input = NULL;
    kldve_status status;

    if (!json_object_is_type(root, json_type_object))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%sa card must be an object { ... }, not %s",
                               r->where, type_name(root));
    if ((status = get_object(r, root, "input", &input)) != KLDVE_OK ||
        (status = read_input(r, input, card)) != KLDVE_OK ||
        (status = read_grid(r, root, card)) != KLDVE_OK ||
        (status = read_scores(r, root, &card->scores)) != KLDVE_OK ||
        (status = get_string(r, root, "features", &layer)) != KLDVE_OK ||
        (status = get_string(r, root, "logits", &logits)) != KLDVE_OK ||
        (status = get_string(r, root, "select", &select)) != KLDVE_OK ||
        (status = read_detector(r, root, card, &select)) != KLDVE_OK ||
        (status = check_scores(r, logits, select)) != KLDVE_OK ||
        (status = get_string(r, root, "labels", &labels)) != KLDVE_OK ||
        (status = keep(r, NULL, layer, &card->layer)) != KLDVE_OK ||
        (status = keep(r, NULL, logits, &card->logits)) != KLDVE_OK ||
        (status = keep(r, NULL, select, &card->select)) != KLDVE_OK ||
        (status = keep(r, folder, labels, &card->labels)) != KLDVE_OK)
        return status;
    return KLDVE_OK;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static int line_of(const char *text, size_t at)
{
    int line = 1;

    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Bytes -> tree.  Strict: only blanks may follow the object. */
static kldve_status read_json(const reader *r, const char *text, size_t nbytes, json_object **out)
{
    json_tokener *tokener = json_tokener_new_ex(DEPTH_LIMIT);
    enum json_tokener_error error;
    kldve_status status = KLDVE_OK;
    size_t end;

    if (!tokener)
        return kldve_ctx_failf(r->ctx, KLDVE_E_NOMEM, "%sout of memory", r->where);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *out = json_tokener_parse_ex(tokener, text, (int)nbytes);
    error = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue) { /* "null" may continue until a blank ends it */
        *out = json_tokener_parse_ex(tokener, "\n", 1);
        error = json_tokener_get_error(tokener);
        end = nbytes;
    }
    while (error == json_tokener_success && end < nbytes && is_blank(text[end]))
        end++;
    if (error == json_tokener_continue)
        status = kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%snot valid JSON: it ends too early",
                                 r->where);
    else if (error != json_tokener_success || end < nbytes)
        status = kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%snot valid JSON: line %d: %s", r->where,
                                 line_of(text, end),
                                 error != json_tokener_success ? json_tokener_error_desc(error)
                                                               : "more text follows the object");
    if (status != KLDVE_OK) {
        json_object_put(*out);
        *out = NULL;
    }
    json_tokener_free(tokener);
    return status;
}

static kldve_status parse(kldve_ctx *ctx, const char *where, const char *text, size_t nbytes,
                          const char *folder, kldve_card **out)
{
    reader r = {ctx, where};
    json_object *root = NULL;
    kldve_card *card = NULL;
    kldve_status status;

    if (nbytes > CARD_LIMIT)
        return kldve_ctx_failf(ctx, KLDVE_E_LIMIT, "%smore than %d bytes: not a model card", where,
                               (int)CARD_LIMIT);
    if (nbytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        nbytes -= 3;
    }
    status = read_json(&r, text, nbytes, &root);
    if (status != KLDVE_OK)
        return status;
    card = kldve_ctx_alloc(ctx, 1, sizeof *card);
    if (!card) {
        status = kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%sout of memory", where);
        goto fail;
    }
    memset(card, 0, sizeof *card);
    card->ctx = ctx;
    status = read_card(&r, root, folder, card);
    if (status != KLDVE_OK)
        goto fail;
    json_object_put(root);
    *out = card;
    return KLDVE_OK;
fail:
    json_object_put(root);
    kldve_card_free(card);
    return status;
}

/* ---- files -------------------------------------------------------------------------------- */

/* Read at most CARD_LIMIT + 1 bytes, to notice a larger file; returns how many, or -1 with errno.
 */
static ssize_t read_bytes(int fd, char *bytes)
{
    size_t used = 0;

    while (used <= CARD_LIMIT) {
        ssize_t n = read(fd, bytes + used, CARD_LIMIT + 1 - used);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        used += (size_t)n;
    }
    return (ssize_t)used;
}

static kldve_status read_file(kldve_ctx *ctx, const char *path, char *bytes, size_t *nbytes)
{
    char reason[REASON_SIZE];
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int error;

    if (fd >= 0)
        n = read_bytes(fd, bytes);
    error = errno;
    if (fd >= 0)
        close(fd);
    if (n < 0) {
        if (strerror_r(error, reason, sizeof reason) != 0)
            snprintf(reason, sizeof reason, "system error %d", error);
        return kldve_ctx_failf(ctx, KLDVE_E_IO, "%s: cannot read the model card: %s", path, reason);
    }
    *nbytes = (size_t)n;
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
    char where[WHERE_SIZE], *bytes, *folder;
    size_t nbytes = 0;
    kldve_status status;

    if (!ctx || !path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "model card: an argument is NULL");
    snprintf(where, sizeof where, "%s: ", path);
    bytes = kldve_ctx_alloc(ctx, CARD_LIMIT + 1, 1);
    folder = folder_of(ctx, path);
    if (!bytes || !folder)
        status = kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%sout of memory", where);
    else
        status = read_file(ctx, path, bytes, &nbytes);
    if (status == KLDVE_OK)
        status = parse(ctx, where, bytes, nbytes, folder, out);
    kldve_ctx_release(ctx, folder);
    kldve_ctx_release(ctx, bytes);
    return status;
}

kldve_status kldve_card_beside(kldve_ctx *ctx, const char *model_path, kldve_card **out)
{
    static const char model_ending[] = ".onnx", ending[] = ".card.json";
    kldve_status status = KLDVE_OK;
    char *path;
    size_t n;

    if (!ctx || !model_path || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "model card: an argument is NULL");
    n = strlen(model_path);
    if (n > strlen(model_ending) &&
        strcmp(model_path + n - strlen(model_ending), model_ending) == 0)
        n -= strlen(model_ending);
    path = kldve_ctx_alloc(ctx, n + sizeof ending, 1);
    if (!path)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "%s: out of memory", model_path);
    memcpy(path, model_path, n);
    memcpy(path + n, ending, sizeof ending);
    if (access(path, F_OK) == 0)
        status = kldve_card_load(ctx, path, out);
    else
        *out = NULL;
    kldve_ctx_release(ctx, path);
    return status;
}

kldve_status kldve_card_parse(kldve_ctx *ctx, const char *text, size_t nbytes, const char *folder,
                              kldve_card **out)
{
    if (!ctx || !text || !out)
        return kldve_ctx_fail(ctx, KLDVE_E_ARG, "model card: an argument is NULL");
    return parse(ctx, "", text, nbytes, folder, out);
}

void kldve_card_free(kldve_card *card)
{
    if (!card)
        return;
    kldve_ctx_release(card->ctx, card->layer);
    kldve_ctx_release(card->ctx, card->logits);
    kldve_ctx_release(card->ctx, card->select);
    kldve_ctx_release(card->ctx, card->boxes);
    kldve_ctx_release(card->ctx, card->objects);
    kldve_ctx_release(card->ctx, card->labels);
    kldve_ctx_release(card->ctx, card);
}

const char *kldve_card_layer(const kldve_card *card)
{
    return card->layer;
}

const char *kldve_card_logits(const kldve_card *card)
{
    return card->logits;
}

int32_t kldve_card_scores(const kldve_card *card)
{
    return card->scores;
}

const char *kldve_card_select(const kldve_card *card)
{
    return card->select;
}

const char *kldve_card_boxes(const kldve_card *card)
{
    return card->boxes;
}

const char *kldve_card_objects(const kldve_card *card)
{
    return card->objects;
}

int32_t kldve_card_box_format(const kldve_card *card)
{
    return card->box_format;
}

int32_t kldve_card_box_units(const kldve_card *card)
{
    return card->box_units;
}

const char *kldve_card_labels(const kldve_card *card)
{
    return card->labels;
}

kldve_status kldve_card_input(const kldve_card *card, kldve_input_spec *out)
{
    if (!card)
        return KLDVE_E_ARG;
    return kldve_struct_store(card->ctx, "kldve_input_spec", &card->input, sizeof card->input, out);
}

void kldve_card_grid(const kldve_card *card, int32_t *height, int32_t *width)
{
    *height = card->grid_height;
    *width = card->grid_width;
}

void kldve_card_size(const kldve_card *card, int32_t *height, int32_t *width)
{
    *height = card->height;
    *width = card->width;
}
