/* evaluate.c - kldve evaluate: the maps of networks and methods, measured over a data set. */
#include "evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "artist.h"
#include "cli/json.h"
#include "many/interrupt.h"
#include "run.h"

/* ---- the database ------------------------------------------------------------------------- */

/* How the run was made; nothing depends on it. */
static char *describe_run(const evaluate_args *args, const ranks *r, int32_t threads)
{
    json_object *o = json_object_new_object();
    char *text = NULL;

    if (o && json_put(o, "ranks", json_object_new_int(r->count)) &&
        json_put(o, "threads", json_object_new_int(threads)) &&
        json_put_text(o, "shard", args->shard))
        text = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    json_object_put(o);
    return text;
}

static bool open_store(const evaluation *e, const ranks *r, int32_t threads,
                       const char *command_line, store **out)
{
    char host[STORE_TEXT], machine[STORE_TEXT];
    char *record = describe_run(e->args, r, threads);
    const store_run run = {host, machine, command_line, record, (int64_t)getpid()};
    bool ok = record != NULL;

    store_host(host);
    store_machine(machine);
    if (ok)
        ok = store_open(e->args->db, &e->plan, &run, out);
    else
        complain("out of memory");
    free(record);
    return ok;
}

/* Whether there will be a method to subtract: one of this run, or of those that were here before
 * it. Asked before hours of work, not after. */
static bool check_against(const evaluation *e)
{
    const char *name = e->args->results.against;
    store *s = NULL;
    bool ok;

    for (int32_t i = 0; name && i < e->methods; i++)
        if (strcmp(e->method[i].id, name) == 0)
            return true;
    if (!name || access(e->args->db, F_OK) != 0)
        return results_find_against(&e->plan, name) >= 0;
    ok = store_open_read(e->args->db, &s) && results_find_against(store_plan_of(s), name) >= 0;
    store_close(s);
    return ok;
}

/* ---- the end ------------------------------------------------------------------------------ */

enum { NAMED = 20 /* pictures that could not be read */ };

typedef struct unreadable {
    const store_plan *plan;
    uint8_t *seen; /* [questions] */
    int32_t count;
} unreadable;

/* Each once, whatever many networks could not see it. */
static bool say_unreadable(void *opaque, const store_unreadable *u)
{
    unreadable *all = opaque;

    if (all->seen[u->question])
        return true;
    all->seen[u->question] = 1;
    if (all->count++ < NAMED)
        complain("%s: %s", all->plan->question[u->question].key, u->why);
    return true;
}

/* Whoever has raised a limit or brought a drive back should know why that changed nothing. */
static bool say_not_again(const evaluation *e, store *s, const run_end *end)
{
    store_counts all;

    if (!store_count(s, &all))
        return false;
    if (all.unreadable > end->unreadable)
        complain("what an earlier run could not read is not asked again; this lets it be: sqlite3 "
                 "%s 'DELETE FROM unit WHERE state = 1'",
                 e->args->db);
    return true;
}

/* Of the whole database; -1 after a message. */
static int32_t say_all_unreadable(const evaluation *e, store *s, const run_end *end)
{
    const store_plan *plan = store_plan_of(s);
    unreadable all = {plan, calloc((size_t)plan->questions + 1, 1), 0};
    bool ok = all.seen != NULL;

    if (ok)
        ok = store_each_unreadable(s, say_unreadable, &all);
    else
        complain("out of memory");
    if (ok && all.count > NAMED)
        complain("and %d more that cannot be read; %s has them all", (int)all.count - NAMED,
                 e->args->db);
    free(all.seen);
    return ok && say_not_again(e, s, end) ? all.count : -1;
}

/* One line on what was done. */
static void sum_up(const evaluation *e, const run_end *end, int32_t unreadable_pictures)
{
    const results_args *r = &e->args->results;
    bool taken = (r->json && strcmp(r->json, "-") == 0) || (r->csv && strcmp(r->csv, "-") == 0) ||
                 (r->numbers && strcmp(r->numbers, "-") == 0);

    if (e->args->grid.quiet || taken)
        return;
    print_text(stdout, e->args->db);
    printf(": %d question%s x %d network%s, %lld measured now", (int)e->data.questions,
           e->data.questions == 1 ? "" : "s", (int)e->networks, e->networks == 1 ? "" : "s",
           (long long)end->measured);
    if (e->args->shard)
        printf(", part %s", e->args->shard);
    if (unreadable_pictures > 0)
        printf(", %d unreadable", (int)unreadable_pictures);
    printf("\n");
}

static bool write_results(const evaluation *e, store *s)
{
    artist a = {.e = e, .s = s};
    const results_artist draws = {&a, artist_draw};
    bool ok = results_write(s, &e->args->results, &draws, e->args->grid.quiet);

    artist_close(&a);
    return ok;
}

