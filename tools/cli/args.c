/* args.c - the command line: options from a table. */
#include "args.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "nearest.h"
#include "tool.h"

enum { OPTIONS_MAX = 96 };

static bool ends_in(const char *text, char c)
{
    size_t n = strlen(text);

    return n > 0 && text[n - 1] == c;
}

int args_usage(const char *command, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    complain("%s%s 'kldve %s%s'", message, ends_in(message, '?') ? " See" : "; see",
             command ? "help " : "--help", command ? command : "");
    return EXIT_USAGE;
}

/* ---- lists -------------------------------------------------------------------------------- */

static bool grow(arg_list *list)
{
    int32_t room = list->room > 0 ? 2 * list->room : 8; /* argc is an int, so this stays in range */
    const char **text = realloc(list->text, (size_t)room * sizeof *text);

    if (!text)
        return false;
    list->text = text;
    list->room = room;
    return true;
}

bool arg_list_add(arg_list *list, const char *text)
{
    if (list->count == list->room && !grow(list))
        return false;
    list->text[list->count++] = text;
    return true;
}

bool arg_list_copy(const arg_list *list, arg_list *out)
{
    *out = (arg_list){0};
    for (int32_t i = 0; i < list->count; i++)
        if (!arg_list_add(out, list->text[i])) {
            arg_list_free(out);
            return false;
        }
    return true;
}

static int by_text(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

int args_twice(const char *command, const char *option, const arg_list *list)
{
    arg_list sorted;
    int status = EXIT_DONE;

    if (!arg_list_copy(list, &sorted)) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    if (sorted.count > 1)
        qsort(sorted.text, (size_t)sorted.count, sizeof *sorted.text, by_text);
    for (int32_t i = 1; status == EXIT_DONE && i < sorted.count; i++)
        if (strcmp(sorted.text[i], sorted.text[i - 1]) == 0)
            status = args_usage(command, "--%s: %s is given twice", option, sorted.text[i]);
    arg_list_free(&sorted);
    return status;
}

void arg_list_free(arg_list *list)
{
    free(list->text);
    *list = (arg_list){0};
}

void args_free(const arg_command *command, void *values)
{
    for (const arg_option *o = command->option; o->kind != ARG_END; o++)
        if (o->kind == ARG_LIST || o->kind == ARG_REST)
            arg_list_free((arg_list *)((char *)values + o->offset));
}

/* ---- values ------------------------------------------------------------------------------- */

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

/* Store `text`; false if the option does not take it. */
static bool parse_value(const arg_option *o, const char *text, void *member)
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

static int32_t refuse_value(const char *command, const arg_option *o, const char *text)
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

/* ---- options ------------------------------------------------------------------------------ */

bool args_is_option(const arg_option *o)
{
    return o->kind != ARG_GROUP && o->kind != ARG_REST;
}

static const arg_option *find(const arg_option *table, const char *name, size_t n)
{
    for (const arg_option *o = table; o->kind != ARG_END; o++)
        if (args_is_option(o) && strlen(o->name) == n && memcmp(o->name, name, n) == 0)
            return o;
    return NULL;
}

static const arg_option *find_kind(const arg_option *table, arg_kind one, arg_kind other)
{
    for (const arg_option *o = table; o->kind != ARG_END; o++)
        if (o->kind == one || o->kind == other)
            return o;
    return NULL;
}

/* `given` begins with one dash or two, and n characters at `name` are its name. */
static void refuse_option(const arg_command *command, const char *given, const char *name, size_t n)
{
    char hint[NEAREST_HINT];
    nearest near;

    nearest_begin(&near, name, n);
    for (const arg_option *o = command->option; n > 1 && o->kind != ARG_END; o++)
        if (args_is_option(o) && o->name[1])
            nearest_offer(&near, o->name);
    args_usage(command->name, "unknown option %.*s%s", (int)(name + n - given), given,
               nearest_hint(&near, "--", hint));
}

/* What options of a table were given, by their place in it; NULL: not yet. */
typedef struct seen_options {
    const char *at[OPTIONS_MAX];
} seen_options;

/* The first of two values would do nothing.  Each network of several has its own options. */
static bool is_repeated(const arg_command *command, const arg_option *o, const char *value,
                        seen_options *seen)
{
    size_t i = (size_t)(o - command->option);
    const char *before;

    assert(i < OPTIONS_MAX);
    if (o->kind == ARG_NEXT)
        memset(seen, 0, sizeof *seen);
    if (o->kind == ARG_NEXT || o->kind == ARG_LIST || o->kind == ARG_FLAG)
        return false;
    before = seen->at[i];
    seen->at[i] = value;
    if (!before)
        return false;
    if (o->kind == ARG_MODEL)
        args_usage(command->name,
                   "%s takes one network, not %s and %s; to see several side by side: kldve "
                   "compare",
                   command->name, before, value);
    else
        args_usage(command->name,
                   "%s%s is given twice, as %s and as %s: the first would do nothing",
                   o->name[1] ? "--" : "-", o->name, before, value);
    return true;
}

/* Store the value of an option that takes one, or of a flag.  False after a message. */
static bool take_value(const arg_command *command, const arg_option *o, const char *value,
                       void *values, seen_options *seen)
{
    if (is_repeated(command, o, value, seen) || (o->kind == ARG_NEXT && !command->next(values)))
        return false;
    if (parse_value(o, value, (char *)values + o->offset))
        return true;
    refuse_value(command->name, o, value);
    return false;
}

/* Parse one option at argv[0], with argc arguments left.  Returns how many arguments it took, or
 * what args_parse() must return. */
static int32_t parse_option(const arg_command *command, int argc, char **argv, void *values,
                            seen_options *seen)
{
    const char *name = argv[0] + (argv[0][1] == '-' ? 2 : 1), *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const arg_option *o = find(command->option, name, n);
    const char *value;

    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        args_help(command);
        return ARGS_HELPED;
    }
    if (!o || (n == 1) != (argv[0][1] != '-')) {
        refuse_option(command, argv[0], name, n);
        return ARGS_WRONG;
    }
    if (o->kind == ARG_FLAG && equals) {
        args_usage(command->name, "--%s takes no value", o->name);
        return ARGS_WRONG;
    }
    if (o->kind != ARG_FLAG && !equals && argc < 2) {
        args_usage(command->name, "%s needs a value, %s", argv[0], o->meta);
        return ARGS_WRONG;
    }
    value = equals ? equals + 1 : o->kind == ARG_FLAG ? "" : argv[1];
    if (!take_value(command, o, value, values, seen))
        return ARGS_WRONG;
    return o->kind == ARG_FLAG || equals ? 1 : 2;
}

