/* explanation.c - from a picture and a network to a map: what is loaded, which class is meant, the
 * layers that are fused. */
#include "explain.h"
#include "cli/getters.h"
#include "expected.h"

#include <stdlib.h>
#include <string.h>

void explain_options_of(const explanation *e, const explain_args *args, kldve_options *o)
{
    memset(o, 0, sizeof *o);
    o->struct_size = sizeof *o;
    o->method = e->method->name;
    o->reading = args->reading; /* 0: the default */
    o->temperature = (float)args->temperature;
    o->perplexity = args->perplexity;
    o->neighbour_perplexity = args->neighbour_perplexity;
    o->flags = args->check ? KLDVE_FLAG_CHECK : 0;
    if (args->check && args->check_passes >= 0)
        o->check_passes = args->check_passes > 0 ? args->check_passes : -1;
    o->sign = args->sign; /* choices count from 1; kldve_sign has its default at 0 */
    o->samples = args->samples;
    o->window = args->window;
    o->stride = args->stride;
    o->noise = args->noise;
    o->seed = args->seed > 0 ? (uint64_t)args->seed : 0;
    o->truth = e->truth.score; /* NULL without one */
    o->smooth = args->smooth;
    pick_options(&args->pick, &e->mask, o);
}

static uint64_t needs_of(const explanation *e, const explain_args *args)
{
    kldve_options o;

    explain_options_of(e, args, &o);
    return e->method->needs_with ? e->method->needs_with(&o) : e->method->needs;
}

static bool mask_covers(const explanation *e, const explain_args *args)
{
    return !e->picture ||
           pick_covers(&args->pick, &e->mask, args->picture.text[0], kldve_image_width(e->picture),
                       kldve_image_height(e->picture));
}

bool explanation_open(explanation *e, kldve_ctx *ctx, const explain_args *args,
                      const network_args *how)
{
    network_args wanted = *how;
    double begin = now_ms();

    e->method = explain_method(args);
    e->net.ctx = ctx;
    if (!pick_load(&args->pick, ctx, &e->mask))
        return false;
    network_plan_for(&wanted, needs_of(e, args));
    if (!network_load(&e->net, ctx, &wanted) || !network_prepare(&e->net, &wanted) ||
        !pick_fits(&args->pick, &e->net))
        return false;
    e->ms.load = now_ms() - begin;
    return true;
}

bool explanation_take(explanation *e, const explain_args *args)
{
    const char *path = args->picture.text[0];

    if (!mask_covers(e, args))
        return false;
    if (!subject_is_array(path))
        return subject_fits_frames(e);
    return subject_fit(e, &e->net, path, &e->input) && subject_draw(e);
}

/* What the pictures or the array say about the network's input. */
static network_args for_subject(const explanation *e, const explain_args *args)
{
    network_args wanted = args->network;

    wanted.array = subject_is_array(args->picture.text[0]) ? &e->array : NULL;
    wanted.frames = e->frames > 1 ? e->frames : 0;
    return wanted;
}

bool explanation_load(explanation *e, kldve_ctx *ctx, const explain_args *args)
{
    network_args wanted;
    double begin = now_ms();

    /* Read the picture first: that is cheap, and its name is as easily mistyped. */
    if (!subject_read(e, ctx, args))
        return false;
    e->ms.decode = now_ms() - begin;
    wanted = for_subject(e, args);
    return explanation_open(e, ctx, args, &wanted) && explanation_take(e, args);
}

/* The index of the class that --`option` names.  A rank costs a forward pass, because only the
 * scores tell which class is second. */
static bool find_index(const explanation *e, const explain_args *args, const char *option,
                       const char *text, int32_t *index)
{
    kldve_options o;
    kldve_record record = {.struct_size = sizeof record};
    kldve_heatmap *map = NULL;
    kldve_status status;

    classes_ask(&e->net, &o);
    pick_options(&args->pick, &e->mask, &o);
    if (!classes_target(&e->net, option, text, &o))
        return false;
    *index = o.target;
    if (o.target_kind != KLDVE_TARGET_RANK)
        return true;
    status = subject_explain(e, &e->net, &o, &map);
    if (status != KLDVE_OK) {
        complain_ctx(e->net.ctx, e->net.name, status);
        return false;
    }
    status = kldve_heatmap_record(map, &record);
    kldve_heatmap_free(map);
    if (status != KLDVE_OK) {
        complain_ctx(e->net.ctx, e->net.name, status);
        return false;
    }
    *index = record.target;
    return true;
}

/* Two names of one class would count it twice. */
static bool targets_differ(const explanation *e, const explain_args *args)
{
    for (int32_t i = 0; i < args->target.count; i++)
        for (int32_t k = 0; k < i; k++)
            if (e->set[i] == e->set[k]) {
                complain("%s: --target %s and --target %s are one class: give it once", e->net.name,
                         args->target.text[k], args->target.text[i]);
                return false;
            }
    return true;
}

static bool find_target(explanation *e, const explain_args *args, kldve_options *o)
{
    const char *first = args->target.count > 0 ? args->target.text[0] : "top1";

    if (args->rival) {
        o->target_kind = KLDVE_TARGET_VERSUS;
        if (!find_index(e, args, "target", first, &o->target) ||
            !find_index(e, args, "rival", args->rival, &o->rival))
            return false;
        e->rival = o->rival;
        return true;
    }
    if (args->target.count < 2)
        return classes_target(&e->net, "target", first, o);
    e->set = calloc((size_t)args->target.count, sizeof *e->set);
    if (!e->set) {
        complain("out of memory");
        return false;
    }
    o->target_kind = KLDVE_TARGET_SET;
    o->targets = e->set;
    o->target_count = args->target.count;
    for (int32_t i = 0; i < args->target.count; i++)
        if (!find_index(e, args, "target", args->target.text[i], &e->set[i]))
            return false;
    return targets_differ(e, args);
}

