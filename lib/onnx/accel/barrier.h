/* barrier.h - the functions of oneDNN that take memory, behind a barrier: they return a status
 * where oneDNN itself throws or crashes.
 *
 * oneDNN is C++.  Where there is no memory its functions throw, also out of its C interface, and a
 * C program that an exception reaches is ended.  Its own `new` gives a constructor a null pointer
 * to write to, and where no page can be had for generated code it writes there, too.  So each
 * call here first asks for `room` bytes, more than it needs, and gives them back; and it catches
 * what is thrown.  What remains is in docs/reliability.md.
 *
 * The files of this folder call these functions by this table; the test `layering` looks for
 * others.  Those that free or only read take no memory and are called directly. */
#ifndef KLDVE_ONNX_BARRIER_H
#define KLDVE_ONNX_BARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include <oneapi/dnnl/dnnl.h>

/** Bytes of descriptors, attributes, lists; of primitives, each with the code of its kernels, of
 *  which one is 256 KiB before it is written; of a table of arguments, whose failures oneDNN
 *  throws; of matrix products, whose kernels oneDNN compiles when the first of them runs. */
enum {
    KX_ROOM_OBJECT = 64 << 10,
    KX_ROOM_PRIMITIVE = 4 << 20,
    KX_ROOM_RUN = 0,
    KX_ROOM_PRODUCT = 8 << 20
};

/* X(name without dnnl_, room) */
#define KX_DNNL_COMMON(X)                                                                          \
    X(engine_create, KX_ROOM_OBJECT)                                                               \
    X(stream_create, KX_ROOM_OBJECT)                                                               \
    X(memory_create, KX_ROOM_OBJECT)                                                               \
    X(primitive_attr_create, KX_ROOM_OBJECT)                                                       \
    X(primitive_attr_set_scratchpad_mode, KX_ROOM_OBJECT)                                          \
    X(primitive_attr_set_post_ops, KX_ROOM_OBJECT)                                                 \
    X(post_ops_create, KX_ROOM_OBJECT)                                                             \
    X(post_ops_append_binary, KX_ROOM_OBJECT)                                                      \
    X(post_ops_append_eltwise, KX_ROOM_OBJECT)                                                     \
    X(post_ops_append_sum, KX_ROOM_OBJECT)                                                         \
    X(memory_desc_permute_axes, KX_ROOM_OBJECT)                                                    \
    X(reorder_primitive_desc_create, KX_ROOM_PRIMITIVE)                                            \
    X(concat_primitive_desc_create, KX_ROOM_PRIMITIVE)                                             \
    X(primitive_create, KX_ROOM_PRIMITIVE)                                                         \
    X(primitive_execute, KX_ROOM_RUN)                                                              \
    X(stream_wait, KX_ROOM_RUN)

#if DNNL_VERSION_MAJOR < 3
#define KX_DNNL_CALLS(X)                                                                           \
    KX_DNNL_COMMON(X)                                                                              \
    X(memory_desc_init_by_tag, KX_ROOM_OBJECT)                                                     \
    X(memory_desc_init_by_strides, KX_ROOM_OBJECT)                                                 \
    X(memory_desc_init_submemory, KX_ROOM_OBJECT)                                                  \
    X(dilated_convolution_forward_desc_init, KX_ROOM_OBJECT)                                       \
    X(dilated_convolution_backward_data_desc_init, KX_ROOM_OBJECT)                                 \
    X(pooling_forward_desc_init, KX_ROOM_OBJECT)                                                   \
    X(pooling_backward_desc_init, KX_ROOM_OBJECT)                                                  \
    X(lrn_forward_desc_init, KX_ROOM_OBJECT)                                                       \
    X(lrn_backward_desc_init, KX_ROOM_OBJECT)                                                      \
    X(eltwise_forward_desc_init, KX_ROOM_OBJECT)                                                   \
    X(binary_desc_init, KX_ROOM_OBJECT)                                                            \
    X(matmul_desc_init, KX_ROOM_OBJECT)                                                            \
    X(primitive_desc_create, KX_ROOM_PRIMITIVE)
#else
#define KX_DNNL_CALLS(X)                                                                           \
    KX_DNNL_COMMON(X)                                                                              \
    X(memory_desc_create_with_tag, KX_ROOM_OBJECT)                                                 \
    X(memory_desc_create_with_strides, KX_ROOM_OBJECT)                                             \
    X(memory_desc_create_submemory, KX_ROOM_OBJECT)                                                \
    X(memory_desc_clone, KX_ROOM_OBJECT)                                                           \
    X(primitive_desc_next_impl, KX_ROOM_PRIMITIVE)                                                 \
    X(convolution_forward_primitive_desc_create, KX_ROOM_PRIMITIVE)                                \
    X(convolution_backward_data_primitive_desc_create, KX_ROOM_PRIMITIVE)                          \
    X(pooling_forward_primitive_desc_create, KX_ROOM_PRIMITIVE)                                    \
    X(pooling_backward_primitive_desc_create, KX_ROOM_PRIMITIVE)                                   \
    X(lrn_forward_primitive_desc_create, KX_ROOM_PRIMITIVE)                                        \
    X(lrn_backward_primitive_desc_create, KX_ROOM_PRIMITIVE)                                       \
    X(eltwise_forward_primitive_desc_create, KX_ROOM_PRIMITIVE)                                    \
    X(binary_primitive_desc_create, KX_ROOM_PRIMITIVE)                                             \
    X(matmul_primitive_desc_create, KX_ROOM_PRIMITIVE)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** kx_dnnl.NAME() is dnnl_NAME(); dnnl_out_of_memory also for anything that it throws. */
struct kx_dnnl {
#define KX_DNNL_MEMBER(name, room) __typeof__(&dnnl_##name) name;
    KX_DNNL_CALLS(KX_DNNL_MEMBER)
#undef KX_DNNL_MEMBER
};
extern const struct kx_dnnl kx_dnnl;

/** Whether the system has so many bytes for this process at the moment.  Another thread may take
 *  them meanwhile. */
bool kx_has_room(size_t nbytes);

#ifdef __cplusplus
}
#endif
#endif
