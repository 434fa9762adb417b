/* contrib_cases.h - cases of operators of other domains than ONNX's own; values are compared with
 * ONNX Runtime by contrib_data.py, here are those that it runs on GPUs only.  See op_case.h. */
#ifndef KLDVE_TESTS_ONNX_CONTRIB_CASES_H
#define KLDVE_TESTS_ONNX_CONTRIB_CASES_H

#include "op_case.h"

/* clang-format off */
#define M "com.microsoft:"
#define ML "ai.onnx.ml:"

static const struct value_case contrib_values[] = {
    {{"BiasAdd", 17, M "BiasAdd", "", "1x1x2:1,2 2:10,20 1x1x2:100,200", 1}, "1x1x2:111,222"},
    {{"BiasSplitGelu", 17, M "BiasSplitGelu", "", "1x4:1,2,0,50 4:1,1,0,0", 1}, "1x2:0,150"},
    {{"NhwcConv", 17, M "NhwcConv", "", "1x1x2x2:1,2,3,4 1x1x2x2:1,0,0,1 1:10", 1}, "1x1x1x1:15"},
    {{"GroupNorm", 17, M "GroupNorm", "groups=1 epsilon=0.0f channels_last=0", "1x2x1x1:1,3 2:1,1 2:5,5", 1}, "1x2x1x1:4,6"},
    {{"SkipGroupNorm", 17, M "SkipGroupNorm", "groups=1 epsilon=0.0f", "1x1x1x2:1,3 2:1,1 2:5,5 1x2:0,0 2:2,2", 2}, "1x1x1x2:4,6;1x1x1x2:3,5"},
    {{"MultiHeadAttention packed", 17, M "MultiHeadAttention", "num_heads=1", "1x2x1x3x1:0,1,2,0,1,4", 1}, "1x2x1:3,3"},
    {{"MultiHeadAttention packed keys", 17, M "MultiHeadAttention", "num_heads=1", "1x1x1:0 1x2x1x2x1:1,2,1,4", 1}, "1x1x1:3"},
    {{"MatMulNBits of 2 bits", 17, M "MatMulNBits", "K=2 N=1 bits=2 block_size=16", "1x2:1,10 cu8,4:7,0,0,0 c1:0.5", 1}, "1x1:-4.5"},
    {{"Scaler", 17, ML "Scaler", "offset=(1.0f,2.0f) scale=(10.0f)", "1x2:3,4", 1}, "1x2:20,20"},
    {{"Scaler of integers", 17, ML "Scaler", "offset=(1.0f) scale=(0.5f)", "i1x2:3,4", 1}, "1x2:1,1.5"},
    {{"Normalizer", 17, ML "Normalizer", "norm='L2'", "2x2:3,4,0,0", 1}, "2x2:0.6,0.8,0,0"},
    {{"Normalizer L1", 17, ML "Normalizer", "norm='L1'", "1x2:1,-3", 1}, "1x2:0.25,-0.75"},
    {{"Normalizer MAX", 17, ML "Normalizer", "", "1x2:1,4", 1}, "1x2:0.25,1"},
    {{"Binarizer", 17, ML "Binarizer", "threshold=1.0f", "3:0,1,2", 1}, "3:0,0,1"},
    {{"Imputer", 17, ML "Imputer", "imputed_value_floats=(7.0f,8.0f) replaced_value_float=nanf", "1x2:nan,1", 1}, "1x2:7,1"},
    {{"Imputer of 0", 17, ML "Imputer", "imputed_value_floats=(7.0f)", "1x2:0,1", 1}, "1x2:7,1"},
    {{"LinearRegressor", 17, ML "LinearRegressor", "coefficients=(1.0f,2.0f) intercepts=(10.0f)", "2x2:1,1,2,3", 1}, "2x1:13,18"},
    {{"LinearClassifier", 17, ML "LinearClassifier", "coefficients=(1.0f,0.0f,0.0f,1.0f) intercepts=(0.0f,1.0f) classlabels_ints=(5,9)", "2x2:3,1,1,3", 2}, "i2:5,9;2x2:3,2,1,4"},
    {{"LinearClassifier of two classes", 17, ML "LinearClassifier", "coefficients=(-1.0f,1.0f) classlabels_ints=(5,9) post_transform='LOGISTIC'", "1x1:1.0986123", 2}, "i1:9;1x2:0.25,0.75"},
    {{"LinearClassifier softmax", 17, ML "LinearClassifier", "coefficients=(1.0f,1.0f) classlabels_ints=(5,9) post_transform='SOFTMAX'", "1x1:3", 2}, "i1:5;1x2:0.5,0.5"},
    {{"Det", 11, "Det", "", "2x2x2:1,2,3,4,0,0,0,0", 1}, "2:-2,0"},
    {{"Det of a matrix", 11, "Det", "", "3x3:0,1,0,1,0,0,0,0,2", 1}, "s:-2"},
    {{"Inverse", 17, M "Inverse", "", "2x2:0,2,4,0", 1}, "2x2:0,0.25,0.5,0"},
};

