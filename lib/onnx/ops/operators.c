/* operators.c - every operator the engine knows, by family. */
#include <assert.h>
#include <string.h>

#include "families.h"

/* clang-format off */
const kx_op *const kx_families[] = {
    kx_conv_ops,
    kx_convtranspose_ops,
    kx_pool_ops,
    kx_lrn_ops,
    kx_batchnorm_ops,
    kx_norm_ops,
    kx_mvn_ops,
    kx_matmul_ops,
    kx_einsum_ops,
    kx_softmax_ops,
    kx_pad_ops,
    kx_resize_ops,
    kx_unary_ops,
    kx_clip_ops,
    kx_binary_ops,
    kx_variadic_ops,
    kx_compare_ops,
    kx_reduce_ops,
    kx_arg_ops,
    kx_cumsum_ops,
    kx_shape_ops,
    kx_constant_ops,
    kx_move_ops,
    kx_trilu_ops,
    kx_slice_ops,
    kx_gather_ops,
    kx_scatter_ops,
    kx_topk_ops,
    kx_cast_ops,
    kx_quantise_ops,
    kx_qlinear_ops,
    kx_control_ops,
    kx_indicator_ops,
    kx_nms_ops,
    kx_contrib_ops,
    kx_contrib_attention_ops,
    kx_recurrent_ops,
    kx_recurrent_quantised_ops,
    kx_bits_ops,
    kx_pieces_ops,
    kx_attention_ops,
    kx_spectrum_ops,
    kx_audio_constants_ops,
    kx_gridsample_ops,
    kx_sample_ops,
    kx_roialign_ops,
    kx_contrib_nhwc_ops,
    kx_contrib_small_ops,
    kx_contrib_group_ops,
    kx_contrib_embed_ops,
    kx_contrib_nbits_ops,
    kx_inverse_ops,
    kx_sequence_ops,
    kx_ml_ops,
    NULL,
};
/* clang-format on */

const kx_op *kx_op_find(const char *domain, const char *type, int32_t opset)
{
    assert(domain && type);
    for (const kx_op *const *family = kx_families; *family; family++)
        for (const kx_op *op = *family; op->type; op++)
            if (strcmp(op->type, type) == 0 && strcmp(op->domain ? op->domain : "", domain) == 0 &&
                op->since <= opset && (op->until == 0 || opset <= op->until))
                return op;
    return NULL;
}
