/* complete_network.c - what completions offer of a network: its layers and its classes. */
#include "complete_network.h"

#include <stdio.h>
#include <string.h>

#include "getters.h"
#include "tool.h"

void complete_layers(const complete_network *n, bool explainable, complete_offer *offer,
                     const void *opaque)
{
    network_args args = {.model = n->model, .card = n->card, .flags = KLDVE_ONNX_FLAG_LIST};
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    kldve_ctx *ctx = NULL;
    network net = {0};

    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return;
    if (network_load(&net, ctx, &args))
        for (int32_t i = 0; kldve_onnx_tensor_at(net.net, i, &t) == KLDVE_OK; i++)
            if (t.explainable || !explainable)
                offer(opaque, t.name, *t.op ? t.op : "input");
    network_free(&net);
    kldve_ctx_free(ctx);
}

/* The labels that the line names, the card, or the built-in network has; NULL: none. */
static kldve_labels *labels_of(const complete_network *n, kldve_ctx *ctx)
{
    kldve_onnx_files demo = {.struct_size = sizeof demo};
    kldve_labels *labels = NULL;
    kldve_card *card = NULL;
    kldve_status status = KLDVE_OK;

    if (n->labels) {
        status = kldve_labels_load(ctx, n->labels, &labels);
    } else if (!n->model && !n->card) {
        if ((status = kldve_onnx_demo(&demo)) == KLDVE_OK)
            status = kldve_labels_parse(ctx, demo.labels, demo.labels_nbytes, &labels);
    } else {
        status = n->card ? kldve_card_load(ctx, n->card, &card)
                         : kldve_card_beside(ctx, n->model, &card);
        if (status == KLDVE_OK && card && kldve_card_labels(card))
            status = kldve_labels_load(ctx, kldve_card_labels(card), &labels);
    }
    kldve_card_free(card);
    return status == KLDVE_OK ? labels : NULL;
}

void complete_classes(const complete_network *n, complete_offer *offer, const void *opaque)
{
    char name[LABEL_SIZE];
    kldve_ctx *ctx = NULL;
    kldve_labels *labels;

    offer(opaque, "top1", "the class of the highest score");
    offer(opaque, "top2", "the runner-up");
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return;
    labels = labels_of(n, ctx);
    for (int32_t i = 0; labels && name_of_class(labels, i); i++) {
        clean_text(name_of_class(labels, i), name, sizeof name);
        name[strcspn(name, ",")] = '\0';
        offer(opaque, name, name_of_class(labels, i));
    }
    kldve_labels_free(labels);
    kldve_ctx_free(ctx);
}
