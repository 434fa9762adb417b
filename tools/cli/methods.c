/* methods.c - kldve methods: what can be asked for by --method, what it needs, where it comes from.
 */
#include "tool.h"

#include <stdio.h>
#include <string.h>

#include <kldve/method.h>

static const arg_option options[] = {{ARG_END, NULL, 0, NULL, NULL, 0, 0, NULL}};

enum { NEEDS = 6, TEXT_SIZE = 128 };

static const struct {
    uint32_t need;
    const char *name;
} needs[NEEDS] = {
    {KLDVE_NEED_FEATURES, "features"},
    {KLDVE_NEED_GRADIENT, "gradient"},
    {KLDVE_NEED_INPUT_GRADIENT, "pixel gradient"},
    {KLDVE_NEED_FORWARDS, "forwards"},
    {KLDVE_NEED_FEATURE_FORWARDS, "forwards from the layer"},
    {KLDVE_NEED_BIAS_GRADIENT, "bias gradients"},
};

/* "features, gradient"; of several readings or options the most that is needed. */
static const char *needs_of(const kldve_method *method, char text[TEXT_SIZE])
{
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < NEEDS; i++)
        if (method->needs & needs[i].need)
            used += (size_t)snprintf(text + used, TEXT_SIZE - used, "%s%s", used ? ", " : "",
                                     needs[i].name);
    return text;
}

static void say_methods(void)
{
    const kldve_method *method;
    char text[TEXT_SIZE];

    printf("%-22s  %-6s  %-34s  %s\n", "method", "map", "needs", "source");
    for (int32_t i = 0; (method = kldve_method_at(NULL, i)) != NULL; i++)
        printf("%-22s  %-6s  %-34s  %s\n", method->name,
               method->resolution == KLDVE_RESOLUTION_PIXELS ? "pixels" : "layer",
               needs_of(method, text), method->source);
}

static int command_methods(const arg_command *command, int argc, char **argv)
{
    int none;
    int32_t count = args_parse(command, argc, argv, &none, NULL);

    if (count == ARGS_WRONG)
        return EXIT_USAGE;
    if (count != ARGS_HELPED)
        say_methods();
    return output_flush() ? EXIT_DONE : EXIT_FAILED;
}

const arg_command methods_command = {
    "methods",
    "",
    "List the methods of explanation: the size of their map (cells of the layer, or pixels), what\n"
    "they need of the network, and where they were published.",
    NULL,
    options,
    0,
    command_methods,
    NULL,
    false,
};
