/* explainable.c - whether a tensor of the file can be the layer. */
#include "choose.h"

/* With a grid that the user gives, only what has it can be the layer.  Where the graph tells how
 * many cells there are, the grid must have as many. */
static bool find_view(const kx_choice *c, const kx_value *v, kx_view *view)
{
    const kx_meaning *m = &c->followed.meaning[v->id];
    bool known = kx_view_of(m, &v->shape, view);

    if (c->grid_height == 0)
        return known;
    if (v->shape.rank == 3)
        return (!known || view->height * view->width == c->grid_height * c->grid_width) &&
               kx_view_on_grid(m, &v->shape, c->grid_height, c->grid_width, view);
    return known && view->height == c->grid_height && view->width == c->grid_width;
}

/* The number of the only bit; -1: several. */
static int32_t only_bit(uint64_t bits)
{
    int32_t at = 0;

    if (bits == 0 || (bits & (bits - 1)) != 0)
        return -1;
    while (!(bits >> at & 1))
        at++;
    return at;
}

bool kx_explainable(const kx_choice *c, const kx_value *v, kx_view *view)
{
    kx_view found;

    if (v == c->file_input || !c->ways.on[v->id] || v->dtype != KX_F32 || v->count == 0)
        return false;
    if (!find_view(c, v, &found))
        return false;
    if (found.pictures >= 0 && only_bit(c->pictures[v->id]) >= 0)
        kx_view_pick(&found, only_bit(c->pictures[v->id]));
    if (view)
        *view = found;
    return true;
}
