/* unread.c - options that would change nothing are refused, naming the methods that read them. */
#include "tool.h"
#include "getters.h"

#include <string.h>

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

/* The readings whose map depends on an option, a bit for each; the map of any other method that
 * reads the option does. */
static uint64_t readings_of(uint64_t option)
{
    const uint64_t channel = UINT64_C(1) << KLDVE_READING_CHANNEL,
                   contrast = UINT64_C(1) << KLDVE_READING_CONTRAST,
                   rivals = UINT64_C(1) << KLDVE_READING_RIVALS,
                   neighbours = UINT64_C(1) << KLDVE_READING_NEIGHBOURS;

    switch (option) {
    case KLDVE_OPTION_TEMPERATURE:
        return channel | contrast | rivals;
    case KLDVE_OPTION_PERPLEXITY:
        return channel;
    case KLDVE_OPTION_NEIGHBOUR_PERPLEXITY:
        return neighbours;
    default: /* --truth says itself which readings it rules out */
        return UINT64_MAX;
    }
}

bool read_option(const method_use *use, uint64_t option)
{
    return use->method->options & option &&
           (use->reading == 0 || readings_of(option) >> use->reading & 1);
}

/* "grad-cam, cam"; a method several times, with several readings, once. */
static const char *list_methods(const method_use *use, int32_t uses, char *list, size_t size)
{
    list[0] = '\0';
    for (int32_t i = 0; i < uses; i++) {
        bool listed = false;

        for (int32_t k = 0; k < i; k++)
            listed = listed || use[k].method == use[i].method;
        if (!listed)
            list_name(list, size, use[i].method->name);
    }
    return list;
}

/* Methods read it, but not with these readings. */
static int refuse_in_readings(const char *command, int option, const method_use *use, int32_t uses)
{
    char readers[MESSAGE_SIZE / 4] = "", given[MESSAGE_SIZE / 4] = "";
    uint64_t used = 0;

    for (int32_t i = 0; i < uses; i++)
        used |= use[i].reading ? UINT64_C(1) << use[i].reading : 0;
    list_readings(readings_of(options[option].option), readers, sizeof readers);
    list_readings(used, given, sizeof given);
    return args_usage(command, "--%s changes nothing: it is for the reading%s %s, not for %s",
                      options[option].name, strchr(readers, ',') ? "s" : "", readers, given);
}

static int refuse_option(const char *command, int option, const method_use *use, int32_t uses)
{
    char readers[MESSAGE_SIZE / 2] = "", names[MESSAGE_SIZE / 4];

    for (int32_t i = 0; i < uses; i++)
        if (use[i].method->options & options[option].option)
            return refuse_in_readings(command, option, use, uses);
    list_readers(options[option].option, readers, sizeof readers);
    return args_usage(command, "--%s changes nothing in a map of %s; it is for %s",
                      options[option].name, list_methods(use, uses, names, sizeof names), readers);
}

int unread_options(const char *command, uint64_t given, const method_use *use, int32_t uses)
{
    for (int i = 0; i < OPTIONS; i++) {
        bool read = !(given & options[i].option);

        for (int32_t k = 0; k < uses; k++)
            read = read || read_option(&use[k], options[i].option);
        if (!read)
            return refuse_option(command, i, use, uses);
    }
    return EXIT_DONE;
}

int unread_layer(const char *command, const char *option, const method_use *use, int32_t uses)
{
    const uint64_t of_layer =
        KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT | KLDVE_NEED_FEATURE_FORWARDS;
    char names[MESSAGE_SIZE / 4];

    for (int32_t i = 0; i < uses; i++)
        if (use[i].method->needs & of_layer)
            return EXIT_DONE;
    return args_usage(command, "--%s changes nothing: %s explain%s pixels and look%s at no layer",
                      option, list_methods(use, uses, names, sizeof names), uses > 1 ? "" : "s",
                      uses > 1 ? "" : "s");
}

/* Whether the map is the same for every class: the method looks at features or attentions alone. */
static bool is_blind(const kldve_method *method)
{
    return method->result_flags &&
           !(method->needs & ~(uint64_t)(KLDVE_NEED_FEATURES | KLDVE_NEED_ATTENTION));
}

int unread_rival(const char *command, const method_use *use)
{
    if (is_blind(use->method))
        return args_usage(command,
                          "--rival changes nothing: a map of %s is the same for every "
                          "class",
                          use->method->name);
    if (use->reading == KLDVE_READING_PAPER || use->reading == KLDVE_READING_CHANNEL)
        return args_usage(command,
                          "--rival changes nothing: it is for the readings contrast, "
                          "rivals, neighbours, not for %s",
                          kldve_reading_name(use->reading));
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
