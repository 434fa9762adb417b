/* grid_args.c - the options of every command that explains a grid. */
#include "grid.h"
#include "cli/getters.h"
#include "cli/nearest.h"
#include "cli/streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One more network, which is empty. */
static bool add_network(grid_args *a)
{
    network_args *more = realloc(a->network, (size_t)(a->networks + 1) * sizeof *more);

    if (!more) {
        complain("out of memory");
        return false;
    }
    a->network = more;
    memset(&a->network[a->networks++], 0, sizeof *more);
    return true;
}

/* Lists have one owner: what was read moves, and the next network begins with copies. */
static bool begin_with_shared(grid_args *a)
{
    a->reading_network = a->shared;
    a->reading_network.dim = a->reading_network.input = (arg_list){0};
    if (arg_list_copy(&a->shared.dim, &a->reading_network.dim) &&
        arg_list_copy(&a->shared.input, &a->reading_network.input))
        return true;
    complain("out of memory");
    return false;
}

bool grid_next_network(void *values)
{
    grid_args *a = values;

    if (a->networks == 0)
        a->shared = a->reading_network;
    else
        a->network[a->networks - 1] = a->reading_network;
    return begin_with_shared(a) && add_network(a);
}

static void free_network(network_args *n)
{
    arg_list_free(&n->dim);
    arg_list_free(&n->input);
}

void grid_free_args(const arg_command *command, grid_args *a)
{
    args_free(command, a);
    for (int32_t i = 0; i < a->networks; i++)
        free_network(&a->network[i]);
    free_network(&a->shared);
    free(a->network);
    a->network = NULL;
    a->networks = 0;
}

/* Store what was read for the last network, and what holds for all of them. */
static bool end_networks(grid_args *a)
{
    int32_t threads = a->reading_network.threads;

    if (a->networks == 0 && !add_network(a)) /* the built-in one */
        return false;
    a->network[a->networks - 1] = a->reading_network;
    memset(&a->reading_network, 0, sizeof a->reading_network);
    for (int32_t i = 0; i < a->networks; i++) {
        a->network[i].quiet = a->quiet;
        a->network[i].threads = threads > 0 ? threads : a->network[i].threads;
    }
    return true;
}

/* The method whose name is the first n characters of `text`; NULL if there is none. */
static const kldve_method *find_method(const char *text, size_t n)
{
    const kldve_method *method;

    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        if (strlen(method->name) == n && memcmp(method->name, text, n) == 0)
            break;
    return method;
}

static void name_method(grid_method *m)
{
    const char *reading = m->reading ? kldve_reading_name(m->reading) : "";

    snprintf(m->title, sizeof m->title, "%s%s%s", m->method->title, *reading ? " " : "", reading);
    snprintf(m->id, sizeof m->id, "%s%s%s", m->method->name, *reading ? ":" : "", reading);
}

int32_t grid_reading(const grid_args *a)
{
    return a->reading > 0 ? a->reading : reading_default(a->truth != NULL);
}

grid_method_error grid_read_method(const char *text, int32_t reading, grid_method *out)
{
    const char *colon = strchr(text, ':');

    memset(out, 0, sizeof *out);
    out->method = find_method(text, colon ? (size_t)(colon - text) : strlen(text));
    if (!out->method)
        return GRID_NO_METHOD;
    if (!out->method->readings && colon)
        return GRID_TAKES_NO_READING;
    if (out->method->readings)
        out->reading = reading > 0 ? reading : reading_default(false);
    if (colon && kldve_reading_from_name(colon + 1, &out->reading) < 0)
        return GRID_NO_READING;
    if (out->method->readings && !(out->method->readings >> out->reading & 1))
        return GRID_NO_READING;
    name_method(out);
    return GRID_METHOD_OK;
}

/* "kl-dve, guided-kl-dve" */
static void list_with_readings(char *list, size_t size)
{
    const kldve_method *method;

    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        if (method->readings)
            list_name(list, size, method->name);
}

