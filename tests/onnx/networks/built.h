/* built.h - a graph of a model that is written down, for tests of what builds and reads graphs. */
#ifndef KLDVE_TESTS_BUILT_H
#define KLDVE_TESTS_BUILT_H

#include "build/build.h"
#include "read/proto.h"
#include "support.h"

typedef struct built {
    test_heap heap;
    kldve_ctx *ctx;
    unsigned char *bytes;
    kx_model *model;
    kx_graph *graph; /**< NULL: refused */
    kx_arena arena;  /**< for what is asked of the graph */
} built;

/** Build a model written down as networks/text.h says; a model that cannot be read fails the test.
 *  Symbolic dimensions stay 0.  Close it in any case. */
kldve_status built_text(built *b, const char *text);
/** The same; fails the test where the graph is refused. */
void built_open(built *b, const char *text);
/** A tensor of the graph by its name; fails the test where there is none. */
kx_value *built_value(const built *b, const char *name);
/** Nothing may be left of it. */
void built_close(built *b);

#endif
