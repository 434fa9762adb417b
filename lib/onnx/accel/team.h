/* team.h - threads that share the work of one call, in processes that were forked or have no thread
 * left, too.
 *
 * The OpenMP runtime keeps the threads of a team for the thread that led it, and takes them for
 * alive.  In a child that was forked they are not: the next team of that thread would wait for
 * ever. So a child leads its teams from a new thread, whose team is new.
 *
 * Where the system has no thread left it ends the process.  So before the first team of a thread as
 * many threads are started and ended as the team will have. */
#ifndef KLDVE_ONNX_TEAM_H
#define KLDVE_ONNX_TEAM_H

#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>

#include <kldve/common.h>

/** Where something was made. */
typedef struct kx_home {
    int64_t process;
    bool forked;      /**< the process is a child that has not started another program since */
    bool led;         /**< there was a team, */
    pthread_t leader; /**< of this thread */
} kx_home;

kx_home kx_home_here(void);
/** The same, with what is known of the teams of threads that led something before. */
kx_home kx_home_of(const kx_home *before);

/** work(arg) with a team of so many threads, led from here or, where the calling thread may have a
 *  team that a fork left behind, from a new thread, which the caller waits for.  All threads of the
 *  team compute in the default floating-point environment meanwhile: those that the host's own
 * loops made have the host's.
 *  @param home  Of what is about to run.
 *  @return KLDVE_OK; KLDVE_E_NOMEM (the system has no thread left, or no memory; nothing was run).
 */
kldve_status kx_lead(kldve_ctx *ctx, kx_home *home, int threads, void (*work)(void *arg),
                     void *arg);

#endif
