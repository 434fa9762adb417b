/* grid_json.c - all figures of a grid as JSON (docs/compare.md lists the members). */
#include "grid_json.h"
#include "cli/getters.h"

#include <string.h>

#include "cli/figures.h"

/* What a network says of a picture. */
typedef struct saying {
    const grid *g;
    int32_t picture, net;
    const grid_prediction *says;
} saying;

static json_object *new_top(const void *of, size_t i)
{
    const saying *s = of;
    const grid_class *c = &s->says->top[i];

    return json_new_class(&s->g->network[s->net].net, c->index, c->logit, c->probability);
}

/* One of the classes whose probabilities differ most between network and truth. */
static json_object *new_difference(const void *of, size_t i)
{
    const saying *s = of;
    const kldve_labels *labels = s->g->network[s->net].net.labels;
    const double *given = s->g->truth_says[s->picture].probability;
    int32_t c = s->says->against[i];
    json_object *item = json_object_new_object();

    if (item && json_put(item, "index", json_object_new_int(c)) &&
        json_put_text(item, "label", labels ? name_of_class(labels, c) : NULL) &&
        json_put_number(item, "probability", s->says->own[i], 9) &&
        json_put_number(item, "truth", given[c], 9))
        return item;
    json_object_put(item);
    return NULL;
}

static json_object *new_network(const void *of, size_t i)
{
    const grid *g = of;
    const grid_network *n = &g->network[i];
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "name", n->name) &&
        json_put_text(object, "model", n->shown) && json_put_text(object, "layer", n->net.layer) &&
        json_put(object, "classes", json_object_new_int(n->net.shape.classes)) &&
        figures_put_scores(object, &n->net))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_prediction(const void *of, size_t i)
{
    const grid *g = of;
    int32_t picture = (int32_t)i / g->networks, net = (int32_t)i % g->networks;
    const saying s = {g, picture, net, grid_prediction_at(g, picture, net)};
    bool number = g->network[net].net.shape.scores == KLDVE_SCORES_NUMBER;
    size_t tops = number ? 0 : (size_t)s.says->tops, differences = (size_t)s.says->againsts;
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "picture", g->picture[picture].shown) &&
        json_put_text(object, "network", g->network[net].name) &&
        (!number || json_put_number(object, "value", (double)s.says->top[0].logit, 9)) &&
        json_put(object, "top5", json_new_list(new_top, &s, tops)) &&
        (!g->has_truth ||
         json_put(object, "disagreement", json_new_list(new_difference, &s, differences))))
        return object;
    json_object_put(object);
    return NULL;
}

/* The figures of a map that exists. */
static bool put_map(json_object *object, const grid *g, const grid_cell *cell)
{
    return figures_put_map(object, &g->network[cell->network].net, cell->map, &cell->record,
                           cell->metric) &&
           (g->networks < 2 || json_put_number(object, "likeness", cell->likeness, 9)) &&
           json_put_ms(object, "ms", cell->ms);
}

static json_object *new_map(const void *of, size_t i)
{
    const grid *g = of;
    const grid_cell *cell = &g->cell[i];
    const grid_method *m = &g->method[cell->method];
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "picture", g->picture[cell->picture].shown) &&
        json_put_text(object, "network", g->network[cell->network].name) &&
        json_put_text(object, "method", m->method->name) &&
        json_put_text(object, "reading", m->reading ? kldve_reading_name(m->reading) : NULL) &&
        json_put_text(object, "wanted", g->target[cell->target]) &&
        json_put_flags(object, cell->record.flags) &&
        (cell->map ? put_map(object, g, cell) : json_put_text(object, "left_out", cell->why)))
        return object;
    json_object_put(object);
    return NULL;
}

json_object *grid_json_head(const grid *g, const char *judge)
{
    json_object *object = json_object_new_object();

    if (object &&
        json_put(object, "networks", json_new_list(new_network, g, (size_t)g->networks)) &&
        (!g->has_truth || json_put_text(object, "truth", judge)) &&
        pick_put_place(object, &g->pick) && json_put_text(object, "kldve", kldve_version()))
        return object;
    json_object_put(object);
    return NULL;
}

bool grid_json_put_pictures(json_object *object, const grid *g)
{
    size_t predictions = (size_t)g->pictures * (size_t)g->networks;
    size_t maps = predictions * (size_t)g->methods * (size_t)g->targets;

    return json_put(object, "predictions", json_new_list(new_prediction, g, predictions)) &&
           json_put(object, "maps", json_new_list(new_map, g, maps));
}

json_object *grid_json(const grid *g)
{
    json_object *object = grid_json_head(g, g->truth.net.name);

    if (object && grid_json_put_pictures(object, g))
        return object;
    json_object_put(object);
    return NULL;
}
