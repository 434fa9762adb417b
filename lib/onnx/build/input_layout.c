/* input_layout.c - what the axes of the picture are.  See input_parts.h.
 *
 * A picture's is found in the graph.  A film's is told by its shape and by the first weights: they
 * take as many channels as the film has, 1, 3 or 4 of most. */
#include "input_parts.h"

#include <string.h>

static kldve_status check_letters(const kx_settler *s, const char *layout)
{
    const char *name = s->file_picture->name;
    int32_t rank = s->file_picture->rank;

    if (rank < 2 || strlen(layout) != (size_t)rank || strspn(layout, "NCTHW") != (size_t)rank)
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                               "layout '%.20s': input '%.60s' has %d axes: give a letter of N, C, "
                               "T, H, W for each",
                               layout, name, (int)rank);
    for (int32_t i = 0; i < rank; i++)
        if (strchr(layout + i + 1, layout[i]))
            return kldve_ctx_failf(s->ctx, KLDVE_E_ARG, "layout '%s': %c is there twice", layout,
                                   layout[i]);
    if (!strchr(layout, 'H') || !strchr(layout, 'W'))
        return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                               "layout '%s': H and W, the rows and columns, must be there", layout);
    return KLDVE_OK;
}

/* How well an axis fits as that of the channels. */
static int fitness(const kx_settler *s, int32_t axis)
{
    int64_t size = s->file_picture->dim[axis];
    bool usual = size == 1 || size == 3 || size == 4;

    return 2 * (size > 0 && size == s->fed) + usual;
}

/* Which of the orders that films are exported in; the one before another where both fit. */
static const char *film_layout(const kx_settler *s)
{
    static const struct {
        const char *layout;
        int32_t channels;
    } of_volumes[] = {{"NCTHW", 1}, {"NTHWC", 4}, {"NTCHW", 2}},
      of_pictures[] = {{"NTCHW", 2}, {"NTHWC", 4}, {"NCTHW", 1}}, *order = of_pictures;
    int best = 0;

    if (s->weights == 5)
        order = of_volumes;
    for (int i = 1; i < 3; i++)
        if (fitness(s, order[i].channels) > fitness(s, order[best].channels))
            best = i;
    return order[best].layout;
}

/* One picture, [height][width][channels]: only the last axis is as long as channels are. */
static bool is_channels_last(const kx_settler *s)
{
    const int64_t *dim = s->file_picture->dim;

    return s->file_picture->rank == 3 && s->weights == 4 && dim[0] > 4 &&
           (dim[2] == 1 || dim[2] == 3 || dim[2] == 4);
}

kldve_status kx_settle_layout(kx_settler *s)
{
    const char *said = s->o->user->layout;
    kldve_status st = said ? check_letters(s, said) : KLDVE_OK;

    if (st < 0)
        return st;
    if (said)
        strcpy(s->layout, said);
    else if (s->file_picture->rank == 5)
        strcpy(s->layout, film_layout(s));
    else if (is_channels_last(s)) {
        strcpy(s->layout, "HWC");
        return kx_settle_say(
            s,
            "the input '%.60s' is taken as [height][width][channels]: give another "
            "order with --layout",
            s->file_picture->name);
    }
    return KLDVE_OK;
}
