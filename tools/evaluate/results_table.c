/* results_table.c - means and differences as tables of 80 columns: a block for each network, a row
 * for each method, as many metrics beside each other as there is room for. */
#include "results.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 80, CELL = 22, NAME_MAX = 28, CELL_TEXT = 96, NUMBER_TEXT = 32 };

static int width_of_names(const summary *m)
{
    int width = 6;

    for (int32_t i = 0; i < m->plan->methods; i++) {
        int n = (int)strlen(m->plan->method[i].name);

        width = n > width ? n : width;
    }
    return width < NAME_MAX ? width : NAME_MAX;
}

/* Three digits behind the point where that says something. */
static int digits_for(const estimate *e)
{
    double size = fabs(e->mean);

    return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
}

/* Without the 0 before the point, as columns are narrow. */
static const char *short_number(double value, int digits, char out[NUMBER_TEXT])
{
    char *zero;

    snprintf(out, NUMBER_TEXT, "%.*f", digits, value);
    zero = out + (*out == '-');
    if (zero[0] == '0' && zero[1] == '.')
        memmove(zero, zero + 1, strlen(zero));
    return out;
}

/* "0.362 [.350,.374]", of a difference with its sign and "*" where the interval is without 0. */
static void write_cell(const estimate *e, bool difference, char out[CELL_TEXT])
{
    char low[NUMBER_TEXT], high[NUMBER_TEXT];
    int digits = digits_for(e), n;

    if (e->questions == 0) {
        snprintf(out, CELL_TEXT, "-");
        return;
    }
    n = snprintf(out, CELL_TEXT, difference ? "%+.*f" : "%.*f", digits, e->mean);
    if (!isnan(e->low) && n > 0 && n < CELL_TEXT)
        snprintf(out + n, CELL_TEXT - (size_t)n, " [%s,%s]%s", short_number(e->low, digits, low),
                 short_number(e->high, digits, high),
                 difference && statistics_excludes_zero(e) ? "*" : "");
}

/* Columns first..last of a table; `other`: the method or network to subtract, -1: none. */
typedef struct block {
    const summary *m;
    int32_t net, first, last, method, network;
    int names;
} block;

static const estimate *cell_of(const block *b, int32_t metric, int32_t method)
{
    if (b->method >= 0)
        return summary_method_minus(b->m, b->net, metric, method, b->method);
    if (b->network >= 0)
        return summary_network_minus(b->m, b->net, b->network, metric, method);
    return summary_mean(b->m, b->net, metric, method);
}

/* The last column has no spaces behind it; the others have one at least, however long they are. */
static void print_column(const char *text, bool last)
{
    if (last)
        printf("%s\n", text);
    else
        printf("%-*s ", (int)CELL - 1, text);
}

static void print_row(const block *b, int32_t method)
{
    char text[CELL_TEXT];

    printf("%-*.*s  ", b->names, b->names, b->m->plan->method[method].name);
    for (int32_t i = b->first; i <= b->last; i++) {
        write_cell(cell_of(b, i, method), b->method >= 0 || b->network >= 0, text);
        print_column(text, i == b->last);
    }
}

static void print_block(const block *b)
{
    printf("%-*s  ", b->names, "method");
    for (int32_t i = b->first; i <= b->last; i++)
        print_column(b->m->plan->metric[i].name, i == b->last);
    for (int32_t i = 0; i < b->m->plan->methods; i++)
        if (i != b->method)
            print_row(b, i);
    printf("\n");
}

/* All metrics, in blocks that fit the width. */
static void print_blocks(block b)
{
    int32_t columns = (WIDTH - b.names - 1) / CELL; /* the last is narrower */

    for (b.first = 0; b.first < b.m->plan->metrics; b.first = b.last + 1) {
        b.last = b.first + columns - 1;
        if (b.last >= b.m->plan->metrics)
            b.last = b.m->plan->metrics - 1;
        print_block(&b);
    }
}

static const char *name_of(const summary *m, int32_t net)
{
    return net < m->plan->networks ? m->plan->network[net].name : "all networks";
}

