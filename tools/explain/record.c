/* record.c - the record of a run as JSON (docs/command.md lists its members). */
#include "explain.h"
#include "cli/getters.h"

#include <stdlib.h>

#include "cli/figures.h"
#include "cli/json.h"
#include "expected.h"

/* NULL: out of memory. */
static json_object *new_class(const explanation *e, int32_t index)
{
    size_t count;
    const float *logits = map_logits(e->map, &count);

    return json_new_class(&e->net, index, logits[index], classes_probability(e->map, index));
}

static json_object *new_top(const void *of, size_t i)
{
    const explanation *e = of;

    return new_class(e, e->top[i]);
}

static json_object *new_of_set(const void *of, size_t i)
{
    const explanation *e = of;

    return new_class(e, e->set[i]);
}

/* Those of the network, then that of the map. */
static json_object *new_note(const void *of, size_t i)
{
    const explanation *e = of;
    const char *note = note_number(e->net.net, (int32_t)i);

    return json_object_new_string(note ? note : kldve_heatmap_remark(e->map));
}

static json_object *new_notes(const explanation *e)
{
    size_t count = 0;

    while (note_number(e->net.net, (int32_t)count))
        count++;
    return json_new_list(new_note, e, count + (kldve_heatmap_remark(e->map) != NULL));
}

static bool put_class(json_object *object, const char *key, const explanation *e, int32_t index)
{
    const float *logits = map_logits(e->map, NULL);

    return json_put_class(object, key, &e->net, index, logits[index],
                          classes_probability(e->map, index));
}

static json_object *new_extent(const void *of, size_t i)
{
    const kldve_onnx_choice *c = of;

    return json_object_new_int(i == 0 ? c->grid_height : c->grid_width);
}

/* The cells of the layer, and the tokens that have no place among them. */
static bool put_cells(json_object *object, const kldve_onnx_choice *c)
{
    return !c->layer ||
           (json_put(object, "grid", json_new_list(new_extent, c, 2)) &&
            (c->leading == 0 || json_put(object, "tokens_aside", json_object_new_int(c->leading))));
}

/* How the layer was chosen, its cells, and what the gradient there is. */
static bool put_chosen(json_object *object, const kldve_onnx *net)
{
    static const char *const name[] = {"given", "last", "joined", "best"};
    kldve_onnx_choice c = {.struct_size = sizeof c};

    return kldve_onnx_chosen(net, &c) == KLDVE_OK &&
           json_put_text(object, "layer_chosen", name[c.how]) && put_cells(object, &c) &&
           json_put_text(object, "gradient", c.straight_through ? "straight-through" : "exact");
}

/* Whether all ways pass the layer; null: not known. */
static bool put_all_paths(json_object *object, int32_t all_paths)
{
    return all_paths == 0 ? json_put_text(object, "all_paths", NULL)
                          : json_put(object, "all_paths", json_object_new_boolean(all_paths > 0));
}

