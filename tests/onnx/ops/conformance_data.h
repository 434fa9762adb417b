/* conformance_data.h - the inputs and expected outputs of one case of ONNX's conformance data. */
#ifndef KLDVE_TESTS_ONNX_CONFORMANCE_DATA_H
#define KLDVE_TESTS_ONNX_CONFORMANCE_DATA_H

#include "graph/graph.h"
#include "read/proto.h"

enum { MAX_DATA = 32, WHY_SIZE = 200 };

typedef struct data_set {
    kx_arena arena;
    void *bytes[2 * MAX_DATA];
    kx_proto_tensor input[MAX_DATA], output[MAX_DATA]; /* named as in the model */
    int32_t inputs, outputs;
} data_set;

/** Read test_data_set_0 of the folder; false if something in it cannot be read. */
bool data_load(kldve_ctx *ctx, const kx_model *m, const char *folder, data_set *d);
void data_free(data_set *d);

/** The model with the inputs k for which `constant` holds as initializers.  `room` has place for
 *  the model's initializers and MAX_DATA more. */
kx_model data_promote(const kx_model *m, const data_set *d, const bool constant[MAX_DATA],
                      kx_proto_tensor *room);

/** Copy the numbers, after checking shape and type. */
bool data_fill(kx_tensor *to, const kx_proto_tensor *from);
/** Type, shape and numbers agree; otherwise `why` [WHY_SIZE] says what does not.  `name`: of the
 * case.
 */
bool data_agrees(const char *name, int32_t onnx_type, const kx_tensor *t,
                 const kx_proto_tensor *want, char *why);

#endif
