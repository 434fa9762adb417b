/* final.h - failures after which nothing else is tried. */
#ifndef KLDVE_ONNX_FINAL_H
#define KLDVE_ONNX_FINAL_H

#include <stdbool.h>

#include <kldve/common.h>

/** The host, or its deadline, ended the call. */
static inline bool kx_is_stop(kldve_status st)
{
    return st == KLDVE_E_CANCELLED || st == KLDVE_E_DEADLINE;
}

/** That, or there is no memory: another try would not tell more about the file. */
static inline bool kx_is_final(kldve_status st)
{
    return st == KLDVE_E_NOMEM || kx_is_stop(st);
}

#endif
