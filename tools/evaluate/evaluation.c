/* evaluation.c - what a run measures: the data set, the networks, the methods, the metrics; and
 * what of it cannot be measured, before any work is done. */
#include "evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/getters.h"

/* ---- the data set ------------------------------------------------------------------------- */

static bool any_truth(const dataset *d)
{
    for (int32_t i = 0; i < d->questions; i++)
        if (dataset_has_truth(d, i))
            return true;
    return false;
}

/* A mosaic is asked for its photographs: by their labels where there are some. */
static void choose_ask(evaluation *e)
{
    e->ask = e->args->ask;
    if (e->ask == 0)
        e->ask = e->args->data.mosaic == 0 ? ASK_TARGET
                 : e->data.labels > 0      ? ASK_LABEL
                                           : ASK_ALONE;
}

static bool open_data(evaluation *e)
{
    if (!dataset_open(&e->data, &e->args->data) || !evaluate_spares(e->args, &e->data))
        return false;
    choose_ask(e);
    if (e->ask != ASK_LABEL || e->data.labels > 0)
        return true;
    complain("%s: --ask label: the data set has no labels", e->data.name);
    return false;
}

/* ---- methods and metrics ------------------------------------------------------------------ */

static bool read_methods(evaluation *e)
{
    const grid_args *a = &e->args->grid;

    e->methods = a->method.count > 0 ? a->method.count : 1;
    e->method = calloc((size_t)e->methods, sizeof *e->method);
    if (!e->method) {
        complain("out of memory");
        return false;
    }
    for (int32_t i = 0; i < e->methods; i++)
        grid_read_method(a->method.count > 0 ? a->method.text[i] : method_number(0)->name,
                         a->reading, &e->method[i]);
    return true;
}

static bool read_measures(evaluation *e)
{
    const measure_can can = {
        .truth = any_truth(&e->data), .other = e->methods > 1, .say = !e->args->grid.quiet};

    e->measure = calloc(MEASURES, sizeof *e->measure);
    if (!e->measure) {
        complain("out of memory");
        return false;
    }
    if (measures_read("evaluate", &e->args->metric, &can, e->measure, &e->measures) != EXIT_DONE)
        return false;
    for (int32_t i = 0; i < e->measures; i++)
        e->needs |= e->measure[i].metric->needs;
    return true;
}

/* ---- networks ----------------------------------------------------------------------------- */

/* Of all methods, and of metrics that run the network. */
static uint64_t needs_of(const evaluation *e)
{
    uint64_t needs = e->needs & KLDVE_METRIC_NEED_NETWORK ? KLDVE_NEED_FORWARDS : 0;

    for (int32_t i = 0; i < e->methods; i++) {
        const kldve_method *method = e->method[i].method;
        kldve_options o;

        grid_set_options(&e->args->grid, &e->method[i], &o);
        needs |= method->needs_with ? method->needs_with(&o) : method->needs;
    }
    return needs;
}

static bool is_taken(const evaluation *e, int32_t networks, const char *name)
{
    for (int32_t i = 0; i < networks; i++)
        if (strcmp(e->network[i].name, name) == 0)
            return true;
    return false;
}

/* "squeezenet", else "squeezenet LAYER", else "squeezenet #2".  Networks that are added to a run
 * later do not change the names of those before them. */
static void name_network(evaluation *e, int32_t i)
{
    evaluate_network *n = &e->network[i];
    const network_args *args = &e->args->grid.network[i];
    char file[LABEL_SIZE / 2], whole[LABEL_SIZE];

    grid_stem(args->model ? args->model : "built-in", whole);
    clean_text(args->title ? args->title : whole, file, sizeof file);
    snprintf(whole, sizeof whole, "%s", file);
    if (is_taken(e, i, whole))
        snprintf(whole, sizeof whole, "%s %.100s", file, n->net.layer);
    if (is_taken(e, i, whole))
        snprintf(whole, sizeof whole, "%s #%d", file, (int)i + 1);
    clean_text(whole, n->name, sizeof n->name);
}

