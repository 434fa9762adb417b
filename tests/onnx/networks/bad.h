/* bad.h - small models, each wrong in one way (or barely right), and what loading
 * them must say. */
#ifndef KLDVE_TESTS_NETWORKS_BAD_H
#define KLDVE_TESTS_NETWORKS_BAD_H

#include <kldve/common.h>

#include "writer.h"

typedef struct bad_model {
    const char *name;
    const char *text;    /**< for write_text(); NULL: `make` writes it */
    kldve_status status; /**< KLDVE_OK where the model is good after all */
    const char *message; /**< must be part of the context's message */
    writer_make make;
} bad_model;

extern const bad_model bad_models[]; /**< ends with an entry without a name */

/** A writer_make whose argument is a `const bad_model *`. */
void bad_model_write(writer *w, const void *bad);

#endif
