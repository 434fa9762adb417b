/* byte_pack.h - weights of bytes, see accel/byte_desc.h. */
#ifndef KLDVE_ONNX_BYTE_PACK_H
#define KLDVE_ONNX_BYTE_PACK_H

#include "planner.h"

/** Can the unit's weights be packed: integers of 8 bits, whose sums fit 32? */
bool kx_byte_packable(const kx_unit *u);
/** Fill in weights, offset, bias and factor of the unit's convolution.
 *  @param in  The form of what it reads. */
kldve_status kx_byte_pack(kx_planner *p, const kx_unit *u, kx_byte_form in);

#endif