static const op_case contrib_derivatives[] = {
    {"Det", 11, "Det", "", "2x3x3", 1},
    {"Inverse", 17, M "Inverse", "", "2x2:3,1,-1,2", 1},
    {"Scaler", 17, ML "Scaler", "offset=(1.0f,2.0f) scale=(10.0f)", "2x2", 1},
    {"Normalizer", 17, ML "Normalizer", "norm='L2'", "2x3", 1},
    {"LinearClassifier", 17, ML "LinearClassifier", "coefficients=(1.0f,0.5f,2.0f,1.0f) intercepts=(0.0f,1.0f) classlabels_ints=(5,9) post_transform='LOGISTIC'", "2x2", 2},
    {"CropAndResize", 17, M "CropAndResize", "extrapolation_value=2.0f", "2x2x4x5 c3x4:0.11,0.2,0.8,0.9,0,0,1.3,1.2,0.7,0.8,0.2,0.1 {0,1,1} {3,2}", 1},
    {"Crop", 17, "Crop", "border=(1,0,1,2)", "1x2x4x5", 1},
    {"ScaledTanh", 9, "ScaledTanh", "alpha=0.5f beta=2.0f", "2x3", 1},
    {"ImageScaler", 9, "ImageScaler", "scale=2.0f bias=(0.5f,1.0f)", "1x2x2x2", 1},
    {"Attention", 17, M "Attention", "num_heads=2 unidirectional=1", "1x3x4 4x12 12 {1}", 1},
    {"MultiHeadAttention packed", 17, M "MultiHeadAttention", "num_heads=2", "1x3x2x3x2", 1},
    {"GroupQueryAttention", 17, M "GroupQueryAttention", "num_heads=2 kv_num_heads=1 do_rotary=1 local_window_size=2", "1x3x8 1x3x4 1x3x4 _ _ {2} cis:3 c3x2:1,1,0.5,0.8,0.1,0.6 c3x2:0,0,0.8,0.6,0.9,0.8", 1},
    {"RotaryEmbedding", 17, M "RotaryEmbedding", "interleaved=1", "1x3x8 {0} c3x2:1,1,0.5,0.8,0.1,0.6 c3x2:0,0,0.8,0.6,0.9,0.8", 1},
    {"SkipGroupNorm", 17, M "SkipGroupNorm", "groups=2 activation=1", "1x2x2x4 4 4 1x4 4", 2},
    {"MatMulNBits", 17, M "MatMulNBits", "K=2 N=1 bits=2 block_size=16", "1x2 cu8,4:7,0,0,0 c1:0.5 _ _ 1", 1},
};

