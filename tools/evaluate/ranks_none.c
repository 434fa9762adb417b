/* ranks_none.c - ranks.h of a build without MPI. */
#include "ranks.h"

#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"

/* What mpirun of Open MPI and of MPICH set.  (Slurm sets PMIX_RANK for any program.) */
static int32_t number(const char *const *names)
{
    for (; *names; names++)
        if (getenv(*names))
            return (int32_t)strtol(getenv(*names), NULL, 10);
    return 0;
}

int32_t ranks_told(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", NULL};

    return number(names);
}

/* Each process would do all of the work, on one database. */
bool ranks_begin(ranks *r)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};

    *r = (ranks){0, 1, 1};
    if (number(names) < 2)
        return true;
    if (ranks_told() == 0)
        complain(
            "this kldve was built without MPI, so %d of them cannot share the work: start one, "
            "or give each a part with --shard",
            (int)number(names));
    return false;
}

/* There is one rank, so none of these is called for another. */

void ranks_gather(const ranks *r, const void *mine, size_t nbytes, void *all)
{
    (void)r;
    memcpy(all, mine, nbytes);
}

void ranks_tell(const ranks *r, void *bytes, size_t nbytes)
{
    (void)r;
    (void)bytes;
    (void)nbytes;
}

void ranks_send(int32_t to, unsigned char *bytes, size_t nbytes)
{
    (void)to;
    (void)nbytes;
    free(bytes);
}

bool ranks_receive(int32_t *from, unsigned char **bytes, size_t *nbytes)
{
    (void)from;
    (void)bytes;
    (void)nbytes;
    return false;
}

void ranks_end(const ranks *r)
{
    (void)r;
}
