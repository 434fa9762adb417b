/* artist.h - draws maps for the page of kldve evaluate. */
#ifndef KLDVE_TOOLS_ARTIST_H
#define KLDVE_TOOLS_ARTIST_H

#include "evaluate.h"

typedef struct artist {
    const evaluation *e;
    store *s;        /**< may hold more than the evaluation */
    int32_t *target; /**< [networks][questions][methods] of its plan: the class that was explained;
                          -1: there is no map.  NULL until the first map is drawn */
} artist;

/** Free what it took. */
void artist_close(artist *a);

/** For results_artist.draw; `opaque` is an artist of which `e` and `s` are set. */
bool artist_draw(void *opaque, int32_t net, int32_t number, int32_t method, json_object *to,
                 const char *key);

#endif
