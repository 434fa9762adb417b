/* ranks.h - several processes of one run, on one machine or many, that exchange messages: MPI.
 * Only ranks.c knows it.  Without a launcher - mpirun, srun - nothing of it is started, and without
 * it a run of several ranks is refused.  One thread of each process calls these. */
#ifndef KLDVE_TOOLS_RANKS_H
#define KLDVE_TOOLS_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ranks {
    int32_t rank, count; /**< this one, from 0; how many there are: 1 without a launcher */
    int32_t here;        /**< how many of them run on this machine */
} ranks;

/** What the launcher's environment says before anything is started: the rank, 0 without a launcher.
 *  All ranks see the same wrong command line, one is enough to say so. */
int32_t ranks_told(void);

/** Start.  False after a message. */
bool ranks_begin(ranks *r);

/** Hand `nbytes` bytes of each rank to rank 0: all[count][nbytes], which the others ignore.  Every
 *  rank calls it. */
void ranks_gather(const ranks *r, const void *mine, size_t nbytes, void *all);

/** Hand bytes of rank 0 to all.  Every rank calls it. */
void ranks_tell(const ranks *r, void *bytes, size_t nbytes);

/** Send a message; it is on its way when the call returns.  Messages from one rank to another
 *  arrive in their order.  `bytes` is taken over, and freed with free(). */
void ranks_send(int32_t to, unsigned char *bytes, size_t nbytes);

/** The next message that has arrived; *bytes is the caller's to free().  False: none. */
bool ranks_receive(int32_t *from, unsigned char **bytes, size_t *nbytes);

/** Wait until what was sent has arrived, and for all others to come here. */
void ranks_end(const ranks *r);

#endif
