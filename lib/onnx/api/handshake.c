/* handshake.c - the engine and the core are of the same release: they share more than the public
 * functions, so that another pair of releases is refused before anything is done. */
#include "handshake.h"

enum { PATCHES = 1000 }; /* of a minor release, all of which fit each other */

kldve_status kx_handshake(kldve_ctx *ctx)
{
    if (kldve_version_number() / PATCHES == KLDVE_VERSION_NUMBER / PATCHES)
        return KLDVE_OK;
    return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED,
                           "libkldve-onnx %d.%d.%d does not fit libkldve %s: install both of one "
                           "release",
                           KLDVE_VERSION_MAJOR, KLDVE_VERSION_MINOR, KLDVE_VERSION_PATCH,
                           kldve_version());
}

int32_t kldve_onnx_version_number(void)
{
    return KLDVE_VERSION_NUMBER;
}
