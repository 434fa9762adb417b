/* handshake.h - the engine works with a core of its own release only. */
#ifndef KLDVE_ONNX_HANDSHAKE_H
#define KLDVE_ONNX_HANDSHAKE_H

#include <kldve/onnx.h>

/** Asked first by every call that a host can begin with.
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (the loaded core has another MAJOR or MINOR). */
kldve_status kx_handshake(kldve_ctx *ctx);

#endif
