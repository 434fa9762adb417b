/* json.h - what the commands write as JSON (json-c).  A function that puts takes the value over;
 * false means out of memory, and the value is gone. */
#ifndef KLDVE_TOOLS_JSON_H
#define KLDVE_TOOLS_JSON_H

#include <json-c/json.h>

#include "tool.h"

/** NULL for a value that could not be made. */
bool json_put(json_object *object, const char *key, json_object *value);

/** With so many significant digits.  NaN and infinity do not exist in JSON: null. */
bool json_put_number(json_object *object, const char *key, double value, int digits);

/** Milliseconds, to the microsecond. */
bool json_put_ms(json_object *object, const char *key, double value);

/** The exact text, but for bytes that are not UTF-8, as names of files can have: JSON is UTF-8.
 * NULL: null. */
bool json_put_text(json_object *object, const char *key, const char *text);

/** At the end of an array; NULL for an item that could not be made. */
bool json_append(json_object *list, json_object *item);

/** An array of item(of, 0) .. item(of, count - 1).  NULL: out of memory. */
typedef json_object *(*json_item)(const void *of, size_t index);
json_object *json_new_list(json_item item, const void *of, size_t count);

/** A class of a network: index, label (null without labels), logit, probability.  Not of a number.
 *  NULL: out of memory. */
json_object *json_new_class(const network *n, int32_t index, float logit, double probability);

/** A class under a key; null where the network gives a number. */
bool json_put_class(json_object *object, const char *key, const network *n, int32_t index,
                    float logit, double probability);
/** What a record has of a number in place of a class: value, sigmoid (the probability that it would
 *  be as a score of yes against no), question.  Of other networks nothing is put. */
bool json_put_value(json_object *object, const kldve_record *record);

/** "flags": the names of KLDVE_RESULT_* that are set. */
bool json_put_flags(json_object *object, uint64_t flags);

/** JSON as text, for the caller to free.  What a terminal would obey or not show stands in it as
 *  \u001b and so on, so that a program reads the exact text and a terminal shows all of it.
 *  @param flags  JSON_C_TO_STRING_*.
 *  @return NULL: out of memory, or `object` is NULL. */
char *json_text(json_object *object, int flags);

/** Write the object to a file, "-" is standard output, and free it; NULL: it could not be made.
 *  False after a message. */
bool json_write(const char *path, json_object *object);

#endif
