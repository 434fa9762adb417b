/* before_norm.h - the layer before a last normalisation. */
#ifndef KLDVE_ONNX_BEFORE_NORM_H
#define KLDVE_ONNX_BEFORE_NORM_H

#include "choose.h"

/** Where a tensor on every way is only the normalisation of an earlier one on every way, cell by
 *  cell, the earliest such; else the tensor itself.  Transformers end so: what leaves their last
 *  block has the size that its blocks gave each cell, which the normalisation takes away.
 *  @param view  of the tensor; becomes that of the result. */
kx_value *kx_before_norm(const kx_graph *g, const kx_choice *c, kx_value *v, kx_view *view);

#endif
