/* evaluate_plan.c - how the database calls what is measured, and everything that the results depend
 * on: a later run with anything else under the same name is refused. */
#include "evaluate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/getters.h"
#include "cli/json.h"

#include "sha256.h"

/* ---- texts -------------------------------------------------------------------------------- */

/* A text that grows: "file sha256:..., layer conv10". */
typedef struct spec {
    FILE *file;
    char *text; /* once the file is closed */
    size_t nbytes;
    bool begun;
} spec;

static bool spec_open(spec *s)
{
    *s = (spec){.text = NULL};
    s->file = open_memstream(&s->text, &s->nbytes);
    return s->file != NULL;
}

/* The text, which is the caller's; NULL after a message. */
static char *spec_close(spec *s, bool ok)
{
    bool whole = fflush(s->file) == 0 && !ferror(s->file);

    if (fclose(s->file) != 0 || !whole) {
        complain("out of memory");
        ok = false;
    }
    if (ok)
        return s->text;
    free(s->text);
    return NULL;
}

static void add(spec *s, const char *format, ...) KLDVE_PRINTF(2, 3);
static void add(spec *s, const char *format, ...)
{
    va_list args;

    if (s->begun)
        fputs(", ", s->file);
    s->begun = true;
    va_start(args, format);
    vfprintf(s->file, format, args);
    va_end(args);
}

static void add_text(spec *s, const char *key, const char *value)
{
    if (value)
        add(s, "%s %s", key, value);
}

static void add_number(spec *s, const char *key, double value)
{
    if (value != 0)
        add(s, "%s %.9g", key, value);
}

static bool add_file(spec *s, const char *key, const char *path)
{
    char hash[SHA256_TEXT];

    if (!path)
        return true;
    if (!sha256_file(path, hash))
        return false;
    add(s, "%s sha256:%s", key, hash);
    return true;
}

/* ---- a network ---------------------------------------------------------------------------- */

typedef struct weights {
    spec *spec;
    bool ok;
} weights;

static kldve_status add_weights(void *opaque, const char *file)
{
    weights *w = opaque;

    w->ok = add_file(w->spec, "weights", file);
    return w->ok ? KLDVE_OK : KLDVE_E_IO;
}

static bool add_model(const evaluation *e, const network_args *args, spec *s)
{
    weights w = {s, true};

    if (!args->model) {
        add(s, "built in"); /* the build says which */
        return true;
    }
    if (!add_file(s, "file", args->model))
        return false;
    if (kldve_onnx_weight_files(e->ctx, args->model, add_weights, &w) == KLDVE_OK)
        return true;
    if (w.ok)
        complain_ctx(e->ctx, args->model, KLDVE_E_IO);
    return false;
}

static void add_numbers(spec *s, const char *key, const arg_numbers *list)
{
    for (int32_t i = 0; i < list->count; i++)
        add(s, "%s %.9g", key, list->value[i]);
}

/* What the command line says instead of the card, or beside it. */
static bool add_arguments(const network_args *a, spec *s)
{
    add_text(s, "select", a->select);
    add_text(s, "picture-input", a->picture_input);
    add_text(s, "layout", a->layout);
    add_number(s, "scores", a->scores);
    add_number(s, "channels", a->channels);
    add_number(s, "scale", a->scale);
    add_numbers(s, "mean", &a->mean);
    add_numbers(s, "std", &a->std);
    add_number(s, "resize", a->resize);
    add_number(s, "crop", a->crop);
    add_number(s, "fit", a->fit);
    add_number(s, "interpolation", a->interpolation);
    add_numbers(s, "pad", &a->pad);
    if (a->grid.width > 0)
        add(s, "grid %dx%d", (int)a->grid.width, (int)a->grid.height);
    if (a->size.width > 0)
        add(s, "size %dx%d", (int)a->size.width, (int)a->size.height);
    for (int32_t i = 0; i < a->dim.count; i++)
        add_text(s, "dim", a->dim.text[i]);
    for (int32_t i = 0; i < a->input.count; i++) {
        const char *file = given_file(a->input.text[i]);

        add_text(s, "input", file ? NULL : a->input.text[i]);
        if (!add_file(s, "input", file))
            return false;
    }
    return true;
}