static json_object *new_timings(const explanation *e)
{
    const kldve_timings *t = &e->stages;
    json_object *object = json_object_new_object();

    if (object && json_put_ms(object, "load", e->ms.load) &&
        json_put_ms(object, "decode", e->ms.decode + t->preprocess) &&
        json_put_ms(object, "forward", t->forward) &&
        json_put_ms(object, "divergence", t->divergence) &&
        json_put_ms(object, "backward", t->backward) && json_put_ms(object, "reduce", t->reduce) &&
        json_put_ms(object, "render", e->ms.render) && json_put_ms(object, "total", e->ms.total))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_frame(const void *of, size_t i)
{
    const explain_args *args = of;

    return json_object_new_string(args->picture.text[i]);
}

/* What was explained: of a film every frame, and how many the map has. */
static bool put_pictures(json_object *object, const explanation *e, const explain_args *args)
{
    int32_t frames = e->net.shape.in_frames;

    if (!json_put_text(object, "picture", args->picture.text[0]) ||
        (e->item >= 0 && !json_put(object, "item", json_object_new_int(e->item))))
        return false;
    if (frames == 1)
        return true;
    return (e->frames == 0 ||
            json_put(object, "pictures", json_new_list(new_frame, args, (size_t)e->frames))) &&
           json_put(object, "frames", json_object_new_int(frames)) &&
           json_put(object, "layer_frames", json_object_new_int(e->net.shape.frames));
}

/* What --check measured. */
static bool put_check(json_object *object, const kldve_record *r)
{
    return json_put_number(object, "class_sensitivity", r->class_sensitivity, 9) &&
           json_put_number(object, "faithfulness", r->faithfulness, 9) &&
           json_put_number(object, "faithfulness_control", r->faithfulness_control, 9) &&
           json_put(object, "check_passes", json_object_new_int(r->check_passes));
}

/* The network, and what of it is explained. */
static bool put_network(json_object *object, const explanation *e)
{
    return (!e->net.select || json_put_text(object, "select", e->net.select)) &&
           json_put(object, "classes", json_object_new_int(e->net.shape.classes)) &&
           json_put_text(object, "layer", e->net.layer) && put_chosen(object, e->net.net) &&
           put_all_paths(object, e->record.all_paths) && figures_put_scores(object, &e->net);
}

/* What was asked for. */
static bool put_question(json_object *object, const explanation *e, const explain_args *args)
{
    bool reading = e->method->readings != 0;

    return json_put_text(object, "method", e->method->name) &&
           json_put_text(object, "reading",
                         reading ? kldve_reading_name(e->record.reading) : NULL) &&
           (args->target.count > 1 ||
            json_put_text(object, "wanted",
                          args->target.count > 0 ? args->target.text[0] : "top1")) &&
           (args->target.count < 2 ||
            json_put(object, "targets",
                     json_new_list(new_of_set, e, (size_t)args->target.count))) &&
           (!args->rival || put_class(object, "rival", e, e->rival)) &&
           pick_put_place(object, &args->pick) &&
           (!args->truth || json_put_text(object, "truth", e->truth.net.name)) &&
           (!args->sign || json_put_text(object, "sign", sign_choice(args->sign - 1))) &&
           (!map_error(e->map) ||
            json_put(object, "seed", json_object_new_int(args->seed > 0 ? args->seed : 0)));
}

static bool put_figures(json_object *object, const explanation *e)
{
    double *metric = calloc((size_t)figures_count(), sizeof *metric);
    bool ok = metric && figures_measure(e->net.ctx, e->net.name, e->map, metric) &&
              figures_put_map(object, &e->net, e->map, &e->record, metric);

    free(metric);
    return ok;
}

static json_object *new_seen(const void *of, size_t i)
{
    const kldve_record *r = of;
    const float part[4] = {r->seen_x, r->seen_y, r->seen_width, r->seen_height};

    return json_object_new_double((double)part[i]);
}

/* How the pictures are drawn. */
static bool put_drawing(json_object *object, const explanation *e, const explain_args *args)
{
    kldve_render_options o;

    return !explain_drawn(e, args, &o) || json_put(object, "drawing", drawing_new(&o));
}

json_object *record_new(const explanation *e, const explain_args *args)
{
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "model", e->net.name) && put_pictures(object, e, args) &&
        put_network(object, e) && put_question(object, e, args) && put_figures(object, e) &&
        json_put(object, "seen", json_new_list(new_seen, &e->record, 4)) &&
        put_drawing(object, e, args) &&
        json_put(object, "top5", json_new_list(new_top, e, (size_t)e->tops)) &&
        (!args->check || put_check(object, &e->record)) &&
        (!args->expected || expected_put(object, e)) && json_put_flags(object, e->record.flags) &&
        json_put(object, "notes", new_notes(e)) && json_put_ms(object, "ms", e->ms.explain) &&
        json_put(object, "timings_ms", new_timings(e)) &&
        json_put_text(object, "kldve", kldve_version()))
        return object;
    json_object_put(object);
    return NULL;
}

bool record_write(const explanation *e, const explain_args *args)
{
    return json_write(args->json, record_new(e, args));
}