/* ", 3 flat": one more entry of a line, which breaks where it becomes too long. */
static int print_entry(int at, int32_t count, const char *what)
{
    char text[CELL_TEXT];
    int n = snprintf(text, sizeof text, "%d %s", (int)count, what);

    if (at + 2 + n > WIDTH) {
        printf(",\n    ");
        at = 4;
    } else {
        at += printf(", ");
    }
    printf("%s", text);
    return at + n;
}

/* "grad-cam: 93 maps, 3 flat, 1 clipped"; nothing of a method whose maps have no flag. */
static bool print_flags(const char *method, const map_count *c)
{
    bool begun = false;
    int at = 0;

    for (int i = 0; i <= SUMMARY_FLAGS; i++) { /* the last: no map */
        int32_t count = i < SUMMARY_FLAGS ? c->flag[i] : c->none;
        const char *what =
            i < SUMMARY_FLAGS ? kldve_result_flag_name(UINT64_C(1) << i) : "could not be made";

        if (count == 0)
            continue;
        if (!begun)
            at = printf("%s: %d map%s", method, (int)c->maps, c->maps == 1 ? "" : "s");
        at = print_entry(at, count, what ? what : "with an unknown flag");
        begun = true;
    }
    if (begun)
        printf("\n");
    return begun;
}

static void print_maps(const summary *m, int32_t net)
{
    bool any = false;

    for (int32_t i = 0; i < m->plan->methods; i++)
        any = print_flags(m->plan->method[i].name, summary_maps(m, net, i)) || any;
    if (any)
        printf("\n");
}

static void print_network(const summary *m, int32_t net, int32_t against)
{
    block b = {.m = m, .net = net, .method = -1, .network = -1, .names = width_of_names(m)};

    printf("%s\n\n", name_of(m, net));
    print_blocks(b);
    if (net < m->plan->networks)
        print_maps(m, net);
    if (m->plan->methods < 2)
        return;
    b.method = against;
    printf("%s: each method minus %s, on the questions that have both\n\n", name_of(m, net),
           m->plan->method[against].name);
    print_blocks(b);
}

static void print_between(const summary *m, int32_t net)
{
    const block b = {.m = m, .net = net, .method = -1, .network = 0, .names = width_of_names(m)};

    printf("%s minus %s, on the questions that have both\n\n", m->plan->network[net].name,
           m->plan->network[0].name);
    print_blocks(b);
}

/* How many numbers were left out of the means. */
static int64_t count_undefined(const summary *m)
{
    const store_plan *p = m->plan;
    int64_t n = 0;

    for (int32_t i = 0; i < p->networks; i++)
        for (int32_t j = 0; j < p->metrics; j++)
            for (int32_t k = 0; k < p->methods; k++)
                n += summary_mean(m, i, j, k)->undefined;
    return n;
}

static void print_head(const summary *m)
{
    const store_plan *p = m->plan;
    int64_t wanted = (int64_t)p->networks * p->questions, undefined = count_undefined(m);

    printf("%d question%s about %d picture%s, %d network%s: %lld of %lld measured, %lld "
           "unreadable\n",
           (int)p->questions, p->questions == 1 ? "" : "s", (int)m->pictures,
           m->pictures == 1 ? "" : "s", (int)p->networks, p->networks == 1 ? "" : "s",
           (long long)m->count.measured, (long long)wanted, (long long)m->count.unreadable);
    printf("mean [%g %% interval of %d bootstrap samples of pictures, seed %llu]; "
           "*: without 0\n",
           100 * m->how.level, (int)m->how.samples, (unsigned long long)m->how.seed);
    if (undefined > 0)
        printf("%lld of %lld numbers are undefined and left out:\n"
               "    no map, a flat one, an object out of sight, or no other map to compare with\n",
               (long long)undefined, (long long)m->count.values);
    printf("\n");
}

void results_print(const summary *m, int32_t against)
{
    print_head(m);
    if (m->count.values == 0) {
        printf("nothing is measured\n");
        return;
    }
    for (int32_t i = 0; i < summary_networks(m); i++)
        print_network(m, i, against);
    for (int32_t i = 1; i < m->plan->networks; i++)
        print_between(m, i);
}
