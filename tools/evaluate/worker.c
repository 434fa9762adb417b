/* worker.c - one thread that measures units.
 *
 * What belongs to one picture - it cannot be decoded, its scores are not finite, its label is no
 * class of the network - is written into the unit.  What would go wrong with every picture ends the
 * run: no memory, a metric that the network or the build does not allow. */
#include "worker_task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/getters.h"

bool worker_give_up(task *t, const char *what)
{
    const char *message = kldve_ctx_message(t->w->ctx);
    char text[2 * UNIT_WHY_SIZE];

    snprintf(text, sizeof text, "%s: %s: %s", t->net->name, what, message);
    clean_text(text, t->why, UNIT_WHY_SIZE);
    return false;
}

bool worker_ends_run(const worker *w, kldve_status status)
{
    return atomic_load(&w->cancelled) || status == KLDVE_E_NOMEM || status == KLDVE_E_CANCELLED;
}

/* Each picture has draws of its own, the same in every data set (FNV-1a of its name). */
static uint64_t seed_of(const char *picture)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *picture; picture++)
        hash = (hash ^ (unsigned char)*picture) * UINT64_C(0x100000001b3);
    return hash;
}

static void set_options(const task *t, int32_t method, kldve_options *o)
{
    const pick_mask nothing = {.value = NULL};
    const evaluation *e = t->w->e;

    grid_set_options(&e->args->grid, &e->method[method], o);
    pick_options(&e->args->grid.pick, &nothing, o);
    o->target_kind = t->target.target_kind;
    o->target = t->target.target;
    o->targets = t->target.targets;
    o->target_count = t->target.target_count;
    if (e->method[method].method->options & KLDVE_OPTION_SEED)
        o->seed = seed_of(e->data.question[t->u->question].picture);
}

/* ---- one map ------------------------------------------------------------------------------ */

/* NULL in *map where the network cannot say anything about this picture; method->why has it. */
static bool explain(task *t, const kldve_options *o, unit_method *says, kldve_heatmap **map)
{
    kldve_record record = {.struct_size = sizeof record};
    double begin = now_ms();
    kldve_status status = kldve_explain(t->net->explainer, t->picture.image, o, map);

    says->ms = now_ms() - begin;
    if (status == KLDVE_OK)
        status = kldve_heatmap_record(*map, &record);
    if (status == KLDVE_OK) {
        says->target = record.target;
        says->logit = record.logit;
        says->probability = record.probability;
        says->flags = record.flags;
        return true;
    }
    if (worker_ends_run(t->w, status))
        return worker_give_up(t, o->method);
    says->flags = status == KLDVE_E_NUMERIC ? KLDVE_RESULT_NON_FINITE : 0;
    clean_text(kldve_ctx_message(t->w->ctx), says->why, UNIT_WHY_SIZE);
    return true;
}

static kldve_status truth_boxes(task *t, const kldve_heatmap *map, int32_t width, int32_t height)
{
    const dataset_picture *p = &t->picture;
    float *box = malloc((size_t)p->boxes * 4 * sizeof *box);
    kldve_status status = KLDVE_E_NOMEM;

    for (int32_t i = 0; box && i < 4 * p->boxes; i++)
        box[i] = (float)p->box[i / 4][i % 4];
    if (box)
        status = kldve_heatmap_truth_boxes(t->w->ctx, map, width, height, box, p->boxes, t->truth);
    free(box);
    return status;
}

/* Where the answer lies in the input: t->truth, which stays NULL if nobody knows or the network
 * does not see it. */
static bool place_truth(task *t, const kldve_heatmap *map)
{
    const dataset_picture *p = &t->picture;
    const kldve_shape *shape = &t->net->shape;
    int32_t width = kldve_image_width(p->image), height = kldve_image_height(p->image);
    kldve_status status;

    t->placed = true;
    if (!(t->w->e->needs & KLDVE_METRIC_NEED_TRUTH) || (!p->mask && p->boxes == 0))
        return true;
    t->truth = malloc((size_t)shape->in_height * (size_t)shape->in_width);
    if (!t->truth) {
        snprintf(t->why, UNIT_WHY_SIZE, "out of memory");
        return false;
    }
    status = p->mask ? kldve_heatmap_truth_mask(t->w->ctx, map, width, height, p->mask, t->truth)
                     : truth_boxes(t, map, width, height);
    if (status == KLDVE_OK)
        return true;
    free(t->truth);
    t->truth = NULL;
    return worker_ends_run(t->w, status) ? worker_give_up(t, "where the object is") : true;
}