/* What the database has now, which may be more than this run asked for. */
static int conclude(const evaluation *e, const run_end *end)
{
    store *s = NULL;
    int32_t count = -1;
    bool ok = store_open_read(e->args->db, &s);

    if (ok) {
        count = say_all_unreadable(e, s, end);
        sum_up(e, end, count);
        ok = count >= 0 && write_results(e, s);
    }
    store_close(s);
    if (end->left > 0)
        complain("%lld of %lld are not measured yet: the same command goes on",
                 (long long)end->left, (long long)end->units);
    if (!output_flush() || !ok || end->failed)
        return EXIT_FAILED;
    return end->left > 0 ? EXIT_UNFINISHED : count > 0 ? EXIT_FAILED : EXIT_DONE;
}

/* ---- ranks -------------------------------------------------------------------------------- */

static int lead(const evaluation *e, const ranks *r, int32_t threads, store *s, progress *p)
{
    run_end end;
    bool closed;
    int status;

    evaluation_say(e);
    run_lead(e, r, threads, s, p, &end);
    closed = store_close(s);
    status = conclude(e, &end);
    return closed ? status : EXIT_FAILED;
}

/* Rank 0 owns the database; the others hear whether it could be opened. */
static int work(const evaluation *e, const ranks *r, const char *command_line, progress *p)
{
    int32_t threads = evaluate_threads(e->args, r->here);
    store *s = NULL;
    char ok =
        r->rank == 0 && check_against(e) && open_store(e, r, threads, command_line, &s) ? 'y' : 'n';

    ranks_tell(r, &ok, sizeof ok);
    if (ok != 'y')
        return EXIT_FAILED;
    if (r->rank == 0)
        return lead(e, r, threads, s, p);
    return run_follow(e, threads) ? EXIT_DONE : interrupt_came() ? EXIT_UNFINISHED : EXIT_FAILED;
}

static int run(const evaluate_args *args, const char *command_line, const ranks *r)
{
    kldve_ctx *ctx = NULL;
    evaluation e;
    char why[LABEL_SIZE];
    bool ok;
    int status = EXIT_FAILED;
    progress p;

    memset(&e, 0, sizeof e);
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK) {
        complain("out of memory");
        exit(EXIT_FAILED); /* a launcher ends the other ranks */
    }
    progress_begin(&p, ctx, args->grid.quiet || r->rank > 0);
    complain_into(r->rank > 0 ? why : NULL, sizeof why);
    ok = evaluation_prepare(&e, ctx, args, &p);
    progress_end(&p);
    complain_into(NULL, 0);
    if (crew_agree(r, &e, ok, why))
        status = work(&e, r, command_line, &p);
    evaluation_free(&e);
    kldve_ctx_free(ctx);
    return status;
}

/* ---- the command -------------------------------------------------------------------------- */

/* All ranks read the same command line; the first says what is wrong with it. */
static int read_args(const arg_command *command, int argc, char **argv, evaluate_args *args,
                     bool *go)
{
    char unsaid[LABEL_SIZE];
    int status;

    complain_into(ranks_told() > 0 ? unsaid : NULL, sizeof unsaid);
    status = evaluate_read_args(command, argc, argv, args, go);
    complain_into(NULL, 0);
    return status;
}

static int command_evaluate(const arg_command *command, int argc, char **argv)
{
    evaluate_args *args = calloc(1, sizeof *args);
    char *command_line = store_command_line(argc, argv);
    bool go = false;
    ranks r;
    int status = EXIT_FAILED;

    if (!args || !command_line)
        complain("out of memory");
    else
        status = read_args(command, argc, argv, args, &go);
    if (go && status == EXIT_DONE) {
        interrupt_begin();
        status = ranks_begin(&r) ? run(args, command_line, &r) : EXIT_FAILED;
        ranks_end(&r);
    }
    free(command_line);
    if (args)
        evaluate_free_args(command, args);
    free(args);
    return status;
}

static const arg_example examples[] = {
    {"Two methods over a folder of pictures; the same command goes on where it ended:",
     "kldve evaluate NETWORK.onnx PHOTOS --method kl-dve --method grad-cam --db results.db"},
    {NULL, NULL},
};

const arg_command evaluate_command = {
    .name = "evaluate",
    .group = "Measure explanations:",
    .line = "how good maps are, over a whole data set; into a database",
    .first = {"db", "method", "metric", "model", "page"},
    .files = ".onnx .tsv .csv .json",
    .example = examples,
    .usage = "[NET.onnx...] DATASET --db FILE [options]",
    .summary =
        "Measure the maps of networks and methods over a whole data set: is the explanation\n"
        "true?  Results go into a database; the same command goes on where it ended.",
    .notes =
        "DATASET is a folder of pictures, a list (.tsv, .csv) or annotations.  Without --metric:\n"
        "insertion, deletion and energy_area, and where the data set knows where the objects are\n"
        "pointing_game and energy_inside; 'kldve metrics' lists all.  Metrics that compare two\n"
        "maps compare with that of the first --method.  --threads pictures are measured at a\n"
        "time, which changes no result; under mpirun all ranks share the work (docs/evaluate.md).\n"
        "Exit status: 0 done, 1 failed or some pictures cannot be read, 2 wrong usage, 3 stopped\n"
        "before the end.\n",
    .option = evaluate_options,
    .max_rest = 1,
    .run = command_evaluate,
    .next = grid_next_network,
    .computes = true,
};
