/* grid_flags.c - what everyone who sees the maps of a grid should know, each thing once. */
#include "grid_flags.h"

#include <stdio.h>

enum { NAMED = 3 /* maps that a line names */ };

static int32_t cells_of(const grid *g)
{
    return g->pictures * g->networks * g->methods * g->targets;
}

uint64_t grid_flags(const grid *g)
{
    uint64_t any = 0;

    for (int32_t i = 0; i < cells_of(g); i++)
        any |= g->cell[i].record.flags;
    return any;
}

int32_t grid_flag_count(const grid *g, uint64_t flag)
{
    int32_t count = 0;

    for (int32_t i = 0; i < cells_of(g); i++)
        count += (g->cell[i].record.flags & flag) != 0;
    return count;
}

const char *grid_flag_scope(const grid *g, uint64_t flag, char *out, size_t size)
{
    int32_t all = cells_of(g), count = grid_flag_count(g, flag);

    if (count == all)
        snprintf(out, size, all == 1 ? "the map" : "all %d maps", (int)all);
    else
        snprintf(out, size, "%d of %d maps", (int)count, (int)all);
    return out;
}

/* Which map it is, as far as the grid has several. */
static void say_cell(const grid *g, const grid_cell *cell)
{
    const char *sep = "";

    if (g->pictures > 1) {
        printf("%s", g->picture[cell->picture].name);
        sep = ", ";
    }
    if (g->networks > 1) {
        printf("%s%s", sep, g->network[cell->network].name);
        sep = ", ";
    }
    if (g->methods > 1) {
        printf("%s%s", sep, g->method[cell->method].id);
        sep = ", ";
    }
    if (g->targets > 1) {
        char target[LABEL_SIZE];

        clean_text(g->target[cell->target], target, sizeof target);
        printf("%s%s", sep, target);
    }
}

static void say_cells(const grid *g, uint64_t flag)
{
    int32_t named = 0, more = grid_flag_count(g, flag) - NAMED;

    for (int32_t i = 0; i < cells_of(g) && named < NAMED; i++)
        if (g->cell[i].record.flags & flag) {
            printf("%s", named++ == 0 ? " (" : "; ");
            say_cell(g, &g->cell[i]);
        }
    if (more > 0)
        printf("; and %d more", (int)more);
    printf(")");
}

void grid_say_flags(const grid *g)
{
    uint64_t any = grid_flags(g);
    char scope[LABEL_SIZE];

    if (any)
        printf("\n");
    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1) {
        if (!(any & flag))
            continue;
        printf("%s", grid_flag_scope(g, flag, scope, sizeof scope));
        if (grid_flag_count(g, flag) < cells_of(g))
            say_cells(g, flag);
        printf(": %s\n", kldve_result_flag_sentence(flag));
    }
}