static bool measure_one(task *t, const kldve_heatmap *map, const kldve_options *o, int32_t i,
                        double *value)
{
    const measure *m = &t->w->e->measure[i];
    const kldve_metric_subject subject = {
        .struct_size = sizeof subject,
        .explainer = t->net->explainer,
        .input = t->input,
        .explained_with = o,
        .truth = t->truth,
        .other = t->first,
        .randomised = t->w->random ? t->w->random[t->u->network].explainer : NULL,
        .options = &m->options};
    kldve_status status = kldve_metric_compute(t->w->ctx, map, m->metric->name, &subject, value);

    if (status == KLDVE_OK)
        return true;
    *value = (double)NAN;
    return status == KLDVE_E_NUMERIC && !worker_ends_run(t->w, status) ? true
                                                                       : worker_give_up(t, m->name);
}

/* Whether this unit knows what a metric needs; what it lacks of one picture is no number. */
static bool has_needs(const task *t, const measure *m, int32_t method)
{
    uint64_t needs = m->metric->needs;

    return !(needs & KLDVE_METRIC_NEED_TRUTH && !t->truth) &&
           !(needs & KLDVE_METRIC_NEED_OTHER && (method == 0 || !t->first));
}

static bool measure_map(task *t, int32_t method, const kldve_options *o, const kldve_heatmap *map)
{
    const evaluation *e = t->w->e;
    size_t row = (size_t)method * (size_t)t->u->metrics;

    if (!t->placed && !place_truth(t, map))
        return false;
    for (int32_t i = 0; i < e->measures; i++)
        if (t->u->asked[row + (size_t)i] && has_needs(t, &e->measure[i], method) &&
            !measure_one(t, map, o, i, &t->u->value[row + (size_t)i]))
            return false;
    return true;
}

/* Whether a later method's map is compared with that of the first. */
static bool is_first_wanted(const task *t, int32_t method)
{
    return method == 0 && t->w->e->needs & KLDVE_METRIC_NEED_OTHER;
}

static bool measure_method(task *t, int32_t method)
{
    const evaluation *e = t->w->e;
    unit_method *says = &t->u->method[method];
    const char *why_not = e->why_not[t->u->network * e->methods + method];
    kldve_heatmap *map = NULL;
    kldve_options o;
    bool ok;

    if (*says->why || (!unit_asks(t->u, method) && !is_first_wanted(t, method)))
        return true;
    if (why_not) {
        clean_text(why_not, says->why, UNIT_WHY_SIZE);
        return true;
    }
    set_options(t, method, &o);
    ok = explain(t, &o, says, &map);
    if (ok && map)
        ok = measure_map(t, method, &o, map);
    if (is_first_wanted(t, method))
        t->first = map;
    else
        kldve_heatmap_free(map);
    return ok;
}

/* ---- one unit ----------------------------------------------------------------------------- */

/* What metrics that run the network begin with. */
static bool make_input(task *t)
{
    const uint64_t run =
        KLDVE_METRIC_NEED_NETWORK | KLDVE_METRIC_NEED_EXPLANATIONS | KLDVE_METRIC_NEED_RANDOMISED;
    const kldve_shape *shape = &t->net->shape;
    size_t count = (size_t)shape->in_channels * (size_t)shape->in_height * (size_t)shape->in_width;
    kldve_status status;

    if (!(t->w->e->needs & run))
        return true;
    t->input = malloc(count * sizeof *t->input);
    if (!t->input) {
        snprintf(t->why, UNIT_WHY_SIZE, "out of memory");
        return false;
    }
    status = kldve_explainer_input(t->net->explainer, t->picture.image, t->input);
    if (status == KLDVE_OK)
        return true;
    if (worker_ends_run(t->w, status))
        return worker_give_up(t, "the input");
    worker_no_maps(t, kldve_ctx_message(t->w->ctx));
    return true;
}

