/* grid_explain.c - the cells of a grid: one explanation each, and what networks predict. */
#include "grid_parts.h"
#include "cli/figures.h"
#include "cli/getters.h"
#include "cli/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void grid_set_options(const grid_args *args, const grid_method *method, kldve_options *o)
{
    memset(o, 0, sizeof *o);
    o->struct_size = sizeof *o;
    o->method = method->method->name;
    o->reading = method->reading;
    o->temperature = (float)args->temperature;
    o->perplexity = args->perplexity;
    if (method->reading == KLDVE_READING_NEIGHBOURS) /* no other takes it */
        o->neighbour_perplexity = args->neighbour_perplexity;
    o->sign = args->sign;
}

static grid_cell *cell_at(const grid *g, int32_t picture, int32_t net, int32_t method,
                          int32_t target)
{
    size_t place = (size_t)picture * (size_t)g->networks + (size_t)net;

    place = place * (size_t)g->methods + (size_t)method;
    return &g->cell[place * (size_t)g->targets + (size_t)target];
}

const grid_cell *grid_cell_at(const grid *g, int32_t picture, int32_t net, int32_t method,
                              int32_t target)
{
    return cell_at(g, picture, net, method, target);
}

static grid_prediction *prediction_at(const grid *g, int32_t picture, int32_t net)
{
    return &g->prediction[(size_t)picture * (size_t)g->networks + (size_t)net];
}

const grid_prediction *grid_prediction_at(const grid *g, int32_t picture, int32_t net)
{
    return prediction_at(g, picture, net);
}

static grid_class class_of(const kldve_heatmap *map, int32_t index)
{
    const float *logits = map_logits(map, NULL);
    double probability = classes_probability(map, index);

    return (grid_class){index, logits[isnan(probability) ? 0 : index], probability};
}

static void predict(grid_prediction *prediction, const kldve_heatmap *map)
{
    size_t count;
    const float *logits = map_logits(map, &count);
    int32_t top[TOP];

    if (!map_probabilities(map, NULL))
        count = 1; /* a number */
    prediction->tops = classes_top(logits, count, top);
    for (int32_t i = 0; i < prediction->tops; i++)
        prediction->top[i] = class_of(map, top[i]);
}

/* Find the classes whose probabilities differ most between the network and the truth. */
static bool differ(grid_prediction *prediction, const kldve_heatmap *map, const grid_truth *says)
{
    size_t count;
    const double *own = map_probabilities(map, &count);
    float *distance = malloc(count * sizeof *distance);

    if (distance) {
        for (size_t c = 0; c < count; c++)
            distance[c] = (float)fabs(own[c] - says->probability[c]);
        prediction->againsts = classes_top(distance, count, prediction->against);
        for (int32_t i = 0; i < prediction->againsts; i++)
            prediction->own[i] = own[prediction->against[i]];
    } else {
        complain("out of memory");
    }
    free(distance);
    return prediction->againsts > 0;
}

static bool ask_truth(grid *g, const kldve_image *picture, int32_t i)
{
    size_t classes = (size_t)g->truth.net.shape.classes;
    grid_truth *says = &g->truth_says[i];

    if (!truth_score(&g->truth, picture, NULL))
        return false;
    says->probability = malloc(classes * sizeof *says->probability);
    if (!says->probability) {
        complain("out of memory");
        return false;
    }
    memcpy(says->probability, g->truth.probability, classes * sizeof *says->probability);
    for (size_t c = 1; c < classes; c++)
        if (says->probability[c] > says->probability[says->best])
            says->best = (int32_t)c;
    return true;
}

/* What is asked of a cell: its target.  False after a message, or with cell->why: nothing is asked.
 */
static bool ask(const grid *g, grid_cell *cell, kldve_options *o)
{
    const network *net = &g->network[cell->network].net;
    const grid_prediction *says = grid_prediction_at(g, cell->picture, cell->network);
    int32_t index;

    if (!grid_expects(g, cell->target))
        return classes_target(net, "target", g->target[cell->target], o);
    index = g->expected[cell->network];
    o->target_kind = KLDVE_TARGET_INDEX;
    o->target = index;
    if (index < 0)
        snprintf(cell->why, sizeof cell->why, "no class of the network is known to be expected");
    else if (says->tops > 0 && says->top[0].index == index)
        snprintf(cell->why, sizeof cell->why, "the network says what is expected");
    return !*cell->why;
}

/* False after a message.  If the network rules out the method, the cell has no map and cell->why
 * says why. */
