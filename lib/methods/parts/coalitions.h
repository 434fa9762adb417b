/* coalitions.h - what the network makes of the input with some of its superpixels only. */
#ifndef KLDVE_LIB_METHODS_COALITIONS_H
#define KLDVE_LIB_METHODS_COALITIONS_H

#include <kldve/method.h>

/** Superpixels are the players; a coalition are those that are there.  The pixels of the others are
 *  0, the mean colour of a normalised input. */
typedef struct kldve_coalitions {
    const kldve_job *job;
    int32_t players;
    int32_t *label;    /**< [in_height][in_width], the player of each pixel */
    size_t count;      /**< of coalitions */
    uint8_t *present;  /**< [count][players], 1 for those that are there; the caller fills it in */
    double *value;     /**< [count], the probability of the target given each coalition */
    double *weight;    /**< [count], for the caller */
    double *b, *error; /**< [players], likewise: one number for each and its standard error */
} kldve_coalitions;

/** Find the superpixels: about 50, or as many as have the side options.window.
 *  @return KLDVE_OK; KLDVE_E_NOMEM; KLDVE_E_LIMIT (more than 1024 of them).  After a failure there
 *          is nothing to free. */
kldve_status kldve_coalitions_begin(const kldve_job *job, kldve_coalitions *c);
/** Make room for `count` coalitions. */
kldve_status kldve_coalitions_alloc(kldve_coalitions *c, size_t count);
/** Run the network on all of them. */
kldve_status kldve_coalitions_run(kldve_coalitions *c);
/** b to the map, `error` to job->error, if there is one: every pixel what its superpixel has. */
void kldve_coalitions_paint(const kldve_coalitions *c, float *map);
/** Accepts what is half built. */
void kldve_coalitions_end(kldve_coalitions *c);

#endif
