/* explain.c - kldve explain: one picture or film, one network, one heat map; many.h has what is
 * done with many pictures. */
#include "explain.h"

#include "cli/output_names.h"
#include "expected.h"
#include "many.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the command -------------------------------------------------------------------------- */

/* What the map says of itself; the summary says why it is flat. */
static void say_remark(const explanation *e, bool summary)
{
    const char *remark = kldve_heatmap_remark(e->map);

    if (remark && !(summary && e->record.flags & KLDVE_RESULT_FLAT))
        complain("%s: %s", e->net.name, remark);
}

/* What was chosen and assumed, and what the map says of itself: about a result, because a failure
 * is one line. */
static void say_of_result(const explanation *e, const explain_args *args, bool summary)
{
    network_say_assumptions(&e->net, &args->network);
    threads_say(args->network.threads, args->network.quiet);
    if (args->truth)
        truth_say_assumptions(&e->truth, args->network.quiet);
    if (!args->network.quiet)
        say_remark(e, summary);
}

static void say_expected(const explanation *e)
{
    char words[2 * LABEL_SIZE];

    expected_words(e, words);
    printf("%s\n", words);
}

static bool run(explanation *e, kldve_ctx *ctx, const explain_args *args, progress *p)
{
    bool quiet = args->network.quiet;
    /* With a file on standard output, print nothing else there. */
    bool summary = !quiet && !explain_stream(args);
    bool ok;

    progress_begin(p, ctx, quiet);
    progress_step(p, "loading %s", network_called(&args->network));
    ok = limits_set(ctx, &args->limit) && explanation_load(e, ctx, args);
    if (ok) {
        progress_step(p, "explaining %s with %s", base_name(args->picture.text[0]),
                      e->method->name);
        ok = explanation_make(e, args);
    }
    if (ok) {
        progress_step(p, "drawing and writing");
        ok = explanation_write(e, args);
    }
    progress_end(p);
    if (!ok) /* after one line that says why */
        return false;
    say_of_result(e, args, summary);
    if (!summary_show(e, args, summary))
        return false;
    if (summary && args->expected)
        say_expected(e);
    return output_flush();
}

/* The exit status of arguments that were read. */
static int explain_all(const explain_args *args, double begin)
{
    explanation e;
    progress p;
    kldve_ctx *ctx = NULL;
    bool ok = false;

    memset(&e, 0, sizeof e);
    e.ms.begin = begin;
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        complain("out of memory");
    else
        ok = run(&e, ctx, args, &p);
    explanation_free(&e);
    kldve_ctx_free(ctx);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

/* Choose the name of the picture where the command line names none. */
static int choose_output(explain_args *args, output_names *names)
{
    const arg_list first = {1, 1, args->picture.text}; /* of a film the first frame */
    bool named = args->heat || args->map || args->dump || args->json || args->terminal;
    int status;

    if (args->overlay || (named && !args->out_dir))
        return EXIT_DONE;
    status = output_names_make("explain", &first, args->out_dir, ".kldve.png", names);
    if (status != EXIT_DONE)
        return status;
    args->overlay = names->path[0];
    if (!output_names_make_folder(names, args->out_dir) ||
        !output_name_is_free(args->overlay, args->out_dir, args->force))
        return EXIT_FAILED;
    return EXIT_DONE;
}

/* One picture, or one film. */
static int explain_one(explain_args *args, double begin)
{
    output_names names = {.count = 0};
    int code = choose_output(args, &names);

    if (code == EXIT_DONE)
        code = explain_guard(args);
    if (code == EXIT_DONE)
        code = explain_all(args, begin);
    output_names_free(&names);
    return code;
}

static int command_explain(const arg_command *command, int argc, char **argv)
{
    double begin = now_ms();
    explain_args args;
    bool go, film = true;
    int code = explain_read_args(command, argc, argv, &args, &go);

    if (go && code == EXIT_DONE && many_asked(&args)) {
        film = false;
        code = many_command(&args, &film);
    }
    if (go && code == EXIT_DONE && film)
        code = explain_one(&args, begin);
    args_free(command, &args);
    return code;
}

static const arg_example examples[] = {
    {"Why the built-in network says what it says; writes PICTURE.kldve.png:",
     "kldve explain PICTURE.png"},
    {"Why boat and not cat, with a network of your own:",
     "kldve explain NETWORK.onnx PICTURE.png --target boat --rival cat -o why.png"},
    {"With another method, and the record of the run:",
     "kldve explain PICTURE.png --method rise --samples 200 -o rise.png --json rise.json"},
    {NULL, NULL},
};

const arg_command explain_command = {
    .name = "explain",
    .group = "Explain decisions:",
    .line = "which pixels made the network say that: heat maps of pictures",
    .first = {"target", "method", "o", "layer", "terminal"},
    .files = ".onnx .png .jpg .jpeg .npy",
    .example = examples,
    .usage =
        "[NET.onnx] PICTURE... [options]\n       kldve explain [NET.onnx] PICTURE... FOLDER... "
        "--out-dir DIR [options]",
    .summary = "Show which pixels of a picture made a network decide.  Without NET.onnx the\n"
               "built-in demonstration network is used.",
    .notes = "A model card, NAME.card.json beside NAME.onnx, replaces all options of the network\n"
             "and of the preparation; docs/model-cards.md says how to write one.\n"
             "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
    .option = explain_options,
    .run = command_explain,
    .computes = true,
};
