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

bool kx_explainable(const kx_choice *c, const kx_value *v, kx_view *view)
{
    kx_view found;

    if (v == c->file_input || !c->ways.on[v->id] || v->dtype != KX_F32 || v->count == 0)
        return false;
    if (!find_view(c, v, &found))
        return false;
    if (view)
        *view = found;
    return true;
}
