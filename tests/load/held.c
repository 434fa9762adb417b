#include "held.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* -1: there is no such folder. */
static int32_t count_entries(const char *folder)
{
    DIR *d = opendir(folder);
    int32_t n = 0;

    if (!d)
        return -1;
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

bool held_look(held *out)
{
    FILE *file;
    long pages, resident;
    bool ok;

#ifdef __GLIBC__
    malloc_trim(0); /* what is free in the heaps of threads that have ended is held by nobody */
#endif
    file = fopen("/proc/self/statm", "r");
    ok = file && fscanf(file, "%ld %ld", &pages, &resident) == 2;

    if (file)
        fclose(file);
    out->descriptors = count_entries("/proc/self/fd");
    out->threads = count_entries("/proc/self/task");
    out->memory = ok ? resident * (sysconf(_SC_PAGESIZE) / 1024) : 0;
    return ok && out->descriptors > 0 && out->threads > 0;
}
