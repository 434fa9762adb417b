/* families.h - the lists of operators that operators.c gathers; each ends with an entry without a
 * type.
 */
#ifndef KLDVE_ONNX_OPS_FAMILIES_H
#define KLDVE_ONNX_OPS_FAMILIES_H

#include "graph/graph.h"

extern const kx_op kx_conv_ops[];
extern const kx_op kx_convtranspose_ops[];
extern const kx_op kx_pool_ops[];
extern const kx_op kx_lrn_ops[];
extern const kx_op kx_batchnorm_ops[];
extern const kx_op kx_norm_ops[];
extern const kx_op kx_mvn_ops[];
extern const kx_op kx_matmul_ops[];
extern const kx_op kx_einsum_ops[];
extern const kx_op kx_softmax_ops[];
extern const kx_op kx_pad_ops[];
extern const kx_op kx_resize_ops[];
extern const kx_op kx_unary_ops[];
extern const kx_op kx_clip_ops[];
extern const kx_op kx_binary_ops[];
extern const kx_op kx_variadic_ops[];
extern const kx_op kx_compare_ops[];
extern const kx_op kx_reduce_ops[];
extern const kx_op kx_arg_ops[];
extern const kx_op kx_cumsum_ops[];
extern const kx_op kx_shape_ops[];
extern const kx_op kx_constant_ops[];
extern const kx_op kx_move_ops[];
extern const kx_op kx_trilu_ops[];
extern const kx_op kx_slice_ops[];
extern const kx_op kx_gather_ops[];
extern const kx_op kx_scatter_ops[];
extern const kx_op kx_topk_ops[];
extern const kx_op kx_cast_ops[];
extern const kx_op kx_quantise_ops[];
extern const kx_op kx_qlinear_ops[];
extern const kx_op kx_control_ops[];
extern const kx_op kx_indicator_ops[];
extern const kx_op kx_nms_ops[];
extern const kx_op kx_contrib_ops[];
extern const kx_op kx_contrib_attention_ops[];
extern const kx_op kx_recurrent_ops[];
extern const kx_op kx_recurrent_quantised_ops[];
extern const kx_op kx_bits_ops[];
extern const kx_op kx_pieces_ops[];
extern const kx_op kx_attention_ops[];
extern const kx_op kx_spectrum_ops[];
extern const kx_op kx_audio_constants_ops[];
extern const kx_op kx_gridsample_ops[];
extern const kx_op kx_sample_ops[];
extern const kx_op kx_roialign_ops[];
extern const kx_op kx_contrib_nhwc_ops[];
extern const kx_op kx_contrib_small_ops[];
extern const kx_op kx_contrib_group_ops[];
extern const kx_op kx_contrib_embed_ops[];
extern const kx_op kx_contrib_nbits_ops[];
extern const kx_op kx_inverse_ops[];
extern const kx_op kx_sequence_ops[];
extern const kx_op kx_ml_ops[];

#endif
