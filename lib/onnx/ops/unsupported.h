/* unsupported.h - why an operator is not there. */
#ifndef KLDVE_ONNX_OPS_UNSUPPORTED_H
#define KLDVE_ONNX_OPS_UNSUPPORTED_H

/** What stands in the way and what to do instead, as the end of a sentence; NULL: nothing is known
 *  of such an operator.  domain "" is ONNX's own. */
const char *kx_why_unsupported(const char *domain, const char *type);

#endif
