/* pace.c - see pace.h. */
#include "pace.h"

/* Some milliseconds of the slowest kernels. */
static const double between_polls = 1 << 20;

bool kx_pace_poll(kx_pace *p)
{
    if (p->status < 0)
        return true;
    if (!p->follows)
        p->status = kldve_ctx_poll(p->ctx);
    else if (kldve_ctx_stopping(p->ctx))
        p->status = KLDVE_E_CANCELLED;
    if (p->status == KLDVE_OK)
        p->left = between_polls;
    return p->status < 0;
}
