/* opened.c - what an explainer was opened on. */
#include "backend_parts.h"

const kldve_onnx *kldve_onnx_explainer_net(const kldve_explainer *explainer)
{
    const kx_backend_state *state = kldve_explainer_state(explainer, kldve_onnx_backend());

    return state ? state->file : NULL;
}

const kldve_card *kldve_onnx_explainer_card(const kldve_explainer *explainer)
{
    const kldve_onnx *net = kldve_onnx_explainer_net(explainer);

    return net ? net->card : NULL;
}

const kldve_labels *kldve_onnx_explainer_labels(const kldve_explainer *explainer)
{
    const kldve_onnx *net = kldve_onnx_explainer_net(explainer);

    return net ? net->labels : NULL;
}
