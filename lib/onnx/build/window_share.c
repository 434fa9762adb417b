/* window_share.c - how far the windows of an operator reach. */
#include "window_share.h"

#include <assert.h>

#include "ops/params.h"

float kx_window_share(const kx_node *n)
{
    const kx_window *w = n->params; /* the first member of what such operators leave */
    float most = 0;

    assert(n->op->traits.windows);
    for (int axis = KX_SPATIAL - w->spatial; axis < KX_SPATIAL; axis++) {
        float more = (float)(kx_window_extent(w, axis) - w->stride[axis]) / (float)w->in[axis];

        most = more > most ? more : most;
    }
    return most;
}
