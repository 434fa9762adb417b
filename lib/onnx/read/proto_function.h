/* proto_function.h - the functions that are local to a model, read: their names are symbols, to
 * which each call gives a meaning. */
#ifndef KLDVE_ONNX_PROTO_FUNCTION_H
#define KLDVE_ONNX_PROTO_FUNCTION_H

#include "names.h"
#include "proto_read.h"

/* A name inside a function. */
typedef struct kx_symbol {
    const char *name;
    const char *now; /* what it stands for in the current call, NULL: nothing yet */
    bool input, made;
} kx_symbol;

typedef struct kx_body_node {
    kx_proto_node node;    /* attributes, operator; `in` and `out` are not used */
    kx_symbol **in, **out; /* NULL if omitted */
    struct kx_function *callee;
} kx_body_node;

typedef struct kx_function {
    const char *name, *domain, *overload;
    int64_t opset;
    size_t nin, nout, nnode, npreset, nsymbol;
    kx_symbol **in, **out, *symbol;
    kx_body_node *node;
    kx_proto_attr *preset; /* attributes with default values */
    int state;    /* of counting what calls expand to: 0 not yet, 1 being counted, 2 done */
    size_t nodes; /* how many a call expands to */
} kx_function;

typedef struct kx_functions {
    kx_reader *r;
    kx_function *function; /* [count] */
    size_t count;
    kx_names by_key;
} kx_functions;

/** Read the `count` functions of a model. */
kldve_status kx_functions_read(kx_functions *fs, kx_wire model, size_t count);
/** The function that a node calls; NULL: none. */
kx_function *kx_function_called(const kx_functions *fs, const kx_proto_node *n);
/** "function 'NAME': what". */
kldve_status kx_function_fail(kx_reader *r, const kx_function *f, kldve_status st,
                              const char *what);

#endif