/* Lack of memory says nothing about the picture. */
static bool is_memory(const char *why)
{
    return strstr(why, kldve_status_name(KLDVE_E_NOMEM)) != NULL;
}

/* False: the run cannot go on.  A picture that cannot be read is an answer, too. */
static bool load(task *t)
{
    const evaluation *e = t->w->e;
    char why[LABEL_SIZE] = "";

    if (dataset_load(&e->data, t->u->question, t->w->ctx, &e->network[t->u->network].view,
                     &t->picture, why))
        return true;
    if (atomic_load(&t->w->cancelled))
        return false;
    if (is_memory(why)) {
        memcpy(t->why, why, UNIT_WHY_SIZE);
        return false;
    }
    t->u->state = UNIT_UNREADABLE;
    memcpy(t->u->why, why, UNIT_WHY_SIZE);
    return true;
}

static bool measure_unit(void *state, void *item, char why[UNIT_WHY_SIZE])
{
    worker *w = state;
    unit *u = item;
    task t = {.w = w, .u = u, .why = why, .net = &w->net[u->network]};
    bool ok = load(&t);

    if (ok && u->state == UNIT_MEASURED)
        ok = worker_ask(&t) && make_input(&t);
    for (int32_t m = 0; ok && u->state == UNIT_MEASURED && m < u->methods; m++)
        ok = measure_method(&t, m);
    kldve_heatmap_free(t.first);
    dataset_picture_free(&t.picture);
    free(t.input);
    free(t.truth);
    return ok;
}

/* ---- a thread ----------------------------------------------------------------------------- */

static void close_worker(void *state)
{
    worker *w = state;

    for (int32_t i = 0; w->net && i < w->e->networks; i++)
        kldve_explainer_free(w->net[i].explainer);
    for (int32_t i = 0; w->random && i < w->e->networks; i++)
        kldve_explainer_free(w->random[i].explainer);
    free(w->net);
    free(w->random);
    kldve_ctx_free(w->ctx);
    free(w);
}

static bool open_network(worker *w, int32_t i)
{
    const evaluation *e = w->e;
    const network_args *args = &e->args->grid.network[i];

    if (!network_twin(&e->network[i].net, args, w->ctx, &w->net[i]))
        return false;
    return !w->random || (network_twin(&e->network[i].net, args, w->ctx, &w->random[i]) &&
                          evaluation_randomise(e, &w->random[i]) == KLDVE_OK);
}

static bool open_networks(worker *w)
{
    const evaluation *e = w->e;

    w->net = calloc((size_t)e->networks, sizeof *w->net);
    if (e->needs & KLDVE_METRIC_NEED_RANDOMISED)
        w->random = calloc((size_t)e->networks, sizeof *w->random);
    if (!w->net || (e->needs & KLDVE_METRIC_NEED_RANDOMISED && !w->random) ||
        !limits_set(w->ctx, &e->args->grid.limit))
        return false;
    for (int32_t i = 0; i < e->networks; i++)
        if (!open_network(w, i))
            return false;
    return true;
}

static void *open_worker(const void *of, char why[UNIT_WHY_SIZE])
{
    const evaluation *e = of;
    worker *w = calloc(1, sizeof *w);

    snprintf(why, UNIT_WHY_SIZE, "a thread cannot start: out of memory");
    if (!w)
        return NULL;
    w->e = e;
    if (kldve_ctx_new(NULL, &w->ctx) == KLDVE_OK && open_networks(w))
        return w;
    if (w->ctx && *kldve_ctx_message(w->ctx))
        snprintf(why, UNIT_WHY_SIZE, "a thread cannot start: %.200s", kldve_ctx_message(w->ctx));
    close_worker(w);
    return NULL;
}

/* The flag first: a call that fails because of it must see it. */
static void cancel_worker(void *state)
{
    worker *w = state;

    atomic_store(&w->cancelled, true);
    kldve_ctx_cancel(w->ctx);
}

static void drop_unit(void *item)
{
    unit_free(item);
}

pool_work worker_work(const evaluation *e)
{
    return (pool_work){.of = e,
                       .item_nbytes = sizeof(unit),
                       .open = open_worker,
                       .work = measure_unit,
                       .cancel = cancel_worker,
                       .close = close_worker,
                       .drop = drop_unit};
}
