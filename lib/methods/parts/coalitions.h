/* coalitions.h - the network's output for inputs that keep only some of their superpixels. */
#ifndef KLDVE_LIB_METHODS_COALITIONS_H
#define KLDVE_LIB_METHODS_COALITIONS_H

#include <kldve/method.h>

/** Superpixels are the players; a coalition is the set of those present.  The pixels of the others
 *  are 0, the mean colour of a normalised input. */
typedef struct kldve_coalitions {
    const kldve_job *job;
    int32_t players;
    int32_t *label;    /**< [in_height][in_width], the player of each pixel */
    size_t count;      /**< of coalitions */
    uint8_t *present;  /**< [count][players], 1 for players in the coalition; set by the caller */
    double *value;     /**< [count], the probability of the target given each coalition */
    double *weight;    /**< [count], for the caller */
    double *b, *error; /**< [players], for the caller: a number and its standard error */
} kldve_coalitions;

/** Find the superpixels: about 50, or as many as options.window, their side, gives.
 *  @return KLDVE_OK; KLDVE_E_NOMEM; KLDVE_E_ARG (more than 1024 of them).  On failure there is
 *          nothing to free. */
kldve_status kldve_coalitions_begin(const kldve_job *job, kldve_coalitions *c);
/** Make room for `count` coalitions. */
kldve_status kldve_coalitions_alloc(kldve_coalitions *c, size_t count);
/** Run the network on all of them. */
kldve_status kldve_coalitions_run(kldve_coalitions *c);
/** b to the map and `error` to job->error, if there is one: each pixel gets its superpixel's. */
void kldve_coalitions_paint(const kldve_coalitions *c, float *map);
/** Accepts a half-built object. */
void kldve_coalitions_end(kldve_coalitions *c);

#endif
