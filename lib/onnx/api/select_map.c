/* select_map.c - the output of a network that has scores for every place of the picture. */
#include "selection.h"

#include <stdio.h>
#include <string.h>

#include "build/channels.h"
#include "choose_parts.h"

/* The scores behind what only says which of them is largest: back to float32 of rank 3 or 4. */
static const kx_value *before_choice(const kx_graph *g, const kx_value *v)
{
    while (v->dtype != KX_F32 && v->producer >= 0 && g->node[v->producer].in[0])
        v = g->node[v->producer].in[0];
    return v;
}

/* Rows and columns are axes `rows` and the next. */
static bool has_places(const kx_meaning *meaning, const kx_value *v, int32_t rows)
{
    return meaning && kx_meaning_label(&meaning[v->id], rows) == KX_ROWS &&
           kx_meaning_label(&meaning[v->id], rows + 1) == KX_COLUMNS;
}

/* How a place of a map is selected; *rows: the axis of its rows.  NULL: it is none.  Without a
 * first axis of `pictures` only what is followed from the picture is sure to have rows. */
static const char *place_items(const kx_meaning *meaning, const kx_value *v, int64_t pictures,
                               int32_t *rows)
{
    bool batch = v->shape.rank >= 3 && v->shape.dim[0] == pictures;

    *rows = batch ? 1 : 0;
    if (v->shape.rank == 4 && batch && meaning && kx_meaning_label(&meaning[v->id], 1) == KX_ROWS)
        return "[0, y, x]";
    if (v->shape.rank == 3 && batch)
        return "[0, y, x]";
    if ((v->shape.rank == 2 || v->shape.rank == 3) && has_places(meaning, v, 0))
        return "[y, x]";
    *rows = v->shape.rank - 2;
    if (v->shape.rank == 4 && batch)
        return "[0, :, y, x]";
    return v->shape.rank == 3 && has_places(meaning, v, 1) ? "[:, y, x]" : NULL;
}

/* Whether it is [n][classes][h][w], [n][h][w][classes] or [n][h][w] of `pictures`, or one of these
 * without the first axis, with rows and columns. */
static bool is_map(const kx_meaning *meaning, const kx_value *v, int64_t pictures)
{
    int32_t rows;

    return v->dtype == KX_F32 && !v->raw && place_items(meaning, v, pictures, &rows) &&
           v->shape.dim[rows] > 1 && v->shape.dim[rows + 1] > 1;
}

static kldve_status no_map(const kx_graph *g, const kx_value *v)
{
    char shape[160] = "";
    size_t used = 0;

    for (int32_t i = 0; v && i < v->shape.rank && used < sizeof shape; i++)
        used +=
            (size_t)snprintf(shape + used, sizeof shape - used, "[%jd]", (intmax_t)v->shape.dim[i]);
    return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                           "'%.80s', %s, is not a map of scores with rows and columns, "
                           "[1][classes][height][width]: it has no place to pick",
                           v ? v->name : "the output", used ? shape : "a scalar");
}

/* What the axes stand for, where they can be followed from the input; NULL where not. */
static kldve_status find_meaning(const kx_graph *g, kx_arena *arena, const kx_meaning **out)
{
    kx_followed followed;
    kldve_status st;
    bool last;

    *out = NULL;
    if (g->ninput < 1 || g->input[0]->shape.rank != 4)
        return KLDVE_OK;
    if ((st = kx_follow_picture(g, arena, g->input[0], &followed, &last)) == KLDVE_OK)
        *out = followed.meaning;
    return st;
}

/* The first output that is a map, else *first; how many there are. */
static const kx_value *find_output(const kx_graph *g, const kx_meaning *meaning, int64_t pictures,
                                   int32_t *maps)
{
    const kx_value *found = NULL;

    *maps = 0;
    for (int32_t i = 0; i < g->noutput; i++) {
        const kx_value *v = before_choice(g, g->output[i]);

        if (!is_map(meaning, v, pictures))
            continue;
        found = found ? found : v;
        ++*maps;
    }
    return found;
}

static kldve_status find_map(const kx_graph *g, const char *logits, kx_notes *notes,
                             const kx_meaning *meaning, int64_t pictures, const kx_value **out)
{
    kx_value *named = NULL;
    int32_t maps = 1;
    kldve_status st;

    if (logits) {
        if ((st = kx_choose_named(g, "logits", logits, &named)) < 0)
            return st;
        *out = is_map(meaning, named, pictures) ? named : NULL;
    } else {
        *out = find_output(g, meaning, pictures, &maps);
    }
    if (!*out)
        return no_map(g, named ? named : g->noutput ? g->output[0] : NULL);
    if (maps > 1 && kx_say(notes,
                           "explains '%.80s', the first of %d outputs that are maps of scores; "
                           "--logits names another",
                           (*out)->name, (int)maps) < 0)
        return kx_nomem(g);
    return KLDVE_OK;
}

/* Of a batch `item` in place of its first picture. */
static void write_items(const char *name, const char *items, int32_t item, char *text)
{
    if (strncmp(items, "[0", 2) == 0)
        snprintf(text, KX_SELECT_TEXT, "%s[%d%s", name, (int)item, items + 2);
    else
        snprintf(text, KX_SELECT_TEXT, "%s%s", name, items);
}

kldve_status kx_select_map(const kx_graph *g, const char *logits, int64_t pictures, int32_t item,
                           kx_notes *notes, char *text)
{
    const kx_value *v = NULL;
    kx_arena arena;
    const kx_meaning *meaning;
    int32_t rows;
    kldve_status st;

    kx_arena_init(&arena, g->ctx);
    if ((st = find_meaning(g, &arena, &meaning)) == KLDVE_OK &&
        (st = find_map(g, logits, notes, meaning, pictures, &v)) == KLDVE_OK) {
        if (strlen(v->name) >= KX_SELECT_NAME)
            st = kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                                "the name of the output is too long: select it by its place, "
                                "'[0, :, y, x]'");
        else
            write_items(v->name, place_items(meaning, v, pictures, &rows), item, text);
    }
    kx_arena_free(&arena);
    return st;
}
