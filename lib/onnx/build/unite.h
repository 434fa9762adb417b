/* unite.h - several tensors of a graph as one layer. */
#ifndef KLDVE_ONNX_BUILD_UNITE_H
#define KLDVE_ONNX_BUILD_UNITE_H

#include "view.h"

/** Join the views of tensors along their maps to one layer, from which their readers read parts:
 *  what the network computes stays the same, and what passed any of them passes the layer.
 *
 *  A tensor that another one is computed from keeps its readers on the way to that one.
 *  @param view  [count], all of the same grid.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_unite(kx_graph *g, const char *name, int32_t count, const kx_view *view,
                      kx_value *const *member, kx_value **layer);

#endif
