/* proto.h - read an .onnx file. */
#ifndef KLDVE_ONNX_PROTO_H
#define KLDVE_ONNX_PROTO_H

#include "model.h"

/** Read from a file (mapped into memory, with `copy` read into it; external data only inside its
 * folder) or from bytes (external data refused).  Limits: 2 GiB for the .onnx, 4 GiB of external
 * data, 1 million nodes, 4096 bytes for a name.  KLDVE_E_IO, KLDVE_E_FORMAT, KLDVE_E_UNSUPPORTED,
 * KLDVE_E_LIMIT, KLDVE_E_NOMEM with a message that starts with the path. */
kldve_status kx_model_open(kldve_ctx *ctx, const char *path, bool copy, kx_model **out);
kldve_status kx_model_read(kldve_ctx *ctx, const void *bytes, size_t nbytes, kx_model **out);
/** The bytes of the model's own file, mapped; NULL: it was read from memory.  Borrowed. */
const void *kx_model_file(const kx_model *model, size_t *n);
/** File number `index` of external data, from 0, links resolved; NULL past the last.  Borrowed. */
const char *kx_model_external(const kx_model *model, int32_t index);
void kx_model_free(kx_model *model);
/** Whoever has read n bytes from there has no need of them for now: where they are a mapped file,
 *  they take no memory until they are read again.  Any thread may go on reading. */
void kx_model_put_away(const kx_model *model, const void *from, size_t n);

#endif
