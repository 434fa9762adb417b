/* unread.c - options that would change nothing are refused, naming the methods that read them. */
#include "tool.h"
#include "getters.h"

static const struct {
    uint64_t option;
    const char *name;
} options[] = {
    {KLDVE_OPTION_SAMPLES, "samples"},
    {KLDVE_OPTION_WINDOW, "window"},
    {KLDVE_OPTION_STRIDE, "stride"},
    {KLDVE_OPTION_NOISE, "noise"},
    {KLDVE_OPTION_SEED, "seed"},
    {KLDVE_OPTION_TEMPERATURE, "temperature"},
    {KLDVE_OPTION_PERPLEXITY, "perplexity"},
    {KLDVE_OPTION_TRUTH, "truth"},
    {KLDVE_OPTION_NEIGHBOUR_PERPLEXITY, "neighbour-perplexity"},
};

enum { OPTIONS = sizeof options / sizeof *options };

void list_options(uint64_t read, char *list, size_t size)
{
    for (int i = 0; i < OPTIONS; i++)
        if (read & options[i].option)
            list_name(list, size, options[i].name);
}

/* The library's methods that read an option. */
static void list_readers(uint64_t option, char *list, size_t size)
{
    const kldve_method *method;

    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        if (method->options & option)
            list_name(list, size, method->name);
}

/* "grad-cam, cam" */
static const char *list_methods(const kldve_method *const *method, int32_t methods, char *list,
                                size_t size)
{
    list[0] = '\0';
    for (int32_t i = 0; i < methods; i++)
        list_name(list, size, method[i]->name);
    return list;
}

int unread_options(const char *command, uint64_t given, const kldve_method *const *method,
                   int32_t methods)
{
    char readers[MESSAGE_SIZE / 2] = "", names[MESSAGE_SIZE / 4];

    for (int32_t i = 0; i < methods; i++)
        given &= ~method[i]->options;
    for (int i = 0; i < OPTIONS; i++)
        if (given & options[i].option) {
            list_readers(options[i].option, readers, sizeof readers);
            return args_usage(command, "--%s changes nothing in a map of %s; it is for %s",
                              options[i].name, list_methods(method, methods, names, sizeof names),
                              readers);
        }
    return EXIT_DONE;
}

int unread_reading(const char *command, const char *methods)
{
    char names[MESSAGE_SIZE / 2] = "";
    const kldve_method *method;

    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        if (method->readings)
            list_name(names, sizeof names, method->name);
    return args_usage(command, "--reading changes nothing: %s has no readings; these have: %s",
                      methods, names);
}