static int refuse_method(const arg_command *command, const char *text)
{
    size_t n = strcspn(text, ":");
    char hint[NEAREST_HINT];
    const kldve_method *method;
    nearest near;

    nearest_begin(&near, text, n);
    for (int32_t i = 0; (method = method_number(i)) != NULL; i++)
        nearest_offer(&near, method->name);
    return args_usage(command->name, "--method: there is no method '%.*s'%s", (int)n, text,
                      nearest_best(&near) ? nearest_hint(&near, "", hint)
                                          : "; 'kldve methods' lists the names");
}

static int refuse_reading(const arg_command *command, const char *text, uint64_t readings)
{
    const char *name = strchr(text, ':') ? strchr(text, ':') + 1 : text;
    char names[MESSAGE_SIZE / 2] = "", hint[NEAREST_HINT];
    nearest near;

    nearest_begin(&near, name, strlen(name));
    for (int32_t i = 1; kldve_reading_name(i); i++)
        if (readings >> i & 1)
            nearest_offer(&near, kldve_reading_name(i));
    list_readings(readings, names, sizeof names);
    if (nearest_best(&near))
        return args_usage(command->name, "--method: there is no reading '%s'%s", text,
                          nearest_hint(&near, "", hint));
    return args_usage(command->name, "--method: there is no reading '%s'; the readings are %s",
                      text, names);
}

static int check_method(const arg_command *command, const grid_args *a, const char *text)
{
    grid_method method;
    char names[MESSAGE_SIZE / 2] = "";

    switch (grid_read_method(text, grid_reading(a), &method)) {
    case GRID_NO_METHOD:
        return refuse_method(command, text);
    case GRID_TAKES_NO_READING:
        list_with_readings(names, sizeof names);
        return args_usage(command->name, "--method: '%s': only these methods take a reading: %s",
                          text, names);
    case GRID_NO_READING:
        return refuse_reading(command, text, method.method->readings);
    case GRID_METHOD_OK:
        break;
    }
    return truth_check_args(command->name, a->truth, method.reading);
}

/* Find options that change the map of none of the methods, which go into use[].  (--truth also
 * lists where the two networks disagree.) */
static int check_read(const arg_command *command, const grid_args *a, method_use *use)
{
    int32_t uses = a->method.count > 0 ? a->method.count : 1;
    uint64_t given = (a->temperature > 0 ? KLDVE_OPTION_TEMPERATURE : 0) |
                     (a->perplexity > 0 ? KLDVE_OPTION_PERPLEXITY : 0) |
                     (a->neighbour_perplexity > 0 ? KLDVE_OPTION_NEIGHBOUR_PERPLEXITY : 0);
    bool asks = a->method.count == 0; /* whether a method leaves its reading open */
    grid_method m;
    int status;

    use[0] = (method_use){method_number(0), grid_reading(a)};
    for (int32_t i = 0; i < a->method.count; i++) {
        grid_read_method(a->method.text[i], grid_reading(a), &m);
        use[i] = (method_use){m.method, m.reading};
        asks = asks || (m.method->readings && !strchr(a->method.text[i], ':'));
    }
    if (a->reading > 0 && !asks)
        return args_usage(command->name, "--reading changes nothing: every --method names its "
                                         "reading or has none");
    status = unread_options(command->name, given, use, uses);
    for (int32_t i = 0; status == EXIT_DONE && i < a->networks; i++)
        if (a->network[i].layer)
            status = unread_layer(command->name, "layer", use, uses);
    return status;
}

static int check_methods(const arg_command *command, const grid_args *a)
{
    method_use *use = calloc((size_t)a->method.count + 1, sizeof *use);
    int status = EXIT_FAILED;

    if (use)
        status = check_read(command, a, use);
    else
        complain("out of memory");
    free(use);
    return status;
}