bool args_is_network(const char *path)
{
    static const char *const models[] = {".onnx", NULL};

    return path_has_ending(path, models);
}

/* An argument that is no option.  False after a message. */
static bool take_rest(const arg_command *command, const char *text, void *values,
                      seen_options *seen)
{
    const arg_option *model = find_kind(command->option, ARG_MODEL, ARG_NEXT);
    const arg_option *rest = find_kind(command->option, ARG_REST, ARG_REST);
    arg_list *list = rest ? (arg_list *)((char *)values + rest->offset) : NULL;

    if (*text == '\0')
        args_usage(command->name, "a file name is empty");
    else if (model && (args_is_network(text) || content_is_network(text)))
        return take_value(command, model, text, values, seen);
    else if (!list || (command->max_rest > 0 && list->count == command->max_rest))
        args_usage(command->name, "one argument too many: '%s'", text);
    else if (arg_list_add(list, text))
        return true;
    else
        complain("out of memory");
    return false;
}

int32_t args_parse(const arg_command *command, int argc, char **argv, void *values)
{
    const arg_option *rest = find_kind(command->option, ARG_REST, ARG_REST);
    seen_options seen = {.at = {NULL}};
    bool options = true;

    for (int i = 0; i < argc;) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
            i++;
        } else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
            int32_t taken = parse_option(command, argc - i, argv + i, values, &seen);

            if (taken < 0)
                return taken;
            i += taken;
        } else if (!take_rest(command, argv[i++], values, &seen)) {
            return ARGS_WRONG;
        }
    }
    return rest ? ((arg_list *)((char *)values + rest->offset))->count : 0;
}

int args_status(int32_t result)
{
    if (result == ARGS_WRONG)
        return EXIT_USAGE;
    return output_flush() ? EXIT_DONE : EXIT_FAILED;
}

int args_run_list(const arg_command *command, int argc, char **argv, void (*print)(void))
{
    int none;
    int32_t count = args_parse(command, argc, argv, &none);

    if (count < 0)
        return args_status(count);
    print();
    return output_flush() ? EXIT_DONE : EXIT_FAILED;
}
