/* tap.h - tensors of a file as outputs of it. */
#ifndef KLDVE_ONNX_TAP_H
#define KLDVE_ONNX_TAP_H

#include <stddef.h>
#include <stdint.h>

#include <kldve/common.h>

/** What to append to a model so that these tensors are outputs of it, too.
 *  @param path   starts every message.
 *  @param bytes  [n], the model.
 *  @param name   [count]; those that are outputs already are left out.
 *  @param out    from kldve_ctx_alloc(), [*nout].
 *  @return KLDVE_OK; KLDVE_E_FORMAT; KLDVE_E_ARG (no node of the main graph makes such a tensor);
 *          KLDVE_E_LIMIT (the model would be too large); KLDVE_E_NOMEM. */
kldve_status kx_tap(kldve_ctx *ctx, const char *path, const void *bytes, size_t n,
                    const char *const *name, int32_t count, void **out, size_t *nout);

#endif
