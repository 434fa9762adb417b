/* compare.c - kldve compare: pictures x networks x methods side by side. */
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
    OPTION_GROUP("What to write (default: the table, to the terminal):"),
    OPTION_STRING("o", AT(sheet), "FILE", "the sheet: .png, .svg or .pdf"),
    OPTION_STRING("json", AT(json), "FILE", "all figures; - is standard output"),
    OPTION_FLAG("table", AT(table), "print the table too"),
    OPTION_GROUP("The sheet:"),
    OPTION_STRING("sheet", AT(size), "SIZE",
                  "paper (170 mm, default), column (85 mm), page (A4), slide, or mm"),
    OPTION_CHOICE("columns", AT(look.columns), "WHAT",
                  "default: methods, networks or pictures, whichever are several", columns_choice),
    DRAWING_OPTIONS(compare_args, look.draw),
    OPTION_STRING("title", AT(look.title), "TEXT", "title above the grid"),
    OPTION_INT("quality", AT(look.quality), "N",
               "of JPEG in a .pdf, 1 to 100; default 92; 0: every pixel as it is", 0, 100),
    OPTION_STRING("font", AT(look.font), "FAMILY", "font of the sheet; default: a sans serif"),
    OPTION_END,
};

sheet_format sheet_format_of(const char *path)
{
    static const char *const svg[] = {".svg", NULL}, *const pdf[] = {".pdf", NULL};

    return path_has_ending(path, svg)   ? SHEET_SVG
           : path_has_ending(path, pdf) ? SHEET_PDF
                                        : SHEET_PNG;
}

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
    if (strcmp(text, "page") == 0) {
        look->page = true;
        return EXIT_DONE;
    }
    if (strcmp(text, "column") == 0) {
        look->width = 85;
        return EXIT_DONE;
    }
    look->width = strtod(text, &end);
    if (end != text && *end == '\0' && look->width >= NARROWEST && look->width <= WIDEST)
        return EXIT_DONE;
    return args_usage("compare",
                      "--sheet: '%s' is not paper, column, page, slide or a width of %d to %d mm",
                      text, NARROWEST, WIDEST);
}

/* Find options of the sheet where none is drawn. */
static int check_drawing(const compare_args *args)
{
    const struct {
        bool given;
        const char *name;
    } of_sheet[] = {
        {args->size != NULL, "sheet"},
        {args->look.columns > 0, "columns"},
        {args->look.title != NULL, "title"},
        {args->look.font != NULL, "font"},
    };

    if (args->look.quality >= 0 && !(args->sheet && sheet_format_of(args->sheet) == SHEET_PDF))
        return args_usage("compare", "--quality changes nothing: only a .pdf holds JPEG; add -o "
                                     "FILE.pdf");
    for (size_t i = 0; !args->sheet && i < sizeof of_sheet / sizeof *of_sheet; i++)
        if (of_sheet[i].given)
            return args_usage("compare", "--%s changes nothing: no sheet is drawn; add -o FILE",
                              of_sheet[i].name);
    return drawing_check(
        "compare", &args->look.draw,
        &(drawing_targets){args->sheet != NULL, false, "add -o FILE", "add -o FILE"});
}

static int read_args(const arg_command *command, int argc, char **argv, void *values, bool *go)
{
    compare_args *args = values;
    static const char *const sheets[] = {".png", ".svg", ".pdf", NULL};
    int code;

    memset(args, 0, sizeof *args);
    drawing_defaults(&args->look.draw);
    args->look.quality = -1;
    code = grid_read_args(command, argc, argv, args, go);
    if (!*go || code != EXIT_DONE)
        return code;
    if (args->sheet && !path_has_ending(args->sheet, sheets))
        return args_usage("compare", "%s: give the sheet a name that ends in .png, .svg or .pdf",
                          args->sheet);
    if ((code = read_size(args->size, &args->look)) != EXIT_DONE ||
        (code = check_drawing(args)) != EXIT_DONE ||
        (code = grid_check_colours(command, &args->grid, &args->look.draw)) != EXIT_DONE)
        return code;
    return grid_guard(command, &args->grid,
                      (const guard_output[]){{"-o", args->sheet}, {"--json", args->json}}, 2);
}

/* Before any network is loaded: a comparison can take hours. */
static bool check_sheet(const compare_args *args)
{
    const grid_args *a = &args->grid;
    const sheet_extent of = {
        .pictures = a->picture.count,
        .networks = a->networks,
        .methods = a->method.count > 0 ? a->method.count : 1,
        .targets = a->target.count > 0 ? a->target.count : 1,
        .aspect = 1,
        .has_truth = a->truth != NULL,
        .says_target =
            a->target.count > 1 || (a->target.count == 1 && strcmp(a->target.text[0], "top1") != 0),
    };

    return sheet_admits(&of, &args->look, args->sheet);
}

static bool run(grid *g, kldve_ctx *ctx, const void *values)
{
    const compare_args *args = values;
    bool quiet = args->grid.quiet, ok;
    progress p;

    if (args->sheet && !check_sheet(args))
        return false;
    progress_begin(&p, ctx, quiet);
    ok = grid_run(g, ctx, &args->grid, SHEET_PICTURE_SIDE, &p);
    progress_end(&p);
    if (!ok || (args->sheet && !sheet_write(g, &args->look, args->sheet)) ||
        (args->json && !json_write(args->json, grid_json(g))))
        return false;
    /* With JSON on standard output, print nothing else there. */
    if (!quiet && !(args->json && strcmp(args->json, "-") == 0)) {
        if (args->table || (!args->sheet && !args->json))
            compare_table(g);
        if (args->sheet)
            print_wrote(stdout, args->sheet);
        if (args->json)
            print_wrote(stdout, args->json);
    }
    return output_flush();
}

static int command_compare(const arg_command *command, int argc, char **argv)
{
    const grid_task task = {sizeof(compare_args), read_args, run};

    return grid_command(&task, command, argc, argv);
}

static const arg_example examples[] = {
    {"A sheet of two methods for a paper or a talk:",
     "kldve compare NETWORK.onnx PICTURE.png --method kl-dve --method grad-cam -o sheet.pdf"},
    {"Figures of the two best classes, without a sheet:",
     "kldve compare PICTURE.png PICTURE2.png --target top1 --target top2 --table"},
    {NULL, NULL},
};

const arg_command compare_command = {
    .name = "compare",
    .group = "Explain decisions:",
    .line = "networks, methods and targets side by side on one sheet",
    .first = {"method", "target", "o", "model", "table"},
    .files = ".onnx .png .jpg .jpeg",
    .example = examples,
    .usage = "[NET.onnx...] PICTURE... [options]",
    .summary =
        "Show side by side what several networks and methods make of pictures, with figures\n"
        "for each map ('kldve metrics' lists them).",
    .notes = "Without NET.onnx the built-in demonstration network is used.  A model card,\n"
             "NAME.card.json beside NAME.onnx, replaces all options of a network; see\n"
             "docs/model-cards.md.\n"
             "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
    .option = options,
    .run = command_compare,
    .next = grid_next_network,
    .computes = true,
};
