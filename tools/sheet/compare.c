/* compare.c - kldve compare: pictures x networks x methods beside each other. */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid/grid_json.h"
#include "cli/json.h"

static const char *columns_choice(int32_t index)
{
    static const char *const names[] = {"methods", "networks", "pictures"};

    return index >= 0 && index < 3 ? names[index] : NULL;
}

#define AT(member) offsetof(compare_args, member)

static const arg_option options[] = {
    GRID_OPTIONS(compare_args, grid),
    {ARG_GROUP, "What is written (without any of these: the table, to the terminal):", 0, NULL,
     NULL, 0, 0, NULL},
    {ARG_STRING, "o", AT(sheet), "FILE", "the sheet: .png, .svg or .pdf", 0, 0, NULL},
    {ARG_STRING, "json", AT(json), "FILE", "all figures; - is standard output", 0, 0, NULL},
    {ARG_FLAG, "table", AT(table), NULL, "print the table too", 0, 0, NULL},
    {ARG_GROUP, "The sheet:", 0, NULL, NULL, 0, 0, NULL},
    {ARG_STRING, "sheet", AT(size), "SIZE", "paper (170 mm, default), column (85 mm), slide, or mm",
     0, 0, NULL},
    {ARG_CHOICE, "columns", AT(look.columns), "WHAT", "default: what there is several of", 0, 0,
     columns_choice},
    {ARG_CHOICE, "colormap", AT(look.colormap), "NAME", "default inferno", 0, 0, colormap_choice},
    {ARG_NUMBER, "opacity", AT(look.opacity), "X", "of the heat over the picture; default 0.5", 0,
     1, NULL},
    {ARG_STRING, "title", AT(look.title), "TEXT", "above the grid", 0, 0, NULL},
    {ARG_STRING, "font", AT(look.font), "FAMILY", "default: a sans serif", 0, 0, NULL},
    {ARG_END, NULL, 0, NULL, NULL, 0, 0, NULL},
};

enum { NARROWEST = 40, WIDEST = 1000 };

/* EXIT_DONE, or EXIT_USAGE after a message. */
static int read_size(const char *text, sheet_options *look)
{
    char *end;

    if (!text || strcmp(text, "paper") == 0)
        return EXIT_DONE;
    if (strcmp(text, "slide") == 0) {
        look->slide = true;
        return EXIT_DONE;
    }
    if (strcmp(text, "column") == 0) {
        look->width = 85;
        return EXIT_DONE;
    }
    look->width = strtod(text, &end);
    if (end != text && *end == '\0' && look->width >= NARROWEST && look->width <= WIDEST)
        return EXIT_DONE;
    return args_usage("compare", "--sheet: '%s' is none of: paper, column, slide, %d to %d mm",
                      text, NARROWEST, WIDEST);
}

static int read_args(const arg_command *command, int argc, char **argv, void *values, bool *go)
{
    compare_args *args = values;
    static const char *const sheets[] = {".png", ".svg", ".pdf", NULL};
    int code;

    memset(args, 0, sizeof *args);
    args->look.opacity = -1;
    code = grid_read_args(command, argc, argv, args, go);
    if (!*go || code != EXIT_DONE)
        return code;
    if (args->sheet && !path_has_ending(args->sheet, sheets))
        return args_usage("compare", "%s: a sheet ends in .png, .svg or .pdf", args->sheet);
    return read_size(args->size, &args->look);
}

static bool run(grid *g, kldve_ctx *ctx, const void *values)
{
    const compare_args *args = values;
    bool quiet = args->grid.quiet, ok;
    progress p;

    if (args->sheet && !sheet_available())
        return false;
    progress_begin(&p, ctx, quiet);
    ok = grid_run(g, ctx, &args->grid, SHEET_PICTURE_SIDE, &p);
    progress_end(&p);
    if (!ok || (args->sheet && !sheet_write(g, &args->look, args->sheet)) ||
        (args->json && !json_write(args->json, grid_json(g))))
        return false;
    /* JSON on standard output stands there alone. */
    if (!quiet && !(args->json && strcmp(args->json, "-") == 0)) {
        if (args->table || (!args->sheet && !args->json))
            compare_table(g);
        if (args->sheet)
            printf("wrote %s\n", args->sheet);
        if (args->json)
            printf("wrote %s\n", args->json);
    }
    return output_flush();
}

static int command_compare(const arg_command *command, int argc, char **argv)
{
    const grid_task task = {sizeof(compare_args), read_args, run};

    return grid_command(&task, command, argc, argv);
}

const arg_command compare_command = {
    "compare",
    "[--model FILE.onnx]... PICTURE... [options]",
    "Show what several networks and methods make of pictures, beside each other, and how large "
    "the\n"
    "area is that they show: the share of the picture that holds half of the map's energy.",
    "Without --model the built-in demonstration network is used.  A model card, NAME.card.json\n"
    "beside NAME.onnx, saves all options of a network; see docs/model-cards.md.\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
    options,
    GRID_PICTURES,
    command_compare,
    grid_next_network,
    true,
};
