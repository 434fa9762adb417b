/* grid.c - what a grid is made of: pictures, methods, networks; and the whole of it. */
#include "grid.h"
#include "cli/figures.h"
#include "cli/streams.h"
#include "cli/getters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid_likeness.h"
#include "grid_parts.h"

/* ---- what the grid is made of ------------------------------------------------------------- */

/* No larger than `side` either way.  Of the only picture in memory the whole stays, too. */
static kldve_status shrink(const grid *g, grid_picture *p, int32_t side)
{
    int32_t longer = p->width > p->height ? p->width : p->height;
    kldve_image *whole = p->image;
    kldve_status status;

    if (side == 0 || longer <= side)
        return KLDVE_OK;
    status = kldve_image_resize(g->ctx, whole, (int32_t)fmax((double)p->width * side / longer, 1),
                                (int32_t)fmax((double)p->height * side / longer, 1), &p->image);
    if (status != KLDVE_OK)
        return status;
    p->shrunk = true;
    if (g->pictures == 1)
        p->whole = whole;
    else
        kldve_image_free(whole);
    return KLDVE_OK;
}

/* Into a place of the grid.  False after a message. */
static bool read_picture(grid *g, int32_t i, const char *path, int32_t side)
{
    grid_picture *p = &g->picture[i];
    kldve_status status;

    p->path = p->shown = path;
    grid_stem(path, p->name);
    if (!picture_load(g->ctx, path, false, &p->image))
        return false;
    p->width = kldve_image_width(p->image);
    p->height = kldve_image_height(p->image);
    if (!pick_covers(&g->pick, &g->mask, path, p->width, p->height))
        return false;
    /* They cannot be read again when the whole picture is explained. */
    if (is_stream(path) || input_is_pipe(path))
        side = 0;
    status = shrink(g, p, side);
    if (status != KLDVE_OK)
        complain_ctx(g->ctx, path, status);
    return status == KLDVE_OK;
}

/* Read all pictures before explaining the first: that is cheap, and names are easily mistyped. */
static bool read_pictures(grid *g, const grid_args *args, int32_t side)
{
    for (int32_t i = 0; i < g->pictures; i++)
        if (!read_picture(g, i, args->picture.text[i], side))
            return false;
    return true;
}

static void read_methods(grid *g, const grid_args *args)
{
    for (int32_t i = 0; i < g->methods; i++)
        grid_read_method(args->method.count > 0 ? args->method.text[i] : method_number(0)->name,
                         grid_reading(args), &g->method[i]);
}

/* By default what the network says and, where somebody knows it, what it should say. */
static void read_targets(grid *g, const grid_args *args)
{
    static const char *const usual[] = {"top1", GRID_EXPECTED};

    g->targets = args->target.count > 0 ? args->target.count : g->expected ? 2 : 1;
    g->target = args->target.count > 0 ? args->target.text : usual;
}

/* Of all methods. */
static uint64_t needs_of(const grid *g, const grid_args *args)
{
    uint64_t needs = 0;

    for (int32_t i = 0; i < g->methods; i++) {
        const kldve_method *method = g->method[i].method;
        kldve_options o;

        grid_set_options(args, &g->method[i], &o);
        needs |= method->needs_with ? method->needs_with(&o) : method->needs;
    }
    return needs;
}

bool grid_expects(const grid *g, int32_t target)
{
    return g->expected && strcmp(g->target[target], GRID_EXPECTED) == 0;
}

int32_t grid_cells(const grid *g)
{
    return g->pictures * g->networks * g->methods * g->targets;
}

static bool load_networks(grid *g, const grid_args *args, progress *p)
{
    uint64_t needs = needs_of(g, args);

    for (int32_t i = 0; i < g->networks; i++) {
        grid_network *n = &g->network[i];
        network_args wanted = args->network[i];
        kldve_options unused;

        n->args = &args->network[i];
        network_plan_for(&wanted, needs);
        progress_step(p, "loading %s", network_called(&wanted));
        if (!network_load(&n->net, g->ctx, &wanted) || !network_prepare(&n->net, &wanted) ||
            !pick_fits(&g->pick, &n->net) || (g->has_truth && !truth_fits(&g->truth, &n->net)))
            return false;
        progress_end(p);
        n->shown = n->net.name;
        for (int32_t t = 0; t < g->targets; t++)
            if (!grid_expects(g, t) && !classes_target(&n->net, "target", g->target[t], &unused))
                return false;
    }
    grid_name_networks(g);
    return true;
}

/* ---- the whole ---------------------------------------------------------------------------- */

enum { MOST_CELLS = 1 << 24 /* of 2 kB each, and no index of one leaves an int32_t */ };

/* False: more than MOST_CELLS. */
static bool count_cells(const grid *g, size_t *places, size_t *cells)
{
    const int32_t sides[] = {g->pictures, g->networks, g->methods, g->targets};

    *cells = 1;
    for (int i = 0; i < 4; i++) {
        *cells *= (size_t)sides[i];
        if (*cells > MOST_CELLS)
            return false;
    }
    *places = (size_t)g->pictures * (size_t)g->networks;
    return true;
}

