/* evaluate_plan.c - how the database calls what is measured, and everything that the results depend
 * on: a later run with anything else under the same name is refused. */
#include "evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/getters.h"
#include "cli/json.h"
#include "cli/sha256.h"
#include "many/spec.h"

/* ---- methods and metrics ------------------------------------------------------------------ */

static void describe_method(const evaluation *e, int32_t i, spec *s)
{
    kldve_options o;

    grid_set_options(&e->args->grid, &e->method[i], &o);
    spec_add(s, "method %s", o.method);
    spec_add_text(s, "reading", o.reading ? kldve_reading_name(o.reading) : NULL);
    spec_add_number(s, "temperature", (double)o.temperature);
    spec_add_number(s, "perplexity", o.perplexity);
    spec_add_number(s, "neighbour perplexity", o.neighbour_perplexity);
    spec_add_number(s, "sign", o.sign);
}

static void describe_measure(const evaluation *e, const measure *m, spec *s)
{
    const kldve_metric_options none = {.struct_size = sizeof none};
    const kldve_metric_options *usual = m->metric->defaults ? m->metric->defaults : &none;
    const kldve_metric_options *o = &m->options;

    spec_add(s, "metric %s", m->metric->name);
    spec_add_number(s, "steps", o->steps ? o->steps : usual->steps);
    spec_add_number(s, "samples", o->samples ? o->samples : usual->samples);
    if (o->seed)
        spec_add(s, "seed %llu", (unsigned long long)o->seed);
    spec_add_number(s, "part", o->part > 0 ? o->part : usual->part);
    spec_add_number(s, "noise", o->noise > 0 ? o->noise : usual->noise);
    spec_add_number(s, "baseline", o->baseline ? o->baseline : usual->baseline);
    spec_add_number(s, "normalise", o->normalise);
    spec_add_number(s, "tolerance", o->tolerance > 0 ? o->tolerance : usual->tolerance);
    if (m->metric->needs & KLDVE_METRIC_NEED_RANDOMISED)
        spec_add(s, "%s %d, seed %d",
                 e->args->kind == KLDVE_RANDOMISE_CASCADE ? "cascade" : "independent",
                 (int)e->args->layer, (int)e->args->randomise_seed);
    if (m->metric->needs & KLDVE_METRIC_NEED_OTHER)
        spec_add(s, "against %s", e->method[0].id);
}

/* ---- questions ---------------------------------------------------------------------------- */

static uint64_t print_of_file(const char *path, uint64_t print)
{
    struct stat file;
    int64_t size = stat(path, &file) == 0 ? (int64_t)file.st_size : -1;

    return store_print(print, &size, sizeof size);
}

/* Where the answer lies, as the annotations say it. */
static uint64_t print_of_piece(const dataset_piece *piece, uint64_t print)
{
    print = store_print(print, &piece->kind, sizeof piece->kind);
    print = store_print(print, &piece->colour, sizeof piece->colour);
    if (piece->kind == DATASET_BOX)
        return store_print(print, piece->at.edge, sizeof piece->at.edge);
    if (piece->kind == DATASET_MASK)
        return print_of_file(piece->at.mask, print);
    print = store_print(print, &piece->at.shape.offset, sizeof piece->at.shape.offset);
    return store_print(print, &piece->at.shape.nbytes, sizeof piece->at.shape.nbytes);
}

static void describe_question(const dataset *d, const question *q, store_question *out)
{
    out->key = q->key;
    out->picture = q->picture;
    out->label = q->label;
    out->print = store_print(0, &q->tile, sizeof q->tile);
    for (int32_t i = 0; i < q->photos; i++)
        out->print = print_of_file(d->photo[q->photo[i]].path, out->print);
    for (int64_t i = q->first; i < q->first + q->pieces; i++)
        out->print = print_of_piece(&d->piece[i], out->print);
}

/* ---- the run ------------------------------------------------------------------------------ */

static const char *ask_name(int32_t ask)
{
    return ask == ASK_LABEL ? "label" : ask == ASK_ALONE ? "alone" : "target";
}

