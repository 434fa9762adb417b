/* record.c - the record of a run as JSON (docs/command.md lists its members). */
#include "explain.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each of these takes the value over; false means out of memory, and the value is gone. */
static bool put(json_object *object, const char *key, json_object *value)
{
    if (value && json_object_object_add(object, key, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

/* NaN and infinity do not exist in JSON: null. */
static bool put_number(json_object *object, const char *key, double value, int digits)
{
    char text[40];

    if (!isfinite(value))
        return json_object_object_add(object, key, NULL) == 0;
    snprintf(text, sizeof text, "%.*g", digits, value);
    return put(object, key, json_object_new_double_s(value, text));
}

/* Milliseconds, to the microsecond. */
static bool put_ms(json_object *object, const char *key, double value)
{
    char text[40];

    snprintf(text, sizeof text, "%.3f", value);
    return put(object, key, json_object_new_double_s(value, text));
}

/* Names of files and labels may be in any encoding, JSON is UTF-8. */
static bool put_text(json_object *object, const char *key, const char *text)
{
    size_t size;
    char *clean;
    bool ok;

    if (!text)
        return json_object_object_add(object, key, NULL) == 0;
    size = 3 * strlen(text) + 1; /* U+FFFD takes three bytes */
    clean = malloc(size);
    if (!clean)
        return false;
    clean_text(text, clean, size);
    ok = put(object, key, json_object_new_string(clean));
    free(clean);
    return ok;
}

/* NULL: out of memory. */
static json_object *new_class(const explanation *e, int32_t index)
{
    json_object *object = json_object_new_object();
    size_t count;
    const float *logits = kldve_heatmap_logits(e->map, &count);
    const char *label = e->net.labels ? kldve_labels_name(e->net.labels, index) : NULL;

    if (object && put(object, "index", json_object_new_int(index)) &&
        put_text(object, "label", label) && put_number(object, "logit", (double)logits[index], 9) &&
        put_number(object, "probability", class_probability(e, index), 9))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_top(const explanation *e)
{
    json_object *list = json_object_new_array();

    for (int32_t i = 0; list && i < e->tops; i++) {
        json_object *item = new_class(e, e->top[i]);

        if (!item || json_object_array_add(list, item) != 0) {
            json_object_put(item);
            json_object_put(list);
            return NULL;
        }
    }
    return list;
}

static json_object *new_timings(const explanation *e)
{
    const kldve_timings *t = &e->record.timings_ms;
    json_object *object = json_object_new_object();

    if (object && put_ms(object, "load", e->ms.load) &&
        put_ms(object, "decode", e->ms.decode + t->preprocess) &&
        put_ms(object, "forward", t->forward) && put_ms(object, "divergence", t->divergence) &&
        put_ms(object, "backward", t->backward) && put_ms(object, "reduce", t->reduce) &&
        put_ms(object, "render", e->ms.render) && put_ms(object, "total", e->ms.total))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_record(const explanation *e, const explain_args *args)
{
    json_object *object = json_object_new_object();
    bool kl_dve = strcmp(e->method, kldve_method_name(0)) == 0;

    if (object && put_text(object, "model", e->net.name) &&
        put_text(object, "picture", args->picture) && put_text(object, "layer", e->net.layer) &&
        put_text(object, "method", e->method) &&
        put_text(object, "reading", kl_dve ? kldve_reading_name(e->record.reading) : NULL) &&
        put(object, "target", new_class(e, e->record.target)) && put(object, "top5", new_top(e)) &&
        put_number(object, "kl", e->record.kl, 17) &&
        (!args->check || put_number(object, "class_sensitivity", e->record.class_sensitivity, 9)) &&
        put(object, "timings_ms", new_timings(e)) && put_text(object, "kldve", kldve_version()))
        return object;
    json_object_put(object);
    return NULL;
}

bool record_write(const explanation *e, const explain_args *args)
{
    json_object *object = new_record(e, args);
    const char *text = NULL;
    output_part part[2] = {{NULL, 0}, {"\n", 1}};
    bool ok;

    if (object)
        text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
                                                          JSON_C_TO_STRING_SPACED |
                                                          JSON_C_TO_STRING_NOSLASHESCAPE);
    if (!text) {
        complain("%s: out of memory", args->json);
        json_object_put(object);
        return false;
    }
    part[0].bytes = text;
    part[0].nbytes = strlen(text);
    ok = output_write(args->json, part, 2);
    json_object_put(object);
    return ok;
}
