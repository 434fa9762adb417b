/* many_open.c - from the arguments to the run over many pictures. */
#include <stdlib.h>
#include <string.h>

#include "expected.h"
#include "many.h"
#include "many/cores.h"
#include "many/folder.h"

bool many_asked(const explain_args *args)
{
    return args->picture.count > 1 || args->jsonl || args->write || args->resume ||
           folder_is(args->picture.text[0]);
}

/* ---- the network -------------------------------------------------------------------------- */

/* Whether pictures may go through the network together: nothing else is asked of each of them. */
static bool may_batch(const explain_args *args)
{
    const uint64_t of_batch = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT;
    const kldve_method *method = explain_method(args);

    return !(method->needs & ~of_batch || args->truth || args->rival || args->target.count > 1 ||
             args->fuse.count > 0 || args->check || args->smooth ||
             args->pick.kind != KLDVE_PICK_NONE || subject_is_array(args->picture.text[0]));
}

/* Arrays say what the network leaves open; the first one says it for all. */
static bool read_first(many *m)
{
    const char *path = m->picture.text[0];

    if (!subject_is_array(path))
        return true;
    m->how.array = &m->first.array;
    return npy_read(path, &m->first.array);
}

static int32_t cores(const many *m)
{
    return m->args->network.threads > 0 ? m->args->network.threads : cores_here(1);
}

int32_t many_threads(const many *m)
{
    return m->picture.count < cores(m) ? m->picture.count : cores(m);
}

/* The network says how many pictures it gains from taking together; a thread takes fewer where
 * another would have nothing to do. */
static void choose_pieces(many *m)
{
    int32_t batch = may_batch(m->args) ? m->first.net.shape.batch : 1;
    int32_t share = (m->picture.count + many_threads(m) - 1) / many_threads(m);

    m->batch = batch < 1 ? 1 : batch < MANY_BATCH ? batch : MANY_BATCH;
    m->piece = m->batch < share ? m->batch : share;
}

/* A thread of the run for each core, and where there are fewer pictures than cores several of the
 * engine's for each of them. */
static void share_cores(many *m)
{
    m->how = m->args->network;
    m->how.threads = cores(m) / many_threads(m);
    if (may_batch(m->args))
        m->how.batch = m->how.threads == 1 ? KLDVE_ONNX_BATCH_AUTO : 1;
    m->how.frames = m->picture.count > 1 && !m->how.as_it_is ? m->picture.count : 0;
}

/* Classes that do not exist, and a method that the network rules out: for all pictures alike. */
static bool check_question(const many *m)
{
    const explain_args *args = m->args;
    const network *net = &m->first.net;
    kldve_options o;
    kldve_status status;

    explain_options_of(&m->first, args, &o);
    for (int32_t i = args->target.count - 1; i >= 0; i--)
        if (!classes_target(net, "target", args->target.text[i], &o))
            return false;
    if (args->expected && !expected_fits(net))
        return false;
    if (args->rival) {
        kldve_options unused = o;

        if (!classes_target(net, "rival", args->rival, &unused))
            return false;
    }
    status = kldve_explainer_check(net->explainer, &o);
    if (status != KLDVE_OK)
        complain_ctx(net->ctx, net->name, status);
    return status == KLDVE_OK;
}

static bool load(many *m, kldve_ctx *ctx, progress *p)
{
    const explain_args *args = m->args;

    progress_step(p, "loading %s", network_called(&args->network));
    return limits_set(ctx, &args->limit) && explanation_open(&m->first, ctx, args, &m->how);
}

static bool load_truth(many *m)
{
    return !m->args->truth || (truth_load(&m->first.truth, m->first.net.ctx, m->args->truth, 1) &&
                               truth_fits(&m->first.truth, &m->first.net));
}

/* ---- the run ------------------------------------------------------------------------------ */

/* Options of many pictures decide it before the network is known. */
static bool cannot_be_film(const explain_args *args)
{
    return args->jsonl || args->write || args->resume;
}

/* Whether the pictures are one film; *status after a message where they cannot be. */
static bool is_film(const many *m, int *status)
{
    const explain_args *args = m->args;
    const char *option = args->jsonl ? "jsonl" : "write";

    if (m->first.net.shape.in_frames == 1 || m->how.as_it_is)
        return false; /* an array holds all frames */
    if (cannot_be_film(args))
        *status = args_usage("explain",
                             "--%s is for pictures that are explained one by one, and %s takes "
                             "films: give -o FILE and --json FILE",
                             option, m->first.net.name);
    return true;
}

static int guard_journal(const explain_args *args)
{
    const guard_output file = {"--jsonl", args->jsonl};
    int status = EXIT_DONE;

    if (!args->jsonl)
        return EXIT_DONE;
    for (int32_t i = 0; status == EXIT_DONE && i < args->picture.count; i++)
        status = guard_input("explain", args->picture.text[i], &file, 1);
    if (status == EXIT_DONE)
        status = guard_input("explain", args->pick.over, &file, 1);
    if (status == EXIT_DONE)
        status = guard_input("explain", expected_list(args), &file, 1);
    if (status == EXIT_DONE)
        status = guard_network("explain", &args->network, &file, 1);
    return status == EXIT_DONE ? truth_guard("explain", args->truth, &file, 1) : status;
}

static int start(many *m, kldve_ctx *ctx, progress *p, bool *film)
{
    int status = many_check_args(m->args);

    if (status == EXIT_DONE && cannot_be_film(m->args))
        status = many_check_single(m->args);
    if (status == EXIT_DONE)
        status = guard_journal(m->args);
    if (status != EXIT_DONE || !many_list(m))
        return status != EXIT_DONE ? status : EXIT_FAILED;
    share_cores(m);
    if (!read_first(m) || !load(m, ctx, p))
        return EXIT_FAILED;
    *film = is_film(m, &status);
    if (*film || (status = many_check_single(m->args)) != EXIT_DONE)
        return status;
    if (!check_question(m) || !load_truth(m))
        return EXIT_FAILED;
    choose_pieces(m);
    if ((status = many_name(m)) != EXIT_DONE)
        return status;
    /* Only records say what they depend on. */
    return !m->args->jsonl || many_describe(m) ? many_run(m, p) : EXIT_FAILED;
}

int many_command(const explain_args *args, bool *film)
{
    many m;
    progress p;
    kldve_ctx *ctx = NULL;
    int status = EXIT_FAILED;

    memset(&m, 0, sizeof m);
    m.args = args;
    if (kldve_ctx_new(NULL, &ctx) == KLDVE_OK) {
        progress_begin(&p, ctx, args->network.quiet);
        status = start(&m, ctx, &p, film);
        progress_end(&p);
    } else {
        complain("out of memory");
    }
    many_plan_free(&m);
    explanation_free(&m.first);
    kldve_ctx_free(ctx);
    return status;
}
