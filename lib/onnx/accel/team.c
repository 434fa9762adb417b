/* team.c - see team.h. */
#include "accel/team.h"

#include "accel/probe.h"

#include <fenv.h>
#include <stdio.h>
#include <string.h>

#include <omp.h>
#include <pthread.h>
#include <unistd.h>

#include <kldve/backend.h>

/* Linux notes it among the flags of a process, PF_FORKNOEXEC (include/linux/sched.h), the seventh
 * field behind the name in /proc/self/stat (proc_pid_stat(5)).  Where it cannot be read, a child is
 * only known by objects that its parent made. */
static bool is_forked_child(void)
{
    enum { FORKED = 0x40 };
    FILE *file = fopen("/proc/self/stat", "re");
    char line[512] = "";
    const char *name_end;
    unsigned flags = 0;

    if (!file)
        return false;
    if (!fgets(line, sizeof line, file))
        line[0] = 0;
    fclose(file);
    name_end = strrchr(line, ')');
    return name_end && sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
           (flags & FORKED);
}

kx_home kx_home_here(void)
{
    return (kx_home){.process = getpid(), .forked = is_forked_child()};
}

kx_home kx_home_of(const kx_home *before)
{
    kx_home home = kx_home_here();

    if (before->process == home.process) {
        home.led = before->led;
        home.leader = before->leader;
    }
    return home;
}

/* Whether the calling thread may have a team that a fork left behind. */
static bool is_lost(const kx_home *home, int threads)
{
    return threads > 1 && (home->forked || home->process != getpid());
}

static kldve_status ask_for_threads(kldve_ctx *ctx, int threads)
{
    if (kx_has_threads(threads))
        return KLDVE_OK;
    return kldve_ctx_failf(ctx, KLDVE_E_NOMEM,
                           "the system has no %d threads left for the network: free some, or open "
                           "it with threads = 1, for the command --threads 1",
                           threads);
}

/* ---- a team -------------------------------------------------------------------------------- */

struct task {
    void (*work)(void *arg);
    void *arg;
};

static void *run_task(void *task)
{
    const struct task *t = task;

    fesetenv(FE_DFL_ENV); /* the thread has that of the caller, and ends with the work */
    t->work(t->arg);
    return NULL;
}

/* Whether this thread rounds to the nearest, keeps small numbers and does not trap.  Where only the
 * rounding can be seen, the rest is taken for granted. */
static bool has_default_env(void)
{
#if defined(__x86_64__)
    const unsigned raised = 0x3f, masked_to_nearest = 0x1f80; /* of MXCSR, Intel SDM 1, 10.2.3 */

    return (__builtin_ia32_stmxcsr() & ~raised) == masked_to_nearest;
#elif defined(__aarch64__) && !defined(__clang__)
    return __builtin_aarch64_get_fpcr() == 0;
#else
    return fegetround() == FE_TONEAREST;
#endif
}

static int count_odd_envs(int threads)
{
    int odd = 0;

#pragma omp parallel num_threads(threads) reduction(+ : odd)
    odd += !has_default_env();
    return odd;
}

/* OpenMP keeps the numbers of its threads from one team to the next of the same size. */
static kldve_status work_in_default_env(kldve_ctx *ctx, int threads, void (*work)(void *arg),
                                        void *arg)
{
    fenv_t *host = kldve_ctx_alloc(ctx, (size_t)threads, sizeof *host);

    if (!host)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory for the state of the threads");
    for (int i = 0; i < threads; i++) /* the last team may have threads that the first had not */
        fegetenv(&host[i]);
#pragma omp parallel num_threads(threads)
    {
        feholdexcept(&host[omp_get_thread_num()]);
        fesetenv(FE_DFL_ENV);
    }
    work(arg);
#pragma omp parallel num_threads(threads)
    fesetenv(&host[omp_get_thread_num()]);
    kldve_ctx_release(ctx, host);
    return KLDVE_OK;
}

static kldve_status work_here(kldve_ctx *ctx, int threads, void (*work)(void *arg), void *arg)
{
    if (threads > 1 ? count_odd_envs(threads) > 0 : !has_default_env())
        return work_in_default_env(ctx, threads, work, arg);
    work(arg);
    return KLDVE_OK;
}

static kldve_status lead_elsewhere(kldve_ctx *ctx, struct task *task)
{
    pthread_t leader;

    if (pthread_create(&leader, NULL, run_task, task) != 0)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM,
                              "this process was forked and needs a new thread, but the system "
                              "has none left");
    pthread_join(leader, NULL);
    return KLDVE_OK;
}

/* OpenMP keeps the threads of a team for its leader, so that it need not ask again. */
kldve_status kx_lead(kldve_ctx *ctx, kx_home *home, int threads, void (*work)(void *arg), void *arg)
{
    struct task task = {work, arg};
    bool lost = is_lost(home, threads);
    kldve_status st;

    if (threads > 1 && (lost || !home->led || !pthread_equal(home->leader, pthread_self()))) {
        if ((st = ask_for_threads(ctx, lost ? threads + 1 : threads)) < 0)
            return st;
        home->led = true;
        home->leader = pthread_self();
    }
    return lost ? lead_elsewhere(ctx, &task) : work_here(ctx, threads, work, arg);
}
