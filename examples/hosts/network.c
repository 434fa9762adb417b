#include "network.h"

kldve_status network_load(kldve_ctx *ctx, const char *path, int32_t threads, uint64_t flags,
                          struct network *out)
{
    kldve_onnx_options options = {
        .struct_size = sizeof options, .threads = threads, .flags = flags};
    kldve_card *card = NULL;
    kldve_status status = kldve_card_beside(ctx, path, &card);

    if (status == KLDVE_OK && card) {
        options.layer = kldve_card_layer(card);
        options.logits = kldve_card_logits(card);
        options.select = kldve_card_select(card);
        options.scores = kldve_card_scores(card);
        kldve_card_size(card, &options.in_height, &options.in_width);
        out->input.struct_size = sizeof out->input;
        out->has_input = 1;
        status = kldve_card_input(card, &out->input);
    }
    if (status == KLDVE_OK)
        status = kldve_onnx_load(ctx, path, &options, &out->onnx);
    kldve_card_free(card);
    return status;
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
    kldve_onnx_free(net->onnx);
    net->onnx = NULL;
}
