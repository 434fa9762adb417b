/* array_place.h - a host's arrays: what is wrong with them, and where their numbers lie. */
#ifndef KLDVE_LIB_ARRAY_PLACE_H
#define KLDVE_LIB_ARRAY_PLACE_H

#include <kldve/kldve.h>

#include "stages/strided.h"

/** Everything but the numbers.  KLDVE_OK, KLDVE_E_ARG, KLDVE_E_UNSUPPORTED. */
kldve_status kldve_arrays_admit(kldve_ctx *ctx, const kldve_arrays *a);

/** Features or gradient of arrays that are admitted. */
kldve_strided kldve_arrays_place(const kldve_arrays *a, const void *at);

/** KLDVE_OK, or KLDVE_E_NUMERIC with a message as of kldve_finite_check(). */
kldve_status kldve_arrays_finite(kldve_ctx *ctx, const kldve_arrays *a);

#endif
