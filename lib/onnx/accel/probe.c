/* probe.c - see probe.h. */
#define _DEFAULT_SOURCE 1 /* syscall() */

#include "accel/probe.h"

#include <pthread.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <time.h>
#include <unistd.h>

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
