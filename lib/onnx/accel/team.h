/* team.h - threads that share the work of one call, in processes that were forked, too.
 *
 * The OpenMP runtime keeps the threads of a team for the thread that led it, and takes them for
 * alive.  In a child that was forked they are not: the next team of that thread would wait for
 * ever. So a child leads its teams from a new thread, whose team is new. */
#ifndef KLDVE_ONNX_TEAM_H
#define KLDVE_ONNX_TEAM_H

#include <stdbool.h>
#include <stdint.h>

#include <kldve/common.h>

/** Where something was made. */
typedef struct kx_home {
    int64_t process;
    bool forked; /**< the process is a child that has not started another program since */
} kx_home;

kx_home kx_home_here(void);

/** Whether the calling thread may have a team that a fork left behind.
 *  @param home     Of what is about to run.
 *  @param threads  Of a team. */
bool kx_team_lost(const kx_home *home, int threads);

/** work(arg), here or, if the team is `lost`, in a new thread, which the caller waits for.  All
 *  threads of the team compute in the default floating-point environment meanwhile: those that the
 *  host's own loops made have the host's.
 *  @param threads  Of the team.
 *  @return KLDVE_OK; KLDVE_E_NOMEM (the system has no thread left, or no memory; nothing was run).
 */
kldve_status kx_lead(kldve_ctx *ctx, bool lost, int threads, void (*work)(void *arg), void *arg);

#endif
