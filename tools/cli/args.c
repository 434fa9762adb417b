/* args.c - the command line: options from a table. */
#include "args.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

enum { HELP_COLUMN = 28, HELP_WIDTH = 96, OPTIONS_MAX = 96 };

int args_usage(const char *command, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (command)
        complain("%s; see 'kldve help %s'", message, command);
    else
        complain("%s; see 'kldve --help'", message);
    return EXIT_USAGE;
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

static bool parse_list(const char *text, arg_list *out)
{
    if (*text == '\0' || out->count == ARG_LIST_MAX)
        return false;
    out->text[out->count++] = text;
    return true;
}

/* Store `text`; false if the option does not take it. */
static bool parse_value(const arg_option *o, const char *text, void *member)
{
    switch (o->kind) {
    case ARG_FLAG:
        *(bool *)member = true;
        return true;
    case ARG_STRING:
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
        return parse_list(text, member);
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

static int32_t refuse_value(const char *command, const arg_option *o, const char *text)
{
    const char *dash = o->name[1] ? "--" : "-";
    char choices[MESSAGE_SIZE / 2];

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
        list_choices(o, choices, sizeof choices);
        args_usage(command, "%s%s: '%s' is not one of %s", dash, o->name, text, choices);
        break;
    case ARG_LIST:
        if (*text) {
            args_usage(command, "%s%s: given more than %d times", dash, o->name, (int)ARG_LIST_MAX);
            break;
        }
        args_usage(command, "%s%s: the value is empty", dash, o->name);
        break;
    case ARG_FLAG:
    case ARG_STRING:
    case ARG_NEXT:
    case ARG_GROUP:
    case ARG_END:
        args_usage(command, "%s%s: the value is empty", dash, o->name);
    }
    return ARGS_WRONG;
}

/* ---- options ------------------------------------------------------------------------------ */

static const arg_option *find(const arg_option *table, const char *name, size_t n)
{
    for (const arg_option *o = table; o->kind != ARG_END; o++)
        if (o->kind != ARG_GROUP && strlen(o->name) == n && memcmp(o->name, name, n) == 0)
            return o;
    return NULL;
}

/* The option that begins most like an unknown name, for the message. */
static const arg_option *resembling(const arg_option *table, const char *name, size_t n)
{
    for (; n >= 3; n--)
        for (const arg_option *o = table; o->kind != ARG_END; o++)
            if (o->kind != ARG_GROUP && strlen(o->name) >= n && memcmp(o->name, name, n) == 0)
                return o;
    return NULL;
}

/* Which options of a table were given, by their place in it. */
typedef struct seen_options {
    bool at[OPTIONS_MAX];
} seen_options;

/* The first of two values would do nothing.  Each network of several has its own options. */
static bool is_repeated(const arg_command *command, const arg_option *o, seen_options *seen)
{
    size_t i = (size_t)(o - command->option);

    assert(i < OPTIONS_MAX);
    if (o->kind == ARG_NEXT)
        memset(seen, 0, sizeof *seen);
    if (o->kind == ARG_NEXT || o->kind == ARG_LIST || o->kind == ARG_FLAG)
        return false;
    if (!seen->at[i])
        return !(seen->at[i] = true);
    args_usage(command->name, "%s%s is given twice: the first would do nothing",
               o->name[1] ? "--" : "-", o->name);
    return true;
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
        o = argv[0][1] == '-' ? resembling(command->option, name, n) : NULL;
        args_usage(command->name, "unknown option %.*s%s%s%s", (int)(name + n - argv[0]), argv[0],
                   o ? ", did you mean --" : "", o ? o->name : "", o ? "?" : "");
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
    if (is_repeated(command, o, seen))
        return ARGS_WRONG;
    value = equals ? equals + 1 : o->kind == ARG_FLAG ? "" : argv[1];
    if (o->kind == ARG_NEXT && !command->next(values))
        return ARGS_WRONG;
    if (!parse_value(o, value, (char *)values + o->offset))
        return refuse_value(command->name, o, value);
    return o->kind == ARG_FLAG || equals ? 1 : 2;
}

int32_t args_parse(const arg_command *command, int argc, char **argv, void *values,
                   const char **positional)
{
    seen_options seen = {.at = {false}};
    int32_t count = 0;
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
        } else if (argv[i][0] == '\0') {
            args_usage(command->name, "a file name is empty");
            return ARGS_WRONG;
        } else if (count == command->max_positional) {
            args_usage(command->name, "one argument too many: '%s'", argv[i]);
            return ARGS_WRONG;
        } else {
            positional[count++] = argv[i++];
        }
    }
    return count;
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
    int32_t count = args_parse(command, argc, argv, &none, NULL);

    if (count < 0)
        return args_status(count);
    print();
    return output_flush() ? EXIT_DONE : EXIT_FAILED;
}

/* Print "a, b, c" in lines below the help of an option. */
static void show_choices(const arg_option *o)
{
    int at = HELP_COLUMN;

    printf("%*s", HELP_COLUMN, "");
    for (int32_t i = 0; o->choice(i); i++) {
        const char *comma = o->choice(i + 1) ? "," : "";
        int n = (int)(strlen(o->choice(i)) + strlen(comma));

        if (i > 0 && at + 1 + n > HELP_WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            at = HELP_COLUMN;
        } else if (i > 0) {
            at += printf(" ");
        }
        at += printf("%s%s", o->choice(i), comma);
    }
    printf("\n");
}

void args_help(const arg_command *command)
{
    printf("usage: kldve %s%s%s\n\n%s\n", command->name, *command->usage ? " " : "", command->usage,
           command->summary);
    for (const arg_option *o = command->option; o->kind != ARG_END; o++) {
        int n;

        if (o->kind == ARG_GROUP) {
            printf("\n%s\n", o->name);
            continue;
        }
        n = printf("  %s%s%s%s", o->name[1] ? "--" : "-", o->name, o->meta ? " " : "",
                   o->meta ? o->meta : "");
        printf("%*s%s\n", n < HELP_COLUMN ? HELP_COLUMN - n : 1, "", o->help);
        if (o->choice)
            show_choices(o);
    }
    if (command->notes)
        printf("\n%s", command->notes);
}
