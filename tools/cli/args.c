/* args.c - the command line: options from a table. */
#include "args.h"
#include "arg_values.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
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

/* The first command that has the option; NULL: none has. */
static const arg_command *find_owner(const char *name, size_t n)
{
    const arg_command *c;

    for (int32_t i = 0; (c = command_number(i)) != NULL; i++)
        if (find(c->option, name, n))
            return c;
    return NULL;
}

/* `given` begins with one dash or two, and n characters at `name` are its name. */
static void refuse_option(const arg_command *command, const char *given, const char *name, size_t n)
{
    const arg_command *owner = n > 1 && given[1] == '-' ? find_owner(name, n) : NULL;
    char hint[NEAREST_HINT];
    nearest near;

    if (owner && owner != command) {
        args_usage(command->name, "kldve %s has no option %.*s, kldve %s has", command->name,
                   (int)(name + n - given), given, owner->name);
        return;
    }
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
    if (arg_parse_value(o, value, (char *)values + o->offset))
        return true;
    arg_refuse_value(command->name, o, value);
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