static bool allocate(grid *g)
{
    size_t places, cells;

    if (!count_cells(g, &places, &cells)) {
        complain("%d pictures x %d networks x %d methods x %d targets are more maps than one run "
                 "makes, %d: give fewer at a time",
                 (int)g->pictures, (int)g->networks, (int)g->methods, (int)g->targets, MOST_CELLS);
        return false;
    }
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
    for (int32_t i = 0; i < grid_cells(g); i++) {
        grid_cell *c = &g->cell[i];

        c->likeness = grid_likeness(
            g->ctx, grid_cell_at(g, c->picture, 0, c->method, c->target)->map, c->map);
    }
}

static void say_assumptions(const grid *g, const grid_args *args)
{
    if (g->has_truth)
        truth_say_assumptions(&g->truth, args->quiet);
    for (int32_t i = 0; i < g->networks; i++)
        network_say_assumptions(&g->network[i].net, &args->network[i]);
    threads_say(args->network[0].threads, args->quiet);
}

/* All but the pictures. */
static bool begin(grid *g, kldve_ctx *ctx, const grid_args *args, progress *p)
{
    g->ctx = ctx;
    g->networks = args->networks;
    g->methods = args->method.count > 0 ? args->method.count : 1;
    read_targets(g, args);
    g->metrics = figures_count();
    if (!allocate(g))
        return false;
    read_methods(g, args);
    g->has_truth = args->truth != NULL;
    g->pick = args->pick;
    return limits_set(ctx, &args->limit) && pick_load(&g->pick, ctx, &g->mask) &&
           (!g->has_truth || truth_load(&g->truth, ctx, args->truth, args->network[0].threads)) &&
           load_networks(g, args, p);
}

void grid_tell(grid *g, const grid_args *args, progress *p)
{
    progress_end(p);
    if (!g->told)
        say_assumptions(g, args);
    if (!args->quiet && !g->told)
        grid_say_remarks(g);
    if (!args->quiet)
        grid_say_left_out(g);
    g->told = true;
}

bool grid_run(grid *g, kldve_ctx *ctx, const grid_args *args, int32_t side, progress *p)
{
    bool ok;

    memset(g, 0, sizeof *g);
    g->pictures = g->of = args->picture.count;
    ok = begin(g, ctx, args, p) && read_pictures(g, args, side);
    for (int32_t i = 0; ok && i < g->pictures; i++)
        ok = grid_explain_picture(g, args, i, p);
    progress_count(p, 0, 0);
    progress_step(p, "drawing and writing"); /* what is left to the caller */
    progress_end(p);
    if (!ok || !grid_any_map(g))
        return false;
    compare_with_first(g);
    grid_tell(g, args, p);
    return true;
}

/* ---- a series ------------------------------------------------------------------------------ */

bool grid_begin_series(grid *g, kldve_ctx *ctx, const grid_args *args, int32_t of,
                       const int32_t *expected, progress *p)
{
    memset(g, 0, sizeof *g);
    g->expected = expected;
    g->pictures = 1;
    g->of = of;
    g->before = -1;
    return begin(g, ctx, args, p);
}

/* The place of the one picture becomes empty. */
static void clear_place(grid *g)
{
    for (int32_t i = 0; i < grid_cells(g); i++) {
        kldve_heatmap_free(g->cell[i].map);
        g->cell[i] = (grid_cell){.metric = g->cell[i].metric};
    }
    memset(g->prediction, 0, (size_t)g->networks * sizeof *g->prediction);
    free(g->truth_says->probability);
    *g->truth_says = (grid_truth){.probability = NULL};
    kldve_image_free(g->picture->image);
    kldve_image_free(g->picture->whole);
    *g->picture = (grid_picture){.path = NULL};
}

bool grid_take(grid *g, const grid_args *args, const char *path, const char *shown, int32_t side,
               progress *p)
{
    clear_place(g);
    g->before++;
    if (!read_picture(g, 0, path, side) || !grid_explain_picture(g, args, 0, p))
        return false;
    g->picture->shown = shown;
    grid_stem(shown, g->picture->name);
    compare_with_first(g);
    return true;
}

void grid_free(grid *g)
{
    for (int32_t i = 0; g->cell && i < grid_cells(g); i++)
        kldve_heatmap_free(g->cell[i].map);
    for (int32_t i = 0; g->network && i < g->networks; i++)
        network_free(&g->network[i].net);
    for (int32_t i = 0; g->picture && i < g->pictures; i++) {
        kldve_image_free(g->picture[i].image);
        kldve_image_free(g->picture[i].whole);
    }
    for (int32_t i = 0; g->truth_says && i < g->pictures; i++)
        free(g->truth_says[i].probability);
    truth_free(&g->truth);
    pick_free(&g->mask);
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
    void *values = calloc(1, task->values_nbytes);
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
    if (values)
        grid_free_args(command, values);
    free(values);
    return code;
}
