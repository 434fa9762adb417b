/* results.c - kldve results: what a database of kldve evaluate says. */
#include "results.h"

#include <string.h>

#include "cli/tool.h"

enum { SAMPLES = 1000 };

static const char *const export_endings[] = {".csv", ".json", ".jsonl", NULL};

static const char *const page_endings[] = {".html", ".htm", NULL};

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

int results_check_args(const char *command, const results_args *args, const char *database)
{
    const guard_output outputs[] = {{"--json", args->json},
                                    {"--csv", args->csv},
                                    {"--export", args->numbers},
                                    {"--page", args->page}};
    enum { OUTPUTS = sizeof outputs / sizeof *outputs };
    int status = guard_outputs(command, outputs, OUTPUTS);

    if (status == EXIT_DONE)
        status = guard_input(command, database, outputs, OUTPUTS);
    if (status == EXIT_DONE && args->numbers && !is_stdout(args->numbers) &&
        !path_has_ending(args->numbers, export_endings))
        return args_usage(command, "--export %s: give a name that ends in .csv, .json or .jsonl",
                          args->numbers);
    if (status == EXIT_DONE && args->page && !path_has_ending(args->page, page_endings))
        return args_usage(command, "--page %s: give a name that ends in .html", args->page);
    return status == EXIT_DONE ? guard_writable(outputs, OUTPUTS) : status;
}

int32_t results_find_against(const store_plan *plan, const char *name)
{
    char names[MESSAGE_SIZE / 2] = "";

    for (int32_t i = 0; i < plan->methods; i++) {
        if (!name || strcmp(plan->method[i].name, name) == 0)
            return i;
        list_name(names, sizeof names, plan->method[i].name);
    }
    complain("--against %s: the database has no such method: give one of %s", name ? name : "",
             names);
    return -1;
}

static bool write_summary(store *s, const summary *m, const results_args *args,
                          const results_artist *artist, bool quiet)
{
    int32_t against = results_find_against(m->plan, args->against);

    if (against < 0)
        return false;
    if (!quiet && !is_stdout(args->json) && !is_stdout(args->csv) && !is_stdout(args->numbers))
        results_print(m, against);
    return output_flush() && (!args->json || results_write_json(s, m, args->json)) &&
           (!args->csv || results_write_csv(m, args->csv)) &&
           (!args->numbers || results_export(s, args->numbers)) &&
           (!args->page || results_write_page(s, m, against, artist, args->page));
}

bool results_write(store *s, const results_args *args, const results_artist *artist, bool quiet)
{
    const bootstrap how = {args->samples ? args->samples : SAMPLES, 0.95, (uint64_t)args->seed};
    summary m;
    bool ok;

    if (!summary_make(s, &how, &m))
        return false;
    ok = write_summary(s, &m, args, artist, quiet);
    summary_free(&m);
    return ok;
}

/* ---- the command -------------------------------------------------------------------------- */

typedef struct values {
    arg_list file;
    results_args results;
    bool quiet;
} values;

static const arg_option options[] = {
    OPTION_REST(offsetof(values, file)),
    RESULTS_OPTIONS(values, results),
    OPTION_FLAG("quiet", offsetof(values, quiet), "print no tables"),
    OPTION_END,
};

static int show(const arg_command *command, const values *v)
{
    const char *path = v->file.count > 0 ? v->file.text[0] : NULL;
    store *s = NULL;
    int status;
    bool ok;

    if (!path)
        return args_usage(command->name, "the database is missing");
    status = results_check_args(command->name, &v->results, path);
    if (status != EXIT_DONE)
        return status;
    if (!store_open_read(path, &s))
        return EXIT_FAILED;
    ok = results_write(s, &v->results, NULL, v->quiet);
    store_close(s);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static int command_results(const arg_command *command, int argc, char **argv)
{
    values v = {.quiet = false};
    int32_t given = args_parse(command, argc, argv, &v);
    int status = given < 0 ? args_status(given) : show(command, &v);

    args_free(command, &v);
    return status;
}

static const arg_example examples[] = {
    {"The tables, and a page with plots:", "kldve results results.db --page results.html"},
    {NULL, NULL},
};

const arg_command results_command = {
    .name = "results",
    .group = "Measure explanations:",
    .line = "what such a database says: tables, JSON, CSV, a page",
    .files = ".db",
    .example = examples,
    .usage = "FILE.db [options]",
    .summary = "Show what a database of kldve evaluate or kldve merge says: means with 95 %\n"
               "bootstrap intervals over pictures, and paired differences.",
    .option = options,
    .max_rest = 1,
    .run = command_results,
};
