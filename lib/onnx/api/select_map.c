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

/* Whether it is [1][classes][h][w], [1][h][w][classes] or [1][h][w], with rows and columns. */
static bool is_map(const kx_value *v, int8_t axis)
{
    const int64_t *dim = v->shape.dim;
    int32_t rank = v->shape.rank;

    if (v->dtype != KX_F32 || v->raw || rank < 3 || rank > 4 || dim[0] != 1)
        return false;
    if (rank == 3)
        return dim[1] > 1 && dim[2] > 1;
    return axis == KX_CHANNELS_LAST ? dim[1] > 1 && dim[2] > 1 : dim[2] > 1 && dim[3] > 1;
}

static kldve_status no_map(const kx_graph *g, const kx_value *v)
{
    char shape[160] = "";
    size_t used = 0;

    for (int32_t i = 0; v && i < v->shape.rank; i++)
        used +=
            (size_t)snprintf(shape + used, sizeof shape - used, "[%jd]", (intmax_t)v->shape.dim[i]);
    return kldve_ctx_failf(g->ctx, KLDVE_E_ARG,
                           "'%.80s', %s, is not a map of scores with rows and columns, "
                           "[1][classes][height][width]: it has no place to pick",
                           v ? v->name : "the output", used ? shape : "a scalar");
}

/* The axes of channels, where they can be followed from the input. */
static kldve_status find_axes(const kx_graph *g, kx_arena *arena, int8_t **axis)
{
    *axis = NULL;
    if (g->ninput < 1 || g->input[0]->shape.rank != 4)
        return KLDVE_OK;
    return kx_channel_axes(g, arena, g->input[0], axis);
}

/* The first output that is a map, else *first; how many there are. */
static const kx_value *find_output(const kx_graph *g, const int8_t *axis, int32_t *maps)
{
    const kx_value *found = NULL;

    *maps = 0;
    for (int32_t i = 0; i < g->noutput; i++) {
        const kx_value *v = before_choice(g, g->output[i]);

        if (!is_map(v, axis ? axis[v->id] : KX_CHANNELS_FIRST))
            continue;
        found = found ? found : v;
        ++*maps;
    }
    return found;
}

static kldve_status find_map(const kx_graph *g, const char *logits, kx_notes *notes,
                             const int8_t *axis, const kx_value **out)
{
    kx_value *named = NULL;
    int32_t maps = 1;
    kldve_status st;

    if (logits) {
        if ((st = kx_choose_named(g, "logits", logits, &named)) < 0)
            return st;
        *out = is_map(named, axis ? axis[named->id] : KX_CHANNELS_FIRST) ? named : NULL;
    } else {
        *out = find_output(g, axis, &maps);
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

kldve_status kx_select_map(const kx_graph *g, const char *logits, kx_notes *notes, char *text)
{
    const kx_value *v = NULL;
    kx_arena arena;
    int8_t *axis;
    bool last;
    kldve_status st;

    kx_arena_init(&arena, g->ctx);
    if ((st = find_axes(g, &arena, &axis)) == KLDVE_OK &&
        (st = find_map(g, logits, notes, axis, &v)) == KLDVE_OK) {
        last = v->shape.rank == 3 || (axis && axis[v->id] == KX_CHANNELS_LAST);
        if (strlen(v->name) >= KX_SELECT_NAME)
            st = kldve_ctx_fail(g->ctx, KLDVE_E_UNSUPPORTED,
                                "the name of the output is too long: select it by its place, "
                                "'[0, :, y, x]'");
        else
            snprintf(text, KX_SELECT_TEXT, "%s[0, %s]", v->name, last ? "y, x" : ":, y, x");
    }
    kx_arena_free(&arena);
    return st;
}
