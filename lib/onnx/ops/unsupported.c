/* unsupported.c - see unsupported.h. */
#include "unsupported.h"

#include <stddef.h>
#include <string.h>

static const char random_numbers[] =
    "its results are random; export the network for inference (model.eval())";
static const char a_loss[] = "it is a loss, for training; export the network without it";
static const char training[] = "it is for training; export the network for inference";
static const char texts[] =
    "it works on text; compute it in front of the network and give its numbers as an input";
static const char optional[] = "optional values are not supported; export the network without them";
static const char one_token[] =
    "it decodes one token after the other; export the network for a whole prompt";
static const char trees[] = "decision trees have no derivative";
static const char any_length[] =
    "the shape of its results depends on the data; end the network in front of it";
static const char decoded[] = "it reads a file; give the network the picture itself";

static const char own[] = "", microsoft[] = "com.microsoft", ml[] = "ai.onnx.ml",
                  nchwc[] = "com.microsoft.nchwc";

static const struct {
    const char *domain, *type; /* type NULL: all of the domain */
    const char *why;
} reasons[] = {
    {own, "RandomNormal", random_numbers},
    {own, "RandomNormalLike", random_numbers},
    {own, "RandomUniform", random_numbers},
    {own, "RandomUniformLike", random_numbers},
    {own, "Bernoulli", random_numbers},
    {own, "Multinomial", random_numbers},
    {own, "NegativeLogLikelihoodLoss", a_loss},
    {own, "SoftmaxCrossEntropyLoss", a_loss},
    {"ai.onnx.preview.training", NULL, training},
    {"ai.onnx.training", NULL, training},
    {own, "StringNormalizer", texts},
    {own, "StringConcat", texts},
    {own, "StringSplit", texts},
    {own, "RegexFullMatch", texts},
    {own, "TfIdfVectorizer", texts},
    {ml, "CategoryMapper", texts},
    {ml, "LabelEncoder", texts},
    {ml, "DictVectorizer", texts},
    {microsoft, "Tokenizer", texts},
    {"ai.onnx.contrib", NULL, texts},
    {own, "Optional", optional},
    {own, "OptionalGetElement", optional},
    {own, "OptionalHasElement", optional},
    {own, "SequenceMap", "write the loop over the sequence out, or export the network without it"},
    {own, "Unique", any_length},
    {own, "ImageDecoder", decoded},
    {microsoft, "DecoderMaskedMultiHeadAttention", one_token},
    {microsoft, "DecoderMaskedSelfAttention", one_token},
    {microsoft, "BeamSearch", one_token},
    {microsoft, "GreedySearch", one_token},
    {microsoft, "Sampling", one_token},
    {microsoft, "WhisperBeamSearch", one_token},
    {ml, "TreeEnsemble", trees},
    {ml, "TreeEnsembleClassifier", trees},
    {ml, "TreeEnsembleRegressor", trees},
    {nchwc, NULL,
     "the file was optimised for one processor: let ONNX Runtime write it at the level 'extended' "
     "or 'basic', or take the file that it was made from"},
};

const char *kx_why_unsupported(const char *domain, const char *type)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reasons[i].domain, domain) == 0 &&
            (!reasons[i].type || strcmp(reasons[i].type, type) == 0))
            return reasons[i].why;
    return NULL;
}
