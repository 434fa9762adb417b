/* artist.h - draws maps for the page of kldve evaluate. */
#ifndef KLDVE_TOOLS_ARTIST_H
#define KLDVE_TOOLS_ARTIST_H

#include "evaluate.h"

typedef struct artist {
    const evaluation *e;
    const store_plan *plan; /**< of the database, which may hold more than the evaluation */
    int32_t *target;        /**< [networks][questions][methods] of the plan: the class that was
                                 explained; -1: there is no map */
} artist;

/** Get ready to draw what a database holds.  False after a message; free it in either case. */
bool artist_open(artist *a, const evaluation *e, store *s);
/** Accepts one of zero bytes. */
void artist_close(artist *a);

/** For results_artist.draw; `opaque` is an artist. */
bool artist_draw(void *opaque, int32_t net, int32_t number, int32_t method, json_object *to,
                 const char *key);

#endif
