/* load.h - between onnx.c and explainer.c. */
#ifndef KLDVE_ONNX_LOAD_H
#define KLDVE_ONNX_LOAD_H

#include <kldve/onnx.h>

/** Copy the caller's options into those of this release; NULL: all zero.  The names stay the
 *  caller's.
 *  @return KLDVE_OK; KLDVE_E_ARG (no struct_size, a value out of range); KLDVE_E_UNSUPPORTED (a
 *          newer option is set). */
kldve_status kx_options_load(kldve_ctx *ctx, const kldve_onnx_options *from,
                             kldve_onnx_options *to);

#endif
