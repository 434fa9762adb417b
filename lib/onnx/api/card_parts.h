/* card_parts.h - model cards: what their files share.
 *
 *     card_json.c      text -> JSON
 *     card_values.c    a JSON value -> a number, a string, a list
 *     card_input.c     how pictures become the input
 *     card_inputs.c    which input is the picture, and the others
 *     card_labels.c    the file of labels
 *     card_fields.c    all keys of a card
 *     card.c           files, and the public side */
#ifndef KLDVE_ONNX_API_CARD_PARTS_H
#define KLDVE_ONNX_API_CARD_PARTS_H

#include <json-c/json.h>
#include <kldve/onnx.h>

enum {
    KX_CARD_SIZE = 65535, /**< pixels along one side, as pictures */
    KX_CARD_MOST = 64     /**< inputs, and dimensions */
};

/** Dimensions, or values of inputs. */
typedef struct kx_card_dims {
    int32_t count;
    kldve_onnx_dim *dim; /**< [count], NULL where there is none; names are the card's */
} kx_card_dims;

typedef struct kx_card_values {
    int32_t count;
    kldve_card_value *value; /**< [count], NULL where there is none; all arrays are the card's */
} kx_card_values;

struct kldve_card {
    kldve_ctx *ctx;
    char *name, *layer, *logits, *select, *labels;
    char *boxes, *objects;           /* of a detector */
    int32_t box_format, box_units;   /* kldve_onnx_boxes, kldve_onnx_box_units */
    int32_t grid_height, grid_width; /* cells of a layer of tokens; 0: not said */
    int32_t scores;                  /* 0, or 1 + a kldve_scores */
    kldve_input_spec input;
    int32_t frames, height, width; /* 0: not given */
    char *layout, *picture_input;
    kx_card_dims dims;
    kx_card_values inputs;
};

/** What messages refer to: a file and a key of its JSON. */
typedef struct kx_card_reader {
    kldve_ctx *ctx;
    const char *where; /**< "PATH: ", or "" */
} kx_card_reader;

/* Values.  `key` is a dotted name of which the last part is that in `object`; *out stays as it is
 * where the key is missing or null.  KLDVE_E_FORMAT with a message that names the key. */

/** The value of a key; NULL if it is missing or null. */
json_object *kx_card_get(json_object *object, const char *key);
const char *kx_card_type_name(const json_object *value);
kldve_status kx_card_wrong_type(const kx_card_reader *r, const char *key, const char *wanted,
                                const json_object *value);
kldve_status kx_card_get_object(const kx_card_reader *r, json_object *object, const char *key,
                                json_object **out);
/** *out is borrowed from the JSON, NULL if there is none. */
kldve_status kx_card_get_string(const kx_card_reader *r, json_object *object, const char *key,
                                const char **out);
/** A number that is finite as float32. */
kldve_status kx_card_to_float(const kx_card_reader *r, const char *key, const json_object *value,
                              float *out);
/** An integer 1..KX_CARD_SIZE; 256.0 is one. */
kldve_status kx_card_to_size(const kx_card_reader *r, const char *key, const json_object *value,
                             int32_t *out);
kldve_status kx_card_get_size(const kx_card_reader *r, json_object *object, const char *key,
                              int32_t *out);
/** One number for each channel, or one for all, in a list or bare. */
kldve_status kx_card_get_channels(const kx_card_reader *r, json_object *object, const char *key,
                                  int32_t channels, float *out);
/** "FOLDER/TEXT", or TEXT if there is no folder or TEXT is absolute; a NULL text stays NULL. */
kldve_status kx_card_keep(const kx_card_reader *r, const char *folder, const char *text,
                          char **out);

/** The path of the labels, from the working folder; they lie in the folder of the card or
 *  in one beside it.  NULL stays NULL. */
kldve_status kx_card_labels(const kx_card_reader *r, const char *folder, const char *labels,
                            char **out);

/** Text -> JSON.  Strict: only blanks may follow the object. */
kldve_status kx_card_json(const kx_card_reader *r, const char *text, size_t nbytes,
                          json_object **out);
/** All of the key "input". */
kldve_status kx_card_read_input(const kx_card_reader *r, json_object *input, kldve_card *card);
/** The keys "inputs", "dims", "layout" and "picture_input". */
kldve_status kx_card_read_inputs(const kx_card_reader *r, json_object *root, const char *folder,
                                 kldve_card *card);
void kx_card_free_inputs(kldve_card *card);
/** JSON -> card; `folder` is where its paths start. */
kldve_status kx_card_fields(const kx_card_reader *r, json_object *root, const char *folder,
                            kldve_card *card);

#endif
