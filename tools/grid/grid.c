/* grid.c - every picture x network x method x target, explained. */
#include "grid.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid_likeness.h"

/* ---- names -------------------------------------------------------------------------------- */

/* folder/cat.jpg -> cat */
static void stem(const char *path, char out[LABEL_SIZE])
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    char whole[MESSAGE_SIZE];

    snprintf(whole, sizeof whole, "%.*s", dot && dot > name ? (int)(dot - name) : (int)strlen(name),
             name);
    clean_text(whole, out, LABEL_SIZE);
}

static void append(char text[LABEL_SIZE], const char *more)
{
    char whole[2 * LABEL_SIZE + 2];

    snprintf(whole, sizeof whole, "%s %s", text, more);
    clean_text(whole, text, LABEL_SIZE);
}

/* Whether another network has the same name and, if asked, the same layer. */
static bool has_twin(const grid *g, int32_t i, bool same_layer)
{
    const grid_network *n = &g->network[i];

    for (int32_t j = 0; j < g->networks; j++)
        if (j != i && strcmp(g->network[j].file, n->file) == 0 &&
            (!same_layer || strcmp(g->network[j].net.layer, n->net.layer) == 0))
            return true;
    return false;
}

static void name_networks(grid *g)
{
    for (int32_t i = 0; i < g->networks; i++) {
        grid_network *n = &g->network[i];

        if (n->args->title)
            clean_text(n->args->title, n->file, sizeof n->file);
        else if (n->args->model)
            stem(n->args->model, n->file);
        else
            clean_text(n->net.name, n->file, sizeof n->file);
    }
    for (int32_t i = 0; i < g->networks; i++) {
        grid_network *n = &g->network[i];
        char number[16];

        memcpy(n->name, n->file, sizeof n->name);
        snprintf(number, sizeof number, "#%d", (int)i + 1);
        if (has_twin(g, i, false))
            append(n->name, n->net.layer);
        if (has_twin(g, i, true))
            append(n->name, number);
    }
}

const char *grid_label(const grid *g, int32_t net, int32_t index, char out[LABEL_SIZE])
{
    if (!network_label(&g->network[net].net, index, out))
        snprintf(out, LABEL_SIZE, "class %d", (int)index);
    return out;
}

const char *grid_short_label(const grid *g, int32_t net, int32_t index, char out[LABEL_SIZE])
{
    char *comma;

    grid_label(g, net, index, out);
    comma = strchr(out, ',');
    if (comma && comma > out)
        *comma = '\0';
    return out;
}

/* ---- what the grid is made of ------------------------------------------------------------- */

static bool load_picture(kldve_ctx *ctx, const char *path, kldve_image **out)
{
    kldve_status status = kldve_image_load(ctx, path, NULL, out);

    if (status != KLDVE_OK)
        complain_ctx(ctx, path, status);
    return status == KLDVE_OK;
}

/* No larger than `side` either way; true if it was. */
static bool shrink(kldve_image **image, int32_t side, kldve_status *status)
{
    int32_t width = kldve_image_width(*image), height = kldve_image_height(*image);
    int32_t longer = width > height ? width : height;
    kldve_image *small = NULL;

    *status = KLDVE_OK;
    if (side == 0 || longer <= side)
        return false;
    *status = kldve_image_resize(*image, (int32_t)fmax((double)width * side / longer, 1),
                                 (int32_t)fmax((double)height * side / longer, 1), &small);
    if (*status == KLDVE_OK) {
        kldve_image_free(*image);
        *image = small;
    }
    return true;
}

/* Read all pictures before explaining the first: that is cheap, and names are easily mistyped. */
static bool read_pictures(grid *g, const grid_args *args, int32_t side)
{
    for (int32_t i = 0; i < g->pictures; i++) {
        grid_picture *p = &g->picture[i];
        kldve_status status;

        p->path = args->picture[i];
        stem(p->path, p->name);
        if (!load_picture(g->ctx, p->path, &p->image))
            return false;
        p->width = kldve_image_width(p->image);
        p->height = kldve_image_height(p->image);
        p->shrunk = shrink(&p->image, side, &status);
        if (status != KLDVE_OK) {
            complain_ctx(g->ctx, p->path, status);
            return false;
        }
    }
    return true;
}

