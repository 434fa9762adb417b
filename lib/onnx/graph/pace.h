/* pace.h - how a kernel that takes long hears that its call has to end. */
#ifndef KLDVE_ONNX_PACE_H
#define KLDVE_ONNX_PACE_H

#include <stdbool.h>

#include <kldve/backend.h>

/** Of one call of a kernel. */
typedef struct kx_pace {
    kldve_ctx *ctx;
    bool follows;        /**< another thread than the one of the call: it asks and does not poll */
    double left;         /**< work until the next poll */
    kldve_status status; /**< below 0: the results are incomplete */
} kx_pace;

/** For kx_stops(). */
bool kx_pace_poll(kx_pace *p);

/** `work` multiplications, or elements, are about to be done: whether the kernel has to return at
 *  once instead.  It then says so each time.  NULL: it never has to. */
static inline bool kx_stops(kx_pace *p, double work)
{
    if (!p)
        return false;
    p->left -= work;
    return p->left < 0 && kx_pace_poll(p);
}

#endif
