/* relevance.h - layer-wise relevance propagation, unit by unit.
 *
 * A unit shares the relevance R of its output out among its operands.  A linear one, z = W x + b,
 * does so in proportion to what they contributed (S. Bach et al., "On Pixel-Wise Explanations for
 * Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation", PLoS ONE 10(7), 2015),
 * which can be written as a VJP between two elementwise steps (G. Montavon et al., "Layer-Wise
 * Relevance Propagation: An Overview", 2019).  With <z> = z + 1e-6 sign z, x+ = max(x, 0), x- =
 * min(x, 0):
 *
 *     epsilon       R_in = x W^T (R / <z>)                                     Bach, Eq. (58)
 *     z+            R_in = x+ W+^T s + x- W-^T s,   s = R / <W+ x+ + W- x- + b+>
 *     alpha-beta    R_in = 2 (z+) - 1 (x+ W-^T t + x- W+^T t),  t = R / <W- x+ + W+ x- + b->
 *                                                                              Bach, Eq. (60)
 *     flat          R_in = 1^T (R / <1 x 1>): evenly over what the unit saw    (Lapuschkin et al.,
 *                   Nature Communications 10, 1096, 2019)
 *     composite     flat in the layers that see the picture, z+ in other convolutions, epsilon in
 *                   dense layers: EpsilonPlusFlat of zennit (C. Anders et al., arXiv:2106.13200),
 *                   whose definitions and stabiliser these are
 *
 * Normalisation is part of the convolution that it was merged into, and else a convolution of each
 * channel by itself; in front of the first layer of a composite it passes everything on.  Under
 * every rule: sums and averages share out by contribution (epsilon); the winner of a maximum takes
 * all; activations and local response normalisation pass all on, and so do products, to the signal:
 * the gate that scales it counts as constant.  Operators without any of these are refused.
 *
 * Where x is known to be positive - behind a rectifier - terms of x- are left out. */
#ifndef KLDVE_ONNX_RELEVANCE_H
#define KLDVE_ONNX_RELEVANCE_H

#include "planner.h"

/** The steps that take relevance from a unit's output to its operands. */
kldve_status kx_relevance_unit(kx_planner *p, kx_unit *u);

#endif
