/* methods.c - kldve methods: the names for --method; kldve help METHOD: all about one. */
#include "tool.h"
#include "getters.h"

#include <stdio.h>
#include <string.h>

#include <kldve/method.h>

#include "wrap.h"

static const arg_option options[] = {OPTION_END};

enum { NEEDS = 7, TEXT_SIZE = 256, SUMMARY_COLUMN = 31, READING_COLUMN = 12, FACT_COLUMN = 10 };

static const struct {
    uint64_t need;
    const char *name;
} needs[NEEDS] = {
    {KLDVE_NEED_FEATURES, "features"},
    {KLDVE_NEED_GRADIENT, "gradient"},
    {KLDVE_NEED_INPUT_GRADIENT, "pixel gradient"},
    {KLDVE_NEED_FORWARDS, "forwards"},
    {KLDVE_NEED_FEATURE_FORWARDS, "forwards from the layer"},
    {KLDVE_NEED_BIAS_GRADIENT, "bias gradients"},
    {KLDVE_NEED_ATTENTION, "attentions"},
};

/* "features, gradient": the most that any reading or option needs. */
static const char *needs_of(const kldve_method *method, char text[TEXT_SIZE])
{
    text[0] = '\0';
    for (int i = 0; i < NEEDS; i++)
        if (method->needs & needs[i].need)
            list_name(text, TEXT_SIZE, needs[i].name);
    return *text ? text : "nothing";
}

static const char *resolution_of(const kldve_method *method)
{
    return method->resolution == KLDVE_RESOLUTION_PIXELS ? "pixels" : "layer";
}

static const kldve_method *method_called(const char *name)
{
    const kldve_method *method;
    int32_t i = 0;

    while ((method = method_number(i++)) != NULL && strcmp(method->name, name) != 0)
        continue;
    return method;
}

/* The methods that are controls, or those that are none, with what they do. */
static void say_list(const char *heading, bool controls)
{
    const kldve_method *method;
    char start[TEXT_SIZE];

    printf("%s\n", heading);
    for (int32_t i = 0; (method = method_number(i)) != NULL; i++) {
        if (((method->flags & KLDVE_METHOD_CONTROL) != 0) != controls)
            continue;
        snprintf(start, sizeof start, "%-21s  %s", method->name, resolution_of(method));
        wrap_row(start, method->summary, SUMMARY_COLUMN);
    }
}

static void say_readings(void)
{
    const char *name;
    char start[TEXT_SIZE];

    printf("reading of kl-dve and guided-kl-dve, for --reading\n");
    for (int32_t i = 0; (name = reading_choice(i)) != NULL; i++) {
        snprintf(start, sizeof start, "%s", name);
        wrap_row(start, reading_words(i), READING_COLUMN);
    }
}

static void say_methods(void)
{
    say_list("method                 map     what it shows", false);
    printf("\n");
    say_list("control                map     explains nothing; an explanation has to beat it",
             true);
    printf("\n");
    say_readings();
    printf("\n");
    wrap_text(
        "map: one value for each cell of the layer, or for each pixel.  kldve help NAME says of a "
        "method what it needs of the network, which options change its map, and where it was "
        "published.",
        0, 0);
}

/* ---- kldve help METHOD, kldve help READING ------------------------------------------------ */

static void say_fact(const char *name, const char *text)
{
    wrap_row(name, text, FACT_COLUMN);
}

bool method_help(const char *name)
{
    const kldve_method *method = method_called(name);
    char text[TEXT_SIZE];

    if (!method)
        return false;
    printf("%s: ", method->name);
    wrap_text(method->summary, (int32_t)strlen(method->name) + 2, 0);
    printf("\n");
    say_fact("map", method->resolution == KLDVE_RESOLUTION_PIXELS
                        ? "a value for each pixel of the network's input"
                        : "a value for each cell of the layer (--layer)");
    say_fact("needs", needs_of(method, text));
    text[0] = '\0';
    list_options(method->options, text, sizeof text);
    say_fact("options", *text ? text : "none");
    text[0] = '\0';
    list_readings(method->readings, text, sizeof text);
    if (*text)
        say_fact("readings", text);
    if (method->flags & KLDVE_METHOD_CONTROL)
        say_fact("control", "explains nothing; an explanation has to beat it");
    say_fact("source", method->source);
    printf("\n  kldve explain PICTURE.png --method %s\n", method->name);
    return true;
}

bool reading_help(const char *name)
{
    for (int32_t i = 0; reading_choice(i); i++)
        if (strcmp(reading_choice(i), name) == 0) {
            printf("%s: ", name);
            wrap_text(reading_words(i), (int32_t)strlen(name) + 2, 0);
            printf("\n  kldve explain PICTURE.png --method kl-dve --reading %s\n", name);
            return true;
        }
    return false;
}

static int command_methods(const arg_command *command, int argc, char **argv)
{
    return args_run_list(command, argc, argv, say_methods);
}

const arg_command methods_command = {
    .name = "methods",
    .group = "Look up:",
    .line = "the methods of explanation",
    .usage = "",
    .summary =
        "List the methods of explanation, for --method: what they show, and whether their map "
        "has a value for each cell of the layer or for each pixel.",
    .option = options,
    .run = command_methods,
};
