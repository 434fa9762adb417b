/* choose_parts.h - the parts of choosing, in the order in which kx_choose() calls them. */
#ifndef KLDVE_ONNX_CHOOSE_PARTS_H
#define KLDVE_ONNX_CHOOSE_PARTS_H

#include "choose.h"

/** Sets input. */
kldve_status kx_choose_input(const kx_graph *g, kx_choice *c);
/** Sets logits and scores; `selection` stands for both where there is one.  May add nodes. */
kldve_status kx_choose_logits(kx_graph *g, const char *name, const kx_selection *selection,
                              kx_choice *c);
/** Sets followed and channels_last, for all nodes that there are. */
kldve_status kx_follow_input(const kx_graph *g, kx_arena *arena, kx_choice *c);
/** Sets layer; needs on_path. */
kldve_status kx_choose_layer(const kx_graph *g, const char *name, kx_choice *c);

/** Sets straight_through and says so; needs ways and layer. */
kldve_status kx_choose_quantised(const kx_graph *g, kx_choice *c);
/** Say when the layer lies behind a resampling at computed places. */
kldve_status kx_choose_warped(const kx_graph *g, kx_choice *c);

/** The tensor, or first output of the node, that is called `name`.
 *  @param what  what it was given as, for the message. */
kldve_status kx_choose_named(const kx_graph *g, const char *what, const char *name, kx_value **out);

#endif
