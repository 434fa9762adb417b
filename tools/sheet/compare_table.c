/* compare_table.c - the figures of a comparison as a table: for each picture a column for each
 * network, a row for each method; at most three networks side by side. */
#include "compare.h"
#include "cli/getters.h"
#include "grid/grid_flags.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMN = 26, FIRST = 26, BESIDE = 3, DIFFERENCES = 2 };

/* Characters, not bytes, of UTF-8 that is valid. */
static int characters(const char *text)
{
    int n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* `text` in `width` columns, cut with "..." where it is longer. */
static void put(const char *text, int width)
{
    int n = characters(text), left = n < width ? n : width - 4;

    for (const char *c = text; *c; c++) {
        if (((unsigned char)*c & 0xc0) != 0x80 && left-- == 0)
            break;
        putchar(*c);
    }
    printf("%s%*s", n < width ? "" : "...", n < width ? width - n : 1, "");
}

/* The same for a name, cut in its middle: those of a network at two layers begin alike. */
static void put_name(const char *name, int width)
{
    int n = characters(name), head = (width - 4) / 3, tail = width - 4 - head;
    int at = 0;

    if (n < width) {
        put(name, width);
        return;
    }
    for (const char *c = name; *c; c++) {
        at += ((unsigned char)*c & 0xc0) != 0x80;
        if (at == head + 1 && ((unsigned char)*c & 0xc0) != 0x80)
            printf("...");
        if (at <= head || at > n - tail)
            putchar(*c);
    }
    printf(" ");
}

/* A number of a metric, or a share, at the right of a column. */
static void put_number(const char *text, double value, bool is_share)
{
    put(text, COLUMN - 9);
    if (isnan(value))
        printf("%6s   ", "-");
    else if (is_share)
        printf("%6.1f %% ", 100 * value);
    else
        printf("%8.4g ", value);
}

static void put_share(const char *text, double share)
{
    put_number(text, share, true);
}

static void put_class(const grid *g, int32_t net, const grid_class *c)
{
    char label[LABEL_SIZE];

    grid_short_label(g, net, c->index, label);
    if (isnan(c->probability))
        put_number(label, (double)c->logit, false);
    else
        put_share(label, c->probability);
}

static void put_head(const grid *g, const char *what, int32_t first, int32_t end)
{
    printf("\n");
    put(what, FIRST);
    for (int32_t n = first; n < end; n++)
        put_name(g->network[n].name, COLUMN);
    printf("\n");
}

/* The method for the first metric, below it the others. */
static void put_row_name(const grid *g, int32_t method, int32_t metric)
{
    char text[2 * LABEL_SIZE], clean[LABEL_SIZE];

    if (metric == 0)
        snprintf(text, sizeof text, "    %s", g->method[method].title);
    else
        snprintf(text, sizeof text, "      %.100s", map_metric(metric)->title);
    clean_text(text, clean, sizeof clean);
    put(clean, FIRST);
}

static void put_metric(int32_t metric, double value)
{
    put_number("", value, map_metric(metric)->is_share);
}

/* How the maps of the other networks correlate with the first one's. */
static void put_likeness(const grid *g, int32_t picture, int32_t method, int32_t target,
                         int32_t first, int32_t end)
{
    put("      like the first, r", FIRST);
    for (int32_t n = first; n < end; n++)
        if (n == 0)
            put("", COLUMN);
        else
            put_number("", grid_cell_at(g, picture, n, method, target)->likeness, false);
    printf("\n");
}

/* Rows of one picture and target; of networks first..end. */
static void put_target(const grid *g, int32_t picture, int32_t target, int32_t first, int32_t end)
{
    char text[LABEL_SIZE + 8], clean[LABEL_SIZE];

    snprintf(text, sizeof text, "  map of %s", g->target[target]);
    clean_text(text, clean, sizeof clean);
    put(clean, FIRST);
    for (int32_t n = first; n < end; n++) {
        const grid_cell *cell = NULL;

        for (int32_t m = 0; m < g->methods && !(cell && cell->map); m++)
            cell = grid_cell_at(g, picture, n, m, target);
        if (cell && cell->map)
            put_class(g, n, &cell->explained);
        else
            put_share("", (double)NAN);
    }
    printf("\n");
    for (int32_t m = 0; m < g->methods; m++) {
        for (int32_t k = 0; k < g->metrics; k++) {
            put_row_name(g, m, k);
            for (int32_t n = first; n < end; n++) {
                const grid_cell *cell = grid_cell_at(g, picture, n, m, target);

                put_metric(k, cell->map ? cell->metric[k] : (double)NAN);
            }
            printf("\n");
        }
        if (g->networks > 1)
            put_likeness(g, picture, m, target, first, end);
    }
}

/* One of the classes on which each network and the truth differ most. */
static void put_difference(const grid *g, int32_t picture, int32_t i, int32_t first, int32_t end)
{
    put(i == 0 ? "  differs, p - truth's" : "", FIRST);
    for (int32_t n = first; n < end; n++) {
        const grid_prediction *says = grid_prediction_at(g, picture, n);
        char label[LABEL_SIZE];

        if (i >= says->againsts) {
            put("", COLUMN);
            continue;
        }
        put(grid_short_label(g, n, says->against[i], label), COLUMN - 9);
        printf("%+6.1f %% ",
               100 * (says->own[i] - g->truth_says[picture].probability[says->against[i]]));
    }
    printf("\n");
}

static void put_picture(const grid *g, int32_t picture, int32_t first, int32_t end)
{
    put_head(g, g->picture[picture].name, first, end);
    put("  predicted", FIRST);
    for (int32_t n = first; n < end; n++)
        if (grid_prediction_at(g, picture, n)->tops > 0)
            put_class(g, n, &grid_prediction_at(g, picture, n)->top[0]);
        else
            put_share("", (double)NAN);
    printf("\n");
    if (g->has_truth) {
        char label[LABEL_SIZE];
        const grid_truth *says = &g->truth_says[picture];

        put("  truth", FIRST);
        if (!network_label(&g->truth.net, says->best, label))
            snprintf(label, sizeof label, "class %d", (int)says->best);
        put_share(label, says->probability[says->best]);
        printf("\n");
    }
    for (int32_t i = 0; g->has_truth && i < DIFFERENCES; i++)
        put_difference(g, picture, i, first, end);
    for (int32_t t = 0; t < g->targets; t++)
        put_target(g, picture, t, first, end);
}

/* Over all pictures and targets; flat maps do not count. */
static double mean_of(const grid *g, int32_t net, int32_t method, int32_t metric)
{
    double sum = 0;
    int32_t count = 0;

    for (int32_t p = 0; p < g->pictures; p++)
        for (int32_t t = 0; t < g->targets; t++) {
            const grid_cell *cell = grid_cell_at(g, p, net, method, t);

            if (cell->map && !isnan(cell->metric[metric])) {
                sum += cell->metric[metric];
                count++;
            }
        }
    return count > 0 ? sum / count : (double)NAN;
}

static void put_means(const grid *g, int32_t first, int32_t end)
{
    put_head(g, "mean of all", first, end);
    for (int32_t m = 0; m < g->methods; m++)
        for (int32_t k = 0; k < g->metrics; k++) {
            put_row_name(g, m, k);
            for (int32_t n = first; n < end; n++)
                put_metric(k, mean_of(g, n, m, k));
            printf("\n");
        }
}

/* The row of a detector that one network's maps of a picture explain, and its box. */
static void say_row(const grid *g, int32_t picture, int32_t net)
{
    for (int32_t m = 0; m < g->methods; m++) {
        const grid_cell *cell = grid_cell_at(g, picture, net, m, 0);
        const kldve_record *r = &cell->record;

        if (!cell->map || r->row < 0)
            continue;
        printf("%s, %s: row %d", g->picture[picture].name, g->network[net].name, (int)r->row);
        if (!isnan(r->box[0]))
            printf(", box %.1f, %.1f to %.1f, %.1f", (double)r->box[0], (double)r->box[1],
                   (double)r->box[2], (double)r->box[3]);
        printf("\n");
        return;
    }
}

void compare_table(const grid *g)
{
    for (int32_t k = 0; k < g->metrics; k++)
        printf("%s: %s\n", k == 0 ? "beside a method" : map_metric(k)->title,
               map_metric(k)->summary);
    for (int32_t n = 0; n < g->networks; n++)
        if (scores_meaning(&g->network[n].net.shape))
            printf("%s, probability: %s\n", g->network[n].name,
                   scores_meaning(&g->network[n].net.shape));
    for (int32_t p = 0; p < g->pictures; p++)
        for (int32_t n = 0; n < g->networks; n++)
            say_row(g, p, n);
    for (int32_t first = 0; first < g->networks; first += BESIDE) {
        int32_t end = first + BESIDE < g->networks ? first + BESIDE : g->networks;

        for (int32_t p = 0; p < g->pictures; p++)
            put_picture(g, p, first, end);
        if (g->pictures > 1)
            put_means(g, first, end);
    }
    grid_say_flags(g);
}
