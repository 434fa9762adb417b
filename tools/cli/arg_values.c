/* arg_values.c - what stands behind an option: numbers, sizes, names of a choice. */
#include "arg_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "tool.h"

/* Read a finite number at *text and move *text past it; false if there is none. */
static bool read_number(const char **text, double *out)
{
    char *end;
    double value;

    if (**text == ' ' || **text == '\t') /* strtod() would skip them */
        return false;
    value = strtod(*text, &end);
    if (end == *text || !isfinite(value))
        return false;
    *text = end;
    *out = value;
    return true;
}

static bool in_range(const arg_option *o, double value)
{
    return value >= o->min && value <= o->max;
}

static bool parse_number(const arg_option *o, const char *text, double *out)
{
    return read_number(&text, out) && *text == '\0' && in_range(o, *out);
}

static bool parse_int(const arg_option *o, const char *text, int32_t *out)
{
    double value;

    if (!parse_number(o, text, &value) || value != floor(value))
        return false;
    *out = (int32_t)value;
    return true;
}

static bool parse_numbers(const arg_option *o, const char *text, arg_numbers *out)
{
    arg_numbers list = {0, {0}};

    do {
        if (list.count == 4 || !read_number(&text, &list.value[list.count]) ||
            !in_range(o, list.value[list.count]))
            return false;
        list.count++;
    } while (*text++ == ',');
    if (text[-1] != '\0')
        return false;
    *out = list;
    return true;
}

static bool parse_size(const arg_option *o, const char *text, arg_size *out)
{
    double width, height;

    if (!read_number(&text, &width))
        return false;
    height = width;
    if (*text == 'x') {
        text++;
        if (!read_number(&text, &height))
            return false;
    }
    if (*text != '\0' || !in_range(o, width) || !in_range(o, height) || width != floor(width) ||
        height != floor(height))
        return false;
    out->width = (int32_t)width;
    out->height = (int32_t)height;
    return true;
}

static bool parse_choice(const arg_option *o, const char *text, int32_t *out)
{
    for (int32_t i = 0; o->choice(i); i++)
        if (strcmp(o->choice(i), text) == 0) {
            *out = i + 1;
            return true;
        }
    return false;
}

bool arg_parse_value(const arg_option *o, const char *text, void *member)
{
    switch (o->kind) {
    case ARG_FLAG:
        *(bool *)member = true;
        return true;
    case ARG_STRING:
    case ARG_MODEL:
    case ARG_NEXT:
        *(const char **)member = text;
        return *text != '\0';
    case ARG_INT:
        return parse_int(o, text, member);
    case ARG_NUMBER:
        return parse_number(o, text, member);
    case ARG_NUMBERS:
        return parse_numbers(o, text, member);
    case ARG_SIZE:
        return parse_size(o, text, member);
    case ARG_CHOICE:
        return parse_choice(o, text, member);
    case ARG_LIST:
        return *text != '\0' && arg_list_add(member, text);
    case ARG_REST:
    case ARG_GROUP:
    case ARG_END:
        break;
    }
    return false;
}

/* "a, b, c" */
static void list_choices(const arg_option *o, char *out, size_t size)
{
    out[0] = '\0';
    for (int32_t i = 0; o->choice(i); i++)
        list_name(out, size, o->choice(i));
}

static void refuse_choice(const char *command, const arg_option *o, const char *text)
{
    char choices[MESSAGE_SIZE / 2], hint[NEAREST_HINT];
    nearest near;

    nearest_begin(&near, text, strlen(text));
    for (int32_t i = 0; o->choice(i); i++)
        nearest_offer(&near, o->choice(i));
    list_choices(o, choices, sizeof choices);
    if (nearest_best(&near))
        args_usage(command, "--%s: there is no %s '%s'%s", o->name, o->name, text,
                   nearest_hint(&near, "", hint));
    else
        args_usage(command, "--%s: '%s' is not one of %s", o->name, text, choices);
}

int32_t arg_refuse_value(const char *command, const arg_option *o, const char *text)
{
    const char *dash = o->name[1] ? "--" : "-";

    switch (o->kind) {
    case ARG_INT:
        args_usage(command, "%s%s: '%s' is not a whole number from %.0f to %.0f", dash, o->name,
                   text, o->min, o->max);
        break;
    case ARG_NUMBER:
        args_usage(command, "%s%s: '%s' is not a number from %g to %g", dash, o->name, text, o->min,
                   o->max);
        break;
    case ARG_NUMBERS:
        args_usage(command,
                   "%s%s: '%s' is not one number, or one for each channel (A,B,C), from %g to %g",
                   dash, o->name, text, o->min, o->max);
        break;
    case ARG_SIZE:
        args_usage(command, "%s%s: '%s' is not a size: give N or WIDTHxHEIGHT, %.0f to %.0f", dash,
                   o->name, text, o->min, o->max);
        break;
    case ARG_CHOICE:
        refuse_choice(command, o, text);
        break;
    case ARG_LIST:
    case ARG_FLAG:
    case ARG_STRING:
    case ARG_MODEL:
    case ARG_NEXT:
    case ARG_REST:
    case ARG_GROUP:
    case ARG_END:
        args_usage(command, "%s%s: %s", dash, o->name,
                   *text ? "out of memory" : "the value is empty");
    }
    return ARGS_WRONG;
}
