/* report.c - kldve report: pictures explained one after another, as one page that needs nothing
 * else. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "many/interrupt.h"

#define AT(member) offsetof(report_args, member)

static const arg_option options[] = {
    GRID_OPTIONS(report_args, grid),
    OPTION_GROUP("What the pictures show, of a folder or a list of pictures:"),
    OPTION_CHOICE("labels-from", AT(data.labels_from), "WHAT",
                  "labels of a folder's pictures: none, folder or name", dataset_labels_choice),
    OPTION_STRING("label-column", AT(data.column), "NAME", "column of a list that has the labels"),
    OPTION_STRING("classes", AT(data.classes), "FILE",
                  "table: label of the list, class of the network"),
    OPTION_STRING("pictures", AT(data.pictures), "FOLDER",
                  "where the pictures lie that annotations name"),
    OPTION_CHOICE("format", AT(data.kind), "KIND", "what the list is; default: told by its name",
                  dataset_kind_choice),
    OPTION_STRING("expected", AT(expected), "LABEL",
                  "what all other pictures show; folder: as --labels-from folder"),
    OPTION_GROUP("The page:"),
    OPTION_STRING("o", AT(page), "FILE", "default report.html"),
    OPTION_FLAG("force", AT(force), "let a page without a name replace report.html"),
    OPTION_NUMBER("split", AT(split), "MB",
                  "above this size a list and a folder of pages; default 48", 0.01, 2000),
    DRAWING_OPTIONS(report_args, draw),
    OPTION_END,
};

/* A page of another run stays, unless somebody says otherwise.  False after a message. */
static bool default_is_free(const report_args *args)
{
    if (args->force || access("report.html", F_OK) != 0)
        return true;
    complain("report.html exists: give the page another name with -o, or replace it with --force");
    return false;
}

/* As explain has it: every folder names its pictures.  EXIT_DONE, or EXIT_USAGE after a message. */
static int read_expected(report_args *args)
{
    if (!args->expected || strcmp(args->expected, "folder") != 0)
        return EXIT_DONE;
    if (args->data.labels_from > 0)
        return args_usage("report", "--expected folder is --labels-from folder: give one of them");
    args->expected = NULL;
    args->data.labels_from = DATASET_LABELS_FOLDER;
    return EXIT_DONE;
}

static int read_args(const arg_command *command, int argc, char **argv, void *values, bool *go)
{
    report_args *args = values;
    static const char *const pages[] = {".html", ".htm", NULL};
    int code;

    memset(args, 0, sizeof *args);
    drawing_defaults(&args->draw);
    code = grid_read_args(command, argc, argv, args, go);
    if (!*go || code != EXIT_DONE)
        return code;
    if (!args->page && !default_is_free(args))
        return EXIT_FAILED;
    if (!args->page)
        args->page = "report.html";
    if (!path_has_ending(args->page, pages) && strcmp(args->page, "-") != 0)
        return args_usage("report", "%s: give the page a name that ends in .html", args->page);
    if ((code = read_expected(args)) != EXIT_DONE ||
        (code = report_check_sources(args)) != EXIT_DONE ||
        (code = drawing_check(command->name, &args->draw,
                              &(drawing_targets){true, false, NULL, NULL})) != EXIT_DONE ||
        (code = grid_check_colours(command, &args->grid, &args->draw)) != EXIT_DONE)
        return code;
    return grid_guard(command, &args->grid, &(const guard_output){"-o", args->page}, 1);
}

/* ---- pictures ----------------------------------------------------------------------------- */

/* One report. */
typedef struct report {
    const report_args *args;
    grid *g;
    report_list list;
    report_book book;
    progress p;
    int32_t *expected;     /* [networks], of the picture that is explained */
    int32_t shown, failed; /* pictures */
} report;

/* The complaint about a picture, kept for the list, is also said; without "kldve: " and the name.
 */
static void tell_failure(report *r, const char *line, char why[LABEL_SIZE])
{
    const char *path = r->list.picture[r->book.next].path;
    size_t n = strlen(path);

    progress_end(&r->p);
    complain("%s", line);
    if (strncmp(line, path, n) == 0 && strncmp(line + n, ": ", 2) == 0)
        line += n + 2;
    report_hide_folders(r->g, path, line, why);
}

