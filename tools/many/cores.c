/* cores.c - how many threads keep the machine busy. */
#define _GNU_SOURCE /* sched_getaffinity() */

#include "cores.h"

#include <sched.h>
#include <unistd.h>

/* `all` where there are more than a cpu_set_t holds. */
static int32_t bound_to(int32_t all)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    return all;
}

int32_t cores_here(int32_t processes)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int32_t all = online > 0 ? (int32_t)online : 1, share = all / processes;
    int32_t mine = bound_to(all);

    if (mine > share) /* not bound to some, so the processes share all */
        mine = share;
    return mine > 1 ? mine : 1;
}
