/* channels.c - see channels.h.
 *
 * ONNX's convolutions want [1][maps][h][w].  Networks written for TensorFlow keep [1][h][w][maps]
 * and transpose around each convolution.  The graph tells which the picture is: somewhere on its
 * way one with its channels last is brought to channels first, and no operator reads it as if they
 * were first before that. */
#include "channels.h"

#include <assert.h>

#include "surgery.h"

kldve_status kx_follow_picture(const kx_graph *g, kx_arena *arena, const kx_value *input,
                               kx_followed *out, bool *last)
{
    const int64_t *dim = input->shape.dim;
    kldve_status st;

    assert(input->shape.rank == 4);
    *last = false;
    if (dim[3] == 1 || dim[3] == 3 || dim[3] == 4) {
        if ((st = kx_follow(g, arena, input, "NHWC", out)) < 0)
            return st;
        *last = out->moved && !out->first;
    }
    return *last ? KLDVE_OK : kx_follow(g, arena, input, "NCHW", out);
}

kldve_status kx_input_first(kx_graph *g, kx_value **input)
{
    static const int32_t to_last[4] = {0, 2, 3, 1}, to_first[4] = {0, 3, 1, 2};
    kx_value *v = *input, *first = kx_value_new(g, v->name), *last;
    kx_surgery s = {.g = g, .name = v->name, .at = 0};
    kldve_status st;

    assert(v->shape.rank == 4 && v->producer < 0);
    if (!first)
        return kx_nomem(g);
    first->onnx_type = v->onnx_type;
    first->dtype = v->dtype;
    first->count = v->count;
    first->shape.rank = 4;
    for (int i = 0; i < 4; i++)
        first->shape.dim[i] = v->shape.dim[to_first[i]];
    if ((st = kx_put_transpose(&s, to_last, first, &last)) < 0)
        return st;
    kx_rewire(g, s.at, v, last);
    for (int32_t i = 0; i < g->ninput; i++)
        if (g->input[i] == v)
            g->input[i] = first;
    *input = first;
    return KLDVE_OK;
}
