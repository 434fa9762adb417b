/* grid_args.c - the options of every command that explains a grid. */
#include "grid.h"

#include <string.h>

bool grid_next_network(void *values)
{
    grid_args *a = values;

    if (a->networks == GRID_NETWORKS) {
        args_usage(NULL, "--model: more than %d of them", GRID_NETWORKS);
        return false;
    }
    if (a->networks == 0)
        a->shared = a->reading_network;
    else
        a->network[a->networks - 1] = a->reading_network;
    a->networks++;
    a->reading_network = a->shared;
    return true;
}

/* What was read of the last network, and what holds for all. */
static void end_networks(grid_args *a)
{
    int32_t threads = a->reading_network.threads;

    if (a->networks == 0)
        a->networks = 1; /* the built-in one */
    a->network[a->networks - 1] = a->reading_network;
    for (int32_t i = 0; i < a->networks; i++) {
        a->network[i].quiet = a->quiet;
        a->network[i].threads = threads > 0 ? threads : a->network[i].threads;
    }
}

grid_method_error grid_read_method(const char *text, int32_t reading, grid_method *out)
{
    const char *colon = strchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : strlen(text);

    memset(out, 0, sizeof *out);
    for (int32_t i = 0; !out->name && kldve_method_name(i); i++)
        if (strlen(kldve_method_name(i)) == n && memcmp(kldve_method_name(i), text, n) == 0)
            out->name = kldve_method_name(i);
    if (!out->name)
        return GRID_NO_METHOD;
    if (!method_has_reading(out->name))
        return colon ? GRID_TAKES_NO_READING : GRID_METHOD_OK;
    out->reading = colon         ? kldve_reading_from_name(colon + 1)
                   : reading > 0 ? reading
                                 : KLDVE_READING_CONTRAST;
    return out->reading > 0 ? GRID_METHOD_OK : GRID_NO_READING;
}

static int check_method(const arg_command *command, const grid_args *a, const char *text)
{
    grid_method method;

    switch (grid_read_method(text, a->reading, &method)) {
    case GRID_NO_METHOD:
        return args_usage(command->name,
                          "--method: there is no '%s': 'kldve methods' lists the names", text);
    case GRID_TAKES_NO_READING:
        return args_usage(command->name,
                          "--method: '%s': only kl-dve and guided-kl-dve take a reading", text);
    case GRID_NO_READING:
        return args_usage(command->name,
                          "--method: there is no '%s': the readings are paper, channel, contrast "
                          "and rivals",
                          text);
    case GRID_METHOD_OK:
        break;
    }
    if (a->truth && method.reading == KLDVE_READING_RIVALS)
        return args_usage(command->name,
                          "--truth: the reading rivals is about a class, not about a truth");
    return EXIT_DONE;
}

/* What can be known to be wrong before anything is read.  EXIT_DONE if nothing is. */
static int check(const arg_command *command, const grid_args *a)
{
    static const char *const models[] = {".onnx", NULL};
    int status;

    if (a->pictures == 0)
        return args_usage(command->name, "a picture is missing: kldve %s %s", command->name,
                          command->usage);
    for (int32_t i = 0; i < a->pictures; i++)
        if (path_has_ending(a->picture[i], models))
            return args_usage(command->name, "%s is no picture: give networks with --model",
                              a->picture[i]);
    for (int32_t i = 0; i < a->method.count; i++)
        if ((status = check_method(command, a, a->method.text[i])) != EXIT_DONE)
            return status;
    if (a->method.count == 0 &&
        (status = check_method(command, a, kldve_method_name(0))) != EXIT_DONE)
        return status;
    if (a->truth && !truth_is_one(a->truth))
        return args_usage(command->name, "--truth: '%s' is not model:FILE.onnx", a->truth);
    for (int32_t i = 0; i < a->networks; i++)
        if (a->network[i].resize > 0 && a->network[i].crop > a->network[i].resize)
            return args_usage(command->name, "--crop %d is more than --resize %d",
                              (int)a->network[i].crop, (int)a->network[i].resize);
    return EXIT_DONE;
}

int grid_read_args(const arg_command *command, int argc, char **argv, void *values, bool *go)
{
    grid_args *a = values;
    int32_t n;

    *go = false;
    n = args_parse(command, argc, argv, values, a->picture);
    if (n == ARGS_HELPED)
        return output_flush() ? EXIT_DONE : EXIT_FAILED;
    if (n == ARGS_WRONG)
        return EXIT_USAGE;
    a->pictures = n;
    end_networks(a);
    *go = true;
    return check(command, a);
}
