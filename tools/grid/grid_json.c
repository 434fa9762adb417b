/* grid_json.c - all figures of a grid as JSON (docs/command.md lists the members). */
#include "grid_json.h"

#include <string.h>

#include "cli/json.h"

static json_object *new_top(const grid *g, int32_t net, const grid_prediction *prediction)
{
    json_object *list = json_object_new_array();

    for (int32_t i = 0; list && i < prediction->tops; i++) {
        const grid_class *c = &prediction->top[i];

        if (!json_append(
                list, json_new_class(&g->network[net].net, c->index, c->logit, c->probability))) {
            json_object_put(list);
            return NULL;
        }
    }
    return list;
}

/* The classes on whose probability network and truth differ most. */
static json_object *new_disagreement(const grid *g, int32_t picture, int32_t net)
{
    const grid_prediction *says = grid_prediction_at(g, picture, net);
    const kldve_labels *labels = g->network[net].net.labels;
    json_object *list = json_object_new_array();

    for (int32_t i = 0; list && i < says->againsts; i++) {
        json_object *item = json_object_new_object();
        int32_t c = says->against[i];

        if (!item || !json_put(item, "index", json_object_new_int(c)) ||
            !json_put_text(item, "label", labels ? kldve_labels_name(labels, c) : NULL) ||
            !json_put_number(item, "probability", says->own[i], 9) ||
            !json_put_number(item, "truth", g->truth_says[picture].probability[c], 9)) {
            json_object_put(item);
            item = NULL;
        }
        if (!json_append(list, item)) {
            json_object_put(list);
            return NULL;
        }
    }
    return list;
}

static json_object *new_network(const grid *g, int32_t i)
{
    const grid_network *n = &g->network[i];
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "name", n->name) &&
        json_put_text(object, "model", n->net.name) &&
        json_put_text(object, "layer", n->net.layer) &&
        json_put(object, "classes", json_object_new_int(n->net.shape.classes)))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_prediction(const grid *g, int32_t picture, int32_t net)
{
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "picture", g->picture[picture].path) &&
        json_put_text(object, "network", g->network[net].name) &&
        json_put(object, "top5", new_top(g, net, grid_prediction_at(g, picture, net))) &&
        (!g->has_truth || json_put(object, "disagreement", new_disagreement(g, picture, net))))
        return object;
    json_object_put(object);
    return NULL;
}

static bool put_metrics(json_object *object, const grid *g, const grid_cell *cell)
{
    bool ok = true;

    for (int32_t i = 0; ok && i < g->metrics; i++)
        ok = json_put_number(object, kldve_metric_at(NULL, i)->name, cell->metric[i], 9);
    return ok;
}

/* The figures of a map that exists. */
static bool put_map(json_object *object, const grid *g, const grid_cell *cell)
{
    const kldve_record *r = &cell->record;
    const grid_class *c = &cell->explained;

    return json_put(object, "target",
                    json_new_class(&g->network[cell->network].net, c->index, c->logit,
                                   c->probability)) &&
           json_put_number(object, "kl", r->kl, 17) && put_metrics(object, g, cell) &&
           json_put(object, "flat", json_object_new_boolean(r->flat)) &&
           json_put(object, "signed", json_object_new_boolean(cell->is_signed)) &&
           json_put(object, "height", json_object_new_int(r->height)) &&
           json_put(object, "width", json_object_new_int(r->width)) &&
           json_put_ms(object, "ms", cell->ms);
}

static json_object *new_map(const grid *g, const grid_cell *cell)
{
    const grid_method *m = &g->method[cell->method];
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "picture", g->picture[cell->picture].path) &&
        json_put_text(object, "network", g->network[cell->network].name) &&
        json_put_text(object, "method", m->method->name) &&
        json_put_text(object, "reading", m->reading ? kldve_reading_name(m->reading) : NULL) &&
        json_put_text(object, "wanted", g->target[cell->target]) &&
        (cell->map ? put_map(object, g, cell) : json_put_text(object, "left_out", cell->why)))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_networks(const grid *g)
{
    json_object *list = json_object_new_array();

    for (int32_t i = 0; list && i < g->networks; i++)
        if (!json_append(list, new_network(g, i))) {
            json_object_put(list);
            return NULL;
        }
    return list;
}

static json_object *new_predictions(const grid *g)
{
    json_object *list = json_object_new_array();

    for (int32_t i = 0; list && i < g->pictures * g->networks; i++)
        if (!json_append(list, new_prediction(g, i / g->networks, i % g->networks))) {
            json_object_put(list);
            return NULL;
        }
    return list;
}

static json_object *new_maps(const grid *g)
{
    size_t count =
        (size_t)g->pictures * (size_t)g->networks * (size_t)g->methods * (size_t)g->targets;
    json_object *list = json_object_new_array();

    for (size_t i = 0; list && i < count; i++)
        if (!json_append(list, new_map(g, &g->cell[i]))) {
            json_object_put(list);
            return NULL;
        }
    return list;
}

json_object *grid_json(const grid *g)
{
    json_object *object = json_object_new_object();

    if (!object || !json_put(object, "networks", new_networks(g)) ||
        (g->has_truth && !json_put_text(object, "truth", g->truth.net.name)) ||
        !json_put(object, "predictions", new_predictions(g)) ||
        !json_put(object, "maps", new_maps(g)) ||
        !json_put_text(object, "kldve", kldve_version())) {
        json_object_put(object);
        return NULL;
    }
    return object;
}
