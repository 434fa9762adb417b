/* explainable.c - whether a tensor of the file can be the layer. */
#include "choose.h"

bool kx_explainable(const kx_choice *c, const kx_value *v, kx_view *view)
{
    const kx_meaning *m = &c->followed.meaning[v->id];
    kx_view found;

    if (v == c->file_input || !c->ways.on[v->id] || v->dtype != KX_F32 || v->count == 0)
        return false;
    if (!(c->grid_height > 0 &&
          kx_view_on_grid(m, &v->shape, c->grid_height, c->grid_width, &found)) &&
        !kx_view_of(m, &v->shape, &found))
        return false;
    if (view)
        *view = found;
    return true;
}
