/* scratch.h - room for what lives within one step, kept from one run to the next.
 *
 * While a scratch is open on a context, what is allocated from it is cut from the room, as far as
 * that goes.  The first time there is none; each time adds up what was asked for, and the next
 * opening makes room for all of it.  A step that asks for the same again then allocates nothing. */
#ifndef KLDVE_LIB_SCRATCH_H
#define KLDVE_LIB_SCRATCH_H

#include <kldve/common.h>

/** All zero: there is no room yet. */
typedef struct kldve_scratch {
    unsigned char *bytes;
    size_t size, used; /**< bytes */
    size_t wanted;     /**< bytes asked for while it was open */
    int32_t live;      /**< blocks in it that were not released */
} kldve_scratch;

/** Until it is closed the context belongs to one thread, and all that is allocated is released.
 *  @return KLDVE_OK; KLDVE_E_NOMEM, and nothing is open. */
kldve_status kldve_scratch_open(kldve_ctx *ctx, kldve_scratch *s);
void kldve_scratch_close(kldve_ctx *ctx);
void kldve_scratch_free(kldve_ctx *ctx, kldve_scratch *s);

#endif