static void read_methods(grid *g, const grid_args *args)
{
    for (int32_t i = 0; i < g->methods; i++) {
        grid_method *m = &g->method[i];
        const char *text = args->method.count > 0 ? args->method.text[i] : kldve_method_name(0);

        grid_read_method(text, args->reading, m);
        snprintf(m->title, sizeof m->title, "%s%s%s", m->method->title, m->reading ? " " : "",
                 m->reading ? kldve_reading_name(m->reading) : "");
        snprintf(m->id, sizeof m->id, "%s%s%s", m->method->name, m->reading ? ":" : "",
                 m->reading ? kldve_reading_name(m->reading) : "");
    }
}

static void set_options(const grid_args *args, const grid_method *method, kldve_options *o)
{
    memset(o, 0, sizeof *o);
    o->struct_size = sizeof *o;
    o->method = method->method->name;
    o->reading = method->reading;
    o->temperature = (float)args->temperature;
    o->perplexity = args->perplexity;
    o->sign = args->sign;
}

/* Of all methods. */
static uint32_t needs_of(const grid *g, const grid_args *args)
{
    uint32_t needs = 0;

    for (int32_t i = 0; i < g->methods; i++) {
        const kldve_method *method = g->method[i].method;
        kldve_options o;

        set_options(args, &g->method[i], &o);
        needs |= method->needs_with ? method->needs_with(&o) : method->needs;
    }
    return needs;
}

static bool load_networks(grid *g, const grid_args *args, progress *p)
{
    uint32_t needs = needs_of(g, args);

    for (int32_t i = 0; i < g->networks; i++) {
        grid_network *n = &g->network[i];
        network_args wanted = args->network[i];
        kldve_options unused;

        n->args = &args->network[i];
        network_plan_for(&wanted, needs);
        progress_step(p, "network %d of %d", (int)i + 1, (int)g->networks);
        if (!network_load(&n->net, g->ctx, &wanted) || !network_prepare(&n->net, &wanted) ||
            (g->has_truth && !truth_fits(&g->truth, &n->net)))
            return false;
        progress_end(p);
        for (int32_t t = 0; t < g->targets; t++)
            if (!classes_target(&n->net, g->target[t], &unused))
                return false;
    }
    name_networks(g);
    return true;
}

/* ---- explaining --------------------------------------------------------------------------- */

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
    const float *logits = kldve_heatmap_logits(map, NULL);
    double probability = classes_probability(map, index);

    return (grid_class){index, logits[isnan(probability) ? 0 : index], probability};
}

static void predict(grid_prediction *prediction, const kldve_heatmap *map)
{
    size_t count;
    const float *logits = kldve_heatmap_logits(map, &count);
    int32_t top[TOP];

    if (!kldve_heatmap_probabilities(map, NULL))
        count = 1; /* a number */
    prediction->tops = classes_top(logits, count, top);
    for (int32_t i = 0; i < prediction->tops; i++)
        prediction->top[i] = class_of(map, top[i]);
}

