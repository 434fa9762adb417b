/* network.h - a network for hosts that open explainers on it themselves. */
#ifndef HOSTS_NETWORK_H
#define HOSTS_NETWORK_H

#include <kldve/onnx.h>

/* Loaded once, then only read: any number of threads may open explainers on it. */
struct network {
    kldve_explainer *owner; /* of the network and its card; takes the memory of one more explainer */
    const kldve_onnx *onnx;
    kldve_input_spec input;
    int has_input; /* a card says how pictures become inputs */
};

/* Load NAME.onnx and, if there is one, NAME.card.json.
 * threads  Of one run, as in kldve_onnx_options.
 * flags    KLDVE_ONNX_FLAG_*.
 * out      Zeros at first.  Free it with network_free(), also after a failure. */
kldve_status network_load(kldve_ctx *ctx, const char *path, int32_t threads, uint64_t flags,
                          struct network *out);

/* An explainer on the network. */
kldve_status network_open(kldve_ctx *ctx, const struct network *net, kldve_explainer **out);

void network_free(struct network *net);

#endif
