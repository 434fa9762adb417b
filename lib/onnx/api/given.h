/* given.h - what the caller says about the inputs of a network. */
#ifndef KLDVE_ONNX_GIVEN_H
#define KLDVE_ONNX_GIVEN_H

#include <kldve/onnx.h>

#include "read/arena.h"

/** Copy the structs that `options` points to into those of this release, in the arena, and check
 *  them.
 *  @return KLDVE_OK; KLDVE_E_ARG; KLDVE_E_UNSUPPORTED (a newer member is set); KLDVE_E_NOMEM. */
kldve_status kx_given_load(kldve_ctx *ctx, kx_arena *arena, kldve_onnx_options *options);

#endif