static bool explain_layer(const explanation *e, const network *net, const kldve_options *o,
                          kldve_heatmap **map)
{
    kldve_status status = subject_explain(e, net, o, map);

    if (status != KLDVE_OK)
        complain_ctx(net->ctx, net->name, status);
    return status == KLDVE_OK;
}

/* The maps of further layers -> map[]; *maps counts those that are there. */
static bool explain_layers(const explanation *e, const explain_args *args,
                           const kldve_options *options, kldve_heatmap **map, int32_t *maps)
{
    kldve_options o = *options;
    bool ok = true;

    if (o.target_kind == KLDVE_TARGET_RANK) { /* the same class in every layer */
        o.target_kind = KLDVE_TARGET_INDEX;
        o.target = e->record.target;
    }
    for (int32_t i = 0; ok && i < args->fuse.count; i++) {
        ok = explain_layer(e, &e->further[i], &o, &map[*maps]);
        *maps += ok;
    }
    return ok;
}

/* Load the network once more for each further layer. */
static bool load_further(explanation *e, const explain_args *args)
{
    if (!e->further)
        e->further = calloc((size_t)args->fuse.count, sizeof *e->further);
    if (!e->further) {
        complain("out of memory");
        return false;
    }
    for (; e->furthers < args->fuse.count; e->furthers++) {
        network *net = &e->further[e->furthers];
        network_args wanted = for_subject(e, args);

        wanted.layer = args->fuse.text[e->furthers];
        network_plan_for(&wanted, needs_of(e, args));
        if (!network_load(net, e->net.ctx, &wanted) || !network_prepare(net, &wanted)) {
            network_free(net);
            return false;
        }
    }
    return true;
}

/* Replace the map of the first layer by the mean of it and those of --fuse. */
static bool fuse_layers(explanation *e, const explain_args *args, const kldve_options *options)
{
    kldve_heatmap **map = calloc((size_t)args->fuse.count + 1, sizeof *map), *fused = NULL;
    kldve_status status = KLDVE_OK;
    int32_t maps = 1;
    bool ok;

    if (!map) {
        complain("out of memory");
        return false;
    }
    map[0] = e->map;
    ok = load_further(e, args) && explain_layers(e, args, options, map, &maps);
    if (ok)
        status = kldve_heatmap_fuse(e->net.ctx, (const kldve_heatmap *const *)map, maps, &fused);
    if (status != KLDVE_OK)
        complain_ctx(e->net.ctx, e->net.name, status);
    for (int32_t i = 0; i < maps; i++)
        kldve_heatmap_free(map[i]);
    free(map);
    e->map = fused;
    return ok && status == KLDVE_OK;
}

/* Read the other network's scores of the picture. */
static bool read_truth(explanation *e, const explain_args *args)
{
    float *input = NULL;
    bool ok = (e->truth.net.net ||
               (truth_load(&e->truth, e->net.ctx, args->truth, args->network.threads) &&
                truth_fits(&e->truth, &e->net))) &&
              (!e->input || subject_fit(e, &e->truth.net, args->picture.text[0], &input)) &&
              truth_score(&e->truth, e->picture, input);

    free(input);
    return ok;
}

static bool read_map(explanation *e)
{
    kldve_status status;

    e->record.struct_size = sizeof e->record;
    e->stages.struct_size = sizeof e->stages;
    if ((status = kldve_heatmap_record(e->map, &e->record)) == KLDVE_OK &&
        (status = kldve_heatmap_timings(e->map, &e->stages)) == KLDVE_OK)
        return true;
    complain_ctx(e->net.ctx, e->net.name, status);
    return false;
}

bool explanation_ask(explanation *e, const explain_args *args, kldve_options *o)
{
    if (args->truth && !read_truth(e, args))
        return false;
    explain_options_of(e, args, o);
    return find_target(e, args, o);
}

bool explanation_finish(explanation *e, const explain_args *args, const kldve_options *o)
{
    const float *logits;
    size_t count;

    if (!read_map(e) || (args->fuse.count > 0 && (!fuse_layers(e, args, o) || !read_map(e))))
        return false;
    logits = map_logits(e->map, &count);
    e->tops = e->record.scores == KLDVE_SCORES_NUMBER ? 0 : classes_top(logits, count, e->top);
    return !args->expected || expected_make(e, args, o);
}

bool explanation_answer(explanation *e, const explain_args *args, const kldve_options *o)
{
    double begin = now_ms();
    bool ok = explain_layer(e, &e->net, o, &e->map) && explanation_finish(e, args, o);

    e->ms.explain = now_ms() - begin;
    return ok;
}

bool explanation_make(explanation *e, const explain_args *args)
{
    kldve_options o;

    return explanation_ask(e, args, &o) && explanation_answer(e, args, &o);
}

void explanation_clear(explanation *e)
{
    kldve_heatmap_free(e->map);
    e->map = NULL;
    kldve_heatmap_free(e->expected.map);
    e->expected = (explain_expected){.map = NULL};
    subject_free(e);
}

void explanation_free(explanation *e)
{
    explanation_clear(e);
    for (int32_t i = 0; i < e->furthers; i++)
        network_free(&e->further[i]);
    free(e->further);
    pick_free(&e->mask);
    truth_free(&e->truth);
    network_free(&e->net);
}