int grid_check_colours(const arg_command *command, const grid_args *a, const drawing *d)
{
    method_use *use = calloc((size_t)a->method.count + 1, sizeof *use);
    grid_method m;
    int status;

    if (!use) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    use[0].method = method_number(0);
    for (int32_t i = 0; i < a->method.count; i++) {
        grid_read_method(a->method.text[i], grid_reading(a), &m);
        use[i].method = m.method;
    }
    status = drawing_check_sign(command->name, d, use, a->method.count > 0 ? a->method.count : 1,
                                a->sign);
    free(use);
    return status;
}

/* What is given twice would be drawn twice, and has one place in a database. */
static int check_repeated(const arg_command *command, const grid_args *a)
{
    grid_method one, other;

    for (int32_t i = 0; i < a->method.count; i++)
        for (int32_t k = 0; k < i; k++) {
            grid_read_method(a->method.text[i], grid_reading(a), &one);
            grid_read_method(a->method.text[k], grid_reading(a), &other);
            if (strcmp(one.id, other.id) == 0)
                return args_usage(command->name, "--method: %s is given twice", one.id);
        }
    return args_twice(command->name, "target", &a->target);
}

/* Find mistakes that show before any file is read.  EXIT_DONE, or EXIT_USAGE after a message. */
static int check(const arg_command *command, const grid_args *a)
{
    int status;

    for (int32_t i = 0; i < a->method.count; i++)
        if ((status = check_method(command, a, a->method.text[i])) != EXIT_DONE)
            return status;
    if (a->method.count == 0 &&
        (status = check_method(command, a, method_number(0)->name)) != EXIT_DONE)
        return status;
    if ((status = check_repeated(command, a)) != EXIT_DONE)
        return status;
    for (int32_t i = 0; i < a->networks; i++)
        if ((status = network_check_args(command->name, &a->network[i])) != EXIT_DONE)
            return status;
    if ((status = limits_check(command->name, &a->limit)) != EXIT_DONE)
        return status;
    return check_methods(command, a);
}

int grid_guard(const arg_command *command, const grid_args *a, const guard_output *outputs,
               int32_t count)
{
    int status = guard_outputs(command->name, outputs, count);

    for (int32_t i = 0; status == EXIT_DONE && i < a->picture.count; i++)
        status = guard_input(command->name, a->picture.text[i], outputs, count);
    if (status == EXIT_DONE && a->pick.over)
        status = guard_input(command->name, a->pick.over, outputs, count);
    for (int32_t i = 0; status == EXIT_DONE && i < a->networks; i++)
        status = guard_network(command->name, &a->network[i], outputs, count);
    if (status == EXIT_DONE)
        status = truth_guard(command->name, a->truth, outputs, count);
    return status == EXIT_DONE ? guard_writable(outputs, count) : status;
}

/* All networks are asked for the same.  EXIT_DONE, or EXIT_USAGE after a message. */
static int read_pick(const arg_command *command, grid_args *a)
{
    uint64_t flags = 0;
    int status = pick_read_args(command->name, &a->pick, &flags);

    for (int32_t i = 0; i < a->networks; i++)
        a->network[i].flags |= flags;
    return status == EXIT_DONE && a->truth ? pick_excludes(command->name, &a->pick, "truth")
                                           : status;
}

int grid_finish_args(const arg_command *command, grid_args *a)
{
    int status;

    if (!end_networks(a))
        return EXIT_FAILED;
    status = read_pick(command, a);
    return status == EXIT_DONE ? check(command, a) : status;
}

int grid_read_args(const arg_command *command, int argc, char **argv, void *values, bool *go)
{
    grid_args *a = values;
    int32_t n;

    *go = false;
    n = args_parse(command, argc, argv, values);
    if (n < 0)
        return args_status(n);
    *go = true;
    if (n == 0)
        return args_usage(command->name, "a picture is missing: kldve %s %s", command->name,
                          command->usage);
    if ((n = streams_check_inputs(command->name, &a->picture)) != EXIT_DONE)
        return n;
    return grid_finish_args(command, a);
}
