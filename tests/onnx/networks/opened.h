/* opened.h - a network with a state on it, for tests of the engine as a backend. */
#ifndef KLDVE_TESTS_OPENED_H
#define KLDVE_TESTS_OPENED_H

#include <kldve/onnx.h>

#include "support.h"

typedef struct opened {
    test_heap heap;
    kldve_ctx *ctx;
    unsigned char *model; /**< [nbytes]; NULL: from a file */
    size_t nbytes;
    kldve_onnx *net;
    void *state;
    kldve_shape shape;
    size_t inputs, features, classes; /**< lengths of one input and what comes of it */
} opened;

/** Load a model written down as networks/text.h says; close it in any case. */
kldve_status opened_text(opened *o, const char *text, const kldve_onnx_options *options);
/** The same with one of the shared networks, by its name; skips the test without them. */
kldve_status opened_file(opened *o, const char *name, const kldve_onnx_options *options);
/** Open a state on what was loaded and read the sizes; fails the test where `st`, what loading
 *  returned, or that is a failure. */
void opened_state(opened *o, kldve_status st);
/** Accepts what was loaded only, or not even that; nothing may be left of it. */
void opened_close(opened *o);

#endif