/* How much of a picture the network sees; kldve_input_spec says what 0 means. */
static dataset_view view_of(const evaluation *e, int32_t i)
{
    const network *net = &e->network[i].net;
    const network_args *args = &e->args->grid.network[i];
    int32_t width = net->shape.in_width, height = net->shape.in_height;
    int32_t side = width < height ? width : height;
    kldve_input_spec spec = {.struct_size = sizeof spec};
    int32_t resize, crop;

    if (net->card && kldve_card_input(net->card, &spec) != KLDVE_OK)
        memset(&spec, 0, sizeof spec);
    resize = args->resize > 0 ? args->resize : spec.resize_shorter_side;
    crop = args->crop > 0 ? args->crop : spec.center_crop;
    return (dataset_view){width, height,
                          (double)(crop > 0 ? crop : side) / (resize > 0 ? resize : side)};
}

static bool fits(const evaluation *e, const evaluate_network *n)
{
    if (n->net.shape.in_frames > 1) {
        complain("%s: it takes films, and kldve evaluate measures pictures", n->net.name);
        return false;
    }
    return pick_fits(&e->args->grid.pick, &n->net);
}

/* The classes that the labels mean, or the one that --target names. */
static bool find_targets(const evaluation *e, evaluate_network *n)
{
    const arg_list *target = &e->args->grid.target;
    kldve_options unused;

    if (e->ask == ASK_LABEL)
        return dataset_match(&e->data, &n->net, &n->targets);
    return e->ask == ASK_ALONE ||
           classes_target(&n->net, "target", target->count > 0 ? target->text[0] : "top1", &unused);
}

/* One thread for each explainer: the threads of a run each measure units of their own. */
static bool load_network(evaluation *e, int32_t i, uint64_t needs)
{
    evaluate_network *n = &e->network[i];
    network_args wanted = e->args->grid.network[i];

    wanted.threads = 1;
    network_plan_for(&wanted, needs);
    if (!network_load(&n->net, e->ctx, &wanted) || !network_prepare(&n->net, &wanted) ||
        !fits(e, n))
        return false;
    n->view = view_of(e, i);
    name_network(e, i);
    return find_targets(e, n);
}

static bool load_networks(evaluation *e, progress *p)
{
    uint64_t needs = needs_of(e);
    int32_t networks = e->args->grid.networks;

    e->network = calloc((size_t)networks, sizeof *e->network);
    if (!e->network) {
        complain("out of memory");
        return false;
    }
    for (int32_t i = 0; i < networks; i++) {
        progress_step(p, "loading network %d of %d", (int)i + 1, (int)networks);
        e->networks++;
        if (!load_network(e, i, needs))
            return false;
    }
    progress_end(p);
    return true;
}

/* ---- which network allows which method ---------------------------------------------------- */

/* Ask it; false: out of memory, or anything but "not with this network". */
static bool ask_network(evaluation *e, int32_t i, int32_t method)
{
    network *net = &e->network[i].net;
    const pick_mask nothing = {.value = NULL};
    char why[LABEL_SIZE];
    kldve_options o;
    kldve_status status;

    grid_set_options(&e->args->grid, &e->method[method], &o);
    pick_options(&e->args->grid.pick, &nothing, &o);
    status = kldve_explainer_check(net->explainer, &o);
    if (status == KLDVE_OK)
        return true;
    if (status != KLDVE_E_UNSUPPORTED && status != KLDVE_E_NO_VJP) {
        complain_ctx(e->ctx, net->name, status);
        return false;
    }
    clean_text(kldve_ctx_message(e->ctx), why, sizeof why);
    e->why_not[i * e->methods + method] = strdup(why);
    return e->why_not[i * e->methods + method] != NULL;
}

static bool ask_networks(evaluation *e)
{
    int32_t cells = e->networks * e->methods, left = 0;

    e->why_not = calloc((size_t)cells, sizeof *e->why_not);
    if (!e->why_not) {
        complain("out of memory");
        return false;
    }
    for (int32_t i = 0; i < e->networks; i++)
        for (int32_t m = 0; m < e->methods; m++) {
            if (!ask_network(e, i, m))
                return false;
            left += e->why_not[i * e->methods + m] != NULL;
        }
    if (left < cells)
        return true;
    complain("%s: %s", e->network[0].net.name, e->why_not[0]);
    return false;
}