/* Find the classes whose probabilities differ most between the network and the truth. */
static bool differ(grid_prediction *prediction, const kldve_heatmap *map, const grid_truth *says)
{
    size_t count;
    const double *own = kldve_heatmap_probabilities(map, &count);
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

static bool measure(const grid *g, grid_cell *cell)
{
    for (int32_t i = 0; i < g->metrics; i++) {
        kldve_status status =
            kldve_metric_compute(cell->map, kldve_metric_at(NULL, i)->name, &cell->metric[i]);

        if (status != KLDVE_OK) {
            complain_ctx(g->ctx, g->network[cell->network].net.name, status);
            return false;
        }
    }
    return true;
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

    set_options(args, &g->method[cell->method], &o);
    o.truth = g->truth.score;
    if (!classes_target(net, g->target[cell->target], &o))
        return false;
    status = kldve_explain(net->explainer, picture, &o, &cell->map);
    cell->ms = now_ms() - begin;
    if (status == KLDVE_E_UNSUPPORTED || status == KLDVE_E_NO_VJP) {
        clean_text(kldve_ctx_message(g->ctx), cell->why, sizeof cell->why);
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
    return measure(g, cell);
}

static bool explain_network(grid *g, const grid_args *args, const kldve_image *picture, int32_t i,
                            int32_t net, progress *p)
{
    int32_t of = g->networks * g->methods * g->targets;

    for (int32_t m = 0; m < g->methods; m++)
        for (int32_t t = 0; t < g->targets; t++) {
            grid_cell *cell = cell_at(g, i, net, m, t);

            cell->picture = i;
            cell->network = net;
            cell->method = m;
            cell->target = t;
            progress_step(p, "%d of %d: %.60s, %.60s, %s", (int)(cell - g->cell) + 1,
                          (int)(of * g->pictures), g->picture[i].name, g->network[net].name,
                          g->method[m].id);
            if (!explain_cell(g, args, picture, cell))
                return false;
        }
    return true;
}

static bool explain_picture(grid *g, const grid_args *args, int32_t i, progress *p)
{
    grid_picture *picture = &g->picture[i];
    kldve_image *whole = NULL;
    bool ok;

    if (picture->shrunk && !load_picture(g->ctx, picture->path, &whole))
        return false;
    ok = !g->has_truth || ask_truth(g, whole ? whole : picture->image, i);
    for (int32_t n = 0; ok && n < g->networks; n++)
        ok = explain_network(g, args, whole ? whole : picture->image, i, n, p);
    kldve_image_free(whole);
    return ok;
}

/* Say once for each network and method what was left out. */
static void say_left_out(const grid *g, bool quiet)
{
    for (int32_t n = 0; n < g->networks && !quiet; n++)
        for (int32_t m = 0; m < g->methods; m++) {
            const grid_cell *cell = cell_at(g, 0, n, m, 0);

            if (!cell->map)
                complain("%s: %s left out: %s", g->network[n].name, g->method[m].id, cell->why);
        }
}

/* False after a message: every network rules out every method. */
static bool any_map(const grid *g)
{
    for (int32_t n = 0; n < g->networks; n++)
        for (int32_t m = 0; m < g->methods; m++)
            if (cell_at(g, 0, n, m, 0)->map)
                return true;
    complain("%s: %s", g->network[0].net.name, cell_at(g, 0, 0, 0, 0)->why);
    return false;
}

static void say_assumptions(const grid *g, const grid_args *args)
{
    if (g->has_truth)
        truth_say_assumptions(&g->truth, args->quiet);
    for (int32_t i = 0; i < g->networks; i++)
        network_say_assumptions(&g->network[i].net, &args->network[i]);
}

/* What the maps say of themselves, once for each network and method. */
static void say_remarks(const grid *g)
{
    for (int32_t n = 0; n < g->networks; n++)
        for (int32_t m = 0; m < g->methods; m++) {
            const grid_cell *cell = cell_at(g, 0, n, m, 0);

            if (cell->map && kldve_heatmap_remark(cell->map))
                complain("%s: %s: %s", g->network[n].name, g->method[m].id,
                         kldve_heatmap_remark(cell->map));
        }
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool allocate(grid *g)
{
    size_t places = (size_t)g->pictures * (size_t)g->networks; /* 256 * 16 * 64 * 64 at most */
    size_t cells = places * (size_t)g->methods * (size_t)g->targets;

    g->picture = calloc((size_t)g->pictures, sizeof *g->picture);
    g->network = calloc((size_t)g->networks, sizeof *g->network);
    g->method = calloc((size_t)g->methods, sizeof *g->method);
    g->prediction = calloc(places, sizeof *g->prediction);
    g->truth_says = calloc((size_t)g->pictures, sizeof *g->truth_says);
    g->cell = calloc(cells, sizeof *g->cell);
    g->values = calloc(cells, (size_t)g->metrics * sizeof *g->values);
    if (!g->picture || !g->network || !g->method || !g->prediction || !g->truth_says || !g->cell ||
        !g->values) {
        complain("out of memory");
        return false;
    }
    for (size_t i = 0; i < cells; i++)
        g->cell[i].metric = g->values + i * (size_t)g->metrics;
    return true;
}

static void compare_with_first(grid *g)
{
    int32_t cells = g->pictures * g->networks * g->methods * g->targets;

    for (int32_t i = 0; i < cells; i++) {
        grid_cell *c = &g->cell[i];

        c->likeness =
            grid_likeness(grid_cell_at(g, c->picture, 0, c->method, c->target)->map, c->map);
    }
}

bool grid_run(grid *g, kldve_ctx *ctx, const grid_args *args, int32_t side, progress *p)
{
    bool ok;

    memset(g, 0, sizeof *g);
    g->ctx = ctx;
    g->pictures = args->pictures;
    g->networks = args->networks;
    g->methods = args->method.count > 0 ? args->method.count : 1;
    g->targets = args->target.count > 0 ? args->target.count : 1;
    for (int32_t i = 0; i < g->targets; i++)
        g->target[i] = args->target.count > 0 ? args->target.text[i] : "top1";
    while (kldve_metric_at(NULL, g->metrics))
        g->metrics++;
    if (!allocate(g))
        return false;
    read_methods(g, args);
    g->has_truth = args->truth != NULL;
    ok = read_pictures(g, args, side) &&
         (!g->has_truth || truth_load(&g->truth, ctx, args->truth, args->network[0].threads)) &&
         load_networks(g, args, p);
    for (int32_t i = 0; ok && i < g->pictures; i++)
        ok = explain_picture(g, args, i, p);
    progress_end(p);
    if (!ok || !any_map(g))
        return false;
    compare_with_first(g);
    say_assumptions(g, args);
    if (!args->quiet)
        say_remarks(g);
    say_left_out(g, args->quiet);
    return true;
}

void grid_free(grid *g)
{
    size_t cells = g->cell ? (size_t)g->pictures * (size_t)g->networks * (size_t)g->methods *
                                 (size_t)g->targets
                           : 0;

    for (size_t i = 0; i < cells; i++)
        kldve_heatmap_free(g->cell[i].map);
    for (int32_t i = 0; g->network && i < g->networks; i++)
        network_free(&g->network[i].net);
    for (int32_t i = 0; g->picture && i < g->pictures; i++)
        kldve_image_free(g->picture[i].image);
    for (int32_t i = 0; g->truth_says && i < g->pictures; i++)
        free(g->truth_says[i].probability);
    truth_free(&g->truth);
    free(g->values);
    free(g->cell);
    free(g->truth_says);
    free(g->prediction);
    free(g->method);
    free(g->network);
    free(g->picture);
    memset(g, 0, sizeof *g);
}

/* ---- the command -------------------------------------------------------------------------- */

int grid_command(const grid_task *task, const arg_command *command, int argc, char **argv)
{
    void *values = malloc(task->values_nbytes);
    grid g;
    kldve_ctx *ctx = NULL;
    bool go = false;
    int code = EXIT_FAILED;

    memset(&g, 0, sizeof g);
    if (!values || kldve_ctx_new(NULL, &ctx) != KLDVE_OK) {
        complain("out of memory");
    } else {
        code = task->read(command, argc, argv, values, &go);
        if (go && code == EXIT_DONE)
            code = task->run(&g, ctx, values) ? EXIT_DONE : EXIT_FAILED;
    }
    grid_free(&g);
    kldve_ctx_free(ctx);
    free(values);
    return code;
}
