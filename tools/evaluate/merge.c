/* merge.c - kldve merge: the databases of several shards into one. */
#include "results.h"

typedef struct values {
    arg_list path;
    results_args results;
    bool quiet;
} values;

static const arg_option options[] = {
    OPTION_REST(offsetof(values, path)),
    RESULTS_OPTIONS(values, results),
    OPTION_FLAG("quiet", offsetof(values, quiet), "print no tables"),
    OPTION_END,
};

/* No output takes the place of a database. */
static int check_outputs(const char *command, const values *v)
{
    int status = EXIT_DONE;

    for (int32_t i = 0; status == EXIT_DONE && i < v->path.count; i++)
        status = results_check_args(command, &v->results, v->path.text[i]);
    return status;
}

static bool show(const char *path, const values *v)
{
    store *s;
    bool ok;

    if (!store_open_read(path, &s))
        return false;
    ok = results_write(s, &v->results, NULL, v->quiet);
    store_close(s);
    return ok;
}

static int merge(const arg_command *command, const values *v)
{
    const char **path = v->path.text;
    int status;

    if (v->path.count < 2)
        return args_usage(command->name, "give the database to make, then those to merge");
    status = check_outputs(command->name, v);
    if (status != EXIT_DONE)
        return status;
    return store_merge(path[0], path + 1, v->path.count - 1) && show(path[0], v) ? EXIT_DONE
                                                                                 : EXIT_FAILED;
}

static int command_merge(const arg_command *command, int argc, char **argv)
{
    values v = {.quiet = false};
    int32_t given = args_parse(command, argc, argv, &v);
    int status = given < 0 ? args_status(given) : merge(command, &v);

    args_free(command, &v);
    return status;
}

static const arg_example examples[] = {
    {"Of two parts that were measured with --shard 1/2 and --shard 2/2:",
     "kldve merge all.db part1.db part2.db"},
    {NULL, NULL},
};

const arg_command merge_command = {
    .name = "merge",
    .group = "Measure explanations:",
    .line = "one database of several, of parts of a data set",
    .files = ".db",
    .example = examples,
    .usage = "OUT.db IN.db... [options]",
    .summary = "Merge the databases of several kldve evaluate --shard i/n into a new one, and\n"
               "show what it says.  They must come from one command and one data set; answers\n"
               "that two of them have must be the same.",
    .option = options,
    .run = command_merge,
};
