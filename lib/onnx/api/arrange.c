/* arrange.c - one picture from the order of the file's input to that of the backend. */
#include "load.h"

#include <string.h>

/* Letters for the axes of the file's input; NULL: the order is that of the backend. */
static const char *letters_of(const kldve_onnx *net)
{
    const kx_inputs *in = &net->inputs;

    if (*in->layout)
        return in->layout;
    if (!net->choice.channels_last)
        return NULL;
    return in->rank == 4 ? "NHWC" : "HWC";
}

/* How far apart neighbours along each axis of the file's input are in that of the backend. */
static void strides_of(const kldve_onnx *net, const char *letters, int64_t *stride)
{
    const int64_t *shape = net->choice.input->shape.dim;
    int64_t frames = net->inputs.frames;

    for (int32_t i = 0; letters[i]; i++)
        switch (letters[i]) {
        case 'C':
            stride[i] = shape[2] * shape[3];
            break;
        case 'T':
            stride[i] = shape[2] / frames * shape[3];
            break;
        case 'H':
            stride[i] = shape[3];
            break;
        default: /* W; N has one place */
            stride[i] = 1;
        }
}

kldve_status kldve_onnx_arrange(const kldve_onnx *net, const float *array, float *input)
{
    const char *letters = net ? letters_of(net) : NULL;
    int64_t stride[KX_PROTO_MAX_RANK], at[KX_PROTO_MAX_RANK] = {0}, place = 0;
    size_t count;

    if (!net || !array || !input)
        return KLDVE_E_ARG;
    count = net->choice.input->count;
    if (!letters) {
        memcpy(input, array, count * sizeof *input);
        return KLDVE_OK;
    }
    strides_of(net, letters, stride);
    for (size_t i = 0; i < count; i++) {
        input[place] = array[i];
        for (int32_t axis = net->inputs.rank - 1; axis >= 0; axis--) { /* the next in C order */
            place += stride[axis];
            if (++at[axis] < net->inputs.dim[axis])
                break;
            place -= at[axis] * stride[axis];
            at[axis] = 0;
        }
    }
    return KLDVE_OK;
}
