/* card_values.c - a JSON value of a card becomes a number, a string or a list.  See card_parts.h.
 */
#include "card_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *kx_card_type_name(const kx_json *value)
{
    switch (value->kind) {
    case KX_JSON_NULL:
        return "null";
    case KX_JSON_BOOLEAN:
        return "true or false";
    case KX_JSON_NUMBER:
        return "a number";
    case KX_JSON_OBJECT:
        return "an object";
    case KX_JSON_LIST:
        return "a list";
    case KX_JSON_STRING:
        return "a string";
    }
    return "of unknown type";
}

kldve_status kx_card_wrong_type(const kx_card_reader *r, const char *key, const char *wanted,
                                const kx_json *value)
{
    return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: must be %s, not %s", r->where, key,
                           wanted, kx_card_type_name(value));
}

/* The value of a key; NULL if it is missing or null.  `key` is the last part of a dotted name. */
const kx_json *kx_card_get(const kx_json *object, const char *key)
{
    const char *dot = strrchr(key, '.');
    const kx_json *value = kx_json_find(object, dot ? dot + 1 : key);

    return value && value->kind != KX_JSON_NULL ? value : NULL;
}

kldve_status kx_card_get_object(const kx_card_reader *r, const kx_json *object, const char *key,
                                const kx_json **out)
{
    const kx_json *value = kx_card_get(object, key);

    if (value && value->kind != KX_JSON_OBJECT)
        return kx_card_wrong_type(r, key, "an object", value);
    *out = value;
    return KLDVE_OK;
}

/* *out is borrowed from the JSON, NULL if there is none. */
kldve_status kx_card_get_string(const kx_card_reader *r, const kx_json *object, const char *key,
                                const char **out)
{
    const kx_json *value = kx_card_get(object, key);
    const char *text;

    if (!value) {
        *out = NULL;
        return KLDVE_OK;
    }
    if (value->kind != KX_JSON_STRING)
        return kx_card_wrong_type(r, key, "a string", value);
    text = value->text;
    if (*text == '\0' || strlen(text) != value->count)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: is empty or holds a NUL character",
                               r->where, key);
    *out = text;
    return KLDVE_OK;
}

/* A number that is finite as float32. */
kldve_status kx_card_to_float(const kx_card_reader *r, const char *key, const kx_json *value,
                              float *out)
{
    double number;

    if (value->kind != KX_JSON_NUMBER)
        return kx_card_wrong_type(r, key, "a number", value);
    number = value->number;
    if (!(fabs(number) <= 1e30)) /* also NaN */
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: %g is out of range", r->where, key,
                               number);
    *out = (float)number;
    return KLDVE_OK;
}

/* An integer 1..KX_CARD_SIZE; 256.0 is one. */
kldve_status kx_card_to_size(const kx_card_reader *r, const char *key, const kx_json *value,
                             int32_t *out)
{
    double number;

    if (value->kind != KX_JSON_NUMBER)
        return kx_card_wrong_type(r, key, "a number", value);
    number = value->number;
    if (!(number >= 1 && number <= KX_CARD_SIZE) || number != floor(number))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%s%s: %g is not a whole number from 1 to %d", r->where, key, number,
                               (int)KX_CARD_SIZE);
    *out = (int32_t)number;
    return KLDVE_OK;
}

kldve_status kx_card_get_size(const kx_card_reader *r, const kx_json *object, const char *key,
                              int32_t *out)
{
    const kx_json *value = kx_card_get(object, key);

    return value ? kx_card_to_size(r, key, value, out) : KLDVE_OK;
}

/* One number for each channel, or one for all, in a list or bare. */
kldve_status kx_card_get_channels(const kx_card_reader *r, const kx_json *object, const char *key,
                                  int32_t channels, float *out)
{
    const kx_json *value = kx_card_get(object, key);
    size_t n = 1;

    if (!value)
        return KLDVE_OK;
    if (value->kind == KX_JSON_LIST) {
        n = value->count;
        if (n != 1 && n != (size_t)channels)
            return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                                   "%s%s: %zu numbers for %d channels: give one for each", r->where,
                                   key, n, (int)channels);
    }
    if (value->kind == KX_JSON_LIST)
        value = value->first;
    for (int32_t i = 0; i < channels; i++) {
        kldve_status status = kx_card_to_float(r, key, value, &out[i]);

        if (status != KLDVE_OK)
            return status;
        value = n > 1 ? value->next : value;
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