static bool explain_cell(grid *g, const grid_args *args, const kldve_image *picture,
                         grid_cell *cell)
{
    const network *net = &g->network[cell->network].net;
    grid_prediction *prediction = prediction_at(g, cell->picture, cell->network);
    double begin = now_ms();
    kldve_options o;
    kldve_status status;

    grid_set_options(args, &g->method[cell->method], &o);
    o.truth = g->truth.score;
    pick_options(&g->pick, &g->mask, &o);
    if (!ask(g, cell, &o))
        return *cell->why != '\0';
    status = kldve_explain(net->explainer, picture, &o, &cell->map);
    cell->ms = now_ms() - begin;
    if (status == KLDVE_E_UNSUPPORTED || status == KLDVE_E_NO_VJP) {
        clean_text(kldve_ctx_message(g->ctx), cell->why, sizeof cell->why);
        return true;
    }
    if (status == KLDVE_E_NUMERIC) { /* of this picture; others have their maps */
        clean_text(kldve_ctx_message(g->ctx), cell->why, sizeof cell->why);
        cell->record.flags = KLDVE_RESULT_NON_FINITE;
        return true;
    }
    cell->record.struct_size = sizeof cell->record;
    if (status == KLDVE_OK)
        status = kldve_heatmap_record(cell->map, &cell->record);
    if (status != KLDVE_OK) {
        complain_ctx(g->ctx, net->name, status);
        return false;
    }
    cell->is_signed = cell->record.sign == KLDVE_SIGN_SIGNED;
    cell->explained = class_of(cell->map, cell->record.target);
    predict(prediction, cell->map);
    if (g->has_truth && prediction->againsts == 0 &&
        !differ(prediction, cell->map, &g->truth_says[cell->picture]))
        return false;
    return figures_measure(g->ctx, net->name, cell->map, cell->metric);
}

static bool explain_network(grid *g, const grid_args *args, const kldve_image *picture, int32_t i,
                            int32_t net, progress *p)
{
    int32_t of = g->networks * g->methods * g->targets;
    bool series = g->of > g->pictures; /* what counts is pictures */

    for (int32_t m = 0; m < g->methods; m++)
        for (int32_t t = 0; t < g->targets; t++) {
            grid_cell *cell = cell_at(g, i, net, m, t);

            cell->picture = i;
            cell->network = net;
            cell->method = m;
            cell->target = t;
            progress_count(p, series ? g->before : cell - g->cell,
                           series ? g->of : (int64_t)of * g->pictures);
            progress_step(p, "explaining %.60s with %.60s, %s", g->picture[i].name,
                          g->network[net].name, g->method[m].id);
            if (!explain_cell(g, args, picture, cell))
                return false;
        }
    return true;
}

bool grid_explain_picture(grid *g, const grid_args *args, int32_t i, progress *p)
{
    grid_picture *picture = &g->picture[i];
    kldve_image *read = NULL;
    const kldve_image *whole = picture->whole ? picture->whole : picture->image;
    bool ok;

    if (picture->shrunk && !picture->whole) {
        if (!picture_load(g->ctx, picture->path, false, &read))
            return false;
        whole = read;
    }
    ok = !g->has_truth || ask_truth(g, whole, i);
    for (int32_t n = 0; ok && n < g->networks; n++)
        ok = explain_network(g, args, whole, i, n, p);
    kldve_image_free(read);
    return ok;
}

bool grid_any_map(const grid *g)
{
    for (int32_t i = 0; i < grid_cells(g); i++)
        if (g->cell[i].map)
            return true;
    complain("%s: %s", g->network[0].net.name, cell_at(g, 0, 0, 0, 0)->why);
    return false;
}

/* Whether an earlier picture has no map of the same network and method for the same reason. */
static bool said_before(const grid *g, const grid_cell *cell)
{
    for (int32_t i = 0; i < grid_cells(g) && g->cell[i].picture < cell->picture; i++) {
        const grid_cell *before = &g->cell[i];

        if (!before->map && before->network == cell->network && before->method == cell->method &&
            strcmp(before->why, cell->why) == 0)
            return true;
    }
    return false;
}

/* What rules out a method is mostly the same for every picture (not so for CAM: whether a ReLU
 * behind its layer matters depends on the picture); what overflows is not. */
void grid_say_left_out(const grid *g)
{
    for (int32_t i = 0; i < grid_cells(g); i++) {
        const grid_cell *cell = &g->cell[i];
        const char *name = g->network[cell->network].name, *method = g->method[cell->method].id;

        if (cell->record.flags & KLDVE_RESULT_NON_FINITE)
            complain("%s: %s: %s left out: %s", g->picture[cell->picture].path, name, method,
                     cell->why);
        else if (!g->told && !cell->map && cell->target == 0 && !grid_expects(g, cell->target) &&
                 !said_before(g, cell))
            complain("%s%s%s: %s left out: %s",
                     cell->picture > 0 ? g->picture[cell->picture].path : "",
                     cell->picture > 0 ? ": " : "", name, method, cell->why);
    }
}

void grid_say_remarks(const grid *g)
{
    for (int32_t n = 0; n < g->networks; n++)
        for (int32_t m = 0; m < g->methods; m++) {
            const grid_cell *cell = cell_at(g, 0, n, m, 0);

            if (cell->map && kldve_heatmap_remark(cell->map))
                complain("%s: %s: %s", g->network[n].name, g->method[m].id,
                         kldve_heatmap_remark(cell->map));
        }
}
