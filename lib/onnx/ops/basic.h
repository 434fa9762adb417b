/* basic.h - what the basic operators share, beside walk.h: inputs that must be constant, integer
 * widths, copies. */
#ifndef KLDVE_ONNX_OPS_BASIC_H
#define KLDVE_ONNX_OPS_BASIC_H

#include "params_basic.h"
#include "read/proto.h"

/** kx_out() and the element type as the file would declare it (kx_value.onnx_type). */
kldve_status kx_out_as(kx_graph *g, kx_node *n, int32_t i, kx_dtype dtype, const kx_shape *shape,
                       int32_t onnx_type);
/** kx_out_as() with type and element type of `like`. */
kldve_status kx_out_like(kx_graph *g, kx_node *n, int32_t i, const kx_value *like,
                         const kx_shape *shape);

/** The elements of a constant integer input of rank 0 or 1; NULL and count 0 where it is omitted.
 *  Refused: "input 1 (axes) must be constant". */
kldve_status kx_const_ints(kx_graph *g, kx_node *n, int32_t i, const char *what,
                           const int64_t **ints, size_t *count);
/** A list of integers that moved from an attribute to input i in opset `moved`. */
kldve_status kx_ints(kx_graph *g, kx_node *n, const char *name, int32_t i, int32_t moved,
                     const int64_t **ints, size_t *count);
/** Mark axes, each within -rank..rank-1 and given once. */
kldve_status kx_mark_axes(kx_graph *g, kx_node *n, const int64_t *axes, size_t count, int32_t rank,
                          bool *marked);
/** Attribute `name`, an axis of an array of that rank. */
kldve_status kx_axis_attr(kx_graph *g, kx_node *n, const char *name, int64_t def, int32_t rank,
                          int32_t *axis);

/** Wrap to the range of a narrow integer type (uint8 ... uint32); others unchanged. */
int64_t kx_wrap(int32_t onnx_type, int64_t x);
void kx_wrap_all(int32_t onnx_type, int64_t *x, size_t count);
/** Towards zero, clamped to the range of int64; NaN gives 0. */
int64_t kx_float_to_int(double x);

/** Input 1, indices: integers, and constant ones within their axes; index k of the list is one into
 * an axis of length[k % lengths]. */
kldve_status kx_check_indices(kx_graph *g, kx_node *n, const int64_t *length, size_t lengths);
/** Negative indices count from the end; those out of range, known at run time only, are clamped. */
static inline size_t kx_index_of(int64_t i, int64_t length)
{
    i = i < 0 ? i + length : i;
    return (size_t)(i < 0 ? 0 : i >= length ? length - 1 : i);
}

static inline bool kx_same_shape(const kx_shape *a, const kx_shape *b)
{
    for (int32_t i = 0; i < a->rank; i++)
        if (a->rank != b->rank || a->dim[i] != b->dim[i])
            return false;
    return a->rank == b->rank;
}

static inline bool kx_is_float(const kx_value *v)
{
    return v->dtype == KX_F32;
}

/** A constant of the quantised type that v has: v holds such integers as floats (quantise.c), the
 *  file's constants are int64. */
static inline bool kx_is_level(const kx_value *constant, const kx_value *v)
{
    return constant->raw && constant->dtype == KX_I64 && v->dtype == KX_F32 &&
           constant->onnx_type == v->onnx_type;
}

/** The elements from index i on; NULL stays NULL. */
static inline const float *kx_at(const kx_tensor *t, int64_t i)
{
    return t->data ? (const float *)t->data + i : NULL;
}

/** out 0 = in 0, byte for byte; din += dout. */
void kx_copy_forward(const kx_op_call *call);
void kx_copy_vjp(const kx_op_call *call);
/** A Cast or CastLike that changes no element. */
bool kx_cast_copies(const kx_node *n);
/** kx_walk_params: out 0 = in 0 along the walk; din += dout along it. */
void kx_move_forward(const kx_op_call *call);
void kx_move_vjp(const kx_op_call *call);

#endif