static const char *labels_name(int32_t labels_from)
{
    return labels_from == DATASET_LABELS_FOLDER ? "folder"
           : labels_from == DATASET_LABELS_NAME ? "name"
           : labels_from == DATASET_LABELS_NONE ? "none"
                                                : NULL;
}

static bool put_options(const evaluation *e, json_object *o)
{
    const grid_args *a = &e->args->grid;
    const dataset_args *d = &e->args->data;
    char hash[SHA256_TEXT];

    return (!d->classes || dataset_classes_digest(d->classes, hash)) &&
           json_put_text(o, "ask", ask_name(e->ask)) &&
           json_put_text(o, "target",
                         e->ask != ASK_TARGET  ? NULL
                         : a->target.count > 0 ? a->target.text[0]
                                               : "top1") &&
           json_put_text(o, "at", a->pick.at) && json_put_text(o, "box", a->pick.box) &&
           json_put_text(o, "labels_from", labels_name(d->labels_from)) &&
           json_put_text(o, "classes", d->classes ? hash : NULL) &&
           json_put(o, "truth", json_object_new_int(d->truth)) &&
           json_put(o, "turned", json_object_new_int(d->turned)) &&
           json_put(o, "mosaic", json_object_new_int(d->mosaic)) &&
           json_put(o, "seed", json_object_new_int(d->seed));
}

/* The texts are the plan's; NULL after a message. */
static const char *keep(const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        complain("out of memory");
    return copy;
}

static const char *describe_options(const evaluation *e)
{
    json_object *o = json_object_new_object();
    const char *text = NULL;

    if (o && put_options(e, o))
        text = keep(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    json_object_put(o);
    return text;
}

/* One network, method or metric; `i` counts them in that order. */
static bool describe_item(const evaluation *e, int32_t i, store_item *item)
{
    int32_t method = i - e->networks, metric = method - e->methods;
    spec s;
    bool ok = true;

    if (!spec_open(&s)) {
        complain("out of memory");
        return false;
    }
    if (method < 0) {
        item->name = e->network[i].name;
        ok = spec_add_network(&s, &e->network[i].net, &e->args->grid.network[i]);
    } else if (metric < 0) {
        item->name = e->method[method].id;
        describe_method(e, method, &s);
    } else {
        item->name = e->measure[metric].name;
        describe_measure(e, &e->measure[metric], &s);
    }
    item->spec = spec_close(&s, ok);
    return item->spec != NULL;
}

/* Two networks of one description would have the same maps. */
static bool networks_differ(const evaluation *e)
{
    for (int32_t i = 0; i < e->networks; i++)
        for (int32_t k = 0; k < i; k++)
            if (strcmp(e->item[i].spec, e->item[k].spec) == 0) {
                complain("%s and %s are the same network with the same options: give it once",
                         e->item[k].name, e->item[i].name);
                return false;
            }
    return true;
}

bool evaluation_plan(evaluation *e)
{
    store_plan *plan = &e->plan;
    int32_t items = e->networks + e->methods + e->measures;

    e->item = calloc((size_t)items, sizeof *e->item);
    e->question = calloc((size_t)e->data.questions, sizeof *e->question);
    if (!e->item || !e->question) {
        complain("out of memory");
        return false;
    }
    for (int32_t i = 0; i < items; i++)
        if (!describe_item(e, i, &e->item[i]))
            return false;
    if (!networks_differ(e))
        return false;
    for (int32_t i = 0; i < e->data.questions; i++)
        describe_question(&e->data, &e->data.question[i], &e->question[i]);
    store_build(e->build);
    *plan = (store_plan){.build = e->build,
                         .options = describe_options(e),
                         .networks = e->networks,
                         .methods = e->methods,
                         .metrics = e->measures,
                         .questions = e->data.questions,
                         .network = e->item,
                         .method = e->item + e->networks,
                         .metric = e->item + e->networks + e->methods,
                         .question = e->question};
    return plan->options != NULL;
}

void evaluation_plan_free(evaluation *e)
{
    int32_t items = e->networks + e->methods + e->measures;

    for (int32_t i = 0; e->item && i < items; i++)
        free((char *)(uintptr_t)e->item[i].spec);
    free((char *)(uintptr_t)e->plan.options);
    free(e->item);
    free(e->question);
}