/* Explain the next picture and add it to the page.  False after a message: nothing goes on. */
static bool add_picture(report *r)
{
    const report_picture *picture = &r->list.picture[r->book.next];
    char line[MESSAGE_SIZE], why[LABEL_SIZE];
    bool ok;

    for (int32_t n = 0; n < r->g->networks; n++)
        r->expected[n] = report_class(&r->list, r->book.next, n);
    complain_into(line, sizeof line);
    ok = grid_take(r->g, &r->args->grid, picture->path, picture->shown,
                   report_side(r->list.pictures), &r->p);
    complain_into(NULL, 0);
    if (ok)
        grid_tell(r->g, &r->args->grid, &r->p);
    else
        tell_failure(r, line, why);
    r->shown += ok;
    r->failed += !ok;
    return report_book_add(&r->book, ok ? NULL : why);
}

static bool add_pictures(report *r)
{
    bool ok = report_book_begin(&r->book, r->g, r->args, &r->list);

    while (ok && r->book.next < r->list.pictures && !interrupt_came())
        ok = add_picture(r);
    progress_end(&r->p);
    return report_book_end(&r->book, ok && r->shown > 0) && ok && r->shown > 0;
}

/* ---- the command -------------------------------------------------------------------------- */

/* What was written, and what is missing in it.  Whether nothing is. */
static bool say_end(const report *r)
{
    bool whole = r->book.next == r->list.pictures;

    if (!whole)
        complain("interrupted: the report has %d of %d pictures", (int)r->book.next,
                 (int)r->list.pictures);
    if (r->failed > 0)
        complain("%d of %d pictures could not be explained; the report lists them", (int)r->failed,
                 (int)r->book.next);
    if (r->args->grid.quiet || strcmp(r->args->page, "-") == 0)
        return output_flush() && whole && r->failed == 0;
    fputs("wrote ", stdout);
    print_text(stdout, r->args->page);
    if (r->book.parts > 0)
        printf(", a list of %d pictures, and their pages in the folder beside it: %d, "
               "since one page would be too large for a browser",
               (int)r->book.next, (int)r->book.parts);
    printf("\n");
    return output_flush() && whole && r->failed == 0;
}

static bool load(report *r, kldve_ctx *ctx)
{
    bool ok = grid_begin_series(r->g, ctx, &r->args->grid, r->list.pictures,
                                r->list.has_labels ? r->expected : NULL, &r->p);

    for (int32_t n = 0; ok && n < r->g->networks; n++)
        r->g->network[n].shown = base_name(r->g->network[n].net.name);
    progress_end(&r->p);
    return ok && report_match(&r->list, r->g);
}

static bool run(grid *g, kldve_ctx *ctx, const void *values)
{
    report r = {.args = values, .g = g};
    bool ok;

    r.expected = calloc((size_t)r.args->grid.networks, sizeof *r.expected);
    if (!r.expected) {
        complain("out of memory");
        return false;
    }
    interrupt_begin();
    progress_begin(&r.p, ctx, r.args->grid.quiet);
    ok = report_list_open(&r.list, r.args) && load(&r, ctx) && add_pictures(&r) && say_end(&r);
    progress_end(&r.p);
    report_list_free(&r.list);
    free(r.expected);
    return ok;
}

static int command_report(const arg_command *command, int argc, char **argv)
{
    const grid_task task = {sizeof(report_args), read_args, run};

    return grid_command(&task, command, argc, argv);
}

static const arg_example examples[] = {
    {"A page of two pictures and two methods:",
     "kldve report PICTURE.png PICTURE2.png --method kl-dve --method rise -o page.html"},
    {NULL, NULL},
};

const arg_command report_command = {
    .name = "report",
    .group = "Explain decisions:",
    .line = "the same as one page for the browser, to click through and to share",
    .first = {"method", "target", "o", "model", "name"},
    .files = ".onnx .png .jpg .jpeg",
    .example = examples,
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
