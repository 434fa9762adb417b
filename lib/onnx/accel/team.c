/* team.c - see team.h. */
#define _DEFAULT_SOURCE 1 /* syscall() */

#include "accel/team.h"

#include <stdio.h>
#include <string.h>

#include <pthread.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <time.h>
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

/* ---- are there threads? -------------------------------------------------------------------- */

typedef struct probe {
    pthread_t thread;
    pthread_mutex_t *gate; /* open once all are there */
    long id;               /* the system's */
} probe;

static void *wait_for_the_others(void *arg)
{
    probe *p = arg;

#ifdef __linux__
    p->id = syscall(SYS_gettid);
#endif
    pthread_mutex_lock(p->gate);
    pthread_mutex_unlock(p->gate);
    return NULL;
}

/* A thread that was joined counts for a moment more, so that OpenMP could be refused its own. */
static void wait_until_gone(const probe *p)
{
    const struct timespec pause = {.tv_nsec = 100000};
    enum { PATIENCE = 1000 }; /* pauses */

#ifdef __linux__
    for (int i = 0; i < PATIENCE && syscall(SYS_tgkill, getpid(), p->id, 0) == 0; i++)
        nanosleep(&pause, NULL);
#endif
    (void)p;
    (void)pause;
}

bool kx_has_threads(int threads)
{
    enum { MOST = 256 }; /* of more nobody runs out by the last ones */
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    probe other[MOST];
    int wanted = threads - 1 < MOST ? threads - 1 : MOST, n = 0;

    pthread_mutex_lock(&gate);
    for (; n < wanted; n++) {
        other[n] = (probe){.gate = &gate};
        if (pthread_create(&other[n].thread, NULL, wait_for_the_others, &other[n]) != 0)
            break;
    }
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < n; i++)
        pthread_join(other[i].thread, NULL);
    for (int i = 0; i < n; i++)
        wait_until_gone(&other[i]);
    pthread_mutex_destroy(&gate);
    return n >= wanted;
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

    t->work(t->arg);
    return NULL;
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
    if (lost)
        return lead_elsewhere(ctx, &task);
    work(arg);
    return KLDVE_OK;
}
