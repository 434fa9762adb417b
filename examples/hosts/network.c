#include "network.h"

kldve_status network_load(kldve_ctx *ctx, const char *path, int32_t threads, uint64_t flags,
                          struct network *out)
{
    const kldve_onnx_options options = {
        .struct_size = sizeof options, .threads = threads, .flags = flags};
    const kldve_card *card;
    kldve_status status = kldve_onnx_explainer(ctx, path, &options, &out->owner);

    if (status != KLDVE_OK)
        return status;
    out->onnx = kldve_onnx_explainer_net(out->owner);
    card = kldve_onnx_explainer_card(out->owner);
    if (!card)
        return KLDVE_OK;
    out->has_input = 1;
    out->input.struct_size = sizeof out->input;
    return kldve_card_input(card, &out->input);
}

kldve_status network_open(kldve_ctx *ctx, const struct network *net, kldve_explainer **out)
{
    kldve_explainer *explainer = NULL;
    kldve_status status = kldve_explainer_new(ctx, kldve_onnx_backend(), net->onnx, &explainer);

    if (status == KLDVE_OK && net->has_input)
        status = kldve_explainer_set_input(explainer, &net->input);
    if (status == KLDVE_OK)
        *out = explainer;
    else
        kldve_explainer_free(explainer);
    return status;
}

void network_free(struct network *net)
{
    kldve_explainer_free(net->owner);
    net->owner = NULL;
    net->onnx = NULL;
}
