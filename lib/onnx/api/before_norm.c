/* before_norm.c - the layer before a last normalisation, which may be one operator or spelled out.
 */
#include "before_norm.h"

/* Whether node n can be part of a normalisation: it mixes nothing by weights and looks at no
 * neighbours.  *norm becomes true where it is what makes one: it looks at all channels. */
static bool may_normalise(const kx_node *n, bool *norm)
{
    const kx_traits *t = &n->op->traits;

    if (t->windows || t->mixing != KX_MIXING_NONE || t->axes == KX_AXES_MATRIX || t->shares)
        return false;
    *norm = *norm || t->normalises || t->axes == KX_AXES_REDUCED;
    return true;
}

kx_value *kx_before_norm(const kx_graph *g, const kx_choice *c, kx_value *v, kx_view *view)
{
    kx_value *found = v;
    bool norm = false;

    for (int32_t i = v->producer; i >= 0; i--) {
        const kx_node *n = &g->node[i];
        kx_value *out = n->out[0];
        kx_view seen;

        if (!out || !c->ways.on[out->id])
            continue;
        if (norm && c->ways.all[out->id] && kx_explainable(c, out, &seen) &&
            seen.maps == view->maps && seen.height == view->height && seen.width == view->width) {
            found = out;
            *view = seen;
        }
        if (!may_normalise(n, &norm))
            break;
    }
    return found;
}
