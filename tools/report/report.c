/* report.c - kldve report: a grid of explanations as one page that needs nothing else. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(report_args, member)

static const arg_option options[] = {
    GRID_OPTIONS(report_args, grid),
    OPTION_GROUP("The page:"),
    OPTION_STRING("o", AT(page), "FILE", "default report.html"),
    OPTION_CHOICE("colormap", AT(colormap), "NAME", "default inferno", colormap_choice),
    OPTION_END,
};

static int read_args(const arg_command *command, int argc, char **argv, void *values, bool *go)
{
    report_args *args = values;
    static const char *const pages[] = {".html", ".htm", NULL};
    int code;

    memset(args, 0, sizeof *args);
    code = grid_read_args(command, argc, argv, args, go);
    if (!*go || code != EXIT_DONE)
        return code;
    if (!args->page)
        args->page = "report.html";
    if (!path_has_ending(args->page, pages))
        return args_usage("report", "%s: give the page a name that ends in .html", args->page);
    return grid_guard(command, &args->grid, &(const guard_output){"-o", args->page}, 1);
}

static bool run(grid *g, kldve_ctx *ctx, const void *values)
{
    const report_args *args = values;
    progress p;
    bool ok;

    progress_begin(&p, ctx, args->grid.quiet);
    ok = grid_run(g, ctx, &args->grid, REPORT_PICTURE_SIDE, &p);
    progress_end(&p);
    if (!ok || !report_write(g, args))
        return false;
    if (!args->grid.quiet)
        printf("wrote %s\n", args->page);
    return output_flush();
}

static int command_report(const arg_command *command, int argc, char **argv)
{
    const grid_task task = {sizeof(report_args), read_args, run};

    return grid_command(&task, command, argc, argv);
}

const arg_command report_command = {
    .name = "report",
    .usage = "[NET.onnx...] PICTURE... [options]",
    .summary =
        "Write one page, .html, on which you switch between pictures, networks, methods and\n"
        "targets, fade the heat, and read the map at every pixel.  It needs neither a network\n"
        "nor any other file.",
    .notes = "Without NET.onnx the built-in demonstration network is used.\n"
             "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
    .option = options,
    .run = command_report,
    .next = grid_next_network,
    .computes = true,
};
