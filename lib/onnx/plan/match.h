/* match.h - what a node becomes: a unit of one of the kinds that run fast, part of the unit that
 * makes its input (fuse.h), or a unit that runs the operator's own kernel. */
#ifndef KLDVE_ONNX_MATCH_H
#define KLDVE_ONNX_MATCH_H

#include "planner.h"

/** @param u  A new unit of the kind NODE, for n.  It is dead afterwards if n became part of another
 *            one. */
kldve_status kx_match(kx_planner *p, kx_unit *u, const kx_node *n);

#endif