/* As bytes: two cards that mean the same count as different ones. */
static bool add_card(const network *net, const network_args *args, spec *s)
{
    char *beside = args->card || !args->model ? NULL : card_beside(args->model);
    const char *labels = args->labels ? args->labels
                         : net->card  ? kldve_card_labels(net->card)
                                      : NULL;
    bool ok = add_file(s, "card",
                       args->card  ? args->card
                       : net->card ? beside
                                   : NULL) &&
              add_file(s, "labels", args->model || args->labels || args->card ? labels : NULL);

    free(beside);
    return ok;
}

static bool describe_network(const evaluation *e, int32_t i, spec *s)
{
    const network *net = &e->network[i].net;
    const network_args *args = &e->args->grid.network[i];

    if (!add_model(e, args, s))
        return false;
    add(s, "layer %s", net->layer);
    add(s, "logits %s", net->logits);
    return add_card(net, args, s) && add_arguments(args, s);
}

/* ---- methods and metrics ------------------------------------------------------------------ */

static void describe_method(const evaluation *e, int32_t i, spec *s)
{
    kldve_options o;

    grid_set_options(&e->args->grid, &e->method[i], &o);
    add(s, "method %s", o.method);
    add_text(s, "reading", o.reading ? kldve_reading_name(o.reading) : NULL);
    add_number(s, "temperature", (double)o.temperature);
    add_number(s, "perplexity", o.perplexity);
    add_number(s, "neighbour perplexity", o.neighbour_perplexity);
    add_number(s, "sign", o.sign);
}

static void describe_measure(const evaluation *e, const measure *m, spec *s)
{
    const kldve_metric_options none = {.struct_size = sizeof none};
    const kldve_metric_options *usual = m->metric->defaults ? m->metric->defaults : &none;
    const kldve_metric_options *o = &m->options;

    add(s, "metric %s", m->metric->name);
    add_number(s, "steps", o->steps ? o->steps : usual->steps);
    add_number(s, "samples", o->samples ? o->samples : usual->samples);
    if (o->seed)
        add(s, "seed %llu", (unsigned long long)o->seed);
    add_number(s, "part", o->part > 0 ? o->part : usual->part);
    add_number(s, "noise", o->noise > 0 ? o->noise : usual->noise);
    add_number(s, "baseline", o->baseline ? o->baseline : usual->baseline);
    add_number(s, "normalise", o->normalise);
    add_number(s, "tolerance", o->tolerance > 0 ? o->tolerance : usual->tolerance);
    if (m->metric->needs & KLDVE_METRIC_NEED_RANDOMISED)
        add(s, "%s %d, seed %d",
            e->args->kind == KLDVE_RANDOMISE_CASCADE ? "cascade" : "independent",
            (int)e->args->layer, (int)e->args->randomise_seed);
    if (m->metric->needs & KLDVE_METRIC_NEED_OTHER)
        add(s, "against %s", e->method[0].id);
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

static bool put_options(const evaluation *e, json_object *o)
{
    const grid_args *a = &e->args->grid;
    const dataset_args *d = &e->args->data;
    char hash[SHA256_TEXT];

    return (!d->classes || sha256_file(d->classes, hash)) &&
           json_put_text(o, "ask", ask_name(e->ask)) &&
           json_put_text(o, "target",
                         e->ask != ASK_TARGET  ? NULL
                         : a->target.count > 0 ? a->target.text[0]
                                               : "top1") &&
           json_put_text(o, "at", a->pick.at) && json_put_text(o, "box", a->pick.box) &&
           json_put(o, "labels_from", json_object_new_int(d->labels_from)) &&
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
        ok = describe_network(e, i, &s);
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
