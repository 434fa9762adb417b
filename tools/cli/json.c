/* json.c - what the commands write as JSON. */
#include "json.h"
#include "getters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool json_put(json_object *object, const char *key, json_object *value)
{
    if (value && json_object_object_add(object, key, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

bool json_put_number(json_object *object, const char *key, double value, int digits)
{
    char text[40];

    if (!isfinite(value))
        return json_object_object_add(object, key, NULL) == 0;
    snprintf(text, sizeof text, "%.*g", digits, value);
    return json_put(object, key, json_object_new_double_s(value, text));
}

bool json_put_ms(json_object *object, const char *key, double value)
{
    char text[40];

    snprintf(text, sizeof text, "%.3f", value);
    return json_put(object, key, json_object_new_double_s(value, text));
}

bool json_put_text(json_object *object, const char *key, const char *text)
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
    valid_text(text, clean, size);
    ok = json_put(object, key, json_object_new_string(clean));
    free(clean);
    return ok;
}

bool json_append(json_object *list, json_object *item)
{
    if (item && json_object_array_add(list, item) == 0)
        return true;
    json_object_put(item);
    return false;
}

json_object *json_new_list(json_item item, const void *of, size_t count)
{
    json_object *list = json_object_new_array();

    for (size_t i = 0; list && i < count; i++)
        if (!json_append(list, item(of, i))) {
            json_object_put(list);
            return NULL;
        }
    return list;
}

json_object *json_new_class(const network *n, int32_t index, float logit, double probability)
{
    json_object *object = json_object_new_object();
    const char *label = n->labels ? name_of_class(n->labels, index) : NULL;
    char made[LABEL_SIZE];

    if (!label && n->shape.single)
        label = network_label(n, index, made);
    if (object && json_put(object, "index", json_object_new_int(index)) &&
        json_put_text(object, "label", label) &&
        json_put_number(object, "logit", (double)logit, 9) &&
        json_put_number(object, "probability", probability, 9))
        return object;
    json_object_put(object);
    return NULL;
}

bool json_put_class(json_object *object, const char *key, const network *n, int32_t index,
                    float logit, double probability)
{
    if (n->shape.scores == KLDVE_SCORES_NUMBER)
        return json_put_text(object, key, NULL);
    return json_put(object, key, json_new_class(n, index, logit, probability));
}

bool json_put_flags(json_object *object, uint64_t flags)
{
    json_object *list = json_object_new_array();
    bool ok = list;

    for (uint64_t flag = 1; ok && kldve_result_flag_name(flag); flag <<= 1)
        if (flags & flag)
            ok = json_append(list, json_object_new_string(kldve_result_flag_name(flag)));
    if (!ok) {
        json_object_put(list);
        list = NULL;
    }
    return json_put(object, "flags", list);
}

bool json_put_value(json_object *object, const kldve_record *r)
{
    if (r->scores != KLDVE_SCORES_NUMBER)
        return true;
    return json_put_number(object, "value", (double)r->logit, 9) &&
           json_put_number(object, "sigmoid", (double)r->sigmoid, 9) &&
           json_put_text(object, "question", number_question(r->target));
}

/* The bytes of the character at `text`, which is valid UTF-8. */
static size_t character(const char *text)
{
    size_t n = 1;

    while (n < 4 && (text[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* As \u and four digits; past U+FFFF two of these (RFC 8259, 7). */
static size_t put_escape(const char *text, size_t n, char *out)
{
    unsigned long point = (unsigned char)*text;

    if (n > 1)
        point &= 0x7fUL >> n;
    for (size_t i = 1; i < n; i++)
        point = point << 6 | ((unsigned char)text[i] & 0x3fUL);
    if (point < 0x10000)
        return (size_t)sprintf(out, "\\u%04lx", point);
    point -= 0x10000;
    return (size_t)sprintf(out, "\\u%04lx\\u%04lx", 0xd800 + (point >> 10),
                           0xdc00 + (point & 0x3ff));
}

/* Whether a terminal shows the character as it is.  json-c itself escapes what is below U+0020, and
 * its line feeds are layout. */
static bool is_shown(const char *text, size_t n)
{
    char one[5] = "", clean[8];

    if (n == 1 && *text != 0x7f)
        return true;
    memcpy(one, text, n);
    clean_text(one, clean, sizeof clean);
    return strcmp(one, clean) == 0;
}

char *json_text(json_object *object, int flags)
{
    enum { MOST = 6 /* bytes of an escape for each byte of text */ };
    const char *text = object ? json_object_to_json_string_ext(object, flags) : NULL;
    char *out = text ? malloc(MOST * strlen(text) + 1) : NULL, *to = out;

    while (out && *text) {
        size_t n = character(text);

        if (is_shown(text, n)) {
            memcpy(to, text, n);
            to += n;
        } else {
            to += put_escape(text, n, to);
        }
        text += n;
    }
    if (out)
        *to = '\0';
    return out;
}

bool json_write(const char *path, json_object *object)
{
    char *text = json_text(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                       JSON_C_TO_STRING_NOSLASHESCAPE);
    output_part part[2] = {{NULL, 0}, {"\n", 1}};
    bool ok;

    if (!text) {
        complain("%s: out of memory", path);
        json_object_put(object);
        return false;
    }
    part[0].bytes = text;
    part[0].nbytes = strlen(text);
    ok = output_write(path, part, 2);
    free(text);
    json_object_put(object);
    return ok;
}
