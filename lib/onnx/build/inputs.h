/* inputs.h - the inputs of a model settled before it becomes a graph: one is the picture, the
 * others are constants, every dimension is a number. */
#ifndef KLDVE_ONNX_BUILD_INPUTS_H
#define KLDVE_ONNX_BUILD_INPUTS_H

#include <kldve/onnx.h>

#include "read/model.h"

enum { KX_DEFAULT_SIDE = 224, KX_DEFAULT_LENGTH = 16000, KX_DEFAULT_FRAMES = 16 };

typedef struct kx_input_options {
    const kldve_onnx_options *user; /**< in_height to shape_rank */
    bool keep_batch;                /**< a batch above 1 stays: every picture in it is the same */
    /** Told what was chosen; anything but KLDVE_OK ends the call and is returned. */
    kldve_status (*say)(void *opaque, const char *text);
    void *opaque;
} kx_input_options;

typedef struct kx_inputs {
    kx_model model;   /**< the file's, with one input of rank 4 and float32, nodes that lead from it
                           to the file's input, and the other inputs as tensors.  Its arrays are in
                           the arena or the file's model */
    const char *name; /**< of the file's input */
    int32_t rank;     /**< and its dimensions, all numbers, those of one picture */
    int64_t dim[KX_PROTO_MAX_RANK];
    bool size_open; /**< the options have an effect on its height and width */
    int64_t batch;  /**< pictures that the file's input takes, 1 or more */
    int64_t frames; /**< of a film, which lie below each other in the model's input; 1: none */
    char layout[KX_PROTO_MAX_RANK + 1]; /**< of the file's input, letters as in kx_follow(); "": as
                                              the graph tells */
    bool whole;                         /**< it takes integers */
    int32_t type;                       /**< if so: their TensorProto.DataType; else 0 */
    int64_t least, most;                /**< if so: their range */
} kx_inputs;

/** @param m  outlives *out.
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (no input can be the picture, or several can; another
 *          input has no value: the message lists them); KLDVE_E_ARG (a name that no input or
 *          dimension has, a shape that does not fit); KLDVE_E_NOMEM. */
kldve_status kx_inputs_settle(kldve_ctx *ctx, kx_arena *arena, const kx_model *m,
                              const kx_input_options *o, kx_inputs *out);

#endif
