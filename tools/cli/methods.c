/* methods.c - kldve methods: the names for --method, what each needs, where it comes from. */
#include "tool.h"
#include "getters.h"

#include <stdio.h>

#include <kldve/method.h>

static const arg_option options[] = {OPTION_END};

enum { NEEDS = 7, TEXT_SIZE = 128 };

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

static void say_controls(void)
{
    const kldve_method *method;

    printf("\n%-22s  %s\n", "control", "explains nothing; an explanation has to beat it");
    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        if (method->flags & KLDVE_METHOD_CONTROL)
            printf("%-22s  %s\n", method->name, method->summary);
}

static void say_methods(void)
{
    const kldve_method *method;
    char text[TEXT_SIZE];

    printf("%-22s  %-6s  %-34s  %s\n", "method", "map", "needs", "source");
    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        printf("%-22s  %-6s  %-34s  %s\n", method->name,
               method->resolution == KLDVE_RESOLUTION_PIXELS ? "pixels" : "layer",
               needs_of(method, text), method->source);
    printf("\n%-22s  %s\n", "method", "readings, for --reading");
    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        if (method->readings) {
            text[0] = '\0';
            list_readings(method->readings, text, sizeof text);
            printf("%-22s  %s\n", method->name, text);
        }
    printf("\n%-22s  %s\n", "method", "options that change its map");
    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        if (method->options) {
            text[0] = '\0';
            list_options(method->options, text, sizeof text);
            printf("%-22s  %s\n", method->name, text);
        }
    say_controls();
}

static int command_methods(const arg_command *command, int argc, char **argv)
{
    return args_run_list(command, argc, argv, say_methods);
}

const arg_command methods_command = {
    .name = "methods",
    .usage = "",
    .summary = "List the methods of explanation: the size of their map (cells of the layer, or\n"
               "pixels), what they need of the network, where they were published, their readings\n"
               "and options, and which of them are controls.",
    .option = options,
    .run = command_methods,
};
