/* card_values.c - a JSON value of a card becomes a number, a string or a list.  See card_parts.h.
 */
#include "card_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *kx_card_type_name(const json_object *value)
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

kldve_status kx_card_wrong_type(const kx_card_reader *r, const char *key, const char *wanted,
                                const json_object *value)
{
    return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: must be %s, not %s", r->where, key,
                           wanted, kx_card_type_name(value));
}

/* The value of a key; NULL if it is missing or null.  `key` is the last part of a dotted name. */
json_object *kx_card_get(json_object *object, const char *key)
{
    const char *dot = strrchr(key, '.');
    json_object *value = NULL;

    if (object)
        json_object_object_get_ex(object, dot ? dot + 1 : key, &value);
    return value;
}

kldve_status kx_card_get_object(const kx_card_reader *r, json_object *object, const char *key,
                                json_object **out)
{
    json_object *value = kx_card_get(object, key);

    if (value && !json_object_is_type(value, json_type_object))
        return kx_card_wrong_type(r, key, "an object", value);
    *out = value;
    return KLDVE_OK;
}

/* *out is borrowed from the JSON, NULL if there is none. */
kldve_status kx_card_get_string(const kx_card_reader *r, json_object *object, const char *key,
                                const char **out)
{
    json_object *value = kx_card_get(object, key);
    const char *text;

    if (!value) {
        *out = NULL;
        return KLDVE_OK;
    }
    if (!json_object_is_type(value, json_type_string))
        return kx_card_wrong_type(r, key, "a string", value);
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
kldve_status kx_card_to_float(const kx_card_reader *r, const char *key, const json_object *value,
                              float *out)
{
    double number;

    if (!is_number(value))
        return kx_card_wrong_type(r, key, "a number", value);
    number = json_object_get_double(value);
    if (!(fabs(number) <= 1e30)) /* also NaN */
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: %g is out of range", r->where, key,
                               number);
    *out = (float)number;
    return KLDVE_OK;
}

/* An integer 1..KX_CARD_SIZE; 256.0 is one. */
kldve_status kx_card_to_size(const kx_card_reader *r, const char *key, const json_object *value,
                             int32_t *out)
{
    double number;

    if (!is_number(value))
        return kx_card_wrong_type(r, key, "a number", value);
    number = json_object_get_double(value);
    if (!(number >= 1 && number <= KX_CARD_SIZE) || number != floor(number))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%s%s: %g is not a whole number from 1 to %d", r->where, key, number,
                               (int)KX_CARD_SIZE);
    *out = (int32_t)number;
    return KLDVE_OK;
}

kldve_status kx_card_get_size(const kx_card_reader *r, json_object *object, const char *key,
                              int32_t *out)
{
    json_object *value = kx_card_get(object, key);

    return value ? kx_card_to_size(r, key, value, out) : KLDVE_OK;
}

/* One number for each channel, or one for all, in a list or bare. */
kldve_status kx_card_get_channels(const kx_card_reader *r, json_object *object, const char *key,
                                  int32_t channels, float *out)
{
    json_object *value = kx_card_get(object, key);
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
        status = kx_card_to_float(r, key, item, &out[i]);
        if (status != KLDVE_OK)
            return status;
    }
    return KLDVE_OK;
}

/* "FOLDER/TEXT", or TEXT if there is no folder or TEXT is absolute; a NULL text stays NULL. */
kldve_status kx_card_keep(const kx_card_reader *r, const char *folder, const char *text, char **out)
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