/* ---- random parameters -------------------------------------------------------------------- */

kldve_status evaluation_randomise(const evaluation *e, const network *twin)
{
    return kldve_explainer_randomise(twin->explainer, e->args->kind, e->args->layer,
                                     (uint64_t)e->args->randomise_seed);
}

/* Options for random parameters where nothing asks for them would do nothing; a layer that a
 * network does not have is found now. */
static bool check_randomise(const evaluation *e)
{
    const char *name;

    if (!(e->needs & KLDVE_METRIC_NEED_RANDOMISED)) {
        if (e->args->randomise || e->args->randomise_seed > 0)
            complain("--randomise%s changes nothing: no metric asks for random parameters",
                     e->args->randomise ? "" : "-seed");
        return !e->args->randomise && e->args->randomise_seed == 0;
    }
    for (int32_t i = 0; i < e->networks; i++) {
        const network *net = &e->network[i].net;
        kldve_status status = kldve_explainer_parameters(net->explainer, e->args->layer, &name);

        if (status == KLDVE_E_NOT_FOUND)
            complain("%s: --randomise: there is no layer %d with parameters", net->name,
                     (int)e->args->layer);
        else if (status != KLDVE_OK)
            complain_ctx(e->ctx, net->name, status);
        if (status != KLDVE_OK)
            return false;
    }
    return true;
}

/* ---- the whole ---------------------------------------------------------------------------- */

bool evaluation_prepare(evaluation *e, kldve_ctx *ctx, const evaluate_args *args, progress *p)
{
    memset(e, 0, sizeof *e);
    e->ctx = ctx;
    e->args = args;
    return limits_set(ctx, &args->grid.limit) && open_data(e) && read_methods(e) &&
           read_measures(e) && load_networks(e, p) && ask_networks(e) && check_randomise(e) &&
           evaluation_plan(e);
}

static void say_strange(const evaluate_network *n)
{
    const dataset_targets *t = &n->targets;

    if (t->strange > 0)
        complain(
            "%s: %d label%s of the data set, of %d question%s, mean no class of it or several: "
            "%s",
            n->name, (int)t->strange, t->strange == 1 ? "" : "s", (int)t->strange_questions,
            t->strange_questions == 1 ? "" : "s", t->names);
    if (t->missing > 0)
        complain("%s: it has not %d class%s that --classes names: %s", n->name, (int)t->missing,
                 t->missing == 1 ? "" : "es", t->missing_names);
}

/* What was chosen where the command line leaves it open. */
static void say_ask(const evaluation *e)
{
    if (e->args->ask == 0 && e->ask == ASK_LABEL)
        complain("%s: the networks are asked for the labels of the photographs", e->data.name);
    if (e->args->ask == 0 && e->ask == ASK_ALONE)
        complain("%s: there are no labels, so the networks are asked for their first class of each "
                 "photograph alone",
                 e->data.name);
}

void evaluation_say(const evaluation *e)
{
    for (int32_t i = 0; i < e->data.notes; i++)
        complain("%s: %s", e->data.name, e->data.note[i]);
    if (!e->args->grid.quiet)
        say_ask(e);
    threads_say(e->args->grid.network[0].threads, e->args->grid.quiet);
    for (int32_t i = 0; i < e->networks; i++) {
        network_say_assumptions(&e->network[i].net, &e->args->grid.network[i]);
        say_strange(&e->network[i]);
        for (int32_t m = 0; m < e->methods; m++)
            if (e->why_not[i * e->methods + m])
                complain("%s: %s left out: %s", e->network[i].name, e->method[m].id,
                         e->why_not[i * e->methods + m]);
    }
}

void evaluation_free(evaluation *e)
{
    evaluation_plan_free(e);
    for (int32_t i = 0; e->why_not && i < e->networks * e->methods; i++)
        free(e->why_not[i]);
    for (int32_t i = 0; i < e->networks; i++) {
        dataset_targets_free(&e->network[i].targets);
        network_free(&e->network[i].net);
    }
    dataset_close(&e->data);
    free(e->why_not);
    free(e->network);
    free(e->measure);
    free(e->method);
    memset(e, 0, sizeof *e);
}
