/* ranks.c - several processes of one run: MPI.
 *
 * Messages are sent without waiting for their receiver, because two ranks that send to each other
 * and both wait would wait for ever; what is on its way is kept until it has arrived.  An error of
 * MPI, such as the death of another rank, ends the process: what the database has, it keeps. */
#include "ranks.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

#include "cli/tool.h"

typedef struct sending {
    struct sending *next;
    MPI_Request request;
    unsigned char *bytes;
} sending;

enum { TAG = 1 };

/* MPI itself is one for each process. */
static sending *under_way;

/* What launchers tell: Open MPI's mpirun, any with PMIx (srun --mpi=pmix, PRRTE), any with PMI-2
 * (MPICH's mpiexec, srun --mpi=pmi2). */
static const char *const rank_names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", NULL};

static const char *told(void)
{
    for (const char *const *name = rank_names; *name; name++)
        if (getenv(*name))
            return getenv(*name);
    return NULL;
}

int32_t ranks_told(void)
{
    return told() ? (int32_t)strtol(told(), NULL, 10) : 0;
}

static int32_t count_here(void)
{
    MPI_Comm machine;
    int here = 1;

    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &here);
    MPI_Comm_free(&machine);
    return here;
}

bool ranks_begin(ranks *r)
{
    int level = 0, rank = 0, count = 1;

    *r = (ranks){0, 1, 1};
    if (!told())
        return true;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS ||
        level < MPI_THREAD_FUNNELED) {
        complain("MPI cannot be started for a program with threads");
        return false;
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    *r = (ranks){rank, count, count_here()};
    return true;
}

void ranks_gather(const ranks *r, const void *mine, size_t nbytes, void *all)
{
    assert(nbytes <= INT_MAX);
    if (r->count == 1)
        memcpy(all, mine, nbytes);
    else
        MPI_Gather(mine, (int)nbytes, MPI_BYTE, all, (int)nbytes, MPI_BYTE, 0, MPI_COMM_WORLD);
}

void ranks_tell(const ranks *r, void *bytes, size_t nbytes)
{
    assert(nbytes <= INT_MAX);
    if (r->count > 1)
        MPI_Bcast(bytes, (int)nbytes, MPI_BYTE, 0, MPI_COMM_WORLD);
}

/* Forget what has arrived. */
static void tidy(void)
{
    for (sending **at = &under_way; *at;) {
        sending *s = *at;
        int done = 0;

        MPI_Test(&s->request, &done, MPI_STATUS_IGNORE);
        if (!done) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        free(s->bytes);
        free(s);
    }
}

void ranks_send(int32_t to, unsigned char *bytes, size_t nbytes)
{
    sending *s = malloc(sizeof *s);

    assert(nbytes <= INT_MAX);
    if (!s) { /* it can still be sent, though not without waiting */
        MPI_Send(bytes, (int)nbytes, MPI_BYTE, to, TAG, MPI_COMM_WORLD);
        free(bytes);
        return;
    }
    s->next = under_way;
    s->bytes = bytes;
    under_way = s;
    MPI_Isend(bytes, (int)nbytes, MPI_BYTE, to, TAG, MPI_COMM_WORLD, &s->request);
}

bool ranks_receive(int32_t *from, unsigned char **bytes, size_t *nbytes)
{
    MPI_Status status;
    int came = 0, count = 0;
    unsigned char *b;

    if (under_way)
        tidy();
    MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &came, &status);
    if (!came)
        return false;
    MPI_Get_count(&status, MPI_BYTE, &count);
    b = malloc(count > 0 ? (size_t)count : 1);
    if (!b)
        return false; /* it stays where it is, until there is memory */
    MPI_Recv(b, count, MPI_BYTE, status.MPI_SOURCE, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    *from = status.MPI_SOURCE;
    *bytes = b;
    *nbytes = (size_t)count;
    return true;
}

void ranks_end(const ranks *r)
{
    int started = 0;

    (void)r;
    MPI_Initialized(&started);
    if (!started)
        return;
    while (under_way) {
        MPI_Wait(&under_way->request, MPI_STATUS_IGNORE);
        tidy();
    }
    MPI_Finalize();
}