static const struct refusal_case contrib_refusals[] = {
    {{"FusedConv activation", 17, M "FusedConv", "activation='Odd'", "1x1x2x2 1x1x1x1", 1}, KLDVE_E_UNSUPPORTED, "'Odd'"},
    {{"ms Attention heads", 17, M "Attention", "", "1x3x4 4x12", 1}, KLDVE_E_FORMAT, "'num_heads' is 0"},
    {{"ms Attention split", 17, M "Attention", "num_heads=3", "1x3x4 4x12", 1}, KLDVE_E_FORMAT, "3 heads"},
    {{"ms Attention past", 17, M "Attention", "num_heads=2", "1x3x4 4x12 12 _ 2x1x2x1x2", 1}, KLDVE_E_UNSUPPORTED, "past"},
    {{"MultiHeadAttention packed", 17, M "MultiHeadAttention", "num_heads=1", "1x2x1x2x1", 1}, KLDVE_E_UNSUPPORTED, "packed"},
    {{"GroupQueryAttention past", 17, M "GroupQueryAttention", "num_heads=1 kv_num_heads=1", "1x1x2 1x1x2 1x1x2 1x1x1x2 1x1x1x2", 1}, KLDVE_E_UNSUPPORTED, "past"},
    {{"GroupQueryAttention heads", 17, M "GroupQueryAttention", "num_heads=3 kv_num_heads=2", "1x1x6 1x1x4 1x1x4", 1}, KLDVE_E_FORMAT, "3 heads share"},
    {{"GroupQueryAttention angles", 17, M "GroupQueryAttention", "num_heads=1 kv_num_heads=1 do_rotary=1", "1x1x2 1x1x2 1x1x2", 1}, KLDVE_E_FORMAT, "do_rotary"},
    {{"ms RotaryEmbedding positions", 17, M "RotaryEmbedding", "", "1x3x4 {0,1} 3x2 3x2", 1}, KLDVE_E_FORMAT, "position"},
    {{"EmbedLayerNormalization tables", 17, M "EmbedLayerNormalization", "", "i1x2:0,1 _ 4 3x2 _ 2 2", 1}, KLDVE_E_FORMAT, "words"},
    {{"MatMulNBits bits", 17, M "MatMulNBits", "K=2 N=1 bits=3 block_size=16", "1x2 cu8,4:7,0,0,0 c1:0.5", 1}, KLDVE_E_UNSUPPORTED, "bits 3"},
    {{"MatMulNBits weights", 17, M "MatMulNBits", "K=2 N=1 bits=4 block_size=16", "1x2 cu8,4:7,0,0,0 c1:0.5", 1}, KLDVE_E_FORMAT, "expected 8"},
    {{"MatMulNBits order", 17, M "MatMulNBits", "K=2 N=1 bits=2 block_size=16", "1x2 cu8,4:7,0,0,0 c1:0.5 _ {0}", 1}, KLDVE_E_UNSUPPORTED, "order"},
    {{"CropAndResize mode", 17, M "CropAndResize", "mode='nearest'", "1x1x2x2 c1x4:0,0,1,1 {0} {2,2}", 1}, KLDVE_E_UNSUPPORTED, "bilinear"},
    {{"Scaler columns", 17, ML "Scaler", "offset=(1.0f,2.0f) scale=(10.0f)", "1x3", 1}, KLDVE_E_FORMAT, "2 values for 3 columns"},
    {{"Normalizer norm", 17, ML "Normalizer", "norm='L3'", "1x3", 1}, KLDVE_E_FORMAT, "'L3'"},
    {{"LinearRegressor coefficients", 17, ML "LinearRegressor", "coefficients=(1.0f)", "1x3", 1}, KLDVE_E_FORMAT, "1 coefficients"},
    {{"LinearClassifier probit", 17, ML "LinearClassifier", "coefficients=(1.0f) classlabels_ints=(5) post_transform='PROBIT'", "1x1", 2}, KLDVE_E_UNSUPPORTED, "'PROBIT'"},
    {{"Imputer of integers", 17, ML "Imputer", "imputed_value_floats=(7.0f)", "i1x2:0,1", 1}, KLDVE_E_UNSUPPORTED, "floats"},
    {{"Crop border", 9, "Crop", "border=(1,1,1,1)", "1x1x2x1", 1}, KLDVE_E_FORMAT, "border"},
    {{"ImageScaler bias", 9, "ImageScaler", "bias=(0.5f)", "1x2x2x2", 1}, KLDVE_E_FORMAT, "'bias' has 1"},
    {{"Det of no square", 11, "Det", "", "2x3", 1}, KLDVE_E_FORMAT, "square"},
};
#undef ML
#undef M
/* clang-format on */

#endif
