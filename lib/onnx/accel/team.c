/* team.c - see team.h. */
#include "accel/team.h"

#include <stdio.h>
#include <string.h>

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

bool kx_team_lost(const kx_home *home, int threads)
{
    return threads > 1 && (home->forked || home->process != getpid());
}

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

kldve_status kx_lead(kldve_ctx *ctx, bool lost, void (*work)(void *arg), void *arg)
{
    struct task task = {work, arg};
    pthread_t leader;

    if (!lost) {
        work(arg);
        return KLDVE_OK;
    }
    if (pthread_create(&leader, NULL, run_task, &task) != 0)
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM,
                              "this process was forked and needs a new thread, but the system "
                              "has none left");
    pthread_join(leader, NULL);
    return KLDVE_OK;
}
